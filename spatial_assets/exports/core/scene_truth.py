"""What the lake knows of a scene, as checks of its questions look it up: objects, and what each frame shows of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from spatial_assets.scene import tables
from spatial_assets.storage import instance_images
from spatial_assets.storage.lake import Lake


@dataclass(frozen=True)
class Thing:
    names: tuple[str, ...]
    """Its category, and the source's own word for it."""
    center: NDArray[np.float64]
    """Of its box, meters, world."""
    size: tuple[float, ...] = ()
    """Of its box along its axes, meters."""
    rotation: tuple[float, ...] = ()
    """3x3 row-major; its columns are the box's axes in the world."""


@dataclass(frozen=True)
class Seen:
    """What a frame shows of an object."""

    pixels: int
    box: tuple[float, ...] | None
    """x0, y0, x1, y1 of its visible pixels, pixel edges."""
    occlusion: float | None = None
    """Share of the pixels that it would cover alone which something hides."""
    truncation: float | None = None
    """Share of its surface outside the image or behind the camera."""


@dataclass(frozen=True)
class Camera:
    width: int
    height: int
    intrinsics: NDArray[np.float64]
    """3x3."""
    pose: NDArray[np.float64]
    """4x4, camera to world, x right, y down, z forward."""


@dataclass(frozen=True)
class SceneTruth:
    """Empty where the scene is not registered or built any more."""

    things: Mapping[int, Thing] = field(default_factory=dict)
    cameras: Mapping[str, Camera] = field(default_factory=dict)
    seen: Mapping[str, Mapping[int, Seen]] = field(default_factory=dict)
    """By frame and instance."""
    instance_image: Callable[[str], NDArray[np.int32] | None] = lambda frame: None
    """(H, W) of a frame, the instance at each pixel; None where the lake has no such image."""


def instance_image(lake: Lake, shard: str, scene: str, frame: str) -> NDArray[np.int32] | None:
    """What a frame shows, pixel by pixel, (H, W), NO_INSTANCE = none; None where the lake has no such image."""
    path = lake.file_path(instance_images.KIND, shard, scene)
    if not path.exists():
        return None
    try:
        with instance_images.ImageArchive(path) as archive:
            return archive.instances(frame)
    except (KeyError, ValueError):
        return None


def scene_truth(
    lake: Lake, shard: str, scene: str, image: Callable[[str], NDArray[np.int32] | None]
) -> SceneTruth:
    """What the lake knows of a scene; `image` gives a frame's instance at each pixel, (H, W), or None."""
    objects = lake.read(tables.OBJECTS, shard, scene).select(
        "instance", "category", "label", "center", "size", "rotation"
    )
    frames = lake.read(tables.FRAMES, shard, scene).select(
        "frame", "width", "height", "intrinsics", "camera_to_world"
    )
    seen: dict[str, dict[int, Seen]] = {}
    visible = lake.read(tables.VISIBILITY, shard, scene).select(
        "frame", "instance", "visible_px", "box", "occlusion", "truncation"
    )
    for frame, instance, pixels, box, *shares in visible.iter_rows():
        if pixels > 0:
            seen.setdefault(frame, {})[instance] = Seen(pixels, None if box is None else tuple(box), *shares)
    return SceneTruth(
        {
            instance: Thing((category, label), np.array(center, np.float64), tuple(size), tuple(rotation))
            for instance, category, label, center, size, rotation in objects.iter_rows()
        },
        {
            frame: Camera(
                width,
                height,
                np.array(intrinsics, np.float64).reshape(3, 3),
                np.array(pose, np.float64).reshape(4, 4),
            )
            for frame, width, height, intrinsics, pose in frames.iter_rows()
        },
        seen,
        image,
    )
