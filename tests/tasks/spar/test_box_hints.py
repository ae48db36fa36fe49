"""What boxes suggest: classes of each box and of the box beside the others, by plain loops."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spatial_assets.tasks.core.priors import prior_of
from spatial_assets.tasks.spar import box_hints, fours

SPANS = st.tuples(st.integers(0, 999), st.integers(1, 1000)).map(
    lambda pair: (pair[0], min(pair[0] + pair[1], 1000))
)
BOXES = st.tuples(SPANS, SPANS).map(lambda spans: [spans[0][0], spans[1][0], spans[0][1], spans[1][1]])
FOUR = st.lists(BOXES, min_size=4, max_size=4)
PLACES = st.lists(st.integers(0, 2), min_size=4, max_size=4)


@given(FOUR, PLACES)
def test_classes_are_those_of_plain_loops_and_within_their_count(boxes, places):
    found = box_hints.features(np.array([boxes]), np.array([places]))
    classes = {name: codes[0] for name, codes, _ in found}
    for _, codes, count in found:
        assert codes.shape == (1, 4)
        assert 0 <= codes.min() <= codes.max() < count
    for one in range(4):
        left, top, right, bottom = boxes[one]
        others = [boxes[other] for other in range(4) if other != one]
        area = (right - left) * (bottom - top)
        areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in others]

        def code(name, one=one):
            return classes[name][one]

        assert code("bottom") == sum(box[3] > bottom for box in others)
        assert code("area") == sum(other > area for other in areas)
        assert code("image") == (places[one] > 0)
        assert code("low") == bottom // 100
        assert code("size") == int(math.log2(area) + 1e-12)
        assert code("gap") - 8 == min(8, max(-8, (bottom - max(box[3] for box in others)) // 50))
        ratio = int(math.log2(area) + 1e-12) - int(math.log2(max(areas)) + 1e-12)
        assert code("ratio") - 5 == min(5, max(-5, ratio))
        steps = {
            "least": min(box[3] for box in others) - bottom,
            "up": top - max(box[1] for box in others),
            "down": min(box[1] for box in others) - top,
            "center": (top + bottom - max(box[1] + box[3] for box in others)) // 2,
        }
        for name, distance in steps.items():
            assert code(name) - 8 == min(8, max(-8, distance // 50))
        ratios = {
            "smaller": (area, min(areas)),
            "taller": ((bottom - top) ** 2, max((box[3] - box[1]) ** 2 for box in others)),
            "wider": ((right - left) ** 2, max((box[2] - box[0]) ** 2 for box in others)),
        }
        for name, (own, other) in ratios.items():
            octaves = own.bit_length() - other.bit_length()
            assert code(name) - 5 == min(5, max(-5, octaves))
        assert code("gap least") == code("gap") * 17 + code("least")
        assert code("ratio smaller") == code("ratio") * 11 + code("smaller")
        assert code("bottom area top") == (code("bottom") * 4 + code("area")) * 4 + sum(
            box[1] < top for box in others
        )


@given(FOUR, PLACES, st.permutations(range(4)), st.integers(0, 1))
def test_chances_follow_their_boxes(boxes, places, order, asked):
    boxes, places = np.array([boxes]), np.array([places])
    which = np.array([asked])
    here = box_hints.chances("spar", "distance_infer_center_oc_mv", which, boxes, places)
    there = box_hints.chances("spar", "distance_infer_center_oc_mv", which, boxes[:, order], places[:, order])
    assert here.sum() == pytest.approx(1)
    assert there[0] == pytest.approx(here[0, order])
    prior = prior_of("spar", "distance_infer_center_oc_mv")
    by_names = prior.chances(box_hints.hints(fours.superlatives()[asked], boxes[0], places[0]))
    assert here[0].tolist() == pytest.approx(by_names)


@given(FOUR, PLACES)
def test_a_mirrored_image_suggests_the_same(boxes, places):
    boxes, places = np.array([boxes]), np.array([places])
    mirrored = boxes.copy()
    mirrored[..., 0], mirrored[..., 2] = 1000 - boxes[..., 2], 1000 - boxes[..., 0]

    def said(of):
        return [sorted(own) for own in box_hints.hints("closest to", of[0], places[0])]

    assert said(boxes) == said(mirrored)
