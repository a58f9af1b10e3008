import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from sklearn.datasets import make_moons
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from simpor.lab import figures
from simpor.lab.overlap import hard_to_differentiate_ratio
from simpor.lab.tables import score_table


@pytest.fixture
def ax():
    figures.use_style()
    fig, ax = plt.subplots()
    yield ax
    plt.close(fig)


@pytest.fixture(scope="module")
def moons():
    X, y = make_moons(200, noise=0.2, random_state=0)
    keep = np.flatnonzero(y == 0).tolist() + np.flatnonzero(y == 1)[:30].tolist()
    return X[keep], y[keep]


def test_pictures_are_small_and_white(ax, moons, tmp_path):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(3000, 2)), np.repeat([0, 1], [2500, 500])
    figures.decision_boundary(ax, LogisticRegression().fit(X, y), X, y, X[:500] + 0.05)
    ax.figure.savefig(tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size < 200_000
    corner = plt.imread(tmp_path / "a.png")[0, 0, :3]
    np.testing.assert_array_equal(corner, [1, 1, 1])


def test_each_class_keeps_its_colour_and_has_its_own_marker(ax, moons):
    X, y = moons
    assert figures.synthetic(figures.scatter_classes(ax, X, y), X[:7]) is ax
    majority, minority, new = ax.collections
    assert [len(c.get_offsets()) for c in ax.collections] == [100, 30, 7]
    assert [to_hex(c.get_facecolor()[0]).upper() for c in (majority, minority)] == [
        "#0072B2",
        "#D55E00",
    ]
    assert to_hex(new.get_edgecolor()[0]).upper() == "#009E73"
    assert len({d["marker"] for d in (figures.MAJORITY, figures.MINORITY, figures.SYNTHETIC)}) == 3
    np.testing.assert_allclose(minority.get_offsets(), X[y == 1])


@pytest.mark.parametrize("model", [LogisticRegression(), LinearSVC()])
def test_boundary_is_where_the_answer_changes(ax, moons, model):
    X, y = moons
    model = model.fit(X, y)
    assert figures.decision_boundary(ax, model, X, y, X[:5], resolution=300) is ax
    _, boundary = (c for c in ax.collections if type(c).__name__ == "QuadContourSet")
    line = np.vstack(boundary.get_paths()[0].to_polygons(closed_only=False))
    # The grid has 300 points over about four units: the line may be off by one cell.
    value = model.decision_function(line) / np.linalg.norm(model.coef_)
    assert np.abs(value).max() < 0.03


def test_three_columns_are_refused_with_the_cure(ax):
    with pytest.raises(ValueError, match="pca_projection"):
        figures.scatter_classes(ax, np.zeros((4, 3)), [0, 0, 1, 1])


def test_pca_projection_separates_what_is_separate(ax):
    rng = np.random.default_rng(1)
    X = rng.normal(size=(60, 8))
    y = np.repeat([0, 1], 30)
    X[y == 1, 3] += 50
    figures.pca_projection(ax, X, y, X[-5:] + 0.1)
    majority, minority, new = (c.get_offsets()[:, 0] for c in ax.collections)
    gap = abs(majority.mean() - minority.mean())
    assert gap > 40
    assert np.abs(new - minority.mean()).max() < gap / 4


def test_histogram_shows_what_the_ratio_counts(ax):
    rng = np.random.default_rng(3)
    X, y = rng.normal(size=(300, 4)), np.repeat([0, 1], [200, 100])
    assert figures.pca_histogram(ax, X, y) is ax
    shared, majority, minority = (p.get_data().values for p in ax.patches)
    assert (majority.sum(), minority.sum()) == (200, 100)
    assert shared.sum() / 100 == hard_to_differentiate_ratio(X, y)


def test_published_and_reproduced_stand_on_one_line_for_each_method(ax):
    table = pd.DataFrame(
        {"published": [0.9, np.nan], "reproduced": [0.8, 0.7], "spread": [0.01, 0.02]},
        index=["SIMPOR", "raw"],
    )
    assert figures.original_against_reproduced(ax, table) is ax
    assert [t.get_text() for t in ax.get_yticklabels()] == ["SIMPOR", "raw"]
    assert ax.get_ylim()[0] > ax.get_ylim()[1]
    _, labels = ax.get_legend_handles_labels()
    assert set(labels) == {"ours", "paper"}
    with pytest.raises(ValueError, match="spread"):
        figures.original_against_reproduced(ax, table.drop(columns="spread"))


def test_panels_beside_the_paper_share_one_legend():
    table = pd.DataFrame(
        {"published": [0.9], "reproduced": [0.8], "spread": [0.01]}, index=["SIMPOR"]
    )
    fig, axes = plt.subplots(1, 2)
    figures.originals_against_reproduced(axes, {"one": table, "two": table})
    assert [ax.get_xlabel() for ax in axes] == ["one", "two"]
    assert [ax.get_legend() for ax in axes] == [None, None]
    assert len(fig.legends) == 1
    with pytest.raises(ValueError, match="zip"):
        figures.originals_against_reproduced(axes, {"one": table})
    plt.close(fig)


def test_forests_have_a_line_for_each_method_and_mark_simpor():
    table = pd.DataFrame(
        {"difference": [0.1, -0.2], "low": [0.0, -0.3], "high": [0.2, 0.1]},
        index=["smote", "simpor-published"],
    )
    fig, axes = plt.subplots(1, 2)
    figures.forests(axes, {"F1": table, "AUC": table})
    assert [ax.get_xlabel() for ax in axes] == ["F1", "AUC"]
    others, ours = axes[0].containers
    np.testing.assert_allclose(others.lines[0].get_xydata(), [[0.1, 0]])
    np.testing.assert_allclose(ours.lines[0].get_xydata(), [[-0.2, 1]])
    np.testing.assert_allclose(ours.lines[2][0].get_segments(), [[[-0.3, 1], [0.1, 1]]])
    assert to_hex(ours.lines[0].get_color()).upper() == figures.SIMPOR_COLOUR
    labels = [text.get_text() for text in axes[0].get_yticklabels()]
    assert labels == ["SMOTE", "SIMPOR (published)"]
    plt.close(fig)


def test_moved_names_are_found_with_a_warning():
    with pytest.warns(FutureWarning, match=r"simpor\.lab\.tables"):
        assert figures.score_table is score_table
    with pytest.warns(FutureWarning, match=r"simpor\.lab\.overlap"):
        assert figures.hard_to_differentiate_ratio is hard_to_differentiate_ratio


def test_a_curve_has_a_point_and_a_bar_for_every_value(ax):
    table = pd.DataFrame(
        {"mean": [0.8, 0.7], "low": [0.7, 0.65], "high": [0.9, 0.75]}, index=[0.1, 0.4]
    )
    assert figures.curve_with_bars(ax, table, label="ours") is ax
    (container,) = ax.containers
    line, _, (bars,) = container.lines
    np.testing.assert_allclose(line.get_xydata(), [[0.1, 0.8], [0.4, 0.7]])
    np.testing.assert_allclose(
        bars.get_segments(), [[[0.1, 0.7], [0.1, 0.9]], [[0.4, 0.65], [0.4, 0.75]]]
    )
    assert ax.get_legend_handles_labels()[1] == ["ours"]


def test_heat_map_reads_like_its_table_and_signs_what_is_beyond_the_limit(ax):
    table = pd.DataFrame({"SMOTE": [0.2, 0.0], "ADASYN": [-0.1, np.nan]}, index=["pima", "glass1"])
    assert figures.heat_map(ax, table, limit=0.1) is ax
    (image,) = ax.images
    np.testing.assert_array_equal(image.get_array().filled(np.nan), table)
    colours = [to_hex(image.to_rgba(value)).upper() for value in (-1, 0, 1)]
    assert colours == ["#762A83", "#FFFFFF", "#1B7837"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["pima", "glass1"]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["SMOTE", "ADASYN"]
    signs = {text.get_position(): text.get_text() for text in ax.texts}
    assert signs == {(0, 0): "+", (1, 0): "\N{MINUS SIGN}"}


def test_published_and_reproduced_meet_by_name_not_by_place(ax):
    published = pd.DataFrame({"SIMPOR": [0.9, 0.8], "GDO": [0.7, 0.6]}, index=["pima", "glass1"])
    reproduced = published[["GDO", "SIMPOR"]].iloc[::-1].assign(raw=0.5)
    assert figures.against_identity(ax, published, reproduced, ours="SIMPOR") is ax
    others, ours = (dots.get_offsets().data for dots in ax.collections)
    np.testing.assert_array_equal(others[:, 0], others[:, 1])
    np.testing.assert_array_equal(np.sort(ours[:, 0]), [0.8, 0.9])
    np.testing.assert_array_equal(ours[:, 0], ours[:, 1])
    (line,) = ax.lines
    np.testing.assert_array_equal(line.get_xdata(), [0.6, 0.9])
    np.testing.assert_array_equal(line.get_xdata(), line.get_ydata())
    with pytest.raises(ValueError, match="GDO"):
        figures.against_identity(ax, published, reproduced, ours="raw")
