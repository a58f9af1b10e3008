"""How many rows two classes share on their first principal component (HDR).

The hard-to-differentiate ratio is that of the preprint's Figure 4 and of the TAI paper's Figure 8. A
balanced training part is projected on its first principal component, each class gets a histogram,
and the number of rows in the intersection of the two histograms is divided by the number of
minority rows.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping

import numpy as np
import pandas as pd
from imblearn.base import SamplerMixin
from numpy.typing import ArrayLike
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from simpor.lab.datasets import Dataset
from simpor.lab.methods import METHODS
from simpor.lab.published import HARD_TO_DIFFERENTIATE_TAI, METHOD_OF_PAPER_NAME

NO_REGION = "SIMPOR, no region"

#: The samplers of the TAI paper's Figure 8, by its names, and SIMPOR without an informative region.
FIGURE_8 = {name: METHOD_OF_PAPER_NAME[name] for name in HARD_TO_DIFFERENTIATE_TAI.index} | {
    NO_REGION: "simpor-published-no-region"
}


def first_component_counts(
    X: ArrayLike, y: ArrayLike, *, positive: Hashable = 1, bins: int = 20
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Count two classes in bins of equal width along the first principal component.

    Parameters
    ----------
    X : array-like of shape (n, d)
    y : array-like of shape (n,)
    positive : label, default=1
    bins : int, default=20

    Returns
    -------
    edges : ndarray of shape (bins + 1,)
    majority, minority : ndarray of shape (bins,), int
    """
    line = PCA(n_components=1, svd_solver="full").fit_transform(np.asarray(X, dtype=float))[:, 0]
    minority = np.asarray(y) == positive
    edges = np.histogram_bin_edges(line, bins=bins)
    return edges, np.histogram(line[~minority], edges)[0], np.histogram(line[minority], edges)[0]


def hard_to_differentiate_ratio(
    X: ArrayLike, y: ArrayLike, *, positive: Hashable = 1, bins: int = 20
) -> float:
    """Share of the minority that lies in bins that the majority fills too (HDR).

    As in Section 6.4.2 and Figure 4 of the preprint, which does not give the number of bins. The
    intersection of the two histograms counts, in every bin, the smaller of the two counts.

    Parameters
    ----------
    X : array-like of shape (n, d)
        Original and synthetic rows together.
    y : array-like of shape (n,)
    positive : label, default=1
        The minority class; named, because a balanced set has no rarest class.
    bins : int, default=20

    Returns
    -------
    ratio : float
        In [0, 1]; 0 where the histograms do not touch.

    Raises
    ------
    ValueError
        If no row carries the label ``positive``.

    Examples
    --------
    >>> from simpor.lab.overlap import hard_to_differentiate_ratio
    >>> hard_to_differentiate_ratio([[0.0], [0.1], [5.0], [0.2]], [0, 0, 1, 1])
    0.5
    """
    _, majority, minority = first_component_counts(X, y, positive=positive, bins=bins)
    if minority.sum() == 0:
        raise ValueError(
            f"no row has the label {positive!r}; pass the minority class as `positive`."
        )
    return float(np.minimum(majority, minority).sum() / minority.sum())


def hard_to_differentiate(
    data: Dataset, samplers: Mapping[str, SamplerMixin], seed: int, *, test_share: float = 0.25
) -> pd.DataFrame:
    """Balance one training part with every sampler and count the rows that the classes share.

    Parameters
    ----------
    data : simpor.lab.datasets.Dataset
    samplers : mapping of str to sampler
    seed : int
        Of the split.
    test_share : float, default=0.25
        Share of the rows that are put aside. A quarter, as in the authors' public code: the counts
        of Figure 8 of the TAI paper fit that.

    Returns
    -------
    table : DataFrame
        Index ``method``. Columns as in :data:`simpor.lab.published.HARD_TO_DIFFERENTIATE_TAI`:
        ``n_minority``, ``n_majority``, ``n_intersection`` and ``ratio``, see
        :func:`hard_to_differentiate_ratio`; and ``seeds``, the number of rows
        from which the synthetic ones were made, NaN for a sampler that does not say.
    """
    X, _, y, _ = train_test_split(
        data.X, data.y, test_size=test_share, stratify=data.y, random_state=seed
    )
    X = StandardScaler().fit_transform(X)
    table = {}
    for method, sampler in samplers.items():
        _, majority, minority = first_component_counts(*sampler.fit_resample(X, y))
        shared = np.minimum(majority, minority).sum()
        seeds = getattr(sampler, "seed_indices_", None)
        table[method] = {
            "n_minority": minority.sum(),
            "n_majority": majority.sum(),
            "n_intersection": shared,
            "ratio": shared / minority.sum(),
            "seeds": np.nan if seeds is None else len(np.unique(seeds)),
        }
    return pd.DataFrame.from_dict(table, orient="index").rename_axis("method")


def recount_figure_8(data: Dataset, splits: Iterable[int] = (0, 1)) -> pd.DataFrame:
    """Count the shared rows for every sampler of the TAI paper's Figure 8.

    Parameters
    ----------
    data : simpor.lab.datasets.Dataset
        That of the figure is abalone9-18.
    splits : iterable of int, default=(0, 1)
        Seeds of the splits and of the samplers.

    Returns
    -------
    counts : DataFrame
        One line for each split and sampler of :data:`FIGURE_8`: ``split``, ``method``, and the
        columns of :func:`hard_to_differentiate`.
    """
    counts = {}
    for split in splits:
        samplers = {label: METHODS[name].make(split) for label, name in FIGURE_8.items()}
        counts[split] = hard_to_differentiate(data, samplers, split)
    return pd.concat(counts, names=["split"]).reset_index()
