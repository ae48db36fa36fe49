"""Every description means one object of its scene: a resolver of its own tries all of them."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np
import polars as pl
import pytest
from grounding_truth import meant
from question_truth import CANONICAL, TrueObject
from video_scenes import box, made

from spatial_assets.scene import optional_tables
from spatial_assets.scene.categories import canonical
from spatial_assets.scene.model import Box
from spatial_assets.studio.scene import make_scene
from spatial_assets.tasks.core.draws import Draw
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.grounding.descriptions import KINDS, DescriptionLimits, Told, described, told

SEED = 77
LIMITS = DescriptionLimits()
KEPT: list[dict[int, TrueObject]] = []


def resolved(scenes: range, least: int) -> Counter[str]:
    """How many descriptions of each kind there are, of which each was found to mean its object alone."""
    kinds: Counter[str] = Counter()
    for index in scenes:
        things = make_scene(SEED, index, 1000, 0, (320, 240), images=False).objects
        named = [(canonical(it.category), it) for it in things]
        facts = made([(word, boxed(it)) for word, it in named])
        truth = {
            place: TrueObject(
                CANONICAL.get(it.category, word), np.asarray(it.center), np.asarray(it.size), it.yaw
            )
            for place, (word, it) in enumerate(named)
        }
        # Gaps between boxes are kept by the objects' addresses, which must not be another's later.
        KEPT.append(truth)
        found = facts.once(told, LIMITS)
        for place in range(len(found)):
            text, form = described(facts, found, place, Draw.of(str(index), str(place)))
            assert meant(truth, text) == [found.targets[place]], text
            kinds[form.rpartition("-")[0]] += 1
        if kinds.total() >= least:
            break
    return kinds


def boxed(thing: Any) -> Box:
    c, s = math.cos(thing.yaw), math.sin(thing.yaw)
    return Box(
        np.asarray(thing.center), np.asarray(thing.size), np.array([[c, -s, 0], [s, c, 0], [0, 0, 1.0]])
    )


@pytest.mark.prove
def test_a_resolver_finds_one_object_for_some_hundred() -> None:
    kinds = resolved(range(4), 300)
    assert kinds.total() >= 300 and set(kinds) == set(KINDS) - {"collected"}


@pytest.mark.prove
def test_a_resolver_finds_one_object_for_five_thousand() -> None:
    kinds = resolved(range(400), 5000)
    print(f"\neach of {kinds.total():,} descriptions means one object: {dict(kinds)}")
    assert kinds.total() >= 5000


def found_kinds(facts: SceneFacts, **limits: Any) -> set[tuple[int, str, int]]:
    found = told(facts, DescriptionLimits(**limits))
    return {
        (target, KINDS[kind], anchor)
        for target, kind, anchor in zip(
            *map(np.ndarray.tolist, (found.targets, found.kinds, found.anchors)), strict=True
        )
    }


@pytest.mark.parametrize(("tall", "is_told"), [(1.0, False), (1.24, False), (1.26, True)])
def test_an_extreme_has_a_margin(tall: float, is_told: bool) -> None:
    facts = made([("chair", box(0, 0, (0.5, 0.5, 1.0))), ("chair", box(3, 0, (0.5, 0.5, tall)))])
    assert ((1, "tallest", -1) in found_kinds(facts)) == is_told
    assert ((0, "least_tall", -1) in found_kinds(facts)) == is_told


def test_an_office_chair_is_a_chair_and_no_other_way_round() -> None:
    facts = made([("chair", box(0, 0)), ("office chair", box(3, 0))])
    assert found_kinds(facts) == {(1, "plain", -1)}


@pytest.mark.parametrize(("x", "is_told"), [(1.9, False), (2.6, True)])
def test_what_is_nearest_has_a_margin(x: float, is_told: bool) -> None:
    facts = made([("lamp", box(0, 0)), ("chair", box(1.5, 0)), ("chair", box(0, x))])
    assert ((1, "nearest", 0) in found_kinds(facts)) == is_told
    assert ((2, "farthest", 0) in found_kinds(facts)) == is_told


def test_what_is_nearest_is_so_by_boxes_and_by_centers() -> None:
    """A long one's box comes near, its center does not."""
    long = ("chair", box(0, 9, (0.2, 17.0, 0.2)))
    facts = made([("lamp", box(0, 0)), ("chair", box(1.5, 0)), long])
    assert not {it for it in found_kinds(facts) if it[1] in ("nearest", "farthest") and it[2] == 0}


def test_an_anchor_is_nothing_that_the_name_may_mean() -> None:
    facts = made([("office chair", box(0, 0)), ("chair", box(1, 0)), ("chair", box(5, 0))])
    assert not {it for it in found_kinds(facts) if it[2] >= 0}


def test_of_many_alike_none_is_told_by_an_extreme() -> None:
    facts = made([("chair", box(place, 0, (0.5, 0.5, 0.5 + place))) for place in range(9)])
    assert found_kinds(facts) == set()
    assert (8, "highest", -1) not in found_kinds(facts, most_alike=9)
    assert (8, "largest", -1) not in found_kinds(facts, most_alike=9)


def test_what_is_said_hangs_on_no_place() -> None:
    things = [("lamp", box(0, 0)), ("chair", box(1.5, 0)), ("chair", box(0, 3.0, (0.2, 0.2, 0.9)))]
    facts = made(things)
    turned = made(things[::-1], instances=[2, 1, 0])
    own, other = (it.once(told, LIMITS) for it in (facts, turned))
    assert sorted(own.identities(facts).tolist()) == sorted(other.identities(turned).tolist())
    assert len(set(own.identities(facts).tolist())) == len(own)


def collected(facts: SceneFacts, rows: list[dict[str, Any]]) -> SceneFacts:
    """The same scene with words that people wrote."""
    table = optional_tables.DESCRIPTIONS
    full = [
        {**dict.fromkeys(table.schema.names), "collection": "ScanRefer", "collection_license": "terms", **row}
        for row in rows
    ]

    def read(wanted: Any) -> pl.DataFrame:
        return pl.DataFrame(full, table.empty().schema) if wanted.name == table.name else facts.read(wanted)

    return SceneFacts(facts.which, "license", read)


ROWS = [
    {"instance": 1, "description_id": "0", "description": "this is a chair. it is brown"},
    {"instance": 1, "description_id": "1", "description": "the chair by the lamp"},
    {"instance": 7, "description_id": "0", "description": "nothing of this scene"},
    {"instance": 2, "description_id": "0", "description": "the floor of it"},
]


@pytest.mark.parametrize(("source", "kinds"), [("collected first", 1), ("own", 1), ("both", 2)])
def test_people_s_words_come_first(source: Any, kinds: int) -> None:
    facts = collected(made([("lamp", box(0, 0)), ("chair", box(1.5, 0)), ("floor", box(0, 0))]), ROWS)
    found = told(facts, DescriptionLimits(source=source))
    texts = [described(facts, found, place, Draw.of("x"))[0] for place in range(len(found))]
    said = {"this is a chair. it is brown", "the chair by the lamp"}
    assert (said <= set(texts)) == (source != "own")
    assert len({*found.kinds.tolist()}) == kinds and "nothing of this scene" not in texts
    assert all(bool(license) == bool(text) for license, text in zip(found.licenses, found.texts, strict=True))


def test_a_scene_without_objects_has_nothing_to_say() -> None:
    assert isinstance(told(made([]), LIMITS), Told) and len(told(made([]), LIMITS)) == 0
