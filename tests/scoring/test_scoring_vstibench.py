"""VSTI-Bench: hand-derived cases of each rule, and how its types become five tasks."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spatial_assets.scoring import vstibench
from spatial_assets.scoring.profile import Unscorable
from spatial_assets.scoring.registry import find_profile

OFFICIAL, STRICT = (find_profile("vstibench", name) for name in ("official", "strict"))
TWO_AXIS = "camera_movement_direction_two_axis"
NUMBER, CHOICE = "camera_displacement", "obj_obj_relative_pos_ud"


def row(task: str, prediction: object, truth: object = "2.0", letter: object = "A") -> dict[str, object]:
    return {"question_type": task, "prediction": prediction, "ground_truth": truth, "mc_answer": letter}


def test_nine_published_types_and_one_of_ours() -> None:
    assert len(OFFICIAL.scorers) == 9 and set(STRICT.scorers) - set(OFFICIAL.scorers) == {TWO_AXIS}
    assert set(OFFICIAL.scorers) == {*vstibench.PUBLISHED, *vstibench.UNITS}


@given(st.floats(0.1, 10), st.floats(0.1, 10))
def test_numbers_are_scored_as_published(prediction: float, truth: float) -> None:
    p, t = f"{prediction:.1f}", f"{truth:.1f}"
    limits = 1 - np.linspace(0.5, 0.95, int((0.95 - 0.5) / 0.05 + 2))
    expected = float((abs(float(p) - float(t)) / float(t) <= limits).mean())
    assert OFFICIAL.scorers[NUMBER](row(NUMBER, f"{p} meters", t)) == expected


def test_choices_are_held_against_the_letter() -> None:
    assert OFFICIAL.scorers[CHOICE](row(CHOICE, "a. Up", "Up")) == 1.0
    assert OFFICIAL.scorers[CHOICE](row(CHOICE, "Up", "Up")) == 0.0
    assert OFFICIAL.scorers[CHOICE](row(CHOICE, "(A)", "Up")) == 0.0
    assert STRICT.scorers[CHOICE](row(CHOICE, "(A)", "Up")) == 1.0
    assert STRICT.scorers[TWO_AXIS](row(TWO_AXIS, "The answer is A.", "Forward and to the left")) == 1.0


def test_units_and_ground_truths_of_nothing() -> None:
    assert STRICT.scorers[NUMBER](row(NUMBER, "200 cm")) == 1.0
    assert OFFICIAL.scorers[NUMBER](row(NUMBER, "200 cm")) == 0.0
    with pytest.raises(Unscorable):
        OFFICIAL.scorers[NUMBER](row(NUMBER, "1", "0"))
    assert STRICT.scorers[NUMBER](row(NUMBER, "0", "0")) == 1.0


def test_types_become_five_tasks() -> None:
    shares = {
        "camera_obj_rel_dist_v1": (1, 4), "camera_obj_rel_dist_v2": (1, 2), "camera_obj_rel_dist_v3": (3, 4),
        "obj_obj_relative_pos_lr": (1, 2), "obj_obj_relative_pos_nf": (1, 1), "obj_obj_relative_pos_ud": (0, 1),
        "camera_movement_direction": (1, 4), "camera_displacement": (1, 2), "camera_obj_abs_dist": (1, 1),
    }  # fmt: skip
    rows = [
        row(
            task,
            ("A" if i < right else "B") if task in vstibench.PUBLISHED else ("2.0" if i < right else "9"),
        )
        for task, (right, count) in shares.items()
        for i in range(count)
    ]
    expected = {
        "camera_obj_rel_dist": (0.25 + 0.5 + 0.75) / 3, "obj_obj_relative_pos": (0.5 + 1 + 0) / 3,
        "camera_movement_direction": 0.25, "camera_displacement": 0.5, "camera_obj_abs_dist": 1.0,
    }  # fmt: skip
    for profile in (OFFICIAL, STRICT):
        _, summary = scored(rows, profile)
        assert summary["tasks"] == pytest.approx(expected)
        assert summary["overall"] == pytest.approx(math.fsum(expected.values()) / 5)
    _, some = scored([it for it in rows if it["question_type"].endswith(("_v1", "_ud"))], OFFICIAL)
    assert some["tasks"] == {"camera_obj_rel_dist": 0.25, "obj_obj_relative_pos": 0.0}
    assert json.dumps(some)


def scored(rows: list[dict[str, object]], profile) -> tuple[object, dict[str, object]]:
    names = sorted({str(it["question_type"]) for it in rows})
    scores = np.array([profile.scorers[it["question_type"]](it) for it in rows])
    tasks = np.array([names.index(str(it["question_type"])) for it in rows])
    return scores, profile.aggregate(scores, tasks, names)
