"""One scene in every layout that carries a mesh is one scene: the same boxes, poses and visible pixels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from lakes import build, register, rows
from small_scenes import READ_AS

from spatial_assets.readers.registry import READERS, reader
from spatial_assets.scene.model import Fact
from spatial_assets.studio.layouts.registry import LAYOUTS
from spatial_assets.studio.write import write_scenes

FACES, FRAMES, SIZE = 6000, 10, (160, 120)
STAGES = ("sources", "scenes", "keyframes", "visibility")
EVERY_FRAME = {"keyframes": {"filter": False}}
MILLIMETER = 1e-3
SOME_OBJECTS = {"arkitscenes", "arkitscenes_raw"}
"""They annotate furniture alone, and their meshes have no labels: faces are given by boxes, near enough."""
OWN_CAMERAS = {"matterport3d"}
"""Panoramas on a tripod, not the other layouts' walk."""
OWN_LENSES = {"scannetpp_fisheye"}
"""Rectified images see less than a pinhole's, and some frames are marked as bad."""
OWN_WORLD = SOME_OBJECTS
"""Their world begins where the recording does."""
LEAST_OBJECTS = 5
CLOSE = 0.02
"""Of an object's visible pixels: vertices are stored with fewer digits in some layouts, and pixels at edges flip."""
FEW = 6
"""Pixels by which a thing that is hardly seen may differ beside that."""
RANGE = 0.25
"""The same where faces are given by boxes, of all objects together."""


def meshed() -> list[str]:
    """Layouts whose readers give labeled meshes with poses."""
    found = []
    for layout in LAYOUTS:
        name = READ_AS.get(layout, layout)
        if name in READERS and {Fact.SURFACES, Fact.POSES} <= reader(name).FACTS:
            found.append(layout)
    return found


@dataclass(frozen=True)
class Read:
    boxes: np.ndarray
    """(O, 6), centers and sizes, in the order of `places`."""
    poses: np.ndarray
    """(F, 4, 4), in the frames' order."""
    visible: np.ndarray
    """(F, O)."""


def read(folder: Path, layout: str) -> Read:
    root, home = folder / "data", folder / "home"
    write_scenes(root, layout, 1, 9, FACES, FRAMES, SIZE)
    register(home, READ_AS.get(layout, layout), root)
    build(home, stages=STAGES, **EVERY_FRAME)
    frames = rows(home, "frames").sort("position")
    objects = rows(home, "objects")
    boxes = np.concatenate([np.stack(objects[name].to_list()) for name in ("center", "size")], axis=1)
    order = np.lexsort(np.round(boxes[:, ::-1], 2).T)
    seen = rows(home, "visibility")
    visible = np.zeros((len(frames), len(objects)))
    of_frame = {name: place for place, name in enumerate(frames["frame"])}
    of_object = {instance: place for place, instance in enumerate(objects["instance"].gather(order))}
    for frame, instance, count in seen.select("frame", "instance", pl.col("visible_px")).iter_rows():
        if count is not None and instance in of_object:
            visible[of_frame[frame], of_object[instance]] = count
    poses = np.array(frames["camera_to_world"].to_list()).reshape(-1, 4, 4)
    return Read(boxes[order], poses, visible)


@pytest.fixture(scope="module")
def scannet(tmp_path_factory: pytest.TempPathFactory) -> Read:
    return read(tmp_path_factory.mktemp("scannet"), "scannet")


def test_there_are_several() -> None:
    assert {"scannet", "scannet_sens", "scannetpp", "arkitscenes"} <= set(meshed())


@pytest.mark.every(2)
@pytest.mark.parametrize("layout", sorted(set(meshed()) - {"scannet"}))
def test_every_layout_says_the_same(layout: str, scannet: Read, tmp_path: Path) -> None:
    found = read(tmp_path, layout)
    if layout in OWN_WORLD:
        found = moved(found, scannet.poses)
    # Some annotate furniture alone.
    gaps = np.linalg.norm(found.boxes[:, None, :3] - scannet.boxes[None, :, :3], axis=2)
    same = gaps.argmin(axis=1)
    assert len(set(same.tolist())) == len(found.boxes) >= LEAST_OBJECTS
    assert len(found.boxes) == len(scannet.boxes) or layout in SOME_OBJECTS
    np.testing.assert_allclose(found.boxes[:, :3], scannet.boxes[same, :3], atol=MILLIMETER)
    # Which horizontal side comes first depends on how the world lies.
    np.testing.assert_allclose(sides(found.boxes), sides(scannet.boxes[same]), atol=MILLIMETER)
    if layout in OWN_CAMERAS:
        return
    own, others = upright(found.poses), upright(scannet.poses)
    if layout in OWN_LENSES:
        which = np.abs(own[:, None] - others[None]).max(axis=2).argmin(axis=1)
        assert len(set(which.tolist())) == len(own) >= len(others) / 2
        np.testing.assert_allclose(own, others[which], atol=1e-6)
        return
    np.testing.assert_allclose(own, others, atol=1e-6)
    differences = np.abs(found.visible - scannet.visible[:, same])
    seen = scannet.visible[:, same]
    assert seen.sum() > 2000
    if layout in SOME_OBJECTS:
        assert differences.sum() <= RANGE * seen.sum()
    else:
        assert (differences <= CLOSE * seen + FEW).all()


def moved(found: Read, poses: np.ndarray) -> Read:
    """In another world, by the turn about the vertical and the shift that take the cameras to those given."""
    own, other = found.poses[:, :3, 3], poses[:, :3, 3]
    a, b = own - own.mean(axis=0), other - other.mean(axis=0)
    yaw = np.angle(((a[:, 0] - 1j * a[:, 1]) * (b[:, 0] + 1j * b[:, 1])).sum())
    motion = np.eye(4)
    motion[:2, :2] = [[np.cos(yaw), -np.sin(yaw)], [np.sin(yaw), np.cos(yaw)]]
    motion[:3, 3] = other.mean(axis=0) - motion[:3, :3] @ own.mean(axis=0)
    boxes = found.boxes.copy()
    boxes[:, :3] = boxes[:, :3] @ motion[:3, :3].T + motion[:3, 3]
    return Read(boxes, motion @ found.poses, found.visible)


def sides(boxes: np.ndarray) -> np.ndarray:
    return np.concatenate([np.sort(boxes[:, 3:5], axis=1), boxes[:, 5:]], axis=1)


def upright(poses: np.ndarray) -> np.ndarray:
    """Where cameras stand and look: an image that is shown turned has its camera turned about the line of sight."""
    return np.concatenate([poses[:, :3, 3], poses[:, :3, 2]], axis=1)
