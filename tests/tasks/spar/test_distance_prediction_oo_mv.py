"""Distance between two objects marked in three views, recomputed from the truth."""

from __future__ import annotations

import math
import sys
from collections import Counter
from typing import Any

import numpy as np
import pytest
from asked_homes import Asked
from question_truth import Truth
from spar_checks import (
    check_answers,
    check_apart,
    check_margins,
    check_points_in_views,
    check_views,
    parsed_number,
    printed_number,
    roles_of,
)

from spatial_assets.stages.questions import facts_of
from spatial_assets.tasks.core.limits import referents
from spatial_assets.tasks.registry import task

TASK = "distance_prediction_oo_mv"
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


def test_three_views_are_shown(asked: Asked) -> None:
    check_views(asked, TASK)


def test_points_are_on_their_objects_and_in_two_images(asked: Asked) -> None:
    assert check_points_in_views(asked, TASK, ["red", "blue"]) == 1.0


def test_pairs_are_apart(asked: Asked) -> None:
    check_apart(asked, TASK, ("red", "blue"), 0.3)


def test_pairs_that_no_image_shows_well_together_come_first(studio_asked: Asked) -> None:
    limits = task(TASK).parameters().limits
    together: Counter[bool] = Counter()
    for inputs in studio_asked.inputs():
        facts = facts_of(inputs)
        fit = (referents(facts, limits) == 0) & facts.observed.visible
        places = {name: place for place, name in enumerate(facts.frames.names)}
        instances = facts.objects.instances.tolist()
        for row in studio_asked.rows(TASK, "fill"):
            if row["scene"] == inputs.ref.name:
                things = [instances.index(instance) for instance in roles_of(row).values()]
                frames = [places[item["frame"]] for item in row["frames"]]
                together[bool(fit[np.ix_(frames, things)].all(axis=1).any())] += 1
    # Of all such pairs it is a third.
    assert together[False] > 5 * together[True]
