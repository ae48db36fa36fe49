"""Errors of positions on a map, and what is missing or added."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spatial_assets.evaluation.bev import Asked, match_names, score_layout, summarize
from spatial_assets.evaluation.placements import Named, Unread, named_places

ASKED = Asked("q", (Named("bed", 0.0, 1.0), Named("chair", 1.0, 2.0), Named("chair", -1.0, 3.0)))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("bed: (-0.3, 1.4); tv stand: (1.1, 2.0)", [("bed", -0.3, 1.4), ("tv stand", 1.1, 2.0)]),
        ("The layout is this. Bed: (0, 1.4).", [("bed", 0.0, 1.4)]),
        ("Object0 :(-0.3,1.4). Object1 :(-1.1,2.0).", [("object0", -0.3, 1.4), ("object1", -1.1, 2.0)]),
        ("**the bed**: [1.0, 2.0]\nand a chair: (3, 4)", [("bed", 1.0, 2.0), ("chair", 3.0, 4.0)]),
        ("Measured from the first camera: bed: (1.0, 2.0)", [("bed", 1.0, 2.0)]),
    ],
)
def test_names_and_places_are_read(text: str, found: list[tuple[str, float, float]]) -> None:
    assert [tuple(item) for item in named_places(text)] == found


def test_what_places_nothing_is_unread() -> None:
    with pytest.raises(Unread):
        named_places("bed at one and two")
    layout = score_layout(ASKED, "nothing")
    assert [item.error for item in layout.objects] == [None] * 3 and layout.unread
    assert summarize([layout])["overall"]["missing"] == 3


def test_missing_and_extra_objects_are_counted() -> None:
    layout = score_layout(ASKED, "bed: (0.0, 1.5); chair: (1.0, 2.0); lamp: (5, 5); bed: (9, 9)")
    assert [item.error for item in layout.objects] == [pytest.approx(0.5), 0.0, None]
    assert layout.extra == 2
    found = summarize([layout, score_layout(ASKED, "bed: (0, 1); chair: (-1, 3); chair: (1, 2)")])
    assert found["overall"] == {
        "objects": 6,
        "missing": 1,
        "extra": 2,
        "mean": pytest.approx(0.1),
        "p50": 0.0,
        "p90": pytest.approx(np.percentile([0.5, 0, 0, 0, 0], 90)),
        "within 0.5 m": pytest.approx(5 / 6),
        "within 1 m": pytest.approx(5 / 6),
    }
    assert {name: line["objects"] for name, line in found["by distance"].items()} == {
        "0 to 2 m": 2,
        "2 to 4 m": 4,
    }
    assert {name: line["extra"] for name, line in found["by number of objects"].items()} == {"3": 2}


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), true=st.integers(1, 4), told=st.integers(0, 5))
def test_objects_of_one_name_are_matched_for_the_least_error(seed: int, true: int, told: int) -> None:
    rng = np.random.default_rng(seed)
    asked, said = (
        [Named("chair", *rng.uniform(-3, 3, 2).tolist()) for _ in range(count)] for count in (true, told)
    )
    errors, extra = match_names(asked, said)
    assert extra == max(0, told - true) and sum(error is None for error in errors) == max(0, true - told)
    few, many = (asked, said) if true <= told else (said, asked)
    best = min(
        sum(math.dist(one[1:], other[1:]) for one, other in zip(few, order, strict=True))
        for order in itertools.permutations(many, len(few))
    )
    assert sum(error for error in errors if error is not None) == pytest.approx(best)


def test_another_s_name_matches_nothing() -> None:
    errors, extra = match_names([Named("bed", 0, 0)], [Named("sofa", 0, 0)])
    assert errors == [None] and extra == 1
