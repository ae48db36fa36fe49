"""ScanNet++ scenes as they are downloaded: an iPhone's frames in rgb.mkv, its depth in depth.bin, nothing extracted.

Register them as `scannetpp`. Depth is in millimeters, a block of LZ4 for each frame, or, for every other scene, in
meters, all frames in one deflate stream: the dataset has both. PyAV and lz4 are needed.
"""

from __future__ import annotations

import shutil
import struct
import zlib
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from spatial_assets.studio.files import PROGRAM, Progress, Scanner
from spatial_assets.studio.layouts import scannetpp
from spatial_assets.studio.layouts.base import Written
from spatial_assets.studio.scene import StudioScene

IMAGES = True
SHARED = None
RATE = 60
"""Frames a second."""
KEYFRAME_EVERY = 12
QUALITY = "14"
"""x264's, at which losses are hardly seen."""
DEPTH_SIZE = (256, 192)
RAW_DEFLATE = -15
"""zlib's number for a stream without a header."""
MILLIMETERS = 1000.0


def write_scene(out: Path, index: int, scene: StudioScene, scanner: Scanner, progress: Progress) -> Written:
    """A ScanNet++ scene without its DSLR, whose video is not extracted."""

    def record(folder: Path, scene: StudioScene, depths: Path) -> None:
        iphone = folder / "iphone"
        count = len(scene.poses)
        _write_video(iphone / "rgb.mkv", sorted((iphone / "rgb").iterdir()))
        frames = (_depth(depths / f"{k}.png") for k in range(count))
        (_write_stream if index % 2 else _write_blocks)(iphone / "depth.bin", frames)
        shutil.rmtree(iphone / "rgb")
        shutil.rmtree(folder / "dslr")

    return scannetpp.write_scan(out, index, scene, scanner, progress, record)


def _write_video(path: Path, pictures: list[Path]) -> None:
    """The same pictures give the same bytes: nothing of the machine or the time is written."""
    import av

    ways = av.video.reformatter.Interpolation
    way = ways.BILINEAR | ways.ACCURATE_RND | ways.BITEXACT
    with av.open(str(path), "w", format="matroska", options={"fflags": "+bitexact"}) as container:
        container.metadata["comment"] = PROGRAM
        width, height = Image.open(pictures[0]).size
        options = {"crf": QUALITY, "preset": "veryfast", "threads": "1", "sc_threshold": "0"}
        # What x264 makes of frames ahead is not always the same.
        options["rc-lookahead"] = "0"
        stream = container.add_stream("libx264", rate=RATE, options=options)
        stream.width, stream.height = width, height
        # Half as many colors as pixels need sides that are even.
        stream.pix_fmt = "yuv420p" if width % 2 == height % 2 == 0 else "yuv444p"
        stream.gop_size = KEYFRAME_EVERY
        stream.time_base = Fraction(1, RATE)
        for k, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(np.asarray(Image.open(picture)), format="rgb24")
            frame = frame.reformat(format=stream.pix_fmt, interpolation=way, threads=1)
            frame.pts, frame.time_base = k, Fraction(1, RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _depth(path: Path) -> NDArray[np.uint16]:
    """Millimeters (192, 256) of a depth image of another size, of whose pixels the nearest is taken."""
    depth = np.asarray(Image.open(path))
    rows, columns = (
        ((np.arange(count) + 0.5) * side / count).astype(np.int64)
        for count, side in zip(DEPTH_SIZE[::-1], depth.shape, strict=True)
    )
    return depth[np.ix_(rows, columns)].astype("<u2")


def _write_blocks(path: Path, frames: Iterator[NDArray[np.uint16]]) -> None:
    from lz4 import block

    with path.open("wb") as file:
        for depth in frames:
            blob = block.compress(depth.tobytes(), store_size=False)
            file.write(struct.pack("<I", len(blob)) + blob)


def _write_stream(path: Path, frames: Iterator[NDArray[np.uint16]]) -> None:
    deflating = zlib.compressobj(wbits=RAW_DEFLATE)
    with path.open("wb") as file:
        for depth in frames:
            file.write(deflating.compress((depth / MILLIMETERS).astype("<f4").tobytes()))
        file.write(deflating.flush())
