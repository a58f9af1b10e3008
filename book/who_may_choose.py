"""The figure "Who may choose?": mean ranks from the record, under four ways to choose.

``python book/who_may_choose.py`` writes ``who_may_choose.html`` beside itself, which pages of
the book include, and ``_static/card.png``, the picture that a shared link shows. Without
scripts the figure shows the choice that changes most, against nobody's, and a table has all
numbers; the script moves what is already there.
"""

import json
from html import escape
from pathlib import Path
from string import Template

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure
from simpor.lab import figures, tuning
from simpor.lab.methods import METHODS
from simpor.lab.statistics import mean_ranks

OURS = "simpor-published"
# Lines of chapter 13 that do not compete: luck alone, and another parameter of SIMPOR.
WITHOUT = ("simpor-published, ten draws", "simpor-published, alpha")
SHOWN = 1  # the choice that is drawn at first

CASES = {
    "nobody": "Nobody chooses: every method keeps the paper's value.",
    "SIMPOR alone, on the test rows": (
        "SIMPOR alone chooses among ten values, on the very test rows that score it, as "
        "in the public code."
    ),
    "everybody, on the test rows": "Everybody chooses among ten values on the test rows.",
    "everybody, in the training part": (
        "Everybody chooses among ten values inside the training part, which is fair."
    ),
}


def scores() -> dict[str, pd.DataFrame]:
    """Read the mean macro-F1 of every set and method, under each of the four cases.

    Returns
    -------
    scores : dict of str to DataFrame
        Keys of ``CASES``; five data sets by seven methods, the mean over five splits.
    """
    chosen = pd.concat(
        {
            name: tuning.scores_by_selection(tuning.read(name, "sound"))
            for name in tuning.SETS
        },
        names=["dataset"],
    )
    means = chosen.groupby(["dataset", "method"], sort=False).mean()
    means = means.drop(index=list(WITHOUT), level="method")
    paper, inside, best = (
        means[way].unstack("method") for way in ("paper", "inside", "test, each split")
    )
    alone = paper.assign(**{OURS: best[OURS]})
    return dict(zip(CASES, (paper, alone, best, inside), strict=True))


def numbers(scores: dict[str, pd.DataFrame]) -> dict:
    """Compute what the figure draws, and the sentence of each case.

    Parameters
    ----------
    scores : dict of str to DataFrame

    Returns
    -------
    numbers : dict
        ``methods``, a list of names, and ``cases``, a list with ``name``, ``sentence``,
        ``ranks`` and ``f1`` in the order of the methods.
    """
    methods = list(scores["nobody"].columns)
    cases = []
    for name, table in scores.items():
        ranks, f1 = mean_ranks(table), table.mean()
        others = f1.drop(OURS)
        cases.append(
            {
                "name": name,
                "ranks": [float(ranks[method]) for method in methods],
                "f1": [float(f1[method]) for method in methods],
                "sentence": (
                    f"{CASES[name]} SIMPOR's mean rank is {ranks[OURS]:.1f} of "
                    f"{len(methods)}, its mean macro-F1 {f1[OURS]:.3f}; the best other, "
                    f"{METHODS[others.idxmax()].label}, has {others.max():.3f}."
                ),
            }
        )
    return {"methods": methods, "cases": cases}


WIDTH, LEFT, UNIT, TOP, ROW = 480, 158, 46, 16, 26  # SVG units; UNIT is one rank

LABEL = (
    "Seven methods in a line each, sorted by their mean rank over five data sets, from 1, "
    "the best, to 7. A ring marks the rank when nobody chooses, a dot the rank under the "
    "choice named below."
)

PAGE = """\
<div class="who">
<style>
.who {--simpor: $simpor; max-width: 640px; margin: 1rem auto}
html[data-theme="dark"] .who {--simpor: $simpor_dark}
html[data-theme="dark"] .bd-content div.cell_output div.text_html:has(div.who)
  {background: none; color: inherit; padding: 0}
.who svg {display: block; width: 100%; height: auto; font-size: 13px}
.who svg text {fill: currentColor}
.who .row {--colour: #767676}
.who .row.ours {--colour: var(--simpor)}
.who .ours text {fill: var(--simpor); font-weight: 700}
.who .dot {fill: var(--colour)}
.who :is(.ring, .way) {fill: none; stroke: var(--colour); stroke-width: 1.5}
.who :is(.row, .dot, .way) {transition: transform .8s ease-in-out}
.who fieldset {border: 0; margin: 0; padding: 0; display: flex; flex-wrap: wrap; gap: 0 .9rem}
.who fieldset[hidden] {display: none}
.who legend {font-size: 1rem; font-weight: 700; margin: 0; float: none}
.who label {display: flex; align-items: center; gap: .35rem; min-height: 32px; cursor: pointer}
.who output {display: block; min-height: 4.5em}
@media (max-width: 600px) {.who svg {font-size: 15px}}
@media (prefers-reduced-motion: reduce) {.who svg * {transition: none !important}}
@media print {.who fieldset {display: none}}
</style>
<svg viewBox="0 0 $width $height" role="img" aria-label="$label">
$axis
$rows
</svg>
<fieldset hidden><legend>Who may choose, and on which rows?</legend>
$choices
</fieldset>
<output aria-live="polite">$sentence</output>
<details><summary>All mean ranks as a table</summary>
<table class="dataframe"><thead><tr><td></td>$heads</tr></thead><tbody>
$lines
</tbody></table></details>
<script type="application/json">$data</script>
<script>
(function () {
  document.querySelectorAll(".who:not([data-ready])").forEach(function (box) {
    box.dataset.ready = "yes";
    const data = JSON.parse(box.querySelector('script[type="application/json"]').textContent);
    const rows = Array.from(box.querySelectorAll(".row"));
    const nobody = data.cases[0].ranks;
    function show(chosen) {
      const ranks = chosen.ranks;
      const order = rows.map((row, i) => i).sort((a, b) => ranks[a] - ranks[b] || a - b);
      rows.forEach(function (row, i) {
        const x = (ranks[i] - 1) * $unit, from = (nobody[i] - 1) * $unit;
        row.style.transform = "translateY(" + order.indexOf(i) * $row + "px)";
        row.querySelector(".dot").style.transform = "translateX(" + x + "px)";
        row.querySelector(".way").style.transform =
          "translateX(" + from + "px) scaleX(" + (x - from) / $unit + ")";
        row.dataset.rank = ranks[i];
        row.querySelector(".value").textContent = ranks[i].toFixed(1);
      });
      box.querySelector("output").textContent = chosen.sentence;
    }
    const choices = box.querySelector("fieldset");
    choices.addEventListener("change", event => show(data.cases[event.target.value]));
    choices.hidden = false;
    show(data.cases[choices.querySelector(":checked").value]);  // a browser may remember another
  });
})();
</script>
</div>
"""


def short_labels(methods: list[str]) -> list[str]:
    """Name the methods without what stands in brackets.

    Parameters
    ----------
    methods : list of str

    Returns
    -------
    labels : list of str
    """
    return [METHODS[method].label.split(" (")[0] for method in methods]


def page(numbers: dict) -> str:
    """Write the figure as one ``<div>`` with its own style, data and script.

    Parameters
    ----------
    numbers : dict

    Returns
    -------
    html : str
    """
    cases, labels = numbers["cases"], short_labels(numbers["methods"])
    nobody, ranks = cases[0]["ranks"], cases[SHOWN]["ranks"]
    order = sorted(range(len(labels)), key=lambda i: (ranks[i], i))
    bottom = TOP + ROW * len(labels)
    axis = [
        '<g stroke="currentColor" opacity=".2"><path d="'
        + "".join(f"M{LEFT + UNIT * k} {TOP - 4}V{bottom}" for k in range(len(labels)))
        + '"/></g>'
    ]
    axis += [
        f'<text x="{LEFT + UNIT * k}" y="{bottom + 16}" text-anchor="middle">{k + 1}</text>'
        for k in range(len(labels))
    ]
    axis.append(
        f'<text x="{LEFT}" y="{bottom + 34}" dx="-4">'
        "mean rank over five data sets (1 is best)</text>"
    )
    rows = []
    for i, label in enumerate(labels):
        start, x = ((value[i] - 1) * UNIT for value in (nobody, ranks))
        ours = " ours" if numbers["methods"][i] == OURS else ""
        rows.append(
            f'<g class="row{ours}" style="transform: translateY({order.index(i) * ROW}px)">'
            f'<text x="0" y="{TOP + 15}">{label}</text>'
            f'<text class="value" x="{WIDTH}" y="{TOP + 15}" text-anchor="end">{ranks[i]:.1f}</text>'
            f'<g transform="translate({LEFT} {TOP + 10})">'
            f'<path class="way" vector-effect="non-scaling-stroke" d="M0 0H{UNIT}" '
            f'style="transform: translateX({start:g}px) scaleX({(x - start) / UNIT:g})"/>'
            f'<circle class="ring" cx="{start:g}" r="5"/>'
            f'<circle class="dot" r="6" style="transform: translateX({x:g}px)"/></g></g>'
        )
    choices = [
        f'<label><input type="radio" name="who" value="{k}"{" checked" if k == SHOWN else ""}>'
        f"{case['name']}</label>"
        for k, case in enumerate(cases)
    ]
    lines = [
        f'<tr><th scope="row">{label}</th>'
        + "".join(f"<td>{case['ranks'][i]:.1f}</td>" for case in cases)
        + "</tr>"
        for i, label in enumerate(labels)
    ]
    return Template(PAGE).substitute(
        simpor=figures.SIMPOR_COLOUR,
        simpor_dark=figures.SIMPOR_IN_THE_DARK,
        width=WIDTH,
        height=bottom + 42,
        unit=UNIT,
        row=ROW,
        label=LABEL,
        axis="\n".join(axis),
        rows="\n".join(rows),
        choices="\n".join(choices),
        sentence=escape(cases[SHOWN]["sentence"]),
        heads="".join(f'<th scope="col">{case["name"]}</th>' for case in cases),
        lines="\n".join(lines),
        data=json.dumps(numbers).replace("<", "\\u003c"),
    )


def card(numbers: dict) -> Figure:
    """Draw the picture of a shared link: the ranks when nobody chooses, and when SIMPOR does.

    Parameters
    ----------
    numbers : dict

    Returns
    -------
    figure : matplotlib.figure.Figure
        1200 by 630 pixels.
    """
    cases, methods = numbers["cases"], numbers["methods"]
    nobody, ranks = cases[0]["ranks"], cases[SHOWN]["ranks"]
    order = sorted(range(len(methods)), key=lambda i: (ranks[i], i))
    with mpl.rc_context({"font.size": 20}):
        figure = Figure(figsize=(12, 6.3), dpi=100, layout="constrained")
        figure.suptitle(
            "Who may choose on the test rows?", size=34, weight="bold", color="#222222"
        )
        ax = figure.subplots()
        for line, i in enumerate(order):
            color = figures.SIMPOR_COLOUR if methods[i] == OURS else figures.GREY
            ax.plot([nobody[i], ranks[i]], [line, line], color=color, linewidth=2)
            ax.plot(
                nobody[i],
                line,
                "o",
                color=color,
                markerfacecolor="white",
                markersize=13,
            )
            ax.plot(ranks[i], line, "o", color=color, markersize=15)
        ax.set_yticks(range(len(order)), [short_labels(methods)[i] for i in order])
        ax.set(xlim=(0.8, 7.2), ylim=(len(order) - 0.4, -0.6))
        ax.set_xlabel("mean rank: ring, nobody chooses; dot, SIMPOR alone chooses")
        ax.grid(axis="x", color="0.9")
        ax.set_axisbelow(True)
        for side in ax.spines.values():
            side.set_visible(False)
        ax.tick_params(length=0)
    return figure


if __name__ == "__main__":
    book = Path(__file__).parent
    found = numbers(scores())
    (book / "who_may_choose.html").write_text(page(found), encoding="utf-8")
    card(found).savefig(
        book.parent / "_static" / "card.png", metadata={"Software": None}
    )
