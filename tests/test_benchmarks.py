"""The benchmarks' own arithmetic; what they measure is no matter of tests."""

import subprocess
import sys
from unittest.mock import patch

import numpy as np
import pytest

from benchmarks.full_size import ERROR, line, share_kept
from simpor import GaussianKDE, ascend_on_sphere, sphere


def test_an_unknown_name_is_told_the_known_ones(root):
    command = [sys.executable, "-m", "benchmarks", "speed"]
    process = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert process.returncode == 2
    assert "density" in process.stderr and "full-size" in process.stderr


def test_rows_that_a_sphere_cannot_see_add_nothing():
    rng = np.random.default_rng(0)
    rows = np.vstack([rng.normal(size=(300, 3)), rng.normal(4.0, 2.0, size=(700, 3))])
    center, radius, h = np.zeros(3), 0.8, 0.6
    to_center = np.linalg.norm(rows - center, axis=1)
    order = np.argsort(to_center)
    at_most = -0.5 * (np.maximum(to_center[order] - radius, 0) / h) ** 2
    at_least = -0.5 * ((to_center.min() + radius) / h) ** 2
    share = share_kept(at_most - at_least)
    assert 0.3 < share < 0.9

    directions = rng.normal(size=(50, 3))
    points = center + radius * directions / np.linalg.norm(directions, axis=1, keepdims=True)
    kept = rows[order[: round(share * len(rows))]]
    with_all, with_kept = (
        GaussianKDE(bandwidth=h).fit(part).score_samples(points) + np.log(len(part))
        for part in (rows, kept)
    )
    np.testing.assert_allclose(with_kept, with_all, rtol=0, atol=20 * ERROR)


def test_the_share_kept_is_the_smallest():
    exponents = -np.linspace(0, 60, 200)
    n_kept = round(share_kept(exponents) * 200)
    assert np.exp(exponents[n_kept:]).sum() <= ERROR < np.exp(exponents[n_kept - 1 :]).sum()


def test_the_line_through_the_runs_of_the_whole_table():
    pd = pytest.importorskip("pandas")
    runs = [(284_807, drawn, 100, 3 + 0.01 * drawn) for drawn in (100, 200, 400)]
    runs += [(1000, 100, 100, 99.0), (284_807, 100, 10, 99.0)]
    table = pd.DataFrame(runs, columns=["rows", "drawn", "max_iter", "seconds"])
    np.testing.assert_allclose(line(table), (3, 0.01))


def test_the_second_turn_is_barzilai_and_borweins():
    """By vectors: the change of the slope over the first turn, fitted to it, gives the second."""
    pytest.importorskip("pandas")
    from benchmarks.ascent import _BarzilaiBorwein

    curvatures = np.array([1.0, 2.0, 4.0])

    def bowl(points):
        return -0.5 * (points - 2) ** 2 @ curvatures, -(points - 2) * curvatures

    def slope(u):
        gradient = bowl(u[None])[1][0]
        return gradient - (gradient @ u) * u

    start = np.array([0.9, 0.3, 0.1]) / np.linalg.norm([0.9, 0.3, 0.1])
    with patch.object(sphere, "_LBFGS", _BarzilaiBorwein):
        u0, u1, u2 = (
            ascend_on_sphere(bowl, [[0, 0, 0]], 1.0, start=[start], max_iter=n).x[0]
            for n in range(3)
        )
    first, second = np.arccos(u0 @ u1), np.arccos(u1 @ u2)
    along = slope(u0) / np.linalg.norm(slope(u0))
    carried = np.cos(first) * along - np.sin(first) * u0
    change = np.linalg.norm(slope(u0)) * carried - slope(u1)
    (share,), *_ = np.linalg.lstsq(change[:, None], first * carried, rcond=None)
    assert second < min(
        1.9 * first, 0.6
    )  # neither doubled nor cut at the direction of the gradient
    np.testing.assert_allclose(second, share * np.linalg.norm(slope(u1)), rtol=1e-6)


def test_a_worker_answers_until_it_is_no_longer_needed():
    pytest.importorskip("pandas")
    from benchmarks.revision import ROOT, Worker

    with Worker(ROOT, "full_size", "share_kept") as worker:
        assert worker([0.0, -1.0, -90.0, -90.0]) == 0.5
        assert worker([0.0, -90.0, -90.0, -90.0]) == 0.25
        with pytest.raises(RuntimeError, match="code 1"):
            worker("no numbers")


def test_a_relative_is_measured_or_the_reason_why_not_is_told(capsys):
    pytest.importorskip("pandas")
    from benchmarks import relatives

    table = relatives.measure(["kotaro"], sizes=[300, 30_000])
    small, large = table.itertuples()
    assert 0 < small.seconds < 60 and small.processor_seconds > 0
    assert small.MiB >= 0 and small.reason == ""
    assert np.isnan(large.seconds) and "all pairs" in large.reason
    relatives.show(table)
    assert "KOTARO" in capsys.readouterr().out


def test_a_relative_that_fails_or_takes_too_long_is_no_end_of_the_table():
    pytest.importorskip("pandas")
    from benchmarks import relatives

    assert "KeyError" in relatives.measure_one("unknown", 300, 600)["reason"]
    assert "more than 0.1 s" in relatives.measure_one("kotaro", 300, 0.1)["reason"]


def test_the_relatives_that_have_a_limit_are_measured():
    pytest.importorskip("pandas")
    from benchmarks import relatives

    assert set(relatives.LARGEST) <= set(relatives.MEASURED)


def test_a_replay_has_a_row_for_each_number(capsys):
    pytest.importorskip("pandas")
    from benchmarks import replays

    table = replays.measure([replays.kotaro_and_support_vectors])
    assert table["relative"].tolist() == ["KOTARO"] * 4 and table["published"].isna().all()
    assert table["ours"].between(0, 1).all()
    assert table["standard error"].between(0, 0.1, inclusive="neither").all()
    replays.show(table)
    assert "class-weighted SVC: G-mean" in capsys.readouterr().out


def test_a_replay_of_one_value_has_no_standard_error():
    pytest.importorskip("pandas")
    from benchmarks import replays

    table = replays.measure(
        [lambda: [("MOMS", "three", 2.5, [1.0, 2.0, 3.0]), ("MOMS", "one", None, [4])]]
    )
    assert table["ours"].tolist() == [2.0, 4.0]
    assert table["standard error"][0] == pytest.approx(1 / np.sqrt(3), abs=1e-4)
    assert np.isnan(table["standard error"][1])


def test_the_better_the_rule_the_fewer_evaluations_from_the_same_points(capsys):
    pytest.importorskip("pandas")
    from benchmarks import ascent

    table = ascent.measure(["glass1"])
    assert table["points"].nunique() == 1 and list(table["rule"]) == list(ascent.RULES)
    evaluations = table.set_index("rule")["evaluations"]
    rules = ["L-BFGS", "Barzilai and Borwein", "doubling", "published"]
    assert evaluations[rules].is_monotonic_increasing
    ascent.show(table)
    assert "nats per point" in capsys.readouterr().out
