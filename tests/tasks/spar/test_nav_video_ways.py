"""Missing action words of ways that are made: at the limits of each reason, and which views show them."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby

import pytest
from made_ways import asked, fate, parsed, scene_of

from spatial_assets.scene.model import Scene
from spatial_assets.tasks.spar.action_words import action_words

AHEAD = (0.0, 3.0)


def answers(scene: Scene) -> list[str]:
    return [", ".join(parsed(row)) for row in asked(scene).rows]


@pytest.mark.parametrize(
    ("steps", "text", "expected"),
    [
        ([AHEAD, (-90, 3)], "Walk on and turn left.", "left"),
        ([AHEAD, (90, 3)], "Walk on and make a sharp right.", "right"),
        ([AHEAD, (-39, 3)], "Walk on and turn left.", None),
        ([AHEAD, (-41, 3)], "Walk on and turn left.", "left"),
        ([AHEAD, (-90, 3), (19, 3)], "Walk on and turn left.", "left"),
        ([AHEAD, (-90, 3), (21, 3)], "Walk on and turn left.", None),
        # Several slight turns to one side are a turn.
        ([AHEAD, (-90, 3), (12, 3), (12, 3)], "Walk on and turn left.", None),
        ([AHEAD, (-90, 3), (12, 3), (-12, 3)], "Walk on and turn left.", "left"),
        # The turn that is not told may be either, but both words lead the same way.
        ([AHEAD, (-90, 3), (-60, 3)], "Walk on and turn left.", "left"),
        ([AHEAD, (-90, 3), (90, 3)], "Walk on, turn left and then turn right.", "left, right"),
        ([AHEAD, (-90, 3), (90, 3), (80, 3)], "Walk on, turn left and then turn right.", "right"),
        ([AHEAD, (-90, 3), (90, 3), (-80, 3)], "Walk on, turn left and then turn right.", None),
        # More words than turns.
        ([AHEAD, (-90, 3)], "Walk on, turn left and turn left again.", None),
        ([AHEAD, (-134, 3)], "Walk on and turn left.", "left"),
        ([AHEAD, (-140, 3)], "Walk on and turn left.", None),
        ([AHEAD, (-140, 3)], "Walk on and turn around.", None),
        ([AHEAD, (151, 3)], "Walk on and turn around.", "around"),
        ([AHEAD, (-90, 3)], "Walk on and turn around the corner.", None),
        ([AHEAD, (-90, 3)], "Walk on. Stop right at the bed, on your left.", None),
        ([AHEAD, (-90, 3)], "Walk on and enter the small room on your left.", "left"),
        ([AHEAD, (90, 3)], "Walk on and enter the small room on your left.", None),
        ([AHEAD, (5, 3)], "Go straight ahead to the door.", "straight"),
        ([AHEAD, (19, 1), (-19, 1)], "Go straight ahead to the door.", "straight"),
        ([AHEAD, (21, 3)], "Go straight ahead to the door.", None),
        ([(0, 1.0), (-90, 3)], "Go straight, then turn left.", "left"),
        ([AHEAD, (-90, 3)], "Go straight, then turn left.", "straight, left"),
        ([AHEAD, (-90, 3)], "Go straight.", None),
        ([AHEAD, (-90, 3)], "Walk on and turn left, or wait.", None),
        ([AHEAD, (-90, 3)], "Walk on and turn left, do not turn right.", None),
    ],
)
def test_words_are_missing_where_the_way_leaves_no_doubt(
    steps: list[tuple[float, float]], text: str, expected: str | None
) -> None:
    assert answers(scene_of(steps, text)) == ([] if expected is None else [expected])


@pytest.mark.parametrize(
    ("first", "text", "expected"),
    [
        (180, "Turn around and leave the room.", "around"),
        (140, "Turn around and leave the room.", None),
        (-90, "Turn left and leave the room.", "left"),
        (-15, "Turn left and leave the room.", None),
        (90, "Turn left and leave the room.", None),
        # What is told after setting out is no turn before it.
        (-90, "Leave the room and turn left.", None),
        (90, "Go straight to the door.", None),
        (90, "Leave the room. Go straight to the door.", "straight"),
        (90, "Turn right. Go straight to the door.", "right, straight"),
    ],
)
def test_the_first_turn_is_that_before_the_walk(first: float, text: str, expected: str | None) -> None:
    assert answers(scene_of([AHEAD, AHEAD], text, first=first)) == ([] if expected is None else [expected])


@pytest.mark.parametrize(
    ("rises", "text", "expected"),
    [
        ([0.0, 1.0], "Walk up the stairs.", "up"),
        ([0.0, -1.0], "Walk down the three marble steps.", "down"),
        ([0.0, 0.39], "Walk up the stairs.", None),
        ([0.3, 0.3], "Walk up the stairs.", "up"),
        ([1.0, -1.0], "Walk up the stairs.", None),
        ([1.0, -1.0], "Walk up the stairs, then go down the steps.", "up, down"),
        ([0.0, 1.0], "Walk up the stairs, up the steps.", "up, up"),
        ([0.0, 1.0], "Walk down the stairs.", None),
        ([0.0, 1.0], "Walk up to the stairs.", None),
        # Nobody has to look.
        ([0.0, 1.0], "Walk up the stairs and wait at the top.", None),
        ([0.0, 1.0], "Walk down the hall.", None),
    ],
)
def test_climbs(rises: list[float], text: str, expected: str | None) -> None:
    assert answers(scene_of([AHEAD, AHEAD], text, rises=rises)) == ([] if expected is None else [expected])


def test_every_text_is_a_row_or_has_its_reason() -> None:
    texts = (
        "Walk on and turn left.", "Walk on and wait.", "Walk on, turn right.", "Turn left, or wait.",
        "Go straight on.", "Leave and turn left at the bed.", "Go up the steps to the top.",
    )  # fmt: skip
    scene = scene_of([AHEAD, (-90, 3)], *texts, rises=[0.0, 1.0])
    reasons = ("contradicted", "no_action_words", "several_ways", "told_otherwise", "uncertain_words")
    expected = dict.fromkeys(reasons, 1) | {"ok": 2}
    assert fate(scene) == expected
    (counts,) = asked(scene).counts
    assert counts.candidates == len(texts) and counts.repeats == 1
    assert len({row["qa_id"] for row in asked(scene).rows}) == 2
    assert {row["license"] for row in asked(scene).rows} == {"terms; RxR: terms of the words"}


def test_scenes_without_panoramas_have_rows_and_others_only_where_all_is_shown() -> None:
    texts = ("Walk on and turn left.",)
    steps = [AHEAD, (-90, 3)]
    assert fate(scene_of(steps, *texts)) == {"ok": 1}
    assert fate(scene_of(steps, *texts, panoramas=(0, 1))) == {"no_panorama": 1, "ok": 0}
    assert fate(scene_of(steps, *texts, panoramas=(0, 1, 2))) == {"ok": 1}


def test_a_row_hangs_on_no_other() -> None:
    texts = ("Walk on and turn left.", "Leave and turn left at the bed.", "Go on and take a left.")
    scene = scene_of([AHEAD, (-90, 3)], *texts)
    whole = {row["qa_id"]: row for row in asked(scene).rows}
    less = asked(replace(scene, routes=scene.routes[1:])).rows
    assert len(whole) == 3 and len(less) == 2
    assert all(whole[row["qa_id"]] == row for row in less)


@pytest.mark.parametrize("frames", [8, 12, 32])
def test_views_are_all_shown_and_evenly(frames: int) -> None:
    scene = scene_of([AHEAD, (-90, 1), (10, 6)], "Walk on and turn left.")
    (row,) = asked(scene, frames=frames).rows
    names = [entry["frame"] for entry in row["frames"]]
    assert len(names) == frames
    assert [name for name, _ in groupby(names)] == [
        "v0@0.0", "v1@0.0", "v1@330.0", "v1@300.0", "v1@270.0", "v2@280.0", "v3@280.0",
    ]  # fmt: skip
    if frames == 32:
        # By the way, 10 m and 1.2 m for the turn: v2, with 6 m after it, is shown longest.
        assert names.count("v2@280.0") > names.count("v1@330.0")


def test_a_way_of_more_viewpoints_than_frames_makes_no_row() -> None:
    long = [AHEAD] * 30
    text = "Go straight ahead."
    assert fate(scene_of(long, text)) == {"ok": 1}
    assert fate(scene_of(long * 2, text)) == {"too_long": 1, "ok": 0}


def test_long_ways_show_turns_in_fewer_views() -> None:
    winding = [AHEAD, *[(90, 3.0), (-90, 3.0)] * 10]
    (row,) = asked(scene_of(winding, "Turn around. Walk on.", first=180)).rows
    assert len({entry["frame"] for entry in row["frames"]}) <= 32


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Turn to your right at the bed", ["right"]),
        ("Take the second left, then make your next right.", ["left", "right"]),
        ("walk right past the sofa and right through the door", []),
        ("Go right and head left.", ["right", "left"]),
        ("With the table to your left, keep the wall on your right.", []),
        ("turn left or right", []),
        ("make a hard left turn. TURN AROUND.", ["left", "around"]),
        ("turn around to the left", []),
        ("continue going straight forward", ["straight"]),
        ("Stay on the straight path", []),
        ("Climb up the first flight of stairs", ["up"]),
    ],
)
def test_words_that_say_which_way(text: str, expected: list[str]) -> None:
    found = action_words(text)
    assert [word.way for word in found] == expected
    for word in found:
        assert text[word.begin : word.end].lower().startswith(word.way)


def test_an_endless_text_is_read_in_time() -> None:
    for part in (
        "take a slight ",
        "take the second ",
        "up the three ",
        "enter the very ",
        "turn slightly to the ",
    ):
        assert action_words(part + part.split()[-1] + " " + part.split()[-1] * 3 + " " + part * 5000) == []
