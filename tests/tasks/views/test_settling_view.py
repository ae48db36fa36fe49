"""Which further view shows what the views shown do not, from what a ray caster sees."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import numpy as np
import polars as pl
import pytest
from mosaic_checks import LEAST, NOTHING_SHOWN, SAID, namesakes
from mosaic_scene import made_sets, shown
from question_truth import Truth
from scipy.stats import chisquare
from video_scenes import WHICH, Studio, ask, box, chosen_text, rejected, things
from withheld_checks import bare

from spatial_assets.scene import tables
from spatial_assets.tasks.core.facts import SceneFacts

TASK = "settling_view"


def candidates(row: dict[str, Any]) -> list[str]:
    return [item["frame"] for item in row["frames"] if item["role"].startswith("candidate-")]


def truth(scene: Truth, row: dict[str, Any]) -> list[float]:
    """Pixels of what is missing in the one candidate that shows any of it."""
    target = things(row)["target"]
    return [float(max(scene.pixels(name).get(target, 0) for name in candidates(row)))]


def printed(scene: Truth, row: dict[str, Any]) -> str:
    target = things(row)["target"]
    (place,) = (
        place
        for place, name in enumerate(candidates(row))
        if scene.pixels(name).get(target, 0) > NOTHING_SHOWN
    )
    return f"Candidate {place + 1}"


def test_answers_equal_the_truth(studio: Studio) -> None:
    """Another renderer may see a few pixels more or less along an object's edges."""
    rows = studio.rows(TASK)
    assert len(rows) >= 30
    for row in rows:
        scene = studio.truths[row["scene"]]
        assert chosen_text(row) == printed(scene, row)
        assert row["value"] == pytest.approx(truth(scene, row), rel=0.05, abs=3)
        assert row["margins"] == row["value"]


def test_what_is_missing_is_in_one_image_alone_and_its_name_is_plain(studio: Studio) -> None:
    for row in studio.rows(TASK):
        scene, roles = studio.truths[row["scene"]], things(row)
        names = [item["frame"] for item in row["frames"]]
        assert len(set(names)) == len(names) and [item["role"] for item in row["frames"]] == [
            *(f"frame-{place + 1}" for place in range(len(names) - 4)),
            *(f"candidate-{place + 1}" for place in range(4)),
        ]
        pixels = [scene.pixels(name).get(roles["target"], 0) for name in names]
        (right,) = (place for place, count in enumerate(pixels) if count > NOTHING_SHOWN)
        size = scene.frames[names[0]].width * scene.frames[names[0]].height
        assert right >= len(names) - 4 and pixels[right] >= LEAST * size
        assert max(scene.pixels(name).get(roles["reference"], 0) for name in names[:-4]) >= LEAST * size
        for thing in roles.values():
            assert namesakes(scene, row, thing, names) == []
            assert scene.objects[thing].category in bare(row).lower()
        one, other = (scene.objects[thing].center for thing in roles.values())
        assert np.linalg.norm(one - other) >= 0.299
        if re.search(SAID[1][1], bare(row)):
            assert abs(one[2] - other[2]) >= 0.299


def test_every_candidate_shows_something_that_no_other_image_does(studio: Studio) -> None:
    """So that who does not read what is asked cannot tell which one is right."""
    for row in studio.rows(TASK):
        scene, names = studio.truths[row["scene"]], [item["frame"] for item in row["frames"]]
        size = scene.frames[names[0]].width * scene.frames[names[0]].height
        for name in candidates(row):
            own = [
                thing
                for thing, count in scene.pixels(name).items()
                if count >= LEAST * size
                and all(scene.pixels(it).get(thing, 0) <= NOTHING_SHOWN for it in names if it != name)
            ]
            assert own


def test_candidates_overlap_with_the_frames_as_views_of_a_set_do(studio: Studio) -> None:
    """And the right one no more and no less than the others, as ranks go."""
    ranks: Counter[int] = Counter()
    overlaps = {}
    for facts in studio.facts():
        for item in facts.read(tables.OVERLAP).iter_rows(named=True):
            overlaps[facts.which["scene"], frozenset((item["frame_a"], item["frame_b"]))] = item["overlap"]
    for row in studio.rows(TASK):
        names = [item["frame"] for item in row["frames"]][:-4]
        means = []
        for candidate in candidates(row):
            each = [overlaps.get((row["scene"], frozenset((candidate, name))), 0.0) for name in names]
            assert max(each) <= 0.3 and max(each) >= 0.01
            means.append(sum(each))
        ranks[sorted(means).index(means[int(chosen_text(row)[-1]) - 1])] += 1
    assert chisquare([ranks[place] for place in range(4)]).pvalue > 1e-3


OBJECTS = [("sofa", box(0, 0)), *((word, box(1.0 + place, 0)) for place, word in enumerate("abcd"))]
WORDS = ("lamp", "vase", "clock", "plant")


def scene_of(
    each: list[dict[int, Any]], overlap: float = 0.1, tied: float = 0.1, words: tuple[str, ...] = WORDS
) -> SceneFacts:
    """A sofa in the two views of the set, and four further views."""
    objects = [OBJECTS[0], *((word, it[1]) for word, it in zip(words, OBJECTS[1:], strict=True))]
    made = made_sets(objects, [{0: shown()}, {0: shown()}, *each], [[0, 1]])
    names = [str(place) for place in range(2 + len(each))]
    rows = [
        {"frame_a": a, "frame_b": b, "overlap": overlap if a == "0" else tied, "overlap_instances": 0.0}
        for a in ("0", "1")
        for b in names[2:]
    ]
    full = [{**dict.fromkeys(tables.OVERLAP.schema.names), **WHICH, **row} for row in rows]
    frames = pl.DataFrame(full, tables.OVERLAP.empty().schema)
    read = made.read

    def of(table: tables.Table) -> pl.DataFrame:
        if table is tables.OVERLAP:
            return frames
        if table is tables.KEYFRAMES:
            found = read(table)
            return pl.concat([found, found.with_columns(pl.lit("keyframes").alias("set"))])
        return read(table)

    return SceneFacts(made.which, "", of)


EACH = [{place: shown()} for place in (1, 2, 3, 4)]


@pytest.mark.parametrize(
    ("each", "how", "expected"),
    [
        (EACH, {}, {"ok": 1, "repeated": 15}),
        (EACH[:3], {}, {"few_views": 1}),
        (EACH, {"overlap": 0.31}, {"few_views": 1}),
        # Sharing nothing with one of the frames is enough, with both it is not.
        (EACH, {"overlap": 0.0}, {"ok": 1, "repeated": 15}),
        (EACH, {"overlap": 0.0, "tied": 0.0}, {"few_views": 1}),
        # What a second image shows a sliver of, the first does not show alone.
        ([*EACH[:3], {4: shown(), 1: shown(0.0001)}], {}, {"nothing_new": 1, "repeated": 15}),
        ([*EACH[:3], {4: shown(0.0005)}], {}, {"nothing_new": 1, "repeated": 15}),
        # Two of a kind have no name of their own; and with a second sofa, the frames show nothing to compare with.
        (EACH, {"words": ("lamp", "vase", "clock", "clock")}, {"nothing_new": 1, "repeated": 15}),
        (EACH, {"words": ("lamp", "vase", "clock", "sofa")}, {"no_reference": 1, "repeated": 15}),
    ],
)
def test_what_further_views_must_be_like(each: Any, how: dict[str, Any], expected: dict[str, int]) -> None:
    assert rejected(TASK, scene_of(each, **how)) == expected


def test_the_right_one_follows_from_what_is_asked() -> None:
    found = set()
    for seed in range(12):
        (row,) = ask(TASK, scene_of(EACH), seed=seed)
        target = things(row)["target"]
        assert candidates(row)[int(chosen_text(row)[-1]) - 1] == str(target + 1)
        assert WORDS[target - 1] in row["stem"] and "sofa" in row["stem"]
        found.add(target)
    assert found == {1, 2, 3, 4}
