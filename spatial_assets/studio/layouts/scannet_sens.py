"""ScanNet scans as they are downloaded: frames in a `.sens` recording, not exported.

Register them as `scannet`. The recording is that of ScanNet's own description: little-endian, matrices by rows, JPEG
colors, depths in millimeters of 16 bits deflated, no inertial sensor.
"""

from __future__ import annotations

import shutil
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

from spatial_assets.studio.files import Progress, Scanner
from spatial_assets.studio.layouts import scannet
from spatial_assets.studio.layouts.base import Written
from spatial_assets.studio.scene import StudioScene

IMAGES = True
SHARED = None
SENSOR = b"StructureSensor"
VERSION, JPEG, DEFLATED = 4, 2, 1
DEPTH_UNITS = 1000.0
"""To the meter."""
FRAME_MICROSECONDS = 33_333
MATRICES = ("intrinsic_color", "extrinsic_color", "intrinsic_depth", "extrinsic_depth")
EXPORTED = ("color", "depth", "pose", "intrinsic")


def write_scene(out: Path, index: int, scene: StudioScene, scanner: Scanner, progress: Progress) -> Written:
    """A ScanNet scan whose frames are in its recording."""
    return scannet.write_scan(out, index, scene, scanner, progress, _record)


def _record(folder: Path, name: str) -> None:
    """Puts exported frames into a recording, and removes them."""
    count = len(list((folder / "color").iterdir()))
    size = Image.open(folder / "color" / "0.jpg").size
    with (folder / f"{name}.sens").open("wb") as file:
        file.write(struct.pack("<IQ", VERSION, len(SENSOR)) + SENSOR)
        for matrix in MATRICES:
            file.write(_matrix(folder / "intrinsic" / f"{matrix}.txt"))
        file.write(struct.pack("<ii4IfQ", JPEG, DEFLATED, *size, *size, DEPTH_UNITS, count))
        for k in range(count):
            color = (folder / "color" / f"{k}.jpg").read_bytes()
            depth = zlib.compress(
                np.asarray(Image.open(folder / "depth" / f"{k}.png")).astype("<u2").tobytes()
            )
            times = (k * FRAME_MICROSECONDS,) * 2
            file.write(_matrix(folder / "pose" / f"{k}.txt"))
            file.write(struct.pack("<4Q", *times, len(color), len(depth)) + color + depth)
        file.write(struct.pack("<Q", 0))
    for part in EXPORTED:
        shutil.rmtree(folder / part)


def _matrix(path: Path) -> bytes:
    return np.loadtxt(path).astype("<f4").tobytes()
