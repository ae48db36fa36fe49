"""What must hold between a scene and another that is made of it, for every task and a sample of its candidates."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from asked_homes import FORMS, Asked
from hypothesis import given, settings
from hypothesis import strategies as st
from other_scenes import (
    Asking,
    Key,
    asked_of,
    exchanged,
    found_keys,
    mirrored,
    placed,
    scaled_parameters,
)

from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.marks import Mark
from spatial_assets.tasks.core.marks import placed as placed_marks
from spatial_assets.tasks.core.printed import taken_out
from spatial_assets.tasks.core.quantities import Reals
from spatial_assets.tasks.core.rendering import SELECT
from spatial_assets.tasks.core.task import TaskParameters
from spatial_assets.tasks.registry import tasks

TASKS = [name for name in FORMS if name != "nav_video"]
"""Ways are told by texts of their own; the tests of `nav_video` hold its mirror."""
NOT_IN_TINY = {"appearance_order", "distance_infer_center_oc", "obj_count", "room_size"}
"""Of which a scene of a dozen objects asks nothing; the furnished one does."""
SAMPLE = 25
"""Candidates of each format."""
KEPT = 0.98
"""Share of candidates that a scene must share with its image; the others lie on a threshold, by the last digit."""
ROUNDED = 0.15
"""The same where other numbers are rounded: each of three to eight may be near where it prints otherwise."""
GRID = 1000
SAME = 1.0
MIRROR: dict[str, Sequence[float]] = {
    "obj_spatial_relation_oo": (-1, 1, 1),
    "obj_spatial_relation_oc_mv": (-1, 1, 1),
    "obj_spatial_relation_oo_mv": (-1, 1, 1, 1, 1),
    "spatial_imagination_oc": (-1, 1, 1),
    "spatial_imagination_oo": (-1, 1, 1),
    "spatial_imagination_oc_mv": (-1, 1, 1),
    "spatial_imagination_oo_mv": (-1, 1, 1, 1, 1),
    "spatial_imagination_oc_video": (-1, 1, 1),
    "spatial_imagination_oc_video_hard": (-1, 1, 1),
    "spatial_imagination_oo_video": (-1, 1, 1, 1, 1),
    "spatial_imagination_oo_video_hard": (-1, 1, 1, 1, 1),
    "spatial_imagination_map_mv": (-1, 1),
    "view_change_infer": (-1, 1, 1, 1, -1),
}
"""Signs of the answers' values, over and over for tasks that say several."""
WORDED = {*MIRROR} - {"spatial_imagination_map_mv"}
"""Whose answers say left and right."""
SCALES: dict[str, float | Sequence[float]] = {
    "camera_motion_infer": (SAME, SAME, 2),
    "position_matching": SAME,
    "view_change_infer": (2, 2, 2, SAME, SAME, SAME, SAME, SAME, SAME),
    "obj_frame_locate": SAME,
    "obj_count": SAME,
    "appearance_order": SAME,
}
"""Of values; twice as long for all others."""
NOT_SCALED = {"room_size"}
"""Its questions keep to the areas that rooms have."""
PAIRS: dict[str, tuple[int, int, Sequence[int], Sequence[float]]] = {
    "obj_spatial_relation_oo": (0, 1, (0, 1, 2), (-1, -1, -1)),
    "obj_spatial_relation_oo_mv": (0, 1, (0, 1, 2, 4, 3), (-1, -1, -1, 1, 1)),
    "spatial_imagination_oo": (2, 3, (0, 1, 2), (-1, -1, -1)),
    "spatial_imagination_oo_mv": (2, 3, (0, 1, 2, 4, 3), (-1, -1, -1, 1, 1)),
    "spatial_imagination_oo_video": (2, 3, (0, 1, 2, 4, 3), (-1, -1, -1, 1, 1)),
    "spatial_imagination_oo_video_hard": (2, 3, (0, 1, 2, 4, 3), (-1, -1, -1, 1, 1)),
    "distance_prediction_oo": (0, 1, (0,), (1,)),
    "distance_prediction_oo_mv": (0, 1, (0,), (1,)),
    "distance_prediction_oo_video": (0, 1, (0,), (1,)),
    "depth_prediction_oo": (0, 1, (0,), (1,)),
    "depth_prediction_oo_mv": (0, 1, (0,), (1,)),
    "distance_infer_center_oo": (1, 2, (1, 0), (1, 1)),
    "distance_infer_center_oo_mv": (1, 2, (1, 0), (1, 1)),
}
"""Which two of a candidate's objects change places, from where each value then comes and with which sign."""
OPPOSITE = {
    one: other
    for pair in (("right", "left"), ("above", "below"), ("farther", "closer"))
    for one, other in (pair, pair[::-1])
}


def facts_in(home: Asked) -> Iterator[SceneFacts]:
    for inputs in home.inputs():
        yield SceneFacts(inputs.which, inputs.shard.license, inputs.table)


@pytest.fixture(scope="module")
def scene(asked: Asked) -> tuple[str, SceneFacts]:
    return asked.name, next(facts_in(asked))


def skip_where_nothing_is_asked(scene: tuple[str, SceneFacts], name: str) -> SceneFacts:
    if scene[0] == "tiny" and name in NOT_IN_TINY:
        pytest.skip("such a small scene asks nothing of the kind")
    return scene[1]


def sample(keys: Sequence[Key]) -> list[Key]:
    """A few of them, spread over all."""
    ordered = sorted(keys)
    return ordered[:: max(1, len(ordered) // SAMPLE)][:SAMPLE]


def plain(text: str) -> str:
    """Without the signs of the places that it prints."""
    return taken_out([text])[0][0]


def across_and_down(facts: SceneFacts, mark: Mark) -> tuple[Reals, Reals]:
    xy = placed_marks(facts, [mark.shape], np.array([mark.frame]), np.array([mark.thing])).on_grid.astype(
        np.float64
    )
    return xy[::2], xy[1::2]


def both(
    name: str,
    form: str,
    one: SceneFacts,
    other: SceneFacts,
    theirs: TaskParameters | None = None,
    kept: float = KEPT,
) -> Iterator[tuple[Asking, Asking]]:
    """What candidates ask that both scenes have, of which there must be as many as `kept` says."""
    chosen = tasks()[name]
    ours = chosen.parameters()
    theirs = ours if theirs is None else theirs
    first, second = found_keys(chosen, form, one, ours), found_keys(chosen, form, other, theirs)
    common = first.keys() & second.keys()
    assert len(common) >= kept * max(len(first), len(second)), (form, len(common), len(first), len(second))
    keys = sample(list(common))
    for left, right in zip(
        asked_of(chosen, form, one, ours, keys), asked_of(chosen, form, other, theirs, keys), strict=True
    ):
        # What falls only when it is asked falls in both.
        assert (left is None) == (right is None) or kept < KEPT
        if left is not None and right is not None:
            yield left, right


def values_of(asking: Asking) -> np.ndarray:
    return np.array(asking.question.answer.value, np.float64)


def about(asking: Asking) -> list[Any]:
    question = asking.question
    return [question.frames, question.objects, question.stems, question.views]


@pytest.mark.every(4)
@settings(max_examples=2)
@given(degrees=st.floats(-180, 180), east=st.floats(-20, 20), up=st.floats(-3, 3))
@pytest.mark.parametrize("name", TASKS)
def test_a_turned_and_moved_world_asks_the_same(
    scene: tuple[str, SceneFacts], name: str, degrees: float, east: float, up: float
) -> None:
    facts = skip_where_nothing_is_asked(scene, name)
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    turn = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
    other = placed(facts, turn, (east, -east, up))
    chosen = tasks()[name]
    # Wrong options come from other candidates, of which the last digit may bring one more.
    alike = all(
        found_keys(chosen, form, facts, chosen.parameters()).keys()
        == found_keys(chosen, form, other, chosen.parameters()).keys()
        for form in FORMS[name]
    )
    for form in FORMS[name]:
        asked = 0
        for one, turned in both(name, form, facts, other):
            assert about(one) == about(turned) and one.right == turned.right
            assert one.question.slots == turned.question.slots
            assert one.rendered == turned.rendered or not alike
            assert np.allclose(values_of(one), values_of(turned), atol=1e-6)
            assert np.allclose(one.question.answer.margins, turned.question.answer.margins, atol=1e-6)
            assert list(one.question.marks) == list(turned.question.marks)
            asked += 1
        assert asked or form == SELECT, form


def swapped(text: str) -> str:
    """Left for right, but in the word of a zero."""
    return re.sub(r"(?<![a-z])(left|right)(?![a-z]|:0(?:,|$))", lambda found: OPPOSITE[found[0]], text)


def seen_in_the_mirror(name: str, form: str, value: np.ndarray, text: str) -> np.ndarray:
    if name == "camera_motion_infer":
        return np.array([GRID - value[0], *value[1:]])
    if name == "position_matching":
        return np.array([GRID - value[2], value[1], GRID - value[0], value[3]])
    if name not in MIRROR:
        return value
    if form == "judge":
        return -value if re.search(r"\b(left|right)\b", text) else value
    signs = np.resize(MIRROR[name], len(value))
    if name == "view_change_infer":
        shares = value[5:].reshape(-1, 2)
        return np.array([*(value[:5] * signs[:5]), *np.stack([1 - shares[:, 0], shares[:, 1]], 1).ravel()])
    return value * signs


@pytest.mark.every(3)
@pytest.mark.parametrize("name", TASKS)
def test_a_mirror_swaps_left_and_right_and_nothing_else(scene: tuple[str, SceneFacts], name: str) -> None:
    facts = skip_where_nothing_is_asked(scene, name)
    other = mirrored(facts)
    for form in FORMS[name]:
        asked = 0
        for one, mirror in both(name, form, facts, other):
            slots = {**one.question.slots, **one.rendered.slots}
            expected = seen_in_the_mirror(name, form, values_of(one), slots.get("stated", ""))
            assert np.allclose(values_of(mirror), expected, atol=1e-6)
            assert about(one) == about(mirror)
            if name in WORDED:
                assert mirror.right == swapped(one.right)
                theirs = {**mirror.question.slots, **mirror.rendered.slots}
                for slot in slots.keys() - {"options"}:
                    assert theirs[slot] == swapped(slots[slot]), slot
            elif np.array_equal(expected, values_of(one)) and not re.search(r"\[\d", plain(one.right)):
                assert mirror.right == one.right
            for ours, seen in zip(one.question.marks, mirror.question.marks, strict=True):
                assert ours == seen
                xs, ys = across_and_down(facts, ours)
                other_xs, other_ys = across_and_down(other, seen)
                width = facts.frames.widths[ours.frame]
                assert np.allclose(sorted(GRID - xs), sorted(other_xs), atol=GRID / width + 1e-6)
                assert np.allclose(ys, other_ys)
            asked += 1
        assert asked or form == SELECT, form


@pytest.mark.every(3)
@settings(max_examples=2)
@given(scale=st.sampled_from([2.0, 0.5, 4.0]))
@pytest.mark.parametrize("name", [name for name in TASKS if name not in NOT_SCALED])
def test_twice_as_large_with_limits_to_match_is_twice_as_far(
    scene: tuple[str, SceneFacts], name: str, scale: float
) -> None:
    facts = skip_where_nothing_is_asked(scene, name)
    other = placed(facts, np.eye(3), scale=scale)
    parameters = scaled_parameters(tasks()[name], scale)
    for form in FORMS[name]:
        asked = 0
        # Others lie near a rounding boundary: steps of printed numbers are not scaled, nor gaps between options.
        kept = 0.0 if form == SELECT else ROUNDED
        for one, larger in both(name, form, facts, other, parameters, kept):
            held = SCALES.get(name, 2.0)
            factors = np.resize(held, len(values_of(one)))
            factors = np.where(factors == SAME, SAME, scale)
            assert np.allclose(values_of(larger), values_of(one) * factors, rtol=1e-9, atol=1e-9)
            asked += 1
        assert asked or form == SELECT, form


@pytest.mark.every(3)
@pytest.mark.parametrize("name", PAIRS)
def test_two_objects_that_change_places_turn_the_answer(scene: tuple[str, SceneFacts], name: str) -> None:
    facts = scene[1]
    chosen = tasks()[name]
    first, second, order, signs = PAIRS[name]
    found = dict.fromkeys(FORMS[name], 0)
    for form in FORMS[name]:
        parameters = chosen.parameters()
        keys = sample(list(found_keys(chosen, form, facts, parameters)))
        pairs = sorted({(key[1][first], key[1][second]) for key in keys})[:12]
        for pair in pairs:
            other = exchanged(facts, *pair)
            theirs = found_keys(chosen, form, other, parameters)
            common = [key for key in keys if (key[1][first], key[1][second]) == pair and key in theirs]
            for one, turned in zip(
                asked_of(chosen, form, facts, parameters, common),
                asked_of(chosen, form, other, parameters, common),
                strict=True,
            ):
                if one is None or turned is None:
                    continue
                value = values_of(one)
                if form == "judge":
                    stated = {**one.question.slots, **one.rendered.slots}["stated"]
                    words = re.findall(r"[a-z]+", stated)
                    sign = -1 if set(words) & OPPOSITE.keys() else 1
                    if sign < 0:
                        assert np.allclose(values_of(turned), -value, atol=1e-6)
                        found[form] += 1
                    continue
                sets = value.reshape(-1, len(order)) if len(value) >= len(order) else value.reshape(1, -1)
                expected = (sets[:, list(order)] * np.array(signs)).ravel()
                assert np.allclose(values_of(turned), expected, atol=1e-6)
                found[form] += 1
    assert all(count or form == SELECT for form, count in found.items()), found


@settings(max_examples=5)
@given(draws=st.tuples(st.integers(0, 2**32), st.integers(0, 2**32)))
@pytest.mark.parametrize("name", [name for name in TASKS if SELECT in FORMS[name]])
def test_the_letter_follows_the_right_option(
    scene: tuple[str, SceneFacts], name: str, draws: tuple[int, int]
) -> None:
    facts = skip_where_nothing_is_asked(scene, name)
    chosen = tasks()[name]
    parameters = chosen.parameters()
    keys = sample(list(found_keys(chosen, SELECT, facts, parameters)))
    assert keys
    for one, other in zip(
        *(asked_of(chosen, SELECT, facts, parameters, keys, draw) for draw in draws), strict=True
    ):
        if one is None or other is None:
            continue
        for asking in (one, other):
            options = asking.rendered.options
            assert options is not None and len(set(options)) == len(options)
            assert options.count(asking.right) == 1
            assert sorted(options) == sorted(asking.question.answer.options(None)), (
                "wrong ones do not depend on draws"
            )  # type: ignore[arg-type]
            assert asking.right == asking.question.answer.options(None)[0]  # type: ignore[arg-type]
