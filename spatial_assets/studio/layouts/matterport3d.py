"""Matterport3D houses: panoramas of a tripod's three cameras, an annotated mesh, the simulator's graph and routes.

Of a download those parts are written that geometry needs: the house file with its mesh, and undistorted images with
their cameras and depth, and the panoramas that the simulator shows. Panoramas stand where the studio's walk leads past;
at most 18 images are taken at each.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from spatial_assets.scene.model import Float
from spatial_assets.studio.camera import look
from spatial_assets.studio.files import (
    PNG_LEVEL,
    PROGRESS_EVERY,
    Progress,
    Scanner,
    fresh_folder,
    renderer,
    write_color,
    write_json,
    write_text,
    write_truth,
)
from spatial_assets.studio.layouts.base import Written
from spatial_assets.studio.layouts.matterport3d_house import (
    Faces,
    Panorama,
    Shot,
    categories_of,
    faces_of,
    house_text,
    opengl,
)
from spatial_assets.studio.layouts.matterport3d_routes import connectivity, routes, tripod_pose
from spatial_assets.studio.render import vertex_colors
from spatial_assets.studio.scan import noisy, noisy_depth, with_holes
from spatial_assets.studio.scene import StudioScene

IMAGES = True
SHARED = "R2R_train.json"
YAWS = 6
CAMERAS = (1, 2, 0)
"""In the order in which they are taken: the level one first, then the one that looks down, then up."""
PITCHES = (math.radians(35), 0.0, math.radians(-35))
"""Of cameras 0 to 2."""
FEWEST_PANORAMAS = 3
EYE = 1.45
"""Meters above the floor."""
ARM = 0.05
"""Meters from the tripod's axis to its cameras."""
DEPTH_UNIT = 4000.0
"""Steps of a depth image to a meter."""
FACE_AXES = (
    ((-1, 0, 0), (0, 0, -1), (0, -1, 0)),
    ((-1, 0, 0), (0, 1, 0), (0, 0, -1)),
    ((0, 0, 1), (0, 1, 0), (-1, 0, 0)),
    ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    ((0, 0, -1), (0, 1, 0), (1, 0, 0)),
    ((-1, 0, 0), (0, 0, 1), (0, 1, 0)),
)
"""Right, down and forward of a skybox's images 0 to 5 in the axes of the pose that the graph gives: the simulator
loads 2, 4, 0, 5, 1, 3 as the sides +x, -x, +y, -y, +z, -z of a cube map, whose axes are the pose's, negated."""
LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
NAME_LENGTH = 11


def shared_content(entries: Mapping[str, Any]) -> list[Any]:
    """Routes of all scenes in one list."""
    return [route for listed in entries.values() for route in listed]


def write_scene(out: Path, index: int, scene: StudioScene, scanner: Scanner, progress: Progress) -> Written:
    """One scan's folder below `scans`, and its graph below `connectivity`."""
    name = _name(index)
    panoramas, shots, scene = _panoramas(name, scene, scanner)
    names = [f"{panoramas[shot.panorama].name}_i{shot.camera}_{shot.yaw}" for shot in shots]
    # The image's origin is its lower left corner.
    intrinsics = scene.intrinsics.copy()
    intrinsics[1, 2] = scene.height - intrinsics[1, 2]
    faces = faces_of(scene)
    (out / "scans").mkdir(exist_ok=True)
    (out / "connectivity").mkdir(exist_ok=True)
    with fresh_folder(out / "scans" / name) as folder:
        for part in ("house_segmentations", "undistorted_camera_parameters", "undistorted_color_images",
                     "undistorted_depth_images", "matterport_skybox_images"):  # fmt: skip
            (folder / part).mkdir()
        house = folder / "house_segmentations"
        text = house_text(name, scene, panoramas, shots, intrinsics, faces)
        write_text(house / f"{name}.house", text)
        _write_mesh(house, name, scene, faces, scanner)
        _write_cameras(folder / "undistorted_camera_parameters" / f"{name}.conf", scene, names, intrinsics)
        _write_images(folder, name, scene, names, scanner, progress)
        _write_skyboxes(folder / "matterport_skybox_images", scene, panoramas, scanner)
    left_out = _identity(f"{name} left out")
    write_json(out / "connectivity" / f"{name}_connectivity.json", connectivity(scene, panoramas, left_out))
    write_truth(out, name, scene, list(scene.objects), names)
    return Written(name, routes(name, index, scene, panoramas, scanner.stream("routes")))


def _name(index: int) -> str:
    number = int.from_bytes(hashlib.blake2b(f"studio {index}".encode(), digest_size=16).digest())
    digits = []
    for _ in range(NAME_LENGTH):
        number, digit = divmod(number, len(LETTERS))
        digits.append(LETTERS[digit])
    return "".join(digits)


def _identity(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _panoramas(
    name: str, scene: StudioScene, scanner: Scanner
) -> tuple[list[Panorama], list[Shot], StudioScene]:
    """Where the tripod stood, what was taken there, and the scene with the poses of that, as many as it had."""
    count = len(scene.poses)
    each = YAWS * len(CAMERAS)
    stops = min(count, max(FEWEST_PANORAMAS, -(-count // each)))
    panoramas, shots, poses = [], [], []
    rng = scanner.stream("tripod")
    for stop in range(stops):
        x, y, _ = scene.poses[stop * (count - 1) // max(1, stops - 1), :3, 3]
        position = np.array([x, y, EYE])
        panoramas.append(Panorama(_identity(f"{name} {stop}"), position))
        turned = float(rng.random()) * 2 * math.pi
        for k in range(count * (stop + 1) // stops - count * stop // stops):
            shot = Shot(stop, CAMERAS[k // YAWS], k % YAWS)
            # The tripod turns to the right.
            yaw = turned - 2 * math.pi * shot.yaw / YAWS
            reach = ARM * np.array([math.cos(yaw), math.sin(yaw), 0.0])
            shots.append(shot)
            poses.append(look(position + reach, yaw, PITCHES[shot.camera], 0.0))
    return panoramas, shots, replace(scene, poses=np.array(poses))


def _write_mesh(folder: Path, name: str, scene: StudioScene, faces: Faces, scanner: Scanner) -> None:
    """The scan, with numbers of segment, object and category at every face, and the same in files beside it."""
    mesh = scene.mesh
    vertices = noisy(mesh.vertices, mesh.faces, scanner.noise, scanner.stream("noise"))
    kept = with_holes(mesh.vertices, mesh.faces, scanner.holes, scanner.stream("holes"))
    names = categories_of(scene)
    category = np.array([names.index(thing.category) + 1 for thing in scene.objects] + [-1])
    # Faces that are left are found by their corners, of which no two faces have the same.
    place = {tuple(corners): k for k, corners in enumerate(mesh.faces.tolist())}
    chosen = np.array([place[tuple(corners)] for corners in kept.tolist()])
    instance = faces.instance[chosen]
    vertex = np.zeros(len(vertices), [("xyz", "<f4", 3), ("rgb", "u1", 3)])
    vertex["xyz"], vertex["rgb"] = vertices, vertex_colors(mesh, scene.light)
    properties = ("material_id", "segment_id", "category_id")
    face = np.zeros(
        len(kept), [("count", "u1"), ("corners", "<i4", 3), *((name, "<i4") for name in properties)]
    )
    face["count"], face["corners"] = 3, kept
    face["material_id"], face["segment_id"] = faces.segment[chosen], instance
    face["category_id"] = category[instance]
    # By hand: a library's header may change with its version, and the same arguments give the same bytes.
    header = [
        "ply", "format binary_little_endian 1.0", f"element vertex {len(vertices)}",
        *(f"property float {axis}" for axis in "xyz"),
        *(f"property uchar {color}" for color in ("red", "green", "blue")),
        f"element face {len(kept)}", "property list uchar int vertex_indices",
        *(f"property int {own}" for own in properties), "end_header",
    ]  # fmt: skip
    head = "".join(line + "\n" for line in header).encode("ascii")
    (folder / f"{name}.ply").write_bytes(head + vertex.tobytes() + face.tobytes())
    write_json(folder / f"{name}.fsegs.json", {"segIndices": faces.segment[chosen].tolist()})
    groups = [
        {
            "id": thing.instance,
            "objectId": thing.instance,
            "label": thing.category,
            "segments": np.unique(faces.segment[faces.instance == thing.instance]).tolist(),
        }
        for thing in scene.objects
    ]
    write_json(folder / f"{name}.semseg.json", {"segGroups": groups})


def _write_cameras(path: Path, scene: StudioScene, names: list[str], intrinsics: Float) -> None:
    lines = [
        "dataset matterport",
        f"n_images {len(names)}",
        "depth_directory undistorted_depth_images",
        "color_directory undistorted_color_images",
        "",
        "intrinsics_matrix " + " ".join(f"{value:.10f}" for value in intrinsics.ravel()),
    ]
    for name, pose in zip(names, scene.poses, strict=True):
        numbers = " ".join(f"{value:.10f}" for value in opengl(pose).ravel())
        lines.append(f"scan {_depth_name(name)}.png {name}.jpg {numbers}")
    write_text(path, "".join(line + "\n" for line in lines))


def _write_images(
    folder: Path, name: str, scene: StudioScene, names: list[str], scanner: Scanner, progress: Progress
) -> None:
    picture, rng = renderer(scene, scanner), scanner.stream("depth")
    for k, (stem, pose) in enumerate(zip(names, scene.poses, strict=True)):
        color, distance, _ = picture(pose)
        write_color(folder / "undistorted_color_images" / f"{stem}.jpg", color)
        depth = _depth(noisy_depth(distance, scanner.noise, rng))
        target = folder / "undistorted_depth_images" / f"{_depth_name(stem)}.png"
        Image.fromarray(depth).save(target, "PNG", compress_level=PNG_LEVEL)
        if (k + 1) % PROGRESS_EVERY == 0:
            progress(f"{name}: {k + 1} of {len(names)} images")


def _write_skyboxes(folder: Path, scene: StudioScene, panoramas: list[Panorama], scanner: Scanner) -> None:
    """Six square images of each panorama, as high as the others."""
    side = scene.height
    intrinsics = np.array([[side / 2, 0, side / 2], [0, side / 2, side / 2], [0, 0, 1.0]])
    picture = renderer(replace(scene, intrinsics=intrinsics, width=side, height=side), scanner)
    for k, panorama in enumerate(panoramas):
        pose = tripod_pose(k, panorama)
        for face, axes in enumerate(FACE_AXES):
            looking = pose.copy()
            looking[:3, :3] = pose[:3, :3] @ np.array(axes, dtype=np.float64).T
            write_color(folder / f"{panorama.name}_skybox{face}_sami.jpg", picture(looking)[0])


def _depth_name(stem: str) -> str:
    panorama, _, shot = stem.rpartition("_i")
    return f"{panorama}_d{shot}"


def _depth(distance: NDArray[np.float32]) -> NDArray[np.uint16]:
    """0 for what was not hit, and for what is too far for 16 bits."""
    steps = np.round(np.where(np.isfinite(distance), distance, 0.0) * DEPTH_UNIT)
    return np.where(steps <= 0xFFFF, steps, 0).astype(np.uint16)
