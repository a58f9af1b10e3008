"""The book's figures: a style, a colour and a marker for each class, a function for each kind.

Every drawing function takes the axes to draw on and returns them. Nothing here sets a title: the
caption of a figure belongs to the page. Colours are those of :mod:`simpor.lab.colours`, and each
meaning has its own marker as well, so that a figure also reads in grey.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.style
import numpy as np
import pandas as pd
from cycler import cycler
from matplotlib.axes import Axes
from numpy.typing import ArrayLike
from sklearn.base import ClassifierMixin
from sklearn.decomposition import PCA
from sklearn.inspection import DecisionBoundaryDisplay

from simpor._moved import moved
from simpor.lab.colours import (
    BLUE,
    CLASS_COLOURS,
    DIFFERENCES,
    DOUBT,
    FAINT,
    GREEN,
    GREY,
    INK,
    LINES,
    PALE,
    PAPER,
    SIMPOR_COLOUR,
    SIMPOR_IN_THE_DARK,
    VERDICT_COLOURS,
    VERMILION,
)
from simpor.lab.methods import METHODS
from simpor.lab.overlap import first_component_counts

__all__ = [
    "BLUE",
    "CLASS_COLOURS",
    "DIFFERENCES",
    "DOUBT",
    "FAINT",
    "GREEN",
    "GREY",
    "INK",
    "LINES",
    "MAJORITY",
    "MINORITY",
    "PALE",
    "PAPER",
    "SIMPOR_COLOUR",
    "SIMPOR_IN_THE_DARK",
    "SYNTHETIC",
    "VERDICT_COLOURS",
    "VERMILION",
    "against_identity",
    "curve_with_bars",
    "decision_boundary",
    "forest",
    "forests",
    "heat_map",
    "original_against_reproduced",
    "originals_against_reproduced",
    "pca_histogram",
    "pca_projection",
    "scatter_classes",
    "synthetic",
    "use_style",
]

_Look = dict[str, Any]  # keywords of matplotlib's scatter

MAJORITY: _Look = dict(color=BLUE, marker="o", s=14, alpha=0.55, linewidths=0, label="majority")
MINORITY: _Look = dict(color=VERMILION, marker="^", s=24, alpha=0.9, linewidths=0, label="minority")
SYNTHETIC: _Look = dict(color=GREEN, marker="x", s=20, alpha=0.8, linewidths=1.0, label="synthetic")

STYLE = Path(__file__).with_name("book.mplstyle")


def use_style() -> None:
    """Set matplotlib's parameters to the style of the book.

    Examples
    --------
    >>> from simpor.lab import figures
    >>> figures.use_style()
    >>> import matplotlib
    >>> matplotlib.rcParams["figure.facecolor"]
    'white'
    """
    matplotlib.style.use(STYLE)
    mpl.rcParams["axes.prop_cycle"] = cycler(color=LINES)


def scatter_classes(ax: Axes, X: ArrayLike, y: ArrayLike, *, positive: Hashable = 1) -> Axes:
    """Scatter two classes of 2-D rows, the minority on top.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    X : array-like of shape (n, 2)
    y : array-like of shape (n,)
    positive : label, default=1
        The label of the minority class; every other row is drawn as majority.

    Returns
    -------
    ax : matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If ``X`` does not have exactly two columns.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from simpor.lab import figures
    >>> fig, ax = plt.subplots()
    >>> ax = figures.scatter_classes(ax, [[0, 0], [1, 1]], [0, 1])
    >>> [c.get_label() for c in ax.collections]
    ['majority', 'minority']
    """
    X, y = _plane(X), np.asarray(y)
    minority = y == positive
    ax.scatter(*X[~minority].T, **MAJORITY, zorder=2)
    ax.scatter(*X[minority].T, **MINORITY, zorder=4)
    return ax


def synthetic(ax: Axes, X_new: ArrayLike) -> Axes:
    """Scatter synthetic 2-D rows, above the majority and below the real minority.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    X_new : array-like of shape (m, 2)

    Returns
    -------
    ax : matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If ``X_new`` does not have exactly two columns.
    """
    ax.scatter(*_plane(X_new).T, **SYNTHETIC, zorder=3)
    return ax


def decision_boundary(
    ax: Axes,
    classifier: ClassifierMixin,
    X: ArrayLike,
    y: ArrayLike,
    X_synthetic: ArrayLike | None = None,
    *,
    positive: Hashable = 1,
    resolution: int = 160,
) -> Axes:
    """Shade the plane by a classifier's answer, draw its boundary, and the rows on top.

    The shade is the probability of the second class where the classifier gives one, and the
    predicted class otherwise; the line is where the answer changes (probability 1/2).

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    classifier : fitted scikit-learn classifier of two features and two classes
    X : array-like of shape (n, 2)
    y : array-like of shape (n,)
    X_synthetic : array-like of shape (m, 2), optional
    positive : label, default=1
    resolution : int, default=160
        Points of the grid along each axis.

    Returns
    -------
    ax : matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If ``X`` does not have exactly two columns.
    """
    X = _plane(X)
    rows = X if X_synthetic is None else np.vstack([X, _plane(X_synthetic)])
    display = DecisionBoundaryDisplay.from_estimator(
        classifier,
        rows,
        response_method="predict_proba" if hasattr(classifier, "predict_proba") else "predict",
        plot_method="contourf",
        grid_resolution=resolution,
        eps=0.3,
        # A few flat shades: the picture stays small as a file and quiet to the eye.
        levels=[0, 0.1, 0.3, 0.5, 0.7, 0.9, 1],
        cmap=CLASS_COLOURS,
        vmin=0,
        vmax=1,
        ax=ax,
    )
    ax.contour(
        display.xx0,
        display.xx1,
        display.response,
        levels=[0.5],
        colors=INK,
        linewidths=1.4,
        zorder=5,
    )
    if X_synthetic is not None:
        synthetic(ax, X_synthetic)
    return scatter_classes(ax, X, y, positive=positive)


def pca_projection(
    ax: Axes,
    X: ArrayLike,
    y: ArrayLike,
    X_synthetic: ArrayLike | None = None,
    *,
    positive: Hashable = 1,
) -> Axes:
    """Scatter rows in the plane of the first two principal components of all rows given.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    X : array-like of shape (n, d)
    y : array-like of shape (n,)
    X_synthetic : array-like of shape (m, d), optional
        Drawn as synthetic minority rows. The components are those of ``X`` and ``X_synthetic``
        together, as in Figure 4 of the preprint.
    positive : label, default=1

    Returns
    -------
    ax : matplotlib.axes.Axes
    """
    X = np.asarray(X, dtype=float)
    rows = X if X_synthetic is None else np.vstack([X, X_synthetic])
    # LAPACK's own signs and no random start: the picture is the same every time.
    plane = PCA(n_components=2, svd_solver="full").fit_transform(rows)
    scatter_classes(ax, plane[: len(X)], y, positive=positive)
    if X_synthetic is not None:
        synthetic(ax, plane[len(X) :])
    ax.set(xlabel="first component", ylabel="second component")
    return ax


def pca_histogram(
    ax: Axes, X: ArrayLike, y: ArrayLike, *, positive: Hashable = 1, bins: int = 20
) -> Axes:
    """Draw the two histograms along the first principal component and shade what they share.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    X : array-like of shape (n, d)
        Original and synthetic rows together.
    y : array-like of shape (n,)
    positive : label, default=1
    bins : int, default=20

    Returns
    -------
    ax : matplotlib.axes.Axes
    """
    edges, majority, minority = first_component_counts(X, y, positive=positive, bins=bins)
    shared = np.minimum(majority, minority)
    ax.stairs(shared, edges, fill=True, color=FAINT, label="in both")
    ax.stairs(majority, edges, color=BLUE, linewidth=1.8, label="majority")
    ax.stairs(
        minority,
        edges,
        color=VERMILION,
        linewidth=1.8,
        linestyle="--",
        label="minority and synthetic",
    )
    ax.set(xlabel="first component", ylabel="rows")
    return ax


def original_against_reproduced(ax: Axes, table: pd.DataFrame) -> Axes:
    """Draw published values and ours, one line for each method, with our spread as a bar.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    table : DataFrame
        Index: methods, drawn from top to bottom. Columns ``published`` (NaN where the paper has
        none), ``reproduced``, and ``spread`` (half the length of the bar, which ends at 0 and 1).

    Returns
    -------
    ax : matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If one of the three columns is missing.
    """
    missing = {"published", "reproduced", "spread"} - set(table.columns)
    if missing:
        raise ValueError(f"the table lacks the column(s) {sorted(missing)}; add them.")
    place = np.arange(len(table))
    ax.hlines(place, table["published"], table["reproduced"], color=FAINT, linewidth=1, zorder=1)
    # a score lies between 0 and 1, and so does the bar
    below = table["reproduced"] - (table["reproduced"] - table["spread"]).clip(lower=0)
    above = (table["reproduced"] + table["spread"]).clip(upper=1) - table["reproduced"]
    ours = table.index.str.startswith("SIMPOR")
    for chosen, color in ((~ours, GREY), (ours, SIMPOR_COLOUR)):
        ax.errorbar(
            table["reproduced"][chosen],
            place[chosen],
            xerr=[below[chosen], above[chosen]],
            fmt="o",
            color=color,
            markersize=6,
            capsize=3,
            linewidth=1.4,
            label="ours" if color == GREY else None,
            zorder=2,
        )
        ax.plot(
            table["published"][chosen],
            place[chosen],
            linestyle="none",
            marker="D",
            color=color,
            markerfacecolor=PAPER,
            markersize=7,
            label="paper" if color == GREY else None,
            zorder=3,
        )
    ax.set_yticks(place, table.index)
    ax.set_ylim(len(table) - 0.5, -0.5)  # the first method on top, also on shared axes
    ax.locator_params(axis="x", nbins=4)
    ax.grid(axis="x", color=PALE)
    ax.set_axisbelow(True)
    return ax


def originals_against_reproduced(axes: Iterable[Axes], tables: Mapping[str, pd.DataFrame]) -> None:
    """Draw one panel for each table, and one legend above the figure.

    Parameters
    ----------
    axes : iterable of matplotlib.axes.Axes
        As many as there are tables, of one figure.
    tables : mapping of str to DataFrame
        Labels of the x axis, and what :func:`original_against_reproduced` draws.
    """
    for ax, (label, table) in zip(axes, tables.items(), strict=True):
        original_against_reproduced(ax, table).set_xlabel(label)
    ax.figure.legend(*ax.get_legend_handles_labels(), loc="outside upper center", ncols=2)


def forest(ax: Axes, table: pd.DataFrame) -> Axes:
    """Draw differences to a baseline with their intervals, one line for each method.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    table : DataFrame
        From :func:`simpor.lab.intervals.paired_differences`: index ``method`` (names of
        :data:`simpor.lab.methods.METHODS`), columns ``difference``, ``low`` and ``high``. SIMPOR's
        variants are drawn as squares in their colour.

    Returns
    -------
    ax : matplotlib.axes.Axes
    """
    place = np.arange(len(table))
    ours = table.index.str.startswith("simpor")
    ax.axvline(0, color=FAINT, linewidth=1)
    for chosen, color, marker in ((~ours, GREY, "o"), (ours, SIMPOR_COLOUR, "s")):
        middle = table["difference"][chosen]
        to_the_ends = [middle - table["low"][chosen], table["high"][chosen] - middle]
        ax.errorbar(
            middle,
            place[chosen],
            xerr=to_the_ends,
            fmt=marker,
            color=color,
            capsize=2,
            linewidth=1.3,
            markersize=5,
        )
    ax.set_yticks(place, [METHODS[method].label for method in table.index])
    ax.set_ylim(len(table) - 0.5, -0.5)  # the first method on top, also on shared axes
    ax.locator_params(axis="x", nbins=5)
    return ax


def forests(axes: Iterable[Axes], tables: Mapping[str, pd.DataFrame]) -> None:
    """Draw one panel of differences for each table.

    Parameters
    ----------
    axes : iterable of matplotlib.axes.Axes
        As many as there are tables.
    tables : mapping of str to DataFrame
        Labels of the x axis, and what :func:`forest` draws, for instance from
        :func:`simpor.lab.tables.differences_to_raw`.
    """
    for ax, (label, table) in zip(axes, tables.items(), strict=True):
        forest(ax, table).set_xlabel(label)


def curve_with_bars(ax: Axes, table: pd.DataFrame, *, label: str | None = None) -> Axes:
    """Draw SIMPOR's mean score against the values of a parameter, each with its interval.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    table : DataFrame
        From :func:`simpor.lab.tuning.means_by_value`: the values as index, columns ``mean``,
        ``low`` and ``high``.
    label : str, optional
        Of the legend.

    Returns
    -------
    ax : matplotlib.axes.Axes
    """
    to_the_ends = [table["mean"] - table["low"], table["high"] - table["mean"]]
    ax.errorbar(
        table.index,
        table["mean"],
        yerr=to_the_ends,
        fmt="o-",
        color=SIMPOR_COLOUR,
        capsize=2,
        elinewidth=0.9,
        linewidth=1.4,
        markersize=4,
        label=label,
    )
    return ax


def heat_map(ax: Axes, table: pd.DataFrame, *, limit: float) -> Axes:
    """Draw a table of differences: purple below zero, white at zero, green above.

    Differences of ``limit`` and more have the full colour and the sign "+" or "-" as a second cue;
    what is missing is grey.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    table : DataFrame of float
        Drawn as it reads: the first row on top, the first column left.
    limit : float
        Positive, in the unit of the differences.

    Returns
    -------
    ax : matplotlib.axes.Axes
        Its only image, ``ax.images[0]``, is what a colour bar takes.
    """
    values = table.to_numpy(dtype=float)
    ax.imshow(values, cmap=DIFFERENCES, vmin=-limit, vmax=limit, aspect="auto")
    ax.set_facecolor(FAINT)
    for i, j in np.argwhere(np.abs(values) >= limit):
        ax.text(
            j,
            i,
            "+" if values[i, j] > 0 else "\N{MINUS SIGN}",
            color=PAPER,
            size=7,
            ha="center",
            va="center",
        )
    ax.set_xticks(range(table.shape[1]), table.columns, rotation=90)
    ax.set_yticks(range(table.shape[0]), table.index)
    ax.tick_params(length=0)
    return ax


def against_identity(
    ax: Axes, published: pd.DataFrame, reproduced: pd.DataFrame, *, ours: str
) -> Axes:
    """Scatter reproduced scores against published ones, with the line on which both are equal.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    published, reproduced : DataFrame of shape (data sets, methods)
        Of the same methods; a data set or method that only one of them has is left out.
    ours : str
        The column that is drawn as squares in its colour, on top of the others.

    Returns
    -------
    ax : matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If one of the tables lacks the column ``ours``.
    """
    published, reproduced = published.align(reproduced, join="inner")
    if ours not in published.columns:
        raise ValueError(
            f"{ours!r} is not a column of both tables; choose one of {list(published.columns)}."
        )
    others = published.columns != ours
    ends = [
        min(published.min().min(), reproduced.min().min()),
        max(published.max().max(), reproduced.max().max()),
    ]
    ax.plot(ends, ends, color=INK, linewidth=1, zorder=1)
    ax.scatter(
        published.loc[:, others],
        reproduced.loc[:, others],
        s=9,
        color=GREY,
        alpha=0.45,
        linewidths=0,
        label="other methods",
        zorder=2,
    )
    ax.scatter(
        published[ours],
        reproduced[ours],
        s=20,
        color=SIMPOR_COLOUR,
        marker="s",
        alpha=0.9,
        linewidths=0,
        label=ours,
        zorder=3,
    )
    ax.set_aspect("equal")
    return ax


def _plane(X: ArrayLike) -> np.ndarray:
    X = np.asarray(X, dtype=float)
    if X.ndim != 2 or X.shape[1] != 2:
        raise ValueError(
            f"this figure draws rows of 2 features, but X has shape {X.shape}; "
            "pass two columns, or use pca_projection."
        )
    return X


__getattr__ = moved(
    __name__,
    {
        "hard_to_differentiate_ratio": "simpor.lab.overlap",
        "score_table": "simpor.lab.tables",
    },
)
