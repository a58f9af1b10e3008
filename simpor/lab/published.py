"""Every number in the result tables of the two papers, and the settings behind them, in one place.

Facts only, copied digit for digit, misprints included, each with its source in words. Methods keep
the papers' names (``DeepSM`` and ``BL SMOTE`` are spelled ``DeepSMOTE`` and ``BL-SMOTE``
throughout); :data:`OUR_NAME` translates them. Data sets are named as in `simpor.lab.datasets`.

==========================  ====================================================================
source                      here
==========================  ====================================================================
preprint, Table 1           :data:`NETWORKS`, :data:`SETTINGS`
preprint, Tables 2, 3       :data:`SCORES`, :func:`scores`; counts in :data:`PREPRINT_COUNTS`
preprint, Figure 3          :data:`SCORES`: the F1 scores that the text gives
preprint, Figure 4          :data:`HARD_TO_DIFFERENTIATE`, :data:`HISTOGRAM_COUNTS`
TAI, Table I                :data:`NETWORKS`, :data:`SETTINGS`
TAI, Table II               :data:`SCORES`, :func:`scores`
TAI, Table III              :data:`P_VALUES`
TAI, Tables IV to VIII      :func:`forty_one`, from one CSV file a table
TAI, Table IX               :data:`DATASETS`, :data:`DATASETS_CORRECTED`
TAI, Figure 5               :data:`WINNING_TIMES`
TAI, Figures 6 and 7        :data:`SENSITIVITY`: what the text says; the curves carry no numbers
TAI, Figure 8               :data:`HARD_TO_DIFFERENTIATE_TAI`
==========================  ====================================================================

:func:`all_values` gives all results as long rows with their sources.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

PREPRINT_COLUMNS = ["SIMPOR", "SMOTE", "Borderline SMOTE", "Over-Sampling", "ADASYN", "RawData"]
TAI_COLUMNS = ["SIMPOR", "GDO", "SMOTE", "BL-SMOTE", "ADASYN", "DeepSMOTE", "SVMCS", "EE"]

_TABLES = Path(__file__).with_name("published-tables")

# metric: (source, file)
_FORTY_ONE = {
    "seconds": ("TAI, Table IV", "tai_table_4_seconds.csv"),
    "f1": ("TAI, Table V", "tai_table_5_f1.csv"),
    "auc": ("TAI, Table VI", "tai_table_6_auc.csv"),
    "recall": ("TAI, Table VII", "tai_table_7_recall.csv"),
    "precision": ("TAI, Table VIII", "tai_table_8_precision.csv"),
}


def _read(file: str) -> pd.DataFrame:
    return pd.read_csv(_TABLES / file, comment="#", index_col="dataset")


def forty_one(metric: str) -> pd.DataFrame:
    """Give one of the TAI paper's tables over the 41 data sets.

    Parameters
    ----------
    metric : {"f1", "auc", "recall", "precision", "seconds"}
        Tables V, VI, VII, VIII: scores, means of 5 trials. Table IV: seconds to oversample all
        sets, on a processor of 32 threads and two RTX 3090 Ti.

    Returns
    -------
    table : DataFrame
        Index: the 41 names of `simpor.lab.datasets.FORTY_ONE` in that order. Columns: methods,
        as the paper names them. ``table.attrs["source"]`` names the printed table.

    Raises
    ------
    ValueError
        If there is no such table.

    Examples
    --------
    >>> from simpor.lab.published import forty_one
    >>> table = forty_one("f1")
    >>> table.shape, float(table.loc["pima", "SIMPOR"]), table.attrs["source"]
    ((41, 8), 0.777, 'TAI, Table V')
    """
    if metric not in _FORTY_ONE:
        raise ValueError(f"no table of {metric!r} is printed; choose one of {list(_FORTY_ONE)}.")
    source, file = _FORTY_ONE[metric]
    table = _read(file)
    table.attrs["source"] = source
    return table


# (source, dataset, imbalance ratio, columns, {metric: values})
_BLOCKS = [
    # Section 6.2.2 quotes three of the six F1 scores that its Figure 3 shows.
    (
        "preprint, Figure 3",
        "moon",
        3,
        ["SIMPOR", "RawData", "SMOTE"],
        {"f1": [0.9170, 0.852, 0.862]},
    ),
    (
        "TAI, Table II",
        "moon",
        7,
        ["SIMPOR", "SMOTE", "BL-SMOTE", "DeepSMOTE", "ADASYN", "GDO"],
        {
            "f1": [0.883, 0.824, 0.827, 0.842, 0.785, 0.817],
            "auc": [0.961, 0.957, 0.955, 0.959, 0.955, 0.959],
        },
    ),
    (
        "preprint, Table 2",
        "breast cancer",
        3,
        PREPRINT_COLUMNS,
        {
            "f1": [0.953, 0.931, 0.891, 0.935, 0.835, 0.944],
            "auc": [0.974, 0.974, 0.964, 0.974, 0.974, 0.971],
            "precision": [0.970, 0.924, 0.868, 0.935, 0.790, 0.975],
            "recall": [0.938, 0.938, 0.922, 0.936, 0.928, 0.919],
        },
    ),
    (
        "preprint, Table 2",
        "breast cancer",
        7,
        PREPRINT_COLUMNS,
        {
            "f1": [0.943, 0.903, 0.865, 0.939, 0.821, 0.879],
            "auc": [0.968, 0.968, 0.967, 0.967, 0.968, 0.966],
            "precision": [0.952, 0.899, 0.846, 0.948, 0.805, 0.873],
            "recall": [0.936, 0.918, 0.903, 0.932, 0.879, 0.907],
        },
    ),
    # Section 6.3.2 gives other numbers than the table it discusses.
    ("preprint, Section 6.3.2", "breast cancer", 3, ["SIMPOR"], {"f1": [0.947], "auc": [0.977]}),
    ("preprint, Section 6.3.2", "breast cancer", 7, ["SIMPOR"], {"f1": [0.935], "auc": [0.986]}),
    (
        "preprint, Table 3",
        "credit card",
        3,
        PREPRINT_COLUMNS,
        {
            "f1": [0.943, 0.903, 0.865, 0.939, 0.821, 0.879],
            "auc": [0.968, 0.968, 0.967, 0.967, 0.968, 0.966],
            "precision": [0.952, 0.899, 0.846, 0.948, 0.805, 0.873],
            "recall": [0.936, 0.918, 0.903, 0.932, 0.879, 0.907],
        },
    ),
    (
        "preprint, Table 3",
        "credit card",
        7,
        PREPRINT_COLUMNS,
        {
            "f1": [0.953, 0.931, 0.891, 0.935, 0.835, 0.944],
            "auc": [0.974, 0.974, 0.964, 0.974, 0.974, 0.971],
            "precision": [0.975, 0.924, 0.868, 0.935, 0.790, 0.975],
            "recall": [0.938, 0.938, 0.922, 0.936, 0.928, 0.919],
        },
    ),
    (
        "preprint, Table 3",
        "credit card",
        10,
        PREPRINT_COLUMNS,
        {
            "f1": [0.952, 0.901, 0.863, 0.658, 0.906, 0.930],
            "auc": [0.972, 0.957, 0.967, 0.964, 0.969, 0.975],
            "precision": [0.979, 0.891, 0.855, 0.662, 0.885, 0.931],
            "recall": [0.929, 0.925, 0.918, 0.845, 0.933, 0.936],
        },
    ),
    (
        "preprint, Table 3",
        "credit card",
        15,
        PREPRINT_COLUMNS,
        {
            "f1": [0.952, 0.909, 0.885, 0.917, 0.883, 0.944],
            "auc": [0.968, 0.963, 0.955, 0.963, 0.965, 0.960],
            "precision": [0.966, 0.892, 0.850, 0.909, 0.849, 0.984],
            "recall": [0.940, 0.931, 0.931, 0.935, 0.931, 0.911],
        },
    ),
    (
        "TAI, Tables V to VIII",
        "credit card",
        3,
        TAI_COLUMNS,
        {
            metric: forty_one(metric).loc["creditcard", TAI_COLUMNS].to_list()
            for metric in ["f1", "auc", "precision", "recall"]
        },
    ),
]

OUR_NAME = {
    "SIMPOR": "simpor-published",
    "GDO": "gdo",
    "SMOTE": "smote",
    "Borderline SMOTE": "borderline-smote",
    "BL-SMOTE": "borderline-smote",
    "Over-Sampling": "random-oversampling",
    "ADASYN": "adasyn",
    "DeepSMOTE": "deepsmote",
    "SVMCS": "svmcs",
    "EE": "easy-ensemble",
    "RawData": "raw",
}
"""The papers' names of the methods, and those of :data:`simpor.lab.methods.METHODS`."""

SCORES = pd.DataFrame(
    [
        (source, dataset, ratio, metric, method, value)
        for source, dataset, ratio, columns, block in _BLOCKS
        for metric, values in block.items()
        for method, value in zip(columns, values, strict=True)
    ],
    columns=["source", "dataset", "ratio", "metric", "method", "value"],
)
"""Every printed score of Moon, Breast Cancer and Credit Card: source, dataset, ratio (n in n:1),
metric, method, value. The other 40 sets of the TAI paper are in :func:`forty_one`."""

P_VALUES = pd.DataFrame(
    {
        "f1": [1.82e-3, 2.66e-3, 4.22e-3, 2.89e-3, 6.40e-4, 2.74e-3, 1.99e-3],
        "auc": [1.93e-3, 6.64e-5, 1.63e-4, 6.13e-4, 2.57e-4, 3.40e-2, 2.17e-2],
    },
    index=pd.Index(TAI_COLUMNS[1:], name="method"),
)
"""Wilcoxon signed-rank p-values, SIMPOR against each method over the 41 sets (TAI, Table III)."""

WINNING_TIMES = pd.DataFrame(
    [("f1", "SIMPOR", 23), ("f1", "SVMCS", 6), ("auc", "SIMPOR", 25), ("auc", "EE", 10)],
    columns=["metric", "method", "value"],
)
"""Sets on which a method has the highest score, ties counted for all (TAI, Figure 5): the first
and second of each metric. Section VII-C names no others."""

PREPRINT_COUNTS = pd.DataFrame(
    {
        "moon-3": [1500, 500],
        "breast-cancer-3": [357, 120],
        "breast-cancer-7": [357, 50],
        "credit-card-3": [1470, 490],
        "credit-card-7": [3430, 490],
        "credit-card-10": [4900, 490],
        "credit-card-15": [7350, 490],
    },
    index=["n_majority", "n_minority"],
).T.rename_axis("dataset")
"""Rows of the preprint's sets: Tables 2 and 3; Moon from Section 6.2.1, 1200:400 for training and
300:100 for testing. The credit card data have 492 frauds, not 490."""

DATASETS = _read("tai_table_9_datasets.csv")
"""TAI, Table IX, as printed: n_samples, n_features, imbalance_ratio, n_majority, n_minority."""

DATASETS_CORRECTED = DATASETS.copy()
"""Table IX with its misprints put right; every row now agrees with its own counts. yeast3 has 163
minority rows (63 is printed) and abalone19 has 4142:32 (689:42 is printed, the counts of
abalone9-18). 463:51 is 9.1 (9.0 is printed) and 1433:51 is 28.1 (28.0 is printed for yeast me2,
28.1 for yeast4, which holds the same rows)."""
DATASETS_CORRECTED.loc["yeast3", "n_minority"] = 163
DATASETS_CORRECTED.loc["abalone19", ["n_majority", "n_minority"]] = [4142, 32]
DATASETS_CORRECTED.loc["yeast-2 vs 4", "imbalance_ratio"] = 9.1
DATASETS_CORRECTED.loc["yeast me2", "imbalance_ratio"] = 28.1

HARD_TO_DIFFERENTIATE = pd.Series(
    {"SIMPOR": 0.1114, "ADASYN": 0.8182, "Borderline SMOTE": 0.7598, "RawData": 0.6975},
    name="preprint, Figure 4 and Section 6.4.2",
)
"""Hard-to-differentiate ratios of Credit Card at 7:1. For SMOTE and random oversampling the
figure shows one too, but the text does not name it. ADASYN: 2115 of 2585 fraud rows."""

HISTOGRAM_COUNTS = pd.Series(
    {"intersection": 2115, "fraud": 2585}, name="preprint, Figure 4 and Section 6.4.2"
)
"""Rows behind the ratio of ADASYN in the preprint's Figure 4; the text counts no other method's."""

HARD_TO_DIFFERENTIATE_TAI = pd.DataFrame(
    {
        "n_minority": 517,
        "n_majority": 517,
        "n_intersection": [80, 295, 308, 257, 317, 150],
        "ratio": [0.1547, 0.5706, 0.5957, 0.4971, 0.6132, 0.2901],
    },
    index=pd.Index(["SIMPOR", "GDO", "SMOTE", "BL-SMOTE", "ADASYN", "DeepSMOTE"], name="method"),
)
"""Rows in both histograms (20 bins on the first principal component) and their share of the
minority rows, abalone9-18 after balancing (TAI, Figure 8)."""

SENSITIVITY = {
    "alpha": {
        "source": "TAI, Figure 6 and Appendix C-A",
        "values": (0.2, 0.4, 0.6, 0.8, 1.0),
        "little_effect": (0.6, 1.0),
        "scores_rise": (0.2, 0.6),
        "datasets_that_rise": ("ecoli1", "abalone9-18", "yeast4"),
    },
    # The step of the grid is not printed.
    "informative_portion": {
        "source": "TAI, Figure 7 and Appendix C-B",
        "range": (0.1, 1.0),
        "advised": (0.2, 0.6),
        "datasets_little_effect": ("new-thyroid1", "ecoli1"),
        "datasets_that_vary": ("abalone9-18", "glass0", "yeast4"),
    },
}
"""What the text says about the curves of Figures 6 and 7, on five sets."""

NETWORKS = pd.DataFrame(
    {
        "preprint, moon": [3, 100, 200, 32, 0.01],
        "preprint, breast cancer": [3, 50, 150, 32, 0.01],
        "preprint, credit card": [3, 200, 200, 64, 0.01],
        "TAI, all sets": [3, 100, 200, 32, 0.1],
    },
    index=["hidden layers", "units a layer", "epochs", "batch", "learning rate of Adam"],
)
"""Table 1 of the preprint and Table I of the TAI paper (which also lowers its rate by a factor of
0.9 when the loss stops falling by 1e-4 for 5 epochs). The preprint's hidden layers
are ReLU and its output is softmax; the TAI table names no activation."""

SETTINGS = pd.DataFrame(
    [
        ("TAI, Table I", "SIMPOR", "k_neighbors", 5),
        ("TAI, Table I", "SIMPOR", "radius distribution", "Gaussian"),
        ("TAI, Table I", "SIMPOR", "informative portion", 0.3),
        ("TAI, Table I", "GDO", "k_neighbors", 5),
        ("TAI, Table I", "GDO", "d", 1),
        ("TAI, Table I", "SMOTE", "k_neighbors", 5),
        ("TAI, Table I", "BL-SMOTE", "k_neighbors", 5),
        ("TAI, Table I", "ADASYN", "k_neighbors", 5),
        ("TAI, Table I", "EE", "n_estimators", 10),
        ("TAI, Table I", "EE", "estimator", "AdaBoostClassifier"),
        ("TAI, Table I", "DeepSMOTE", "sigma", 1),
        ("TAI, Table I", "DeepSMOTE", "lambda", 0.1),
        ("TAI, Section V-B", "SIMPOR", "bandwidth", "N^(-1/(d+4))"),
        ("TAI, Section VII-A", "SIMPOR", "entropy network, hidden layers", 2),
        ("TAI, Section VII-A", "SIMPOR", "entropy network, units a layer", 10),
        ("TAI, Section VII-A", "SIMPOR", "entropy network, most epochs", 300),
        ("TAI, Section VII-A", "SIMPOR", "initial rows a class", 3),
        ("TAI, Section VII-A", "SIMPOR", "rows a batch of queries", 20),
        ("TAI, Section VII-A", "SIMPOR", "gradient rate", 1e-5),
        ("TAI, Section VII-A", "SIMPOR", "most iterations", 300),
        ("TAI, Section VII-A", "all", "test share", 0.2),
        ("TAI, Section VII-A", "all", "trials", 5),
        ("preprint, Section 2.3", "SIMPOR", "entropy threshold", 0.7),
        ("preprint, Section 4.2", "SIMPOR", "k_neighbors", "5 to 20"),
        ("preprint, Section 4.2", "SIMPOR", "radius distribution", "uniform"),
        ("preprint, Section 6.1", "SIMPOR", "entropy network, hidden layers", 3),
        ("preprint, Section 6.1", "SIMPOR", "entropy network, units a layer", 100),
        ("preprint, Section 6.1", "SIMPOR", "entropy network, most epochs", 300),
        ("preprint, Section 6.1", "SIMPOR", "gradient rate", 1e-5),
        ("preprint, Section 6.1", "SIMPOR", "most iterations", 300),
        ("preprint, Section 6.1", "all", "test share", 0.2),
        ("preprint, Section 6.1", "all", "trials", 5),
    ],
    columns=["source", "method", "setting", "value"],
)
"""Printed settings of the methods; those of the final classifiers are in :data:`NETWORKS`."""


def scores(
    source: str, dataset: str, ratio: int, *, names: Mapping[str, str] | None = None
) -> dict[tuple[str, str], float]:
    """Give the printed scores of one table as a mapping, by method and metric.

    Parameters
    ----------
    source, dataset : str
        As in the columns of :data:`SCORES`.
    ratio : int
        The n of n:1.
    names : mapping of str to str, optional
        New names for methods and metrics, where ours differ from the paper's.

    Returns
    -------
    values : dict of (method, metric) to float

    Raises
    ------
    ValueError
        If no score is printed there.

    Examples
    --------
    >>> from simpor.lab.published import scores
    >>> scores("TAI, Table II", "moon", 7)["GDO", "auc"]
    0.959
    """
    chosen = SCORES[
        (SCORES["source"] == source) & (SCORES["dataset"] == dataset) & (SCORES["ratio"] == ratio)
    ]
    if chosen.empty:
        known = SCORES[["source", "dataset", "ratio"]].drop_duplicates().to_numpy().tolist()
        raise ValueError(f"nothing is printed there; choose one of {known}.")
    names = {} if names is None else names
    return {
        (names.get(row.method, row.method), names.get(row.metric, row.metric)): row.value
        for row in chosen.itertuples()
    }


def all_values() -> pd.DataFrame:
    """Give every number of both papers' result tables, one row each, with its source.

    Returns
    -------
    rows : DataFrame
        Columns ``source``; ``dataset`` (a name that `simpor.lab.datasets.load` knows, or "all 41");
        ``metric``; ``method`` (the paper's name; "-" where the number is about the data set);
        ``value``. No two rows share all of the first four.

    Examples
    --------
    >>> from simpor.lab.published import all_values
    >>> rows = all_values()
    >>> rows[rows["source"] == "TAI, Table III"].head(2)["value"].to_list()
    [0.00182, 0.00266]
    """
    # The credit card rows of Tables V to VIII come with their tables.
    controlled = SCORES[SCORES["source"] != "TAI, Tables V to VIII"]
    names = controlled["dataset"].str.replace(" ", "-") + "-" + controlled["ratio"].astype(str)
    parts = [controlled.assign(dataset=names)]
    for metric, (source, _) in _FORTY_ONE.items():
        parts.append(_long(forty_one(metric)).assign(source=source, metric=metric))
    parts += [
        _long(P_VALUES.T, rows="metric").assign(
            source="TAI, Table III",
            dataset="all 41",
            metric=lambda row: "p-value, " + row["metric"],
        ),
        _long(PREPRINT_COUNTS, columns="metric").assign(
            source="preprint, Tables 2 and 3, Section 6.2.1", method="-"
        ),
        _long(DATASETS, columns="metric").assign(source="TAI, Table IX", method="-"),
        WINNING_TIMES.assign(
            source="TAI, Figure 5",
            dataset="all 41",
            metric="winning times, " + WINNING_TIMES["metric"],
        ),
        _long(HARD_TO_DIFFERENTIATE_TAI.T, rows="metric").assign(
            source="TAI, Figure 8", dataset="abalone9-18"
        ),
        pd.DataFrame({"value": HARD_TO_DIFFERENTIATE})
        .rename_axis("method")
        .reset_index()
        .assign(source=HARD_TO_DIFFERENTIATE.name, dataset="credit-card-7", metric="ratio"),
        pd.DataFrame({"value": HISTOGRAM_COUNTS})
        .rename_axis("metric")
        .reset_index()
        .assign(
            source=HISTOGRAM_COUNTS.name,
            dataset="credit-card-7",
            method="ADASYN",
            metric=lambda row: "n_" + row["metric"],
        ),
    ]
    columns = ["source", "dataset", "metric", "method", "value"]
    return pd.concat([part[columns] for part in parts], ignore_index=True)


def _long(table: pd.DataFrame, rows: str = "dataset", columns: str = "method") -> pd.DataFrame:
    """A table as one row a cell, in reading order."""
    stacked = table.rename_axis(index=rows, columns=columns).stack()
    return stacked.rename("value").reset_index()
