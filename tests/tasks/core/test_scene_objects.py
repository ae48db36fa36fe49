"""A scene's objects: in which order they come, and what tells them apart."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from video_scenes import box, made

from spatial_assets.scene.tables import Table
from spatial_assets.tasks.core.facts import SceneFacts

CHAIR, TABLE, LAMP = ("chair", box(0, 0)), ("table", box(2, 0)), ("lamp", box(0, 3))


def named(facts: SceneFacts, names: list[str | None], **more: list[Any]) -> SceneFacts:
    """The scene with other names of its objects, and other columns."""

    def read(table: Table) -> pl.DataFrame:
        rows = facts.read(table)
        if table.name == "objects":
            held = {"name": names, **more}
            rows = rows.with_columns(pl.Series(key, values, rows.schema[key]) for key, values in held.items())
        return rows

    return SceneFacts(facts.which, facts.license, read)


def identities(facts: SceneFacts) -> dict[int, int]:
    objects = facts.objects
    return dict(zip(objects.instances.tolist(), objects.identities.tolist(), strict=True))


def test_objects_come_in_the_order_of_their_identities() -> None:
    facts = named(made([CHAIR, TABLE, LAMP]), ["c", "b", "a"])
    own = facts.objects
    assert own.identities.tolist() == sorted(identities(facts).values())
    words = ("chair", "table", "lamp")
    assert own.categories == tuple(words[instance] for instance in own.instances)
    centers = [CHAIR[1].center, TABLE[1].center, LAMP[1].center]
    assert own.centers.tolist() == [centers[instance].tolist() for instance in own.instances]


def test_places_are_found_by_number_in_any_order() -> None:
    facts = made([CHAIR, TABLE, LAMP], instances=[30, 7, 12])
    numbers = np.array([12, 7, 99, 30, 12, -1], np.int32)
    places = facts.objects.find(numbers)
    assert [None if place < 0 else int(facts.objects.instances[place]) for place in places] == [
        12, 7, None, 30, 12, None,
    ]  # fmt: skip
    assert made([]).objects.find(numbers).tolist() == [-1] * 6
    known = numbers[places >= 0]
    assert facts.objects.instances[facts.objects.places(known)].tolist() == known.tolist()
    for objects in (facts.objects, made([]).objects):
        with pytest.raises(ValueError, match=r"have no instance -1, .*99"):
            objects.places(numbers)


def test_a_name_is_all_that_counts_of_a_named_object() -> None:
    one = named(made([CHAIR, TABLE]), ["a", "b"])
    other = named(made([("sofa", box(5, 5)), TABLE, LAMP]), ["a", "b", None])
    assert identities(one).items() <= identities(other).items()


def test_an_object_without_a_name_is_its_category_and_box() -> None:
    nameless = named(made([CHAIR, TABLE, LAMP]), [None] * 3)
    chair, table, lamp = identities(nameless).values()
    kept = set(identities(nameless).values())
    assert len({chair, table, lamp}) == 3
    # Neither its neighbors nor its number count.
    assert set(identities(named(made([LAMP, CHAIR]), [None] * 2)).values()) <= kept
    assert not set(identities(named(made([("chair", box(0, 0.01))]), [None])).values()) & kept
    assert not set(identities(named(made([("sofa", box(0, 0))]), [None])).values()) & kept


def test_objects_that_are_equal_in_all_are_parted_by_their_order() -> None:
    twice = set(identities(named(made([CHAIR, TABLE, CHAIR]), [None] * 3)).values())
    once = set(identities(named(made([CHAIR, TABLE]), [None] * 2)).values())
    assert len(twice) == 3 and once < twice


def test_a_negative_zero_is_a_zero() -> None:
    facts = made([CHAIR])
    zero, negative = (
        named(facts, [None], center=[[sign * 0.0, 0.0, 0.5]], size=[[1.0, 1.0, 1.0]]) for sign in (1.0, -1.0)
    )
    assert identities(zero) == identities(negative)
