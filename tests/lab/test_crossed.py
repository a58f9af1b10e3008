"""Methods crossed with learners, and the files of their predictions."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from imblearn import FunctionSampler
from imblearn.over_sampling import SMOTE
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from simpor.lab import crossed, records, study
from simpor.lab.datasets import load
from simpor.lab.learners import BY_DEFAULT, CROSSED, GRID, LEARNERS, OWN, has_out_of_fold
from simpor.lab.methods import Method
from simpor.lab.network import Network
from simpor.lab.protocol import SOUND, _seed

ARRAYS = ("log_odds", "out_of_fold", "seconds_resampling", "seconds_training", "failure")


@pytest.fixture(scope="module")
def glass():
    return load("glass4")


def start(results, *arguments):
    """Start the study with one process."""
    arguments = ["--protocol", "sound", "--jobs", "1", "--results", str(results), *arguments]
    study.main(arguments)


def same(one, other):
    """Whether two records have the same predictions, whatever time they took."""
    return all(
        np.array_equal(getattr(one, name), getattr(other, name), equal_nan=name in crossed.STEPS)
        for name in ("log_odds", "out_of_fold", "failure")
    )


def test_the_splits_are_those_of_the_protocol(glass):
    splits = crossed.splits_of(glass.y)
    for fold, (train, test) in enumerate(SOUND.splits(0).split(glass.X, glass.y)):
        assert np.flatnonzero(splits.is_test[fold]).tolist() == test.tolist()
        inner = splits.inner_fold[fold, train]
        assert set(inner) == set(range(crossed.INNER_FOLDS))
        # every part has its share of the minority class
        counts = np.bincount(inner, weights=glass.y[train])
        assert counts.max() - counts.min() <= 1


def test_predictions_are_those_of_the_same_steps_by_hand(glass):
    record = crossed.run(glass, "smote", ["logistic"], n_jobs=1)["logistic"]
    inner_fold = record.splits.inner_fold
    for fold in (0, 9):
        for stored, held_out in [
            (record.log_odds, inner_fold[fold] == -1),
            *((record.out_of_fold, inner_fold[fold] == k) for k in range(crossed.INNER_FOLDS)),
        ]:
            train = (inner_fold[fold] != -1) & ~held_out
            scaler = StandardScaler().fit(glass.X[train])
            X, y = SMOTE(random_state=_seed(0, fold)).fit_resample(
                scaler.transform(glass.X[train]), glass.y[train]
            )
            learner = LogisticRegression(max_iter=1000).fit(X, y)
            expected = learner.predict_proba(scaler.transform(glass.X[held_out]))[:, 1]
            # kept in steps; beyond 30 the log odds are cut off
            tolerance = 0.6 * crossed.STEPS["out_of_fold"]
            np.testing.assert_allclose(expit(stored[fold, held_out]), expected, atol=tolerance)
    assert np.isnan(record.log_odds[~record.splits.is_test]).all()
    assert np.isnan(record.out_of_fold[record.splits.is_test]).all()


def test_a_training_part_is_resampled_once_for_all_learners(glass, monkeypatch):
    seen = []

    def resample(X, y):
        seen.append(len(y))
        return X, y

    method = Method("counting", "", "", "sampler", lambda seed: FunctionSampler(func=resample))
    monkeypatch.setitem(CROSSED, "counting", method)
    together = crossed.run(glass, "counting", ["logistic", "boosting"], n_jobs=1)
    # ten training parts, and four parts of each for the learner with out-of-fold predictions
    assert len(seen) == 50
    alone = crossed.run(glass, "counting", ["boosting"], n_jobs=1)
    assert len(seen) == 60
    assert same(together["boosting"], alone["boosting"])
    assert len(together["boosting"].out_of_fold) == 0


def test_class_weights_weigh_and_do_not_resample(glass):
    record = crossed.run(glass, "class-weights", ["logistic"], n_jobs=1)["logistic"]
    test = record.splits.is_test[0]
    scaler = StandardScaler().fit(glass.X[~test])
    learner = LogisticRegression(max_iter=1000, class_weight="balanced")
    learner.fit(scaler.transform(glass.X[~test]), glass.y[~test])
    expected = learner.decision_function(scaler.transform(glass.X[test]))
    np.testing.assert_allclose(record.log_odds[0, test], expected, atol=crossed.STEPS["log_odds"])


def test_networks_are_trained_on_every_part(glass, monkeypatch):
    tiny = replace(SOUND, network=lambda name: Network((4,), epochs=2))
    monkeypatch.setattr(crossed, "SOUND", tiny)
    record = crossed.run(glass, "raw", ["network"], n_jobs=1)["network"]
    assert np.isfinite(record.log_odds[record.splits.is_test]).all()
    assert np.isfinite(record.out_of_fold[~record.splits.is_test]).all()
    assert (record.seconds_training > 0).all() and record.is_probability


def test_classifiers_of_their_own_say_whether_they_predict_probabilities(glass):
    forest = crossed.run(glass, "balanced-random-forest", [OWN], n_jobs=1)[OWN]
    machine = crossed.run(glass, "svmcs", [OWN], n_jobs=1)[OWN]
    assert forest.is_probability and not machine.is_probability
    assert len(forest.out_of_fold) == 0 and np.isnan(forest.seconds_resampling).all()


def test_what_fails_is_recorded_and_the_rest_goes_on(glass, monkeypatch, tmp_path):
    def fail_on_one_split(X, y, random_state):
        if random_state == _seed(0, 2):
            raise RuntimeError("too few rows")
        return X, y

    method = Method(
        "failing",
        "",
        "",
        "sampler",
        lambda seed: FunctionSampler(func=fail_on_one_split, kw_args={"random_state": seed}),
    )
    monkeypatch.setitem(CROSSED, "failing", method)
    record = crossed.run(glass, "failing", ["logistic"], n_jobs=1)["logistic"]
    path = crossed.path_of("glass4", "logistic", "failing", tmp_path)
    crossed.write(path, record)
    record = crossed.read("glass4", "logistic", "failing", tmp_path)
    assert record.failure[2] == "RuntimeError: too few rows"
    assert np.flatnonzero(record.failure).tolist() == [2]
    assert np.isnan(record.log_odds[2]).all() and np.isnan(record.out_of_fold[2]).all()
    assert np.isfinite(record.log_odds[3, record.splits.is_test[3]]).all()


def test_a_learner_that_fails_does_not_take_the_others_along(glass, monkeypatch):
    broken = replace(LEARNERS["logistic"], make=lambda seed, weight: None)
    monkeypatch.setitem(LEARNERS, "logistic", broken)
    both = crossed.run(glass, "raw", ["logistic", "boosting"], n_jobs=1)
    assert all("AttributeError" in reason for reason in both["logistic"].failure)
    assert (both["boosting"].failure == "").all()


@pytest.mark.parametrize("learner", ["logistic", "boosting"])
def test_a_record_comes_back_as_it_was_written(glass, learner, tmp_path):
    record = crossed.run(glass, "gdo", [learner], n_jobs=1)[learner]
    path = crossed.path_of("glass4", learner, "gdo", tmp_path)
    assert not crossed.is_recorded(path)
    crossed.write(path, record)
    assert crossed.is_recorded(path)
    back = crossed.read("glass4", learner, "gdo", tmp_path)
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(back, name), getattr(record, name))
    for name in ("y", "inner_fold"):
        np.testing.assert_array_equal(getattr(back.splits, name), getattr(record.splits, name))
    assert back.about == record.about and back.is_probability is True
    with np.load(path, allow_pickle=False) as arrays:  # small, and nothing is run on reading
        assert arrays["log_odds"].dtype == arrays["out_of_fold"].dtype == np.int16


def test_records_of_other_splits_are_not_mixed(glass, tmp_path):
    path = crossed.path_of("glass4", OWN, "svmcs", tmp_path)
    crossed.write(path, crossed.run(glass, "svmcs", [OWN], n_jobs=1)[OWN])
    other = crossed.run(glass, "svmcs", [OWN], random_state=1, n_jobs=1)[OWN]
    with pytest.raises(ValueError, match="has other splits than those drawn now"):
        crossed.write(path, other)


def test_what_is_missing_or_damaged_is_named(glass, tmp_path):
    with pytest.raises(
        FileNotFoundError, match="--learner own --datasets 'glass4' --methods svmcs"
    ):
        crossed.read("glass4", OWN, "svmcs", tmp_path)
    path = crossed.path_of("glass4", OWN, "svmcs", tmp_path)
    crossed.write(path, crossed.run(glass, "svmcs", [OWN], n_jobs=1)[OWN])
    path.write_bytes(path.read_bytes()[:-100])
    assert not crossed.is_recorded(path)
    with pytest.raises(ValueError, match="damaged or cut short: delete it"):
        crossed.read("glass4", OWN, "svmcs", tmp_path)


def test_the_command_records_what_is_missing_and_only_that(glass, tmp_path, capsys):
    arguments = [
        "--learner",
        "logistic",
        "own",
        "--datasets",
        "glass4",
        "--methods",
        "raw",
        "svmcs",
    ]
    start(tmp_path, *arguments)
    paths = [
        crossed.path_of("glass4", learner, method, tmp_path)
        for learner, method in [("logistic", "raw"), (OWN, "svmcs")]
    ]
    assert capsys.readouterr().out.split() == [str(path) for path in paths]
    made = crossed.run(glass, "raw", ["logistic"], n_jobs=1)["logistic"]
    assert same(crossed.read("glass4", "logistic", "raw", tmp_path), made)

    paths[1].write_bytes(b"damaged")
    before = paths[0].stat().st_mtime_ns
    start(tmp_path, *arguments)
    assert crossed.is_recorded(paths[1]) and paths[0].stat().st_mtime_ns == before
    capsys.readouterr()
    start(tmp_path, *arguments)
    assert capsys.readouterr() == ("", "")
    start(tmp_path, *arguments, "--again")
    assert paths[0].stat().st_mtime_ns > before


def test_a_method_on_which_another_study_works_is_left_to_it(tmp_path):
    with records.claim(crossed.path_of("glass4", "any", "svmcs", tmp_path)):
        start(tmp_path, "--learner", "own", "--datasets", "glass4", "--methods", "svmcs")
    assert not crossed.path_of("glass4", OWN, "svmcs", tmp_path).exists()


def test_a_recording_that_is_killed_goes_on_where_it_was(tmp_path):
    command = [
        *(sys.executable, "-m", "simpor.lab.study", "--protocol", "sound", "--learner", "logistic"),
        *("--datasets", "glass5", "glass4", "--methods", "raw", "smote", "gdo", "--jobs", "1"),
        *("--results", str(tmp_path)),
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    folder = tmp_path / "sound" / "logistic"
    while process.poll() is None and len(list(folder.glob("*/*.npz"))) < 2:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    finished = {path: path.stat().st_mtime_ns for path in folder.glob("*/*.npz")}
    assert 2 <= len(finished) < 6
    assert all(crossed.is_recorded(path) for path in finished)
    start(
        tmp_path,
        *command[5:7],
        "--datasets",
        "glass5",
        "glass4",
        "--methods",
        "raw",
        "smote",
        "gdo",
    )
    assert len(list(folder.glob("*/*.npz"))) == 6
    assert all(path.stat().st_mtime_ns == time_of for path, time_of in finished.items())
    for name in ("glass5", "glass4"):
        undisturbed = crossed.run(load(name), "gdo", ["logistic"], n_jobs=1)["logistic"]
        assert same(crossed.read(name, "logistic", "gdo", tmp_path), undisturbed)


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (["--protocol", "published"], "give --protocol sound"),
        (["--trials", "2"], "with --learner all splits are run"),
        (["--methods", "raw-threshold"], "raw-threshold: this method is not crossed with learners"),
        (["--learner", "oracle"], "invalid choice"),
        (["--jobs", "0"], "--jobs 0"),
    ],
)
def test_wrong_arguments_are_refused_in_a_sentence(arguments, sentence, tmp_path, capsys):
    with pytest.raises(SystemExit):
        start(tmp_path / "rows", "--learner", "logistic", "--datasets", "glass5", *arguments)
    assert sentence in capsys.readouterr().err and not (tmp_path / "rows").exists()


def test_the_grid_and_further_methods_need_a_learner(tmp_path, capsys):
    with pytest.raises(SystemExit):
        study.main(["--methods", "class-weights", "--results", str(tmp_path)])
    assert "class-weights: this method needs --learner" in capsys.readouterr().err


def test_each_method_stands_before_the_learners_that_fit_it():
    assert study._learners_of("svmcs", ["logistic", "own"]) == ("own",)
    assert study._learners_of("smote", ["logistic", "own", "network"]) == ("logistic", "network")
    assert study._learners_of("class-weights", ["logistic", "network"]) == ("logistic",)


def test_out_of_fold_predictions_are_kept_where_the_study_needs_them():
    assert all(has_out_of_fold(name, "logistic") for name in ("adasyn", "simpor-published", "rbo"))
    assert not any(has_out_of_fold(name, "logistic") for name in GRID)
    for learner in ("boosting", "network"):
        kept = [name for name in CROSSED if has_out_of_fold(name, learner)]
        assert sorted(kept) == sorted(
            ["raw", "class-weights", "random-oversampling", "smote", "simpor-converged"]
        )


def test_variants_differ_from_simpor_in_what_their_names_say():
    def settings(name):
        return CROSSED[name].make(0).get_params()

    default = settings("simpor-converged")
    for name, changed in {
        "simpor-uniform-radius": {"radius": "uniform"},
        "simpor-reject-literal": {"reject_noise": "informative"},
        "grid-ascent-alpha-1-portion-0.3-rejects-noise": {},
        "grid-wide-ascent-alpha-0.5-portion-1-keeps-noise": {
            "bandwidth": 1.0,
            "alpha": 0.5,
            "informative_portion": 1.0,
            "reject_noise": False,
        },
    }.items():
        assert settings(name) == default | changed
    assert len(GRID) == len(set(GRID)) == 24
    assert len({str(settings(name)) for name in GRID}) == 24
    assert not set(GRID) & set(BY_DEFAULT)


def test_methods_have_their_papers_in_the_bibliography():
    bibliography = (Path(records.__file__).parents[2] / "book" / "references.bib").read_text()
    assert all(f"{{{method.citation}," in bibliography for method in CROSSED.values())
