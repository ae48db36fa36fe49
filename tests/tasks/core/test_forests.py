"""Forests: what the leaves say, by walking nested lists."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import forests as fitting
from spatial_assets.tasks.core import forests

LEAVES = st.integers(-3000, 3000)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.tuples(st.integers(0, 2), st.integers(-5, 5), inner, inner).map(list),
    max_leaves=8,
)


def said(tree: Any, features: list[int]) -> int:
    if isinstance(tree, int):
        return tree
    feature, most, low, high = tree
    return said(low if features[feature] <= most else high, features)


@given(st.lists(TREES, max_size=4), st.lists(st.tuples(*[st.integers(-6, 6)] * 3).map(list), min_size=1))
def test_scores_are_the_sums_of_what_leaves_say(trees, answers):
    scores = forests.forest(trees).scores(np.array(answers))
    assert scores.tolist() == [sum(said(tree, own) for tree in trees) / 1000 for own in answers]


def test_a_file_about_other_features_is_rejected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forests, "SUITES", tmp_path)
    (tmp_path / "spar").mkdir()
    (tmp_path / "spar/a.prior.json").write_text(
        json.dumps({"features": ["top", "left"], "trees": [[0, 3, -5, 7]]})
    )
    with pytest.raises(ValueError, match=r"a\.prior\.json: is about other features"):
        forests.forest_of("spar", "a", ("left", "top"))
    assert forests.forest_of("spar", "a", ("top", "left")).scores(np.array([[3, 0], [4, 0]])).tolist() == [
        -0.005,
        0.007,
    ]


@pytest.mark.parametrize("mended", [0, 5])
def test_a_fitted_forest_knows_how_likely_answers_are_that_follow_no_sum(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, mended: int
) -> None:
    """Right is what is low where the other number is low, and what is high where it is high."""
    monkeypatch.setattr(fitting, "ROUNDS", 80)
    monkeypatch.setattr(fitting, "SURER", {"a": 1.0})
    monkeypatch.setattr(fitting, "MENDED", {"a": (mended, 0.1)})
    random = np.random.default_rng(5)
    features = random.integers(0, 20, (6_000, 4, 2))
    truth = fitting.softmax(np.where((features[..., 0] < 10) == (features[..., 1] < 10), 1.5, 0.0))
    right = (random.random((6_000, 1)) > truth.cumsum(axis=1)).sum(axis=1)
    spaces = np.arange(4_000) // 20
    trees = fitting.fit(features[:4_000], right[:4_000], spaces, "a")
    assert len(trees) == 80 + mended
    path = tmp_path / "spar/a.prior.json"
    path.parent.mkdir()
    fitting.write(path, "of a test", (1, 2), ("one", "other"), trees)
    assert json.loads(path.read_text())["seeds"] == [1, 2]
    monkeypatch.setattr(forests, "SUITES", tmp_path)
    # One that was read from another folder would be known by its name.
    forests.forest_of.cache_clear()
    law = forests.forest_of("spar", "a", ("one", "other"))
    found = fitting.softmax(law.scores(features[4_000:].reshape(-1, 2)).reshape(-1, 4))
    assert np.abs(found - truth[4_000:]).mean() < 0.04
    assert fitting.fit(features[:4_000], right[:4_000], spaces, "a") == trees
