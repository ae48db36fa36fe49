"""Scenes read into our conventions: facts, objects, frames, mesh or images, regions, routes, changes, and what people
asked, and wrote of objects."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from pydantic import BaseModel

from spatial_assets.readers.descriptions import read_descriptions
from spatial_assets.readers.registry import module_of, reader
from spatial_assets.readers.source_images import program_of
from spatial_assets.scene import optional_tables, tables
from spatial_assets.scene.inputs import SceneInputs
from spatial_assets.scene.model import (
    MADE_BY,
    NO_INSTANCE,
    Description,
    ObjectChange,
    QuotedQuestion,
    Region,
    Route,
    Scene,
    Viewpoint,
)
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
    words = read_descriptions(shard.root, inputs.ref.name, {instance.id for instance in scene.instances})
    if words.descriptions or words.dropped:
        scene = replace(scene, descriptions=words.descriptions, dropped_descriptions=words.dropped or {})
    return scene_rows(inputs.which, scene)


def scene_rows(which: dict[str, str], scene: Scene) -> SceneOutputs:
    dropped = sum(scene.dropped_frames.values())
    outputs = SceneOutputs(
        tables={
            tables.SCENES.name: [_scene_row(which, scene, dropped)],
            tables.OBJECTS.name: [_object_row(which, scene, i) for i in range(len(scene.instances))],
            tables.FRAMES.name: [_frame_row(which, scene, i) for i in range(len(scene.frames))],
            optional_tables.REGIONS.name: [_region_row(which, region) for region in scene.regions],
            optional_tables.VIEWPOINTS.name: [
                _viewpoint_row(which, viewpoint) for viewpoint in scene.viewpoints
            ],
            optional_tables.NAVIGATION_PATHS.name: [
                _route_row(which, scene.license, route) for route in scene.routes
            ],
            optional_tables.OBJECT_CHANGES.name: [
                _change_row(which, change) for change in scene.object_changes
            ],
            optional_tables.QUOTED_QUESTIONS.name: [
                _quoted_row(which, scene.license, question) for question in scene.questions
            ],
            optional_tables.DESCRIPTIONS.name: [
                _description_row(which, scene.license, said) for said in scene.descriptions
            ],
        },
        rejects=[
            Reject(reason, "frames that the source lists but that cannot be used", count, "frames")
            for reason, count in sorted(scene.dropped_frames.items())
            if count
        ],
        tallies=[Tally("frames", len(scene.frames) + dropped, len(scene.frames))],
    )
    _count(
        outputs, "paths", len(scene.routes), scene.dropped_routes,
        "paths that the source lists but that cannot be walked here",
    )  # fmt: skip
    _count(
        outputs, "object_changes", len(scene.object_changes), scene.dropped_changes,
        "changes that the source tells more than once of an object",
    )  # fmt: skip
    _count_questions(outputs, scene)
    _count(
        outputs, "descriptions", len(scene.descriptions), scene.dropped_descriptions,
        "words in the collections that mean no object of the scene, or say nothing",
    )  # fmt: skip
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


def _count(outputs: SceneOutputs, form: str, kept: int, dropped: dict[str, int], detail: str) -> None:
    """Notes how many of an optional kind were kept and dropped, where there are any."""
    lost = sum(dropped.values())
    if kept or lost:
        outputs.tallies.append(Tally(form, kept + lost, kept))
        outputs.rejects += [
            Reject(reason, detail, count, form) for reason, count in sorted(dropped.items()) if count
        ]


def _count_questions(outputs: SceneOutputs, scene: Scene) -> None:
    """As `_count` does, where each reason has a detail of its own."""
    lost = sum(scene.dropped_questions.values())
    if scene.questions or lost:
        outputs.tallies.append(Tally("questions", len(scene.questions) + lost, len(scene.questions)))
        outputs.rejects += [
            Reject(reason, detail, count, "questions")
            for (reason, detail), count in sorted(scene.dropped_questions.items())
        ]


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
        "split": scene.split,
        "visit": scene.visit,
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
        "nyu40": instance.nyu40,
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


def _region_row(which: dict[str, str], region: Region) -> dict[str, Any]:
    return {
        **which,
        "region": region.id,
        "level": region.level,
        "label": region.label,
        "kind": region.kind,
        "low": _floats(region.low),
        "high": _floats(region.high),
        "outline": _floats(region.outline.ravel()),
        "instances": list(region.instances),
        "doubt": region.doubt,
    }


def _viewpoint_row(which: dict[str, str], viewpoint: Viewpoint) -> dict[str, Any]:
    return {
        **which,
        "viewpoint": viewpoint.name,
        "position": _floats(viewpoint.position),
        "height": viewpoint.height,
        "region": viewpoint.region,
        "reachable": sorted(viewpoint.reachable),
        "visible": sorted(viewpoint.visible),
        "panorama": viewpoint.panorama,
        "panorama_axes": None
        if viewpoint.panorama_axes is None
        else _floats(viewpoint.panorama_axes.ravel()),
    }


def _route_row(which: dict[str, str], license: str, route: Route) -> dict[str, Any]:
    return {
        **which,
        "license": license,
        "collection": route.collection,
        "collection_license": route.license,
        "split": route.split,
        "path": route.path,
        "instruction_id": route.instruction_id,
        "language": route.language,
        "instruction": route.instruction,
        "viewpoints": list(route.viewpoints),
        "heading": route.heading,
        "headings": list(route.headings),
        "elevations": list(route.elevations),
        "lengths": list(route.lengths),
        "views": list(route.views),
        "length": math.fsum(route.lengths),
        "shortest": route.shortest,
        "stated": route.stated,
    }


def _change_row(which: dict[str, str], change: ObjectChange) -> dict[str, Any]:
    transform, alignment = change.transform, change.alignment
    return {
        **which,
        "reference": change.reference,
        "reference_instance": change.reference_instance,
        "instance": change.instance,
        "change": change.kind,
        "transform": None if transform is None else _floats(transform.ravel()),
        "alignment": None if alignment is None else _floats(alignment.ravel()),
        "evidence": change.evidence,
        "miss": change.miss,
        "symmetry": change.symmetry,
    }


def _quoted_row(which: dict[str, str], license: str, question: QuotedQuestion) -> dict[str, Any]:
    return {
        **which,
        "license": license,
        "collection": question.collection,
        "collection_license": question.license,
        "split": question.split,
        "question_id": question.id,
        "situation": question.situation,
        "question": question.question,
        "answers": list(question.answers),
        "path": question.path,
    }


def _description_row(which: dict[str, str], license: str, said: Description) -> dict[str, Any]:
    return {
        **which,
        "license": license,
        "collection": said.collection,
        "collection_license": said.license,
        "instance": said.instance,
        "description_id": said.id,
        "description": said.text,
    }


def _floats(values: Any) -> Sequence[float]:
    return np.asarray(values, np.float64).tolist()


STAGE = Stage(
    name=NAME,
    reads=(tables.SOURCES,),
    writes=(
        tables.SCENES,
        tables.OBJECTS,
        tables.FRAMES,
        optional_tables.REGIONS,
        optional_tables.VIEWPOINTS,
        optional_tables.NAVIGATION_PATHS,
        optional_tables.OBJECT_CHANGES,
        optional_tables.QUOTED_QUESTIONS,
        optional_tables.DESCRIPTIONS,
    ),
    files=(meshes.KIND, instance_images.SHIPPED_KIND, instance_images.SHIPPED_DEPTH_KIND),
    parameters=lambda dataset: reader(dataset).Parameters(),
    compute=read_scene,
    opens_files=True,
    modules=lambda dataset: (__name__, module_of(dataset)),
    heavy=lambda dataset: reader(dataset).HEAVY,
)
