"""Attacks learned on one part of the rows and tried on another: leaks are found there, and nothing is learned of it."""

from __future__ import annotations

import asked_rows
import numpy as np
import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed; run make setup")

from spatial_assets.audit import learners, trained


@pytest.fixture(autouse=True)
def few_trees(monkeypatch):
    monkeypatch.setattr(learners, "ROUNDS", 20)


def parted(draw, scenes=24, tried=6):
    """Rows of scenes, those of the first few apart."""
    rows = [{**row, "space": row["scene"]} for row in asked_rows.select_rows(draw, scenes=scenes, each=20)]
    first = sorted({row["scene"] for row in rows})[:tried]
    return [row for row in rows if row["scene"] in first], [row for row in rows if row["scene"] not in first]


def means(tried, training):
    found = trained.attacks(tried, training)
    assert all(len(one.hits) == len(tried) for one in found)
    return {one.attack: float(one.hits.mean()) for one in found}


def test_a_leak_is_learned_and_fair_rows_give_nothing():
    assert means(*parted(asked_rows.by_category))["text and options"] > 0.9
    assert max(means(*parted(asked_rows.fair)).values()) < 0.36


def test_nothing_is_learned_of_the_rows_tried():
    """Where only they have the leak, no attack finds it."""
    tried, _ = parted(asked_rows.words)
    _, training = parted(asked_rows.fair)
    assert max(means(tried, training).values()) < 0.45
    assert means(*parted(asked_rows.words))["answer text"] > 0.4


def test_without_learners_what_counts_alone_is_tried(monkeypatch):
    monkeypatch.setattr(trained, "can_learn", lambda: False)
    assert set(means(*parted(asked_rows.middle))) == {"answer text", "exact guess"}


def test_of_one_place_nothing_is_learned():
    tried, training = parted(asked_rows.fair)
    one = [row for row in training if row["scene"] == training[0]["scene"]]
    assert trained.attacks(tried, one) == trained.attacks([], training) == []
    assert np.isfinite(sum(means(tried, training).values()))
