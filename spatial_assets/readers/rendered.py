"""Views with images of instances, labels and depth in place of a mesh: pixels' rays, objects' labels, depth's sense."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from spatial_assets.readers.box_consistency import BOX_FEWEST, BOX_MARGIN, BoxTable
from spatial_assets.scene import nyu40
from spatial_assets.scene.model import NO_INSTANCE, Box, Camera, Float, Frame

LABEL_BITS = 16
"""Enough for whatever an image of labels can hold."""
KEPT_CAMERAS = 4
"""Whose rays are kept: most scenes have one, and views of one camera come one after the other."""
DEPTH_FITS = 0.7
"""Share of objects' pixels that depth must put into the objects' boxes. Rendered depth has nearly all; what is seen
through glass or by a mirror may miss."""
DEPTH_CLEARLY = 0.05
"""By how much another meaning of depth must put more of them there, to be the right one."""


def rays(camera: Camera, step: int = 1) -> Float:
    """(H, W, 3), through the centers of every n-th pixel, 1 along z; not to be written to."""
    return _rays(_exactly(camera.intrinsics), camera.width, camera.height, step)


def _exactly(intrinsics: Float) -> bytes:
    return np.ascontiguousarray(intrinsics, np.float64).tobytes()


@lru_cache(maxsize=KEPT_CAMERAS)
def _rays(intrinsics: bytes, width: int, height: int, step: int) -> Float:
    k = np.frombuffer(intrinsics).reshape(3, 3)
    u, v = np.meshgrid(np.arange(step // 2, width, step) + 0.5, np.arange(step // 2, height, step) + 0.5)
    y = (v - k[1, 2]) / k[1, 1]
    found = np.stack([(u - k[0, 2] - k[0, 1] * y) / k[0, 0], y, np.ones_like(u)], axis=-1)
    found.flags.writeable = False
    return found


def along_z(camera: Camera, step: int = 1) -> Float:
    """As `along_ray`, of a depth image along z: 1, whatever the image."""
    return np.ones(())


def along_ray(camera: Camera, step: int = 1) -> Float:
    """What an image (R, C) of distances along the ray, or every n-th row and column of it, is multiplied by to be
    along z: of that shape, and not to be written to.
    """
    return _along_ray(_exactly(camera.intrinsics), camera.width, camera.height, step)


@lru_cache(maxsize=KEPT_CAMERAS)
def _along_ray(intrinsics: bytes, width: int, height: int, step: int) -> Float:
    found: Float = 1.0 / np.linalg.norm(_rays(intrinsics, width, height, step), axis=-1)
    found.flags.writeable = False
    return found


@dataclass
class Labels:
    """How many pixels of each object carry each label, over all views."""

    counts: Counter[tuple[int, int]] = field(default_factory=Counter)

    def add(self, instances: NDArray[np.integer], semantics: NDArray[np.integer]) -> list[int]:
        """Counts one view, (H, W) each. Returns what its pixels show, ascending, NO_INSTANCE among it where there is
        any.
        """
        # Along the rows both change rarely: stretches of pixels are counted, of which there are far fewer.
        owners, names = instances.ravel(), semantics.ravel()
        changes = np.flatnonzero((owners[1:] != owners[:-1]) | (names[1:] != names[:-1])) + 1
        starts = np.concatenate([[0], changes])
        lengths = np.diff(starts, append=owners.size)
        owners, names = owners[starts].astype(np.int64), names[starts].astype(np.int64)
        width = max(nyu40.names()) + 1
        named = (owners != NO_INSTANCE) & (names >= 0) & (names < width)
        codes, places = np.unique(owners[named] * width + names[named], return_inverse=True)
        counts = np.bincount(places, lengths[named], len(codes))
        for code, count in zip(codes.tolist(), counts.tolist(), strict=True):
            instance, label = divmod(code, width)
            if label in nyu40.names():
                self.counts[instance, label] += int(count)
        shown: list[int] = np.unique(owners).tolist()
        return shown

    def of_instances(self) -> dict[int, str]:
        """The commonest label of each; of equally common ones the first in the list."""
        best: dict[int, str] = {}
        for (instance, label), _ in sorted(self.counts.items(), key=lambda item: (-item[1], item[0])):
            best.setdefault(instance, nyu40.names()[label])
        return best


class DepthInBoxes:
    """Whether depth images put objects' pixels into the objects' boxes, as distances along the ray and along z."""

    def __init__(self, boxes: Mapping[int, Box]) -> None:
        """By the object's id."""
        self.boxes = BoxTable(boxes)
        self.count = 0
        self.inside = {"the ray": 0, "z": 0}

    def add(self, frame: Frame, depth: Float, instances: NDArray[np.integer], step: int) -> None:
        """One view: of every n-th row and column, depth (R, C) as on disk, meters, 0 = none, and objects (R, C)."""
        used, places = self.boxes.of(instances, depth > 0)
        pose, directions = frame.camera_to_world, rays(frame.camera, step)[used]
        self.count += len(places)
        for name, z in {"the ray": depth * along_ray(frame.camera, step), "z": depth}.items():
            points = (directions * z[used][:, None]) @ pose[:3, :3].T + pose[:3, 3]
            away = np.abs(self.boxes.turned(points - self.boxes.centers[places], places))
            inside = away - self.boxes.halves[places] <= BOX_MARGIN
            self.inside[name] += int(inside.all(axis=1).sum())

    def result(self, documented: str) -> tuple[bool, str]:
        """Whether depth can be taken as `documented`, one of the readings, and what is to be said of it."""
        if self.count < BOX_FEWEST:
            return True, f"along {documented}, as documented: too few pixels of objects to tell"
        shares = {name: hits / self.count for name, hits in self.inside.items()}
        told = ", ".join(f"{share:.0%} if along {name}" for name, share in shares.items())
        said = f"of the objects' pixels lie in their boxes {told}"
        own = shares[documented]
        if own < DEPTH_FITS or max(shares.values()) > own + DEPTH_CLEARLY:
            return False, f"left out: {said}"
        return True, f"along {documented}: {said}"
