"""Every number in the result tables of the two papers, and the settings behind them, in one place.

Facts only, copied digit for digit, misprints included, each with its source in words. Methods keep
the papers' names (``DeepSM`` and ``BL SMOTE`` are spelled ``DeepSMOTE`` and ``BL-SMOTE``
throughout); :data:`METHOD_OF_PAPER_NAME` translates them. Data sets are named as in
`simpor.lab.datasets`.

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
TAI, Figures 6 and 7        :data:`FIGURES_6_AND_7`: what the text says; the curves carry no numbers
TAI, Figure 8               :data:`HARD_TO_DIFFERENTIATE_TAI`
==========================  ====================================================================

:func:`all_values` gives all results as one long table with their sources.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from simpor._moved import moved

__getattr__ = moved(
    __name__,
    {
        "OUR_NAME": f"{__name__}:METHOD_OF_PAPER_NAME",
        "SENSITIVITY": f"{__name__}:FIGURES_6_AND_7",
    },
)

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


def _read(file: str, index: str | None = None) -> pd.DataFrame:
    """One of the files; ``attrs["source"]`` of a table with an index says where it is printed."""
    table = pd.read_csv(_TABLES / file, comment="#")
    if index is None:
        return table
    table = table.set_index(index)
    if "source" in table:
        (table.attrs["source"],) = table.pop("source").unique()
    return table


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
    table = _read(file, index="dataset")
    table.attrs["source"] = source
    return table


METHOD_OF_PAPER_NAME = {
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
"""From the papers' names of the methods to those of :data:`simpor.lab.methods.METHODS`."""

SCORES = _read("scores.csv")
"""Every printed score of Moon, Breast Cancer and Credit Card: source, dataset, ratio (n in n:1),
metric, method, value. Of Figure 3 of the preprint, its Section 6.2.2 quotes three scores of six;
its Section 6.3.2 gives other scores than Table 2, which it discusses. The other 40 sets of the TAI
paper are in :func:`forty_one`."""

P_VALUES = _read("p_values.csv", index="method")
"""Wilcoxon signed-rank p-values, SIMPOR against each method over the 41 sets (TAI, Table III)."""

WINNING_TIMES = _read("winning_times.csv")
"""Sets on which a method has the highest score, ties counted for all (TAI, Figure 5): the first
and second of each metric. Section VII-C names no others."""

PREPRINT_COUNTS = _read("preprint_counts.csv", index="dataset")
"""Rows of the preprint's sets: Tables 2 and 3; Moon from Section 6.2.1, 1200:400 for training and
300:100 for testing. The credit card data have 492 frauds, not 490."""

DATASETS = _read("tai_table_9_datasets.csv", index="dataset")
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

HARD_TO_DIFFERENTIATE = _read("hard_to_differentiate.csv", index="method")["ratio"]
"""Hard-to-differentiate ratios of Credit Card at 7:1. For SMOTE and random oversampling the
figure shows one too, but the text does not name it. ADASYN: 2115 of 2585 fraud rows."""

HISTOGRAM_COUNTS = _read("histogram_counts.csv", index="rows")["count"]
"""Rows behind the ratio of ADASYN in the preprint's Figure 4; the text counts no other method's."""

HARD_TO_DIFFERENTIATE_TAI = _read("hard_to_differentiate_tai.csv", index="method")
"""Rows in both histograms (20 bins on the first principal component) and their share of the
minority rows, abalone9-18 after balancing (TAI, Figure 8)."""

FIGURES_6_AND_7 = {
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

NETWORKS = _read("networks.csv").set_index("source").T
"""Table 1 of the preprint and Table I of the TAI paper (which also lowers its rate by a factor of
0.9 when the loss stops falling by 1e-4 for 5 epochs). The preprint's hidden layers
are ReLU and its output is softmax; the TAI table names no activation."""

SETTINGS = _read("settings.csv")
"""Printed settings of the methods, the values as texts; those of the final networks are in
:data:`NETWORKS`."""


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
    """Give every number of both papers' result tables, each in a row with its source.

    Returns
    -------
    values : DataFrame
        Columns ``source``; ``dataset`` (a name that `simpor.lab.datasets.load` knows, or "all 41");
        ``metric``; ``method`` (the paper's name; "-" where the number is about the data set);
        ``value``. No two rows share all of the first four.

    Examples
    --------
    >>> from simpor.lab.published import all_values
    >>> values = all_values()
    >>> values[values["source"] == "TAI, Table III"].head(2)["value"].to_list()
    [0.00182, 0.00266]
    """
    # The credit card rows of Tables V to VIII come with their tables.
    controlled = SCORES[SCORES["source"] != "TAI, Tables V to VIII"]
    names = controlled["dataset"].str.replace(" ", "-") + "-" + controlled["ratio"].astype(str)
    parts = [
        controlled.assign(dataset=names),
        *(_long(forty_one(metric)).assign(metric=metric) for metric in _FORTY_ONE),
        _long(P_VALUES.T, index="metric").assign(
            dataset="all 41", metric=lambda part: "p-value, " + part["metric"]
        ),
        _long(PREPRINT_COUNTS, columns="metric").assign(method="-"),
        _long(DATASETS, columns="metric").assign(source="TAI, Table IX", method="-"),
        WINNING_TIMES.assign(dataset="all 41", metric="winning times, " + WINNING_TIMES["metric"]),
        _long(HARD_TO_DIFFERENTIATE_TAI.T, index="metric").assign(dataset="abalone9-18"),
        _long(HARD_TO_DIFFERENTIATE.to_frame().T, index="metric").assign(dataset="credit-card-7"),
        _long(HISTOGRAM_COUNTS.to_frame("ADASYN"), index="metric").assign(
            dataset="credit-card-7", metric=lambda part: "n_" + part["metric"]
        ),
    ]
    columns = ["source", "dataset", "metric", "method", "value"]
    return pd.concat([part[columns] for part in parts], ignore_index=True)


def _long(table: pd.DataFrame, index: str = "dataset", columns: str = "method") -> pd.DataFrame:
    """A table as one row for each cell, in reading order, with the source of the table."""
    stacked = table.rename_axis(index=index, columns=columns).stack()
    return stacked.rename("value").reset_index().assign(source=table.attrs.get("source"))
