"""ScanNet v2 scenes, as they are downloaded or with exported frames, and everything else in that layout.

    <root>/[scans/]scene%04d_%02d/
        <id>_vh_clean_2.ply, <id>_vh_clean_2.0.010000.segs.json, <id>.aggregation.json, <id>.txt
        and its frames, exported or in the recording (see `scannet_frames`)
    <root>/ScanQA_v1.0_train.json, ...               questions that people wrote (see `question_files`)
    <root>/scannetv2_train.txt, ..._val.txt, ..._test.txt, scannetv2-labels.combined.tsv    where they are there

Poses are camera-to-world in the unaligned mesh frame, with OpenCV axes; `axisAlignment` of the .txt
(absent in test scans) turns both into the aligned world. Depth images are not needed: there is a mesh.
"""

from __future__ import annotations

import difflib
import re
from pathlib import Path

import numpy as np
from pydantic import BaseModel, Field

from spatial_assets.readers import (
    cameras,
    consistency,
    files,
    label_map,
    question_files,
    scannet_frames,
    segments,
    splits,
)
from spatial_assets.readers.ply import read_ply
from spatial_assets.scene import parameters as base
from spatial_assets.scene.model import (
    Fact,
    Float,
    Frame,
    InputError,
    Mesh,
    Scene,
)
from spatial_assets.scene.refs import SceneRef, SourceFile

RELEASE = "v2"
LICENSE = "ScanNet Terms of Use (non-commercial)"
HEAVY = False
FACTS = frozenset(
    {
        Fact.IMAGES, Fact.POSES, Fact.SEQUENCE, Fact.MESH, Fact.OBJECTS, Fact.SURFACES, Fact.VISIBILITY,
        Fact.AMODAL, Fact.OVERLAP, Fact.QUESTIONS,
    }
)  # fmt: skip
SCENE_NAME = re.compile(r"(scene\d{4})_\d{2}$", re.ASCII)
"""A room is named by four digits and its scans by two more."""
FOLDERS = ("", "scans", "scans_test")
"""Where a root may keep its scene folders."""
SPLITS = splits.named(r"scannetv2_{split}\.txt", ("", "metadata", "Tasks/Benchmark"), SCENE_NAME)
"""The last folder is the toolkit's own."""
ALIKE_NAMES = 0.8
"""Likeness of a name to axisAlignment from which on it is that, misspelled: without one the scene would stand askew."""


class Parameters(base.Parameters):
    """What other exporters may have written in another way than the toolkit's."""

    pose_convention: cameras.Convention = Field(cameras.AS_DOCUMENTED, description=cameras.CONVENTION_HELP)
    pose_unit: float = Field(1.0, gt=0, description="meters in which poses are written")
    mesh_unit: float = Field(1.0, gt=0, description="meters in which the mesh is written")


def _look(root: Path) -> files.Found:
    return files.scene_folders(root, FOLDERS, SCENE_NAME)


def find_scenes(root: Path) -> list[SceneRef]:
    return _look(root).scenes


def place_of(scene: str) -> tuple[str, str]:
    found = SCENE_NAME.match(scene)
    return "scannet", found[1] if found else scene


def left_out(root: Path) -> list[InputError]:
    found = _look(root)
    return found.left_out + question_files.problems(root, {ref.name for ref in found.scenes})


def _fixed_files(ref: SceneRef) -> dict[str, str]:
    stem = f"{ref.path}/{ref.path.rsplit('/', 1)[-1]}"
    return {
        "mesh": f"{stem}_vh_clean_2.ply",
        "segments": f"{stem}_vh_clean_2.0.010000.segs.json",
        "aggregation": f"{stem}.aggregation.json",
        "metadata": f"{stem}.txt",
    }


def source_files(root: Path, ref: SceneRef) -> list[SourceFile]:
    found = files.all_there(root, [SourceFile(path, role) for role, path in _fixed_files(ref).items()])
    frames = scannet_frames.frames_of(root, ref, _fixed_files(ref)["metadata"], scannet_frames.read_metadata)
    path = label_map.place(root)
    mapped = [] if path is None else [SourceFile(path, label_map.ROLE)]
    quoted = question_files.source_files(root)
    return found + frames.files() + SPLITS.files(root) + mapped + quoted


def read_scene(root: Path, ref: SceneRef, release: str, license: str, parameters: BaseModel) -> Scene:
    assert isinstance(parameters, Parameters)
    fixed = _fixed_files(ref)
    metadata = scannet_frames.read_metadata(root, fixed["metadata"])
    alignment, alignment_note = _alignment(fixed["metadata"], metadata)
    split = SPLITS.split_of(root, ref.name)
    mesh = read_ply(root, fixed["mesh"], parameters.mesh_unit)
    annotated = segments.read_annotated(root, fixed["segments"], fixed["aggregation"], len(mesh.vertices))
    reading = cameras.PoseReading(parameters.pose_convention, parameters.pose_unit)
    found = scannet_frames.frames_of(root, ref, fixed["metadata"], scannet_frames.read_metadata)
    frames, raw, dropped, scale_note = scannet_frames.read_frames(found, reading.unit)
    frames, raw, away = consistency.in_the_scene(found.poses, frames, raw, reading, mesh, is_video=True)
    dropped |= away
    up = alignment[2, :3]
    check_note = consistency.check_against_mesh(root, found.poses, frames, raw, reading, mesh, up)
    frames = [
        Frame(frame.name, frame.camera, alignment @ pose, None, frame.image)
        for frame, pose in zip(frames, reading.apply(raw), strict=True)
    ]
    vertices = mesh.vertices.astype(np.float64) @ alignment[:3, :3].T + alignment[:3, 3]
    aligned = Mesh(vertices.astype(np.float32), mesh.faces, mesh.colors)
    map_path = label_map.place(root)
    classes = {} if map_path is None else label_map.read(root, map_path)
    instances = annotated.instances(aligned, whole=False, classes=classes)
    quoted = question_files.read_questions(root, ref.name)
    return Scene(
        dataset="scannet",
        release=release,
        name=ref.name,
        license=license,
        facts=FACTS if quoted.questions else FACTS - {Fact.QUESTIONS},
        frames=tuple(frames),
        instances=tuple(instances),
        mesh=aligned,
        face_instance=segments.face_labels(aligned.faces, annotated.owners),
        conventions={
            "alignment": alignment_note,
            "pixel_centers": "integers on disk, +0.5 added",
            "image_size": scale_note,
            "objects_without_vertices": str(len(annotated.labels) - len(instances)),
            "classes": label_map.note(map_path, classes, (item.label for item in instances)),
            "consistency": check_note,
        },
        dropped_frames=dropped,
        split=split,
        questions=quoted.questions,
        dropped_questions=quoted.dropped,
    )


def _alignment(path: str, metadata: dict[str, str]) -> tuple[Float, str]:
    if "axisalignment" not in metadata:
        alike = difflib.get_close_matches("axisalignment", metadata, 1, ALIKE_NAMES)
        if alike:
            raise InputError(path, f"{alike[0]!r} is no name it can have; axisAlignment?", "malformed_file")
        return np.eye(4), "none given, identity used"
    matrix = cameras.parse_numbers(path, metadata["axisalignment"], 16, "axisAlignment").reshape(4, 4)
    return cameras.check_pose(path, matrix, "axisAlignment"), "axisAlignment applied to mesh and poses"
