"""How often each of several things is the outermost with room beside it: against corners that are turned one by one."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from spatial_assets.tasks.spatialmosaic import around

GAP = 0.05
Boxes = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]


def found(boxes: Boxes, right: NDArray[np.float64]) -> NDArray[np.float64]:
    """(M,), as the kernels have it."""
    centers, sizes, rotations = boxes
    edges = np.ascontiguousarray(np.swapaxes(rotations, 1, 2)[:, :, :2] * sizes[:, :, None] / 2)
    spans = np.empty((len(centers), around.DIRECTIONS, 2))
    for place in range(len(centers)):
        around.span(place, right, np.ascontiguousarray(centers[:, :2]), edges, spans[place])
    out = np.ones(len(centers))
    around.alone(np.arange(len(centers)), spans, 1, -np.inf, np.inf, GAP, out)
    return out


def twin(boxes: Boxes, right: NDArray[np.float64]) -> list[float]:
    """The same by every corner of every box, in Python."""
    out = [0.0] * len(boxes[0])
    begin = math.atan2(right[1], right[0])
    for step in range(around.DIRECTIONS):
        angle = begin + step * 2 * math.pi / around.DIRECTIONS
        spans = []
        for center, size, rotation in zip(*boxes, strict=True):
            corners = [
                center + rotation @ (np.array(signs) * size / 2) for signs in product((-1, 1), repeat=3)
            ]
            along = [math.cos(angle) * corner[0] + math.sin(angle) * corner[1] for corner in corners]
            spans.append((min(along), max(along)))
        first = max(range(len(spans)), key=lambda member: spans[member][0])
        end = max(high for member, (_, high) in enumerate(spans) if member != first)
        out[first] += max(0.0, spans[first][0] - end - around.ROOM - 2 * GAP)
    return out


def drawn(seed: int, count: int) -> Boxes:
    rng = np.random.default_rng(seed)
    return (
        rng.uniform(-3, 3, (count, 3)),
        rng.uniform(0.02, 1.5, (count, 3)),
        Rotation.random(count, random_state=seed).as_matrix(),
    )


def unit(angle: float) -> NDArray[np.float64]:
    return np.array([math.cos(angle), math.sin(angle)])


@settings(max_examples=60)
@given(st.integers(0, 10_000), st.sampled_from([3, 4]), st.floats(0, 6.28))
def test_room_beside_the_outermost_is_that_between_corners(seed: int, count: int, angle: float) -> None:
    boxes = drawn(seed, count)
    np.testing.assert_allclose(found(boxes, unit(angle)), twin(boxes, unit(angle)), atol=1e-9)


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.floats(0, 6.28), st.floats(0, 6.28))
def test_a_turned_room_and_a_mirror_have_as_much(seed: int, angle: float, turn: float) -> None:
    centers, sizes, rotations = drawn(seed, 4)
    own = found((centers, sizes, rotations), unit(angle))
    turned = Rotation.from_euler("z", turn).as_matrix()
    np.testing.assert_allclose(
        found((centers @ turned.T, sizes, turned @ rotations), unit(angle + turn)), own, atol=1e-9
    )
    # In a mirror left is right: the camera's right is what was its left.
    mirror = np.diag([-1.0, 1.0, 1.0])
    seen = found((centers @ mirror, sizes, mirror @ rotations), unit(-angle))
    np.testing.assert_allclose(seen, own, atol=1e-9)
    order = np.random.default_rng(seed).permutation(4)
    np.testing.assert_allclose(
        found((centers[order], sizes[order], rotations[order]), unit(angle)), own[order]
    )


@settings(max_examples=60)
@given(st.integers(0, 10_000), st.sampled_from([3, 4]), st.sampled_from([-1, 1]))
def test_room_before_a_camera_is_what_single_steps_find(seed: int, count: int, side: int) -> None:
    """Of each look, steps of a centimeter at which a thing of no size has one member alone on its side of it."""
    rng = np.random.default_rng(seed)
    begins = rng.uniform(-2, 8, (count, 5)).round(2)
    spans = np.stack([begins, begins + rng.uniform(0, 1.5, begins.shape).round(2)], axis=2)
    out = np.ones(count)
    around.alone(np.arange(count), spans, side, around.NEAR, around.FAR, GAP, out)
    expected = np.zeros(count)
    for look in range(5):
        steps = np.zeros(count)
        for at in np.arange(around.NEAR, around.FAR, 0.01) + 0.005:
            beyond, before = spans[:, look, 0] > at, spans[:, look, 1] < at
            if side < 0:
                beyond, before = before, beyond
            if beyond.sum() == 1 and before.sum() == count - 1:
                steps += 0.01 * beyond
        expected += np.maximum(0.0, steps - (around.ROOM + 2 * GAP) * (steps > 0))
    np.testing.assert_allclose(out, expected, atol=0.06)


def test_cameras_are_drawn_by_identity() -> None:
    identities = np.random.default_rng(0).integers(0, 2**63, 300, dtype=np.uint64)
    drawn = set(identities[around._drawn(identities)].tolist())
    assert len(drawn) == around.MOST_FRAMES
    assert drawn == set(identities[::-1][around._drawn(identities[::-1])].tolist())
    assert len(around._drawn(identities[:7])) == 7
