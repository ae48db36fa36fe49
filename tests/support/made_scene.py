"""Scenes of two frames made by hand, as tables in memory, to look at a task's limits at their edges."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import polars as pl
from named_objects import name_of
from scipy.spatial.transform import Rotation

from spatial_assets.scene.tables import Table
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.generate import generate
from spatial_assets.tasks.registry import task as task_named

WIDTH, HEIGHT, FOCAL = 1000, 800, 600.0
POSED = ("images", "poses", "mesh", "overlap")
FACTS = (*POSED, "objects", "surfaces", "visibility", "amodal")


class Tables:
    """A scene of two frames, and of objects given as observations; says of itself what a lake would."""

    which: ClassVar = {"dataset": "made", "release": "1", "scene": "s"}

    def __init__(
        self,
        second: np.ndarray,
        overlap: float = 0.5,
        facts: tuple[str, ...] = POSED,
        objects: dict[int, str] | None = None,
        observations: list[dict[str, Any]] | None = None,
        centers: dict[int, tuple[float, float, float]] | None = None,
    ) -> None:
        cameras = {"0": np.eye(4), "1": second}
        objects = objects or {}
        self.rows: dict[str, list[dict[str, Any]]] = {
            "scenes": [{"facts": list(facts)}],
            "frames": [
                {
                    "frame": name,
                    "position": i,
                    "width": WIDTH,
                    "height": HEIGHT,
                    "intrinsics": [FOCAL, 0, WIDTH / 2, 0, FOCAL, HEIGHT / 2, 0, 0, 1],
                    "camera_to_world": pose.ravel().tolist(),
                }
                for i, (name, pose) in enumerate(cameras.items())
            ],
            "keyframes": [{"set": "keyframes", "position": i, "frame": str(i)} for i in range(2)],
            "overlap": [{"frame_a": "0", "frame_b": "1", "overlap": overlap, "overlap_instances": overlap}],
            "objects": [
                {
                    "instance": i,
                    "category": word,
                    "label": word,
                    "name": name_of(i),
                    "center": list((centers or {}).get(i, (0.0, 0.0, 3.0))),
                    "size": [1.0, 1.0, 1.0],
                    "rotation": np.eye(3).ravel().tolist(),
                }
                for i, word in objects.items()
            ],
            "visibility": [{**SEEN, **row} for row in observations or []],
        }

    def table(self, table: Table) -> pl.DataFrame:
        rows = self.rows[table.name]
        full = [{**dict.fromkeys(table.schema.names), **self.which, **row} for row in rows]
        return table.empty() if not full else pl.DataFrame(full, schema=table.empty().schema)

    def facts(self) -> SceneFacts:
        return SceneFacts(dict(self.which), "license", self.table)


SEEN: dict[str, Any] = {
    "visible_px": 40_000,
    "amodal_px": 40_000,
    "occlusion": 0.0,
    "truncation": 0.0,
    "visible_vertex_fraction": 0.5,
    "box": [100.0, 100.0, 300.0, 300.0],
    "amodal_box": [100.0, 100.0, 300.0, 300.0],
    "center": [200.0, 200.0],
    "center_depth": 3.0,
    "center_distance": 3.0,
    "marker": [200, 200],
    "marker_radius": 50.0,
}


def pose(
    yaw: float = 0.0, pitch: float = 0.0, at: tuple[float, float, float] = (0.33, 0.13, 0.58)
) -> np.ndarray:
    """Camera 2 in camera 1: degrees to the right and up, meters right, down and forward."""
    out = np.eye(4)
    out[:3, :3] = Rotation.from_euler("YX", [yaw, pitch], degrees=True).as_matrix()
    out[:3, 3] = at
    return out


def rejected(task: str, made: Tables, form: str = "fill", **parameters: Any) -> dict[str, int]:
    """Reasons and counts of what a task finds, with `ok` for candidates."""
    chosen = task_named(task)
    find = chosen.find_for.get(form, chosen.find)
    found = find(made.facts(), chosen.parameters(**parameters)).settle()
    for reason in found.rejected:
        assert chosen.reasons.get(reason) or reason == "rounding"
    return {**found.rejected, **({"ok": len(found)} if len(found) else {})}


def rows_of(task: str, made: Tables, **parameters: Any) -> list[dict[str, Any]]:
    chosen = task_named(task)
    return generate(chosen, made.facts(), chosen.parameters(**parameters)).rows
