"""The figure "How many rows": boundary, risk and best number of rows, for a biased generator.

``python book/how_many_rows.py`` writes ``how_many_rows.html`` beside itself, which chapter 15
shows. The setting is the chapter's asymmetric design, in which everything is known without
drawing a row. Without scripts the figure shows one setting; the script computes all others.
"""

import math
from pathlib import Path
from string import Template

import numpy as np
from simpor.lab import colours
from simpor.relatives.size_theory import predicted_size

N_COMMON = 1000  # rows of A
MARK = 10  # rows that one mark stands for
SHOWN = {
    "n_rare": 50,
    "bias": 0.375,
    "gaps": 1.0,
}  # the chapter's "halfway", at balance
E1 = np.array([1.0, 0.0])
BEST = E1 / 3  # the balanced optimum


def gradient(theta: np.ndarray, mean: np.ndarray, label: float) -> np.ndarray:
    """Compute the mean gradient of the squared loss over a cloud N(mean, I).

    Parameters
    ----------
    theta, mean : ndarray of shape (2,)
    label : float

    Returns
    -------
    gradient : ndarray of shape (2,)
    """
    return 2 * ((np.eye(2) + np.outer(mean, mean)) @ theta - label * mean)


def centre_of_bias(bias: float) -> float:
    """Find where on the line through the classes' centres a generator has this bias.

    Parameters
    ----------
    bias : float
        As a share of the influence gap, -1/8 or more.

    Returns
    -------
    centre : float
        Of the two solutions of (c - 1)(c - 2) / 2 = bias the one before 3/2: 1 is B's own
        centre, without bias, and 0 is A's, with the bias 1.
    """
    return (3 - math.sqrt(1 + 8 * bias)) / 2


def fitted(n_rare: float, n_new: float, centre: float) -> np.ndarray:
    """Minimise the training loss of an infinite sample with these shares.

    Parameters
    ----------
    n_rare, n_new : float
        Rows of B and synthetic ones, beside ``N_COMMON`` of A.
    centre : float

    Returns
    -------
    theta : ndarray of shape (2,)
    """
    sources = ((N_COMMON, 0 * E1, 0), (n_rare, E1, 1), (n_new, centre * E1, 1))
    matrix = sum(n * (np.eye(2) + np.outer(mean, mean)) for n, mean, _ in sources)
    return np.linalg.solve(matrix, sum(n * label * mean for n, mean, label in sources))


def excess_risk(theta: np.ndarray) -> float:
    """Compute the balanced risk above that of the balanced optimum.

    Parameters
    ----------
    theta : ndarray of shape (2,)

    Returns
    -------
    risk : float
    """
    matrix = np.eye(2) + np.outer(E1, E1) / 2
    return float((theta - BEST) @ matrix @ (theta - BEST))


def numbers(n_rare: float, bias: float, gaps: float) -> dict:
    """Compute what the figure shows at one setting of its three sliders.

    Parameters
    ----------
    n_rare : float
        Rows of B.
    bias : float
        Bias of the generator as a share of the influence gap.
    gaps : float
        Synthetic rows as a multiple of the gap between the classes.

    Returns
    -------
    numbers : dict
        ``boundary``, ``risk``, and ``best``, the predicted number in gaps, with ``least``,
        the risk there; both are None if no number is enough.
    """
    centre, gap = centre_of_bias(bias), N_COMMON - n_rare
    theta = fitted(n_rare, gaps * gap, centre)
    influence_gap = gradient(BEST, 0 * E1, 0) - gradient(BEST, E1, 1)
    error = gradient(BEST, centre * E1, 1) - gradient(BEST, E1, 1)
    best = predicted_size(influence_gap, error, 1)
    # at a bias of exactly one half rounding may leave a tiny denominator
    if not best < 1e9:
        best = None
    least = None if best is None else excess_risk(fitted(n_rare, best * gap, centre))
    return {
        "boundary": float(0.5 / theta[0]),
        "risk": excess_risk(theta),
        "best": best,
        "least": least,
    }


def sentence(n_rare: float, bias: float, gaps: float) -> str:
    """Say the numbers of one setting.

    Parameters
    ----------
    n_rare, bias, gaps : float

    Returns
    -------
    sentence : str
    """
    found, gap = numbers(n_rare, bias, gaps), N_COMMON - n_rare
    n_new = math.floor(gaps * gap + 0.5)  # as JavaScript rounds
    said = (
        f"With {n_new} synthetic rows the boundary is at x₁ = {found['boundary']:.2f} "
        f"(best: 1.50) and the excess balanced risk is {found['risk']:.4f}. "
    )
    if found["best"] is None:
        return (
            said + "The bias is half of the influence gap or more: no number is enough."
        )
    return said + (
        f"The formula predicts {found['best']:.2f} gaps, {found['best'] * gap:.0f} rows, "
        f"where the excess risk is {found['least']:.4f}."
    )


def x_of(x: float) -> float:
    """Place a value of x_1 in the left picture.

    Parameters
    ----------
    x : float

    Returns
    -------
    place : float
    """
    return 8 + 38 * (x + 3)


def marks(first: int, count: int, centre: float, shape: str) -> str:
    """Draw an evenly spread sample of a cloud N(centre, I), as an SVG path.

    Parameters
    ----------
    first, count : int
        Which points of an endless sequence; every part of it is spread as the cloud is.
    centre : float
    shape : str
        Path of one mark, from its place.

    Returns
    -------
    path : str
    """
    parts = []
    for i in range(first, first + count):
        u, v = ((0.5 + i * step) % 1 for step in (0.7548776662466927, 0.569840290998))
        radius, angle = math.sqrt(-2 * math.log(1 - u)), 2 * math.pi * v
        x, y = centre + radius * math.cos(angle), radius * math.sin(angle)
        if -3 < x < 5 and abs(y) < 2.8:
            parts.append(
                f"M{math.floor(x_of(x) + 0.5)} {math.floor(128.5 - 38 * y)}{shape}"
            )
    return "".join(parts)


def curve(n_rare: float, bias: float) -> str:
    """Draw the excess risk from 0 to 5 gaps, as an SVG path.

    Parameters
    ----------
    n_rare, bias : float

    Returns
    -------
    path : str
    """
    risks = [numbers(n_rare, bias, i / 10)["risk"] for i in range(51)]
    places = (
        f"{40 + 5.4 * i:.0f} {236 - 1250 * risk:.1f}" for i, risk in enumerate(risks)
    )
    return "M" + "L".join(places)


LEFT_LABEL = (
    "Round clouds of blue dots, A, and orange triangles, B, the green crosses of the "
    "generator, and a vertical dashed boundary. The tinted side is called B."
)
RIGHT_LABEL = (
    "Curve of the excess balanced risk over the number of synthetic rows, with a dot at the "
    "chosen number, a ring at the predicted best one, and a thin line at balance."
)

PAGE = """\
<div class="many">
<style>
.many {max-width: 680px; margin: 1rem auto}
html[data-theme="dark"] .bd-content div.cell_output div.text_html:has(div.many) {background: none; color: inherit}
.many .two {display: flex; flex-wrap: wrap; gap: .5rem}
.many svg {flex: 1 1 290px; min-width: 0; height: auto; font-size: 12px}
.many text {fill: currentColor}
.many :is(path, line) {fill: none; stroke: currentColor; stroke-width: 1.5}
.many .thin {opacity: .35; stroke-width: 1}
.many .a {stroke: $blue; stroke-width: 5; stroke-linecap: round}
.many .b {fill: $vermilion; stroke: none}
.many .new {stroke: $green; stroke-width: 1.2}
.many .side {fill: $vermilion; opacity: .13}
.many .edge {stroke-dasharray: 6 4}
.many :is(tspan.a, tspan.new) {stroke: none; font-weight: 700}
.many tspan.a {fill: $blue}
.many tspan.new {fill: $green}
.many circle {stroke: currentColor; stroke-width: 2}
.many .now {fill: currentColor}
.many .best {fill: none}
.many fieldset {border: 0; margin: 0; padding: 0; display: grid; gap: .3rem 1rem}
.many fieldset {grid-template-columns: repeat(auto-fit, minmax(190px, 1fr))}
.many fieldset[hidden] {display: none}
.many label {margin: 0; font-size: .9rem}
.many input {display: block; width: 100%; height: 32px; accent-color: $green; touch-action: pan-y}
.many output {display: block; min-height: 4.5em}
@media print {.many fieldset {display: none}}
</style>
<div class="two">
<svg viewBox="0 0 320 276" role="img" aria-label="$left_label">
<text x="8" y="12"><tspan class="a">●</tspan> A <tspan class="b">▲</tspan> B
<tspan class="new">✕</tspan> synthetic; one mark is $mark rows</text>
<rect class="side" x="$edge" y="20" width="$rest" height="216"/>
<path class="a" d="$common"/><path class="new" d="$new"/><path class="b" d="$rare"/>
<path class="thin" d="M8 236H312"/>$left_axis
<text x="160" y="270" text-anchor="middle">x₁</text>
<line class="edge" x1="$edge" x2="$edge" y1="20" y2="236"/>
<text class="far" x="306" y="34" text-anchor="end"></text>
</svg>
<svg viewBox="0 0 320 276" role="img" aria-label="$right_label">
<text x="8" y="12">excess balanced risk</text>
<path class="thin" d="M40 20V236H310M94 20V236"/>$right_axis
<text x="175" y="270" text-anchor="middle">synthetic rows in gaps (1 is balance)</text>
<path class="curve" d="$curve"/>
<circle class="best" r="7" cx="$best_x" cy="$best_y"/><circle class="now" r="4" cx="$now_x" cy="$now_y"/>
<text class="far" x="310" y="34" text-anchor="end"></text>
</svg>
</div>
<fieldset hidden>
<label><span></span><input type="range" name="gaps" min="0" max="5" step="0.05" value="$gaps"></label>
<label><span></span><input type="range" name="bias" min="-0.125" max="1" step="0.025" value="$bias"></label>
<label><span></span><input type="range" name="rare" min="10" max="500" step="10" value="$n_rare"></label>
</fieldset>
<output aria-live="polite">$sentence</output>
<script>
(function () {
  function numbers(rare, bias, gaps) {
    const gap = $n_common - rare, c = (3 - Math.sqrt(1 + 8 * bias)) / 2;
    // The clouds lie on one line, and so do their minima: theta has one component.
    const theta = s => (rare + s * gap * c) / ($n_common + 2 * rare + s * gap * (1 + c * c));
    const risk = s => 1.5 * (theta(s) - 1 / 3) ** 2;
    const best = bias < 0.5 ? 1 / (1 - 2 * bias) : null;
    const least = best === null ? null : risk(best);
    return {c, gap, at: risk, boundary: 0.5 / theta(gaps), risk: risk(gaps), best, least};
  }
  function marks(first, count, centre, shape) {
    let path = "";
    for (let i = first; i < first + count; i++) {
      const r = Math.sqrt(-2 * Math.log(1 - (0.5 + i * 0.7548776662466927) % 1));
      const angle = 2 * Math.PI * ((0.5 + i * 0.569840290998) % 1);
      const x = centre + r * Math.cos(angle), y = r * Math.sin(angle);
      if (x > -3 && x < 5 && Math.abs(y) < 2.8)
        path += "M" + Math.floor(122.5 + 38 * x) + " " + Math.floor(128.5 - 38 * y) + shape;
    }
    return path;
  }
  document.querySelectorAll(".many:not([data-ready])").forEach(function (box) {
    box.dataset.ready = "yes";
    box.check = numbers;
    const part = name => box.querySelector(name);
    const set = (name, values) => Object.entries(values).forEach(([k, v]) => part(name).setAttribute(k, v));
    const [gaps, bias, rare] = box.querySelectorAll("input"), far = box.querySelectorAll(".far");
    const px = s => 40 + 54 * s, py = r => 236 - 1250 * r;
    function label(input, text) {
      input.previousElementSibling.textContent = text;
      input.setAttribute("aria-valuetext", text);
    }
    function show() {
      const s = Number(gaps.value), b = Number(bias.value), n = Number(rare.value);
      const now = numbers(n, b, s), rows = x => Math.round(x * now.gap);
      label(gaps, "Synthetic rows: " + s.toFixed(2) + " gaps");
      label(bias, "Bias: " + b.toFixed(3) + " influence gaps");
      label(rare, "Rows of B: " + n + ", of A: $n_common");
      const edge = 122 + 38 * Math.min(now.boundary, 5);
      set(".side", {x: edge, width: 312 - edge});
      set(".edge", {x1: edge, x2: edge});
      far[0].textContent = now.boundary > 5 ? "boundary at " + now.boundary.toFixed(1) + " →" : "";
      set("path.b", {d: marks(110, n / $mark, 1, "$triangle")});
      set("path.new", {d: marks(200, Math.round(rows(s) / $mark), now.c, "$cross")});
      const line = Array.from({length: 101}, (_, i) => px(i / 20) + " " + py(now.at(i / 20)).toFixed(1));
      set(".curve", {d: "M" + line.join("L")});
      set(".now", {cx: px(s), cy: py(now.risk)});
      const inside = now.best !== null && now.best <= 5;
      part(".best").style.display = inside ? "" : "none";
      if (inside) set(".best", {cx: px(now.best), cy: py(now.least)});
      far[1].textContent = inside ? "" :
        now.best === null ? "no number is enough" : "predicted: " + now.best.toFixed(2) + " →";
      part("output").textContent = "With " + rows(s) + " synthetic rows the boundary is at x₁ = " +
        now.boundary.toFixed(2) + " (best: 1.50) and the excess balanced risk is " + now.risk.toFixed(4) + ". " +
        (now.best === null ? "The bias is half of the influence gap or more: no number is enough." :
          "The formula predicts " + now.best.toFixed(2) + " gaps, " + rows(now.best) +
          " rows, where the excess risk is " + now.least.toFixed(4) + ".");
    }
    part("fieldset").addEventListener("input", show);
    part("fieldset").hidden = false;
    show();  // a browser may remember other values
  });
})();
</script>
</div>
"""

TRIANGLE, CROSS = "l4 7h-8z", "l4 4m-4 0l4-4"


def page() -> str:
    """Write the figure as one ``<div>`` with its own style and script.

    Returns
    -------
    html : str
    """
    found = numbers(**SHOWN)
    n_rare, bias, gaps = SHOWN["n_rare"], SHOWN["bias"], SHOWN["gaps"]
    n_new = round(gaps * (N_COMMON - n_rare))
    edge = x_of(found["boundary"])
    left_axis = "".join(
        f'<text x="{x_of(x):g}" y="254" text-anchor="middle">{x}</text>'
        for x in range(-2, 5)
    )
    right_axis = "".join(
        f'<text x="{40 + 54 * s}" y="254" text-anchor="middle">{s}</text>'
        for s in range(6)
    ) + "".join(
        f'<text x="36" y="{240 - 1250 * r:g}" text-anchor="end">{r:g}</text>'
        for r in (0, 0.05, 0.1, 0.15)
    )
    return Template(PAGE).substitute(
        blue=colours.BLUE,
        vermilion=colours.VERMILION,
        green=colours.GREEN,
        mark=MARK,
        n_common=N_COMMON,
        triangle=TRIANGLE,
        cross=CROSS,
        edge=f"{edge:.2f}",
        rest=f"{312 - edge:.2f}",
        common=marks(0, N_COMMON // MARK, 0, "h0"),
        rare=marks(110, n_rare // MARK, 1, TRIANGLE),
        new=marks(200, round(n_new / MARK), centre_of_bias(bias), CROSS),
        left_label=LEFT_LABEL,
        right_label=RIGHT_LABEL,
        left_axis=left_axis,
        right_axis=right_axis,
        curve=curve(n_rare, bias),
        best_x=f"{40 + 54 * found['best']:.2f}",
        best_y=f"{236 - 1250 * found['least']:.2f}",
        now_x=f"{40 + 54 * gaps:.2f}",
        now_y=f"{236 - 1250 * found['risk']:.2f}",
        sentence=sentence(**SHOWN),
        **SHOWN,
    )


if __name__ == "__main__":
    Path(__file__).with_suffix(".html").write_text(page(), encoding="utf-8")
