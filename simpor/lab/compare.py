"""What to do about the imbalance of a table of one's own: ``python -m simpor.lab.compare --help``.

Methods are compared under one protocol, and a rule that was written down before decides between
them. The result is a report: three sentences (what to do, how sure that is, what would change it),
tables, curves, and code that fits the recommended model.

Nothing leaves the machine, and nothing is written but the report and what is asked for. While the
comparison runs, finished parts are kept in a folder beside the report; the same command continues
from them after an interruption. The folder goes when the report is there.

More processors take part when the comparison is started inside ``joblib.parallel_config("dask")``.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sys
import tempfile
import textwrap
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
import pandas as pd
from imblearn.pipeline import Pipeline
from numpy.typing import ArrayLike
from sklearn.base import ClassifierMixin
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.utils import check_random_state

from simpor._checks import LARGEST_SEED
from simpor.lab._compare_decision import Decision, decide, scores_of
from simpor.lab._compare_folds import (
    INNER_FOLDS,
    Costs,
    Outcome,
    Split,
    copies_across,
    run_all,
    run_method,
    splits_of,
)
from simpor.lab._compare_models import (
    METHODS,
    NOT_QUICK,
    ONLY_QUICK,
    SIMPOR_SETTINGS,
    code_of,
    make_columns,
    make_steps,
    shift_share,
)
from simpor.lab._compare_table import MOST_ROWS, Table, prepare, read_table
from simpor.lab._files import write_whole
from simpor.lab.learners import LEARNERS
from simpor.lab.protocol import _versions

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["METHODS", "Report", "compare", "main", "prepare", "read_table"]

#: Rows that a quick comparison looks at.
QUICK_ROWS = 5_000


@dataclass
class Report:
    """What a comparison found.

    Attributes
    ----------
    table : Table
        The rows and columns that were compared on.
    scores : DataFrame
        Long rows: learner, method, fold, seed, metric, value, seconds, failure.
    predictions : DataFrame
        One row for each test row: learner, method, fold, row, y, probability, corrected
        (the probability for the true share of the positive class), threshold.
    decision : Decision
        What is recommended, and the numbers behind it.
    splits : list of (train, test)
    costs : Costs or None
    threshold : float
        At which the recommended model decides when it is fitted on the whole table.
    code : str
        Python code that fits the recommended model.
    seed : int
        Of samplers and learners.
    settings : dict of str to str
        How the comparison was made.
    """

    table: Table
    scores: pd.DataFrame
    predictions: pd.DataFrame
    decision: Decision
    splits: list[Split]
    costs: Costs | None
    threshold: float
    code: str
    seed: int
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def sentences(self) -> tuple[str, str, str]:
        """What to do, how sure that is, and what would change it.

        Returns
        -------
        tuple of three str
        """
        what, sure, change = self.decision.sentences
        if self.table.warnings:
            sure = sure.removesuffix(".") + "; read it together with the warnings about the table."
        return what, sure, change

    @property
    def summary(self) -> pd.DataFrame:
        """One line for each learner and method, with intervals.

        Returns
        -------
        DataFrame
        """
        return self.decision.table

    def figures(self) -> dict[str, tuple[Figure, str]]:
        """Curves of the recommended learner, each with its description in words.

        Returns
        -------
        dict of str to (Figure, str)
            "precision and recall", "calibration" and "cost".
        """
        from simpor.lab._compare_report import figures_of

        return figures_of(self)

    def fit(self) -> ClassifierMixin:
        """Fit the recommended model on the whole table.

        Returns
        -------
        FixedThresholdClassifier
            Its ``predict`` takes a frame with the table's columns and decides at the threshold.
        """
        method = METHODS[self.decision.method]
        steps = make_steps(self.table, method, self.decision.learner, self.seed)
        model = FixedThresholdClassifier(Pipeline(steps), threshold=self.threshold)
        return model.fit(self.table.X, self.table.y)

    def to_html(self) -> str:
        """The report as one page that needs no other file.

        Returns
        -------
        str
        """
        from simpor.lab._compare_report import page

        return page(self)

    def to_csv(self) -> str:
        """The scores as CSV, in which no cell is a formula for a spreadsheet.

        Returns
        -------
        str
        """
        return self.scores.map(_no_formula).to_csv(
            index=False, float_format="%.6g", lineterminator="\n"
        )

    def _repr_html_(self) -> str:
        from simpor.lab._compare_report import body

        return body(self)

    def __str__(self) -> str:
        return "\n".join(textwrap.fill(sentence, 88) for sentence in self.sentences)


def _no_formula(value: Any) -> Any:
    """Text that a spreadsheet would run as a formula, with an apostrophe before it."""
    is_formula = isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r"))
    return f"'{value}" if is_formula else value


def compare(
    X: pd.DataFrame | ArrayLike,
    y: ArrayLike,
    *,
    learners: Sequence[str] = ("logistic", "boosting"),
    methods: Sequence[str] | None = None,
    cost_of_miss: float | None = None,
    cost_of_alarm: float | None = None,
    groups: str | ArrayLike | None = None,
    time: str | ArrayLike | None = None,
    positive: Any = None,
    quick: bool = False,
    random_state: int | np.random.RandomState | None = None,
    n_jobs: int = -1,
    verbose: int = 1,
) -> Report:
    """Compare what can be done about the imbalance of a table.

    Parameters
    ----------
    X : DataFrame or array-like of shape (n, d)
        Numbers, booleans, categories and text, with missing values.
    y : array-like of shape (n,)
        The classes.
    learners : sequence of {"logistic", "boosting", "network"}
    methods : sequence of str, default=None
        Names of ``METHODS``; None takes all that apply. "nothing" is always among them.
    cost_of_miss, cost_of_alarm : float, default=None
        What it costs to overlook a positive row, and to call a negative one positive. If they are
        given, what 1,000 rows cost is the score in place of macro-F1.
    groups : str or array-like of shape (n,), default=None
        A column's name or values: rows with the same value stay on one side of each split.
    time : str or array-like of shape (n,), default=None
        A column's name or values: training parts are earlier than test parts.
    positive : object, default=None
        The positive class, or a cut such as ">0"; None takes the rarer of two.
    quick : bool, default=False
        Five splits instead of ten, at most 5,000 rows, no tuned size, and SIMPOR with logistic
        regression in place of its network.
    random_state : int, RandomState instance or None, default=None
        Of splits, samplers and learners.
    n_jobs : int, default=-1
        Processes; -1 is one for each core.
    verbose : int, default=1
        1 shows progress and the time left on standard error.

    Returns
    -------
    Report

    Raises
    ------
    ValueError
        If nothing can be compared on this table; the message names the cure.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from simpor.lab.compare import compare
    >>> X, y = make_classification(400, weights=[0.9], random_state=0)
    >>> report = compare(X, y, learners=["logistic"], methods=["threshold", "smote"], quick=True,
    ...                  random_state=0, n_jobs=1, verbose=0)
    >>> report.summary["method"].tolist()
    ['nothing', 'threshold', 'smote']
    >>> len(report.sentences)
    3
    """
    frame = X if isinstance(X, pd.DataFrame) else pd.DataFrame(np.asarray(X)).add_prefix("x")
    target = y if isinstance(y, pd.Series) else pd.Series(np.ravel(np.asarray(y)))
    target = target.rename("y" if target.name is None else target.name)
    if len(frame) != len(target):
        raise ValueError(
            f"X has {len(frame)} rows and y has {len(target)}: give a class for each row."
        )
    chosen = _Choice.of(learners, methods, cost_of_miss, cost_of_alarm, quick)
    seed = int(check_random_state(random_state).randint(LARGEST_SEED))
    table = prepare(frame, target, positive=positive, groups=groups, time=time)
    if quick and len(table.y) > QUICK_ROWS:
        table = table.sample(QUICK_ROWS, seed)
    given = "" if positive is None else f", positive={positive!r}"
    read = f"from simpor.lab.compare import prepare\n\ntable = prepare(X, y{given})"
    splits = plan(table, quick, seed)
    return run(table, splits, chosen, read, seed, n_jobs=n_jobs, verbose=verbose)


@dataclass(frozen=True)
class _Choice:
    """What is compared, checked."""

    learners: tuple[str, ...]
    methods: tuple[str, ...]
    costs: Costs | None
    quick: bool

    @classmethod
    def of(
        cls,
        learners: Sequence[str],
        methods: Sequence[str] | None,
        cost_of_miss: float | None,
        cost_of_alarm: float | None,
        quick: bool,
    ) -> _Choice:
        """Refuse names that do not exist, and costs that make no sense."""
        if (cost_of_miss is None) != (cost_of_alarm is None):
            raise ValueError(
                "Give both costs, of a miss and of a false alarm: only their ratio says what to do."
            )
        costs = None
        if cost_of_miss is not None and cost_of_alarm is not None:
            for name, cost in (("miss", cost_of_miss), ("alarm", cost_of_alarm)):
                if not (np.isfinite(cost) and cost > 0):
                    raise ValueError(f"cost_of_{name}={cost}: give a number above 0.")
            costs = Costs(float(cost_of_miss), float(cost_of_alarm))
        for name in learners:
            _check_name("learner", name, LEARNERS)
        left_out = NOT_QUICK if quick else ONLY_QUICK
        if costs is None:
            left_out = left_out | {"threshold-by-costs"}
        wanted = set(METHODS) - left_out if methods is None else {"nothing", *methods}
        for name in wanted:
            _check_name("method", name, METHODS)
        if costs is None and "threshold-by-costs" in wanted:
            raise ValueError("method='threshold-by-costs': give the costs that it follows from.")
        in_order = tuple(name for name in METHODS if name in wanted)
        return cls(tuple(dict.fromkeys(learners)), in_order, costs, quick)


def _check_name(kind: str, name: str, known: Mapping[str, Any]) -> None:
    if name not in known:
        raise ValueError(f"{kind}={name!r}: choose from {', '.join(known)}.")


def plan(table: Table, quick: bool, seed: int) -> list[Split]:
    """The splits of a table; what they reveal about it is added to its warnings.

    Parameters
    ----------
    table : Table
    quick : bool
    seed : int

    Returns
    -------
    list of (train, test)
    """
    splits = splits_of(table, 1 if quick else 2, seed)
    n_copies, share = copies_across(table, splits)
    if share >= 0.005:  # less would read "0%"
        table.warnings.append(
            f"{n_copies:,} rows have an exact copy in the columns that are used, and {share:.0%} of a "
            "test part's rows have one in the training part. If the same thing was recorded twice, "
            "the scores are too good: drop the copies, or keep what belongs together on one side of "
            "the splits with --groups. In a table of few distinct values, copies are to be expected."
        )
    return splits


def run(
    table: Table,
    splits: list[Split],
    chosen: _Choice,
    read: str,
    seed: int,
    *,
    n_jobs: int = -1,
    folder: Path | None = None,
    verbose: int = 1,
) -> Report:
    """Run a comparison that was planned, and decide.

    Parameters
    ----------
    table : Table
    splits : list of (train, test)
    chosen : what is compared
    read : str
        Lines of code that make the table.
    seed : int
    n_jobs : int
    folder : Path, default=None
        Where finished parts are kept.
    verbose : int

    Returns
    -------
    Report
    """
    outcomes = run_all(
        table,
        splits,
        chosen.methods,
        chosen.learners,
        chosen.costs,
        random_state=seed,
        n_jobs=n_jobs,
        folder=folder,
        verbose=verbose,
    )
    scores = scores_of(outcomes, table.y, splits, chosen.costs)
    decision = decide(scores, splits, chosen.costs)
    # The threshold of the model that learns from all rows is chosen like that of a training part.
    everything = (np.arange(len(table.y)), np.arange(0))
    (whole,) = run_method(
        table, decision.method, [decision.learner], everything, 0, chosen.costs, seed
    )
    if whole.failure:
        raise ValueError(f"The recommended model failed on all rows together: {whole.failure}")
    method = METHODS[decision.method]
    return Report(
        table=table,
        scores=scores,
        predictions=_predictions(outcomes, table, splits),
        decision=decision,
        splits=splits,
        costs=chosen.costs,
        threshold=whole.threshold,
        code=code_of(table, method, decision.learner, seed, whole.threshold, read),
        seed=seed,
        settings=_settings(table, splits, chosen),
    )


def _predictions(
    outcomes: Sequence[Outcome], table: Table, splits: Sequence[Split]
) -> pd.DataFrame:
    parts = []
    for outcome in outcomes:
        if not outcome.failure:
            train, test = splits[outcome.fold]
            corrected = shift_share(outcome.probability, outcome.share, table.y[train].mean())
            part = {"learner": outcome.learner, "method": outcome.method, "fold": outcome.fold}
            part |= {"row": test, "y": table.y[test], "probability": outcome.probability}
            part |= {"corrected": corrected, "threshold": outcome.threshold}
            parts.append(pd.DataFrame(part))
    return pd.concat(parts, ignore_index=True)


def _settings(table: Table, splits: Sequence[Split], chosen: _Choice) -> dict[str, str]:
    """How the comparison was made, for the end of the report."""
    if table.in_time:
        kind = "in the order of time: each training part is everything before its test part"
    elif table.groups is not None:
        kind = "stratified, groups kept together"
    else:
        kind = "stratified"
    costs = chosen.costs
    return {
        "rows": f"{len(table.y):,}, of which {table.y.sum():,} are positive ({table.positive})",
        "columns": f"{len(table.numbers)} of numbers, {len(table.categories)} of categories",
        "splits": f"{len(splits)}, {kind}",
        "threshold": f"chosen on {INNER_FOLDS} folds inside each training part",
        "costs": "not given" if costs is None else f"miss {costs.miss:g}, alarm {costs.alarm:g}",
        "SIMPOR": str(SIMPOR_SETTINGS or "its defaults; no study has recommended a setting yet"),
        "versions": _all_versions(),
    }


def _all_versions() -> str:
    """Versions of what a model was made with."""
    return f"{_versions()}, pandas {version('pandas')}, joblib {version('joblib')}"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line.

    Parameters
    ----------
    arguments : sequence of str, default=None
        What follows the command; None takes that of this process.

    Returns
    -------
    int
        0 if the report was written, 130 if the comparison was stopped by Ctrl-C.
    """
    parser = _parser()
    given = parser.parse_args(arguments)
    parts = _beside(given.output, ".parts")
    try:
        with _calm_interrupt():
            _check_output(given)
            _compare_file(given, parts)
    except KeyboardInterrupt:
        print(
            f"\nStopped. What is finished is kept in {parts}: the same command continues from there.",
            file=sys.stderr,
        )
        return 130
    except (ValueError, ImportError, MemoryError) as error:
        parser.error(str(error) or "The table does not fit into memory: give fewer --rows.")
    except OSError as error:  # the disk is full, for instance
        where = f"{error.filename}: " if error.filename else ""
        parser.error(f"{where}{error.strerror or error}. What is finished is kept in {parts}.")
    return 0


@contextmanager
def _calm_interrupt() -> Iterator[None]:
    """Ctrl-C raises KeyboardInterrupt, and the other threads that run then end without a traceback.

    joblib's own thread may fail while its processes go, and what it prints would hide the sentence
    that says how to continue.
    """
    before = signal.getsignal(signal.SIGINT)
    # Only the main thread may set a handler; nohup ignores the signal, and others handle it themselves.
    if (
        before is not signal.default_int_handler
        or threading.current_thread() is not threading.main_thread()
    ):
        yield
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        print_error, ending = threading.excepthook, set(threading.enumerate())
        threading.excepthook = lambda error: None if error.thread in ending else print_error(error)
        signal.default_int_handler(number, frame)

    signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _compare_file(given: argparse.Namespace, parts: Path) -> None:
    """Read, compare, write."""
    chosen = _Choice.of(
        given.learner, given.methods, given.cost_of_miss, given.cost_of_alarm, given.quick
    )
    rows = min(given.rows, QUICK_ROWS) if given.quick else given.rows
    options = {
        "positive": given.positive,
        "groups": given.groups,
        "time": given.time,
        "ignore": given.ignore,
        "rows": None if rows == MOST_ROWS else rows,
    }
    options = {name: value for name, value in options.items() if value}
    table = read_table(given.table, given.target, **options, verbose=1)
    seed = 0
    splits = plan(table, given.quick, seed)
    for sentence in [*table.notes, *(f"Beware: {warning}" for warning in table.warnings)]:
        print(textwrap.fill(sentence, 96, subsequent_indent="  "))
    print(make_columns(table).__repr__(N_CHAR_MAX=4000))

    keywords = "".join(f", {name}={value!r}" for name, value in options.items())
    read = (
        "from simpor.lab.compare import read_table\n\n"
        f"table = read_table({str(given.table)!r}, {given.target!r}{keywords})"
    )
    report = run(table, splits, chosen, read, seed, n_jobs=given.jobs, folder=parts)
    _write(report, given)
    shutil.rmtree(parts, ignore_errors=True)
    print(f"\n{report}\n\n{_beside(given.output, '.html')}")


def _write(report: Report, given: argparse.Namespace) -> None:
    files = {
        _beside(given.output, ".scores.csv"): report.to_csv().encode(),
        _beside(given.output, ".html"): report.to_html().encode(),
    }
    if given.save_model:
        model = BytesIO()
        joblib.dump(report.fit(), model)
        about = {"fitted by": report.code.splitlines(), "versions": _all_versions().split(", ")}
        files[_beside(given.output, ".versions.json")] = json.dumps(about, indent=1).encode()
        files[_beside(given.output, ".joblib")] = model.getvalue()
    write_whole(files)


def _beside(output: Path, suffix: str) -> Path:
    """``report`` and ``report.html`` alike name report.html, report.csv and so on."""
    stem = output.with_suffix("") if output.suffix == ".html" else output
    return stem.with_name(stem.name + suffix)


def _check_output(given: argparse.Namespace) -> None:
    """Find out before the work whether the report can be written."""
    suffixes = [".html", ".scores.csv"] + [".joblib", ".versions.json"] * given.save_model
    outputs = [_beside(given.output, suffix) for suffix in suffixes]
    existing = [path for path in (given.table, *outputs) if path.exists()]
    if given.table in existing and any(path.samefile(given.table) for path in existing[1:]):
        raise ValueError(f"--output {given.output}: this is the table itself; give another name.")
    there = [path for path in outputs if path.exists()]
    if there and not given.again:
        raise ValueError(
            f"{there[0]} exists: give --again to replace it, or another name with --output."
        )
    folder = given.output.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise ValueError(
            f"--output {given.output}: {error.strerror}; name another place."
        ) from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m simpor.lab.compare",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description=textwrap.dedent(
            """\
            Compare what can be done about the imbalance of a table, and write a report that says
            what to do, how sure that is, and what would change it. Nothing leaves this machine. A
            comparison that was stopped continues when the same command is given again."""
        ),
        epilog="methods: " + ", ".join(METHODS),
    )
    _add_question(parser)
    _add_work(parser)
    return parser


def _add_question(parser: argparse.ArgumentParser) -> None:
    """Options that say what is compared, on what."""
    parser.add_argument("table", type=Path, help="CSV file, or parquet where pyarrow is installed")
    parser.add_argument("--target", required=True, metavar="COLUMN", help="column with the classes")
    parser.add_argument(
        "--positive",
        metavar="VALUE",
        help="the class that matters, or a cut such as '>0' (default: the rarer of two)",
    )
    parser.add_argument(
        "--learner",
        nargs="+",
        choices=list(LEARNERS),
        default=["logistic", "boosting"],
        help="what learns (default: logistic boosting)",
    )
    parser.add_argument(
        "--methods",
        nargs="+",
        choices=list(METHODS),
        metavar="METHOD",
        help="compare these with doing nothing (default: all)",
    )
    parser.add_argument(
        "--cost-of-miss", type=float, metavar="COST", help="of a positive row missed"
    )
    parser.add_argument("--cost-of-alarm", type=float, metavar="COST", help="of a false alarm")
    parser.add_argument(
        "--groups", metavar="COLUMN", help="rows with the same value stay on one side of a split"
    )
    parser.add_argument(
        "--time", metavar="COLUMN", help="train on what is earlier, test on what is later"
    )
    parser.add_argument(
        "--ignore", nargs="+", default=[], metavar="COLUMN", help="columns to leave out"
    )


def _add_work(parser: argparse.ArgumentParser) -> None:
    """Options that say how much work is done, and where it goes."""
    parser.add_argument(
        "--rows",
        type=_whole,
        default=MOST_ROWS,
        metavar="N",
        help="sample a file that has more rows (default: %(default)s)",
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help=f"five splits instead of ten, at most {QUICK_ROWS} rows, no tuned size, SIMPOR without "
        "its network",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("report"),
        metavar="NAME",
        help="the report is NAME.html, its scores NAME.scores.csv (default: %(default)s)",
    )
    parser.add_argument("--again", action="store_true", help="replace a report that is there")
    parser.add_argument(
        "--save-model",
        action="store_true",
        help="fit the recommended model and write NAME.joblib, with versions beside it",
    )
    parser.add_argument(
        "--jobs", type=int, default=-1, metavar="N", help="processes (default: one for each core)"
    )


def _whole(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text}: give a whole number of 1 or more")
    return number


if __name__ == "__main__":
    sys.exit(main())
