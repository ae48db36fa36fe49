"""ScanNet++ scenes: a laser scan with several labels to a vertex, and the frames of an iPhone or of a DSLR.

    <root>/[data/]<10 hexadecimal digits>/
        scans/mesh_aligned_0.05.ply  segments.json  segments_anno.json
        iphone/pose_intrinsic_imu.json  rgb/frame_%06d.jpg                              extracted from rgb.mkv
        dslr/nerfstudio/transforms_undistorted.json  resized_undistorted_images/*.JPG

Meters, z up. An iPhone's `aligned_pose` is camera-to-world in the mesh's frame, with OpenCV axes; its `intrinsic`, for
images of 1920 x 1440, counts pixel centers at integers. The DSLR's matrices are as nerfstudio has them: OpenGL axes in
a world turned from the mesh's, which is undone; their principal point counts pixel corners. Fisheye images are not
read where they are not undistorted. Of objects that share vertices, a face belongs to the smallest; boxes are of all
vertices that an object has.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, Field

from spatial_assets.readers import cameras, consistency, files, images, labels, segments
from spatial_assets.readers.ply import read_ply
from spatial_assets.scene import parameters as base
from spatial_assets.scene.model import Camera, Fact, Float, Frame, InputError, Scene
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
IPHONE, DSLR, AUTO = "iphone", "dslr", "auto"
IPHONE_SIZE = (1920.0, 1440.0)
"""Of the images that an iPhone's intrinsics are for."""
FARTHEST_PIXEL = 1e5
"""Greatest number of a camera's calibration, in pixels, that is believed."""
OWN_AXES = np.array([[0.0, 1, 0, 0], [1, 0, 0, 0], [0, 0, -1, 0], [0, 0, 0, 1]])
"""From nerfstudio's world to the mesh's: x and y change places, z points the other way; it is its own inverse."""


class Parameters(base.Parameters):
    """Whose frames are taken, and what other programs may have written in another way."""

    device: Literal["auto", "iphone", "dslr"] = Field(
        "auto",
        description="whose frames; auto takes the iPhone's video where it is extracted, else the DSLR's images",
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


class Device:
    """The frames of one of the cameras."""

    def __init__(self, root: Path, ref: SceneRef, name: str) -> None:
        self.root, self.name = root, name
        self.poses, self.folder = {
            IPHONE: (f"{ref.path}/iphone/pose_intrinsic_imu.json", f"{ref.path}/iphone/rgb"),
            DSLR: (
                f"{ref.path}/dslr/nerfstudio/transforms_undistorted.json",
                f"{ref.path}/dslr/resized_undistorted_images",
            ),
        }[name]

    def shown(self) -> dict[str, str]:
        """Images by name."""
        return files.by_stem(self.root, self.folder, images.COLOR_ENDINGS)

    def is_there(self) -> bool:
        return (self.root / self.poses).is_file() and bool(self.shown())


def _device(root: Path, ref: SceneRef, wanted: str) -> Device:
    """Raises InputError where there are no frames of it, saying what is there instead."""
    names = (IPHONE, DSLR) if wanted == AUTO else (wanted,)
    for name in names:
        device = Device(root, ref, name)
        if device.is_there():
            return device
    told = [
        f"{device.poses} with images in {device.folder}" for device in (Device(root, ref, n) for n in names)
    ]
    hint = ""
    if IPHONE in names and (root / ref.path / "iphone" / "rgb.mkv").is_file():
        hint = "; iphone/rgb.mkv is there, extract its frames to iphone/rgb/frame_%06d.jpg"
    raise InputError(ref.path, f"no frames: no {' and no '.join(told)}{hint}", "no_frames")


def source_files(root: Path, ref: SceneRef) -> list[SourceFile]:
    """Those of both devices, since a setting decides which is read."""
    found = files.all_there(root, [SourceFile(path, role) for role, path in _fixed_files(ref).items()])
    _device(root, ref, AUTO)
    for name in (IPHONE, DSLR):
        device = Device(root, ref, name)
        if device.is_there():
            found.append(SourceFile(device.poses, "pose"))
            found += [SourceFile(path, "image") for path in device.shown().values()]
    return found


def read_scene(root: Path, ref: SceneRef, release: str, license: str, parameters: BaseModel) -> Scene:
    assert isinstance(parameters, Parameters)
    fixed = _fixed_files(ref)
    mesh = read_ply(root, fixed["mesh"])
    annotated = segments.read_annotated(root, fixed["segments"], fixed["aggregation"], len(mesh.vertices))
    device = _device(root, ref, parameters.device)
    frames, dropped = _read_frames(device)
    raw = np.stack([frame.camera_to_world for frame in frames])
    consistency.check_not_all_same(device.poses, raw)
    reading = cameras.PoseReading(parameters.pose_convention)
    is_video = device.name == IPHONE
    frames, raw, away = consistency.in_the_scene(device.poses, frames, raw, reading, mesh, is_video)
    dropped |= away
    check_note = consistency.check_against_mesh(
        root, device.poses, frames, raw, reading, mesh, np.array([0.0, 0, 1])
    )
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
            "frames": f"of the {device.name}",
            "pixel_centers": "integers on disk, +0.5 added"
            if device.name == IPHONE
            else "as nerfstudio has them",
            "objects_without_vertices": str(len(annotated.labels) - len(instances)),
            "consistency": check_note,
        },
        dropped_frames=dropped,
    )


def _read_frames(device: Device) -> tuple[list[Frame], dict[str, int]]:
    """Frames with their poses as documented, and how many were left out for what."""
    shown = device.shown()
    content = labels.entry(device.poses, files.read_json(device.root, device.poses), "the file")
    listed = _iphone(device, content) if device.name == IPHONE else _dslr(device, content)
    frames: list[Frame] = []
    dropped = {"lost_pose": 0, "no_image": 0}
    named: set[str] = set()
    for name, intrinsics, calibrated, matrix in listed:
        if name in named:
            raise InputError(device.poses, f"two frames are named {labels.shown(name)}", "contradiction")
        named.add(name)
        pose = None if matrix is None or cameras.is_lost(matrix) else matrix
        if name not in shown:
            dropped["no_image"] += 1
        elif pose is None:
            dropped["lost_pose"] += 1
        else:
            size = images.image_size(device.root, shown[name])
            scaled = (
                intrinsics
                if size == calibrated
                else cameras.scale_to(device.poses, intrinsics, calibrated, size)
            )
            camera = Camera(cameras.check_intrinsics(device.poses, scaled, *size), *size)
            rigid = cameras.check_pose(device.poses, pose, f"the pose of {name}")
            frames.append(Frame(name, camera, rigid, None, shown[name]))
    if not frames:
        raise InputError(device.poses, f"no frame has a pose and an image in {device.folder}", "no_frames")
    return sorted(frames, key=lambda frame: files.natural_key(frame.name)), dropped


Listed = Iterator[tuple[str, Float, tuple[float, float], Float | None]]
"""Name, intrinsics (3, 3) with pixel corners at integers, the size that they are for, and pose (4, 4) or None."""


def _iphone(device: Device, content: dict[str, Any]) -> Listed:
    for name, value in content.items():
        where = labels.shown(name)
        held = labels.entry(device.poses, value, where)
        if "intrinsic" not in held:
            raise InputError(device.poses, f"{where} lacks its intrinsic", "malformed_file")
        numbers = labels.numbers(device.poses, held["intrinsic"], 9, f"intrinsic of {where}", FARTHEST_PIXEL)
        matrix = cameras.check_matrix(device.poses, numbers)
        matrix[:2, 2] += cameras.PIXEL_CENTER_SHIFT
        yield (
            name,
            matrix,
            IPHONE_SIZE,
            _pose(device.poses, held.get("aligned_pose"), f"aligned_pose of {where}"),
        )


def _dslr(device: Device, content: dict[str, Any]) -> Listed:
    values = [
        labels.number(device.poses, content.get(key), key, FARTHEST_PIXEL)
        for key in ("fl_x", "fl_y", "cx", "cy", "w", "h")
    ]
    fx, fy, cx, cy, width, height = values
    if min(width, height) < 1:
        raise InputError(device.poses, f"calibrated for images of {width:g} x {height:g}", "contradiction")
    model = content.get("camera_model", "PINHOLE")
    if model not in ("PINHOLE", "OPENCV") or any(
        content.get(key) for key in ("k1", "k2", "k3", "k4", "p1", "p2")
    ):
        raise InputError(
            device.poses, f"{labels.shown(model)} with distortion, not undistorted images", "distorted"
        )
    matrix = np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]])
    for key in ("frames", "test_frames"):
        entries = content.get(key, [])
        if not isinstance(entries, list):
            raise InputError(device.poses, f"{key} is {labels.shown(entries)}, not a list", "malformed_file")
        for number, value in enumerate(entries):
            where = f"{key}[{number}]"
            held = labels.entry(device.poses, value, where)
            path = held.get("file_path")
            if not isinstance(path, str):
                raise InputError(device.poses, f"{where} lacks its file_path", "malformed_file")
            pose = _pose(device.poses, held.get("transform_matrix"), f"transform_matrix of {where}")
            yield Path(path).stem, matrix, (width, height), None if pose is None else _from_nerfstudio(pose)


def _pose(path: str, value: Any, what: str) -> Float | None:
    """A matrix (4, 4); None for one that is not given, or lost."""
    if value is None:
        return None
    flat = np.asarray(value, dtype=object).ravel().tolist() if isinstance(value, list) else value
    if isinstance(flat, list) and any(isinstance(item, float) and not np.isfinite(item) for item in flat):
        return None
    return labels.numbers(path, value, 16, what, cameras.FARTHEST).reshape(4, 4)


def _from_nerfstudio(matrix: Float) -> Float:
    """Camera-to-world with OpenCV axes in the mesh's frame, from OpenGL axes in the frame that the toolkit turns to."""
    pose: Float = OWN_AXES @ matrix
    pose[:3, 1:3] *= -1
    return pose
