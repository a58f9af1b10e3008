"""The report of a comparison as one page: no other file, no network, no script.

Every name and value that comes from the table passes through :func:`html.escape`. Curves carry no
names of the table at all.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Sequence
from html import escape
from string import Template
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.special import logit
from sklearn.calibration import calibration_curve
from sklearn.metrics import average_precision_score, precision_recall_curve

from simpor.lab._compare_decision import number
from simpor.lab._compare_folds import Costs
from simpor.lab._compare_models import METHODS, THRESHOLDS, make_columns
from simpor.lab.figures import BLUE, GREEN, VERMILION
from simpor.lab.learners import LEARNERS
from simpor.lab.scores import calibration_intercept, calibration_slope

if TYPE_CHECKING:
    from simpor.lab.compare import Report

# Matplotlib writes these colours, and the page replaces them by its own, light or dark.
_INK = "#010203"
_COLOURS = {
    _INK: "currentColor",
    BLUE: "var(--first)",
    VERMILION: "var(--second)",
    GREEN: "var(--third)",
}
_STYLE: Any = {
    "font.size": 11,
    "svg.fonttype": "none",
    "svg.hashsalt": "simpor",
    "font.family": "sans-serif",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "legend.fontsize": 10,
    "lines.linewidth": 2,
    **dict.fromkeys(
        ["text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"], _INK
    ),
}
_LOOKS: tuple[dict[str, Any], ...] = (
    {"color": BLUE, "linestyle": "-", "marker": "o"},
    {"color": VERMILION, "linestyle": "--", "marker": "^"},
    {"color": GREEN, "linestyle": "-.", "marker": "s"},
)
_MOST_POINTS = 300
_BINS = 10
_MOST_LOG_ODDS = 30.0


def figures_of(report: Report) -> dict[str, tuple[Figure, str]]:
    """Three figures of the recommended learner, each with its description in words."""
    drawn = _drawn(report)
    with mpl.rc_context(_STYLE):
        return {
            "precision and recall": _precision_recall(report, drawn),
            "calibration": _calibration(report, drawn[:2]),
            "cost": _cost(report, drawn),
        }


def _drawn(report: Report) -> list[str]:
    """Methods whose curves are drawn: nothing, the best that changes what is learnt, and SIMPOR.

    A moved threshold has the curves of nothing: it chooses another point on them.
    """
    own = report.summary[report.summary["learner"] == report.decision.learner].set_index("method")
    others = own.drop(index=[name for name in ("nothing", *THRESHOLDS) if name in own.index])
    names = ["nothing"]
    if len(others):
        names.append(others["gain"].idxmax())
    names += [name for name in ("simpor", "simpor-quick") if name in others.index][:1]
    return list(dict.fromkeys(names))


def _rows(report: Report, method: str, learner: str = "") -> pd.DataFrame:
    rows = report.predictions
    learner = learner or report.decision.learner
    return rows[(rows["learner"] == learner) & (rows["method"] == method)]


def _axes(xlabel: str, ylabel: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(4.6, 3.6), layout="constrained", facecolor="none")
    return figure, figure.add_subplot(facecolor="none", xlabel=xlabel, ylabel=ylabel)


def _thin(*arrays: np.ndarray) -> list[np.ndarray]:
    """At most some hundred points of a curve."""
    chosen = np.unique(np.linspace(0, len(arrays[0]) - 1, _MOST_POINTS).astype(int))
    return [array[chosen] for array in arrays]


def _precision_recall(report: Report, drawn: Sequence[str]) -> tuple[Figure, str]:
    figure, ax = _axes("recall", "precision")
    said = []
    for method, look in zip(drawn, _LOOKS):
        rows = _rows(report, method)
        precision, recall, _ = precision_recall_curve(rows["y"], rows["probability"])
        line: dict[str, Any] = {key: look[key] for key in ("color", "linestyle")}
        ax.plot(*_thin(recall, precision), **line, label=METHODS[method].label)
        area = average_precision_score(rows["y"], rows["probability"])
        said.append(f"{METHODS[method].label} {area:.3f}")
    own = report.summary[report.summary["learner"] == report.decision.learner].set_index("method")
    for method, marker in (("nothing", "o"), ("threshold", "D")):
        if method in own.index:
            label = "at 0.5" if method == "nothing" else "at the moved threshold"
            point = own.loc[method, ["recall", "precision"]]
            ax.plot(*point, marker, color=_INK, markersize=7, label=label)
    ax.set(xlim=(0, 1.02), ylim=(0, 1.02))
    ax.legend(loc="lower left")
    return figure, (
        f"Precision against recall of {LEARNERS[report.decision.learner].label}, all test parts together. "
        f"Average precision: {', '.join(said)}."
    )


def _calibration(report: Report, drawn: Sequence[str]) -> tuple[Figure, str]:
    figure, ax = _axes("probability that the model gives", "share that is positive")
    ax.plot([0, 1], [0, 1], color=_INK, linewidth=0.8)
    said = []
    for method, look in zip(drawn, _LOOKS):
        rows = _rows(report, method)
        label = METHODS[method].label
        _bins(ax, rows["y"], rows["probability"], label=label, markersize=5, **look)
        text = f"{label} gives {rows['probability'].mean():.1%} on average"
        if not np.allclose(rows["probability"], rows["corrected"]):
            open_look = look | {"linestyle": ":", "markerfacecolor": "none"}
            corrected = f"{label}, corrected"
            _bins(ax, rows["y"], rows["corrected"], label=corrected, markersize=5, **open_look)
            text += f", corrected {rows['corrected'].mean():.1%}"
        said.append(text)
    ax.legend(loc="lower right")
    share = _rows(report, "nothing")["y"].mean()
    return figure, (
        f"Share of positive rows against the given probability, in {_BINS} bins of equal width. "
        f"{'; '.join(said)}; {share:.1%} are positive."
    )


def _bins(ax: Axes, y: pd.Series, probability: pd.Series, **look: Any) -> None:
    shares, means = calibration_curve(y, probability, n_bins=_BINS, strategy="uniform")
    ax.plot(means, shares, **look)


def _cost(report: Report, drawn: Sequence[str]) -> tuple[Figure, str]:
    prior = report.table.y.mean()
    # Without costs, those for which a balanced sample would be right.
    costs = report.costs or Costs(miss=(1 - prior) / prior, alarm=1.0)
    figure, ax = _axes("decision threshold", "cost of 1,000 rows")
    thresholds = np.concatenate([np.geomspace(1e-3, 0.1, 40), np.linspace(0.1, 1, 61)[1:]])
    said = []
    for method, look in zip(drawn, _LOOKS):
        rows = _rows(report, method)
        y, probability = rows["y"].to_numpy(), rows["probability"].to_numpy()
        cost = np.array(
            [costs.per_thousand(y, probability >= threshold) for threshold in thresholds]
        )
        line: dict[str, Any] = {key: look[key] for key in ("color", "linestyle")}
        ax.plot(thresholds, cost, **line, label=METHODS[method].label)
        lowest = thresholds[cost.argmin()]
        said.append(f"{METHODS[method].label} {cost.min():.3g} at {lowest:.2g}")
    ax.axvline(costs.threshold, color=_INK, linewidth=0.8, linestyle=":")
    ax.set(xscale="log", ylim=(0, None))
    ax.set_xticks([0.001, 0.01, 0.1, 1], ["0.001", "0.01", "0.1", "1"])
    ax.legend()
    where = "as given" if report.costs else "in the ratio of the classes, since none were given"
    return figure, (
        f"Cost of 1,000 rows against the decision threshold. A miss costs {costs.miss:.3g}, a false "
        f"alarm {costs.alarm:.3g}, {where}. Lowest: {', '.join(said)}. The dotted line is the "
        f"threshold that follows from the costs, {costs.threshold:.2g}."
    )


def svg_of(figure: Figure, words: str) -> str:
    """A figure as SVG inside a page, in the colour of the text around it."""
    file = io.StringIO()
    with mpl.rc_context(_STYLE):
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    svg = file.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'<g id="[^"]*">', "<g>", svg)  # several figures would share these names
    svg = re.sub(r' (width|height)="[\d.]+pt"', "", svg, count=2)
    for colour, on_page in _COLOURS.items():
        svg = svg.replace(colour.lower(), on_page)
    label = f'<svg role="img" aria-label="{escape(words)}" '
    return svg.replace("<svg ", label, 1)


def body(report: Report) -> str:
    """The report without the frame of a page, for a notebook."""
    what, sure, change = map(escape, report.sentences)
    warnings = "".join(f"<li>{escape(warning)}</li>" for warning in report.table.warnings)
    figures = "".join(
        f"<figure>{svg_of(figure, words)}<figcaption>{escape(words)}</figcaption></figure>"
        for figure, words in report.figures().values()
    )
    columns = make_columns(report.table).__repr__(N_CHAR_MAX=10_000)
    failures = report.scores[report.scores["failure"] != ""]
    return _BODY.substitute(
        style=_CSS,
        target=escape(report.table.positive),
        what=what,
        sure=sure,
        change=change,
        warnings=f'<ul class="warnings">{warnings}</ul>' if warnings else "",
        notes="".join(f"<li>{escape(note)}</li>" for note in report.table.notes),
        score=escape(report.decision.score.label),
        scores="".join(_score_table(report, learner) for learner in _learners(report)),
        calibration="".join(_calibration_table(report, learner) for learner in _learners(report)),
        failures=_failures(failures),
        figures=figures,
        code=escape(report.code),
        columns=escape(columns),
        settings=_html_table(["", ""], [[key, value] for key, value in report.settings.items()]),
    )


def page(report: Report) -> str:
    """The report as a whole page."""
    title = escape(f"What to do about the imbalance: {report.table.positive}")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        # The page loads nothing and runs nothing, whatever names a table may hold.
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'\">"
        f"<title>{title}</title><style>{_CSS_OF_PAGE}</style></head><body><main>{body(report)}</main></body></html>\n"
    )


def _learners(report: Report) -> list[str]:
    """The recommended learner first."""
    first = report.decision.learner
    return [first, *(name for name in report.summary["learner"].unique() if name != first)]


def _lines(report: Report, learner: str) -> Iterable[Any]:
    return report.summary[report.summary["learner"] == learner].itertuples()


def _name(report: Report, line: Any) -> str:
    """The label of a method, marked where it is recommended."""
    decision = report.decision
    is_chosen = (line.learner, line.method) == (decision.learner, decision.method)
    return METHODS[line.method].label + (" ✓" if is_chosen else "")


def _score_table(report: Report, learner: str) -> str:
    head = [
        LEARNERS[learner].label,
        report.decision.score.label,
        "better than nothing by",
        "precision",
        "recall",
        "average precision",
        "threshold",
        "seconds",
    ]
    rows = [
        [
            _name(report, line),
            f"{number(line.score)} ({number(line.low)} to {number(line.high)})",
            ""
            if np.isnan(line.gain)
            else f"{number(line.gain)} ({number(line.gain_low)} to {number(line.gain_high)})",
            f"{line.precision:.3f}",
            f"{line.recall:.3f}",
            f"{line.average_precision:.3f}",
            f"{line.threshold:.3f}",
            f"{line.seconds:.2f}",
        ]
        for line in _lines(report, learner)
    ]
    return _html_table(head, rows)


def _calibration_table(report: Report, learner: str) -> str:
    head = [
        LEARNERS[learner].label,
        "mean probability",
        "corrected",
        "intercept",
        "corrected",
        "slope",
        "Brier score",
        "corrected",
    ]
    rows = []
    for line in _lines(report, learner):
        if line.method not in THRESHOLDS:  # their probabilities are those of nothing
            tested = _rows(report, line.method, learner)
            before, after = (
                np.clip(logit(tested[kind]), -_MOST_LOG_ODDS, _MOST_LOG_ODDS).to_numpy()
                for kind in ("probability", "corrected")
            )
            y = tested["y"].to_numpy()
            cells = [
                f"{line.mean_probability:.1%}",
                f"{line.mean_probability_corrected:.1%}",
                f"{calibration_intercept(y, before):+.2f}",
                f"{calibration_intercept(y, after):+.2f}",
                f"{calibration_slope(y, before):.2f}",
                f"{line.brier:.4f}",
                f"{line.brier_corrected:.4f}",
            ]
            rows.append([_name(report, line), *cells])
    return _html_table(head, rows)


def _failures(failures: pd.DataFrame) -> str:
    if failures.empty:
        return ""
    reasons = failures.groupby(["learner", "method", "failure"]).size()
    items = "".join(
        f"<li>{escape(METHODS[method].label)} with {escape(LEARNERS[learner].label)}, on {n} test parts: "
        f"{escape(reason)}</li>"
        for (learner, method, reason), n in reasons.items()
    )
    return f"<p>These failed, and are left out of the comparison:</p><ul>{items}</ul>"


def _html_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in a box that scrolls by itself on a narrow screen."""
    top = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head) if any(head) else ""
    lines = "".join(
        f'<tr><th scope="row">{escape(first)}</th>'
        + "".join(f"<td>{escape(cell)}</td>" for cell in cells)
        + "</tr>"
        for first, *cells in rows
    )
    heading = f"<thead><tr>{top}</tr></thead>" if top else ""
    return f'<div class="wide" tabindex="0"><table>{heading}<tbody>{lines}</tbody></table></div>'


_CSS = """
.simpor-report {color-scheme: light dark; --ink: #1c1c1c; --paper: #fff; --line: #c9c9c9;
  --shade: #f3f3f3; --warn: #fff1dc; --mark: #0063a0;
  --first: #0072b2; --second: #d55e00; --third: #009e73;
  color: var(--ink); background: var(--paper);
  font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 0 auto; padding: 1rem}
@media (prefers-color-scheme: dark) {.simpor-report {--ink: #e8e8e8; --paper: #16181b;
  --line: #4a4d52; --shade: #22252a; --warn: #43310f; --mark: #7cc4f2;
  --first: #56b4e9; --second: #f08a45; --third: #35c79c}}
.simpor-report h1 {font-size: 1.5rem; line-height: 1.25; margin: .5rem 0 1rem; overflow-wrap: anywhere}
.simpor-report h2 {font-size: 1.15rem; margin: 2rem 0 .5rem}
.simpor-report p, .simpor-report li {max-width: 46rem; overflow-wrap: anywhere}
.simpor-report .advice {border-left: 4px solid var(--mark); padding: .1rem 1rem; background: var(--shade)}
.simpor-report .advice p:first-child {font-size: 1.15rem; font-weight: 600}
.simpor-report .warnings {background: var(--warn); padding: .75rem 1rem .75rem 2rem}
.simpor-report .wide {overflow-x: auto; margin: 1rem 0}
.simpor-report table {border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums}
.simpor-report th, .simpor-report td {padding: .3rem .7rem; border-bottom: 1px solid var(--line);
  text-align: right; font-weight: 400; color: var(--ink); background: var(--paper)}
.simpor-report td {white-space: nowrap}
.simpor-report thead th {vertical-align: bottom; font-weight: 600}
.simpor-report th:first-child {text-align: left}
.simpor-report .figures {display: grid; gap: 1rem;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr))}
.simpor-report figure {margin: 0}
.simpor-report svg {display: block; width: 100%; height: auto}
.simpor-report figcaption {font-size: .9rem}
.simpor-report pre {overflow-x: auto; background: var(--shade); padding: .75rem; font-size: .85rem}
"""

_CSS_OF_PAGE = "body {margin: 0} @media (prefers-color-scheme: dark) {body {background: #16181b}}"

_BODY = Template("""
<style>$style</style><div class="simpor-report">
<h1>What to do about the imbalance: $target</h1>
<div class="advice"><p>$what</p><p>$sure</p><p>$change</p></div>
$warnings
<h2>Scores</h2>
<p>Mean $score over the test parts with its 95 % interval, and what each method adds to doing nothing,
with intervals that hold together. ✓ marks what is recommended. Seconds are the median of a training
part, on one thread.</p>
$scores
$failures
<h2>Curves</h2>
<div class="figures">$figures</div>
<h2>Calibration, before and after</h2>
<p>Weights and synthetic rows make the positive class look more frequent than it is, and the
probabilities follow; corrected are those that hold for the true share (Elkan, 2001). Right are an
intercept of 0 (below it, positive rows are predicted too often) and a slope of 1 (below it,
probabilities are too extreme).</p>
$calibration
<h2>The recommended model, to paste</h2>
<pre><code>$code</code></pre>
<h2>What was done with the table</h2>
<ul>$notes</ul>
<pre><code>$columns</code></pre>
<h2>How this was compared</h2>
$settings
</div>
""")
