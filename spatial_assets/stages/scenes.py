"""Scenes read into our conventions: what they know, their objects, their frames, their mesh or instance images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from pydantic import BaseModel

from spatial_assets.readers.images import program_of
from spatial_assets.readers.registry import module_of, reader
from spatial_assets.scene import tables
from spatial_assets.scene.inputs import SceneInputs
from spatial_assets.scene.model import MADE_BY, NO_INSTANCE, Scene
from spatial_assets.scene.outputs import Reject, SceneOutputs, Tally
from spatial_assets.stages.stage import Stage
from spatial_assets.storage import instance_images, meshes

NAME = "scenes"


def read_scene(inputs: SceneInputs, parameters: BaseModel) -> SceneOutputs:
    shard = inputs.shard
    scene = reader(shard.dataset).read_scene(shard.root, inputs.ref, shard.release, shard.license, parameters)
    # One image speaks for all: a dataset's images come out of one program.
    image = scene.frames[0].image if scene.frames else None
    program = None if image is None else program_of(shard.root, image)
    if program is not None:
        scene = replace(scene, conventions={**scene.conventions, MADE_BY: program})
    return scene_rows(inputs.which, scene)


def scene_rows(which: dict[str, str], scene: Scene) -> SceneOutputs:
    dropped = sum(scene.dropped_frames.values())
    outputs = SceneOutputs(
        tables={
            tables.SCENES.name: [_scene_row(which, scene, dropped)],
            tables.OBJECTS.name: [_object_row(which, scene, i) for i in range(len(scene.instances))],
            tables.FRAMES.name: [_frame_row(which, scene, i) for i in range(len(scene.frames))],
        },
        rejects=[
            Reject(reason, "frames that the source lists but that cannot be used", count, "frames")
            for reason, count in sorted(scene.dropped_frames.items())
            if count
        ],
        tallies=[Tally("frames", len(scene.frames) + dropped, len(scene.frames))],
    )
    if scene.mesh is not None:
        owners = scene.face_instance
        if owners is None:
            owners = np.full(len(scene.mesh.faces), NO_INSTANCE, np.int32)
        outputs.files[meshes.KIND] = meshes.to_ply(scene.mesh, owners)
    if scene.instance_images:
        outputs.files[instance_images.SHIPPED_KIND] = instance_images.pack(scene.instance_images)
    if scene.depth_images:
        outputs.files[instance_images.SHIPPED_DEPTH_KIND] = instance_images.pack(scene.depth_images)
    return outputs


def _scene_row(which: dict[str, str], scene: Scene, dropped: int) -> dict[str, Any]:
    return {
        **which,
        "license": scene.license,
        "facts": sorted(scene.facts),
        "frames": len(scene.frames),
        "dropped_frames": dropped,
        "instances": len(scene.instances),
        "vertices": 0 if scene.mesh is None else len(scene.mesh.vertices),
        "faces": 0 if scene.mesh is None else len(scene.mesh.faces),
        "room_size": scene.room_size,
        "object_counts": [{"category": k, "count": v} for k, v in sorted(scene.object_counts.items())],
        "conventions": [{"what": k, "found": v} for k, v in sorted(scene.conventions.items())],
    }


def _object_row(which: dict[str, str], scene: Scene, index: int) -> dict[str, Any]:
    instance = scene.instances[index]
    return {
        **which,
        "instance": instance.id,
        "name": instance.name,
        "category": instance.category,
        "label": instance.label,
        "center": _floats(instance.box.center),
        "size": _floats(instance.box.size),
        "rotation": _floats(instance.box.rotation.ravel()),
    }


def _frame_row(which: dict[str, str], scene: Scene, position: int) -> dict[str, Any]:
    frame = scene.frames[position]
    return {
        **which,
        "frame": frame.name,
        "position": position,
        "timestamp": frame.timestamp,
        "image": frame.image,
        "width": frame.camera.width,
        "height": frame.camera.height,
        "intrinsics": _floats(frame.camera.intrinsics.ravel()),
        "camera_to_world": _floats(frame.camera_to_world.ravel()),
    }


def _floats(values: Any) -> Sequence[float]:
    return np.asarray(values, np.float64).tolist()


STAGE = Stage(
    name=NAME,
    reads=(tables.SOURCES,),
    writes=(tables.SCENES, tables.OBJECTS, tables.FRAMES),
    files=(meshes.KIND, instance_images.SHIPPED_KIND, instance_images.SHIPPED_DEPTH_KIND),
    parameters=lambda dataset: reader(dataset).Parameters(),
    compute=read_scene,
    opens_files=True,
    modules=lambda dataset: (__name__, module_of(dataset)),
    heavy=lambda dataset: reader(dataset).HEAVY,
)
