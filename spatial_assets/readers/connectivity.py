"""The simulator's graphs of Matterport3D houses: `<scan>_connectivity.json`, viewpoints and between which one can walk.

    [{image_id, pose, included, visible, unobstructed, height}, ...]

`pose` is the panorama's, by rows. Views of it are named by directions of the world; how it is turned says which way its
images look. `visible` and `unobstructed` have an entry for every viewpoint of the file; those that are not `included`
are no part of the graph. Meters, z up.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spatial_assets.geometry.viewpoints import shortest_ways
from spatial_assets.readers import cameras, files, labels
from spatial_assets.scene.model import Float, InputError, Viewpoint

NAME = re.compile(r"[0-9A-Za-z_-]{1,64}", re.ASCII)
"""Of a viewpoint: 32 hexadecimal digits, as downloaded."""
KEYS = ("image_id", "pose", "included", "visible", "unobstructed", "height")
LONGEST_STEP = 50.0
"""Meters from one viewpoint to the next. The simulator joins those within 5 m; a graph in other units has none."""
HIGHEST = 100.0
"""Meters of a viewpoint above its floor; a tripod has 1.5, and one that stands by stairs a few."""
UPRIGHT = 0.5
"""Least share of a panorama's own up that points up in the world, of the middle one: a tripod has 1."""


@dataclass(frozen=True)
class Graph:
    """Viewpoints that are part of a house's graph, in the file's order."""

    path: str
    names: tuple[str, ...]
    positions: Float
    """(N, 3)."""
    orientations: Float
    """(N, 3, 3), columns are the axes of the panorama's own camera in the world: x right, y down, z forward."""
    heights: tuple[float, ...]
    edges: NDArray[np.bool_]
    """(N, N), symmetric: between which one can walk."""
    sight: NDArray[np.bool_]
    """(N, N): which the first sees. It need not be mutual."""
    excluded: int
    """Viewpoints of the file that are no part of the graph."""

    @cached_property
    def index(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self.names)}

    @cached_property
    def distances(self) -> Float:
        """(N, N), meters along the shortest ways."""
        return shortest_ways(self.positions, self.edges)

    def viewpoints(self) -> tuple[Viewpoint, ...]:
        """All of them, without their regions."""
        return tuple(
            Viewpoint(
                name,
                self.positions[i],
                self.heights[i],
                None,
                self._named(self.edges[i]),
                self._named(self.sight[i]),
            )
            for i, name in enumerate(self.names)
        )

    def _named(self, chosen: NDArray[np.bool_]) -> tuple[str, ...]:
        return tuple(self.names[j] for j in np.flatnonzero(chosen))


def read_graph(root: Path, path: str) -> Graph:
    """Raises InputError for what is no graph of a house."""
    content = files.read_json(root, path)
    if not isinstance(content, list) or not content:
        raise InputError(path, f"{labels.shown(content)}, not a list of viewpoints", "malformed_file")
    count = len(content)
    names, included, poses, heights = [], [], [], []
    # Row by row: a list of nothing but empty entries claims no memory for their pairs.
    seen, joined = [], []
    for i, value in enumerate(content):
        where = f"viewpoint {i}"
        entry = labels.entry(path, value, where)
        missing = next((key for key in KEYS if key not in entry), None)
        if missing is not None:
            raise InputError(path, f"{where} lacks its {missing}", "malformed_file")
        names.append(_name(path, entry["image_id"], where))
        included.append(_is_true(path, entry["included"], f"included of {where}"))
        seen.append(_row(path, entry["visible"], count, f"visible of {where}"))
        joined.append(_row(path, entry["unobstructed"], count, f"unobstructed of {where}"))
        numbers = labels.numbers(path, entry["pose"], 16, f"pose of {where}", cameras.FARTHEST)
        poses.append(cameras.check_pose(path, numbers.reshape(4, 4), f"pose of {where}"))
        heights.append(labels.number(path, entry["height"], f"height of {where}", HIGHEST))
    kept = np.array(included)
    if not kept.any():
        raise InputError(path, "no viewpoint is included", "no_viewpoints")
    twice = next((name for name, times in Counter(names).items() if times > 1), None)
    if twice is not None:
        raise InputError(path, f"two viewpoints are named {twice}", "contradiction")
    matrices, sight, edges = np.stack(poses), np.stack(seen), np.stack(joined)
    upright = float(np.median(-matrices[kept, 2, 1]))
    if upright < UPRIGHT:
        raise InputError(
            path, f"panoramas stand {upright:.2f} upright (1 is level): z does not point up", "contradiction"
        )
    graph = Graph(
        path,
        tuple(name for name, is_in in zip(names, included, strict=True) if is_in),
        matrices[kept, :3, 3],
        matrices[kept, :3, :3],
        tuple(height for height, is_in in zip(heights, included, strict=True) if is_in),
        edges[np.ix_(kept, kept)],
        sight[np.ix_(kept, kept)],
        int((~kept).sum()),
    )
    _check(graph)
    return graph


def _check(graph: Graph) -> None:
    """Raises InputError for edges that nobody can walk."""
    one_way = np.argwhere(graph.edges & ~graph.edges.T)
    if len(one_way):
        start, end = (graph.names[i] for i in one_way[0])
        raise InputError(
            graph.path,
            f"one can walk from {start} to {end} and not back: not a graph of places",
            "contradiction",
        )
    if graph.edges.diagonal().any():
        name = graph.names[int(graph.edges.diagonal().argmax())]
        raise InputError(graph.path, f"{name} is joined to itself", "contradiction")
    starts, ends = np.nonzero(graph.edges)
    steps = np.linalg.norm(graph.positions[ends] - graph.positions[starts], axis=1)
    if len(steps) and steps.max() > LONGEST_STEP:
        worst = int(steps.argmax())
        raise InputError(
            graph.path,
            f"{steps[worst]:.3g} m from {graph.names[starts[worst]]} to {graph.names[ends[worst]]}, more than "
            f"{LONGEST_STEP:g} m in one step; its unit is no meter, or a viewpoint stands elsewhere",
            "contradiction",
        )


def _name(path: str, value: Any, where: str) -> str:
    if not isinstance(value, str) or not NAME.fullmatch(value):
        raise InputError(
            path, f"image_id of {where} is {labels.shown(value)}, no name of a viewpoint", "malformed_file"
        )
    return value


def _is_true(path: str, value: Any, what: str) -> bool:
    if not isinstance(value, bool):
        raise InputError(path, f"{what} is {labels.shown(value)}, not true or false", "malformed_file")
    return value


def _row(path: str, value: Any, count: int, what: str) -> NDArray[np.bool_]:
    if not isinstance(value, list):
        raise InputError(path, f"{what} is {labels.shown(value)}, not a list", "malformed_file")
    if len(value) != count:
        raise InputError(path, f"{what} has {len(value)} entries for {count} viewpoints", "contradiction")
    if not all(isinstance(item, bool) for item in value):
        wrong = next(item for item in value if not isinstance(item, bool))
        raise InputError(path, f"{what} has {labels.shown(wrong)}, not true or false", "malformed_file")
    return np.array(value, np.bool_)
