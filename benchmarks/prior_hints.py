"""What each task's questions say before anyone looks: of a row the hints, or the features, for each possible answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import permutations
from typing import Any

import numpy as np

from spatial_assets.tasks.spar import (
    anchors,
    box_hints,
    distance_infer_center_oc,
    distance_infer_center_oo_video,
    distance_prediction_oo,
    fours,
)
from spatial_assets.tasks.spatialmosaic import foreseen, obj_attribute, sides
from spatial_assets.tasks.vsi import (
    obj_appearance_order,
    object_rel_direction,
    object_rel_distance,
    route_planning,
)
from spatial_assets.tasks.vsti import camera_obj_rel_dist, obj_obj_relative_pos

ORDINALS = ("first", "second", "third")
"""By which questions call three images."""
Hints = Callable[[Mapping[str, Any]], tuple[list[list[str]], int]]
"""Of a row: the hints for each answer that it could have, and which is right."""


def of_order(row: Mapping[str, Any]) -> tuple[list[list[str]], int]:
    right = tuple(row["right"].split(", "))
    every = list(permutations(sorted(right)))
    return [obj_appearance_order.hints(order) for order in every], every.index(right)


def of_distance(row: Mapping[str, Any]) -> tuple[list[list[str]], int]:
    return (
        object_rel_distance.hints(row["options"], row["words"]["target"]),
        row["options"].index(row["right"]),
    )


def of_direction(row: Mapping[str, Any]) -> tuple[list[list[str]], int]:
    words = [row["words"][role] for role in object_rel_direction.ROLES]
    hints = [object_rel_direction.hints(answer, *words) for answer in row["options"]]
    return hints, row["options"].index(row["right"])


def of_route(row: Mapping[str, Any]) -> tuple[list[list[str]], int]:
    words = [[turn.split()[-1].lower() for turn in option.split(", ")] for option in row["options"]]
    walks_first = "1. [please fill in]" not in row["stem"]
    return [route_planning.hints(turns, walks_first) for turns in words], row["options"].index(row["right"])


def of_comparison(row: Mapping[str, Any]) -> tuple[list[list[str]], int]:
    words = [row["words"][color] for color in ("green", "blue")]
    return anchors.hints(words, row["words"]["red"]), int(row["value"][1] < row["value"][0])


def of_marked(row: Mapping[str, Any]) -> tuple[list[list[str]], int]:
    (relation,) = (place for place, word in enumerate(fours.superlatives()) if word in row["stem"])
    words = [row["words"][f"object{place}"] for place in range(fours.COUNT)]
    hints = distance_infer_center_oo_video.hints(relation, words, row["words"]["red"])
    return hints, int(row["right"].removeprefix("Object"))


def of_side(row: Mapping[str, Any]) -> tuple[list[list[str]], int]:
    return foreseen.hints(row["words"]["target"], row["words"]["reference"]), int(row["value"][0] < 0)


def of_chosen(row: Mapping[str, Any]) -> tuple[list[list[str]], int]:
    side = sides.WORDS[row["task"][-2:]][row["value"][0] > 0]
    words = [word for role, word in row["words"].items() if role != "reference"]
    return obj_attribute.hints(side, words), words.index(row["words"]["answer"])


def of_number(row: Mapping[str, Any]) -> tuple[list[list[str]], int]:
    words = [row["words"][color] for color in ("red", "blue")]
    hints = [distance_prediction_oo.hints(float(option.split()[0]), words) for option in row["options"]]
    return hints, row["options"].index(row["right"])


def of_camera(row: Mapping[str, Any]) -> tuple[list[list[str]], int]:
    return camera_obj_rel_dist.hints(row["options"]), row["options"].index(row["right"])


def of_position(row: Mapping[str, Any]) -> tuple[list[list[str]], int]:
    words = [row["words"][role] for role in ("first", "second")]
    return obj_obj_relative_pos.hints(row["task"][-2:], *words), int(row["value"][0] < 0)


TASKS: dict[str, Hints] = {
    "distance_infer_center_oo": of_comparison,
    "distance_infer_center_oo_video": of_marked,
    "distance_prediction_oo": of_number,
    "route_planning": of_route,
    "obj_existence_occ_ab": of_side,
    "obj_existence_occ_fb": of_side,
    "obj_attribute_occ_ab": of_chosen,
    "obj_attribute_occ_fb": of_chosen,
    "undetermined_attribute_ab": of_chosen,
    "obj_appearance_order": of_order,
    "object_rel_distance": of_distance,
    "object_rel_direction_medium": of_direction,
    "object_rel_direction_hard": of_direction,
    "camera_obj_rel_dist_v1": of_camera,
    "camera_obj_rel_dist_v2": of_camera,
    "camera_obj_rel_dist_v3": of_camera,
    "obj_obj_relative_pos_nf": of_position,
    "obj_obj_relative_pos_ud": of_position,
}


def nearest(rows: Sequence[Mapping[str, Any]]) -> np.ndarray:
    """(M, 4, F), what the four boxes of each question say."""
    boxes = [
        [[int(number) for number in re.findall(r"\d+", text)] for text in row["options"]] for row in rows
    ]
    places = [
        [
            next((at for at, word in enumerate(ORDINALS) if text.startswith(f"the {word} image")), 0)
            for text in own
        ]
        for own in (row["options"] for row in rows)
    ]
    asked_for = []
    for row in rows:
        (place,) = (place for place, word in enumerate(fours.superlatives()) if word in row["stem"])
        asked_for.append(place)
    return box_hints.features(np.array(asked_for), np.array(boxes), np.array(places), box_hints.SCALE)


FORESTS = {task.name: nearest for task in distance_infer_center_oc.TASKS}
"""Tasks whose law is a forest, and the features of their answers."""
