"""What boxes suggest: features of each box and of the box beside the others, by plain loops."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spatial_assets.tasks.spar import box_hints

SPANS = st.tuples(st.integers(0, 999), st.integers(1, 1000)).map(
    lambda pair: (pair[0], min(pair[0] + pair[1], 1000))
)
BOXES = st.tuples(SPANS, SPANS).map(lambda spans: [spans[0][0], spans[1][0], spans[0][1], spans[1][1]])
FOUR = st.lists(BOXES, min_size=4, max_size=4)
PLACES = st.lists(st.integers(0, 2), min_size=4, max_size=4)
TASKS = ("distance_infer_center_oc", "distance_infer_center_oc_mv")


def octave(number: int) -> int:
    """In sixteenths, by whole numbers alone: 2^(k / 16) <= n just where 2^k <= n^16."""
    return (number**16).bit_length() - 1


def values(box: list[int]) -> dict[str, int]:
    left, top, right, bottom = box
    width, height = octave(right - left), octave(bottom - top)
    return {
        "top": top,
        "bottom": bottom,
        "center": top + bottom,
        "sideways": abs(left + right - 1000),
        "edge": min(left, 1000 - right),
        "width": width,
        "height": height,
        "area": octave((right - left) * (bottom - top)),
        "aspect": width - height,
    }


def cells(box: list[int]) -> set[tuple[int, int]]:
    return {(x, y) for x in range(box[0], box[2]) for y in range(box[1], box[3])}


def features(boxes: list[list[int]], places: list[int], asked: int = 0) -> list[dict[str, int]]:
    found = box_hints.features(np.array([asked]), np.array([boxes]), np.array([places]), box_hints.SCALE)
    assert found.shape == (1, 4, len(box_hints.FEATURES))
    return [dict(zip(box_hints.FEATURES, own, strict=True)) for own in found[0].tolist()]


@given(FOUR, PLACES, st.integers(0, 1))
def test_features_are_those_of_plain_loops(boxes, places, asked):
    for one, found in enumerate(features(boxes, places, asked)):
        others = [other for other in range(4) if other != one]
        expected = {"asked": asked, "image": places[one]}
        for name, own in values(boxes[one]).items():
            apart = sorted(values(boxes[other])[name] - own for other in others)
            expected |= {
                name: own,
                f"{name}_less": apart[0],
                f"{name}_between": apart[1],
                f"{name}_more": apart[2],
                f"{name}_all": sum(apart),
                f"{name}_near": min(map(abs, apart)),
            }
        columns = [abs(sum(boxes[one][::2]) - sum(boxes[other][::2])) for other in others]
        rows = [abs(sum(boxes[one][1::2]) - sum(boxes[other][1::2])) for other in others]
        both = [column + row for column, row in zip(columns, rows, strict=True)]
        expected |= {"column_near": min(columns), "column_far": max(columns), "columns": sum(columns)}
        expected |= {"apart_near": min(both), "apart_far": max(both), "apart": sum(both)}
        there = [other for other in others if places[other] == places[one]]
        expected |= {
            "beside": len(there),
            "lower": sum(boxes[other][3] > boxes[one][3] for other in there),
            "larger": sum(math.prod(sides(boxes[other])) > math.prod(sides(boxes[one])) for other in there),
        }
        for name in set(expected) - {"asked"}:
            assert found[name] == expected[name], name
        assert set(found) - set(expected) == {"covered", "covers"}


def sides(box: list[int]) -> tuple[int, int]:
    return box[2] - box[0], box[3] - box[1]


SMALL = st.lists(
    st.tuples(*[st.integers(0, 12)] * 2, *[st.integers(1, 12)] * 2).map(
        lambda of: [of[0], of[1], of[0] + of[2], of[1] + of[3]]
    ),
    min_size=4,
    max_size=4,
)


@given(SMALL, PLACES)
def test_what_boxes_have_in_common_is_counted_cell_by_cell(boxes, places):
    for one, found in enumerate(features(boxes, places)):
        own = cells(boxes[one])
        there = [cells(boxes[other]) for other in range(4) if other != one and places[other] == places[one]]
        assert found["covered"] == max([100 * len(own & other) // len(own) for other in there], default=0)
        assert found["covers"] == max([100 * len(own & other) // len(other) for other in there], default=0)


@pytest.mark.parametrize("task", TASKS)
@given(FOUR, PLACES, st.permutations(range(4)), st.integers(0, 1))
def test_chances_follow_their_boxes(task, boxes, places, order, asked):
    here = box_hints.chances("spar", task, asked, boxes, places)
    there = box_hints.chances(
        "spar", task, asked, [boxes[place] for place in order], [places[place] for place in order]
    )
    assert sum(here) == pytest.approx(1)
    assert there == [here[place] for place in order]


@given(FOUR, PLACES)
def test_a_mirrored_image_suggests_the_same(boxes, places):
    mirrored = [[1000 - right, top, 1000 - left, bottom] for left, top, right, bottom in boxes]
    assert features(boxes, places) == features(mirrored, places)


@pytest.mark.parametrize("task", TASKS)
def test_low_and_large_is_expected_near(task):
    """Of boxes in one image: a reader of numbers would say so, and it is what must not help."""
    near, far = [300, 500, 700, 1000], [450, 300, 520, 360]
    between = [[100, 350, 250, 500], [750, 350, 900, 500]]
    boxes = [near, *between, far]
    closest = box_hints.chances("spar", task, 0, boxes, [0] * 4)
    farthest = box_hints.chances("spar", task, 1, boxes, [0] * 4)
    assert closest.index(max(closest)) == 0 and farthest.index(min(farthest)) == 0
