"""Boxes told by a view and found again, how much two share, and which proposal each takes, by other means."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation
from shapely import affinity
from shapely.geometry import box as rectangle

from spatial_assets.geometry.box_overlap import aligned_parts, iou_matrix, upright_parts
from spatial_assets.geometry.boxes import box_corners
from spatial_assets.geometry.grounding import (
    agreement,
    level_headings,
    match_boxes,
    recover_box,
    sizes_in_views,
)
from spatial_assets.scene.model import Box

LENS = np.array([[500.0, 0.0, 330.0], [0.0, 510.0, 235.0], [0.0, 0.0, 1.0]])
IMAGE = (640, 480)
seeds = st.integers(0, 2**32 - 1)


def camera(rng: np.random.Generator, steepest: float = 70.0) -> np.ndarray:
    """Anywhere, looking anywhere but straight up or down, and rolled."""
    yaw, pitch, roll = rng.uniform(0, 360), rng.uniform(-steepest, steepest), rng.uniform(-30, 30)
    level = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])
    pose = np.eye(4)
    turned = Rotation.from_euler("zxy", [yaw, pitch, roll], degrees=True).as_matrix()
    pose[:3, :3] = turned @ level
    pose[:3, 3] = rng.uniform(-3, 3, 3)
    return pose


def upright(rng: np.random.Generator, center: np.ndarray) -> Box:
    """Turned by any angle, its axes in any order and of any sign."""
    rotation = Rotation.from_euler("z", rng.uniform(0, 360), degrees=True).as_matrix()
    order = rng.permutation(3)
    return Box(center, rng.uniform(0.05, 2.5, 3), rotation[:, order] * rng.choice([-1.0, 1.0], 3))


def volume_shared(a: np.ndarray, b: np.ndarray) -> float:
    """Of two upright boxes, by another library's polygons."""

    def outline(parts: np.ndarray):
        shape = rectangle(-parts[3] / 2, -parts[4] / 2, parts[3] / 2, parts[4] / 2)
        turned = affinity.rotate(shape, parts[6], origin=(0, 0), use_radians=True)
        return affinity.translate(turned, parts[0], parts[1])

    high = min(a[2] + a[5] / 2, b[2] + b[5] / 2) - max(a[2] - a[5] / 2, b[2] - b[5] / 2)
    return outline(a).intersection(outline(b)).area * max(high, 0.0)


@settings(max_examples=200, deadline=None)
@given(seed=seeds)
def test_a_box_told_by_a_view_comes_back(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pose = camera(rng)
    spot = np.array([rng.uniform(-1, 1), rng.uniform(-1, 1), rng.uniform(0.3, 8)])
    box = upright(rng, pose[:3, :3] @ spot + pose[:3, 3])
    sizes, turns = sizes_in_views(box.size[None], box.rotation[None], pose[None], 0.5)
    assert abs(turns[0]) <= 45.0 and sorted(sizes[0]) == pytest.approx(sorted(box.size))
    pixel = LENS @ (spot / spot[2])
    point = pixel[:2] / IMAGE * 1000
    found = recover_box(point, spot[2], sizes[0], LENS, pose, IMAGE, turns[0])
    assert np.allclose(found.center, box.center, atol=1e-9)
    corners = [np.array(sorted(np.round(box_corners(it), 7).tolist())) for it in (found, box)]
    # As sets: sorted by x, y, z, rounding may swap two that are equal in one of them.
    apart = np.linalg.norm(corners[0][:, None] - corners[1][None], axis=2)
    assert apart.min(axis=1).max() < 1e-6 and apart.min(axis=0).max() < 1e-6


@settings(max_examples=100, deadline=None)
@given(seed=seeds)
def test_across_is_the_side_that_lies_more_across_the_view(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pose = camera(rng)
    box = upright(rng, np.zeros(3))
    (sizes,), (turn,) = sizes_in_views(box.size[None], box.rotation[None], pose[None], 0.5)
    ahead = complex(*pose[:2, 2])
    right = -1j * ahead / abs(ahead)
    axis = right * complex(math.cos(math.radians(turn)), math.sin(math.radians(turn)))
    across = np.array([axis.real, axis.imag, 0.0])
    # The extent of the box along its own axis is the axis's length.
    (own,) = [place for place in range(3) if abs(abs(box.rotation[:, place] @ across) - 1) < 1e-9]
    assert sizes[0] == box.size[own]
    assert abs(across[:2] @ [right.real, right.imag]) >= math.cos(math.radians(45.0)) - 1e-9


def test_without_a_turn_sizes_are_along_the_world() -> None:
    pose = camera(np.random.default_rng(0))
    found = recover_box((500, 500), 2.0, (1.0, 2.0, 3.0), LENS.ravel(), pose.ravel(), IMAGE)
    assert (found.rotation == np.eye(3)).all() and found.size.tolist() == [1.0, 2.0, 3.0]


@pytest.mark.parametrize(
    ("point", "depth", "size", "turn", "said"),
    [
        ((500, math.nan), 1.0, (1, 1, 1), 0.0, "point"),
        ((500, 500, 500), 1.0, (1, 1, 1), 0.0, "point"),
        ((500, 500), 0.0, (1, 1, 1), 0.0, "depth"),
        ((500, 500), math.inf, (1, 1, 1), 0.0, "depth"),
        ((500, 500), 1.0, (1, 0, 1), 0.0, "size"),
        ((500, 500), 1.0, (1, 1), 0.0, "size"),
        ((500, 500), 1.0, (1, 1, 1), math.nan, "turn"),
    ],
)
def test_numbers_that_no_box_has_are_named(point, depth, size, turn, said) -> None:
    with pytest.raises(ValueError, match=said):
        recover_box(point, depth, size, LENS, camera(np.random.default_rng(1)), IMAGE, turn)


def test_straight_down_there_is_no_turn() -> None:
    pose = np.diag([1.0, -1.0, -1.0, 1.0])
    assert np.isnan(level_headings(pose[None])).all()
    with pytest.raises(ValueError, match="straight up or down"):
        recover_box((500, 500), 1.0, (1, 1, 1), LENS, pose, IMAGE, 0.0)
    assert recover_box((500, 500), 1.0, (1, 1, 1), LENS, pose, IMAGE).size.tolist() == [1, 1, 1]
    sizes, turns = sizes_in_views(np.ones((1, 3)), np.eye(3)[None], pose[None], 1.0)
    assert np.isnan(sizes).all() and np.isnan(turns).all()


def test_a_leaning_box_has_no_height() -> None:
    pose = camera(np.random.default_rng(2))[None]
    for lean, is_told in ((1.9, True), (2.1, False)):
        leaning = Rotation.from_euler("x", lean, degrees=True).as_matrix()[None]
        sizes, _ = sizes_in_views(np.ones((1, 3)), leaning, pose, 2.0)
        assert np.isfinite(sizes).all() == is_told


@settings(max_examples=300, deadline=None)
@given(seed=seeds)
def test_shared_volume_equals_another_library_s(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = (
        np.concatenate([rng.uniform(0, 1.5, 3), rng.uniform(0.05, 2, 3), rng.uniform(-4, 4, 1)])
        for _ in range(2)
    )
    if rng.random() < 0.3:
        # Edges that fall together.
        b[6] = a[6] + math.pi / 2 * rng.integers(0, 4)
        b[:2] = a[:2]
    shared = volume_shared(a, b)
    joint = a[3:6].prod() + b[3:6].prod() - shared
    found = iou_matrix(np.array([a, b]), np.array([a, b]))
    assert found[0, 1] == pytest.approx(shared / joint, abs=1e-9)
    assert found[1, 0] == pytest.approx(found[0, 1], abs=1e-12)
    assert found[0, 0] == pytest.approx(1.0) and found[1, 1] == pytest.approx(1.0)


@settings(max_examples=50, deadline=None)
@given(seed=seeds)
def test_boxes_around_a_box_hold_its_corners(seed: int) -> None:
    rng = np.random.default_rng(seed)
    box = Box(rng.uniform(-1, 1, 3), rng.uniform(0.1, 2, 3), Rotation.random(rng=rng).as_matrix())
    corners = box_corners(box) - box.center
    (aligned,) = aligned_parts([box])
    assert aligned[3:6] == pytest.approx(2 * np.abs(corners).max(axis=0)) and aligned[6] == 0.0
    (own,) = upright_parts([box])
    c, s = math.cos(own[6]), math.sin(own[6])
    turned = corners @ np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
    assert own[3:6] == pytest.approx(2 * np.abs(turned).max(axis=0))


@settings(max_examples=60, deadline=None)
@given(seed=seeds, count=st.integers(1, 4), others=st.integers(1, 5))
def test_an_assignment_is_the_best_of_all(seed: int, count: int, others: int) -> None:
    rng = np.random.default_rng(seed)
    own, proposals = (
        [upright(rng, rng.uniform(0, 2, 3)) for _ in range(number)] for number in (count, others)
    )
    matched = match_boxes(own, proposals)
    gains = agreement(upright_parts(own), upright_parts(proposals))
    taken = [(row, place) for row, place in enumerate(matched.tolist()) if place >= 0]
    assert len(taken) == min(count, others) == len({place for _, place in taken})
    some, most = (gains, count) if count <= others else (gains.T, others)
    best = max(
        sum(some[row, place] for row, place in enumerate(order))
        for order in itertools.permutations(range(some.shape[1]), most)
    )
    assert sum(gains[row, place] for row, place in taken) == pytest.approx(best)


def test_without_boxes_or_proposals_nothing_is_matched() -> None:
    box = upright(np.random.default_rng(3), np.zeros(3))
    assert match_boxes([], [box]).tolist() == [] and match_boxes([box], []).tolist() == [-1]
