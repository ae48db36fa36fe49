"""The part of a SPAR tree for depth: depth images, poses, intrinsics and lists of a video's frames.

<scene>/image_depth/<frame>.png, video_depth/frame<k>_<frame>.png    16 bits, millimeters, 0 = none
<scene>/pose/<frame>.txt, video_pose/frame<k>_<frame>.txt            4x4, camera to world; meters
<scene>/intrinsic/intrinsic_color.txt                                4x4, pixel centers at integers, as ScanNet's
<scene>/intrinsic/<frame>.txt                                        the same, of frames with other intrinsics
<scene>/video_idx.txt                                                a video's frames, one a line
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from spatial_assets.exports.core.base import ImageMode, Question, Shot
from spatial_assets.exports.core.image_store import link_text
from spatial_assets.exports.spar import layout
from spatial_assets.exports.spar.tree import Tree
from spatial_assets.media.image_files import ImageFile
from spatial_assets.scene.model import InputError
from spatial_assets.storage.atomic import naming
from spatial_assets.storage.instance_images import ImageArchive, gray16_png

PLACES = Path(__file__).with_name("depth.json")
CENTER = 0.5
"""Pixels between two ways to say where a pixel is: SPAR's intrinsics are ScanNet's, for centers at integers."""
GREATEST = 0xFFFF
SAME = 1e-9
"""Pixels by which intrinsics that are the same may differ."""


@cache
def _places() -> Mapping[str, Mapping[str, Any]]:
    found: dict[str, Any] = json.loads(PLACES.read_text(encoding="utf-8"))
    del found["about"]
    return found


class Cameras:
    """Writes, beside a question's images, what is known of the cameras that took them; each file once."""

    def __init__(self, tree: Tree, mode: ImageMode) -> None:
        self.tree, self.mode = tree, mode
        self._depths: dict[str, bool] = {}
        """Whether there is one, by where it goes."""
        self._written: set[str] = set()
        self._intrinsics: dict[str, tuple[float, ...]] = {}
        """The first ones, by the scene's folder: one of the tasks has its images in a folder of its own."""
        self._videos: set[str] = set()

    def placed(self, question: Question) -> list[str]:
        """Paths of the depth images below the dataset's images; none unless all of the question's have one."""
        row = question.row
        images = self.tree.images(row)
        kind = layout.kind(question.shots)
        for shot in question.shots:
            self._camera(row["scene"], images, shot, kind)
        scene = f"{images}/{layout.safe(row['scene'])}"
        if kind == layout.VIDEO and scene not in self._videos:
            self._videos.add(scene)
            lines = "".join(f"{shot.frame}\n" for shot in question.shots)
            _write(self.tree.out / scene / "video_idx.txt", lines.encode())
        paths = [layout.depth_path(row["scene"], shot, kind) for shot in question.shots]
        there = [
            self._depth(row["dataset"], shot, f"{images}/{path}")
            for shot, path in zip(question.shots, paths, strict=True)
        ]
        return paths if all(there) else []

    def _camera(self, name: str, images: str, shot: Shot, kind: str) -> None:
        pose = f"{images}/{layout.pose_path(name, shot, kind)}"
        if not shot.camera_to_world or pose in self._written:
            return
        self._written.add(pose)
        _write(self.tree.out / pose, _matrix(np.reshape(shot.camera_to_world, (4, 4))))
        scene = f"{images}/{layout.safe(name)}"
        folder = self.tree.out / scene / "intrinsic"
        known = self._intrinsics.get(scene)
        if known is None:
            self._intrinsics[scene] = shot.intrinsics
            _write(folder / "intrinsic_color.txt", _intrinsics(shot.intrinsics))
        elif not np.allclose(known, shot.intrinsics, rtol=0, atol=SAME):
            _write(folder / f"{layout.safe(shot.frame)}.txt", _intrinsics(shot.intrinsics))

    def _depth(self, dataset: str, shot: Shot, path: str) -> bool:
        if path not in self._depths:
            target = self.tree.out / path
            self._depths[path] = _of_the_lake(shot, target) or self._of_the_source(dataset, shot, target)
        return self._depths[path]

    def _of_the_source(self, dataset: str, shot: Shot, target: Path) -> bool:
        place = _places().get(dataset)
        if place is None or shot.image is None or shot.root is None:
            return False
        held = ImageFile.of(shot.image)
        found = re.fullmatch(place["color"], held.path)
        if found is None or held.length is not None or held.lens is not None:
            return False
        source = shot.root / place["depth"].format(*(found[0], *found.groups()))
        if not source.is_file():
            return False
        if held.turns == 0 and place["step"] == 1 and source.suffix == ".png":
            target.parent.mkdir(parents=True, exist_ok=True)
            with naming(target):
                if self.mode == ImageMode.LINK:
                    target.symlink_to(link_text(source, target))
                else:
                    shutil.copyfile(source, target)
            return True
        values = np.rot90(_values(source) * place["step"], -held.turns)
        if values.max(initial=0) > GREATEST:
            raise InputError(source, f"depth beyond {GREATEST} millimeters", "unreadable_image")
        _write(target, gray16_png(np.ascontiguousarray(np.rint(values))))
        return True


def _of_the_lake(shot: Shot, target: Path) -> bool:
    if shot.depths is None:
        return False
    try:
        with ImageArchive(shot.depths) as archive:
            if shot.frame not in archive.frames:
                return False
            _write(target, archive.png(shot.frame))
    except ValueError as error:
        raise InputError(shot.depths, str(error), "unreadable_image") from None
    return True


def _values(source: Path) -> np.ndarray[Any, np.dtype[np.float64]]:
    try:
        with Image.open(source) as image:
            if not image.mode.startswith("I"):
                raise InputError(
                    source, f"no depth image of 16 bits: its mode is {image.mode}", "unreadable_image"
                )
            return np.asarray(image).astype(np.float64)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise InputError(source, "cannot be read as an image", "unreadable_image") from None


def _intrinsics(values: tuple[float, ...]) -> bytes:
    matrix = np.eye(4)
    matrix[:3, :3] = np.reshape(values, (3, 3))
    matrix[:2, 2] -= CENTER
    return _matrix(matrix)


def _matrix(matrix: np.ndarray[Any, Any]) -> bytes:
    """Rows of numbers, as exact as they are known."""
    return "".join(" ".join(repr(float(value)) for value in row) + "\n" for row in matrix).encode()


def _write(path: Path, data: bytes) -> None:
    with naming(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
