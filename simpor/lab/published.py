"""Numbers that the two papers print about Moon, Breast Cancer and Credit Card, in one place.

Facts only, copied digit for digit, each with its source in words. Methods keep the papers' names.
The scores of the 41 datasets are a table of their own and do not live here, except the four
credit-card rows.
"""

from __future__ import annotations

import pandas as pd

PREPRINT_COLUMNS = ["SIMPOR", "SMOTE", "Borderline SMOTE", "Over-Sampling", "ADASYN", "RawData"]
TAI_COLUMNS = ["SIMPOR", "GDO", "SMOTE", "BL-SMOTE", "ADASYN", "DeepSMOTE", "SVMCS", "EE"]

# (source, dataset, imbalance ratio, columns, {metric: values})
_BLOCKS = [
    # Section 6.2.2 quotes three of the six F1 scores that its Figure 3 shows.
    ("preprint, Figure 3", "moon", 3, ["SIMPOR", "RawData", "SMOTE"],
     {"f1": [0.9170, 0.852, 0.862]}),
    ("TAI, Table II", "moon", 7,
     ["SIMPOR", "SMOTE", "BL-SMOTE", "DeepSMOTE", "ADASYN", "GDO"],
     {"f1": [0.883, 0.824, 0.827, 0.842, 0.785, 0.817],
      "auc": [0.961, 0.957, 0.955, 0.959, 0.955, 0.959]}),
    ("preprint, Table 2", "breast cancer", 3, PREPRINT_COLUMNS,
     {"f1": [0.953, 0.931, 0.891, 0.935, 0.835, 0.944],
      "auc": [0.974, 0.974, 0.964, 0.974, 0.974, 0.971],
      "precision": [0.970, 0.924, 0.868, 0.935, 0.790, 0.975],
      "recall": [0.938, 0.938, 0.922, 0.936, 0.928, 0.919]}),
    ("preprint, Table 2", "breast cancer", 7, PREPRINT_COLUMNS,
     {"f1": [0.943, 0.903, 0.865, 0.939, 0.821, 0.879],
      "auc": [0.968, 0.968, 0.967, 0.967, 0.968, 0.966],
      "precision": [0.952, 0.899, 0.846, 0.948, 0.805, 0.873],
      "recall": [0.936, 0.918, 0.903, 0.932, 0.879, 0.907]}),
    # Section 6.3.2 gives other numbers than the table it discusses.
    ("preprint, Section 6.3.2", "breast cancer", 3, ["SIMPOR"], {"f1": [0.947], "auc": [0.977]}),
    ("preprint, Section 6.3.2", "breast cancer", 7, ["SIMPOR"], {"f1": [0.935], "auc": [0.986]}),
    ("preprint, Table 3", "credit card", 3, PREPRINT_COLUMNS,
     {"f1": [0.943, 0.903, 0.865, 0.939, 0.821, 0.879],
      "auc": [0.968, 0.968, 0.967, 0.967, 0.968, 0.966],
      "precision": [0.952, 0.899, 0.846, 0.948, 0.805, 0.873],
      "recall": [0.936, 0.918, 0.903, 0.932, 0.879, 0.907]}),
    ("preprint, Table 3", "credit card", 7, PREPRINT_COLUMNS,
     {"f1": [0.953, 0.931, 0.891, 0.935, 0.835, 0.944],
      "auc": [0.974, 0.974, 0.964, 0.974, 0.974, 0.971],
      "precision": [0.975, 0.924, 0.868, 0.935, 0.790, 0.975],
      "recall": [0.938, 0.938, 0.922, 0.936, 0.928, 0.919]}),
    ("preprint, Table 3", "credit card", 10, PREPRINT_COLUMNS,
     {"f1": [0.952, 0.901, 0.863, 0.658, 0.906, 0.930],
      "auc": [0.972, 0.957, 0.967, 0.964, 0.969, 0.975],
      "precision": [0.979, 0.891, 0.855, 0.662, 0.885, 0.931],
      "recall": [0.929, 0.925, 0.918, 0.845, 0.933, 0.936]}),
    ("preprint, Table 3", "credit card", 15, PREPRINT_COLUMNS,
     {"f1": [0.952, 0.909, 0.885, 0.917, 0.883, 0.944],
      "auc": [0.968, 0.963, 0.955, 0.963, 0.965, 0.960],
      "precision": [0.966, 0.892, 0.850, 0.909, 0.849, 0.984],
      "recall": [0.940, 0.931, 0.931, 0.935, 0.931, 0.911]}),
    # One table a metric: V is F1, VI is AUC, VII is recall, VIII is precision.
    ("TAI, Tables V to VIII", "credit card", 3, TAI_COLUMNS,
     {"f1": [0.954, 0.935, 0.946, 0.944, 0.943, 0.947, 0.907, 0.939],
      "auc": [0.974, 0.969, 0.966, 0.962, 0.962, 0.961, 0.968, 0.945],
      "precision": [0.961, 0.933, 0.955, 0.953, 0.951, 0.958, 0.904, 0.954],
      "recall": [0.948, 0.937, 0.937, 0.936, 0.935, 0.936, 0.911, 0.925]}),
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
    [(source, dataset, ratio, metric, method, value)
     for source, dataset, ratio, columns, block in _BLOCKS
     for metric, values in block.items()
     for method, value in zip(columns, values, strict=True)],
    columns=["source", "dataset", "ratio", "metric", "method", "value"],
)
"""Every printed score: source, dataset, ratio (n in n:1), metric, method, value."""

HARD_TO_DIFFERENTIATE = pd.Series(
    {"SIMPOR": 0.1114, "ADASYN": 0.8182, "Borderline SMOTE": 0.7598, "RawData": 0.6975},
    name="preprint, Figure 4 and Section 6.4.2",
)
"""Hard-to-differentiate ratios of Credit Card at 7:1. For SMOTE and random oversampling the
figure shows one too, but the text does not name it. ADASYN: 2115 of 2585 fraud rows."""

NETWORKS = pd.DataFrame(
    {"preprint, moon": [3, 100, 200, 32, 0.01],
     "preprint, breast cancer": [3, 50, 150, 32, 0.01],
     "preprint, credit card": [3, 200, 200, 64, 0.01],
     "TAI, all sets": [3, 100, 200, 32, 0.1]},
    index=["hidden layers", "units a layer", "epochs", "batch", "learning rate of Adam"],
)
"""Table 1 of the preprint and Table I of the TAI paper (which also lowers its rate by a factor of
0.9 when the loss stops falling by 1e-4 for 5 epochs)."""


def scores(source, dataset, ratio, *, names=None):
    """Give the printed scores of one table as a mapping, ready for ``figures.score_table``.

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
    chosen = SCORES[(SCORES["source"] == source) & (SCORES["dataset"] == dataset)
                    & (SCORES["ratio"] == ratio)]
    if chosen.empty:
        known = SCORES[["source", "dataset", "ratio"]].drop_duplicates().to_numpy().tolist()
        raise ValueError(f"nothing is printed there; choose one of {known}.")
    names = {} if names is None else names
    return {(names.get(row.method, row.method), names.get(row.metric, row.metric)): row.value
            for row in chosen.itertuples()}
