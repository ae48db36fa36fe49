"""Viewpoints that one walks between: directions of steps, the views of a simulator at each, shortest ways.

Headings are radians, 0 along +y, growing to the right; elevations grow upward. At a viewpoint the simulator of
Matterport3D looks in 12 directions 30 degrees apart, at each of three elevations: view 0 looks down along +y, view 12
level, view 24 up, and the next view is the next to the right.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from spatial_assets.scene.model import Float

HEADINGS, ELEVATIONS = 12, 3
VIEWS = HEADINGS * ELEVATIONS
VIEW_STEP = math.radians(30)
"""Between neighboring views, to the side and up."""
VIEW_SIZE = (640, 480)
VIEW_FIELD = math.radians(60)
"""Vertical field of a view."""


def headings_of(steps: Float) -> Float:
    """Where steps lead, seen from above.

    Parameters
    ----------
    steps : (N, 3), z up, of any length.

    Returns
    -------
    (N,) : radians, 0 along +y, growing to the right, to less than a full turn; 0 for one that leads straight up or
        nowhere.
    """
    found: Float = np.arctan2(steps[:, 0], steps[:, 1]) % (2 * math.pi)
    # The remainder of a tiny negative angle is rounded to the full turn.
    return np.where(found >= 2 * math.pi, 0.0, found)


def elevations_of(steps: Float) -> Float:
    """How steeply steps lead up.

    Parameters
    ----------
    steps : (N, 3), z up, of any length.

    Returns
    -------
    (N,) : radians, from -pi/2 to pi/2; 0 for one that leads nowhere.
    """
    found: Float = np.arctan2(steps[:, 2], np.hypot(steps[:, 0], steps[:, 1]))
    return found


def nearest_views(headings: Float, elevations: Float) -> NDArray[np.int64]:
    """The views whose heading and elevation are nearest to directions.

    Parameters
    ----------
    headings, elevations : (N,), radians.

    Returns
    -------
    (N,) : numbers of views, 0 to 35.
    """
    sideways = np.floor(np.asarray(headings) / VIEW_STEP + 0.5).astype(np.int64) % HEADINGS
    up = np.clip(np.floor(np.asarray(elevations) / VIEW_STEP + 0.5).astype(np.int64) + 1, 0, ELEVATIONS - 1)
    found: NDArray[np.int64] = up * HEADINGS + sideways
    return found


def view_intrinsics() -> Float:
    """The camera matrix of every view.

    Returns
    -------
    (3, 3) : pixels; the principal point is the middle of the image, pixel centers at integer + 0.5.
    """
    width, height = VIEW_SIZE
    focal = height / 2 / math.tan(VIEW_FIELD / 2)
    return np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1.0]])


def view_poses(position: Float) -> Float:
    """Camera to world of the views of a viewpoint.

    Parameters
    ----------
    position : (3,), meters.

    Returns
    -------
    (36, 4, 4) : meters, OpenCV axes.
    """
    number = np.arange(VIEWS, dtype=np.float64)
    return looking(position, number % HEADINGS * VIEW_STEP, (number // HEADINGS - 1) * VIEW_STEP)


def looking(position: Float, headings: Float, elevations: Float) -> Float:
    """Camera to world of cameras that are held level.

    Parameters
    ----------
    position : (3,), meters. headings, elevations : (N,), radians.

    Returns
    -------
    (N, 4, 4) : meters, OpenCV axes.
    """
    heading, elevation = np.asarray(headings, np.float64), np.asarray(elevations, np.float64)
    count = len(heading)
    sine, cosine = np.sin(heading), np.cos(heading)
    down, level = np.sin(elevation), np.cos(elevation)
    poses = np.tile(np.eye(4), (count, 1, 1))
    poses[:, :3, 0] = np.column_stack([cosine, -sine, np.zeros(count)])
    poses[:, :3, 2] = np.column_stack([sine * level, cosine * level, down])
    poses[:, :3, 1] = np.cross(poses[:, :3, 2], poses[:, :3, 0])
    poses[:, :3, 3] = position
    return poses


def facing(position: Float, target: Float, elevation: float = 0.0) -> Float:
    """Camera to world of somebody who turns to a target and looks level, or at the elevation given.

    Parameters
    ----------
    position, target : (3,), meters. elevation : radians.

    Returns
    -------
    (4, 4) : meters, OpenCV axes.

    Raises
    ------
    ValueError : the target is straight above, below or at the position: no heading leads there.
    """
    step = np.asarray(target, np.float64) - position
    if not np.hypot(step[0], step[1]) > 0:
        raise ValueError("no heading leads to where one stands")
    found: Float = looking(position, headings_of(step[None]), np.array([elevation]))[0]
    return found


def shortest_ways(positions: Float, edges: NDArray[np.bool_]) -> Float:
    """The lengths of the shortest ways between positions (Dijkstra, 1959).

    Parameters
    ----------
    positions : (N, 3), meters. edges : (N, N), from whose row one can walk to whose column, in a straight line.

    Returns
    -------
    (N, N) : meters; inf where there is none.
    """
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import dijkstra

    starts, ends = np.nonzero(edges)
    lengths = np.linalg.norm(positions[ends] - positions[starts], axis=1)
    # A length of zero would be no edge.
    graph = csr_matrix((np.maximum(lengths, np.finfo(float).tiny), (starts, ends)), shape=edges.shape)
    found: Float = dijkstra(graph)
    return found
