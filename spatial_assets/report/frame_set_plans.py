"""Sets of frames from above: where the cameras of space-aware frames stand and look beside those of uniform ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
from PIL import Image

from spatial_assets.report import plots
from spatial_assets.report.plan import Site
from spatial_assets.scene.frames import View
from spatial_assets.scene.model import Float

PAIR = ("uniform_16", "space_aware_16")
COLORS = (plots.SECOND, plots.ACCENT)
TALLEST = 1.2
"""Height of a plan by its width, at most."""
FADE = 0.55
GAP = 8
REACH = 1.6
"""Meters that a wedge reaches."""


def shown_from_above(
    name: str, frames: Mapping[str, View], sets: pl.DataFrame, shown: pl.DataFrame, site: Site, width: int
) -> Image.Image | None:
    """Two plans beside each other, `width` pixels wide in all. None where the scene has not both sets."""
    members = {one: _members(sets, one, frames) for one in PAIR}
    if not all(members.values()) or site.is_empty:
        return None
    each = (width - GAP) // len(PAIR)
    ground, floor = site.draw(each, round(each * TALLEST))
    plans = []
    for one, color in zip(PAIR, COLORS, strict=True):
        plan = plots.Plan(_title(one, members[one], shown), ground, floor, fade=FADE)
        poses = np.array([view.camera_to_world for view in members[one]])
        for view in members[one]:
            plan.outline(_wedge(view), color)
        plan.arrows(poses[:, :3, 3], poses[:, :3, 2], color)
        plans.append(plan.image)
    out, draw = plots.canvas(width, plots.TITLE_HEIGHT + max(image.height for image in plans))
    plots.title(draw, name, width)
    for place, image in enumerate(plans):
        out.paste(image, (place * (each + GAP), plots.TITLE_HEIGHT))
    return out


def _members(sets: pl.DataFrame, name: str, frames: Mapping[str, View]) -> list[View]:
    own: Sequence[str] = sets.filter(pl.col("name") == name).sort("ordinal")["frame"].to_list()
    return [frames[frame] for frame in own if frame in frames]


def _title(name: str, members: Sequence[View], shown: pl.DataFrame) -> str:
    """`16 space-aware: 475 of 476 cells`, of the plan's cells those in which the frames show a surface."""
    told = f"{len(members)} {name.rsplit('_', 1)[0].replace('_', '-')}"
    cells = dict(shown.select("name", "cells").iter_rows())
    if cells.get(name) is None or not cells.get("all"):
        return told
    return f"{told}: {cells[name] / cells['all']:.0%} of the plan"


def _wedge(view: View) -> Float:
    """Corners (3, 3) of what a camera looks over, seen from above: its place and the ends of its image's middle row."""
    eye = view.camera_to_world[:3, 3]
    middle = view.intrinsics[1, 2]
    ends = np.array([[0.0, middle, 1.0], [view.width, middle, 1.0]])
    rays = np.linalg.solve(view.intrinsics, ends.T).T @ view.camera_to_world[:3, :3].T
    flat = rays * [1.0, 1.0, 0.0]
    lengths = np.maximum(np.linalg.norm(rays, axis=1, keepdims=True), 1e-9)
    corners: Float = np.concatenate([eye[None], eye + flat / lengths * REACH])
    return corners
