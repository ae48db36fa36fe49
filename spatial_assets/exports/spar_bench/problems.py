"""What is tried of a question before it enters the benchmark: a function for each problem that people found in SPAR's.

The first sentence of each is what reports say of it. A check gets the question's row and what the lake knows of its
scene, and says what is wrong, or nothing. Those that need the scene find nothing wrong where the lake has none of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from itertools import combinations
from typing import Any

from spatial_assets.exports.core.scene_truth import SceneTruth
from spatial_assets.exports.spar_bench import answers
from spatial_assets.exports.spar_bench.tasks import SELECT, bench_tasks
from spatial_assets.imaging.marks import GRID, POINT_RADIUS, REFERENCE_WIDTH

Row = Mapping[str, Any]
Check = Callable[[Row, SceneTruth], str | None]

FEWEST_WORDS = 4
"""Of a stem; with fewer nothing can be asked about marked objects."""
VAGUE = frozenset(
    (
        "object", "objects", "thing", "things", "item", "items", "something", "stuff", "unknown", "unlabeled",
        "undefined", "none", "null", "nan", "other", "otherfurniture", "otherprop", "otherstructure", "misc",
    )
)  # fmt: skip
"""Words that stand where a name should, in labels of datasets."""
NAMED_MARK = re.compile(r"(\S+) \((red|green|blue|yellow) (point|box)\)")
SPOKEN_MARK = re.compile(r"\((red|green|blue|yellow) (?:point|box)\)")
DECIMAL = re.compile(r"(?<![\w.:])\d+\.\d+(?![\d:])")
UNIT = re.compile(r"\s*(?:meters?|metres?|m|centimeters?|cm|degrees?|square meters?)\b")
LENGTH_UNIT = re.compile(r"\bmet(?:er|re)s?\b")
DEGREES = re.compile(r"\bdegrees?\b")
LEAST_MARGIN = 0.02
"""Meters by which a choice must be clear: annotated boxes are not placed better than that."""
SAME_BOX = 0.5
"""Overlap over union from which two boxes are the same object's for detectors' benchmarks."""
SAME_POINT, SAME_DEPTH = 25.0, 0.1
"""Grid steps and meters: nearer than both, two positions of a camera are one to the eye."""
COVERED_BOX = 0.9
"""Overlap over union from which one box's lines stand on another's."""
ON_OBJECT = 2.0
"""Grid steps that a mark may lie outside of what its image shows of the object: it was rounded to one."""
AGREEING = 1e-3
"""Of a number, in its unit or as a share, between what a row says and what its scene gives."""


def vague_stem(row: Row, scene: SceneTruth) -> str | None:
    """The stem leaves open what it asks about: an empty slot of its wording, or a word that names nothing."""
    del scene
    if len(row["stem"].split()) < FEWEST_WORDS:
        return f"stem of {len(row['stem'].split())} words"
    if re.search(r"[{}]|\bNone\b|\bnan\b", row["question"]):
        return "a slot of the wording is left open"
    for name, color, shape in NAMED_MARK.findall(row["question"]):
        if re.sub(r"\W", "", name).lower() in VAGUE:
            return f"{name} names nothing, at the {color} {shape}"
    return None


def mark_missing(row: Row, scene: SceneTruth) -> str | None:
    """A mark is spoken of that is not drawn, or drawn and not spoken of, or drawn in one color twice."""
    del scene
    drawn = [mark["color"] for mark in row["marks"]]
    if len(set(drawn)) < len(drawn):
        return "two marks of one color"
    for color in sorted(set(SPOKEN_MARK.findall(row["question"])) - set(drawn)):
        return f"no {color} mark is drawn"
    for color in drawn:
        if not re.search(rf"\b{color}\b", row["stem"]):
            return f"the {color} mark is not spoken of"
    return None


def answer_not_offered(row: Row, scene: SceneTruth) -> str | None:
    """The answer is none of the options, or the options are not those that the question prints."""
    del scene
    if row["format"] != SELECT:
        return "options without letters to answer with" if row["options"] else None
    options = row["options"] or []
    if len(options) < 2:
        return f"{len(options)} options"
    if row["answer"] not in [chr(ord("A") + place) for place in range(len(options))]:
        return f"{row['answer']} of {len(options)} options"
    for place, option in enumerate(options):
        if f"{chr(ord('A') + place)}. {option}" not in row["question"]:
            return f"option {chr(ord('A') + place)} is not printed"
    return None


def equal_options(row: Row, scene: SceneTruth) -> str | None:
    """Two options say the same, as they are printed."""
    del scene
    read = [_read(option) for option in row["options"] or ()]
    for (first, one), (second, other) in combinations(enumerate(read), 2):
        if one == other:
            return f"{chr(ord('A') + first)} and {chr(ord('A') + second)}"
    return None


def _read(option: str) -> tuple[Any, ...]:
    """An option without what makes no difference: case, spaces, trailing zeros."""
    words = re.sub(r"\d+(?:\.\d+)?", " ", option).lower().split()
    return (*words, *(float(number) for number in answers.NUMBER.findall(option)))


def misleading_option(row: Row, scene: SceneTruth) -> str | None:
    """A wrong option is so near to the right one that no eye tells them apart."""
    del scene
    task, options = row["task"], row["options"] or ()
    try:
        right = answers.chosen(row)
    except ValueError:
        return None
    for option in options:
        if option == right:
            continue
        one, other = ([float(n) for n in answers.NUMBER.findall(text)] for text in (right, option))
        if task == answers.MATCHING and len(one) == len(other) == 4 and _overlap(one, other) >= SAME_BOX:
            return f"{option} beside {right}"
        if (
            task == answers.CAMERA
            and len(one) == len(other) == 3
            and max(abs(one[0] - other[0]), abs(one[1] - other[1])) <= SAME_POINT
            and abs(one[2] - other[2]) <= SAME_DEPTH
        ):
            return f"{option} beside {right}"
    return None


def _overlap(one: list[float], other: list[float]) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return width * height / (sum(areas) - width * height)


def ambiguous_answer(row: Row, scene: SceneTruth) -> str | None:
    """The number that decides a choice lies so near to where another is right that measuring again may turn it."""
    del scene
    if not row["options"] or row["margin_unit"] != "m":
        return None
    return f"by {row['margin']:.3f} m" if row["margin"] < LEAST_MARGIN else None


def unit_missing(row: Row, scene: SceneTruth) -> str | None:
    """A number of the question, or the one it asks for, has no unit."""
    del scene
    for found in DECIMAL.finditer(row["stem"]):
        if not UNIT.match(row["stem"], found.end()):
            return f"{found[0]} of what?"
    texts = [row["question"]] if row["task"] != answers.CAMERA else list(row["options"] or ())
    numbers = row["format"] != SELECT or row["task"] == answers.CAMERA
    if numbers and not all(LENGTH_UNIT.search(text) for text in texts):
        return "no meters are asked for"
    if row["task"] == answers.VIEW_CHANGE and not DEGREES.search(row["question"]):
        return "no degrees are asked for"
    return None


def contradictory_answer(row: Row, scene: SceneTruth) -> str | None:
    """A place of the answer, or of an option, holds a word of another place, or both ways of one axis are named."""
    del scene
    if row["task"] == answers.VIEW_CHANGE:
        return None if answers.motion(row["answer"]) else f"{row['answer']} is not five movements"
    wanted = answers.SLOTS.get(row["task"])
    for option in (row["options"] or ()) if wanted else ():
        words = answers.slots(option)
        if len(words) != len(wanted or ()):
            return f"{option!r} has {len(words)} places"
        for word, pair in zip(words, wanted or (), strict=True):
            if word and word not in pair:
                return f"{option!r}: {word} where {pair[0]} or {pair[1]} stands"
    return None


def misprinted_answer(row: Row, scene: SceneTruth) -> str | None:
    """The answer as printed is not what the row's own numbers say."""
    del scene
    try:
        return (
            None if answers.says(row, row["value"]) else f"{answers.chosen(row)} for {_short(row['value'])}"
        )
    except ValueError as error:
        return str(error)


def _short(values: Any) -> str:
    return ", ".join(f"{value:.3f}" for value in values)


def covered_mark(row: Row, scene: SceneTruth) -> str | None:
    """One mark is drawn over another, so that it cannot be seen which object is meant."""
    del scene
    for one, other in combinations(row["marks"], 2):
        if one["frame"] != other["frame"] or one["shape"] != other["shape"]:
            continue
        if one["shape"] == "point":
            apart = max(abs(a - b) for a, b in zip(one["xy"], other["xy"], strict=True))
            covered = apart < POINT_RADIUS / REFERENCE_WIDTH * GRID
        else:
            covered = _overlap(one["xy"], other["xy"]) >= COVERED_BOX
        if covered:
            return f"{one['color']} and {other['color']}"
    return None


def _objects(row: Row) -> dict[str, int]:
    return {item["role"]: item["instance"] for item in row["objects"]}


def mark_off_object(row: Row, scene: SceneTruth) -> str | None:
    """A mark does not lie on what its image shows of the object."""
    instances = _objects(row)
    for mark in row["marks"]:
        camera = scene.cameras.get(mark["frame"])
        seen = scene.seen.get(mark["frame"], {}).get(instances.get(mark["role"], -1))
        if camera is None or seen is None or seen.box is None:
            continue
        edges = [edge / (camera.width, camera.height)[axis % 2] * GRID for axis, edge in enumerate(seen.box)]
        if mark["shape"] == "point":
            x, y = mark["xy"]
            inside = (
                edges[0] - ON_OBJECT <= x <= edges[2] + ON_OBJECT
                and edges[1] - ON_OBJECT <= y <= edges[3] + ON_OBJECT
                and _is_on(scene, mark["frame"], instances[mark["role"]], x / GRID, y / GRID)
            )
        else:
            inside = all(abs(a - b) <= ON_OBJECT for a, b in zip(mark["xy"], edges, strict=True))
        if not inside:
            return f"the {mark['color']} one in {mark['frame']}"
    return None


def _is_on(scene: SceneTruth, frame: str, instance: int, x: float, y: float) -> bool:
    """Whether the pixel at a place, or one beside it, shows the object: the place was rounded to the grid."""
    pixels = scene.instance_image(frame)
    if pixels is None:
        return True
    height, width = pixels.shape
    column, row = min(int(x * width), width - 1), min(int(y * height), height - 1)
    return bool((pixels[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2] == instance).any())


def unseen_object(row: Row, scene: SceneTruth) -> str | None:
    """An object is asked about that the image of its mark, or no image, shows."""
    if not scene.seen:
        return None
    marked = {mark["role"]: [mark["frame"]] for mark in row["marks"]}
    shown = [item["frame"] for item in row["frames"]]
    for role, instance in _objects(row).items():
        if not any(instance in scene.seen.get(frame, {}) for frame in marked.get(role, shown)):
            return f"the {role} one"
    return None


def ambiguous_name(row: Row, scene: SceneTruth) -> str | None:
    """An object that has no mark is not the only one of its name in the images."""
    marked = {mark["role"] for mark in row["marks"]}
    shown = [item["frame"] for item in row["frames"]]
    for role, instance in _objects(row).items():
        if role in marked or instance not in scene.things:
            continue
        name = scene.things[instance].names[0]
        same = {
            other
            for frame in shown
            for other in scene.seen.get(frame, {})
            if other in scene.things and name in scene.things[other].names
        }
        if same - {instance}:
            return f"{len(same | {instance})} of {name}"
    return None


def misnamed_object(row: Row, scene: SceneTruth) -> str | None:
    """An object is not called what it is."""
    said = row["question"].lower()
    for role, instance in _objects(row).items():
        if instance in scene.things and not any(
            name and name.lower() in said for name in scene.things[instance].names
        ):
            return f"the {role} one is a {scene.things[instance].names[0]}"
    return None


def untrue_answer(row: Row, scene: SceneTruth) -> str | None:
    """The answer is not what the scene's boxes and cameras give."""
    if not scene.cameras:
        return None
    try:
        found = answers.by_geometry(row, scene)
    except KeyError as error:
        return f"the scene has no {error}"
    agree = len(found) == len(row["value"]) and all(
        abs(a - b) <= AGREEING * max(1.0, abs(b)) for a, b in zip(found, row["value"], strict=True)
    )
    try:
        if agree and answers.says(row, found):
            return None
    except ValueError as error:
        return str(error)
    return f"{_short(found)}, and it says {answers.chosen(row)}"


CHECKS: Mapping[str, Check] = {
    check.__name__: check
    for check in (
        vague_stem, mark_missing, answer_not_offered, equal_options, misleading_option, ambiguous_answer, unit_missing,
        contradictory_answer, misprinted_answer, covered_mark, mark_off_object, unseen_object, ambiguous_name,
        misnamed_object, untrue_answer,
    )
}  # fmt: skip
"""By name, in the order in which they are tried; the first that finds something drops the question."""
ASKED_TWICE = "asked_twice"
ASKED_TWICE_SENTENCE = "Another question shows the same images with the same marks and asks the same."


def sentence(name: str) -> str:
    """What a check looks for."""
    return ASKED_TWICE_SENTENCE if name == ASKED_TWICE else (CHECKS[name].__doc__ or "").split("\n")[0]


def failed(row: Row, scene: SceneTruth) -> tuple[str, str] | None:
    """The first check that finds something wrong, and what; None for a question that may stay."""
    if row["task"] not in bench_tasks():
        raise ValueError(f"{row['task']} is no task of SPAR-Bench")
    for name, check in CHECKS.items():
        problem = check(row, scene)
        if problem is not None:
            return name, problem
    return None


def shown_key(row: Row) -> tuple[Any, ...]:
    """What two questions must have in common to be one that is asked twice."""
    marks = tuple((mark["color"], mark["frame"], tuple(mark["xy"])) for mark in row["marks"])
    frames = tuple(item["frame"] for item in row["frames"])
    return (row["dataset"], row["release"], row["scene"], row["task"], frames, marks, row["stem"])
