"""Hypersim scenes: images of instances, labels and distances in asset units, by a camera with a tilted lens.

Of what Hypersim ships those files are written that a reader of geometry needs: tone-mapped color, instances, labels and
distances, poses, boxes, and the cameras of all scenes in one table.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spatial_assets.scene.model import Float
from spatial_assets.studio.files import (
    PROGRESS_EVERY,
    Progress,
    Scanner,
    fresh_folder,
    renderer,
    write_color,
    write_text,
    write_truth,
)
from spatial_assets.studio.layouts.base import Written
from spatial_assets.studio.layouts.structured3d import label_of
from spatial_assets.studio.scan import noisy_depth
from spatial_assets.studio.scene import STRUCTURE, StudioObject, StudioScene

IMAGES = True
SHARED = "metadata_camera_parameters.csv"
CAMERA = "cam_00"
UNITS = (0.0010000000474974513, 0.009999999776482582, 0.02539999969303608)
"""Meters of an asset unit, as the release has them: millimeters, centimeters and inches in single precision."""
MOST_TILTED = 8.0
"""Degrees by which a lens is tilted up or down."""
NEAR, FAR = 1.0, 1000.0
"""Asset units, of the projections' depth buffer."""
NOTHING = -1
EXTRA = "spatial-assets[hypersim]"
OPENGL = np.diag([1.0, -1.0, -1.0])
FURTHEST = 60000.0
"""Greatest distance that half precision holds, and a little less."""


def write_scene(out: Path, index: int, scene: StudioScene, scanner: Scanner, progress: Progress) -> Written:
    """One scene with one camera; the entry is the scene's row in the table of cameras."""
    name = f"ai_{900 + index // 1000:03d}_{index % 1000:03d}"
    rng = scanner.stream("lens")
    unit = UNITS[int(rng.integers(len(UNITS)))]
    angle = math.radians(MOST_TILTED) * (2 * rng.random() - 1)
    c, s = math.cos(angle), math.sin(angle)
    tilt = np.array([[1.0, 0, 0], [0, c, -s], [0, s, c]])
    objects = [thing for thing in scene.objects if thing.category not in STRUCTURE]
    with fresh_folder(out / name) as folder:
        detail = folder / "_detail"
        for part in (detail / CAMERA, detail / "mesh"):
            part.mkdir(parents=True)
        write_text(
            detail / "metadata_scene.csv", f"parameter_name,parameter_value\nmeters_per_asset_unit,{unit!r}\n"
        )
        write_text(detail / "metadata_cameras.csv", f"camera_name\n{CAMERA}\n")
        _write_poses(detail / CAMERA, scene, unit, tilt)
        _write_boxes(detail / "mesh", objects, unit)
        _write_frames(folder / "images", name, scene, scanner, progress)
    write_truth(out, name, scene, objects, [f"{CAMERA}_{k:04d}" for k in range(len(scene.poses))])
    return Written(name, _lens(name, scene, unit, tilt))


def _write_array(path: Path, values: NDArray[Any], packed: bool = False) -> None:
    try:
        import h5py
    except ImportError as error:
        told = f"Hypersim's layout needs h5py, which cannot be imported ({error}); run: pip install '{EXTRA}'"
        raise ValueError(told) from None
    with h5py.File(path, "w") as file:
        file.create_dataset("dataset", data=values, compression="gzip" if packed else None, track_times=False)


def _write_poses(folder: Path, scene: StudioScene, unit: float, tilt: Float) -> None:
    """Of the camera whose lens is tilted, so that what it shows is what the scene's camera sees."""
    turned = np.einsum("nij,jk,kl->nil", scene.poses[:, :3, :3], tilt, OPENGL)
    _write_array(folder / "camera_keyframe_orientations.hdf5", turned)
    _write_array(folder / "camera_keyframe_positions.hdf5", scene.poses[:, :3, 3] / unit)


def _write_boxes(folder: Path, objects: list[StudioObject], unit: float) -> None:
    """A row for every number up to the greatest instance's; infinities for those that are none."""
    count = max(thing.instance for thing in objects) + 1
    rows = {
        "positions": np.full((count, 3), np.inf),
        "orientations": np.full((count, 3, 3), np.inf),
        "extents": np.full((count, 3), np.inf),
    }
    for thing in objects:
        c, s = math.cos(thing.yaw), math.sin(thing.yaw)
        rows["positions"][thing.instance] = thing.center / unit
        rows["orientations"][thing.instance] = [[c, -s, 0], [s, c, 0], [0, 0, 1]]
        rows["extents"][thing.instance] = thing.size / unit
    for part, values in rows.items():
        stem = "metadata_semantic_instance_bounding_box_object_aligned_2d"
        _write_array(folder / f"{stem}_{part}.hdf5", values)


def _write_frames(folder: Path, name: str, scene: StudioScene, scanner: Scanner, progress: Progress) -> None:
    colors, geometry = (folder / f"scene_{CAMERA}_{part}" for part in ("final_preview", "geometry_hdf5"))
    for part in (colors, geometry):
        part.mkdir(parents=True)
    instance, label = _face_images(scene)
    picture, noise = renderer(scene, scanner), scanner.stream("depth")
    longer = _lengths(scene)
    for k, pose in enumerate(scene.poses):
        color, depth, faces = picture(pose)
        write_color(colors / f"frame.{k:04d}.tonemap.jpg", color)
        distance = noisy_depth(depth, scanner.noise, noise) * longer
        distance = np.where(distance < FURTHEST, distance, np.nan).astype(np.float16)
        # Index -1, where no face is, is the last entry.
        images: dict[str, NDArray[Any]] = {
            "depth_meters": distance,
            "semantic_instance": instance[faces],
            "semantic": label[faces],
        }
        for role, values in images.items():
            _write_array(geometry / f"frame.{k:04d}.{role}.hdf5", values, packed=True)
        if (k + 1) % PROGRESS_EVERY == 0:
            progress(f"{name}: {k + 1} of {len(scene.poses)} frames")


def _lengths(scene: StudioScene) -> Float:
    """(H, W): how long the ray through each pixel is where it is 1 deep."""
    columns, rows = np.meshgrid(np.arange(scene.width) + 0.5, np.arange(scene.height) + 0.5)
    pixels = np.stack([columns, rows, np.ones_like(columns)], axis=-1)
    lengths: Float = np.linalg.norm(
        np.einsum("ij,hwj->hwi", np.linalg.inv(scene.intrinsics), pixels), axis=-1
    )
    return lengths


def _face_images(scene: StudioScene) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
    """What the pixels of each face hold, (F + 1,) each; the last entries are for pixels without one."""
    owner = scene.mesh.owner[scene.mesh.faces[:, 0]]
    bodies = int(owner.max()) + 1
    instance_of = np.full(bodies, NOTHING, np.int16)
    label_of_body = np.full(bodies, label_of("otherstructure"), np.int16)
    for thing in scene.objects:
        label_of_body[thing.body] = label_of(thing.category)
        if thing.category not in STRUCTURE:
            instance_of[thing.body] = thing.instance
    nothing = np.int16(NOTHING)
    return np.append(instance_of[owner], nothing), np.append(label_of_body[owner], nothing)


def _lens(name: str, scene: StudioScene, unit: float, tilt: Float) -> dict[str, object]:
    """Projection of points with OpenGL axes to -1 to 1, and its inverse, which makes rays of these."""
    unmade = np.array([[2 / scene.width, 0, -1], [0, -2 / scene.height, 1], [0, 0, 1.0]])
    seen = np.einsum("ij,jk,kl,lm->im", unmade, scene.intrinsics, tilt, OPENGL)
    projection = np.zeros((4, 4))
    projection[[0, 1, 3], :3] = seen
    projection[2, 2] = -(FAR + NEAR) / (FAR - NEAR)
    projection[2, 3] = -2 * FAR * NEAR / (FAR - NEAR)
    back = np.linalg.inv(seen)
    row: dict[str, object] = {
        "scene_name": name,
        "settings_output_img_height": float(scene.height),
        "settings_output_img_width": float(scene.width),
        "settings_units_info_meters_scale": unit,
        "use_camera_physical": True,
    }
    row |= {f"M_cam_from_uv_{i}{j}": float(back[i, j]) for i in range(3) for j in range(3)}
    return row | {f"M_proj_{i}{j}": float(projection[i, j]) for i in range(4) for j in range(4)}
