"""A room's floor, walls and free cells against slow twins that look everywhere."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely

from spatial_assets.geometry.footprint import vsibench_room_area
from spatial_assets.geometry.rooms import (
    OTHER_SEED,
    OUTLINE_STEP,
    floor_level,
    footprint_of,
    free_floor,
    measure_footprint,
    walled_share,
)
from spatial_assets.scene.model import Box


def turned(center: np.ndarray, size: np.ndarray, yaw: float) -> Box:
    c, s = math.cos(yaw), math.sin(yaw)
    return Box(center, size, np.array([[c, -s, 0], [s, c, 0], [0, 0, 1.0]]))


def naive_free(
    outline: shapely.Geometry, points: np.ndarray, boxes: list[Box], low: float, high: float, cell: float
) -> dict[tuple[int, int], bool]:
    """Every cell by itself, by its number along x and y."""
    taken = {(math.floor(x / cell), math.floor(y / cell)) for x, y, z in points.tolist() if low < z < high}
    x0, y0, x1, y1 = outline.bounds
    free = {}
    for i in range(math.floor(x0 / cell), math.floor(x1 / cell) + 1):
        for j in range(math.floor(y0 / cell), math.floor(y1 / cell) + 1):
            center = shapely.Point((i + 0.5) * cell, (j + 0.5) * cell)
            covered = any(footprint_of(box).contains(center) for box in boxes)
            free[i, j] = outline.contains(center) and (i, j) not in taken and not covered
    return free


@pytest.mark.every(3)
@pytest.mark.parametrize("seed", range(5))
def test_free_floor_equals_a_look_at_every_cell(seed: int) -> None:
    rng = np.random.default_rng(seed)
    outline = shapely.affinity.rotate(shapely.box(-1.3, 0.4, 1.1, 2.2), 20.0 * seed)
    points = rng.uniform([-2, -1, 0], [2, 3, 3], (300, 3))
    boxes = [
        # One may lie outside of the outline altogether.
        turned(np.append(rng.uniform([-3, -2], [3, 4]), 1.0), rng.uniform(0.1, 0.9, 3), rng.uniform(0, 3))
        for _ in range(6)
    ]
    origin, free = free_floor(outline, points, boxes, 0.1, 1.8, 0.07)
    first = np.round(origin / 0.07).astype(int)
    expected = naive_free(outline, points, boxes, 0.1, 1.8, 0.07)
    assert free.size == len(expected)
    for (i, j), is_free in expected.items():
        assert free[j - first[1], i - first[0]] == is_free
    assert free.any() and not free.all()


@pytest.mark.parametrize("seed", range(6))
def test_walled_share_equals_all_distances(seed: int) -> None:
    rng = np.random.default_rng(seed)
    outline = shapely.box(0, 0, 4, 3)
    # Few points: those that a first look takes settle some places and not others.
    points = rng.uniform([-0.5, -0.5, 0], [4.5, 3.5, 2.5], (int(rng.integers(1, 400)), 3))
    high = points[points[:, 2] > 1.0, :2]
    places = shapely.get_coordinates(shapely.segmentize(outline.boundary, OUTLINE_STEP))
    near = [any(math.dist(place, point) <= 0.3 for point in high) for place in places]
    assert walled_share(outline, points, 1.0, 0.3) == np.mean(near)


def test_measure_footprint_takes_both_draws_and_both_outlines() -> None:
    rng = np.random.default_rng(3)
    points = rng.uniform([0, 0, 0], [4, 3, 2.5], (30_000, 3))
    outline, area, low, high = measure_footprint(points)
    areas = (area, vsibench_room_area(points, seed=OTHER_SEED), vsibench_room_area(points, alpha=2.5))
    assert area == vsibench_room_area(points) == pytest.approx(outline.area)
    assert (low, high) == (min(areas), max(areas)) and low < high


def naive_level(vertices: np.ndarray, faces: np.ndarray, labeled: np.ndarray) -> float:
    """The upper quartile by area, face by face; without labels, of the fullest layer of the lower half."""
    found = []
    for number, face in enumerate(faces):
        a, b, c = vertices[face]
        normal = np.cross(b - a, c - a)
        area = float(np.linalg.norm(normal)) / 2
        if abs(normal[2]) >= 0.95 * 2 * area:
            found.append((float(vertices[face][:, 2].mean()), area, bool(labeled[number])))
    heights = vertices[faces][:, :, 2].mean(axis=1)
    low, high = heights.min(), heights.max()
    chosen = [(height, area) for height, area, is_floor in found if is_floor]
    if not sum(area for _, area in chosen):
        lower = [(height, area) for height, area, _ in found if height <= low + 0.5 * (high - low)]
        layers: dict[int, float] = {}
        for height, area in lower:
            layer = math.floor((height - low) / 0.05)
            layers[layer] = layers.get(layer, 0.0) + area
        if not sum(layers.values()):
            return float(low)
        fullest = max(sorted(layers), key=lambda layer: layers[layer])
        chosen = [pair for pair in lower if math.floor((pair[0] - low) / 0.05) == fullest]
    chosen.sort(key=lambda pair: pair[0])
    below = np.cumsum([area for _, area in chosen])
    return chosen[int(np.argmax(below >= 0.75 * below[-1]))][0]


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("share", [0.0, 0.2])
def test_floor_level_equals_a_look_at_every_face(seed: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    vertices = rng.uniform([0, 0, 0], [4, 4, 0.3], (60, 3))
    if seed == 7:
        # No face lies level.
        vertices[:, 2] = 100 * vertices[:, 0]
    faces = rng.permuted(np.tile(np.arange(60), (80, 1)), axis=1)[:, :3]
    labeled = rng.uniform(size=80) < share
    assert floor_level(vertices, faces, labeled) == pytest.approx(naive_level(vertices, faces, labeled))
