"""ScanNet++ scenes: a laser scan with several labels to a vertex, and the frames of an iPhone or of a DSLR.

    <root>/[data/]<10 hexadecimal digits>/
        scans/mesh_aligned_0.05.ply  segments.json  segments_anno.json
        iphone/  dslr/              (see `scannetpp_frames`); an iPhone's video as it is, or its frames extracted
    <root>/splits/*.txt             lists of the scenes of a split, where they are there

Meters, z up. An iPhone's `aligned_pose` is camera-to-world in the mesh's frame, with OpenCV axes; its `intrinsic`, for
images of 1920 x 1440, counts pixel centers at integers. The DSLR's matrices are as nerfstudio has them: OpenGL axes in
a world turned from the mesh's, which is undone; their principal point counts pixel corners. Its fisheye images are
shown rectified where they are not undistorted. Of objects that share vertices, a face belongs to the smallest; boxes
are of all vertices that an object has.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, Field

from spatial_assets.readers import (
    cameras,
    consistency,
    files,
    scannetpp_frames,
    scannetpp_recording,
    segments,
    splits,
)
from spatial_assets.readers.ply import read_ply
from spatial_assets.readers.scannetpp_frames import AUTO, DSLR, IPHONE, RECORDED, sources
from spatial_assets.scene import parameters as base
from spatial_assets.scene.model import Fact, Float, Frame, InputError, Scene
from spatial_assets.scene.refs import SceneRef, SourceFile

RELEASE = "v2"
LICENSE = "ScanNet++ Terms of Use (non-commercial)"
HEAVY = False
FACTS = frozenset(
    {
        Fact.IMAGES, Fact.POSES, Fact.SEQUENCE, Fact.MESH, Fact.OBJECTS, Fact.SURFACES, Fact.VISIBILITY,
        Fact.AMODAL, Fact.OVERLAP,
    }
)  # fmt: skip
SCENE_NAME = re.compile(r"[0-9a-f]{10}$", re.ASCII)
FOLDERS = ("data", "")
"""Where a root may keep its scene folders."""
SPLITS = splits.named(r"(?:[a-z0-9]+_)*{split}(?:_[a-z0-9]+)*\.txt", ("splits",), SCENE_NAME)
"""`nvs_sem_train.txt`, `nvs_test.txt`, `sem_test.txt`, ...: what a list is for stands around its split."""
KINDS = {
    "video": "rgb of the iphone",
    "recording": "frames of the iphone's video",
    "undistorted": "undistorted images of the dslr",
    "fisheye": "fisheye images of the dslr, shown rectified to a pinhole camera's",
    "colmap": "fisheye images of the dslr with COLMAP's cameras, shown rectified to a pinhole camera's",
}
"""What a scene says of its frames."""


class Parameters(base.Parameters):
    """Whose frames are taken, and what other programs may have written in another way."""

    device: Literal["auto", "iphone", "dslr"] = Field(
        "auto",
        description="whose frames; auto takes the iPhone's, extracted or in its video, else the DSLR's images, "
        "undistorted ones rather than the fisheye's",
    )
    pose_convention: cameras.Convention = Field(cameras.AS_DOCUMENTED, description=cameras.CONVENTION_HELP)


def _look(root: Path) -> files.Found:
    return files.scene_folders(root, FOLDERS, SCENE_NAME)


def find_scenes(root: Path) -> list[SceneRef]:
    return _look(root).scenes


def left_out(root: Path) -> list[InputError]:
    return _look(root).left_out


def _fixed_files(ref: SceneRef) -> dict[str, str]:
    scans = f"{ref.path}/scans"
    return {
        "mesh": f"{scans}/mesh_aligned_0.05.ply",
        "segments": f"{scans}/segments.json",
        "aggregation": f"{scans}/segments_anno.json",
    }


def source_files(root: Path, ref: SceneRef) -> list[SourceFile]:
    """Those of both devices, since a setting decides which is read."""
    found = files.all_there(root, [SourceFile(path, role) for role, path in _fixed_files(ref).items()])
    scannetpp_frames.source(root, ref.path, AUTO)
    for name in (IPHONE, DSLR):
        held = next((item for item in sources(ref.path, name) if item.is_there(root)), None)
        if held is not None:
            found.append(SourceFile(held.poses, "pose"))
            found += files.all_there(root, [SourceFile(path, "camera") for path in held.more])
            is_recorded = held.kind == RECORDED
            found += [
                SourceFile(path, "video" if is_recorded else "image") for path in held.files(root).values()
            ]
            if name == IPHONE:
                listed = scannetpp_recording.depth_files(root, f"{ref.path}/{IPHONE}", is_recorded)
                found += [SourceFile(path, "depth") for path in listed]
    return found + SPLITS.files(root)


def _check_not_hanging(path: str, poses: Float) -> None:
    """Raises InputError where a DSLR's poses (N, 4, 4) hang upside down: nobody holds one so through a whole scene, and
    matrices that were turned to the mesh's world already look so."""
    up = -float(poses[:, 2, 1].mean())
    if up < consistency.UPSIDE_DOWN:
        raise InputError(
            path, f"cameras stand {up:.2f} upright (1 is level): their matrices are of another world than nerfstudio's",
            "contradiction",
        )  # fmt: skip


def read_scene(root: Path, ref: SceneRef, release: str, license: str, parameters: BaseModel) -> Scene:
    assert isinstance(parameters, Parameters)
    fixed = _fixed_files(ref)
    split = SPLITS.split_of(root, ref.name)
    mesh = read_ply(root, fixed["mesh"])
    annotated = segments.read_annotated(root, fixed["segments"], fixed["aggregation"], len(mesh.vertices))
    device = scannetpp_frames.source(root, ref.path, parameters.device)
    frames, dropped = scannetpp_frames.read_frames(root, device)
    raw = np.stack([frame.camera_to_world for frame in frames])
    consistency.check_not_all_same(device.poses, raw)
    reading = cameras.PoseReading(parameters.pose_convention)
    is_video = device.device == IPHONE
    frames, raw, away = consistency.in_the_scene(device.poses, frames, raw, reading, mesh, is_video)
    dropped |= away
    check_note = consistency.check_against_mesh(
        root, device.poses, frames, raw, reading, mesh, np.array([0.0, 0, 1])
    )
    if not is_video and parameters.pose_convention == cameras.AS_DOCUMENTED:
        _check_not_hanging(device.poses, reading.apply(raw))
    if is_video:
        depth_note = scannetpp_recording.check_depth(
            root,
            f"{ref.path}/{IPHONE}",
            device.kind == RECORDED,
            device.poses,
            frames,
            reading.apply(raw),
            mesh,
        )
        check_note += "" if depth_note is None else f"; {depth_note}"
    instances = annotated.instances(mesh, whole=True)
    return Scene(
        dataset="scannetpp",
        release=release,
        name=ref.name,
        license=license,
        facts=FACTS if is_video else FACTS - {Fact.SEQUENCE},
        frames=tuple(
            Frame(frame.name, frame.camera, pose, None, frame.image)
            for frame, pose in zip(frames, reading.apply(raw), strict=True)
        ),
        instances=tuple(instances),
        mesh=mesh,
        face_instance=segments.face_labels(mesh.faces, annotated.owners),
        conventions={
            "frames": KINDS[device.kind],
            "pixel_centers": "integers on disk, +0.5 added"
            if is_video
            else "at integers + 0.5 on disk: as here",
            "objects_without_vertices": str(len(annotated.labels) - len(instances)),
            "consistency": check_note,
        },
        dropped_frames=dropped,
        split=split,
    )
