"""Which of four objects lies on a side of another, recomputed from the truth's boxes in the asked camera."""

from __future__ import annotations

import sys
from collections import Counter
from typing import Any

import numpy as np
import pytest
from mosaic_checks import (
    axis_of,
    bare_stem,
    check_asked,
    check_clear,
    check_frame_names,
    check_sets,
    difference,
    said_side,
)
from mosaic_scene import made_sets, shown
from question_truth import Truth
from scipy.spatial.transform import Rotation
from scipy.stats import chisquare
from video_scenes import Studio, ask, box, check_answers, chosen_text, rejected, things

from spatial_assets.tasks.core.priors import prior_of
from spatial_assets.tasks.spatialmosaic import obj_attribute
from spatial_assets.tasks.spatialmosaic.sides import WORDS

TASKS = ("obj_attribute_occ_lr", "obj_attribute_occ_ab", "obj_attribute_occ_fb")
LR, AB, FB = TASKS
OFFERED = ("answer", "other-1", "other-2", "other-3")


def truth(scene: Truth, row: dict[str, Any]) -> list[float]:
    roles = things(row)
    return [difference(scene, row, roles["answer"], roles["reference"], axis_of(row))]


def printed(scene: Truth, row: dict[str, Any]) -> str:
    """The one of those offered that lies on the side that the question names."""
    roles = things(row)
    side = said_side(bare_stem(row), axis_of(row))
    found = [
        scene.objects[roles[role]].category
        for role in OFFERED
        if side * difference(scene, row, roles[role], roles["reference"], axis_of(row)) > 0
    ]
    assert len(found) == 1
    return found[0]


@pytest.mark.every(3)
@pytest.mark.parametrize(("task", "least"), [(LR, 100), (AB, 1), (FB, 1)])
def test_answers_equal_the_truth(studio: Studio, task: str, least: int) -> None:
    """Of what is higher, or farther, names say so much that few questions are left."""
    check_answers(studio, task, "select", sys.modules[__name__], least)


@pytest.mark.parametrize("task", TASKS)
def test_answers_that_names_suggest_equal_the_truth_too(studio: Studio, task: str) -> None:
    rows = studio.rows(task, even=False)
    assert len(rows) >= 250
    for row in rows:
        scene = studio.truths[row["scene"]]
        assert chosen_text(row) == printed(scene, row)
        assert row["value"] == pytest.approx(truth(scene, row), abs=1e-3)


@pytest.mark.every(3)
@pytest.mark.parametrize("task", TASKS)
def test_sides_are_clear_and_what_is_meant_is_plain(studio: Studio, task: str) -> None:
    """Of all four, and the asked view shows all of them or none."""
    check_sets(studio, task)
    check_frame_names(studio, task)
    check_asked(studio, task, OFFERED, even=False)
    for row in studio.rows(task, even=False):
        roles = things(row)
        scene = studio.truths[row["scene"]]
        apart = []
        for role in OFFERED:
            check_clear(scene, row, roles[role], roles["reference"], axis_of(row))
            apart.append(abs(difference(scene, row, roles[role], roles["reference"], axis_of(row))))
        assert row["margin"] == pytest.approx(min(apart), abs=1e-3)
        words = [scene.objects[roles[role]].category for role in OFFERED]
        assert sorted(words) == sorted(row["options"]) and len(set(words)) == 4


@pytest.mark.parametrize("task", TASKS)
def test_letters_and_sides_are_right_alike(studio: Studio, task: str) -> None:
    rows = studio.rows(task, even=False)
    letters = Counter(row["answer"] for row in rows)
    assert chisquare([letters[letter] for letter in "ABCD"]).pvalue > 1e-4
    assert min(Counter(np.sign(row["value"][0]) for row in rows).values()) >= 0.2 * len(rows)


FIVE = [
    ("sofa", box(0.0, 0.0, z=3.0)),
    ("lamp", box(-1.0, 0.0, z=3.0)),
    *((word, box(1.0, 0.0, z=3.0)) for word in ("vase", "plant", "clock")),
]


def found(frames: Any) -> dict[str, int]:
    return rejected(LR, made_sets(FIVE, frames), even=False)


def test_four_are_offered_that_the_asked_view_shows_or_hides_alike() -> None:
    """The lamp alone lies to the left, three to the right of the sofa."""
    all_there = [{place: shown() for place in range(5)}, {}]
    # To the right of the lamp are four, and none to its left; the others are beside each other.
    assert found(all_there) == {"few_others": 13, "unclear_side": 6, "ok": 1}
    apart = [{0: shown()}, {place: shown() for place in range(1, 5)}]
    rows = ask(LR, made_sets(FIVE, apart), even=False)
    assert [chosen_text(row) for row in rows] == ["lamp"]
    assert rows[0]["diagnostics"]["answer_is"] == "hidden" and rows[0]["diagnostics"]["asked"] == 1
    # The asked frame shows the lamp and not the others.
    mixed = [{0: shown(), 1: shown()}, {place: shown() for place in range(2, 5)}]
    assert "ok" not in found(mixed)


def test_of_four_that_stand_around_each_is_asked_for_in_its_turn() -> None:
    """Before each of four stands a lesser thing, and each is alone beside that from some of four sides.

    Where three stand together and one apart, names tell which: nothing is asked, from wherever one looks.
    """
    poses = []
    for quarter in range(4):
        turn = Rotation.from_euler("z", 90 * quarter + 20, degrees=True).as_matrix()
        # Its right, down and forward as columns: a level camera that looks at the middle from six meters.
        pose = np.eye(4)
        pose[:3, :3] = turn @ np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]])
        pose[:3, 3] = -6.0 * pose[:3, 2] + [0, 0, 0.5]
        poses.append(pose)
    words = ("lamp", "vase", "plant", "clock")
    around = [(2.0, 0.3), (-0.3, 2.0), (-2.0, -0.3), (0.3, -2.0)]
    beside = [(2.0, 0.3), (-2.0, 2.0), (-2.3, 1.5), (-2.6, 2.2)]
    asked = []
    for places in (around, beside):
        before = [(0.6 * x, 0.6 * y) for x, y in places]
        objects = [
            (word, box(*at, z=0.5, size=(0.1, 0.1, 0.1)))
            for word, at in zip([*words, "sofa", "desk", "bed", "mirror"], [*places, *before], strict=True)
        ]
        frames = [{place: shown() for place in range(len(objects))} for _ in poses]
        rows = [
            row
            for seed in range(8)
            for row in ask(LR, made_sets(objects, frames, poses=poses), seed=seed, quota=1000)
            if set(row["options"]) == set(words)
        ]
        asked.append(Counter(chosen_text(row) for row in rows))
    apart_from_three = asked[1]
    assert set(asked[0]) == set(words) and min(asked[0].values()) >= 0.5 * max(asked[0].values())
    assert not apart_from_three


def test_the_published_wording_is_printed_word_for_word(studio: Studio) -> None:
    rows = studio.rows(LR, wording="official", frame_names="name")
    assert rows
    for row in rows:
        side = "left" if row["value"][0] < 0 else "right"
        word = studio.truths[row["scene"]].objects[things(row)["reference"]].category
        pixel = "({:.0f},{:.0f})".format(*np.floor(row["given"])) if row["given"] else ""
        asked = next(it["frame"] for it in row["frames"] if it["role"].startswith("asked"))
        assert row["stem"] == (
            f"In frame_{asked}, which object appears {side} the {word}{pixel} in this viewpoint?"
        )


@pytest.mark.parametrize("axis", ["ab", "fb"])
def test_the_law_of_names_is_that_of_its_hints(studio: Studio, axis: str) -> None:
    """What the sets are thinned by is what the law of the file says of their names, one by one and two by two."""
    facts = studio.facts()[0]
    law = prior_of("spatialmosaic", f"obj_attribute_occ_{axis}")
    expected = facts.once(obj_attribute._expected, axis, obj_attribute.LAWS[axis])
    words, count = facts.objects.categories, len(facts.objects)
    told = 0
    for place, side in enumerate(WORDS[axis]):
        for four in np.random.default_rng(0).integers(0, count, (50, 4)):
            hints = obj_attribute.hints(side, [words[thing] for thing in four])
            for member, own in enumerate(hints):
                others = [other for at, other in enumerate(four) if at != member]
                score = expected.scores[place, four[member]] + sum(
                    expected.pairs[place, expected.words[four[member]], expected.words[other]]
                    for other in others
                )
                assert score == pytest.approx(sum(law.score(hint) for hint in own))
                told += score != 0
    assert told > 50
