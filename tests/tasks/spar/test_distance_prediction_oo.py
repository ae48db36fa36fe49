"""Distance between two marked objects, recomputed from the truth."""

from __future__ import annotations

import math
import sys
from typing import Any

import numpy as np
import pytest
from asked_homes import Asked
from question_truth import Truth
from spar_checks import (
    check_answers,
    check_apart,
    check_margins,
    check_points,
    parsed_number,
    printed_number,
    roles_of,
)

from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.generate import generate
from spatial_assets.tasks.core.priors import prior_of
from spatial_assets.tasks.registry import task
from spatial_assets.tasks.spar.distance_prediction_oo import hints

TASK = "distance_prediction_oo"
FORMATS = ("fill", "select", "sentence")


def truth(scene: Truth, row: dict[str, Any]) -> list[float]:
    """Meters between the two objects' centers."""
    things = roles_of(row)
    return [math.dist(scene.objects[things["red"]].center, scene.objects[things["blue"]].center)]


def printed(value: list[float]) -> list[str]:
    return printed_number(value)


def parsed(row: dict[str, Any]) -> list[str]:
    return parsed_number(row)


@pytest.mark.parametrize("form", FORMATS)
def test_answers_equal_the_truth(asked: Asked, form: str) -> None:
    check_answers(asked, TASK, form, sys.modules[__name__])


@pytest.mark.parametrize("form", FORMATS)
def test_a_margin_is_the_least_change_that_shows(asked: Asked, form: str) -> None:
    check_margins(asked, TASK, form, sys.modules[__name__])


def test_points_are_on_their_objects(asked: Asked) -> None:
    check_points(asked, TASK, ["red", "blue"])


def test_pairs_are_apart(asked: Asked) -> None:
    check_apart(asked, TASK, ("red", "blue"), 0.3)


def test_hints_do_not_depend_on_which_is_named_first() -> None:
    """Half an octave is one step, and beyond the last steps all is alike."""
    assert (
        hints(1.4, ["bed", "lamp"]) == hints(1.4, ["lamp", "bed"]) == ["0: bed", "0: lamp", "0: bed ~ lamp"]
    )
    steps = [
        int(hints(meters, ["bed", "lamp"])[0].split(":")[0]) for meters in (0.1, 0.9, 1.0, 1.5, 2.0, 50.0)
    ]
    assert steps == [-4, -1, 0, 1, 2, 6]


def test_what_names_suggest_is_left_out(asked: Asked) -> None:
    """As many are kept as a law that is known of two names lets through: the likelier the answer, the fewer."""
    law, chosen = prior_of("spar", TASK), task(TASK)
    kept: dict[bool, dict[tuple[object, ...], float]] = {True: {}, False: {}}
    for even, own in kept.items():
        for inputs in asked.inputs():
            facts = SceneFacts(inputs.which, "terms", inputs.table)
            words = dict(zip(facts.objects.instances.tolist(), facts.objects.categories, strict=True))
            for row in generate(chosen, facts, chosen.parameters(even=even, quota=2_000)).rows:
                if row["options"] is not None:
                    named = [words[thing] for thing in roles_of(row).values()]
                    chances = law.chances([hints(float(option), named) for option in row["options"]])
                    own[row["scene"], row["qa_id"]] = min(chances) / chances["ABCD".index(row["answer"])]
    every = np.array(list(kept[False].values()))
    assert kept[True].keys() < kept[False].keys()
    spread = np.sqrt((every * (1 - every)).sum())
    assert abs(len(kept[True]) - every.sum()) < 4 * spread + 1
    # Of few rows that is as good as nothing.
    assert len(every) < 100 or every.sum() + 4 * spread < len(every)
