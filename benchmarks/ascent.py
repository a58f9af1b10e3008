"""Evaluations that an ascent takes: ``python -m benchmarks ascent``.

Over the training parts of the 41 sets, SIMPOR draws seeds, radii and first points. From there each
of RULES climbs the same log posterior ratio. No clock is read: the counts are those of any machine,
but for the few points where rounding decides.
"""

from unittest.mock import patch

import numpy as np
import pandas as pd

import simpor.sampler
from benchmarks.training_parts import quick_region, training_part
from simpor import PUBLISHED_TAI, SIMPOR, PosteriorRatio, ascend_on_sphere, sphere
from simpor.lab.datasets import FORTY_ONE

# Nats: above it two climbs have reached different summits.
SAME_SUMMIT = 1e-3
RULES = (
    "published",
    "doubling",
    "Barzilai and Borwein",
    "L-BFGS, 1 pair",
    "L-BFGS, 2 pairs",
    "L-BFGS, 4 pairs",
    "L-BFGS",  # with eight pairs, as in the module
    "L-BFGS, 16 pairs",
)


class _AlongTheGradient:
    """Turns along the gradient. Where a turn has led higher, the next one is twice as far."""

    def __init__(self, tol):
        self.tol = tol

    def first_turns(self, points):
        angles = np.minimum(points.angles_to_gradient, sphere.FIRST_ANGLE)
        return sphere._Turns(points.tangents, angles)

    def next_turns(self, i, tried, before, after, higher):
        angles = np.minimum(self._angles(tried, before, after), sphere.LONGEST_ANGLE)
        return sphere._Turns(
            np.where(higher[:, None], after.tangents, tried.tangents),
            np.where(higher, angles, 0.5 * tried.angles),
        )

    def goes_on(self, points, turns):
        return (points.slopes_per_radian > self.tol) & (turns.angles > sphere.SMALLEST_ANGLE)

    def _angles(self, tried, before, after):
        return np.minimum(2 * tried.angles, after.angles_to_gradient)


class _BarzilaiBorwein(_AlongTheGradient):
    """The same, but by the angle that fits how the slope has changed over the last turn."""

    def _angles(self, tried, before, after):
        carried = sphere._carry(before.directions, tried)
        slopes = after.slopes[:, None] * after.tangents
        falls = before.slopes[:, None] * carried - slopes
        products, squares = np.sum(carried * falls, axis=1), np.sum(falls**2, axis=1)
        concave = products > 0
        factors = after.slopes * products / np.where(concave, squares, 1.0)
        return np.where(concave, tried.angles * factors, super()._angles(tried, before, after))


def climb(rule, objective, centers, radii, start):
    """Climb by one of RULES."""
    walk = (objective, centers, radii)
    if rule == "published":
        step, max_iter = PUBLISHED_TAI["step"], PUBLISHED_TAI["max_iter"]
        return ascend_on_sphere(*walk, start=start, step=step, max_iter=max_iter)
    others = {"doubling": _AlongTheGradient, "Barzilai and Borwein": _BarzilaiBorwein}
    pairs = int(rule.split()[1]) if rule.startswith("L-BFGS,") else sphere.MEMORY
    with (
        patch.object(sphere, "_LBFGS", others.get(rule, sphere._LBFGS)),
        patch.object(sphere, "MEMORY", pairs),
    ):
        return ascend_on_sphere(*walk, start=start)


def first_points(X, y):
    """The log posterior ratio, and the spheres and points from which SIMPOR would climb it."""
    region = quick_region(X, y)
    with patch.object(simpor.sampler, "informative_region", lambda *args, **settings: region):
        sampler = SIMPOR(max_iter=0, random_state=0)
        start = sampler.fit_resample(X, y)[0][len(X) :]
    objective = PosteriorRatio().fit(X, y).log_ratio_and_gradient
    return objective, X[sampler.seed_indices_], sampler.radii_, start


def measure(names=FORTY_ONE):
    """One row per set and rule: counts, and the gain in nats, summed over all points."""
    table = []
    for name in names:
        objective, centers, radii, start = first_points(*training_part(name))
        ends = {rule: climb(rule, objective, centers, radii, start) for rule in RULES}
        for rule, end in ends.items():
            difference = end.value - ends["L-BFGS"].value
            table.append(
                {
                    "dataset": name,
                    "features": centers.shape[1],
                    "rule": rule,
                    "points": len(centers),
                    "evaluations": end.n_evaluations.sum(),
                    "converged": end.converged.sum(),
                    "lower": np.sum(difference < -SAME_SUMMIT),
                    "higher": np.sum(difference > SAME_SUMMIT),
                    "gain": np.sum(end.value - end.start_value).round(3),
                }
            )
        print(name, *(f"{rule} {end.n_evaluations.mean():.1f}" for rule, end in ends.items()))
    return pd.DataFrame(table)


def show(table):
    sums = table.groupby("rule", sort=False).sum(numeric_only=True).drop(columns="features")
    print(f"{sums['points'].iloc[0]:,} points of {table['dataset'].nunique()} training parts:")
    print(
        f"evaluations and nats per point; shares converged, and off L-BFGS by {SAME_SUMMIT:g} nats"
    )
    print(sums.div(sums.pop("points"), axis=0).to_string(float_format="{:.4f}".format))
