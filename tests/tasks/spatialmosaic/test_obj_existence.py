"""Whether an object lies on a side of another, recomputed from the truth's boxes in the asked camera."""

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
from scipy.stats import chisquare
from video_scenes import Studio, ask, box, check_answers, chosen_text, rejected, things

from spatial_assets.tasks.core.priors import prior_of

TASKS = ("obj_existence_occ_lr", "obj_existence_occ_ab", "obj_existence_occ_fb")
LR, AB, FB = TASKS


def truth(scene: Truth, row: dict[str, Any]) -> list[float]:
    roles = things(row)
    return [difference(scene, row, roles["target"], roles["reference"], axis_of(row))]


def printed(scene: Truth, row: dict[str, Any]) -> str:
    side = said_side(bare_stem(row), axis_of(row))
    return "Yes" if side * truth(scene, row)[0] > 0 else "No"


@pytest.mark.parametrize("task", TASKS)
def test_answers_equal_the_truth(studio: Studio, task: str) -> None:
    check_answers(studio, task, "select", sys.modules[__name__], 200)


@pytest.mark.every(3)
@pytest.mark.parametrize("task", TASKS)
def test_sides_are_clear_and_what_is_meant_is_plain(studio: Studio, task: str) -> None:
    check_sets(studio, task)
    check_frame_names(studio, task)
    check_asked(studio, task, ("target", "reference"))
    for row in studio.rows(task):
        roles = things(row)
        check_clear(studio.truths[row["scene"]], row, roles["target"], roles["reference"], axis_of(row))
        assert row["margins"] == [abs(row["value"][0])]


@pytest.mark.parametrize("task", TASKS)
def test_each_answer_is_right_in_half_of_the_rows(studio: Studio, task: str) -> None:
    rows = studio.rows(task)
    for value in (chosen_text, lambda row: row["answer"]):
        counts = Counter(value(row) for row in rows)
        assert len(counts) == 2 and chisquare(list(counts.values())).pvalue > 1e-4


def two(first: Any, second: Any) -> list[tuple[str, Any]]:
    return [("lamp", first), ("sofa", second)]


HERE, HIDDEN = [{0: shown(), 1: shown()}, {}], [{1: shown()}, {0: shown()}]
"""Both in the first frame, or the second object there and the first in the other; asked about the first."""


def counts(task: str, first: Any, second: Any, frames: Any = HERE, **parameters: Any) -> dict[str, int]:
    return rejected(task, made_sets(two(first, second), frames), even=False, **parameters)


@pytest.mark.parametrize(
    ("task", "first", "second"),
    [
        # Cubes of 20 cm, the camera at the origin looking along the world's z: 25 cm between centers leave 5 cm.
        (LR, box(0.0, 0.0, z=3.0), box(0.251, 0.0, z=3.0)),
        (AB, box(0.0, 0.0, z=3.0), box(0.0, 0.0, z=3.251)),
        (FB, box(0.0, 0.0, z=3.0), box(0.0, 0.0, z=3.251)),
    ],
)
def test_a_gap_of_five_centimeters_is_a_side(task: str, first: Any, second: Any) -> None:
    """Each two are asked about in both orders."""
    assert counts(task, first, second) == {"ok": 2}
    assert counts(task, first, second, sides={"min_gap": 0.052}) == {"unclear_side": 2}


def test_two_readings_must_agree() -> None:
    """What is farther to the right may be seen farther to the left, and what is nearer along the axis be farther."""
    near, far = box(1.0, 0.0, z=2.0), box(1.5, 0.0, z=6.0)
    assert counts(LR, near, far) == {"unclear_side": 2}
    assert counts(LR, near, far, sides={"readings": "camera"}) == {"ok": 2}
    aside, ahead = box(4.0, 0.0, z=2.0), box(0.0, 0.0, z=3.0)
    assert counts(FB, aside, ahead) == {"unclear_side": 2}
    assert counts(FB, aside, ahead, sides={"readings": "camera"}) == {"ok": 2}


def test_higher_is_by_gravity_or_by_the_image() -> None:
    """This camera looks straight up: what is farther away is higher."""
    first, second = box(0.0, 0.0, z=3.0), box(0.0, -0.5, z=3.0)
    assert counts(AB, first, second) == {"unclear_side": 2}
    assert counts(AB, first, second, sides={"vertical": "camera"}) == {"ok": 2}


def test_the_hidden_one_is_asked_about_and_not_the_one_to_compare_with() -> None:
    first, second = box(0.0, 0.0, z=3.0), box(1.0, 0.0, z=3.0)
    made = made_sets(two(first, second), HIDDEN)
    rows = ask(LR, made)
    # In each frame the other one is hidden.
    assert {(row["diagnostics"]["asked"], row["objects"][0]["instance"]) for row in rows} == {(1, 0), (2, 1)}
    assert {row["diagnostics"]["answer_is"] for row in rows} == {"hidden"}
    assert rejected(LR, made, hidden_of_ten=0) == {"unwanted": 2}
    assert counts(LR, first, second, hidden_of_ten=10) == {"unwanted": 2}
    slivers = [{1: shown(), 0: shown(0.0004)}, {0: shown()}]
    # The frame that shows a sliver of the lamp is of no use for it; the other does not show the sofa.
    assert rejected(LR, made_sets(two(first, second), slivers)) == {
        "half_hidden": 1,
        "unclear_reference": 1,
        "ok": 1,
    }


def test_a_pixel_tells_two_of_a_kind_apart_unless_they_are_too_near() -> None:
    things = [("lamp", box(0.0, 0.0, z=3.0)), ("sofa", box(1.0, 0.0, z=3.0)), ("sofa", box(2.0, 0.0, z=3.0))]

    def made(gap: float) -> Any:
        # Boxes of 60 pixels, and 4 % of 640 are 25.6: pixels to the other's box.
        return made_sets(things, [{0: shown(), 1: shown(at=(200, 100)), 2: shown(at=(230 + gap, 100))}, {}])

    rows = ask(LR, made(26))
    assert {text for row in rows for text in ("sofa(200,100)", "sofa(256,100)") if text in row["stem"]} == {
        "sofa(200,100)",
        "sofa(256,100)",
    }
    assert all(row["given"] for row in rows)
    near = rejected(LR, made(25))
    assert near == {"ambiguous_reference": 4, "ambiguous_name": 2}


def test_a_mirrored_world_turns_left_and_right_alone() -> None:
    """The answer to the same words changes for one axis and stays for the others."""
    place, other = np.array([0.4, 0.3, 3.0]), np.array([-0.5, -0.4, 4.0])
    for task in TASKS:
        signs = []
        for mirror in (1.0, -1.0):
            first, second = (box(mirror * at[0], at[1], z=at[2]) for at in (place, other))
            rows = ask(task, made_sets(two(first, second), HERE), even=False)
            signs.append({row["objects"][0]["instance"]: np.sign(row["value"][0]) for row in rows})
        assert signs[0][0] == -signs[0][1]
        assert (signs[0] == signs[1]) == (task != LR)


def test_names_that_tell_the_side_are_thinned_out(studio: Studio) -> None:
    """The odds that the likelier side is right are a small part of what they were."""
    law = prior_of("spatialmosaic", AB)
    assert law.score("ceiling light") > law.score("carpet")
    odds = []
    for even in (True, False):
        likely = 0
        rows = studio.rows(AB, even=even)
        for row in rows:
            objects, roles = studio.truths[row["scene"]].objects, things(row)
            target, reference = (law.score(objects[roles[role]].category) for role in ("target", "reference"))
            likely += (target - reference) * row["value"][0] > 0
        odds.append(likely / (len(rows) - likely))
    assert odds[0] < odds[1] / 4, odds


def test_what_is_hidden_is_closer_no_more_often_than_farther(studio: Studio) -> None:
    """It is beside the camera or behind it, so that nine of ten would be; nobody is to know by that alone."""
    for even, low, high in ((True, 0.4, 0.6), (False, 0.0, 0.35)):
        rows = [row for row in studio.rows(FB, even=even) if row["diagnostics"]["answer_is"] == "hidden"]
        farther = sum(row["value"][0] > 0 for row in rows)
        assert len(rows) >= 50 and low * len(rows) <= farther <= high * len(rows), (farther, len(rows))


def test_the_published_wording_is_printed_word_for_word(studio: Studio) -> None:
    for row in studio.rows(AB, wording="official", frame_names="name"):
        side = "lower" if "lower" in row["stem"] else "higher"
        words = [studio.truths[row["scene"]].objects[it["instance"]].category for it in row["objects"]]
        pixel = "({:.0f},{:.0f})".format(*np.floor(row["given"])) if row["given"] else ""
        asked = next(it["frame"] for it in row["frames"] if it["role"].startswith("asked"))
        assert row["stem"] == (
            f"In frame_{asked}, is the {words[0]} appears {side} than the {words[1]}{pixel} in this viewpoint?"
        )
