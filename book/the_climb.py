"""The figure "The climb": a point climbs on a circle, on data that the reader moves.

``python book/the_climb.py`` writes ``the_climb.html`` beside itself, which chapter 4 shows. The
picture that stands before any script has run is drawn here, by ``simpor``; the script on the page
computes the same densities and the same three climbs.
"""

import base64
import io
import json
import math
from pathlib import Path
from string import Template

import numpy as np
from matplotlib.colors import to_hex
from PIL import Image
from simpor import PosteriorRatio, ascend_on_sphere
from simpor.lab import colours

# The climbs: `step` and `max_iter` of `ascend_on_sphere`, and what a reader chooses.
CLIMBS = {
    "published": (
        1e-5 * 2 * math.pi,
        300,
        "published: 300 turns of 0.0036 degrees",
    ),
    "fixed": (0.1, 100, "fixed: turns of 0.1 radians"),
    "adaptive": ("adaptive", 100, "adaptive: this module's default"),
}
SHOWN = "adaptive"

# The sliders: label, smallest, largest, step and first value.
SLIDERS = {
    "x": ("seed, feature 1", -3, 3, 0.01, -0.24),
    "y": ("seed, feature 2", -2, 2, 0.01, -0.85),
    "first": ("first direction (degrees)", 0, 359, 1, 20),
    "radius": ("radius", 0.1, 2, 0.01, 0.8),
    "bandwidth": ("bandwidth", 0.15, 1.5, 0.01, 0.4),
}

GRID = np.radians(np.arange(0, 360, 2))  # where the objective along the circle is drawn
COLUMNS, ROWS = 60, 40  # of the map
SHADES = 24  # of each class, in the picture without scripts
FULL_COLOUR = 6  # nats, from which on the map has its full colour

# In SVG units: the map's left and upper edge, one unit of the features; the curve's upper and lower
# edge, one degree.
WIDTH, HEIGHT, LEFT, TOP, UNIT = 490, 518, 44, 24, 72
RIGHT, FLOOR = LEFT + 6 * UNIT, TOP + 4 * UNIT
HIGH, LOW, DEGREE = 382, 478, 1.2

LABEL = (
    "Above, a map of the log posterior ratio with majority dots and minority triangles. A circle "
    "surrounds one triangle, the seed. A point climbs along the circle from a ring to a cross. Below, "
    "the log posterior ratio along the circle, with the same start and the same end."
)


def data() -> tuple[np.ndarray, np.ndarray]:
    """Draw two arcs that reach into each other, as in the Moon data.

    Returns
    -------
    A : ndarray of shape (40, 2)
        The majority.
    B : ndarray of shape (15, 2)
        The minority; the seed is its first row.
    """
    rng = np.random.default_rng(9)
    turn = rng.uniform(0, np.pi, 40)
    A = np.column_stack([1.7 * np.cos(turn) - 0.5, 1.7 * np.sin(turn) - 0.7])
    A += rng.normal(0, 0.3, A.shape)
    turn = rng.uniform(np.pi, 2 * np.pi, 15)
    B = np.column_stack([1.7 * np.cos(turn) + 0.9, 1.5 * np.sin(turn) + 0.35])
    B += rng.normal(0, 0.25, B.shape)
    is_seed = np.all(B.round(2) == [SLIDERS["x"][-1], SLIDERS["y"][-1]], axis=1)
    return A.round(2), B.round(2)[np.argsort(~is_seed, kind="stable")]


def fit(A: np.ndarray, B: np.ndarray, bandwidth: float) -> PosteriorRatio:
    """Fit the ratio of B against A.

    Parameters
    ----------
    A, B : array-like of shape (n, 2)
    bandwidth : float

    Returns
    -------
    ratio : PosteriorRatio
    """
    y = np.repeat(["A", "B"], [len(A), len(B)])
    return PosteriorRatio(bandwidth=bandwidth, n_jobs=1).fit(np.vstack([A, B]), y, "B")


def on_circle(seed: np.ndarray, radius: float, angles: np.ndarray) -> np.ndarray:
    """Find the points of a circle.

    Parameters
    ----------
    seed : array-like of shape (2,)
    radius : float
    angles : ndarray of shape (m,)
        In radians.

    Returns
    -------
    points : ndarray of shape (m, 2)
    """
    return seed + radius * np.column_stack([np.cos(angles), np.sin(angles)])


def climb(ratio, seed, radius: float, first: float, name: str) -> dict:
    """Climb on one circle with ``simpor.ascend_on_sphere``.

    Parameters
    ----------
    ratio : PosteriorRatio
    seed : array-like of shape (2,)
    radius : float
    first : float
        The first direction, in degrees.
    name : {"published", "fixed", "adaptive"}

    Returns
    -------
    climb : dict
        ``end``, ``start_value``, ``value``, ``n_iter``, ``degrees`` turned, ``best``, the largest
        value on the circle, and ``path``, the angle after each turn, in radians.
    """

    def ascend(angle, step, max_iter):
        start = on_circle(seed, radius, np.array([angle]))
        walk = ratio.log_ratio_and_gradient, [seed], radius
        return ascend_on_sphere(*walk, start=start, step=step, max_iter=max_iter)

    step, max_iter, _ = CLIMBS[name]
    end = ascend(math.radians(first), step, max_iter)
    # Python draws the path of one ascent only.
    n_before = end.n_iter[0] if name == SHOWN else 0
    before = [ascend(math.radians(first), step, turns) for turns in range(n_before)]
    along = ratio.log_ratio(on_circle(seed, radius, GRID))
    summit = ascend(GRID[np.argmax(along)], "adaptive", 100)
    return {
        "end": end.x[0].tolist(),
        "start_value": float(end.start_value[0]),
        "value": float(end.value[0]),
        "n_iter": int(end.n_iter[0]),
        "degrees": float(np.degrees(end.rotation[0])),
        "best": float(max(summit.value[0], end.value[0])),
        "path": [
            math.atan2(*(one.x[0] - np.asarray(seed))[::-1]) for one in [*before, end]
        ],
    }


def sentence(climbed: dict, name: str) -> str:
    """Say how far a climb has come.

    Parameters
    ----------
    climbed : dict
    name : str

    Returns
    -------
    sentence : str
    """
    gain = climbed["value"] - climbed["start_value"]
    attainable = climbed["best"] - climbed["start_value"]
    share = (
        f"{100 * gain / attainable:.1f} % of the best gain on this circle."
        if attainable > 1e-6
        else "nothing is left to gain on this circle."
    )
    return (
        f"The {name} climb tries {climbed['n_iter']} turns and turns the point by "
        f"{climbed['degrees']:.1f} degrees. The log ratio goes from "
        f"{climbed['start_value']:.2f} to {climbed['value']:.2f}, a gain of {gain:.2f} nats: {share}"
    )


PAGE = """\
<div class="climb">
<style>
.climb {max-width: 640px; margin: 1rem auto}
html[data-theme="dark"] .bd-content div.cell_output div.text_html:has(div.climb)
  {background: none; color: inherit; padding: 0}
.climb svg {display: block; width: 100%; height: auto; font: 13px sans-serif; fill: currentColor}
.climb .a, .climb .dots {fill: none; stroke: $blue; stroke-width: 6; stroke-linecap: round}
.climb .b, .climb .seed {fill: $vermilion; stroke: $paper; stroke-width: .6}
.climb .seed {stroke: $ink; stroke-width: 2}
.climb .ring, .climb .start, .climb .way {fill: none; stroke: $ink; stroke-width: 1.4}
.climb .ring {stroke-dasharray: 5 3}
.climb .way {stroke-width: 4}
.climb .start {fill: $paper; stroke-width: 2}
.climb .dots {stroke: $green; stroke-width: 7}
.climb .cross {fill: none; stroke: $paper; stroke-width: 6; stroke-linecap: round}
.climb .cross + .cross {stroke: $green; stroke-width: 3}
.climb .curve {fill: none; stroke: currentColor; stroke-width: 1.6}
.climb .walker {fill: $green; stroke: $paper; stroke-width: 2}
.climb .grip {fill: transparent; stroke: none; touch-action: none; cursor: move}
.climb circle.grip.line {fill: none; stroke: transparent; stroke-width: 16; pointer-events: stroke}
.climb form {display: grid; grid-template-columns: repeat(auto-fit, minmax(240px, 1fr)); gap: .2rem 1.2rem}
.climb form[hidden] {display: none}
.climb form :is(p, fieldset) {grid-column: 1/-1; margin: 0; padding: 0; border: 0}
.climb fieldset {display: flex; flex-wrap: wrap; gap: 0 .9rem; align-items: center}
.climb legend {font-size: 1rem; font-weight: 700; margin: 0; float: none}
.climb label {display: flex; align-items: center; gap: .35rem; min-height: 32px; cursor: pointer}
.climb label.slide {flex-wrap: wrap; justify-content: space-between; gap: 0 .5rem}
.climb input[type="range"] {width: 100%; min-height: 28px}
.climb button {min-height: 32px}
.climb output {display: block; min-height: 4.5em}
@media (max-width: 600px) {.climb svg {font-size: 18px} .climb .help {order: 1} .climb .grip:not(.line) {r: 24px}}
@media print {.climb form {display: none}}
</style>
<svg viewBox="0 0 $width $height" role="img" aria-label="$label">
$picture
</svg>
<output aria-live="polite">$sentence</output>
<form hidden autocomplete="off">
<p class="help">Drag the triangle with the black edge (the seed), the ring (the first direction) or the circle
(the radius). Click the map to add a row, or a row to remove it. The map has its full colour from $full nats on.</p>
<fieldset><legend>The climb</legend>
$climbs
</fieldset>
$sliders
<fieldset><legend>Rows</legend>
<label><input type="radio" name="kind" value="A">majority (dot)</label>
<label><input type="radio" name="kind" value="B" checked>minority (triangle)</label>
<button type="button" class="add">Add one at the end of the climb</button>
<button type="button" class="remove">Remove the one nearest to it</button>
<button type="button" class="again">Start again</button>
</fieldset>
</form>
<script type="application/json">$data</script>
<script>
document.querySelectorAll(".climb:not([data-ready])").forEach(function (box) {
  box.dataset.ready = "yes";
  const text = box.querySelector('script[type="application/json"]').textContent;
  const {climbs, colours} = JSON.parse(text);
  const svg = box.querySelector("svg"), form = box.querySelector("form"), field = form.elements;
  const find = (name) => box.querySelector(name);
  let rows = JSON.parse(text).rows;  // of the classes A and B; the seed is the first of B

  // Log of the sum of kernels around the rows, and the mean shift. The largest is taken out of the sum.
  function kernels(rows, x, y, h) {
    const exponents = rows.map(([a, b]) => -((x - a) ** 2 + (y - b) ** 2) / (2 * h * h));
    const largest = Math.max(...exponents);
    let sum = 0, mx = 0, my = 0;
    rows.forEach(function ([a, b], i) {
      const weight = Math.exp(exponents[i] - largest);
      sum += weight;
      mx += weight * a;
      my += weight * b;
    });
    return [largest + Math.log(sum), mx / sum - x, my / sum - y];
  }
  // Log ratio and gradient. With the shares of the classes as priors the numbers of rows cancel.
  function ratio({rows, h}, x, y) {
    const [b, bx, by] = kernels(rows.B, x, y, h), [a, ax, ay] = kernels(rows.A, x, y, h);
    return [b - a, (bx - ax) / (h * h), (by - ay) / (h * h)];
  }
  // On the circle: value, slope counterclockwise per radian, angle to the gradient.
  function look(state, angle) {
    const [x, y] = state.rows.B[0], r = state.r, c = Math.cos(angle), s = Math.sin(angle);
    const [value, gx, gy] = ratio(state, x + r * c, y + r * s);
    const slope = gy * c - gx * s;
    return {angle, value, slope: r * slope, away: Math.atan2(Math.abs(slope), gx * c + gy * s)};
  }
  // Algorithm 1 with a fixed angle, or with the turns of L-BFGS, which on a circle are the secant method.
  function climb(state, first, [step, most]) {
    const fixed = step !== "adaptive", path = [look(state, first)];
    let [here] = path, tried = 0;
    let turn = Math.sign(here.slope) * (fixed ? step : Math.min(0.7, here.away));
    const goesOn = () => fixed ? turn :
      Math.max(1, 1 / state.r) * Math.abs(here.slope) > 1e-4 && Math.abs(turn) > 1e-12;
    for (; tried < most && goesOn(); tried++) {
      const there = look(state, here.angle + turn);
      const flatter = Math.abs(there.slope) < Math.abs(here.slope);
      if (there.value > here.value || (there.value === here.value && flatter)) {
        const fall = turn * (here.slope - there.slope), uphill = Math.sign(there.slope);
        if (fixed) turn = uphill * step;
        else if (fall > 0) turn *= turn * there.slope / fall;
        else turn = uphill * Math.min(2 * Math.abs(turn), there.away);
        if (!fixed) turn = Math.max(-1, Math.min(1, turn));
        path.push(here = there);
      } else turn = fixed ? 0 : turn / 2;
    }
    return {path, tried, end: here, start: path[0]};
  }
  const GRID = Array.from({length: 181}, (_, i) => Math.min(i * 2, 359.999) * Math.PI / 180);
  function results(state, first, name) {
    const climbed = climb(state, first, climbs[name]);
    const curve = GRID.map((angle) => look(state, angle));
    const top = curve.reduce((a, b) => b.value > a.value ? b : a);
    const best = Math.max(climb(state, top.angle, climbs.adaptive).end.value, climbed.end.value);
    const turned = Math.abs(climbed.end.angle - first) % (2 * Math.PI);
    return {...climbed, curve, best, turned: Math.min(turned, 2 * Math.PI - turned)};
  }
  function sentence({start, end, best, tried, turned}, name) {
    const gain = end.value - start.value, attainable = best - start.value;
    return "The " + name + " climb tries " + tried + " turns and turns the point by " +
      (turned * 180 / Math.PI).toFixed(1) + " degrees. The log ratio goes from " + start.value.toFixed(2) +
      " to " + end.value.toFixed(2) + ", a gain of " + gain.toFixed(2) + " nats: " + (attainable > 1e-6 ?
        (100 * gain / attainable).toFixed(1) + " % of the best gain on this circle." :
        "nothing is left to gain on this circle.");
  }

  const round = (v) => +v.toFixed(1);
  const degrees = (angle) => (angle * 180 / Math.PI % 360 + 360) % 360;
  const place = ([x, y]) => [$left + $unit * (x + 3), $top + $unit * (2 - y)].map(round);
  const dots = (places) => places.map((p) => "M" + p + "h0").join("");
  const set = (name, values) => box.querySelectorAll(name).forEach(function (node) {
    for (const key in values) node.setAttribute(key, values[key]);
  });
  const canvas = document.createElement("canvas"), pen = canvas.getContext("2d");
  let painted;
  function paint(state) {
    const key = JSON.stringify([state.rows, state.h]);
    if (key === painted) return;
    painted = key;
    canvas.width = $columns;
    canvas.height = $rows;
    const image = pen.createImageData($columns, $rows);
    for (let i = 0; i < $columns * $rows; i++) {
      const x = (i % $columns + .5) * 6 / $columns - 3, y = 2 - (Math.floor(i / $columns) + .5) * 4 / $rows;
      const share = Math.max(-1, Math.min(1, ratio(state, x, y)[0] / $full));
      const colour = colours[share < 0 ? 0 : 1].map((c) => 255 + Math.abs(share) * (c - 255));
      image.data.set([...colour, 255], 4 * i);
    }
    pen.putImageData(image, 0, 0);
    set("image", {href: canvas.toDataURL()});
    const triangle = ([x, y]) => "M" + x + " " + y + "m0-4.6l4.2 7.4h-8.4z";
    set(".a", {d: dots(rows.A.map(place))});
    set(".b", {d: rows.B.slice(1).map(place).map(triangle).join("")});
  }
  let now;
  function draw() {
    const name = field.climb.value, r = +field.radius.value, h = +field.bandwidth.value;
    rows.B[0] = [+field.x.value, +field.y.value];
    form.querySelectorAll(".slide").forEach(function (label) {
      label.querySelector("b").textContent = label.querySelector("input").value;
    });
    const state = {rows, r, h}, [x, y] = rows.B[0], seed = place(rows.B[0]);
    now = results(state, field.first.value * Math.PI / 180, name);
    paint(state);
    const at = ({angle}) => place([x + r * Math.cos(angle), y + r * Math.sin(angle)]);
    const {path, curve, start, end} = now, places = path.map(at), last = at(end);
    set(".round", {cx: seed[0], cy: seed[1], r: ($unit * r).toFixed(1)});
    set(".seed", {d: "M" + seed + "m0-9l8 14h-16z"});
    set(".heart", {cx: seed[0], cy: seed[1]});
    set(".way", {d: "M" + places[0] + path.slice(1).map((one, i) => "A" + [$unit * r, $unit * r] + " 0 0 " +
      (one.angle < path[i].angle ? 1 : 0) + " " + places[i + 1]).join("")});
    set(".onmap .dots", {d: dots(places)});
    set(".onmap .from", {cx: places[0][0], cy: places[0][1]});
    set(".cross", {d: "M" + last + "m-6-6l12 12m0-12l-12 12"});
    const values = curve.map(({value}) => value), low = Math.min(...values), high = Math.max(...values);
    const level = (value) => $low - (value - low) / (high - low || 1) * ($low - $high);
    const below = ({angle, value}) => [$left + degrees(angle) * $degree, level(value)].map(round);
    set(".curve", {points: curve.map(below).join(" ")});
    set(".below .dots", {d: dots(path.map(below))});
    set(".below .from", {cx: below(start)[0], cy: below(start)[1]});
    set(".walker", {cx: below(end)[0], cy: below(end)[1]});
    find(".most").textContent = high.toFixed(1);
    find(".least").textContent = low.toFixed(1);
    find("output").textContent = sentence(now, name);
  }

  // Where a pointer is, in SVG units and in those of the features.
  function where(event) {
    const frame = svg.getBoundingClientRect(), k = $width / frame.width;
    const px = (event.clientX - frame.left) * k, py = (event.clientY - frame.top) * k;
    return {k, px, x: (px - $left) / $unit - 3, y: 2 - (py - $top) / $unit};
  }
  let dragged = null, moved = false;
  svg.addEventListener("pointerdown", function (event) {
    moved = false;
    dragged = event.target.dataset.drag;
    if (!dragged) return;
    svg.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  svg.addEventListener("pointermove", function (event) {
    if (!dragged) return;
    const {px, x, y} = where(event), [sx, sy] = rows.B[0];
    moved = true;
    if (dragged === "seed") [field.x.value, field.y.value] = [x, y];
    if (dragged === "radius") field.radius.value = Math.hypot(x - sx, y - sy);
    if (dragged === "first") field.first.value = Math.round(degrees(Math.atan2(y - sy, x - sx))) % 360;
    if (dragged === "below") field.first.value = (px - $left) / $degree;
    draw();
  });
  for (const name of ["pointerup", "pointercancel"]) svg.addEventListener(name, () => dragged = null);

  function nearest(kind, [x, y]) {
    const far = rows[kind].map(([a, b], i) => kind === "B" && i === 0 ? Infinity : Math.hypot(a - x, b - y));
    const i = far.indexOf(Math.min(...far));
    return {i, far: far[i]};
  }
  function remove(kind, i) {
    if (rows[kind].length > 1) rows[kind].splice(i, 1);
    draw();
  }
  function add(point) {
    rows[field.kind.value].push(point.map((v) => +v.toFixed(2)));
    draw();
  }
  svg.addEventListener("click", function (event) {
    const {k, x, y} = where(event), inside = Math.abs(x) < 3 && Math.abs(y) < 2;
    if (moved || !inside) return;
    const [a, b] = ["A", "B"].map((kind) => nearest(kind, [x, y])), kind = b.far < a.far ? "B" : "A";
    const {i, far} = kind === "B" ? b : a;
    if (far * $unit < 8 * k) remove(kind, i);
    else if (Math.hypot(x - rows.B[0][0], y - rows.B[0][1]) * $unit > 14) add([x, y]);
  });
  const end = function () {
    const angle = now.end.angle, r = +field.radius.value, [x, y] = rows.B[0];
    return [x + r * Math.cos(angle), y + r * Math.sin(angle)];
  };
  find(".add").addEventListener("click", () => add(end()));
  find(".remove").addEventListener("click", () => remove(field.kind.value, nearest(field.kind.value, end()).i));
  find(".again").addEventListener("click", function () {
    form.reset();
    rows = JSON.parse(text).rows;
    draw();
  });
  form.addEventListener("input", draw);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  draw();
  // For tests: what is computed for other rows and other settings.
  box.check = function ({rows, radius, bandwidth, first, name, points}) {
    const state = {rows, r: radius, h: bandwidth}, found = results(state, first * Math.PI / 180, name);
    const [x, y] = rows.B[0], {angle} = found.end;
    return {
      values: points.map((p) => ratio(state, ...p)[0]), best: found.best, n_iter: found.tried,
      start_value: found.start.value, value: found.end.value, degrees: found.turned * 180 / Math.PI,
      end: [x + radius * Math.cos(angle), y + radius * Math.sin(angle)], sentence: sentence(found, name)
    };
  };
});
</script>
</div>
"""


def place(points: np.ndarray) -> list[list[float]]:
    """Turn points of the features into SVG units.

    Parameters
    ----------
    points : array-like of shape (n, 2)

    Returns
    -------
    places : list of [x, y]
    """
    places = [LEFT, TOP] + UNIT * (np.asarray(points) * [1, -1] + [3, 2])
    return [[float(f"{v:.1f}") for v in pair] for pair in places]


def picture(ratio, A, B, settings: dict, climbed: dict) -> str:
    """Draw the map, the circle, the climb and the curve below.

    Parameters
    ----------
    ratio : PosteriorRatio
    A, B : ndarray of shape (n, 2)
    settings : dict
        A value for each of ``SLIDERS``.
    climbed : dict

    Returns
    -------
    svg : str
        What stands inside the ``<svg>``.
    """
    seed, radius = B[0], settings["radius"]
    (sx, sy), *others = place(B)
    angles = np.array(climbed["path"])
    places = place(on_circle(seed, radius, angles))
    (x0, y0), (x1, y1) = places[0], places[-1]
    arcs = "".join(
        f"A{UNIT * radius:g},{UNIT * radius:g} 0 0 "
        f"{int(math.sin(after - before) < 0)} {x:g},{y:g}"
        for before, after, (x, y) in zip(angles, angles[1:], places[1:])
    )
    on_map = [
        image(ratio),
        f'<path class="a" d="{dots(place(A))}"/>',
        '<path class="b" d="'
        + "".join(f"M{x:g} {y:g}m0-4.6l4.2 7.4h-8.4z" for x, y in others)
        + '"/>',
        f'<circle class="ring round" cx="{sx:g}" cy="{sy:g}" r="{UNIT * radius:.1f}"/>',
        f'<circle class="grip line round" data-drag="radius" cx="{sx:g}" cy="{sy:g}" '
        f'r="{UNIT * radius:.1f}"/>',
        f'<path class="way" d="M{x0:g},{y0:g}{arcs}"/>',
        f'<path class="dots" d="{dots(places)}"/>',
        f'<path class="seed" d="M{sx:g},{sy:g}m0-9l8 14h-16z"/>',
        f'<circle class="start from" cx="{x0:g}" cy="{y0:g}" r="9"/>',
        *[f'<path class="cross" d="M{x1:g},{y1:g}m-6-6l12 12m0-12l-12 12"/>'] * 2,
        f'<circle class="grip heart" data-drag="seed" cx="{sx:g}" cy="{sy:g}" r="14"/>',
        f'<circle class="grip from" data-drag="first" cx="{x0:g}" cy="{y0:g}" r="14"/>',
    ]
    frame = f'x="{LEFT}" y="{TOP}" width="{RIGHT - LEFT}" height="{FLOOR - TOP}"'
    return "\n".join(
        [
            f'<clipPath id="climb-map"><rect {frame}/></clipPath>',
            '<g class="onmap" clip-path="url(#climb-map)">',
            *on_map,
            "</g>",
            f'<rect {frame} fill="none" stroke="currentColor"/>',
            *axes(),
            *curve(ratio, seed, radius, climbed),
        ]
    )


def dots(places: list[list[float]]) -> str:
    """Write a path of points, which round ends of its line make dots.

    Parameters
    ----------
    places : list of [x, y]

    Returns
    -------
    d : str
    """
    return "".join(f"M{x:g},{y:g}h0" for x, y in places)


def image(ratio) -> str:
    """Paint the map, in few colours.

    Parameters
    ----------
    ratio : PosteriorRatio

    Returns
    -------
    svg : str
    """
    xs = (np.arange(COLUMNS) + 0.5) * 6 / COLUMNS - 3
    ys = 2 - (np.arange(ROWS) + 0.5) * 4 / ROWS
    values = ratio.log_ratio(np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2))
    shares = np.clip(values.reshape(ROWS, COLUMNS) / FULL_COLOUR, -1, 1)
    picture = Image.fromarray(np.round(SHADES * (1 + shares)).astype(np.uint8))
    shades = colours.CLASS_COLOURS(np.linspace(0, 1, 2 * SHADES + 1))[:, :3]
    picture.putpalette(np.round(255 * shades).astype(int).ravel().tolist())
    picture.save(file := io.BytesIO(), "PNG", optimize=True)
    uri = f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
    return (
        f'<image x="{LEFT}" y="{TOP}" width="{RIGHT - LEFT}" height="{FLOOR - TOP}" '
        f'preserveAspectRatio="none" href="{uri}"/>'
    )


def axes() -> list[str]:
    """Draw ticks and labels of the map and of the curve.

    Returns
    -------
    svg : list of str
    """
    ticks = [(LEFT + UNIT * (x + 3), FLOOR, x) for x in range(-3, 4)]
    ticks += [(LEFT + 90 * k * DEGREE, LOW, 90 * k) for k in range(5)]
    middle = (LEFT + RIGHT) // 2
    return [
        '<g text-anchor="middle">',
        *(f'<text x="{x:g}" y="{y + 17}">{name}</text>' for x, y, name in ticks),
        *(
            f'<text x="{LEFT - 12}" y="{TOP + UNIT * (2 - y) + 5}">{y}</text>'
            for y in range(-1, 2)
        ),
        f'<text x="{middle}" y="{FLOOR + 35}">feature 1</text>',
        f'<text transform="translate(16 {(TOP + FLOOR) // 2}) rotate(-90)">feature 2</text>',
        f'<text x="{middle}" y="{LOW + 35}">direction on the circle (degrees)</text>',
        "</g>",
        f'<text x="{LEFT}" y="{TOP - 8}">orange: minority more probable, blue: majority</text>',
        f'<text x="{LEFT}" y="{HIGH - 12}">log posterior ratio (nats)</text>',
        f'<path d="M{LEFT} {HIGH - 6}V{LOW + 4}H{RIGHT}" fill="none" stroke="currentColor"/>',
    ]


def curve(ratio, seed, radius: float, climbed: dict) -> list[str]:
    """Draw the objective along the circle, and the climb on it.

    Parameters
    ----------
    ratio : PosteriorRatio
    seed : ndarray of shape (2,)
    radius : float
    climbed : dict

    Returns
    -------
    svg : list of str
    """
    turn, path = np.linspace(0, 2 * np.pi, 91), np.array(climbed["path"])
    values = ratio.log_ratio(on_circle(seed, radius, turn))
    on_path = ratio.log_ratio(on_circle(seed, radius, path))
    low, high = values.min(), values.max()

    def below(angles, values):
        xs = LEFT + np.degrees(angles) * DEGREE
        ys = LOW - (values - low) / (high - low) * (LOW - HIGH)
        return [[float(f"{v:.1f}") for v in pair] for pair in zip(xs, ys)]

    line = " ".join(f"{x:g},{y:g}" for x, y in below(turn, values))
    places = below(path % (2 * np.pi), on_path)
    (x0, y0), (x1, y1) = places[0], places[-1]
    return [
        '<g class="below">',
        f'<text class="most" x="{LEFT - 6}" y="{HIGH + 5}" text-anchor="end">{high:.1f}</text>',
        f'<text class="least" x="{LEFT - 6}" y="{LOW + 5}" text-anchor="end">{low:.1f}</text>',
        f'<polyline class="curve" points="{line}"/>',
        f'<path class="dots" d="{dots(places)}"/>',
        f'<circle class="start from" cx="{x0:g}" cy="{y0:g}" r="9"/>',
        f'<circle class="walker" cx="{x1:g}" cy="{y1:g}" r="7"/>',
        f'<circle class="grip from" data-drag="below" cx="{x0:g}" cy="{y0:g}" r="14"/>',
        "</g>",
    ]


def page() -> str:
    """Write the figure as one ``<div>`` with its own style, data and script.

    Returns
    -------
    html : str
    """
    A, B = data()
    settings = {name: slider[-1] for name, slider in SLIDERS.items()}
    ratio = fit(A, B, settings["bandwidth"])
    climbed = climb(ratio, B[0], settings["radius"], settings["first"], SHOWN)
    sliders = [
        f'<label class="slide"><span>{label}</span><b>{value:g}</b><input type="range" '
        f'name="{name}" min="{least:g}" max="{most:g}" step="{step:g}" value="{value:g}"></label>'
        for name, (label, least, most, step, value) in SLIDERS.items()
    ]
    climbs = [
        f'<label><input type="radio" name="climb" value="{name}"'
        f"{' checked' if name == SHOWN else ''}>{label}</label>"
        for name, (_, _, label) in CLIMBS.items()
    ]
    stored = {
        "rows": {"A": A.tolist(), "B": B.tolist()},
        "climbs": {name: [step, most] for name, (step, most, _) in CLIMBS.items()},
        "colours": [
            [int(to_hex(colours.CLASS_COLOURS(end))[k : k + 2], 16) for k in (1, 3, 5)]
            for end in (0.0, 1.0)
        ],
    }
    return Template(PAGE).substitute(
        blue=colours.BLUE,
        vermilion=colours.VERMILION,
        green=colours.GREEN,
        ink=colours.INK,
        paper=colours.PAPER,
        width=WIDTH,
        height=HEIGHT,
        left=LEFT,
        top=TOP,
        unit=UNIT,
        high=HIGH,
        low=LOW,
        degree=DEGREE,
        columns=COLUMNS,
        rows=ROWS,
        full=FULL_COLOUR,
        label=LABEL,
        picture=picture(ratio, A, B, settings, climbed),
        sentence=sentence(climbed, SHOWN),
        climbs="\n".join(climbs),
        sliders="\n".join(sliders),
        data=json.dumps(stored, separators=(",", ":")),
    )


if __name__ == "__main__":
    (Path(__file__).parent / "the_climb.html").write_text(page(), encoding="utf-8")
