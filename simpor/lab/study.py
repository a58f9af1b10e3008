"""Record a comparison: ``python -m simpor.lab.study --help``.

:mod:`simpor.lab.records` says which files a study writes. A set whose scores are there is not run
again: an interrupted study resumes. Both files of a set get their names when both are complete, the
scores last. Files that cannot be read are set aside under another name, and the set is run again.
Studies on one folder at the same time share the sets out: one that another study works on is left
to it.

With ``--learner`` the methods are crossed with learners, and each data set, learner and method has
one file of predictions; see :mod:`simpor.lab.crossed`.

A Dask cluster takes the resampling when the study is started from Python inside
``joblib.parallel_config("dask")``: ``study.main(["--datasets", "forty-one"])``.
"""

import argparse
import sys
import textwrap
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from tqdm import tqdm

from simpor._moved import moved
from simpor.lab import crossed, records
from simpor.lab.datasets import CONTROLLED, FORTY_ONE, Dataset, check_name, load
from simpor.lab.learners import BY_DEFAULT, CROSSED, GRID, LEARNERS, OWN
from simpor.lab.methods import ABLATION, COMPARISON, CONTROLS, METHODS
from simpor.lab.protocol import PROTOCOLS, run

__getattr__ = moved(
    __name__,
    {
        **dict.fromkeys(
            ["RESULTS", "read", "read_predictions", "read_thresholds"], "simpor.lab.records"
        ),
        "write_rows": "simpor.lab.records:write_scores",
    },
)

_DATASET_GROUPS = {"controlled": CONTROLLED, "forty-one": FORTY_ONE}
_METHOD_GROUPS = {
    "comparison": COMPARISON,
    "ablation": ABLATION,
    "controls": CONTROLS,
    "grid": GRID,
}


@dataclass(frozen=True)
class _Task:
    """One data set under one protocol, and the file of its scores."""

    dataset: str
    protocol: str
    methods: tuple[str, ...]
    trials: int
    results: Path

    @property
    def path(self) -> Path:
        return records.scores_path(self.dataset, self.protocol, self.results)

    @property
    def made_by(self) -> str:
        """How the first line of the file begins: the command, with nothing left to defaults."""
        return (
            f"# Made by python -m simpor.lab.study --datasets '{self.dataset}' --protocol "
            f"{self.protocol} --trials {self.trials} --methods {' '.join(self.methods)} in"
        )

    def is_pending(self) -> bool:
        """Whether the set has to be run; what another command made is kept, with a warning.

        Call this only while holding the claim: damaged files are set aside.
        """
        if not self.path.is_file():
            return True
        if not records.is_whole(self.path):
            records.set_aside(self.path)
            name = self.path.name
            print(f"{self.path} is damaged: set aside as {name}.damaged.", file=sys.stderr)
            return True
        if not records.first_line(self.path).startswith(self.made_by):
            print(
                f"{self.path} stays as it is, although other methods or trials made it: give "
                "--again to make it anew, or --results to write elsewhere.",
                file=sys.stderr,
            )
        return False

    def record(self, data: Dataset, n_jobs: int, verbose: int) -> None:
        """Run the set and write its scores and predictions; those of other methods are kept."""
        begin = time.perf_counter()
        scores, predictions = run(
            data,
            PROTOCOLS[self.protocol],
            self.methods,
            folds=range(self.trials),
            n_jobs=n_jobs,
            verbose=verbose,
        )
        minutes = (time.perf_counter() - begin) / 60
        if self.path.is_file() and records.is_whole(self.path):
            scores, predictions, minutes = records.with_others(
                self.path, scores, predictions, minutes
            )
        there = set(scores["method"])
        methods = tuple(method for method in METHODS if method in there)
        order = scores["method"].map(methods.index)
        scores = scores.assign(order=order).sort_values(["fold", "order"], kind="stable")
        made_by = replace(self, methods=methods).made_by
        records.write(
            self.path,
            scores.drop(columns="order"),
            predictions,
            methods,
            made_by,
            minutes,
            data.origin,
        )


def record(
    data: Dataset,
    protocol: str,
    *,
    methods: Sequence[str] = tuple(METHODS),
    trials: int | None = None,
    results: str | Path = records.RESULTS,
    n_jobs: int = -1,
    verbose: int = 1,
) -> Path:
    """Run one data set under one protocol and write its scores and predictions.

    Parameters
    ----------
    data : simpor.lab.datasets.Dataset
    protocol : {"published", "sound"}
    methods : sequence of str
    trials : int, default=None
        How many splits of the protocol are run, from the first one; None runs all.
    results : path-like
        Folder of the files.
    n_jobs : int
        Processes and threads; -1 is one for each core.
    verbose : int
        1 shows progress on standard error.

    Returns
    -------
    Path
        Of the scores.
    """
    trials = _n_splits(protocol) if trials is None else trials
    task = _Task(data.name, protocol, tuple(methods), trials, Path(results))
    task.record(data, n_jobs, verbose)
    return task.path


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line.

    Parameters
    ----------
    arguments : sequence of str, default=None
        What follows the command; None takes that of this process.
    """
    parser = _parser()
    given = parser.parse_args(arguments)
    # All data come first, so that a set that is missing is missed before the work begins.
    prepare = _prepare_sets if given.learner is None else _prepare_crossed
    try:
        record_all = prepare(given)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    try:
        record_all()
    except OSError as error:  # the disk is full, for instance
        parser.error(f"{error.strerror or error}: what was recorded before is kept.")
    except ImportError as error:
        parser.error(str(error))


def _prepare_sets(given: argparse.Namespace) -> Callable[[], None]:
    """Load what has to be recorded, and give back what records it."""
    tasks = _tasks(given)
    records.check_folder(given.results)
    pending = [task for task in tasks if given.again or _is_pending(task)]
    data = {task.dataset: load(task.dataset, data_home=given.data_home) for task in pending}
    return partial(_record_sets, pending, data, given)


def _tasks(given: argparse.Namespace) -> list[_Task]:
    """What the command line asks for, or a ValueError that says what is wrong with it."""
    datasets = _datasets(given)
    chosen = _expand(given.methods or list(METHODS), _METHOD_GROUPS)
    foreign = [name for name in chosen if name not in METHODS]
    if foreign:
        raise ValueError(f"--methods {foreign[0]}: this method needs --learner.")
    methods = tuple(method for method in METHODS if method in chosen)
    tasks = []
    for protocol in dict.fromkeys(given.protocol):
        n_splits = _n_splits(protocol)
        trials = n_splits if given.trials is None else given.trials
        if not 1 <= trials <= n_splits:
            raise ValueError(f"--trials {trials}: give 1 to {n_splits}, the splits of {protocol}.")
        tasks += [_Task(name, protocol, methods, trials, given.results) for name in datasets]
    return tasks


def _datasets(given: argparse.Namespace) -> list[str]:
    """The data sets that the command line names, or a ValueError that says what is wrong with it."""
    if given.jobs == 0:
        raise ValueError("--jobs 0: give 1 or more, or -1 for one for each core.")
    if given.data_home is not None and given.data_home.is_file():
        raise ValueError(f"--data-home {given.data_home}: this is a file; name a folder.")
    datasets = _expand(given.datasets, _DATASET_GROUPS)
    for dataset in datasets:
        check_name(dataset)
    return datasets


def _is_pending(task: _Task) -> bool:
    """Whether this study may have to run a set: another one may still be at it and be killed."""
    with records.claim(task.path) as is_free:
        return not is_free or task.is_pending()


def _record_sets(
    pending: Sequence[_Task], data: Mapping[str, Dataset], given: argparse.Namespace
) -> None:
    """Record one set after the other below a bar of progress."""

    def work(task: _Task) -> int:
        """Rows that pass through a sampler; a tuned threshold takes every split twice."""
        tuned = PROTOCOLS[task.protocol].tune_all
        return len(data[task.dataset].y) * task.trials * (1 + tuned)

    with tqdm(
        total=sum(map(work, pending)),
        bar_format="{desc}{percentage:3.0f}%|{bar}| {elapsed}, {remaining} left",
        disable=not pending,
    ) as bar:
        for number, task in enumerate(pending, start=1):
            bar.set_description(f"{task.dataset}, {task.protocol}, {number} of {len(pending)}")
            with records.claim(task.path) as is_free:
                if not is_free:
                    said = f"{task.path} is left to the study that works on it."
                    bar.write(said, file=sys.stderr)
                # another study may have come to it while this one was at the sets before
                elif given.again or task.is_pending():
                    task.record(data[task.dataset], given.jobs, verbose=0)
                    bar.write(str(task.path))
            bar.update(work(task))


@dataclass(frozen=True)
class _Cross:
    """One method on one data set, before some learners."""

    dataset: str
    method: str
    learners: tuple[str, ...]
    results: Path

    def path(self, learner: str) -> Path:
        return crossed.path_of(self.dataset, learner, self.method, self.results)

    @property
    def missing(self) -> tuple[str, ...]:
        """The learners whose record is not there, or is damaged."""
        return tuple(name for name in self.learners if not crossed.is_recorded(self.path(name)))

    @property
    def key(self) -> Path:
        """What a study claims, so that no other one resamples the same for other learners."""
        return self.path("any")


def _prepare_crossed(given: argparse.Namespace) -> Callable[[], None]:
    """Load what has to be recorded, and give back what records it."""
    crosses = _crosses(given)
    records.check_folder(given.results)
    pending = [cross for cross in crosses if given.again or cross.missing]
    names = {cross.dataset for cross in pending}
    data = {name: load(name, data_home=given.data_home) for name in names}
    return partial(_record_crossed, pending, data, given)


def _crosses(given: argparse.Namespace) -> list[_Cross]:
    """What the command line asks for, or a ValueError that says what is wrong with it."""
    if given.protocol != ["sound"]:
        raise ValueError("--learner: these records are of one protocol; give --protocol sound.")
    if given.trials is not None:
        raise ValueError("--trials: with --learner all splits are run; leave it out.")
    datasets = _datasets(given)
    crosses = []
    words = given.methods or list(BY_DEFAULT)
    for word in words:
        if word not in _METHOD_GROUPS and word not in CROSSED:
            raise ValueError(f"--methods {word}: this method is not crossed with learners.")
    for method in _expand(words, _METHOD_GROUPS):
        if method not in CROSSED:  # of a group
            continue
        learners = _learners_of(method, given.learner)
        crosses += [_Cross(name, method, learners, given.results) for name in datasets if learners]
    return crosses


def _learners_of(method: str, learners: Sequence[str]) -> tuple[str, ...]:
    """Those of the learners before which the method can stand."""
    kind = CROSSED[method].kind
    learners = [name for name in dict.fromkeys(learners) if (name == OWN) == (kind == "classifier")]
    if kind == "weights":  # the stack of networks takes none
        learners = [name for name in learners if name != "network"]
    return tuple(learners)


def _record_crossed(
    pending: Sequence[_Cross], data: Mapping[str, Dataset], given: argparse.Namespace
) -> None:
    """Record one method after the other below a bar of progress, each on all data sets."""
    with tqdm(
        total=sum(len(data[cross.dataset].y) for cross in pending),
        bar_format="{desc}{percentage:3.0f}%|{bar}| {elapsed}, {remaining} left",
        disable=not pending,
    ) as bar:
        for cross in pending:
            bar.set_description(f"{cross.method}, {cross.dataset}")
            with records.claim(cross.key) as is_free:
                # another study may have come to it while this one was at those before
                wanted = cross.learners if given.again else cross.missing
                if is_free and wanted:
                    made = crossed.run(data[cross.dataset], cross.method, wanted, n_jobs=given.jobs)
                    for learner, record in made.items():
                        crossed.write(cross.path(learner), record)
                        bar.write(str(cross.path(learner)))
            bar.update(len(data[cross.dataset].y))


def _n_splits(protocol: str) -> int:
    return PROTOCOLS[protocol].splits(0).get_n_splits()


def _expand(words: Sequence[str], groups: Mapping[str, Sequence[str]]) -> list[str]:
    """Names without repetition, group words replaced by what they stand for."""
    return list(dict.fromkeys(name for word in words for name in groups.get(word, [word])))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m simpor.lab.study",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description=textwrap.dedent(
            """\
            Compare methods on the papers' data sets and record, for each data set and protocol,
            the scores and the test predictions. What is recorded is not run again: a study that
            was stopped resumes when the same command is given again."""
        ),
        epilog="\n".join(
            [
                "data sets, in two groups (a name with blanks needs quotes):",
                *(_paragraph(group, names) for group, names in _DATASET_GROUPS.items()),
                "",
                "methods, in groups (ablation shares three with comparison):",
                *(_paragraph(group, _METHOD_GROUPS[group]) for group in _METHOD_GROUPS),
                "",
                "further methods, with --learner, as is the grid:",
                _paragraph("", [name for name in CROSSED if name not in (*METHODS, *GRID)]),
                "",
                "example:",
                "  python -m simpor.lab.study --datasets glass4 'car eval 4' --methods raw smote "
                "--trials 2",
            ]
        ),
    )
    parser.add_argument(
        "--datasets",
        nargs="+",
        default=["controlled"],
        metavar="NAME",
        help="data sets or groups of them, see below (default: controlled)",
    )
    parser.add_argument(
        "--methods",
        nargs="+",
        choices=[*_METHOD_GROUPS, *(METHODS | CROSSED)],
        metavar="METHOD",
        help=f"methods or groups of them, see below (default: all {len(METHODS)}; with --learner "
        f"{len(BY_DEFAULT)})",
    )
    parser.add_argument(
        "--learner",
        nargs="+",
        choices=[*LEARNERS, OWN],
        metavar="LEARNER",
        help=f"cross the methods with learners ({', '.join(LEARNERS)}) or run those that are "
        f"classifiers ({OWN}), and record one file of predictions for each data set, learner and "
        "method",
    )
    parser.add_argument(
        "--protocol",
        nargs="+",
        choices=list(PROTOCOLS),
        default=["published"],
        metavar="PROTOCOL",
        help="published (random splits, the papers' networks), sound (repeated folds, thresholds "
        "tuned for all methods), or both (default: published)",
    )
    splits = ", ".join(f"{_n_splits(name)} of {name}" for name in PROTOCOLS)
    parser.add_argument(
        "--trials",
        type=int,
        metavar="N",
        help=f"run the first N splits only (default: all, {splits})",
    )
    parser.add_argument(
        "--jobs",
        type=int,
        default=-1,
        metavar="N",
        help="processes that resample and threads that train (default: one for each core)",
    )
    parser.add_argument(
        "--results",
        type=Path,
        default=records.RESULTS,
        metavar="FOLDER",
        help="where the files are written (default: %(default)s)",
    )
    parser.add_argument(
        "--again",
        action="store_true",
        help="run what is recorded again, and replace it; other methods stay",
    )
    parser.add_argument(
        "--data-home",
        type=Path,
        metavar="FOLDER",
        help="where data files are looked for first (default: SIMPOR_DATA_HOME, then "
        "scikit-learn's data folder)",
    )
    return parser


def _paragraph(group: str, names: Sequence[str]) -> str:
    """A group word and the names that it stands for, as indented lines of the help text."""
    return textwrap.fill(
        ", ".join(names),
        width=79,
        initial_indent=f"  {group:12}",
        subsequent_indent=" " * 14,
        break_on_hyphens=False,
    )


if __name__ == "__main__":
    main()
