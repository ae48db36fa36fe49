"""ScanNet scans with exported frames, unaligned as ScanNet's are."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np

from spatial_assets.scene.model import Float, rigid_inverse
from spatial_assets.studio.annotation import annotation
from spatial_assets.studio.files import (
    Progress,
    Scanner,
    fresh_folder,
    integer_centers,
    write_frames,
    write_json,
    write_matrix,
    write_mesh,
    write_text,
    write_truth,
)
from spatial_assets.studio.layouts.base import Written
from spatial_assets.studio.render import vertex_colors
from spatial_assets.studio.scan import noisy, with_holes
from spatial_assets.studio.scene import StudioScene

IMAGES = True
SHARED = None


def _alignment(rng: np.random.Generator) -> Float:
    """A ScanNet axis alignment (4, 4): from the mesh's frame to the aligned one. It is rounded as the file
    prints it."""
    angle = 2 * math.pi * rng.random()
    shift = (rng.random(3) - 0.5) * (6.0, 6.0, 0.4)
    c, s = math.cos(angle), math.sin(angle)
    matrix = np.array([[c, -s, 0, shift[0]], [s, c, 0, shift[1]], [0, 0, 1, shift[2]], [0, 0, 0, 1]])
    return np.round(matrix, 10)


def write_scene(out: Path, index: int, scene: StudioScene, scanner: Scanner, progress: Progress) -> Written:
    """A ScanNet scan with exported frames, unaligned as ScanNet's are."""
    return write_scan(out, index, scene, scanner, progress)


def write_scan(
    out: Path,
    index: int,
    scene: StudioScene,
    scanner: Scanner,
    progress: Progress,
    finish: Callable[[Path, str], None] | None = None,
) -> Written:
    """The same, with `finish` called on the folder, which is still to take its place, and on the scene's name."""
    name = f"scene{index:04d}_00"
    aligned = _alignment(scanner.stream("alignment"))
    back = rigid_inverse(aligned)
    mesh = scene.mesh
    with fresh_folder(out / name) as folder:
        for part in ("color", "depth", "pose", "intrinsic"):
            (folder / part).mkdir()
        seen = noisy(mesh.vertices, mesh.faces, scanner.noise, scanner.stream("noise"))
        faces = with_holes(mesh.vertices, mesh.faces, scanner.holes, scanner.stream("holes"))
        vertices = np.einsum("ij,nj->ni", back[:3, :3], seen) + back[:3, 3]
        write_mesh(folder / f"{name}_vh_clean_2.ply", vertices, vertex_colors(mesh, scene.light), faces)
        _write_segments(folder, name, scene)
        _write_info(folder / f"{name}.txt", scene, aligned)
        camera = np.eye(4)
        camera[:3, :3] = integer_centers(scene.intrinsics)
        for kind in ("color", "depth"):
            write_matrix(folder / "intrinsic" / f"intrinsic_{kind}.txt", camera)
            write_matrix(folder / "intrinsic" / f"extrinsic_{kind}.txt", np.eye(4))
        for k, pose in enumerate(scene.poses):
            write_matrix(folder / "pose" / f"{k}.txt", np.einsum("ij,jk->ik", back, pose))
        write_frames(
            scene,
            lambda k: folder / "color" / f"{k}.jpg",
            lambda k: folder / "depth" / f"{k}.png",
            progress,
            name,
            scanner,
        )
        if finish is not None:
            finish(folder, name)
    write_truth(out, name, scene, list(scene.objects), [str(k) for k in range(len(scene.poses))])
    return Written(name)


def _write_segments(folder: Path, name: str, scene: StudioScene) -> None:
    segments, groups = annotation(scene)
    write_json(
        folder / f"{name}_vh_clean_2.0.010000.segs.json",
        {
            "params": {"kThresh": "0.0001", "segMinVerts": "20", "minPoints": "750", "maxPoints": "30000"},
            "sceneId": name,
            "segIndices": segments,
        },
    )
    write_json(
        folder / f"{name}.aggregation.json",
        {
            "sceneId": f"scannet.{name}",
            "appId": "Aggregator.v2",
            "segGroups": groups,
            "segmentsFile": f"scannet.{name}_vh_clean_2.0.010000.segs.json",
        },
    )


def _write_info(path: Path, scene: StudioScene, aligned: Float) -> None:
    camera = integer_centers(scene.intrinsics)
    numbers = {
        "fx": camera[0, 0],
        "fy": camera[1, 1],
        "mx": camera[0, 2],
        "my": camera[1, 2],
    }
    count = len(scene.poses)
    kinds = {
        "living room": "Living room / Lounge",
        "bedroom": "Bedroom / Hotel",
        "kitchen": "Kitchen",
        "office": "Office",
    }
    room = scene.plan.rooms[0].kind
    lines = [
        "axisAlignment = " + " ".join(f"{x:.10f}" for x in aligned.ravel()),
        "colorHeight = " + str(scene.height),
        "colorToDepthExtrinsics = " + " ".join(f"{x:.6f}" for x in np.eye(4).ravel()),
        "colorWidth = " + str(scene.width),
        "depthHeight = " + str(scene.height),
        "depthWidth = " + str(scene.width),
        *(f"{key}_{kind} = {value:.10f}" for key, value in numbers.items() for kind in ("color", "depth")),
        f"numColorFrames = {count}",
        f"numDepthFrames = {count}",
        "numIMUmeasurements = 0",
        f"sceneType = {kinds.get(room, room.capitalize())}",
    ]
    write_text(path, "".join(line + "\n" for line in lines))
