"""What turning the world or the question does to answers: mirrored, left and right change; swapped, all words do."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mosaic_checks import SAID, axis_of, bare_stem, said_side
from mosaic_scene import made_sets, shown
from video_scenes import ask, box, chosen_text, things

WORDS = ("lamp", "sofa", "vase", "clock", "plant", "desk")
EVEN_NOT = {"even": False, "quota": 1000}
AXES = ("lr", "ab", "fb")


def room(seed: int, mirror: float = 1.0) -> Any:
    """Six small things before a camera at the origin, all in sight; and a second view that shows nothing."""
    random = np.random.default_rng(seed)
    places = random.uniform([-2.5, -2.0, 1.5], [2.5, 2.0, 6.0], (len(WORDS), 3))
    objects = [(word, box(mirror * x, y, z=z)) for word, (x, y, z) in zip(WORDS, places, strict=True)]
    return made_sets(objects, [{place: shown() for place in range(len(WORDS))}, {}])


def sides(task: str, scene: Any) -> dict[tuple[int, int], float]:
    """Of each pair, the one asked for first, on which side of the task's axis its answer says that it lies."""
    found = {}
    for row in ask(task, scene, **EVEN_NOT):
        roles, axis = things(row), axis_of(row)
        text = chosen_text(row).lower()
        if "existence" in task:
            said = said_side(bare_stem(row).lower(), axis) * (1 if text == "yes" else -1)
        else:
            (said,) = [sign for sign, words in zip((-1, 1), SAID[axis], strict=True) if _has(words, text)]
        found[roles["target"], roles["reference"]] = float(said)
    return found


def _has(words: str, text: str) -> bool:
    return re.search(words, text) is not None


@pytest.mark.parametrize("kind", ["existence", "spatial"])
@settings(max_examples=5)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_mirror_turns_left_and_right_and_nothing_else(kind: str, seed: int) -> None:
    for axis in AXES:
        task = f"obj_{kind}_occ_{axis}"
        plain, mirrored = sides(task, room(seed)), sides(task, room(seed, -1.0))
        assert plain.keys() == mirrored.keys() and plain
        turned = -1 if axis == "lr" else 1
        assert {pair: turned * side for pair, side in plain.items()} == mirrored


@pytest.mark.parametrize("kind", ["existence", "spatial"])
@settings(max_examples=5)
@given(seed=st.integers(0, 2**32 - 1))
def test_swapping_two_objects_turns_the_relation(kind: str, seed: int) -> None:
    for axis in AXES:
        found = sides(f"obj_{kind}_occ_{axis}", room(seed))
        assert found and all(found[b, a] == -side for (a, b), side in found.items())


@settings(max_examples=5)
@given(seed=st.integers(0, 2**32 - 1))
def test_in_a_mirror_another_of_four_lies_to_the_left(seed: int) -> None:
    """Who is alone on the left of something is, mirrored, alone on its right."""

    def alone(mirror: float) -> set[tuple[int, int, float]]:
        return {
            (things(row)["answer"], things(row)["reference"], float(np.sign(row["value"][0])))
            for row in ask("obj_attribute_occ_lr", room(seed, mirror), **EVEN_NOT)
        }

    assert alone(1.0) == {(thing, reference, -side) for thing, reference, side in alone(-1.0)}
