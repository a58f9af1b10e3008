"""The figure "Threshold and costs": one boundary between two classes, and all that follows from it.

``python book/threshold_and_costs.py`` writes ``threshold_and_costs.html`` beside itself, which
chapters 1 and 14 show. The scores of class A are normal around 0 and those of class B around ``d``,
both with standard deviation one; beyond the boundary ``c`` the answer is B. The picture that stands
before any script has run is drawn here; the script on the page computes the same numbers.
"""

import math
from pathlib import Path
from string import Template

import numpy as np
from scipy.stats import norm
from simpor.lab import colours

# The sliders: label, smallest, largest, step and first value. The last two are logarithms to base 10.
SLIDERS = {
    "c": ("Boundary", -3.5, 7.5, 0.05, 2.5),
    "d": ("Distance of the classes", 0.5, 4, 0.05, 2),
    "share": ("Share of B", -3, 0, 0.05, -1.3),
    "cost": ("Cost of a miss, in false alarms", -1, 3, 0.05, 1),
}

# In SVG units: the picture of the densities from edge to edge, one unit of the score in it, and
# the squares of the two curves.
WIDTH, HEIGHT, UNIT, TOP, FLOOR = 440, 404, 40, 22, 172
SIZE, CEILING, ROC, PR = 150, 230, 30, 270
LEFT, RIGHT = SLIDERS["c"][1:3]
SCORES = np.linspace(LEFT, RIGHT, 78)  # of all curves

LABEL = (
    "Above, the densities of the scores of class A and class B, each as high as its share of the "
    "rows, and a boundary; the errors on both sides are in strong colours, and a dashed curve "
    "shows class B times the cost of a miss. Below, the ROC curve and the curve of precision "
    "against recall, with a point for the boundary."
)


def settings(c: float, d: float, share: float, cost: float) -> dict:
    """Read the sliders; ratio and cost are rounded to two digits.

    Parameters
    ----------
    c, d, share, cost : float
        Values of the sliders.

    Returns
    -------
    settings : dict
        ``c``, ``d``, ``ratio``, the rows of A for each row of B, and ``cost``.
    """
    return {
        "c": c,
        "d": d,
        "ratio": float(f"{10**-share:.2g}"),
        "cost": float(f"{10**cost:.2g}"),
    }


def measures(c: float, d: float, ratio: float, cost: float) -> dict:
    """Compute everything that the figure says about a boundary.

    Parameters
    ----------
    c : float
        The boundary; a score above it is answered B.
    d : float
        Distance of the two classes.
    ratio : float
        Rows of A for each row of B.
    cost : float
        Cost of a missed row of B; a false alarm costs 1.

    Returns
    -------
    measures : dict
        Numbers of rows per 1,000 (``passed``, ``alarms``, ``misses``, ``hits``), ``precision``,
        ``recall``, ``macro`` (macro-F1), ``paid`` (cost of 1,000 rows), ``p`` (probability of B at
        the boundary), ``best`` (the cheapest boundary), ``least`` (its cost) and ``auc``.
    """
    rows_B = 1000 / (1 + ratio)
    rows_A = ratio * rows_B
    hits, misses = rows_B * norm.cdf([d - c, c - d])
    passed, alarms = rows_A * norm.cdf([c, -c])
    f1 = [2 * right / (2 * right + misses + alarms) for right in (passed, hits)]
    best = d / 2 + math.log(ratio / cost) / d
    found = {
        "passed": passed,
        "alarms": alarms,
        "misses": misses,
        "hits": hits,
        "precision": hits / (hits + alarms),
        "recall": hits / rows_B,
        "macro": sum(f1) / 2,
        "paid": alarms + cost * misses,
        "p": 1 / (1 + ratio * math.exp(d * d / 2 - d * c)),
        "best": best,
        "least": rows_A * norm.cdf(-best) + cost * rows_B * norm.cdf(best - d),
        "auc": norm.cdf(d / math.sqrt(2)),
    }
    return {name: float(value) for name, value in found.items()}


def sentence(chosen: dict, found: dict) -> str:
    """Say what the boundary does, and whether it is the cheapest.

    Parameters
    ----------
    chosen : dict
        From :func:`settings`.
    found : dict
        From :func:`measures`.

    Returns
    -------
    sentence : str
    """
    cheapest = abs(chosen["c"] - found["best"]) < 1e-9
    place = (
        f"This is the cheapest boundary: d/2 + ln({chosen['ratio']:g}/{chosen['cost']:g})/d = "
        f"{found['best']:.2f}, with d = {chosen['d']:.2f}."
        if cheapest
        else f"The boundary is at {chosen['c']:.2f}."
    )
    outside = "" if LEFT <= chosen["c"] <= RIGHT else " It lies beyond the picture."
    other = (
        "" if cheapest else f"; the cheapest boundary would cost {found['least']:.1f}"
    )
    return (
        f"{place}{outside} A row there belongs to B with probability {found['p']:.3f}. Of 1,000 rows, "
        f"{found['alarms']:.1f} are false alarms and {found['misses']:.1f} are missed, which costs "
        f"as much as {found['paid']:.1f} false alarms{other}."
    )


def path(x: np.ndarray, y: np.ndarray) -> str:
    """Write points as the data of a path.

    Parameters
    ----------
    x, y : array-like of shape (n,), or float
        In SVG units.

    Returns
    -------
    data : str
    """
    points = (
        np.column_stack(np.broadcast_arrays(x, y)).round(1) + 0.0
    )  # no minus before a zero
    return "M" + " ".join(f"{a:g},{b:g}" for a, b in points)


def drawing(chosen: dict, found: dict) -> dict:
    """Compute the paths and places that the script moves.

    Parameters
    ----------
    chosen, found : dict

    Returns
    -------
    drawing : dict
        ``of_A``, ``of_B``, ``weighted``, ``alarmed``, ``missed``, ``roc`` and ``pr`` are the data
        of paths, ``line``, ``base``, ``roc_at`` and ``pr_at`` are places.
    """
    c, d, ratio = (chosen[name] for name in ("c", "d", "ratio"))
    cut = min(max(c, LEFT), RIGHT)

    def bell(x, centre, height):
        top = height * np.exp(-((x - centre) ** 2) / 2)
        return (x - LEFT) * UNIT, FLOOR - (FLOOR - TOP) * top

    def under(start, end, centre, height):
        x, y = bell(np.linspace(start, end, 25), centre, height)
        return path([*x, x[-1], x[0]], [*y, FLOOR, FLOOR]) + "Z"

    def square(left, x, y):
        return left + SIZE * x, CEILING + SIZE * (1 - y)

    recall, alarms = norm.cdf(d - SCORES), norm.cdf(-SCORES)
    precision = recall / (recall + ratio * alarms)
    rate = norm.cdf(-c)
    return {
        "of_A": path(*bell(SCORES, 0, 1)),
        "of_B": path(*bell(SCORES, d, 1 / ratio)),
        "weighted": path(*bell(SCORES, d, chosen["cost"] / ratio)),
        "alarmed": under(cut, RIGHT, 0, 1),
        "missed": under(LEFT, cut, d, 1 / ratio),
        "roc": path(*square(ROC, alarms, recall)),
        "pr": path(*square(PR, recall, precision)),
        "line": f"{(cut - LEFT) * UNIT:g}",
        "base": path(*square(PR, np.array([0, 1]), 1 / (1 + ratio))),
        "roc_at": square(ROC, rate, found["recall"]),
        "pr_at": square(PR, found["recall"], found["precision"]),
    }


PAGE = """\
<div class="costs">
<style>
.costs {max-width: 600px; margin: 1rem auto}
html[data-theme="dark"] .bd-content div.cell_output div.text_html:has(div.costs)
  {background: none; color: inherit; padding: 0}
.costs svg {display: block; width: 100%; height: auto; font: 12px sans-serif; fill: currentColor}
.costs .map {touch-action: pan-y; cursor: ew-resize}
.costs path {fill: none; stroke-width: 2}
.costs :is(.of_A, .alarmed) {stroke: $blue; fill: $blue; fill-opacity: .15}
.costs :is(.of_B, .missed, .weighted) {stroke: $vermilion; fill: $vermilion; fill-opacity: .15}
.costs :is(.alarmed, .missed) {stroke: none; fill-opacity: .75}
.costs .weighted {fill: none; stroke-dasharray: 5 4}
.costs :is(.axis, .roc, .pr, .line path) {stroke: currentColor}
.costs .axis {opacity: .4; stroke-width: 1}
.costs .at {fill: $paper; stroke: $ink; stroke-width: 4}
.costs .key {margin: 0 0 .5rem; font-size: .9em}
.costs .numbers {display: flex; flex-wrap: wrap; gap: .4rem 1rem; justify-content: space-between}
.costs table {margin: 0 0 .5rem; border-collapse: collapse; font-size: .87em}
.costs :is(td, th) {padding: .1rem .35rem; text-align: right; border: 0; background: none}
.costs td {min-width: 3.4em; font-variant-numeric: tabular-nums}
.costs output {display: block; min-height: 6em}
.costs form {display: grid; gap: .2rem 1.2rem; margin-bottom: .7rem;
  grid-template-columns: repeat(auto-fit, minmax(240px, 1fr))}
.costs form[hidden] {display: none}
.costs label {display: flex; flex-wrap: wrap; justify-content: space-between; margin: 0}
.costs label b {font-variant-numeric: tabular-nums}
.costs input {width: 100%; min-height: 28px; margin: 0}
.costs button {min-height: 32px; grid-column: 1/-1}
@media (max-width: 600px) {
.costs svg {font-size: 16px}
.costs output {min-height: 9em}
}
@media print {.costs form {display: none}}
</style>
<svg viewBox="0 0 $width $height" role="img" aria-label="$label">
<svg class="map" width="$width" height="$map">
<path class="sheet" pointer-events="all" d="M0 0H${width}V${map}H0z"/>
<path class="of_A" d="$of_A"/>
<path class="of_B" d="$of_B"/>
<path class="weighted" d="$weighted"/>
<path class="alarmed" d="$alarmed"/>
<path class="missed" d="$missed"/>
<path class="axis" d="M0 ${floor}H$width"/>
<g class="line" transform="translate($line,0)"><path d="M0 4V$map"/>\
<text x="-8" y="14" text-anchor="end">answer A</text><text x="8" y="14">answer B</text></g>
</svg>
$axes
<path class="axis base" d="$base"/>
<path class="roc" d="$roc"/><path class="pr" d="$pr"/>
<circle class="at on_roc" r="5" transform="translate($roc_at)"/>\
<circle class="at on_pr" r="5" transform="translate($pr_at)"/>
</svg>
<p class="key">Blue: class A. Orange: class B. Strong colours: errors. Dashed: B times the cost of a miss.</p>
<form hidden autocomplete="off">
$sliders
<button type="button">Move the boundary to the cheapest place</button>
</form>
<div class="numbers">
<table><caption hidden>Confusion matrix</caption>
<thead><tr><td>of 1,000 rows</td><th scope="col">answer A</th><th scope="col">answer B</th></tr></thead>
<tbody><tr><th scope="row">class A</th><td data-of="passed">$passed</td><td data-of="alarms">$alarms</td></tr>
<tr><th scope="row">class B</th><td data-of="misses">$misses</td><td data-of="hits">$hits</td></tr></tbody></table>
<table><caption hidden>Measures</caption><tbody>
<tr><th scope="row">precision</th><td data-of="precision" data-digits="3">$precision</td>\
<th scope="row">macro-F1</th><td data-of="macro" data-digits="3">$macro</td></tr>
<tr><th scope="row">recall</th><td data-of="recall" data-digits="3">$recall</td>\
<th scope="row">AUC</th><td data-of="auc" data-digits="3">$auc</td></tr>
<tr><th scope="row" colspan="3">cost, in false alarms</th><td data-of="paid">$paid</td></tr>
</tbody></table>
</div>
<output aria-live="polite">$sentence</output>
<script>
document.querySelectorAll(".costs:not([data-ready])").forEach(function (box) {
  box.dataset.ready = "yes";
  const find = (name) => box.querySelector(name);
  const form = find("form"), field = form.elements, map = find(".map"), sheet = find(".sheet");

  // The normal distribution function: a series around zero, Laplace's continued fraction in the tails.
  function cdf(z) {
    const x = Math.abs(z), density = Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
    let tail;
    if (x < 2.5) {
      let term = x, sum = x;
      for (let k = 3; term > 1e-17; k += 2) sum += term *= x * x / k;
      tail = 0.5 - density * sum;
    } else {
      let fraction = x;
      for (let k = 120; k > 0; k--) fraction = x + k / fraction;
      tail = density / fraction;
    }
    return z < 0 ? tail : 1 - tail;
  }
  function measures({c, d, ratio, cost}) {
    const B = 1000 / (1 + ratio), A = ratio * B;
    const hits = B * cdf(d - c), misses = B * cdf(c - d), passed = A * cdf(c), alarms = A * cdf(-c);
    const f1 = (right) => 2 * right / (2 * right + misses + alarms);
    const best = d / 2 + Math.log(ratio / cost) / d;
    return {
      passed, alarms, misses, hits, precision: hits / (hits + alarms), recall: hits / B,
      macro: (f1(passed) + f1(hits)) / 2, paid: alarms + cost * misses,
      p: 1 / (1 + ratio * Math.exp(d * d / 2 - d * c)), best,
      least: A * cdf(-best) + cost * B * cdf(best - d), auc: cdf(d / Math.SQRT2),
    };
  }
  function sentence({c, d, ratio, cost}, found) {
    const cheapest = Math.abs(c - found.best) < 1e-9;
    return (cheapest ? "This is the cheapest boundary: d/2 + ln(" + ratio + "/" + cost + ")/d = " +
        found.best.toFixed(2) + ", with d = " + d.toFixed(2) + "." : "The boundary is at " + c.toFixed(2) + ".") +
      (c < $left || c > $right ? " It lies beyond the picture." : "") +
      " A row there belongs to B with probability " + found.p.toFixed(3) + ". Of 1,000 rows, " +
      found.alarms.toFixed(1) + " are false alarms and " + found.misses.toFixed(1) +
      " are missed, which costs as much as " + found.paid.toFixed(1) + " false alarms" +
      (cheapest ? "" : "; the cheapest boundary would cost " + found.least.toFixed(1)) + ".";
  }

  const steps = (start, end, n) => Array.from({length: n}, (_, i) => start + (end - start) * i / (n - 1));
  const path = (points) => "M" + points.map((p) => p.map((v) => +v.toFixed(1))).join(" ");
  const bell = (x, centre, height) =>
    [(x - $left) * $unit, $floor - $high * height * Math.exp(-((x - centre) ** 2) / 2)];
  const curve = (centre, height) => path(steps($left, $right, $scores).map((x) => bell(x, centre, height)));
  function under(start, end, centre, height) {
    const top = steps(start, end, 25).map((x) => bell(x, centre, height));
    return path([...top, [top[24][0], $floor], [top[0][0], $floor]]) + "Z";
  }
  const square = (left, x, y) => [left + $size * x, $ceiling + $size * (1 - y)];
  const draw = (name, value) => find("." + name).setAttribute("d", value);
  const move = (name, at) => find(name).setAttribute("transform", "translate(" + at + ")");

  const state = {};
  function show() {
    const {c, d, ratio, cost} = state, found = measures(state);
    const edge = Math.min(Math.max(c, $left), $right);
    draw("of_B", curve(d, 1 / ratio));
    draw("weighted", curve(d, cost / ratio));
    draw("alarmed", under(edge, $right, 0, 1));
    draw("missed", under($left, edge, d, 1 / ratio));
    const cuts = steps($left, $right, $scores).map((at) => [cdf(-at), cdf(d - at)]);
    draw("roc", path(cuts.map(([rate, recall]) => square($roc_left, rate, recall))));
    draw("pr", path(cuts.map(([rate, recall]) => square($pr_left, recall, recall / (recall + ratio * rate)))));
    draw("base", path([square($pr_left, 0, 1 / (1 + ratio)), square($pr_left, 1, 1 / (1 + ratio))]));
    move(".line", [(edge - $left) * $unit, 0]);
    move(".on_roc", square($roc_left, cdf(-c), found.recall));
    move(".on_pr", square($pr_left, found.recall, found.precision));
    box.querySelectorAll("[data-of]").forEach(function (cell) {
      cell.textContent = found[cell.dataset.of].toFixed(cell.dataset.digits || 1);
    });
    find("output").textContent = sentence(state, found);
    const texts = {
      c: c.toFixed(2), d: d.toFixed(2), cost: String(cost),
      share: (100 / (1 + ratio)).toFixed(1) + " % (" + ratio + ":1)",
    };
    for (const name in texts) {
      find("." + name).textContent = texts[name];
      field[name].setAttribute("aria-valuetext", texts[name]);
    }
  }

  function read() {
    const twoDigits = (v) => +v.toPrecision(2);
    state.d = +field.d.value;
    state.ratio = twoDigits(10 ** -field.share.value);
    state.cost = twoDigits(10 ** field.cost.value);
  }
  // The slider has steps; the boundary itself may lie between them, or beyond the picture.
  function cut(at) {
    state.c = at;
    field.c.value = at;
    show();
  }
  form.addEventListener("input", function (event) {
    read();
    cut(event.target === field.c ? +field.c.value : state.c);
  });
  find("button").addEventListener("click", () => cut(measures(state).best));
  function follow(event) {
    const seen = sheet.getBoundingClientRect();
    const at = $left + (event.clientX - seen.left) / seen.width * ($right - $left);
    cut(Math.round(20 * Math.min(Math.max(at, $left), $right)) / 20);
  }
  map.addEventListener("pointerdown", function (event) {
    map.setPointerCapture(event.pointerId);
    follow(event);
  });
  map.addEventListener("pointermove", (event) => map.hasPointerCapture(event.pointerId) && follow(event));

  Object.assign(box, {check: measures, cdf});  // for tests
  form.hidden = false;
  read();
  cut(+field.c.value);
});
</script>
</div>
"""


def axes() -> str:
    """Draw what does not move: the ticks of the scores, and the squares of the two curves.

    Returns
    -------
    svg : str
    """
    words = [
        (UNIT * (score - LEFT), FLOOR + 18, "middle", f"{score}")
        for score in range(-2, 8, 2)
    ]
    words.append((WIDTH, FLOOR + 18, "end", "score"))
    lines = []
    bottom = CEILING + SIZE
    for left, name, side, x, y in (
        (ROC, "ROC", "end", "false-alarm rate", "recall"),
        (PR, "PR", "start", "recall", "precision"),
    ):
        lines.append(f"M{left} {CEILING}v{SIZE}h{SIZE}v-{SIZE}z")
        inside = left + (SIZE - 8 if side == "end" else 8)
        words += [
            (left, CEILING - 8, "start", y),
            (left + SIZE / 2, bottom + 18, "middle", x),
            (left - 5, CEILING + 10, "end", "1"),
            (left - 5, bottom, "end", "0"),
            (left + SIZE, bottom + 18, "end", "1"),
            (inside, bottom - 10, side, name),
        ]
    lines.append(f"M{ROC} {bottom}l{SIZE} -{SIZE}")
    return f'<path class="axis" d="{"".join(lines)}"/>\n' + "\n".join(
        f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}">{text}</text>'
        for x, y, anchor, text in words
    )


def page() -> str:
    """Write the figure as one ``<div>`` with its own style and script.

    Returns
    -------
    html : str
    """
    first = {name: slider[-1] for name, slider in SLIDERS.items()}
    chosen = settings(**first)
    found = measures(**chosen)
    drawn = drawing(chosen, found)
    drawn |= {
        name: "{:.1f},{:.1f}".format(*drawn[name]) for name in ("roc_at", "pr_at")
    }
    sliders = [
        f'<label>{label} <b class="{name}"></b><input type="range" name="{name}" '
        f'min="{low:g}" max="{high:g}" step="{step:g}" value="{value:g}"></label>'
        for name, (label, low, high, step, value) in SLIDERS.items()
    ]
    three = ("precision", "recall", "macro", "auc")
    cells = {
        name: f"{value:.{3 if name in three else 1}f}" for name, value in found.items()
    }
    return Template(PAGE).substitute(
        cells | drawn,
        blue=colours.BLUE,
        vermilion=colours.VERMILION,
        ink=colours.INK,
        paper=colours.PAPER,
        width=WIDTH,
        height=HEIGHT,
        map=FLOOR + 2,
        label=LABEL,
        axes=axes(),
        sentence=sentence(chosen, found),
        sliders="\n".join(sliders),
        left=LEFT,
        right=RIGHT,
        unit=UNIT,
        floor=FLOOR,
        high=FLOOR - TOP,
        size=SIZE,
        ceiling=CEILING,
        roc_left=ROC,
        pr_left=PR,
        scores=len(SCORES),
    )


if __name__ == "__main__":
    stored = Path(__file__).with_suffix(".html")
    stored.write_text(page(), encoding="utf-8")
