"""A table as it comes: read it, find the type of each column, and name what is wrong with it.

Nothing is trained here. :func:`read_rows` reads text only; :func:`prepare` decides what each column
is, chooses the positive class and collects the sentences that the report begins with.
"""

from __future__ import annotations

import codecs
import csv
import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import rankdata
from tqdm import tqdm

from simpor.lab._files import opened

#: A file with more rows is sampled.
MOST_ROWS = 100_000

#: Fewer rows of the rarer class leave folds with one of them, or none.
FEWEST_RARE = 10

#: A comparison of methods on fewer rows of the rarer class is possible, and says little.
FEW_RARE = 50

#: AUC of a single column from which on it is said to give the answer away.
GIVES_AWAY = 0.99

# Share of a column's values that have to be numbers, or dates, for the column to be of that type.
_MOST = 0.95
_CHUNK = 50_000
_BYTES_TO_LOOK_AT = 2**16
_SHOWN = 10

_DATE = re.compile(r"^\s*(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4})([T ].*)?$")
_THOUSANDS = r"^[-+]?\d{1,3}(,\d{3})+(\.\d+)?$"
_DECIMAL_COMMA = r"^[-+]?(\d{1,3}(\.\d{3})+|\d+),\d+$"
_CUT = re.compile(r"^\s*(<=|>=|<|>)\s*([-+0-9.eE]+)\s*$")


@dataclass
class Table:
    """Rows that can be compared on.

    Attributes
    ----------
    X : DataFrame of shape (n, d)
        The columns that are used: float64 for numbers, text for categories, with missing values.
    y : ndarray of int of shape (n,)
        1 for the positive class.
    numbers, categories : list of str
        The columns' names.
    groups : ndarray of int of shape (n,) or None
        Rows with the same number stay on one side of a split.
    in_time : bool
        Whether the rows are in the order of time, and are to be split by it.
    target : str
        Name of the target.
    positive : str
        What 1 stands for, as text.
    warnings : list of str
        What makes the scores doubtful, a sentence each.
    notes : list of str
        What was done with the table, a sentence each.
    """

    X: pd.DataFrame
    y: np.ndarray
    numbers: list[str]
    categories: list[str]
    groups: np.ndarray | None
    in_time: bool
    target: str
    positive: str
    warnings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def sample(self, n_rows: int, random_state: int) -> Table:
        """A table with some of the rows, in their order; every row has the same chance."""
        rng = np.random.default_rng(random_state)
        rows = np.sort(rng.choice(len(self.y), n_rows, replace=False))
        note = f"A sample of {n_rows:,} of the {len(self.y):,} rows was used."
        return replace(
            self,
            X=self.X.iloc[rows].reset_index(drop=True),
            y=self.y[rows],
            groups=None if self.groups is None else self.groups[rows],
            notes=[*self.notes, note],
        )


def read_table(
    path: str | Path,
    target: str,
    *,
    positive: Any = None,
    groups: str | None = None,
    time: str | None = None,
    ignore: Sequence[str] = (),
    rows: int = MOST_ROWS,
    random_state: int = 0,
    verbose: int = 0,
) -> Table:
    """Read a file and prepare it: the table that the command line compares on.

    Parameters
    ----------
    path : path-like
        CSV, also compressed; or parquet, where pyarrow is installed.
    target : str
        Column with the classes.
    positive : object, default=None
        The positive class: a value of the target, or a cut such as ">0" for a target of numbers.
        None takes the rarer of two classes.
    groups, time : str, default=None
        Column whose equal values stay together, and column by which the rows are ordered.
    ignore : sequence of str
        Columns to leave out.
    rows : int
        A file with more rows is sampled: every row with the same chance.
    random_state : int
        Of the sample.
    verbose : int
        1 shows progress on standard error.

    Returns
    -------
    Table

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If nothing can be compared on this table; the message is a sentence that names the cure.
    """
    frame, notes = read_rows(Path(path), rows, random_state, verbose)
    for name in filter(None, [target, groups, time, *ignore]):
        _check_column(name, frame.columns, path)
    return prepare(
        frame.drop(columns=[target]),
        frame[target].rename(target),
        positive=positive,
        groups=groups,
        time=time,
        ignore=ignore,
        notes=notes,
    )


def read_rows(
    path: Path, most_rows: int, random_state: int, verbose: int = 0
) -> tuple[pd.DataFrame, list[str]]:
    """Read the rows of a file as text, in chunks, and keep at most so many of them.

    Returns
    -------
    frame : DataFrame
        Of text; of the stored types if the file is parquet.
    notes : list of str
        What the file needed.
    """
    if path.is_dir():
        raise ValueError(f"{path} is a folder: name a CSV or parquet file.")
    if not path.is_file():
        raise FileNotFoundError(f"{path}: there is no such file.")
    notes: list[str] = []
    is_parquet = path.suffix in (".parquet", ".pq")
    chunks = _parquet_chunks(path) if is_parquet else _csv_chunks(path, notes, verbose)
    try:
        frame, n_all = _sample(chunks, most_rows, random_state)
    except pd.errors.ParserError as error:
        reason = str(error).removeprefix("Error tokenizing data. C error: ").strip()
        raise ValueError(
            f"{path} is not a table in the CSV format ({reason}): every line needs the same number "
            "of fields, and a field that contains the separator needs quotes."
        ) from error
    if n_all == 0:
        raise ValueError(
            f"{path} has no rows: give a file with a line of names and lines of values."
        )
    if n_all > len(frame):
        notes.append(
            f"The file has {n_all:,} rows. A sample of {len(frame):,} of them was used, in which "
            "every row had the same chance; --rows sets the number."
        )
    return frame, notes


class _Latin1Fallback:
    """Decode bytes that are not UTF-8 as Latin-1, and count them."""

    def __init__(self) -> None:
        self.n_bytes = 0
        codecs.register_error("simpor-latin-1", self)

    def __call__(self, error: UnicodeError) -> tuple[str, int]:
        if not isinstance(error, UnicodeDecodeError):
            raise error
        self.n_bytes += error.end - error.start
        return error.object[error.start : error.end].decode("latin-1"), error.end


def _csv_chunks(path: Path, notes: list[str], verbose: int) -> Iterator[pd.DataFrame]:
    """Chunks of text. The notes say afterwards which bytes were no UTF-8."""
    with opened(path) as file:
        start = file.read(_BYTES_TO_LOOK_AT)
    if not start.strip():
        raise ValueError(f"{path} is empty: give a file with a line of names and lines of values.")
    is_utf16 = start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    encoding = "utf-16" if is_utf16 else "utf-8-sig"
    fallback = _Latin1Fallback()
    reader = pd.read_csv(
        path,
        dtype=str,
        sep=_separator(start.decode(encoding, errors="replace")),
        encoding=encoding,
        encoding_errors="simpor-latin-1",
        chunksize=_CHUNK,
        skipinitialspace=True,
    )
    with reader, tqdm(desc="reading", unit=" rows", disable=not verbose, leave=False) as bar:
        for chunk in reader:
            yield chunk
            bar.update(len(chunk))
    if fallback.n_bytes:
        notes.append(
            f"{fallback.n_bytes:,} bytes of the file are not UTF-8 and were read as Latin-1: look "
            "at letters with accents."
        )


def _separator(text: str) -> str:
    """The separator of a CSV file, judged by its first lines."""
    lines = text.splitlines()[:50]
    try:
        return csv.Sniffer().sniff("\n".join(lines), delimiters=",;\t|").delimiter
    except csv.Error:  # one column, or lines too different
        return max(",;\t|", key=(lines or [""])[0].count)


def _parquet_chunks(path: Path) -> Iterator[pd.DataFrame]:
    try:
        from pyarrow import ArrowException  # type: ignore[import-not-found]
        from pyarrow.parquet import ParquetFile  # type: ignore[import-not-found]
    except ImportError:
        raise ValueError(
            f"{path} is a parquet file, which needs pyarrow: pip install pyarrow, or save the table "
            "as CSV."
        ) from None
    try:
        for batch in ParquetFile(path).iter_batches(_CHUNK):
            yield batch.to_pandas()
    except ArrowException as error:
        raise ValueError(f"{path} is no parquet file, or is damaged: {error}") from error


def _sample(
    chunks: Iterator[pd.DataFrame], most_rows: int, random_state: int
) -> tuple[pd.DataFrame, int]:
    """A uniform sample in the order of the file: the rows with the smallest of random keys."""
    rng = np.random.default_rng(random_state)
    kept, kept_keys = [pd.DataFrame()], [np.empty(0)]
    n_all, cutoff = 0, 1.0
    for chunk in chunks:
        keys = rng.random(len(chunk))
        n_all += len(chunk)
        kept.append(chunk[keys < cutoff])
        kept_keys.append(keys[keys < cutoff])
        if sum(map(len, kept_keys)) > 2 * most_rows:
            kept, kept_keys, cutoff = _smallest(kept, kept_keys, most_rows)
    kept, _, _ = _smallest(kept, kept_keys, most_rows)
    return kept[0].reset_index(drop=True), n_all


def _smallest(
    kept: list[pd.DataFrame], kept_keys: list[np.ndarray], most_rows: int
) -> tuple[list[pd.DataFrame], list[np.ndarray], float]:
    frame, keys = pd.concat(kept), np.concatenate(kept_keys)
    if len(keys) <= most_rows:
        return [frame], [keys], 1.0
    chosen = np.sort(np.argsort(keys)[:most_rows])
    return [frame.iloc[chosen]], [keys[chosen]], float(keys[chosen].max())


def _check_column(name: str, columns: pd.Index, path: str | Path) -> None:
    if name in columns:
        return
    names = [str(column) for column in columns]
    near = difflib.get_close_matches(str(name), names, 1, cutoff=0.5)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise ValueError(f"{path} has no column {name!r}.{hint} Its columns are {_listed(names)}.")


def _listed(values: Sequence[Any]) -> str:
    """Some values, at most ten, as text for a sentence."""
    shown = ", ".join(repr(value) for value in values[:_SHOWN])
    return shown + (f" and {len(values) - _SHOWN} more" if len(values) > _SHOWN else "")


def prepare(
    X: pd.DataFrame,
    y: pd.Series,
    *,
    positive: Any = None,
    groups: Any = None,
    time: Any = None,
    ignore: Sequence[str] = (),
    notes: Sequence[str] = (),
) -> Table:
    """Find the type of each column, choose the positive class, and name what is wrong.

    Parameters
    ----------
    X : DataFrame of shape (n, d)
    y : Series of shape (n,)
    positive : object
        As in :func:`read_table`.
    groups, time : str or array-like of shape (n,)
        A column's name, or a value for each row.
    ignore : sequence of str
    notes : sequence of str
        What is to be said before.

    Returns
    -------
    Table

    Raises
    ------
    ValueError
        If nothing can be compared on this table.
    """
    if groups is not None and time is not None:
        raise ValueError("Give groups or time, not both: the splits follow one of them.")
    notes, warnings = list(notes), list[str]()
    X = X.rename(columns=str).reset_index(drop=True)
    y = y.reset_index(drop=True)
    if not X.columns.is_unique:
        twice = X.columns[X.columns.duplicated()].unique().tolist()
        raise ValueError(f"Columns must differ in their names: {_listed(twice)} come twice.")
    X, in_groups = _taken_out(X, groups, "groups")
    X, at_times = _taken_out(X, time, "time")
    X = X.drop(columns=list(ignore))

    known = y.notna()
    if not known.all():
        notes.append(f"{(~known).sum():,} rows have no value in {y.name!r} and were left out.")
    X, y = X[known], y[known]
    labels, meaning = _positive_class(y, positive)
    notes.append(
        f"The positive class is {meaning}: {labels.sum():,} of {len(labels):,} rows "
        f"({labels.mean():.2%})."
    )
    _check_rare(labels, warnings)
    columns = _Columns(notes, warnings)
    X = columns.sort_out(X)
    columns.name_leaks(X, labels)
    if in_groups is not None:
        in_groups = pd.factorize(in_groups[known.to_numpy()], use_na_sentinel=False)[0]
    if at_times is not None:
        order = _order_in_time(at_times[known.to_numpy()], notes)
        X, labels = X.iloc[order], labels[order]
    return Table(
        X=X.reset_index(drop=True),
        y=labels,
        numbers=columns.numbers,
        categories=columns.categories,
        groups=in_groups,
        in_time=at_times is not None,
        target=str(y.name),
        positive=meaning,
        warnings=warnings,
        notes=notes,
    )


def _taken_out(X: pd.DataFrame, by: Any, name: str) -> tuple[pd.DataFrame, np.ndarray | None]:
    """A column by its name, which is then no feature; or values given as they are."""
    if by is None:
        return X, None
    if isinstance(by, str):
        _check_column(by, X.columns, f"{name}: the table")
        return X.drop(columns=[by]), X[by].to_numpy()
    values = np.asarray(by)
    if values.shape != (len(X),):
        raise ValueError(
            f"{name} has the shape {values.shape}: give one value for each of {len(X)} rows."
        )
    return X, values


def _order_in_time(values: np.ndarray, notes: list[str]) -> np.ndarray:
    times = pd.Series(values)
    numbers = pd.to_numeric(times, errors="coerce")
    if numbers.isna().mean() > 1 - _MOST:
        numbers = pd.to_datetime(times, errors="coerce", format="mixed", utc=True)
    n_unknown = int(numbers.isna().sum())
    if n_unknown > (1 - _MOST) * len(times):
        raise ValueError("time: the column holds neither numbers nor dates; name another one.")
    if n_unknown:
        notes.append(f"{n_unknown:,} rows have no time that can be read; they come first.")
    notes.append("The rows are ordered by time: every test part is later than its training part.")
    return (
        np.argsort(numbers.to_numpy(), kind="stable")
        if not n_unknown
        else np.asarray(numbers.sort_values(kind="stable", na_position="first").index)
    )


def _positive_class(y: pd.Series, positive: Any) -> tuple[np.ndarray, str]:
    """1 for the positive class, and the words for it."""
    name = y.name
    if positive is not None:
        return _chosen_class(y, positive)
    counts = y.value_counts()
    if len(counts) == 0:
        raise ValueError(f"{name!r} has no values: name another target.")
    if len(counts) == 1:
        raise ValueError(
            f"{name!r} has one class only, {counts.index[0]!r}: there is nothing to tell apart. "
            "Name another target, or bring rows of the other class."
        )
    if len(counts) > 2:
        numbers = pd.to_numeric(y, errors="coerce")
        is_measure = numbers.notna().all() and (len(counts) > 20 or (numbers % 1 != 0).any())
        if is_measure:
            raise ValueError(
                f"{name!r} is a number with {len(counts)} values, not a class: say where the positive "
                f"class begins, for instance --positive '>{numbers.median():g}' "
                f"(positive='>{numbers.median():g}' in Python)."
            )
        values = ", ".join(f"{v!r} ({n:,} rows)" for v, n in counts.head(_SHOWN).items())
        rarest = counts.index[-1]
        raise ValueError(
            f"{name!r} has {len(counts)} classes: {values}. Choose the one that matters with "
            f"--positive {rarest} (positive={rarest!r} in Python); all others become the other class."
        )
    first, second = counts.index
    if counts.iloc[0] == counts.iloc[1]:
        raise ValueError(
            f"{name!r} has two classes of {counts.iloc[0]:,} rows each, {first!r} and {second!r}: the "
            f"table is balanced. Choose the positive class with --positive {second}."
        )
    return (y == second).to_numpy().astype(int), f"{name} = {second}"


def _chosen_class(y: pd.Series, positive: Any) -> tuple[np.ndarray, str]:
    name = y.name
    cut = _CUT.match(str(positive))
    if cut:
        numbers = pd.to_numeric(y, errors="coerce")
        if numbers.isna().any():
            raise ValueError(f"--positive {positive}: {name!r} holds text, which has no cut.")
        sign, bound = cut[1], float(cut[2])
        chosen = {
            ">": numbers > bound,
            ">=": numbers >= bound,
            "<": numbers < bound,
            "<=": numbers <= bound,
        }[sign]
        meaning = f"{name} {sign} {bound:g}"
    else:
        chosen = y.astype(str) == str(positive)
        with_numbers = pd.to_numeric(pd.Series([positive]), errors="coerce").iloc[0]
        if not chosen.any() and pd.notna(with_numbers):  # "1" for 1.0
            chosen = pd.to_numeric(y, errors="coerce") == with_numbers
        meaning = f"{name} = {positive}"
    if chosen.all() or not chosen.any():
        raise ValueError(
            f"--positive {positive}: {'all' if chosen.all() else 'no'} rows are in this class. The "
            f"values of {name!r} are {_listed(y.value_counts().index.tolist())}."
        )
    return chosen.to_numpy().astype(int), meaning


def _check_rare(labels: np.ndarray, warnings: list[str]) -> None:
    n_rare = int(min(labels.sum(), len(labels) - labels.sum()))
    if n_rare < FEWEST_RARE:
        raise ValueError(
            f"The rarer class has {n_rare} rows. With fewer than {FEWEST_RARE}, a test part would hold "
            "one of them or none, so it cannot be concluded whether any remedy helps, not even "
            "whether the classes can be separated. Collect more rows of this class first."
        )
    if n_rare < FEW_RARE:
        warnings.append(
            f"The rarer class has {n_rare} rows only. Scores vary widely from one test part to the "
            "next, and only large differences can be seen."
        )


class _Columns:
    """Decides what each column is, and says so."""

    def __init__(self, notes: list[str], warnings: list[str]) -> None:
        self.notes, self.warnings = notes, warnings
        self.numbers: list[str] = []
        self.categories: list[str] = []
        self.left_out: dict[str, list[str]] = {}
        self.cleaned: list[str] = []

    def sort_out(self, X: pd.DataFrame) -> pd.DataFrame:
        """The columns that are used, each as numbers or as text."""
        used = {}
        for name in X.columns:
            values = self._column(name, X[name])
            if values is not None:
                used[name] = values
        for reason, names in self.left_out.items():
            self.notes.append(f"Left out, {reason}: {_listed(names)}.")
        if self.cleaned:
            self.notes.append(
                f"Text that holds numbers was read as numbers: {'; '.join(self.cleaned[:_SHOWN])}."
            )
        if not used:
            raise ValueError("No column is left to learn from: " + " ".join(self.notes))
        frame = pd.DataFrame(used, index=X.index)
        missing = frame.columns[frame.isna().any()].tolist()
        if missing:
            self.notes.append(
                f"Missing values are filled inside the folds, with the median or with a category of "
                f"their own: {_listed(missing)}."
            )
        return frame

    def _column(self, name: str, values: pd.Series) -> pd.Series | None:
        if values.nunique(dropna=True) <= 1:
            self._leave_out(name, "because all values are the same")
            return None
        if pd.api.types.is_datetime64_any_dtype(values) or _are_dates(values):
            reason = "because they are dates (name one with --time, or turn it into a number first)"
            self._leave_out(name, reason)
            return None
        numbers = self._as_numbers(name, values)
        if values.nunique() == len(values) and (numbers is None or _is_running_number(numbers)):
            self._leave_out(name, "because all values are different, as in an identifier")
            return None
        if numbers is None:
            self.categories.append(name)
            return values.astype(object).where(values.notna(), np.nan).map(str, na_action="ignore")
        if numbers.nunique() == len(numbers) and (numbers % 1 == 0).all():
            self.notes.append(
                f"The whole numbers of {name!r} are all different: if they identify the rows, leave the "
                "column out with --ignore."
            )
        self.numbers.append(name)
        return numbers

    def _leave_out(self, name: str, reason: str) -> None:
        """Note why a column is not used."""
        self.left_out.setdefault(reason, []).append(name)

    def _as_numbers(self, name: str, values: pd.Series) -> pd.Series | None:
        """A column as floats; None if it holds text."""
        if pd.api.types.is_numeric_dtype(values):
            numbers = values.astype("Float64").to_numpy(dtype=float, na_value=np.nan)
            return pd.Series(np.where(np.isfinite(numbers), numbers, np.nan), values.index)
        if isinstance(values.dtype, pd.CategoricalDtype):
            return None
        text = values.astype(object).map(lambda v: str(v).strip(), na_action="ignore")
        lower = text.map(str.lower, na_action="ignore")
        if lower.dropna().isin(["true", "false"]).all():
            return lower.map({"true": 1.0, "false": 0.0}).astype(float)
        numbers, how = _parse(text)
        n_lost = int((numbers.isna() & text.notna()).sum())
        if n_lost > (1 - _MOST) * text.notna().sum():
            return None
        if n_lost:
            lost = text[numbers.isna() & text.notna()].unique().tolist()
            how = f"{how}, with {n_lost:,} values taken as missing ({_listed(lost[:3])})".lstrip(
                ", "
            )
        if how:
            self.cleaned.append(f"{name!r} {how}")
        return numbers.where(np.isfinite(numbers))

    def name_leaks(self, X: pd.DataFrame, y: np.ndarray) -> None:
        """Warn of single columns that separate the classes on their own."""
        for name in X.columns:
            auc = single_column_auc(X[name], y)
            if auc >= GIVES_AWAY:
                self.warnings.append(
                    f"{name!r} alone tells the classes apart (AUC {auc:.3f}). If it is known only "
                    f"after the answer is, it gives the answer away: leave it out with --ignore, or "
                    "no score below means anything."
                )


def _parse(text: pd.Series) -> tuple[pd.Series, str]:
    """Text as numbers, where it is not plain with a word on how."""
    numbers = pd.to_numeric(text, errors="coerce").astype(float)
    if numbers.notna().sum() < _MOST * text.notna().sum():
        bare = text.str.replace(r"[\s\u00a0\u202f$€£%']", "", regex=True)
        commas = bare[bare.str.contains(",", na=False)]
        if len(commas) and commas.str.match(_THOUSANDS).all():
            bare, how = bare.str.replace(",", ""), "with commas between thousands"
        elif len(commas) and commas.str.match(_DECIMAL_COMMA).all():
            bare = bare.str.replace(".", "", regex=False).str.replace(",", ".", regex=False)
            how = "with decimal commas"
        else:
            how = "without signs of currency, percent and blanks"
        better = pd.to_numeric(bare, errors="coerce").astype(float)
        if better.notna().sum() > numbers.notna().sum():
            return better, how
    return numbers, ""


def _are_dates(values: pd.Series) -> bool:
    if pd.api.types.is_numeric_dtype(values) or isinstance(values.dtype, pd.CategoricalDtype):
        return False
    present = values.dropna().astype(str)
    return bool(present.str.match(_DATE).mean() >= _MOST)


def _is_running_number(numbers: pd.Series) -> bool:
    """Whether different whole numbers lie as close together as in an index."""
    is_whole = bool((numbers % 1 == 0).all())
    return is_whole and bool(numbers.max() - numbers.min() < 2 * len(numbers))


def single_column_auc(values: pd.Series, y: np.ndarray) -> float:
    """How well one column alone ranks the classes, whichever way round; missing values count too.

    A category is replaced by its share of positive rows among every second row, and ranked on the
    others: on the same rows, a column with many categories would always look like a leak.
    """
    missing = values.isna().to_numpy()
    if pd.api.types.is_numeric_dtype(values):
        ranked = values.fillna(values.median()).to_numpy()
        test = np.ones(len(y), dtype=bool)
    else:
        test = np.zeros(len(y), dtype=bool)
        for label in (0, 1):  # half of each class, whatever the order of the rows
            test[np.flatnonzero(y == label)[::2]] = True
        shares = pd.Series(y[~test]).groupby(values[~test].to_numpy()).mean()
        ranked = values.map(shares).fillna(y[~test].mean()).astype(float).to_numpy()
    return max(_auc(ranked[test], y[test]), _auc(missing.astype(float), y))


def _auc(values: np.ndarray, y: np.ndarray) -> float:
    n_positive = y.sum()
    above = rankdata(values)[y == 1].sum() - n_positive * (n_positive + 1) / 2
    auc = above / (n_positive * (len(y) - n_positive))
    return float(max(auc, 1 - auc))
