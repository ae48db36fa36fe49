"""Scenes of a few frames made by hand, in sets, to look at the limits of tasks about view sets at their edges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from video_scenes import HEIGHT, WHICH, WIDTH, made, seen

from spatial_assets.scene.model import Box
from spatial_assets.scene.tables import Table
from spatial_assets.tasks.core.facts import SceneFacts

FOCAL = 500.0


def shown(
    share: float = 0.05, at: tuple[float, float] = (320.0, 240.0), side: float = 60.0, **how: Any
) -> dict[str, Any]:
    """An object seen well on a share of the image, in a box around a pixel."""
    x, y = at
    return seen(
        share,
        marker=[int(x), int(y)],
        marker_radius=10.0,
        center_depth=2.0,
        box=[x - side / 2, y - side / 2, x + side / 2, y + side / 2],
        **how,
    )


def made_sets(
    objects: Sequence[tuple[str, Box]],
    frames: Sequence[Mapping[int, Mapping[str, Any]]],
    sets: Sequence[Sequence[int]] | None = None,
    poses: Sequence[np.ndarray] | None = None,
) -> SceneFacts:
    """A scene whose frames, by what each shows of which object, stand in the sets; without, all in one."""
    base = made(objects, frames)
    sets = [range(len(frames))] if sets is None else sets
    poses = [np.eye(4)] * len(frames) if poses is None else poses
    rows = {
        "view_sets": [
            {
                "view_set": f"{place:02d}",
                "views": len(members),
                "frames": [str(frame) for frame in members],
                "overlap_avg": 10.0 + place,
                "overlap_pairs": [10.0 + place] * (len(members) * (len(members) - 1) // 2),
                "overlap_level": "low",
                "baseline": 1.0,
            }
            for place, members in enumerate(sets)
        ],
        "view_set_objects": [
            {"view_set": f"{place:02d}", "instance": thing, "shown_union": 0.5}
            for place in range(len(sets))
            for thing in range(len(objects))
        ],
    }
    camera = [FOCAL, 0.0, WIDTH / 2, 0.0, FOCAL, HEIGHT / 2, 0.0, 0.0, 1.0]

    def read(table: Table) -> pl.DataFrame:
        if table.name in rows:
            full = [{**dict.fromkeys(table.schema.names), **WHICH, **row} for row in rows[table.name]]
            return pl.DataFrame(full, table.empty().schema) if full else table.empty()
        found = base.read(table)
        if table.name == "frames":
            return found.with_columns(
                pl.Series("intrinsics", [camera] * len(found)),
                pl.Series("camera_to_world", [pose.ravel().tolist() for pose in poses]),
            )
        return found

    return SceneFacts(dict(WHICH), "license", read)
