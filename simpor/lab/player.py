"""A figure that moves, step by step, without a kernel and without any library.

:func:`step_player` writes one inline SVG with a slider and a button under it. One step, the last
unless another is named, is drawn in plain SVG, so the figure also stands on paper, in a viewer
that drops scripts, and before any script has run; the script then only moves what is already
there. Every step has a sentence, which is shown, and read aloud by a screen reader when the slider
moves.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from string import Template
from typing import Any

import matplotlib as mpl
import numpy as np
from IPython.display import HTML
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike
from PIL import Image

from simpor.lab.figures import BLUE, GREEN, VERMILION

Extent = tuple[float, float, float, float]  # left, right, lower and upper edge of the axes

WIDTH, LEFT, BOTTOM, TOP, RIGHT = 480, 44, 40, 8, 8  # of the drawing, in SVG units
TICKS = MaxNLocator(5, steps=[1, 2, 5, 10])
SHAPES = {
    "majority": f'<circle cx="%s" cy="%s" r="2.6" fill="{BLUE}" stroke="#fff" stroke-width=".6"/>',
    "minority": f'<path d="M%s %sm0 -4.6l4.2 7.4h-8.4z" fill="{VERMILION}" stroke="#fff" '
    'stroke-width=".6"/>',
    "synthetic": f'<path d="M%s %sm-3.2 -3.2l6.4 6.4m0 -6.4l-6.4 6.4" stroke="{GREEN}" '
    'stroke-width="1.8"/>',
}

PAGE = """\
<div class="step" data-player="$id">
<style>
.step svg {display: block; width: 100%; max-width: 560px; height: auto; margin: 0 auto}
.step .bar {display: flex; gap: .75rem; align-items: center; max-width: 560px; margin: .4rem auto}
.step .bar[hidden] {display: none}
.step .bar button {min-height: 32px; min-width: 7rem}
.step .bar input {flex: 1; min-height: 32px}
.step output {display: block; max-width: 560px; margin: 0 auto; min-height: 3em}
html[data-theme="dark"] .bd-content div.cell_output div.text_html:has(div.step)
  {background: none; color: inherit; padding: 0}
@media print {.step .bar {display: none}}
</style>
$svg
<div class="bar" hidden><button type="button">Play</button>
<input type="range" min="0" max="$last" value="$shown" step="1" aria-label="step" \
aria-valuetext="$caption"></div>
<output aria-live="polite">$caption</output>
<script type="application/json">$data</script>
<script>
(function () {
  document.querySelectorAll('[data-player="$id"]:not([data-ready])').forEach(function (box) {
    box.dataset.ready = "yes";
    const steps = JSON.parse(box.querySelector('script[type="application/json"]').textContent);
    const bar = box.querySelector(".bar"), button = bar.querySelector("button");
    const slider = bar.querySelector("input"), sentence = box.querySelector("output");
    const lines = box.querySelectorAll(".path"), dots = box.querySelectorAll(".dot");
    const maps = box.querySelector(".maps");
    const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    const last = steps.captions.length - 1;
    let timer = null;
    function show(i) {
      steps.paths.forEach(function (path, k) {
        const points = path.slice(0, i + 1).join(" ");
        lines[2 * k].setAttribute("points", points);  // its dark halo
        lines[2 * k + 1].setAttribute("points", points);
        dots[k].setAttribute("cx", path[i][0]);
        dots[k].setAttribute("cy", path[i][1]);
      });
      if (maps) maps.setAttribute("y", -i * steps.rows);
      slider.value = i;
      slider.setAttribute("aria-valuetext", steps.captions[i]);
      sentence.textContent = steps.captions[i];
    }
    function stop() {
      clearInterval(timer);
      timer = null;
      button.textContent = calm ? "Next step" : "Play";
      sentence.setAttribute("aria-live", "polite");
    }
    function next() {
      const i = Number(slider.value) + 1;
      show(Math.min(i, last));
      if (i >= last) stop();
    }
    button.addEventListener("click", function () {
      if (timer) return stop();
      if (Number(slider.value) === last) show(0);
      else if (calm) next();
      if (calm) return;
      button.textContent = "Pause";
      // A reader would otherwise hear every frame.
      sentence.setAttribute("aria-live", "off");
      timer = setInterval(next, 400);
    });
    slider.addEventListener("input", function () { stop(); show(Number(slider.value)); });
    stop();
    bar.hidden = false;
  });
})();
</script>
</div>
"""


def step_player(
    background: ArrayLike | None,
    points: Mapping[str, ArrayLike],
    paths: ArrayLike,
    captions: Sequence[str],
    label: str,
    *,
    extent: Extent,
    curves: Sequence[ArrayLike] = (),
    xlabel: str = "feature 1",
    ylabel: str = "feature 2",
    cmap: str | mpl.colors.Colormap = "viridis",
    levels: int = 32,
    shown: int = -1,
) -> HTML:
    """Build a figure in which points walk or a map changes, with a sentence for every step.

    Parameters
    ----------
    background : array-like of shape (rows, columns) or (n_steps, rows, columns), or None
        Heights of a heat map, or of one for each step; row 0 lies at the lower edge, as in a mesh
        over ``extent``. The maps of all steps share one scale of colours.
    points : mapping of {"majority", "minority", "synthetic"} to array-like of shape (n, 2)
        Rows that stay where they are; may be empty.
    paths : array-like of shape (n_steps, 2), or a list of such arrays
        Where each walking point is at every step, in the units of the axes; an empty list if none
        walks.
    captions : sequence of n_steps str
        The sentence of every step, for instance ``"Step 5: angle 62 degrees, log ratio 1.8."``.
    label : str
        What is seen and what happens, for a reader who does not see the figure.
    extent : (float, float, float, float)
        Left, right, lower and upper edge of the axes. One unit is equally long both ways.
    curves : sequence of array-like of shape (n, 2), default=()
        Lines that stay, such as the circle on which the points walk.
    xlabel, ylabel : str
    cmap : str or Colormap, default="viridis"
        Colour map of the heat map, reduced to ``levels`` colours to keep the page small.
    levels : int, default=32
    shown : int, default=-1
        The step that is drawn before anything is moved; -1 is the last.

    Returns
    -------
    figure : IPython.display.HTML
        Put it at the end of a cell. The same data give the same text, letter by letter.

    Raises
    ------
    ValueError
        If there is not one map, or one position of a path, for every caption; or if a kind of
        points is unknown.

    Examples
    --------
    >>> from simpor.lab.player import step_player
    >>> figure = step_player([[0, 1], [1, 2]], {"minority": [[0.5, 0.5]]},
    ...                      [[0.2, 0.2], [0.8, 0.8]], ["Start.", "End."],
    ...                      "A point walks to the upper right.", extent=(0, 1, 0, 1))
    >>> "End." in figure.data and "<svg" in figure.data
    True
    """
    captions = [str(c) for c in captions]
    paths = [np.asarray(p, dtype=float) for p in _list_of_curves(paths)]
    maps = None if background is None else np.asarray(background, dtype=float)
    _check(maps, points, paths, captions)
    shown %= len(captions)
    frame = _Frame(*map(float, extent))
    walks = [frame.place(path) for path in paths]
    layers = [] if maps is None else [_image(maps, cmap, levels, frame.height, shown)]
    layers += [_dashed_line(frame.place(curve)) for curve in curves]
    for kind, xy in points.items():
        layers += [SHAPES[kind] % (x, y) for x, y in frame.place(xy)]
    for walk in walks:
        layers += _walk(walk[: shown + 1])

    map_rows = maps.shape[1] if maps is not None and maps.ndim == 3 else 0
    steps = {"captions": captions, "paths": walks, "rows": map_rows}
    data = json.dumps(steps, separators=(",", ":")).replace("<", "\\u003c")
    # Two players on one page need names of their own: the name follows from what they show.
    name = "p" + hashlib.sha256((label + data + "".join(layers)).encode()).hexdigest()[:12]
    filling = {
        "id": name,
        "svg": frame.svg(name, label, layers, xlabel, ylabel),
        "last": str(len(captions) - 1),
        "shown": str(shown),
        "caption": escape(captions[shown]),
        "data": data,
    }
    return HTML(Template(PAGE).substitute(filling))


def circle_player(
    background: ArrayLike | None,
    center: ArrayLike,
    radius: float,
    path: ArrayLike,
    captions: Sequence[str],
    label: str,
    *,
    extent: Extent,
    points: Mapping[str, ArrayLike] | None = None,
    **options: Any,
) -> HTML:
    """Build a figure in which a point climbs along a circle: Algorithm 1 in two dimensions.

    Parameters
    ----------
    background : array-like of shape (rows, columns) or None
        The objective over ``extent``, row 0 at the lower edge.
    center : array-like of shape (2,)
        The seed; drawn as a minority row.
    radius : float
    path : array-like of shape (n_steps, 2)
        The point after every step, starting with the start.
    captions : sequence of n_steps str
    label : str
    extent : (float, float, float, float)
        Left, right, lower and upper edge.
    points : mapping, optional
        Further rows, as in :func:`step_player`.
    **options
        The other parameters of :func:`step_player`.

    Returns
    -------
    figure : IPython.display.HTML

    Examples
    --------
    >>> import numpy as np
    >>> from simpor.lab.player import circle_player
    >>> x, y = np.meshgrid(np.linspace(-2, 2, 60), np.linspace(-2, 2, 60))
    >>> angles = np.linspace(np.pi, np.pi / 4, 10)
    >>> path = np.column_stack([np.cos(angles), np.sin(angles)])
    >>> captions = [f"Step {i}: x + y = {p.sum():.2f}." for i, p in enumerate(path)]
    >>> figure = circle_player(x + y, [0, 0], 1.0, path, captions,
    ...                        "A point climbs a circle towards the upper right.",
    ...                        extent=(-2, 2, -2, 2))
    >>> len(figure.data) < 20_000
    True
    """
    center = np.asarray(center, dtype=float)
    turn = np.linspace(0, 2 * np.pi, 121)
    circle = center + radius * np.column_stack([np.cos(turn), np.sin(turn)])
    points = {kind: np.asarray(rows, dtype=float) for kind, rows in (points or {}).items()}
    points["minority"] = np.vstack([points.get("minority", np.empty((0, 2))), center])
    return step_player(
        background, points, path, captions, label, extent=extent, curves=[circle], **options
    )


def _check(
    maps: np.ndarray | None,
    points: Mapping[str, ArrayLike],
    paths: list[np.ndarray],
    captions: list[str],
) -> None:
    for path in paths:
        if path.shape != (len(captions), 2):
            raise ValueError(
                f"a path has shape {path.shape} but there are {len(captions)} captions; "
                "give one position of two coordinates for every caption."
            )
    if maps is not None and maps.ndim == 3 and len(maps) != len(captions):
        raise ValueError(
            f"there are {len(maps)} maps but {len(captions)} captions; "
            "give one map for every caption, or a single one."
        )
    unknown = set(points) - set(SHAPES)
    if unknown:
        raise ValueError(f"unknown kind of points {sorted(unknown)}; use one of {sorted(SHAPES)}.")


@dataclass
class _Frame:
    """The axes: where a point is drawn, and what surrounds the drawing."""

    left: float
    right: float
    lower: float
    upper: float

    @property
    def scale(self) -> float:
        """SVG units for one unit of the axes."""
        return (WIDTH - LEFT - RIGHT) / (self.right - self.left)

    @property
    def height(self) -> float:
        return round((self.upper - self.lower) * self.scale + TOP + BOTTOM, 1)

    def place(self, xy: ArrayLike) -> list[list[float]]:
        """Points of the axes in SVG units, y growing downwards."""
        xy = np.asarray(xy, dtype=float).reshape(-1, 2)
        drawn = (xy - [self.left, self.upper]) * [self.scale, -self.scale] + [LEFT, TOP]
        return np.round(drawn, 1).tolist()

    def svg(self, name: str, label: str, layers: list[str], xlabel: str, ylabel: str) -> str:
        """The whole drawing, with its layers clipped at the frame."""
        inside = f'x="{LEFT}" y="{TOP}" width="{WIDTH - LEFT - RIGHT}" '
        inside += f'height="{self.height - TOP - BOTTOM:.1f}"'
        return "\n".join(
            [
                f'<svg viewBox="0 0 {WIDTH} {self.height}" role="img" '
                f'aria-label="{escape(label)}" xmlns="http://www.w3.org/2000/svg" '
                'font-family="sans-serif" font-size="11" fill="currentColor">',
                f'<clipPath id="{name}"><rect {inside}/></clipPath>',
                f'<g clip-path="url(#{name})">',
                *layers,
                "</g>",
                f'<rect {inside} fill="none" stroke="currentColor"/>',
                *self._ticks(),
                *self._labels(xlabel, ylabel),
                "</svg>",
            ]
        )

    def _ticks(self) -> Iterator[str]:
        floor = self.height - BOTTOM
        for tick in TICKS.tick_values(self.left, self.right):
            if self.left <= tick <= self.right:
                x = self.place([tick, self.lower])[0][0]
                yield (
                    f'<path d="M{x} {floor}v4" stroke="currentColor"/>'
                    f'<text x="{x}" y="{floor + 15}" text-anchor="middle">{tick:g}</text>'
                )
        for tick in TICKS.tick_values(self.lower, self.upper):
            if self.lower <= tick <= self.upper:
                y = self.place([self.left, tick])[0][1]
                yield (
                    f'<path d="M{LEFT} {y}h-4" stroke="currentColor"/>'
                    f'<text x="{LEFT - 7}" y="{y + 4}" text-anchor="end">{tick:g}</text>'
                )

    def _labels(self, xlabel: str, ylabel: str) -> Iterator[str]:
        middle_x, middle_y = (LEFT + WIDTH - RIGHT) / 2, (TOP + self.height - BOTTOM) / 2
        yield (
            f'<text x="{middle_x}" y="{self.height - 6}" text-anchor="middle">'
            f"{escape(xlabel)}</text>"
        )
        yield (
            f'<text transform="translate(12 {middle_y}) rotate(-90)" text-anchor="middle">'
            f"{escape(ylabel)}</text>"
        )


def _list_of_curves(paths: Any) -> list[ArrayLike]:
    # One path is an array of numbers of shape (n, 2); several are a list of such arrays.
    if len(paths) == 0:
        return []
    return [paths] if np.ndim(paths[0][0]) == 0 else list(paths)


def _dashed_line(positions: list[list[float]]) -> str:
    """Black dashes on white, to be seen on any colour."""
    points = _pairs(positions)
    return (
        f'<polyline points="{points}" fill="none" stroke="#fff" stroke-width="3"/>'
        f'<polyline points="{points}" fill="none" stroke="#000" '
        'stroke-width="1.2" stroke-dasharray="5 3"/>'
    )


def _walk(positions: list[list[float]]) -> list[str]:
    """A white line with a dark halo, and a dot where the point is now."""
    points, (x, y) = _pairs(positions), positions[-1]
    return [
        f'<polyline class="path" points="{points}" fill="none" stroke="#000" '
        'stroke-width="5" stroke-linejoin="round"/>',
        f'<polyline class="path" points="{points}" fill="none" stroke="#fff" '
        'stroke-width="2.4" stroke-linejoin="round"/>',
        f'<circle class="dot" cx="{x}" cy="{y}" r="6" fill="{GREEN}" stroke="#fff" '
        'stroke-width="2"/>',
    ]


def _pairs(positions: list[list[float]]) -> str:
    return " ".join(f"{x},{y}" for x, y in positions)


def _image(
    heights: np.ndarray, cmap: str | mpl.colors.Colormap, levels: int, height: float, shown: int
) -> str:
    """The heat map as a picture inside the SVG; of several maps the one that is shown."""
    low, high = np.nanmin(heights), np.nanmax(heights)
    shade = np.nan_to_num((heights - low) / ((high - low) or 1.0))
    index = np.minimum((shade * levels).astype(np.uint8), levels - 1)
    # Upside down, and the maps of several steps below each other in one picture.
    index = index[..., ::-1, :].reshape(-1, index.shape[-1])
    image = Image.fromarray(np.ascontiguousarray(index))
    colours = mpl.colormaps.get_cmap(cmap)(np.linspace(0, 1, levels))[:, :3]
    image.putpalette(np.round(255 * colours).astype(int).ravel().tolist())
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    uri = f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
    place = (
        f'x="{LEFT}" y="{TOP}" width="{WIDTH - LEFT - RIGHT}" '
        f'height="{height - TOP - BOTTOM:.1f}" preserveAspectRatio="none"'
    )
    if heights.ndim == 2:
        return f'<image {place} href="{uri}"/>'
    # A window of one map's size, behind which the script moves the picture.
    _, rows, columns = heights.shape
    return (
        f'<svg {place} viewBox="0 0 {columns} {rows}"><image class="maps" '
        f'y="{-rows * shown}" width="{columns}" height="{len(index)}" href="{uri}"/></svg>'
    )
