"""SPAR-Bench as VLMEvalKit and EASI score it by rules, without a judge model.

Answers are extracted generously: a letter wherever one is given, the last number after the thinking, every
readable item of a view change. The relative error is divided by the ground truth. This follows the described
order of steps and agrees with cases that VLMEvalKit scored; on other inputs the two may differ.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

import numpy as np

from spatial_assets.scoring.metrics import mean_relative_accuracy, relative_error, to_float
from spatial_assets.scoring.profile import Row
from spatial_assets.scoring.reading import NUMBER_WORDS

LEVELS: Mapping[str, tuple[str, ...]] = {
    "Low": (
        "depth_prediction_oc",
        "depth_prediction_oc_mv",
        "depth_prediction_oo",
        "depth_prediction_oo_mv",
        "distance_prediction_oc",
        "distance_prediction_oc_mv",
        "distance_prediction_oo",
        "distance_prediction_oo_mv",
    ),
    "Middle": ("position_matching", "camera_motion_infer", "view_change_infer"),
    "High": (
        "distance_infer_center_oo",
        "distance_infer_center_oo_mv",
        "obj_spatial_relation_oc_mv",
        "obj_spatial_relation_oo",
        "obj_spatial_relation_oo_mv",
        "spatial_imagination_oc",
        "spatial_imagination_oc_mv",
        "spatial_imagination_oo",
        "spatial_imagination_oo_mv",
    ),
}
"""In the order in which a level's mean adds them up."""

CLOSING_LINES = 6
"""Lines at the end of a response in which its choice is looked for first."""
CLOSING_LENGTH = 800
"""Characters of a response that those lines may take up."""

_LETTER = re.compile(r"[\W_]*([A-F])[\W_]*", re.IGNORECASE)
_LABEL = re.compile(r"([A-F])[^\w\s]\s", re.IGNORECASE)
_CAPITAL = re.compile(r"(?<![A-Za-z])[A-F](?![A-Za-z])")
_ANNOUNCED = re.compile(r"answer(?:\s+is)?\W*([A-F])\b", re.IGNORECASE)
_NUMBER = re.compile(r"[-+]?(?:\d+\.\d+|\.\d+|\d+)(?:[eE][-+]?\d+)?")
_NUMBER_WORD = re.compile(rf"\b(?:{'|'.join(NUMBER_WORDS)})\b", re.IGNORECASE)
_TAG = re.compile(r"<(/?)(answer|think)>", re.IGNORECASE)


def _parts(text: str) -> tuple[str | None, str]:
    """What stands in the first pair of answer tags; what follows the thinking (everything, without any)."""
    answer, opened, thought = None, None, 0
    for tag in _TAG.finditer(text):
        closes, is_answer = bool(tag[1]), tag[2].lower() == "answer"
        if not is_answer:
            thought = tag.end()
        elif not closes:
            opened = tag.end() if opened is None else opened
        elif opened is not None and answer is None:
            answer = text[opened : tag.start()].strip()
    return answer, text[thought:].strip()


def _only_capital(text: str) -> str | None:
    capitals = set(_CAPITAL.findall(text))
    return str(capitals.pop()) if len(capitals) == 1 else None


def extract_letter(text: str) -> str | None:
    """From the answer tags, else the closing lines upward, an announced answer, or the only capital."""
    answer, conclusion = _parts(text)
    if answer and (tagged := _LETTER.fullmatch(answer) or _LABEL.match(answer)):
        return tagged[1].upper()
    for line in reversed(conclusion[-CLOSING_LENGTH:].splitlines()[-CLOSING_LINES:]):
        line = line.strip()
        chosen = _LETTER.fullmatch(line) or _LABEL.match(line)
        found = chosen[1].upper() if chosen else _only_capital(line)
        if found:
            return found
    announced = _ANNOUNCED.search(conclusion[-CLOSING_LENGTH:])
    return announced[1].upper() if announced else _only_capital(text)


def extract_number(text: str) -> float | None:
    """The first number in the answer tags, else the last one after the thinking, else the last of all."""
    text = _NUMBER_WORD.sub(lambda match: str(NUMBER_WORDS.index(match[0].lower())), text)
    answer, conclusion = _parts(text)
    tagged = _NUMBER.search(answer) if answer else None
    if tagged:
        return float(tagged[0])
    for part in (conclusion, text):
        numbers = _NUMBER.findall(part)
        if numbers:
            return float(numbers[-1])
    return None


def extract_motion(text: str) -> dict[str, float]:
    """The readable "key:value" items of a view change; the others are passed over."""
    found = {}
    for item in text.split(","):
        key, colon, value = item.partition(":")
        amount = to_float(value) if colon else None
        if amount is not None:
            found[key.strip()] = amount
    return found


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else str(value)


def choice_score(row: Row) -> float:
    """1 where prediction and ground truth give the same letter (or both give none)."""
    return float(extract_letter(_as_text(row["prediction"])) == extract_letter(_as_text(row["ground_truth"])))


def number_score(row: Row) -> float:
    """MRA of the extracted number."""
    number = extract_number(_as_text(row["prediction"]))
    truth = to_float(row["ground_truth"])
    if number is None or truth is None or math.isnan(truth):
        return 0.0
    return mean_relative_accuracy(relative_error(number, truth))


def view_change_score(row: Row) -> float:
    """Mean MRA of the five signed axes, an axis without items being 0."""
    prediction, truth = (extract_motion(_as_text(row[field])) for field in ("prediction", "ground_truth"))
    scores = []
    for plus, minus in (
        ("move_right", "move_left"),
        ("move_up", "move_down"),
        ("move_forward", "move_backward"),
        ("rotate_right", "rotate_left"),
        ("rotate_up", "rotate_down"),
    ):
        estimate = prediction.get(plus, 0.0) - prediction.get(minus, 0.0)
        reference = truth.get(plus, 0.0) - truth.get(minus, 0.0)
        scores.append(mean_relative_accuracy(relative_error(estimate, reference)))
    return float(np.mean(scores))
