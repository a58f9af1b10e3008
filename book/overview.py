"""The picture of the first page: SIMPOR in five layers, as one inline SVG without a script.

``python book/overview.py`` writes two files beside itself: ``overview.html``, in which the reader
chooses the layer (for the first page), and ``overview.svg``, which shows the layers one after the
other and then rests (for the README). Both draw what ``simpor`` computes.
"""

import base64
import io
from dataclasses import dataclass
from pathlib import Path
from string import Template

import numpy as np
from imblearn.datasets import make_imbalance
from numpy.typing import ArrayLike
from PIL import Image
from simpor.lab.figures import BLUE, GREEN, VERMILION
from simpor.posterior import PosteriorRatio
from simpor.sampler import SIMPOR
from simpor.sphere import ascend_on_sphere
from sklearn.datasets import make_moons
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures

LEFT, RIGHT, LOWER, UPPER = (
    -1.7,
    2.9,
    -1.6,
    1.6,
)  # edges of the picture, in the data's units
SCALE = 160  # SVG units for one unit of the data
WIDTH, HEIGHT = round((RIGHT - LEFT) * SCALE), round((UPPER - LOWER) * SCALE)
SATURATED = 5.0  # the log ratio (nats) from which on the colour is full

LABEL = (
    "Two moons of points in the plane, a large blue class and a small orange one, and the five "
    "steps of SIMPOR: the rows; the informative region between the classes; circles around its "
    "orange points; the way along each circle to where the orange class is most probable; and "
    "the synthetic points that balance the classes."
)


@dataclass
class Scene:
    """What the layers show; every array of points has the shape (number, 2)."""

    majority: np.ndarray
    minority: np.ndarray
    informative: np.ndarray  # bool, the majority's rows first, then the minority's
    centers: np.ndarray
    radii: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    synthetic: np.ndarray
    log_ratio: np.ndarray  # (rows, columns), the first row at the upper edge


def compute(random_state: int = 3) -> Scene:
    """Draw two moons at 8:1, and follow SIMPOR through its steps on them.

    Parameters
    ----------
    random_state : int, default=3

    Returns
    -------
    scene : Scene
    """
    X, y = make_imbalance(
        *make_moons((160, 160), noise=0.2, random_state=random_state),
        sampling_strategy={0: 160, 1: 20},
        random_state=random_state,
    )
    order = np.argsort(y, kind="stable")
    X, y = X[order], y[order]
    learner = make_pipeline(
        PolynomialFeatures(3), LogisticRegression(C=100, max_iter=1000)
    )
    sampler = SIMPOR(learner=learner, random_state=random_state)
    X_new, _ = sampler.fit_resample(X, y)

    minority = y == 1
    region = sampler.informative_mask_
    centers = X[
        np.intersect1d(sampler.seed_indices_, np.flatnonzero(region & minority))
    ]
    # The first neighbour is the row itself.
    distances, _ = NearestNeighbors(n_neighbors=6).fit(X[minority]).kneighbors(centers)
    radii = distances[:, 1:].mean(axis=1)
    ratio = PosteriorRatio().fit(X, y)
    objective = ratio.log_ratio_and_gradient
    start, end = (
        ascend_on_sphere(
            objective, centers, radii, max_iter=n, random_state=random_state
        )
        for n in (0, 100)
    )
    across, down = np.meshgrid(
        np.linspace(LEFT, RIGHT, WIDTH // 3), np.linspace(UPPER, LOWER, HEIGHT // 3)
    )
    log_ratio = ratio.log_ratio(np.column_stack([across.ravel(), down.ravel()]))
    return Scene(
        X[~minority],
        X[minority],
        region,
        centers,
        radii,
        start.x,
        end.x,
        X_new[len(X) :],
        log_ratio.reshape(across.shape),
    )


def draw(scene: Scene) -> str:
    """Write the layers as SVG groups with the classes of ``CHANGING``, and rows-near.

    Parameters
    ----------
    scene : Scene

    Returns
    -------
    svg : str
        The inside of an ``<svg>`` of ``WIDTH`` by ``HEIGHT``. Its colours are the CSS variables
        ``--majority``, ``--minority`` and ``--synthetic``.
    """
    inside = (
        scene.informative[: len(scene.majority)],
        scene.informative[len(scene.majority) :],
    )
    parts = [f'<g class="ratio-map">{_map(scene.log_ratio)}</g>']
    for name, in_region in (("rows-far", False), ("rows-near", True)):
        circles = [
            f'<circle cx="{x}" cy="{y}" r="3.4"/>'
            for x, y in _place(scene.majority[inside[0] == in_region])
        ]
        triangles = [
            f'<path d="M{x} {y}m0-6l5.4 9.6h-10.8z"/>'
            for x, y in _place(scene.minority[inside[1] == in_region])
        ]
        parts.append(
            f'<g class="{name}"><g fill="var(--majority)">{"".join(circles)}</g>'
            f'<g fill="var(--minority)">{"".join(triangles)}</g></g>'
        )
    spheres = [
        f'<circle cx="{x}" cy="{y}" r="{radius * SCALE:.1f}"/>'
        for (x, y), radius in zip(_place(scene.centers), scene.radii, strict=True)
    ]
    parts.append(
        '<g class="spheres" fill="none" stroke="currentColor" stroke-width="1.2">'
        f"{''.join(spheres)}</g>"
    )
    ways, dots = [], []
    for center, radius, start, end in zip(
        scene.centers, scene.radii, scene.starts, scene.ends, strict=True
    ):
        (a, b), (c, d) = _place([start, end])
        # The short arc is the way uphill, as the tests check.
        (u, v), (s, t) = start - center, end - center
        sweep = int(u * t - v * s < 0)  # the page's y axis points down
        r = f"{radius * SCALE:.1f}"
        ways.append(f'<path pathLength="1" d="M{a} {b}A{r} {r} 0 0 {sweep} {c} {d}"/>')
        dots.append(f'<circle cx="{c}" cy="{d}" r="5.5"/>')
    parts.append(
        '<g class="climb"><g class="ways" fill="none" stroke="var(--synthetic)" stroke-width="4" '
        f'stroke-linecap="round">{"".join(ways)}</g>'
        f'<g class="dots" fill="var(--synthetic)">{"".join(dots)}</g></g>'
    )
    crosses = [
        f'<path d="M{x} {y}m-4-4l8 8m0-8l-8 8"/>'
        for x, y in _place(_visible(scene.synthetic))
    ]
    parts.append(
        f'<g class="new-rows" stroke="var(--synthetic)" stroke-width="2">{"".join(crosses)}</g>'
    )
    return "\n".join(parts)


def sentences(scene: Scene) -> list[tuple[str, str]]:
    """Name each layer and say in words what it shows.

    Parameters
    ----------
    scene : Scene

    Returns
    -------
    sentences : list of (name, sentence)
    """
    inside = int(scene.informative[len(scene.majority) :].sum())
    return [
        (
            "Rows",
            f"{len(scene.majority)} rows of the majority (dots) and {len(scene.minority)} of the "
            "minority (triangles), with two features.",
        ),
        (
            "Region",
            f"The informative region: the {int(scene.informative.sum())} rows about which a "
            f"classifier is least sure. {inside} of them are minority rows.",
        ),
        (
            "Spheres",
            "Around each seed, a minority row of the region, stands a sphere as wide as the row's "
            "neighbourhood; in two dimensions it is a circle. Rows among too many of the other "
            "class are no seeds.",
        ),
        (
            "Climb",
            "On each sphere a point climbs from a random start to where the posterior ratio, "
            "minority to majority, is largest. The map shows the ratio: orange where the minority "
            "is more probable, blue where the majority is.",
        ),
        (
            "Balance",
            "Each summit is a synthetic row (cross). The seeds are drawn again and again, each "
            "time with another radius, and then in the rest of the data too, until "
            f"{len(scene.synthetic)} synthetic rows balance the classes.",
        ),
    ]


PAGE = """\
<div class="overview">
<style>
.overview {--majority: $blue; --minority: $orange; --synthetic: $green}
html[data-theme="dark"] .overview {--majority: #56b4e9; --minority: #f0884a; --synthetic: #35c99a}
.overview {max-width: 720px; margin: 1.5rem auto}
.overview svg {display: block; width: 100%; height: auto}
.overview fieldset {display: flex; flex-wrap: wrap; gap: .3rem; border: 0; margin: 0; padding: 0}
.overview legend {position: absolute; width: 1px; height: 1px; overflow: hidden}
.overview label {display: flex; align-items: center; gap: .35rem; min-height: 32px}
.overview label {padding: 0 .5rem; cursor: pointer}
.overview p {display: none; min-height: 5em; margin: .3rem .5rem}
.overview :is(.ratio-map, .rows-far, .spheres, .climb, .new-rows) {transition: opacity .6s}
.overview .ways path {stroke-dasharray: 1; transition: stroke-dashoffset 1.6s ease-in-out}
.overview .dots {transition: opacity .4s 1.4s}
$rules
@media (prefers-reduced-motion: reduce) {.overview svg * {transition: none !important}}
@media print {.overview fieldset {display: none}}
</style>
<svg viewBox="0 0 $width $height" role="img" aria-label="$label">
$layers
</svg>
<fieldset><legend>Step of SIMPOR that the picture shows</legend>
$choices
</fieldset>
<div aria-live="polite">
$captions
</div>
</div>
"""

# Opacity of each layer, step by step: map, far rows, spheres, climb, synthetic rows.
STEPS = [
    (0, 1, 0, 0, 0),
    (0, 0.2, 0, 0, 0),
    (0, 0.2, 1, 0, 0),
    (0.8, 0.2, 0.6, 1, 0),
    (0.8, 1, 0, 0, 1),
]
# Long names: the theme's icons take short ones, such as "far", for theirs.
CHANGING = ("ratio-map", "rows-far", "spheres", "climb", "new-rows")


def interactive_html(scene: Scene) -> str:
    """Write the picture with a choice of layers under it; the last is chosen at first.

    Parameters
    ----------
    scene : Scene

    Returns
    -------
    html : str
        One ``<div>`` with its own style, to be put into a page of the book.
    """
    rules, choices, captions = [], [], []
    for number, ((name, sentence), opacities) in enumerate(
        zip(sentences(scene), STEPS, strict=True), start=1
    ):
        chosen = f".overview:has(#overview-{number}:checked)"
        rules += [
            f"{chosen} .{layer} {{opacity: {opacity}}}"
            for layer, opacity in zip(CHANGING, opacities, strict=True)
            if opacity != 1
        ]
        if name != "Climb":  # so that choosing that step draws the ways anew
            rules.append(f"{chosen} .ways path {{stroke-dashoffset: 1}}")
            rules.append(f"{chosen} .dots {{opacity: 0}}")
        rules.append(f"{chosen} .said-{number} {{display: block}}")
        last = " checked" if number == len(STEPS) else ""
        choices.append(
            f'<label><input type="radio" name="overview" id="overview-{number}"{last}>'
            f"{number} {name}</label>"
        )
        captions.append(f'<p class="said-{number}">{sentence}</p>')
    return Template(PAGE).substitute(
        blue=BLUE,
        orange=VERMILION,
        green=GREEN,
        width=WIDTH,
        height=HEIGHT,
        label=LABEL,
        layers=draw(scene),
        rules="\n".join(rules),
        choices="\n".join(choices),
        captions="\n".join(captions),
    )


FILE = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 $width $height" role="img" aria-label="$label">
<style>
svg {--majority: $blue; --minority: $orange; --synthetic: $green; color: #222}
.ways path {stroke-dasharray: 1}
$rules
@media (prefers-reduced-motion: reduce) {* {animation: none !important}}
</style>
<rect width="100%" height="100%" rx="8" fill="#fff"/>
$layers
</svg>
"""

SECONDS = 3.0  # that each layer stands in the file


def animated_svg(scene: Scene) -> str:
    """Write the picture as a file that shows its layers one after the other, once.

    It rests on the last layer, which is also what a reader sees who asks for less motion.

    Parameters
    ----------
    scene : Scene

    Returns
    -------
    svg : str
    """
    whole = SECONDS * (len(STEPS) - 1)
    rules = []
    for layer, opacities in zip(CHANGING, zip(*STEPS, strict=True), strict=True):
        frames = [f"0% {{opacity: {opacities[0]}}}"]
        for step in range(1, len(STEPS)):
            at = 100 * step / (len(STEPS) - 1)
            frames += [
                f"{at - 6:g}% {{opacity: {opacities[step - 1]}}}",
                f"{at:g}% {{opacity: {opacities[step]}}}",
            ]
        rules.append(
            f"@keyframes {layer} {{{' '.join(frames)}}} "
            f".{layer} {{opacity: {opacities[-1]}; animation: {layer} {whole:g}s}}"
        )
    climbs = [name for name, _ in sentences(scene)].index("Climb")
    begins = 100 * climbs / (len(STEPS) - 1)
    rules.append(
        f"@keyframes way {{0%, {begins:g}% {{stroke-dashoffset: 1}} {begins + 15:g}%, 100% "
        f"{{stroke-dashoffset: 0}}}} .ways path {{animation: way {whole:g}s}}"
    )
    return Template(FILE).substitute(
        blue=BLUE,
        orange=VERMILION,
        green=GREEN,
        width=WIDTH,
        height=HEIGHT,
        label=LABEL,
        layers=draw(scene),
        rules="\n".join(rules),
    )


def _visible(X: np.ndarray) -> np.ndarray:
    across, up = X.T
    return X[(LEFT < across) & (across < RIGHT) & (LOWER < up) & (up < UPPER)]


def _place(X: ArrayLike) -> list[list[float]]:
    # From the data's units to the picture's, whose y axis points down.
    X = np.asarray(X, dtype=float).reshape(-1, 2)
    return np.round((X - [LEFT, UPPER]) * [SCALE, -SCALE], 1).tolist()


def _map(log_ratio: np.ndarray) -> str:
    # Nothing at zero, the class's colour where it is sure: reads on a white and on a dark page.
    strength = np.clip(log_ratio / SATURATED, -1, 1)
    colours = np.where(strength[..., None] > 0, _rgb(VERMILION), _rgb(BLUE))
    alpha = np.round(np.abs(strength) * 9) / 9 * 150
    image = np.dstack([colours, alpha]).astype(np.uint8)
    png = io.BytesIO()
    Image.fromarray(image, "RGBA").quantize(32, method=Image.Quantize.FASTOCTREE).save(
        png, "PNG", optimize=True
    )
    uri = base64.b64encode(png.getvalue()).decode()
    return (
        f'<image width="{WIDTH}" height="{HEIGHT}" preserveAspectRatio="none" '
        f'href="data:image/png;base64,{uri}"/>'
    )


def _rgb(colour: str) -> list[int]:
    return [int(colour[i : i + 2], 16) for i in (1, 3, 5)]


if __name__ == "__main__":
    book = Path(__file__).parent
    scene = compute()
    (book / "overview.html").write_text(interactive_html(scene), encoding="utf-8")
    (book / "overview.svg").write_text(animated_svg(scene), encoding="utf-8")
