"""ARKitScenes' raw set: the streams of a video beside its mesh and boxes, images in full size beside small ones.

Register them as `arkitscenes`. Depth goes with the small images.
"""

from __future__ import annotations

from pathlib import Path

from spatial_assets.studio.files import Progress, Scanner
from spatial_assets.studio.layouts.arkitscenes import FIRST_VIDEO, Stream, write_video
from spatial_assets.studio.layouts.base import Written
from spatial_assets.studio.scene import StudioScene

IMAGES = True
SHARED = None
STREAMS = (Stream("wide"), Stream("lowres_wide", 0.5))


def write_scene(out: Path, index: int, scene: StudioScene, scanner: Scanner, progress: Progress) -> Written:
    """One video below `raw/Validation`."""
    target = out / "raw" / "Validation" / str(FIRST_VIDEO + index)
    return write_video(out, target, ".", index, scene, scanner, progress, STREAMS)
