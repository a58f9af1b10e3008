"""The recording of a comparison, file by file."""

import gzip
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from imblearn import FunctionSampler
from pandas.testing import assert_frame_equal
from sklearn.metrics import brier_score_loss, f1_score, roc_auc_score

from simpor.lab import records, study
from simpor.lab.datasets import CONTROLLED, FORTY_ONE
from simpor.lab.methods import ABLATION, COMPARISON, CONTROLS, METHODS, Method
from simpor.lab.network import Network
from simpor.lab.protocol import PROTOCOLS


def start(results, *arguments):
    """Start the study with one process."""
    study.main(["--jobs", "1", "--results", str(results), *arguments])


def test_recorded_rows_come_back(tmp_path, capsys):
    arguments = ["--datasets", "breast-cancer-7", "--methods", "svmcs"]
    start(tmp_path, *arguments)
    path = tmp_path / "published" / "breast-cancer-7.csv.gz"
    assert capsys.readouterr().out.strip() == str(path)

    rows = records.read("breast-cancer-7", "published", tmp_path)
    assert set(rows["method"]) == {"svmcs"} and set(rows["fold"]) == set(range(5))
    assert np.isfinite(rows["value"]).all() and (rows["failure"] == "").all()
    # a classifier of its own takes no time to resample: no number, and yet a column of numbers
    assert rows["seconds_resampling"].isna().all() and (rows["seconds_training"] >= 0).all()
    assert gzip.decompress(path.read_bytes()).startswith(b"# Made by python -m simpor.lab.study")
    assert {file.name for file in path.parent.iterdir()} == {path.name, "breast-cancer-7.npz"}

    before = path.stat().st_mtime_ns
    start(tmp_path, *arguments)  # there already: not made again, and nothing to say about it
    assert path.stat().st_mtime_ns == before
    assert capsys.readouterr() == ("", "")
    start(tmp_path, *arguments, "--again")
    assert path.stat().st_mtime_ns > before


RECORDED = ["raw", "raw-threshold", "hist-gradient-boosting", "failing"]


@pytest.fixture
def with_failure(tmp_path, monkeypatch):
    """Four methods on Moon, one with double precision and one that fails on the second split."""

    def fail_on_one_split(X, y, random_state):
        if random_state != study_seed(0):
            raise RuntimeError("too few rows, #1")
        return X, y

    def study_seed(fold):
        return int(np.random.SeedSequence([0, fold]).generate_state(1)[0] >> 1)

    failing = Method(
        "failing",
        "failing",
        "none",
        "sampler",
        lambda seed: FunctionSampler(func=fail_on_one_split, kw_args={"random_state": seed}),
    )
    tiny = replace(PROTOCOLS["published"], network=lambda name: Network((4,), epochs=2))
    monkeypatch.setitem(METHODS, "failing", failing)
    monkeypatch.setitem(PROTOCOLS, "published", tiny)
    data = study.load("moon-7")
    study.record(
        data, "published", methods=RECORDED, trials=2, results=tmp_path, n_jobs=1, verbose=0
    )
    return data, records.read("moon-7", "published", tmp_path), tmp_path


def test_metrics_from_the_recorded_predictions_are_the_recorded_ones(with_failure):
    data, rows, results = with_failure
    predictions = records.read_predictions("moon-7", "published", results)
    thresholds = records.read_thresholds("moon-7", "published", results).set_index("fold")
    assert list(predictions.columns) == ["fold", "row", "y", *RECORDED]
    assert list(thresholds.columns) == ["raw-threshold"] and len(thresholds) == 2
    np.testing.assert_array_equal(predictions["y"], data.y[predictions["row"]])

    compared = 0
    for (fold, method), recorded in rows.groupby(["fold", "method"]):
        one = predictions[predictions["fold"] == fold]
        if recorded["failure"].any():
            assert (fold, method) == (1, "failing") and one[method].isna().all()
            assert recorded["failure"].tolist() == ["RuntimeError: too few rows, #1"]
            continue
        value = recorded.set_index("metric")["value"]
        threshold = thresholds.loc[fold].get(method, 0.5)
        f1 = f1_score(one["y"], one[method] >= threshold, average="macro")
        assert value["f1"] == pytest.approx(f1, abs=1e-6)
        assert value["auc"] == pytest.approx(roc_auc_score(one["y"], one[method]), abs=1e-6)
        assert value["brier"] == pytest.approx(brier_score_loss(one["y"], one[method]), abs=1e-6)
        compared += 1
    assert compared == 7


def test_predictions_are_small_arrays_without_pickles(with_failure):
    _, _, results = with_failure
    with np.load(results / "published" / "moon-7.npz", allow_pickle=False) as arrays:
        types = {name: arrays[name].dtype for name in arrays.files}
    assert types == {
        "fold": np.uint8,
        "row": np.uint16,
        "y": np.uint8,
        "probability_raw": np.float32,
        "probability_raw-threshold": np.float32,
        "probability_hist-gradient-boosting": np.float64,  # rounding could tie two rows
        "probability_failing": np.float32,
        "threshold_raw-threshold": np.float64,
    }


def test_trials_are_the_first_splits(tmp_path):
    arguments = ["--datasets", "breast-cancer-7", "--methods", "svmcs"]
    start(tmp_path / "two", *arguments, "--trials", "2")
    start(tmp_path / "all", *arguments)
    two, whole = (
        records.read("breast-cancer-7", "published", tmp_path / n) for n in ("two", "all")
    )
    assert set(two["fold"]) == {0, 1} and set(whole["fold"]) == set(range(5))
    np.testing.assert_array_equal(two["value"], whole[whole["fold"] < 2]["value"])


def test_other_rows_are_not_taken_for_those_asked_for(tmp_path, capsys):
    arguments = ["--datasets", "breast-cancer-7", "--trials", "1"]
    start(tmp_path, *arguments, "--methods", "svmcs")
    capsys.readouterr()
    for other in (["--methods", "easy-ensemble"], ["--methods", "svmcs", "--trials", "2"]):
        start(tmp_path, *arguments, *other)
        said = capsys.readouterr()
        assert said.out == "" and "stays as it is" in said.err and "--again" in said.err
        assert set(records.read("breast-cancer-7", "published", tmp_path)["method"]) == {"svmcs"}
    start(tmp_path, *arguments, "--methods", "svmcs", "--trials", "2", "--again")
    rows = records.read("breast-cancer-7", "published", tmp_path)
    assert set(rows["fold"]) == {0, 1} and set(rows["method"]) == {"svmcs"}


def test_a_method_is_recorded_again_without_the_others(tmp_path, capsys):
    """The files are then as if all methods had been recorded at once."""
    arguments = ["--datasets", "breast-cancer-7", "--trials", "2"]
    methods = ["raw", "raw-threshold", "svmcs"]
    start(tmp_path / "once", *arguments, "--methods", *methods)
    start(tmp_path / "parts", *arguments, "--methods", "svmcs")
    for part in (["raw-threshold", "raw"], ["svmcs"]):
        start(tmp_path / "parts", *arguments, "--methods", *part, "--again")
    same_files(tmp_path / "once", tmp_path / "parts", "breast-cancer-7")
    capsys.readouterr()
    start(tmp_path / "parts", *arguments, "--methods", *methods)
    assert capsys.readouterr() == ("", "")  # nothing is missing
    tuned = [
        records.read_thresholds("breast-cancer-7", "published", tmp_path / n)
        for n in ("once", "parts")
    ]
    assert_frame_equal(*tuned)


def without_seconds(rows):
    return rows.drop(columns=["seconds_resampling", "seconds_training"])


def same_files(one, other, dataset):
    """Rows and predictions of two studies are the same to the last bit."""
    rows = [without_seconds(records.read(dataset, "published", n)) for n in (one, other)]
    assert_frame_equal(*rows, check_exact=True)
    predictions = [records.read_predictions(dataset, "published", n) for n in (one, other)]
    assert_frame_equal(*predictions, check_exact=True)


def test_two_runs_with_one_seed_give_the_same_rows(tmp_path):
    """However many processes there are, and with the entropy network's training in them."""
    methods = ["raw", "simpor-converged", "easy-ensemble", "shuffled-labels"]
    arguments = ["--datasets", "glass5", "--trials", "1", "--methods", *methods]
    start(tmp_path / "one", *arguments)
    start(tmp_path / "other", *arguments, "--jobs", "2")
    same_files(tmp_path / "one", tmp_path / "other", "glass5")


# At a moment of its own choice: from outside, a slow machine would be killed too early or too late.
KILLED_AT_THE_SECOND_SET = """
import os, signal, sys
from simpor.lab import study

record = study._Task.record

def record_once(task, *given, **settings):
    if task.dataset != "glass4":
        os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
    record(task, *given, **settings)

study._Task.record = record_once
study.main(sys.argv[1:])
"""


def test_a_study_that_is_killed_goes_on_where_it_was(tmp_path):
    datasets = ["glass4", "ecoli4", "glass2"]
    arguments = ["--datasets", *datasets, "--methods", "svmcs", "easy-ensemble", "--trials", "2"]
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    first = killed / "published" / "glass4.csv.gz"
    command = [sys.executable, "-c", KILLED_AT_THE_SECOND_SET, *arguments, "--jobs", "1"]
    process = subprocess.run([*command, "--results", killed], stderr=subprocess.PIPE, check=False)
    done = {path.name: path.stat().st_mtime_ns for path in first.parent.glob("*.csv.gz")}
    assert process.returncode != 0 and set(done) == {first.name}, process.stderr

    start(killed, *arguments)
    for name, modified in done.items():  # nothing is repeated
        assert (first.parent / name).stat().st_mtime_ns == modified
    start(whole, *arguments)
    for dataset in datasets:  # nothing is lost
        same_files(killed, whole, dataset)
    files = {path.name for path in first.parent.iterdir()}
    assert files == {f"{name}.{ending}" for name in datasets for ending in ("csv.gz", "npz")}


ONE = ["--datasets", "glass5", "--trials", "2", "--methods", "svmcs"]


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255
    path.write_bytes(content)


def write_a_page(path):
    path.write_bytes(b"<!DOCTYPE html><title>404</title>")


def take_that_of_another_method(path):
    start(path.parents[1] / "other", *ONE[:-1], "easy-ensemble")
    (path.parents[1] / "other" / "published" / path.name).replace(path)


@pytest.mark.parametrize(
    "ending, read", [("csv.gz", records.read), ("npz", records.read_predictions)]
)
@pytest.mark.parametrize("damage", [cut, flip, write_a_page, take_that_of_another_method])
def test_a_damaged_file_is_named_set_aside_and_recorded_again(
    tmp_path, capsys, ending, read, damage
):
    start(tmp_path, *ONE)
    expected = read("glass5", "published", tmp_path)
    path = tmp_path / "published" / f"glass5.{ending}"
    damage(path)
    damaged = path.read_bytes()
    if damage is not take_that_of_another_method:
        with pytest.raises(
            ValueError, match=rf"{re.escape(str(path))} is damaged or cut short: run its comm"
        ):
            read("glass5", "published", tmp_path)
    capsys.readouterr()

    start(tmp_path, *ONE)
    assert (
        "glass5.csv.gz is damaged: set aside as glass5.csv.gz.damaged." in capsys.readouterr().err
    )
    assert path.with_name(path.name + ".damaged").read_bytes() == damaged
    again = read("glass5", "published", tmp_path)
    seconds = again.columns.intersection(["seconds_resampling", "seconds_training"])
    assert_frame_equal(again.drop(columns=seconds), expected.drop(columns=seconds))


def test_a_full_disk_leaves_earlier_rows_whole(tmp_path, capsys):
    # capsys: the progress bar is drawn in memory, for a limit on files would stop it before the
    # study comes to write, and tqdm would keep the lock that all bars of the process share
    resource = pytest.importorskip("resource", reason="limits of a process are those of POSIX")
    start(tmp_path, *ONE)
    folder = tmp_path / "published"
    before = {path: path.read_bytes() for path in folder.iterdir()}
    assert min(map(len, before.values())) > 300
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    for n_bytes in (0, 300, max(map(len, before.values())) - 1):  # no file may grow beyond
        resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, hard))
        try:
            with pytest.raises(SystemExit, match="2"):
                start(tmp_path, *ONE, "--again")
            assert "File too large: what was recorded before is kept" in capsys.readouterr().err
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_two_studies_on_one_folder_do_not_mix(tmp_path):
    """Of two that would write the same set, one does, with all that belongs to it."""
    datasets = ["glass5", "glass4", "glass2"]
    common = ["--datasets", *datasets, "--trials", "1", "--jobs", "1", "--results", str(tmp_path)]
    methods = ["svmcs", "easy-ensemble"]
    command = [sys.executable, "-m", "simpor.lab.study", *common, "--methods"]
    both = [
        subprocess.Popen(
            [*command, name], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for name in methods
    ]
    said = [process.communicate(timeout=300) for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    for dataset in datasets:
        (made,) = set(records.read(dataset, "published", tmp_path)["method"])
        assert list(records.read_predictions(dataset, "published", tmp_path).columns[3:]) == [made]
        other = said[methods.index(made) - 1]
        # the other one came too late, or while the first was at it
        path = str(tmp_path / "published" / f"{dataset}.csv.gz")
        assert path not in other[0]
        assert re.search(rf"{re.escape(path)} (stays as it is|is left to the study)", other[1])
        assert path in said[methods.index(made)][0]


def test_a_set_on_which_another_study_works_is_left_to_it(tmp_path, capsys):
    path = tmp_path / "published" / "glass5.csv.gz"
    with records.claim(path) as is_free:
        assert is_free
        start(tmp_path, *ONE)
        start(tmp_path, *ONE, "--again")
    assert not path.exists()
    assert capsys.readouterr().err.count(f"{path} is left to the study that works on it.") == 2
    start(tmp_path, *ONE)
    assert path.exists()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the script forks")
def test_killed_at_random_moments_it_still_arrives(root):
    script = root / "tests" / "lab" / "kill_a_study.py"
    killed = subprocess.run(
        [sys.executable, script, "3"], capture_output=True, text=True, check=True, timeout=600
    )
    assert killed.stdout.splitlines()[-1].startswith("3 times killed"), killed.stdout


def test_predictions_without_rows_are_not_taken_for_a_finished_set(tmp_path):
    arguments = ["--datasets", "breast-cancer-7", "--trials", "1", "--methods", "svmcs"]
    start(tmp_path, *arguments)
    rows = tmp_path / "published" / "breast-cancer-7.csv.gz"
    rows.unlink()
    start(tmp_path, *arguments)
    assert rows.is_file()


def test_a_set_on_which_all_methods_fail_is_recorded(tmp_path, monkeypatch):
    def fail(X, y):
        raise RuntimeError("no neighbours at all")

    failing = Method("smote", "failing", "none", "sampler", lambda seed: FunctionSampler(func=fail))
    monkeypatch.setitem(METHODS, "smote", failing)
    start(tmp_path, "--datasets", "glass5", "--methods", "smote", "--trials", "2")
    rows = records.read("glass5", "published", tmp_path)
    assert rows["failure"].tolist() == ["RuntimeError: no neighbours at all"] * 2
    predictions = records.read_predictions("glass5", "published", tmp_path)
    assert len(predictions) == 0 and list(predictions.columns) == ["fold", "row", "y", "smote"]
    assert records.read_thresholds("glass5", "published", tmp_path).empty


def test_groups_stand_for_their_names(tmp_path, monkeypatch):
    asked = []

    def record(task, data, n_jobs, verbose):
        asked.append((data, task.methods))

    def load(name, data_home):
        return SimpleNamespace(name=name, y=np.zeros(10))

    monkeypatch.setattr(study._Task, "record", record)
    monkeypatch.setattr(study, "load", load)
    start(tmp_path, "--datasets", "controlled", "forty-one", "moon-3", "--methods", "controls")
    assert [data.name for data, _ in asked] == [*CONTROLLED, *FORTY_ONE]
    assert {methods for _, methods in asked} == {CONTROLS}
    asked.clear()
    start(tmp_path, "--datasets", "pima", "--methods", "ablation", "comparison")
    start(tmp_path, "--datasets", "pima")
    both = set(ABLATION) | set(COMPARISON)
    assert [methods for _, methods in asked] == [
        tuple(name for name in METHODS if name in both),
        tuple(METHODS),
    ]


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (["--protocol", "hopeful"], "invalid choice"),
        (["--methods", "hope"], "invalid choice"),
        (["--datasets", "moon-33"], "did you mean 'moon-3'"),
        (["--trials", "6"], "give 1 to 5, the splits of published"),
        (["--trials", "0"], "--trials 0: give 1 to 5, the splits of published."),
        (["--jobs", "0"], "--jobs 0: give 1 or more, or -1 for one for each core."),
        (["--jobs", "two"], "invalid int value"),
        (["--datasets", "../glass4"], "There is no data set '../glass4'"),
        (["--data-home", __file__], "this is a file; name a folder"),
        (["--results", __file__], f"--results {__file__}: File exists; name another folder."),
        (
            ["--results", "/proc/rows"],
            "--results /proc/rows: No such file or directory; name another folder.",
        ),
        (
            ["--results", "/proc/rows", "--again"],
            "--results /proc/rows: No such file or directory;",
        ),
    ],
)
def test_wrong_arguments_are_refused_in_a_sentence(arguments, sentence, tmp_path, capsys):
    if "/proc/rows" in arguments and not Path("/proc/self").exists():
        pytest.skip("nobody, not even root, makes a folder in Linux's /proc")
    with pytest.raises(SystemExit) as stopped:
        start(tmp_path / "rows", *arguments)
    assert stopped.value.code == 2
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "rows").exists()


def test_data_that_are_missing_are_missed_before_the_work_begins(tmp_path, capsys, monkeypatch):
    def load(name, data_home):
        if name == "glass5":
            raise FileNotFoundError("The data set 'glass5' is not on this machine.")
        return SimpleNamespace(name=name, y=np.zeros(10))

    monkeypatch.setattr(study, "load", load)
    with pytest.raises(SystemExit, match="2"):
        start(tmp_path, "--datasets", "glass4", "glass5", "--methods", "svmcs")
    assert "'glass5' is not on this machine." in capsys.readouterr().err
    assert not list(tmp_path.glob("published/*"))


def test_readers_are_still_found_in_study_with_a_warning():
    with pytest.warns(FutureWarning, match="import it from simpor.lab.records"):
        assert study.read is records.read
