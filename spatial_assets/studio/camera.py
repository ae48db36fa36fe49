"""The camera's way: somebody walks through the rooms with a phone and looks at everything, also down and up."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, label
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import dijkstra
from shapely import Polygon, contains_xy

from spatial_assets.scene.model import Float
from spatial_assets.studio.layout import Layout
from spatial_assets.studio.voxels import Voxels, in_sight

GRID = 0.1
"""Meters between two places that the walk may pass."""
STOPS_PER_SQUARE_METER = 1.1
LEAST_STOPS, MOST_STOPS = 5, 16
HEIGHTS = (0.95, 1.75)
"""How low and how high a phone is held, meters."""
DISTANCES = (0.7, 5.0)
"""Meters: things nearer or further are not what somebody looks at."""
PITCHES = (math.radians(-62), math.radians(28))
"""How far down and up somebody points a phone."""
LOOK_SECONDS = 1.3
"""How long one thing is looked at."""
WALK_SPEED = 0.45
"""Meters per second of somebody who scans a room."""
TURN_SPEED = math.radians(55)
"""Radians per second at which a scanning hand turns, at most."""
SHAKE = (0.004, math.radians(0.6))
"""Standard deviation of a hand's unrest: meters, radians."""
TURN_COST = 0.7
"""A glance one radian further round costs as much as a thing that was seen this many seconds longer."""
SIGHT_SLACK = 0.12
"""Meters before a thing's near side where what blocks the view may be the thing itself."""
VIEW_CONE = math.radians(24)
"""Half angle within which a thing counts as looked at."""


def _grid_graph(walkable: Polygon) -> tuple[Float, coo_matrix]:
    """Nodes (N, 2) of the walkable area's largest part, and the lengths of the steps between neighbors."""
    x0, y0, x1, y1 = walkable.bounds
    xs, ys = np.arange(x0 + GRID / 4, x1, GRID), np.arange(y0 + GRID / 4, y1, GRID)
    gx, gy = np.meshgrid(xs, ys)
    inside = contains_xy(walkable, gx.ravel(), gy.ravel()).reshape(gx.shape)
    parts, count = label(inside)
    if count == 0:
        raise ValueError("nowhere to stand")
    inside = parts == 1 + int(np.argmax(np.bincount(parts.ravel())[1:]))
    number = np.full(inside.shape, -1)
    number[inside] = np.arange(int(inside.sum()))
    rows, cols, steps = [], [], []
    h, w = inside.shape
    for dy, dx in ((0, 1), (1, 0), (1, 1), (1, -1)):
        a = number[: h - dy, max(0, -dx) : w - max(0, dx)]
        b = number[dy:, max(0, dx) : w + min(0, dx)]
        both = (a >= 0) & (b >= 0)
        rows.append(a[both])
        cols.append(b[both])
        steps.append(np.full(int(both.sum()), GRID * math.hypot(dx, dy)))
    graph = coo_matrix(
        (np.concatenate(steps), (np.concatenate(rows), np.concatenate(cols))), shape=(int(inside.sum()),) * 2
    )
    return np.stack([gx[inside], gy[inside]], axis=1), graph


def _walk(walkable: Polygon, rng: np.random.Generator) -> Float:
    """A polyline (N, 2) through all parts of the walkable area, points a few centimeters apart."""
    nodes, graph = _grid_graph(walkable)
    links = graph.tocsr()
    stops = [int(rng.random() * len(nodes))]
    count = int(np.clip(round(float(walkable.area) * STOPS_PER_SQUARE_METER), LEAST_STOPS, MOST_STOPS))
    reach = dijkstra(links, directed=False, indices=stops[0])
    # Each new stop is as far as one can walk from all others.
    nearest = reach.copy()
    while len(stops) < min(count, len(nodes)):
        far = int(np.argmax(nearest))
        stops.append(far)
        nearest = np.minimum(nearest, dijkstra(links, directed=False, indices=far))
    distance, before = dijkstra(links, directed=False, indices=stops, return_predecessors=True)
    tour, left = [0], set(range(1, len(stops)))
    while left:
        here = tour[-1]
        following = min(left, key=lambda k: (float(distance[here, stops[k]]), k))
        left.remove(following)
        tour.append(following)
    way = [stops[tour[0]]]
    for a, b in pairwise(tour):
        leg, at = [], stops[b]
        while at != stops[a]:
            leg.append(at)
            at = int(before[a, at])
        way += leg[::-1]
    return _smooth(nodes[way], walkable)


def _resample(line: Float, spacing: float) -> Float:
    steps = np.hypot(*np.diff(line, axis=0).T)
    keep = np.concatenate([[True], steps > 0])
    line = line[keep]
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    if along[-1] == 0:
        return line[:1]
    at = np.linspace(0.0, along[-1], max(2, int(along[-1] / spacing) + 1))
    return np.stack([np.interp(at, along, line[:, k]) for k in (0, 1)], axis=1)


def _smooth(line: Float, walkable: Polygon) -> Float:
    """Rounds the corners as far as the walkable area allows."""
    fine = _resample(line, GRID / 4)
    if len(fine) < 3:
        return fine
    for sigma in (14.0, 8.0, 4.0, 2.0):
        rounded = gaussian_filter1d(fine, sigma, axis=0, mode="nearest")
        outside = ~contains_xy(walkable, rounded[:, 0], rounded[:, 1])
        if not outside.any():
            return _resample(rounded, GRID / 4)
    return fine


def _wander(rng: np.random.Generator, count: int, scale: float) -> Float:
    """Smooth noise of mean 0 and deviation 1 over `count` frames; it changes within about `scale` frames."""
    noise = gaussian_filter1d(
        rng.standard_normal(count + int(8 * scale) + 8), max(scale, 0.5), mode="reflect"
    )
    noise = noise[: len(noise)]
    spread = float(noise.std())
    return (noise / spread if spread > 0 else noise)[int(4 * scale) : int(4 * scale) + count]


@dataclass(frozen=True)
class Targets:
    """What is worth looking at."""

    centers: Float
    """(N, 3), meters."""
    radii: Float
    """(N,), about half of each one's size, meters."""
    rooms: NDArray[np.int64]
    """(N,), index of the room that it is in."""


def _aims(
    places: Float,
    times: Float,
    targets: Targets,
    outlines: list[Polygon],
    voxels: Voxels,
    rng: np.random.Generator,
) -> tuple[Float, Float]:
    """Yaw and pitch to aim at, per frame: at each moment the thing that was seen least, of those in sight."""
    count, number = len(places), len(targets.centers)
    seen = np.zeros(number)
    yaw, pitch = np.zeros(count), np.zeros(count)
    here = np.zeros(count, dtype=np.int64)
    for k, outline in enumerate(outlines):
        here[contains_xy(outline, places[:, 0], places[:, 1])] = k
    step = float(times[1] - times[0]) if count > 1 else 1.0
    current, until, heading = -1, -1.0, 0.0
    for f in range(count):
        offset = targets.centers - places[f]
        far = np.maximum(np.linalg.norm(offset, axis=1), 1e-9)
        azimuth = np.arctan2(offset[:, 1], offset[:, 0])
        tilt = np.arcsin(np.clip(offset[:, 2] / far, -1, 1))
        usable = (targets.rooms == here[f]) & (far > DISTANCES[0]) & (far < DISTANCES[1])
        usable &= (tilt > PITCHES[0]) & (tilt < PITCHES[1])
        usable &= in_sight(places[f], targets.centers, targets.radii + SIGHT_SLACK, voxels)
        if times[f] >= until or current < 0 or not usable[current]:
            turn = np.abs((azimuth - heading + math.pi) % (2 * math.pi) - math.pi)
            cost = seen + TURN_COST * turn + 0.5 * rng.random(number)
            cost[~usable] = np.inf
            current = int(np.argmin(cost)) if usable.any() else -1
            until = times[f] + LOOK_SECONDS * (0.6 + 0.8 * rng.random())
        if current >= 0:
            heading, pitch[f] = float(azimuth[current]), float(tilt[current])
        elif f:
            pitch[f] = pitch[f - 1]
        yaw[f] = heading
        if f:
            yaw[f] = yaw[f - 1] + (heading - yaw[f - 1] + math.pi) % (2 * math.pi) - math.pi
        level = np.cos(tilt) * math.cos(pitch[f]) * np.cos(azimuth - heading)
        near_axis = level + np.sin(tilt) * math.sin(pitch[f]) > math.cos(VIEW_CONE)
        seen += step * (near_axis & usable)
    return yaw, pitch


def _follow(aim: Float, step: float) -> Float:
    """A hand that turns toward its aim at no more than TURN_SPEED, without jerks."""
    out = np.empty_like(aim)
    out[0] = aim[0]
    for k in range(1, len(aim)):
        out[k] = out[k - 1] + float(np.clip(aim[k] - out[k - 1], -TURN_SPEED * step, TURN_SPEED * step))
    return gaussian_filter1d(out, max(0.35 / step, 0.01), mode="nearest")


def look(position: Float, yaw: float, pitch: float, roll: float) -> Float:
    """Camera-to-world (4, 4), OpenCV axes, of a camera that looks along `yaw` (0 = +x) and `pitch` (up
    positive)."""
    forward = np.array([math.cos(pitch) * math.cos(yaw), math.cos(pitch) * math.sin(yaw), math.sin(pitch)])
    right = np.array([math.sin(yaw), -math.cos(yaw), 0.0])
    down = np.cross(forward, right)
    c, s = math.cos(roll), math.sin(roll)
    pose = np.eye(4)
    pose[:3, 0] = c * right + s * down
    pose[:3, 1] = -s * right + c * down
    pose[:3, 2] = forward
    pose[:3, 3] = position
    return pose


def camera_path(
    layout: Layout, targets: Targets, voxels: Voxels, frames: int, rng: np.random.Generator
) -> Float:
    """Poses (frames, 4, 4), camera-to-world, OpenCV axes: a walk through all rooms that looks at all targets.

    The walk takes as long as its length needs, whatever the number of frames, and its frames are evenly
    spaced in time. It keeps to the walkable floor of the layout, so it is never inside anything.
    """
    line = _walk(layout.walkable, rng)
    length = float(np.hypot(*np.diff(line, axis=0).T).sum()) if len(line) > 1 else 0.0
    seconds = max(length / WALK_SPEED, len(targets.centers) * LOOK_SECONDS * 0.8, 10.0)
    step = seconds / max(frames - 1, 1)
    times: Float = np.arange(frames, dtype=np.float64) * step
    # Somebody slows down to look and hurries on: the share of the way is a smooth, never falling function of
    # time.
    pace = np.exp(0.5 * _wander(rng, frames, 3.0 / step)) if frames > 1 else np.ones(1)
    share = np.concatenate([[0.0], np.cumsum(pace[1:])])
    share = share / share[-1] if frames > 1 else share
    index = share * (len(line) - 1)
    xy = np.stack([np.interp(index, np.arange(len(line)), line[:, k]) for k in (0, 1)], axis=1)
    middle, half = sum(HEIGHTS) / 2, (HEIGHTS[1] - HEIGHTS[0]) / 2
    z = middle + half * np.tanh(0.9 * _wander(rng, frames, 4.0 / step))
    places: Float = np.concatenate([xy, z[:, None]], axis=1)
    yaw, pitch = _aims(places, times, targets, layout.outlines, voxels, rng)
    yaw, pitch = _follow(yaw, step), np.clip(_follow(pitch, step), *PITCHES)
    shake = np.stack([_wander(rng, frames, 0.3 / step) for _ in range(6)], axis=1)
    places += SHAKE[0] * shake[:, :3]
    angles = SHAKE[1] * shake[:, 3:]
    poses = [
        look(
            places[f], float(yaw[f] + angles[f, 0]), float(pitch[f] + angles[f, 1]), float(2.0 * angles[f, 2])
        )
        for f in range(frames)
    ]
    return np.stack(poses)
