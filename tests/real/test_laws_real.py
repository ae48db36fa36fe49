"""Of real rooms the options that the studio's laws would give tell which is right; those of scanned rooms do not."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from spatial_assets.scene.categories import canonical
from spatial_assets.tasks.core.laws import law_of_origin, laws
from spatial_assets.tasks.core.video import rooms
from spatial_assets.tasks.vsi import object_size_estimation, room_size_estimation

CHANCE = 0.25
NAMED = re.compile(r".*of the (.+), measured")


@pytest.fixture(scope="module")
def published(fixtures: Path) -> dict[str, list[tuple[str, float]]]:
    """By task, the categories and answers of VSI-Bench's questions about ScanNet and ARKitScenes."""
    path = fixtures / "scenes/vsibench/questions.jsonl"
    if not path.is_file():
        pytest.skip("no VSI-Bench questions among the real data")
    found = defaultdict(list)
    for row in map(json.loads, path.read_text(encoding="utf-8").splitlines()):
        if row["question_type"] in (object_size_estimation.NAME, room_size_estimation.NAME):
            named = NAMED.match(row["question"])
            found[row["question_type"]].append((canonical(named[1]) if named else "", float(row["answer"])))
    return found


def rank_shares(kind: str, path: str, bands: int, answers: list[tuple[str, float]]) -> dict[str, list[float]]:
    """By category of at least 40 answers, how often the smallest, second, ... of the options is right."""
    by_word = defaultdict(list)
    for word, answer in answers:
        by_word[word].append(answer)
    shares = {}
    for word, law in laws(path, kind).items():
        values = np.array(by_word.get(word, ()))
        if len(values) < 40:
            continue
        wrong = law.wrong(values, bands)
        known = ~np.isnan(wrong).any(axis=1)
        ranks = (wrong[known] < values[known, None]).sum(axis=1)
        shares[word] = (np.bincount(ranks, minlength=4) / known.sum()).tolist()
    return shares


def test_areas(published: dict[str, list[tuple[str, float]]]) -> None:
    right, wrong = (
        max(rank_shares(kind, rooms.LAWS, rooms.BANDS, published[room_size_estimation.NAME])[""])
        for kind in (law_of_origin(None), "studio")
    )
    print(f"\nareas: the likeliest rank is right in {right:.0%}; with the studio's law in {wrong:.0%}")
    assert right < CHANCE + 0.03 < CHANCE + 0.1 < wrong


def test_sizes(published: dict[str, list[tuple[str, float]]]) -> None:
    task = object_size_estimation
    right, wrong = (
        rank_shares(kind, task.LAWS, 1, published[task.NAME]) for kind in (law_of_origin(None), "studio")
    )
    for word in sorted(right.keys() & wrong.keys()):
        print(f"\n{word}: {max(right[word]):.0%}; with the studio's law {max(wrong[word]):.0%}")
    assert right and max(map(max, right.values())) < CHANCE + 0.07
    assert max(max(shares) for shares in wrong.values()) > CHANCE + 0.2
