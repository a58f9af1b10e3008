"""Evaluations that an ascent takes: ``python -m benchmarks ascent``.

Over the training parts of the 41 sets, SIMPOR draws seeds, radii and first points; from there three
rules climb the same log posterior ratio: L-BFGS, the module's; the step of Barzilai and Borwein,
which it had before; and the published angle. No clock is read: the counts are those of any machine,
but for the few points where rounding decides.
"""

from unittest.mock import patch

import numpy as np
import pandas as pd

import simpor.sampler
import simpor.sphere
from benchmarks.training_parts import quick_region, training_part
from simpor import PUBLISHED_TAI, SIMPOR, PosteriorRatio, ascend_on_sphere
from simpor.lab.datasets import FORTY_ONE
from simpor.sphere import _carry, _Turns

# Nats: above it two climbs have reached different summits.
SAME_SUMMIT = 1e-3


class BarzilaiBorwein:
    """Turns along the gradient, by angles that fit how the slope changed over the turn before.

    J. Barzilai and J. M. Borwein, "Two-Point Step Size Gradient Methods", IMA Journal of Numerical
    Analysis 8, 1988: the shorter of their steps, with the gradient before carried along the turn.
    """

    def __init__(self, tol):
        self.tol = tol

    def first_turns(self, points):
        return _Turns(points.tangents, np.minimum(points.angles_to_gradient, 0.5))

    def next_turns(self, i, tried, before, after, higher):
        cosine = np.sum(_carry(before.directions, tried) * after.tangents, axis=1)
        q = after.slopes / before.slopes
        fall = 1 - q * cosine
        change_squared = 1 - 2 * q * cosine + q**2
        concave = (fall > 0) & (change_squared > 0)
        share = np.where(concave, q * fall / np.where(concave, change_squared, 1.0), 2.0)
        fitted = np.minimum(tried.angles * share, after.angles_to_gradient)
        return _Turns(
            np.where(higher[:, None], after.tangents, before.tangents),
            np.where(higher, fitted, 0.5 * tried.angles),
        )

    def goes_on(self, points, turns):
        return (points.slopes_per_radian > self.tol) & (turns.angles > 1e-12)


def three_ascents(X, y):
    """From the same first points: by L-BFGS, by Barzilai and Borwein, by the published angle."""
    region = quick_region(X, y)
    with patch.object(simpor.sampler, "informative_region", lambda *args, **settings: region):
        sampler = SIMPOR(max_iter=0, random_state=0)
        starts = sampler.fit_resample(X, y)[0][len(X) :]
    objective = PosteriorRatio().fit(X, y)._log_ratio_and_gradient
    spheres = X[sampler.seed_indices_], sampler.radii_
    published = dict(step=PUBLISHED_TAI["step"], max_iter=PUBLISHED_TAI["max_iter"])
    ends = {"L-BFGS": ascend_on_sphere(objective, *spheres, start=starts)}
    with patch.object(simpor.sphere, "_LBFGS", BarzilaiBorwein):
        ends["Barzilai and Borwein"] = ascend_on_sphere(objective, *spheres, start=starts)
    ends["published"] = ascend_on_sphere(objective, *spheres, start=starts, **published)
    return ends


def measure(names=FORTY_ONE):
    """One row a set and rule: points, evaluations, and where it ended against L-BFGS."""
    table = []
    for name in names:
        ends = three_ascents(*training_part(name))
        for rule, end in ends.items():
            difference = end.value - ends["L-BFGS"].value
            table.append(
                {
                    "dataset": name,
                    "rule": rule,
                    "points": len(end.value),
                    "evaluations": end.n_evaluations.sum(),
                    "converged": end.converged.sum(),
                    "lower": np.sum(difference < -SAME_SUMMIT),
                    "higher": np.sum(difference > SAME_SUMMIT),
                    "gain": np.sum(end.value - end.start_value).round(3),
                }
            )
    return pd.DataFrame(table)


def show(table):
    total = table.groupby("rule", sort=False).sum(numeric_only=True)
    print(f"{total['points'].iloc[0]:,} points of {table['dataset'].nunique()} training parts:")
    print("evaluations and nats a point; shares converged, lower and higher than L-BFGS")
    total = total.div(total.pop("points"), axis=0)
    print(total.to_string(float_format="{:.4f}".format))
