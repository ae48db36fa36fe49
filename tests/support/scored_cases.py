"""Questions of every kind of answer, and what models say to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from chat_cases import cases, row, slot

SIDES = {"box_diagonal": 20.0}


def rows() -> list[dict[str, Any]]:
    """The edge cases, and of each kind of truth one that some published benchmark asks and one that none does."""
    point, place, box = "(250,500),2.8", "(31,24)", "[0, 0, 500, 500]"
    options = ["chair", "table", "lamp", "bed"]
    change = "move_right:1.6,move_down:0,move_backward:0,rotate_up:15,rotate_left:75"
    half = [0.0, 0.0, 32.0, 24.0]
    return [
        *cases(),
        row(20, "How far?", "2.4", task="distance_prediction_oc"),
        row(21, "How far are both?", "3.1", 2, task="depth_prediction_oc_mv"),
        row(22, "How many?", "3", task="obj_count", margin_unit="1"),
        row(23, "How large?", "21.5", task="room_size", margin_unit="m2"),
        row(24, "Which sizes?", "120, 60, 75", task="spatial_volume_infer", margin_unit="rounding step"),
        row(25, "Where?", point, 2, task="camera_motion_infer", margin_unit="rounding step",
            coordinates=[slot(point, "answer", "250,500", 0, [16.0, 24.0])]),
        row(26, "Where?", place, task="obj_localization_occ_na", margin_unit="px", diagnostics=SIDES,
            coordinates=[slot(place, "answer", "31,24", 0, [31.5, 24.0])]),
        row(27, "How did it move?", change, task="view_change_infer", margin_unit="rounding step"),
        row(28, "In which order?", "chair,table,lamp,bed", task="appearance_order"),
        row(29, "Which box?", box, task="distance_infer_center_oc",
            coordinates=[slot(box, "answer", "0, 0, 500, 500", 0, half)]),
        row(30, "Which?", "B", format="select", options=options, task="spatial_imagination_oo"),
        row(31, "How far is it?", "C", format="select", options=["1", "2", "3"], task="distance_prediction_oc"),
        row(32, "Which one is it?", "A", format="select", options=options, task="obj_count_occ"),
        row(33, "What is where?", "left, above, front", task="obj_spatial_relation_oo"),
        row(34, "Is it?", "Yes", format="judge", task="obj_spatial_relation_oo"),
        row(35, "Say it.", "It is there.", format="sentence"),
        row(36, "How high?", "0", task="distance_prediction_oo"),
    ]  # fmt: skip


def scored_rows() -> list[dict[str, Any]]:
    return [own for own in rows() if own["format"] != "sentence"]


SAID = (
    "{}", "It is {}.", "<think>first [0, 0, 1, 1], 7 or D</think><answer>{}</answer>", "", "7", "B", "(B)", "no idea",
    "[0, 0, 480, 510]", "(260, 490)", "(33, 25)", "about 2.5 meters", "250 cm", "move_right:1.5,rotate_left:70",
    "left, below, front", "120, 60", "<think>unfinished {}", "{} or 9", "A\nbecause", "日本語 {}",
)  # fmt: skip
"""Responses; braces are where the truth goes."""


def responses(documents: list[Mapping[str, Any]]) -> Iterator[tuple[Mapping[str, Any], str]]:
    """Each document with each response, as a model that was asked so often."""
    for number, said in enumerate(SAID):
        for place, own in enumerate(documents):
            # Every truth is given once at least, the other responses in turn.
            said = SAID[(number + place) % len(SAID)]
            yield own, said.replace("{}", own["ground_truth"])
