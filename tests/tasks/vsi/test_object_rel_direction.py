"""Directions from where one stands, by complex numbers; and every limit of the three levels, from both sides."""

from __future__ import annotations

import math
import sys
from collections import Counter
from itertools import combinations, pairwise, permutations, product
from typing import Any

import numpy as np
import pytest
import video_truth
from hypothesis import given
from hypothesis import strategies as st
from question_truth import Truth
from video_scenes import (
    Studio,
    about,
    ask,
    box,
    check_alone,
    check_answers,
    check_video,
    found_by,
    made,
    random_scene,
    things,
)
from video_twin import Twin, first_reasons

from spatial_assets.geometry.boxes import box_corners, box_distance
from spatial_assets.geometry.directions import clearance, sector, turn_degrees
from spatial_assets.geometry.turns import triple_sectors, triple_turns
from spatial_assets.scene.categories import may_mean
from spatial_assets.scene.model import Box, Float
from spatial_assets.tasks.core.candidates import GROUP, Candidates
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.registry import task as task_named
from spatial_assets.tasks.vsi.object_rel_direction import LEVELS, ROLES, DirectionParameters, triples_of
from spatial_assets.tasks.vsi.sectors import BACK_FROM, easy, hard, medium

EASY, MEDIUM, HARD = TASKS = tuple(f"object_rel_direction_{level}" for level in ("easy", "medium", "hard"))
WORDS = {level.name: level.word for level in LEVELS}
SECTORS = {EASY: (0.0, 135.0, 225.0), MEDIUM: (0.0, 135.0, 225.0), HARD: (0.0, 90.0, 180.0, 270.0)}


def truth(scene: Truth, row: dict[str, Any]) -> list[float]:
    """Degrees from the direction faced, counter-clockwise."""
    found = things(row)
    stand, face, asked = (video_truth.place(scene.objects[found[role]]) for role in ROLES)
    return [video_truth.turn(face - stand, asked - stand)]


def printed(scene: Truth, row: dict[str, Any]) -> str:
    return word(row["task"], truth(scene, row)[0])


def word(task: str, degrees: float) -> str:
    return video_truth.side(task.rpartition("_")[2], degrees % 360)


def circle_gap(a: float, b: float) -> float:
    return abs((a - b + 180) % 360 - 180)


@pytest.mark.parametrize(
    ("turn", "two", "three", "four"),
    [(45, "left", "left", "front-left"), (140, "left", "back", "back-left"), (224, "right", "back", "back-right"),
     (300, "right", "right", "front-right"), (BACK_FROM, "left", "back", "back-left")],
)  # fmt: skip
def test_words(turn: float, two: str, three: str, four: str) -> None:
    assert (easy(turn), medium(turn), hard(turn)) == (two, three, four)


@pytest.mark.parametrize("task", TASKS)
def test_answers_equal_the_truth(studio: Studio, task: str) -> None:
    check_answers(studio, task, "select", sys.modules[__name__], 250)


@pytest.mark.parametrize("task", TASKS)
def test_questions_show_what_they_name(studio: Studio, task: str) -> None:
    check_video(studio, task)
    check_alone(studio, task)


@pytest.mark.parametrize("task", TASKS)
def test_answers_are_clear_of_their_borders(studio: Studio, task: str) -> None:
    for row in studio.rows(task):
        scene = studio.truths[row["scene"]]
        (degrees,) = truth(scene, row)
        assert min(circle_gap(degrees, border) for border in SECTORS[task]) >= 10
        assert task != EASY or not 135 <= degrees < 225
        # A change of the angle by the margin, one way or the other, changes the answer; by less, never.
        for share, changes in ((0.999, False), (1.001, True)):
            moved = {word(task, degrees + sign * share * row["margin"]) for sign in (-1, 1)}
            assert (moved != {printed(scene, row)}) == changes
        found = things(row)
        stand, face, asked = (scene.objects[found[role]] for role in ROLES)
        for thing in (stand, face, asked):
            assert [it for it in scene.objects.values() if may_mean(thing.category, it.category)] == [thing]
        for a, b in combinations((stand, face, asked), 2):
            assert 0.3 - 1e-6 <= video_truth.gap(a, b) <= 5 + 1e-6
            assert abs(video_truth.place(a) - video_truth.place(b)) >= 0.5
        place, faced = video_truth.place(stand), video_truth.place(face)
        own = max(border for border in SECTORS[task] if border <= degrees)
        stray = 0
        for signs in product((-0.5, 0.5), repeat=3):
            corner = asked.center + video_truth.axes(asked) @ (signs * asked.size)
            other = video_truth.turn(faced - place, complex(corner[0], corner[1]) - place)
            stray += max(border for border in SECTORS[task] if border <= other) != own
        assert stray <= 2


@pytest.mark.parametrize("task", TASKS)
def test_answers_and_letters_are_spread(studio: Studio, task: str) -> None:
    rows = studio.rows(task)
    count = len(rows[0]["options"])
    for found in (
        Counter(row["options"]["ABCD".index(row["answer"])] for row in rows),
        Counter(row["answer"] for row in rows),
    ):
        assert len(found) == count and max(found.values()) < 1.6 * len(rows) / count


@pytest.mark.parametrize("task", TASKS)
def test_the_same_three_come_again_only_when_all_have_been_asked_about(studio: Studio, task: str) -> None:
    for facts in studio.facts():
        rows = ask(task, facts, quota=30, **({} if task == EASY else {"even": False}))
        threes = Counter(frozenset(things(row).values()) for row in rows)
        there = {frozenset(three) for three in about(found_by(task, facts))}
        assert max(threes.values(), default=1) == 1 or len(threes) == len(there)


# The twins: what the kernels do, by plain loops.


def point(place: Float) -> Box:
    return Box(np.append(place[:2], 0.0), np.zeros(3), np.eye(3))


def strays(position: Box, orientation: Box, corners: Float, turn: float, borders: tuple[float, ...]) -> int:
    own = sector(turn, borders)
    turns = (turn_degrees(position, orientation, point(corner)) for corner in corners)
    return sum(other is None or sector(other, borders) != own for other in turns)


def expected(
    facts: SceneFacts, task: str, parameters: DirectionParameters
) -> tuple[dict[tuple[int, ...], float], Counter[str]]:
    """Candidates with their turns, and how many fell to which reason."""
    twin, boxes = Twin(facts), facts.objects.boxes
    referents = twin.referents()
    reasons = Counter({reason: 6 * count for reason, count in first_reasons(referents, 3).items()})
    named = [twin.groups[name][0] for name, reason in referents.items() if reason is None]
    lowest = min((box_corners(it)[:, 2].min() for it in boxes), default=0.0)
    kept = {}
    for triple in permutations(named, 3):
        position, orientation, query = (boxes[it] for it in triple)
        turn = turn_degrees(position, orientation, query)
        reason = None
        if box_corners(position)[:, 2].min() > lowest + parameters.max_bottom:
            reason = "overhead"
        for a, b in ((position, orientation), (position, query), (orientation, query)):
            if reason is None:
                distance = box_distance(a, b)
                if math.hypot(*(a.center - b.center)[:2]) < parameters.min_offset:
                    reason = "above"
                elif distance < parameters.min_distance:
                    reason = "near"
                elif distance > parameters.max_distance:
                    reason = "far"
        if reason is None:
            assert turn is not None
            if clearance(turn, SECTORS[task]) < parameters.min_angle:
                reason = "border"
            elif task == EASY and 135 <= turn < 225:
                reason = "back"
            elif strays(position, orientation, box_corners(query), turn, SECTORS[task]) > (
                parameters.max_stray_corners
            ):
                reason = "spread"
            else:
                kept[triple] = turn
                continue
        reasons[reason] += 1
    return kept, reasons


def check(facts: SceneFacts, task: str, **parameters: Any) -> Counter[str]:
    found = found_by(task, facts, **parameters)
    kept, reasons = expected(facts, task, DirectionParameters(**parameters))
    assert found.rejected == reasons
    assert dict(zip(about(found), found.values["turn"].tolist(), strict=True)) == kept
    # The same three objects in other roles are one group.
    groups = list(zip(map(frozenset, about(found)), found.values[GROUP].tolist(), strict=True))
    assert len(set(groups)) == len({three for three, _ in groups}) == len({group for _, group in groups})
    return Counter({**reasons, "ok": len(kept)})


@pytest.mark.every(3)
@pytest.mark.parametrize("task", TASKS)
def test_candidates_are_those_of_plain_loops(studio: Studio, task: str) -> None:
    reached: Counter[str] = Counter()
    for facts in (studio.facts()[0], *map(random_scene, range(60))):
        reached += check(facts, task)
        reached += check(
            facts, task, min_distance=0.0, max_distance=3.0, min_offset=0.1, max_bottom=1.0, min_angle=2.0,
            max_stray_corners=0,
        )  # fmt: skip
    wanted = {"above", "overhead", "near", "far", "border", "spread", "several", "half_seen", "ok"}
    assert wanted | ({"back"} if task == EASY else set()) <= set(reached)


@pytest.mark.parametrize(("how", "rejected"), [("exact", {"near": 6}), ("sampled", {})])
def test_distances_are_measured_as_wanted(how: str, rejected: dict[str, int]) -> None:
    # Points on grids of the mirror and the sofa lie 0.46 m apart, the boxes 0.44 m.
    facts = made([("mirror", box(0, 0, (2.0, 0.02, 2.0))), ("sofa", box(0.9, 0.55)), ("bed", box(-2, 1.5))])
    found = found_by(HARD, facts, distance=how, min_distance=0.45, min_angle=0, max_stray_corners=8)
    assert found.rejected == rejected


@given(
    st.lists(st.tuples(st.integers(-2, 2), st.integers(-2, 2)), min_size=3, max_size=5),
    st.sampled_from([(0.0, 135.0, 225.0), (0.0, 90.0, 180.0, 270.0), (0.0, 45.0, 180.0, 300.0)]),
    st.sampled_from([1.0, 0.1, 1e-3]),
)
def test_turns_and_sectors_are_those_of_one_triple(
    places: list[tuple[int, int]], borders: tuple[float, ...], scale: float
) -> None:
    """On a grid, where centers and corners lie on borders, on each other and on the place itself."""
    centers = scale * np.array(places, np.float64)
    corners = centers[:, None] + scale * np.array(list(product((-1.0, 1.0), repeat=3)))[None, :, :2]
    triples = np.array(list(permutations(range(len(centers)), 3)), np.int64)
    turns = triple_turns(triples, centers)
    boxes = [point(center) for center in centers]
    alone = [turn_degrees(*(boxes[it] for it in triple)) for triple in triples]
    assert np.isnan(turns).tolist() == [turn is None for turn in alone]
    known = ~np.isnan(turns)
    triples, turns = triples[known], turns[known]
    assert turns.tolist() == [turn for turn in alone if turn is not None]
    found = triple_sectors(triples, turns, centers, corners, borders)
    for row, (triple, turn) in enumerate(zip(triples.tolist(), turns.tolist(), strict=True)):
        assert found.own[row] == sector(turn, borders)
        assert found.clearance[row] == clearance(turn, borders)
        assert found.stray[row] == strays(
            boxes[triple[0]], boxes[triple[1]], corners[triple[2]], turn, borders
        )


@pytest.mark.parametrize("borders", [(0.0, 180.0), (10.0, 120.0, 240.0), (0.0, 120.0, 120.0, 240.0)])
def test_sectors_of_half_a_turn_have_no_inside(borders: tuple[float, ...]) -> None:
    nothing = np.zeros((0, 3), np.int64)
    with pytest.raises(ValueError, match="half a turn"):
        triple_sectors(nothing, np.zeros(0), np.zeros((3, 2)), np.zeros((3, 8, 2)), borders)


def test_levels_that_agree_share_their_triples() -> None:
    facts = random_scene(1)
    for task in TASKS:
        facts.once(task_named(task).find, DirectionParameters(seed=TASKS.index(task)))
    assert [key[0] for key in facts._memo].count(triples_of) == 1
    before = facts.once(triples_of, DirectionParameters().apart)
    assert len(before.settle()) == len(before) and before.strata is None
    found_by(EASY, facts, max_distance=2.0)
    assert [key[0] for key in facts._memo].count(triples_of) == 2


# Limits.


def at(degrees: float, radius: float = 2.0) -> tuple[float, float]:
    return radius * math.cos(math.radians(degrees)), radius * math.sin(math.radians(degrees))


def verdict(task: str, degrees: float) -> str:
    """What becomes of the question about a small thing that lies so many degrees left of what is faced."""
    start = 37.0
    facts = made([("sofa", box(0, 0)), ("table", box(*at(start))), ("plant", box(*at(start + degrees, 2.5)))])
    found = found_by(task, facts)
    # All six orders were counted.
    assert sum(found.rejected.values()) + len(found) == 6
    turns = dict(zip(about(found), found.values["turn"].tolist(), strict=True))
    if (0, 1, 2) not in turns:
        return "rejected"
    assert turns[0, 1, 2] == pytest.approx(degrees % 360, abs=1e-9)
    return WORDS[task](turns[0, 1, 2])


@pytest.mark.parametrize("task", TASKS)
def test_directions_keep_ten_degrees_from_a_border_on_both_sides(task: str) -> None:
    for border in SECTORS[task]:
        for side in (-1, 1):
            assert verdict(task, (border + side * 9.9) % 360) == "rejected"
            outside = (border + side * 10.1) % 360
            back = 135 <= outside < 225
            assert (verdict(task, outside) != "rejected") == (task != EASY or not back)


@pytest.mark.parametrize(
    ("task", "degrees", "expected"),
    [
        (EASY, 60, "left"), (EASY, 300, "right"), (EASY, 180, "rejected"), (MEDIUM, 180, "back"),
        (MEDIUM, 60, "left"), (MEDIUM, 300, "right"), (HARD, 45, "front-left"), (HARD, 135, "back-left"),
        (HARD, 225, "back-right"), (HARD, 315, "front-right"),
    ],
)  # fmt: skip
def test_directions_have_their_words(task: str, degrees: float, expected: str) -> None:
    assert verdict(task, degrees) == expected


@pytest.mark.parametrize(("gap", "reason"), [(0.29, "near"), (0.31, None), (4.99, None), (5.01, "far")])
def test_directions_need_objects_neither_near_nor_far(gap: float, reason: str | None) -> None:
    # Sides of 0.5 keep the centers half a meter apart even where the boxes nearly touch.
    size = (0.5, 0.5, 0.5)
    facts = made(
        [("sofa", box(0, 0, size)), ("table", box(0.5 + gap, 0, size)), ("plant", box(0.3, 2.0, size))]
    )
    found = found_by(HARD, facts, min_angle=0, max_stray_corners=8)
    assert bool(len(found)) == (reason is None)
    assert found.rejected == ({reason: 6} if reason else {})


def test_nobody_stands_by_a_lamp_or_faces_what_hangs_above() -> None:
    found = found_by(MEDIUM, made([("sofa", box(0, 0)), ("lamp", box(2, 0, z=2.4)), ("plant", box(1, 2))]))
    assert {triple[0] for triple in about(found)} == {0, 2} and found.rejected["overhead"] == 2
    over = made([("sofa", box(0, 0)), ("picture", box(0.3, 0, z=1.5)), ("plant", box(1, 2))])
    assert found_by(MEDIUM, over).rejected["above"] == 6


@pytest.mark.parametrize(("height", "stands"), [(1.79, True), (1.81, False)])
def test_how_high_an_object_hangs_is_taken_from_the_lowest_box(height: float, stands: bool) -> None:
    low = ("floor", box(0, 0, (5, 5, 0.2), z=-0.6))
    lamp = ("lamp", box(2, 0, z=-0.7 + height + 0.1))
    found = found_by(MEDIUM, made([low, ("sofa", box(0, 0)), lamp, ("plant", box(1, 2))]))
    assert ("overhead" not in found.rejected) == stands


def test_an_object_that_reaches_into_another_direction_is_not_asked_about() -> None:
    long = box(*at(25, 2.5), size=(4.0, 0.1, 0.2), yaw=math.radians(115))
    facts = made([("sofa", box(0, 0)), ("table", box(*at(0))), ("carpet", long)])
    assert (0, 1, 2) not in about(found_by(HARD, facts, min_distance=0))
    assert (0, 1, 2) in about(found_by(HARD, facts, min_distance=0, max_stray_corners=8))


@pytest.mark.parametrize("count", [0, 1, 2])
def test_less_than_three_names_give_nothing(count: int) -> None:
    facts = made([(name, box(2 * i, 0)) for i, name in enumerate(("sofa", "table")[:count])])
    for task in TASKS:
        assert ask(task, facts) == [] and found_by(task, facts).rejected == {}


NAMES = ("sofa", "table", "plant", "bed", "lamp", "vase", "piano", "toilet")


def spread_out(count: int, seed: int = 4) -> list[tuple[str, Box]]:
    rng = np.random.default_rng(seed)
    return [(name, box(*rng.uniform(0, 5, 2), yaw=rng.uniform(0, 3))) for name in NAMES[:count]]


def test_a_smaller_quota_asks_the_first_in_line() -> None:
    facts = made(spread_out(8))
    nested = [{row["qa_id"]: row for row in ask(HARD, facts, quota=quota)} for quota in (1, 10, 11, 40)]
    assert list(map(len, nested)) == [1, 10, 11, 40]
    assert all(few.items() <= many.items() for few, many in pairwise(nested))


def test_sixty_named_objects_have_all_their_triples() -> None:
    rng = np.random.default_rng(0)
    objects = [
        (f"thing {i}", box(*rng.uniform(0, 9, 2), (0.5, 0.3, 0.4), rng.uniform(0, 3))) for i in range(60)
    ]
    found: Candidates = found_by(HARD, made(objects))
    assert len(found) + sum(found.rejected.values()) == 60 * 59 * 58
