"""Frames of a scene: the names of selections and sets of them, and rows of the frames table as cameras."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from spatial_assets.scene.model import Float, rigid_inverse

KEYFRAMES, DENSE = "keyframes", "video_dense"
VIDEO: Literal["video32"] = "video32"
"""Selections, by name: what the redundancy filter keeps, a short uniform video, a dense one."""
VIDEO_FRAMES = 32
"""The length of a video in SPAR's and VSI-Bench's questions."""


FrameSet = Literal[
    "video32",
    "uniform_16",
    "uniform_32",
    "uniform_64",
    "space_aware_8",
    "space_aware_16",
    "space_aware_32",
    "all",
]
"""What a question about a video may show."""
UNIFORM: dict[FrameSet, int] = {"uniform_16": 16, "uniform_32": 32, "uniform_64": 64}
SPACE_AWARE: dict[FrameSet, int] = {"space_aware_8": 8, "space_aware_16": 16, "space_aware_32": 32}
ALL: Literal["all"] = "all"
FRAME_SET_NAMES: tuple[FrameSet, ...] = (*UNIFORM, *SPACE_AWARE, ALL)
"""Sets of frames that models are shown, by name; those that have a number of frames with it."""


@dataclass(frozen=True)
class View:
    """One frame's camera."""

    frame: str
    position: int
    image: str | None
    width: int
    height: int
    intrinsics: Float
    camera_to_world: Float

    @property
    def world_to_camera(self) -> Float:
        """The inverse of `camera_to_world`.

        Returns
        -------
        (4, 4) : translation in meters, OpenCV axes.
        """
        return rigid_inverse(self.camera_to_world)


def views(frames: pl.DataFrame, among: Collection[str] | None = None) -> dict[str, View]:
    """By the frame's name, in the order of the sequence; of those named alone, where any are."""
    if among is not None:
        frames = frames.filter(pl.col("frame").is_in(list(among)))
    return {
        row["frame"]: View(
            row["frame"],
            row["position"],
            row["image"],
            row["width"],
            row["height"],
            np.array(row["intrinsics"]).reshape(3, 3),
            np.array(row["camera_to_world"]).reshape(4, 4),
        )
        for row in frames.sort("position").iter_rows(named=True)
    }


def selections(keyframes: pl.DataFrame) -> dict[str, list[str]]:
    """Frames of each set, in order."""
    ordered = keyframes.sort("set", "position")
    return {
        name: group["frame"].to_list() for (name,), group in ordered.group_by(["set"], maintain_order=True)
    }
