"""A layout seen from above, by names alone, recomputed from the truth."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import numpy as np
import pytest
from question_truth import Truth
from video_scenes import Studio

from spatial_assets.scene.categories import may_mean

TASK = "bev_layout"
PLACE = re.compile(r"([A-Za-z][^:;.()]*): \((-?\d+\.\d), (-?\d+\.\d)\)")


def truth(scene: Truth, row: dict[str, Any]) -> list[float]:
    """Meters to the right and ahead of the first camera, on the ground, object by object."""
    frame = scene.frames[row["frames"][0]["frame"]]
    ahead = frame.rotation.apply([0.0, 0.0, 1.0])
    heading = complex(ahead[0], ahead[1])
    found = []
    for item in row["objects"]:
        offset = scene.objects[item["instance"]].center - frame.position
        # In a frame whose imaginary axis is the heading.
        place = complex(offset[0], offset[1]) / heading * abs(heading) * 1j
        found += [place.real, place.imag]
    return found


def printed(scene: Truth, row: dict[str, Any]) -> str:
    numbers = [
        f"{np.floor(number * 10 + 0.5) / 10:.1f}".replace("-0.0", "0.0") for number in truth(scene, row)
    ]
    words = [scene.objects[item["instance"]].category for item in row["objects"]]
    return "; ".join(
        f"{word}: ({x}, {y})" for word, x, y in zip(words, numbers[::2], numbers[1::2], strict=True)
    )


@pytest.mark.parametrize("form", ["fill", "sentence"])
def test_answers_equal_the_truth(studio: Studio, form: str) -> None:
    rows = studio.rows(TASK, form)
    assert len(rows) >= 100
    for row in rows:
        scene = studio.truths[row["scene"]]
        assert row["value"] == pytest.approx(truth(scene, row), abs=1e-3)
        said = PLACE.findall(row["answer"])
        assert len(said) == len(row["objects"]), row["answer"]
        assert printed(scene, row).lower() in row["answer"].lower()


def test_names_mean_what_is_asked_about_and_nothing_else(studio: Studio) -> None:
    counts, alike = Counter(), 0
    for row in studio.rows(TASK):
        objects = studio.truths[row["scene"]].objects
        asked = Counter(objects[item["instance"]].category for item in row["objects"])
        assert len({item["instance"] for item in row["objects"]}) == len(row["objects"])
        counts[len(row["objects"])] += 1
        for word, count in asked.items():
            assert sum(may_mean(word, thing.category) for thing in objects.values()) == count
            told = f"the {count} objects called {word}" if count > 1 else f"the {word}"
            assert told in row["stem"]
            alike += count > 1
    assert set(counts) == set(range(2, 9)) and alike >= 10
    assert max(counts.values()) <= 0.35 * counts.total()


def test_objects_of_one_name_stand_by_distance(studio: Studio) -> None:
    for row in studio.rows(TASK):
        objects = studio.truths[row["scene"]].objects
        words = [objects[item["instance"]].category for item in row["objects"]]
        away = np.hypot(row["value"][::2], row["value"][1::2])
        for word in set(words):
            own = [away[place] for place, other in enumerate(words) if other == word]
            assert own == sorted(own)
            assert words.index(word) + len(own) - 1 == len(words) - 1 - words[::-1].index(word)


@pytest.mark.prove
def test_what_is_placed_is_seen(studio: Studio) -> None:
    hidden = 0
    rows = studio.rows(TASK)
    for row in rows:
        scene = studio.truths[row["scene"]]
        seen: Counter[int] = Counter()
        for item in row["frames"]:
            size = scene.frames[item["frame"]].width * scene.frames[item["frame"]].height
            for instance, pixels in scene.pixels(item["frame"]).items():
                seen[instance] = max(seen[instance], pixels / size)
        hidden += any(seen[item["instance"]] < 0.0018 for item in row["objects"])
    assert hidden <= 0.01 * len(rows)
