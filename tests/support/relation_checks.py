"""What the tests of tasks about spatial relations share: words by hand, and marks that are boxes.

A relation is computed from the truth alone: differences in meters between points in an observer's frame.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
from asked_homes import Asked
from question_truth import TrueFrame, Truth
from scipy.stats import chisquare
from spar_checks import roles_of

WORDS = {
    "lr": ("left", "right"),
    "ab": ("below", "above"),
    "fb": ("behind", "front"),
    "fc": ("closer", "farther"),
}
SAID = {
    "left": r"to the left\b",
    "right": r"to the right\b",
    "above": r"\babove\b",
    "below": r"\bbelow\b",
    "front": r"\bin front\b",
    "behind": r"\bbehind\b",
    "farther": r"\bfarther (?:away|from)\b",
    "closer": r"\bcloser\b",
}
OPPOSITE = {word: other for pair in WORDS.values() for word, other in (pair, pair[::-1])}
UNLIKELY = 1e-4


def words_of(value: Sequence[float], kinds: Sequence[str]) -> list[str]:
    """The word of each number, empty within a decimeter."""
    found = []
    for number, kind in zip(value, kinds, strict=True):
        low, high = WORDS[kind]
        found.append(high if number > 0.1 else low if number < -0.1 else "")
    return found


def chosen(row: dict[str, Any]) -> list[str]:
    """The words of a select row's answer."""
    return row["options"]["ABCD".index(row["answer"])].split(", ")


def spoken(text: str, kinds: Sequence[str]) -> list[str]:
    """The word of each kind that a sentence says, empty where it says none; never both."""
    found = []
    for kind in kinds:
        said = [word for word in WORDS[kind] if re.search(SAID[word], text)]
        assert len(said) < 2, text
        found.append(said[0] if said else "")
    return found


def in_view(frame: TrueFrame, point: np.ndarray) -> np.ndarray:
    """Right, up and front of the camera, meters."""
    right, down, front = frame.in_camera(point)
    return np.array([right, -down, front])


def between(first: np.ndarray, second: np.ndarray) -> list[float]:
    right, up, _ = first - second
    return [float(right), float(up), float(np.sqrt(first @ first) - np.sqrt(second @ second))]


def check_evenly_offered(asked: Asked, task: str, same: Sequence[str]) -> None:
    """Options of a question are answers of others that print the same words; each set's members are asked alike.

    `same` are the roles whose categories make up the words.
    """
    answers = defaultdict(set)
    rows = asked.rows(task, "select")
    for row in rows:
        objects = asked.truths[row["scene"]].objects
        things = roles_of(row)
        # The order of two things is drawn.
        words = tuple(sorted(objects[things[role]].category for role in same))
        answers[row["scene"], words].add(row["options"]["ABCD".index(row["answer"])])
        assert len(row["options"]) == len(set(row["options"])) == 4
        assert all(set(option) != {",", " "} for option in row["options"])
    letters = Counter(row["answer"] for row in rows)
    assert chisquare([letters[letter] for letter in "ABCD"]).pvalue > UNLIKELY
    right = Counter(by_majority(row) for row in rows)
    # A quarter of all would be right by chance; by the majority of each slot no more are than by luck.
    assert right[True] <= 0.25 * len(rows) + 3 * np.sqrt(len(rows) * 0.19), right


def by_majority(row: dict[str, Any]) -> bool:
    """Whether the option that has most slots in common with the others is the right one, all that tie being wrong."""
    options = [option.split(", ") for option in row["options"]]
    scores = [
        sum(a == b for other in options for a, b in zip(option, other, strict=True)) for option in options
    ]
    best = max(scores)
    return scores.count(best) == 1 and "ABCD"[scores.index(best)] == row["answer"]


def check_boxes(asked: Asked, task: str, roles: Sequence[str]) -> None:
    """Each object is named with its mark, a box around what the marked image shows of it."""
    off = 0
    rows = asked.rows(task)
    for row in rows:
        truth = asked.truths[row["scene"]]
        assert [item["role"] for item in row["objects"]] == list(roles)
        assert [(m["role"], m["shape"], m["color"]) for m in row["marks"]] == [(r, "box", r) for r in roles]
        shown = [item["frame"] for item in row["frames"]]
        for mark, thing in zip(row["marks"], row["objects"], strict=True):
            assert mark["frame"] in shown
            box = truth.box(mark["frame"], thing["instance"])
            view = truth.frames[mark["frame"]]
            # Two renderers may differ by a pixel.
            reach = np.array([1000 / view.width, 1000 / view.height] * 2) * 1.01 + 0.5
            off += bool((np.abs(np.array(mark["xy"]) - box) > reach).any())
            assert f"{truth.objects[thing['instance']].category} ({thing['role']} box" in row["question"]
    assert off <= 0.02 * len(rows)


def level(forward: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """An offset in the world as right, up and front of one who looks along `forward` with a level head."""
    heading = math.atan2(forward[1], forward[0])
    east, north, up = offset
    front = math.cos(heading) * east + math.sin(heading) * north
    left = math.cos(heading) * north - math.sin(heading) * east
    return np.array([-left, up, front])


def moved(
    scene: Truth, things: dict[str, int], place: np.ndarray, forward: np.ndarray, slots: int
) -> list[float]:
    """What is asked of one at a place who looks along `forward`: three numbers, or five where two are compared."""
    red = level(forward, scene.objects[things["red"]].center - place)
    if "yellow" not in things:
        return [float(number) for number in red]
    yellow = level(forward, scene.objects[things["yellow"]].center - place)
    return [*between(red, yellow), float(red[2]), float(yellow[2])][:slots]


def after_move(scene: Truth, things: dict[str, int], slots: int = 3) -> list[float]:
    green, blue = (scene.objects[things[role]].center for role in ("green", "blue"))
    return moved(scene, things, green, blue - green, slots)


def before_move(scene: Truth, things: dict[str, int], frame: TrueFrame, slots: int = 3) -> list[float]:
    return moved(scene, things, frame.position, frame.rotation.apply([0.0, 0.0, 1.0]), slots)


ONE = r"(?:to the left|to the right|above|below|in front|behind|farther away|closer)"
PLACES = r" \(the \w+ one \w+(?: front)?, the \w+ one \w+(?: front)?\)"
LISTED = re.compile(rf"\b{ONE}(?:, {ONE})*(?: and {ONE})?(?:{PLACES})?")
PLACED = re.compile(r"one (in front|behind|abreast)")


def twice_spoken(text: str, kinds: Sequence[str]) -> list[str]:
    """What a sentence says first, and then."""
    lists = LISTED.findall(text)
    assert len(lists) == 2, text
    return [word for part in lists for word in listed(part, kinds)]


def listed(part: str, kinds: Sequence[str]) -> list[str]:
    words = {"in front": "front", "behind": "behind", "abreast": ""}
    found = spoken(part.split(" (")[0], kinds[:3])
    return [*found, *(words[place] for place in PLACED.findall(part))]


def check_moves(asked: Asked, task: str) -> None:
    """Nobody turns to what is steeply above or below, or to what is too near to be in any direction."""
    for row in asked.rows(task):
        objects = asked.truths[row["scene"]].objects
        green, blue, *others = (objects[item["instance"]] for item in row["objects"])
        across, along, rise = blue.center - green.center
        assert np.hypot(across, along) >= 0.499 and abs(rise) <= np.hypot(across, along) * 1.001
        for thing in (blue, *others):
            assert not green.overlaps(thing)
            assert np.hypot(*(thing.center - green.center)[:2]) >= 0.499


def once_spoken(text: str, kinds: Sequence[str]) -> list[str]:
    """What a sentence says that speaks of one relation."""
    (part,) = LISTED.findall(text)
    return listed(part, kinds)
