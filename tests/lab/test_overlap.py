import numpy as np
import pytest
from imblearn.over_sampling import SMOTE
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from simpor import SIMPOR
from simpor.lab import overlap
from simpor.lab.datasets import moon
from simpor.lab.methods import METHODS
from simpor.lab.overlap import hard_to_differentiate, hard_to_differentiate_ratio


def test_ratio_counts_the_smaller_bar_of_every_bin():
    # On a line the first component is the line itself: bins [0, 1), [1, 2), ..., [19, 20].
    x = np.r_[0.0, 0.5, 0.5, 5.5, 5.5, 20.0, 0.5, 5.5, 5.6, 5.7, 12.5, 13.5]
    y = np.repeat([0, 1], 6)
    assert hard_to_differentiate_ratio(x[:, None], y) == (1 + 2) / 6
    assert hard_to_differentiate_ratio(-x[:, None], y) == (1 + 2) / 6


def test_ratio_at_its_two_ends():
    rng = np.random.default_rng(2)
    X = rng.normal(size=(200, 5))
    y = np.repeat([0, 1], 100)
    assert hard_to_differentiate_ratio(np.vstack([X[:100]] * 2), y) == 1
    assert hard_to_differentiate_ratio(X + 100 * y[:, None], y) == 0
    with pytest.raises(ValueError, match="positive"):
        hard_to_differentiate_ratio(X, y, positive=7)


def test_shared_rows_are_counted_after_balancing_a_training_part():
    data = moon(7, n_samples=300)
    samplers = {
        "SMOTE": SMOTE(random_state=0),
        "SIMPOR": SIMPOR(informative_portion=1, max_iter=0, random_state=0),
    }
    table = hard_to_differentiate(data, samplers, 3)
    X, _, y, _ = train_test_split(data.X, data.y, test_size=0.25, stratify=data.y, random_state=3)
    X = StandardScaler().fit_transform(X)
    for method, sampler in samplers.items():
        balanced = sampler.fit_resample(X, y)
        assert table.loc[method, "ratio"] == hard_to_differentiate_ratio(*balanced)
        assert table.loc[method, "n_majority"] == table.loc[method, "n_minority"] == sum(y == 0)
    np.testing.assert_allclose(table["ratio"], table["n_intersection"] / table["n_minority"])
    assert table.loc["SIMPOR", "seeds"] == len(np.unique(samplers["SIMPOR"].seed_indices_))
    assert np.isnan(table.loc["SMOTE", "seeds"])


def test_every_sampler_of_figure_8_is_counted_on_every_split(monkeypatch):
    monkeypatch.setattr(overlap, "FIGURE_8", {"SMOTE": "smote", "ADASYN": "adasyn"})
    data = moon(7, n_samples=300)
    counts = overlap.recount_figure_8(data, (3, 4))
    assert counts[["split", "method"]].to_numpy().tolist() == [
        [split, method] for split in (3, 4) for method in ("SMOTE", "ADASYN")
    ]
    alone = hard_to_differentiate(data, {"SMOTE": METHODS["smote"].make(4)}, 4)
    assert counts["ratio"][2] == alone.loc["SMOTE", "ratio"]
