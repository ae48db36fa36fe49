"""Matterport3D houses: an annotated mesh, regions, panoramic images, and the routes of R2R and RxR in words.

    <root>/[v1/][scans/]<scan>/
        house_segmentations/<scan>.house  <scan>.ply  <scan>.fsegs.json  [panorama_to_region.txt]
        region_segmentations/region<N>.ply  region<N>.fsegs.json                    where the house has no mesh
        undistorted_camera_parameters/<scan>.conf  undistorted_color_images/*.jpg
        matterport_skybox_images/<viewpoint>_skybox<0-5>_sami.jpg       the simulator's panoramas
    <root>/connectivity/<scan>_connectivity.json    the simulator's viewpoints
    <root>/R2R_*.json  rxr_*_guide.jsonl[.gz]        routes, or in tasks/R2R/data and the like
    <root>/[metadata/]category_mapping.tsv           what the annotators' words stand for

Meters, z up. Of these a scene has what is there; the zips of a download are to be unpacked first. Boxes are those of
the house file. An object keeps the annotators' word; its category is what category_mapping.tsv makes of that.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, Field

from spatial_assets.readers import (
    cameras,
    connectivity,
    consistency,
    files,
    label_map,
    labels,
    matterport_files,
    matterport_frames,
    matterport_house,
    matterport_panoramas,
    matterport_regions,
    matterport_surface,
    navigation,
    splits,
)
from spatial_assets.scene import nyu40
from spatial_assets.scene import parameters as base
from spatial_assets.scene.categories import canonical
from spatial_assets.scene.model import (
    Box,
    Fact,
    Float,
    Frame,
    InputError,
    Instance,
    Scene,
)
from spatial_assets.scene.refs import SceneRef, SourceFile

RELEASE = "v1"
LICENSE = "Matterport3D Terms of Use (non-commercial)"
HEAVY = True
FACTS = frozenset(Fact) - {Fact.SEQUENCE, Fact.ROOM_SIZE, Fact.OBJECT_COUNTS, Fact.QUESTIONS}
KEYFRAMES = {"filter": False}
"""Taken from a tripod, 18 views a place, about two meters between places: none stands in for another."""
SPLITS = splits.named(
    r"scenes_{split}\.txt", ("", "metadata", "tasks/benchmark"), matterport_files.SCENE_NAME
)
NO_OBJECTS = frozenset({"void", "unlabeled"})
"""Of the 40 classes, those that stand for no object."""
ADDED = re.compile(r"\s*/\s*(other ?room|outside|w [a-z ]+)$", re.ASCII)
"""What annotators put behind the name of a thing: that it belongs to a room next door, or what is in it."""
APART = 0.5
"""Meters that an image may be taken away from the viewpoint that it is named after; a tripod's are within 0.2."""
UPSIDE_DOWN = -0.2
"""Height of the cameras' own up axes, of the middle one, below which they hang upside down; of six in eighteen that
look steeply up or down it is above 0.3."""


class Parameters(base.Parameters):
    """What other programs may have written in another way."""

    pose_convention: cameras.Convention = Field(cameras.AS_DOCUMENTED, description=cameras.CONVENTION_HELP)
    box_radii: Literal["half", "full"] = Field(
        "half",
        description="whether the radii of the house file's boxes are half lengths, as documented, or whole",
    )


def find_scenes(root: Path) -> list[SceneRef]:
    return matterport_files.look(root).scenes


def left_out(root: Path) -> list[InputError]:
    return matterport_files.look(root).left_out


def source_files(root: Path, ref: SceneRef) -> list[SourceFile]:
    found = matterport_files.source_files(root, matterport_files.list_files(root, ref))
    return files.all_there(root, found) + SPLITS.files(root)


def read_scene(root: Path, ref: SceneRef, release: str, license: str, parameters: BaseModel) -> Scene:
    assert isinstance(parameters, Parameters)
    listing = matterport_files.list_files(root, ref)
    split = SPLITS.split_of(root, ref.name)
    scene = Scene("matterport3d", release, ref.name, license, frozenset(), split=split)
    told: dict[str, str] = {}
    house = None
    if listing.house is not None:
        house = _scaled(matterport_house.read_house(root, listing.house), parameters.box_radii)
        scene = _with_objects(root, scene, house, listing.mapping, told)
    if listing.meshes:
        scene = _with_surface(root, scene, house, listing.meshes, told)
    if listing.cameras is not None and listing.images is not None:
        scene = _with_frames(root, scene, listing.cameras, listing.images, parameters.pose_convention, told)
    graph = None if listing.graph is None else connectivity.read_graph(root, listing.graph)
    if graph is not None:
        scene = replace(scene, viewpoints=graph.viewpoints())
        told["viewpoints_excluded"] = str(graph.excluded)
        found = navigation.read_routes(root, ref.name, graph)
        scene = replace(scene, routes=found.routes, dropped_routes=found.dropped)
        told["routes"] = (
            f"{found.start_alone} texts tell their start alone, {found.other_languages} are not English"
        )
    if house is not None:
        scene = matterport_regions.with_regions(root, scene, house, listing.panorama_regions, told)
    if listing.cameras is not None:
        scene = _at_their_places(scene, listing.cameras)
    if graph is not None:
        scene = matterport_panoramas.with_panoramas(
            root, scene, listing.skyboxes, list(graph.orientations), told
        )
    return replace(scene, facts=_facts(scene), conventions=told)


def _facts(scene: Scene) -> frozenset[Fact]:
    shown, surface = bool(scene.frames), scene.mesh is not None
    labeled = scene.face_instance is not None
    known = {
        Fact.IMAGES: shown,
        Fact.POSES: shown,
        Fact.MESH: surface,
        Fact.OBJECTS: bool(scene.instances),
        Fact.SURFACES: labeled,
        Fact.VISIBILITY: shown and labeled,
        Fact.AMODAL: shown and labeled,
        Fact.OVERLAP: shown and surface,
        Fact.REGIONS: bool(scene.regions),
        Fact.VIEWPOINTS: any(viewpoint.reachable for viewpoint in scene.viewpoints),
        Fact.ROUTES: bool(scene.routes),
        Fact.PANORAMAS: any(viewpoint.panorama is not None for viewpoint in scene.viewpoints),
    }
    return frozenset(fact for fact, holds in known.items() if holds)


def _scaled(house: matterport_house.House, radii: str) -> matterport_house.House:
    """The house with the boxes' lengths as they are meant."""
    if radii == "half":
        return house
    return replace(
        house,
        objects=tuple(
            item if item.box is None else replace(item, box=replace(item.box, size=item.box.size / 2))
            for item in house.objects
        ),
    )


def _with_objects(
    root: Path, scene: Scene, house: matterport_house.House, mapping: str | None, told: dict[str, str]
) -> Scene:
    """Adds objects with boxes. Raises InputError where there is none."""
    words = {} if mapping is None else _read_mapping(root, mapping)
    instances, counts = [], Counter[str]()
    for number, item in enumerate(house.objects):
        if item.box is None:
            counts["without_box"] += 1
            continue
        label, category, kind_of_40 = labels.NO_LABEL, canonical(labels.NO_LABEL), None
        if item.category is not None:
            kind = house.categories[item.category]
            label = labels.word(kind.name)
            if kind.coarse not in NO_OBJECTS and label != labels.NO_LABEL:
                word, kind_of_40 = words.get((kind.index, kind.name), (label, None))
                category = canonical(ADDED.sub("", label if word == labels.NO_LABEL else word))
        instances.append(Instance(number, label, category, item.box, str(number), kind_of_40))
    if not instances:
        raise InputError(house.path, "no object has a box", "no_objects")
    told["objects_without_box"] = str(counts["without_box"])
    told["categories"] = f"by {mapping}" if mapping is not None else "the annotators' own words"
    return replace(scene, instances=tuple(instances))


def _read_mapping(root: Path, path: str) -> dict[tuple[int, str], tuple[str, str | None]]:
    """The word to use and the NYU40 class, by index and annotators' word, which house files have side by side."""
    lines = files.read_text(root, path).splitlines()
    head = lines[0].split("\t") if lines else []
    wanted = ("index", "raw_category", "category")
    missing = next((name for name in wanted if name not in head), None)
    if missing is not None:
        raise InputError(path, f"its first line names no column {missing}", "malformed_file")
    at = [head.index(name) for name in wanted]
    class_at = head.index("nyu40id") if "nyu40id" in head else None
    found = {}
    for number, line in enumerate(lines[1:], 2):
        fields = line.split("\t")
        if not line.strip():
            continue
        if len(fields) <= max(at) or not (fields[at[0]].isascii() and fields[at[0]].isdigit()):
            raise InputError(path, f"line {number} has no index or too few columns", "malformed_file")
        said = fields[class_at] if class_at is not None and class_at < len(fields) else ""
        kind = nyu40.names().get(int(said)) if label_map.is_number(said) else None
        found[int(fields[at[0]][:9]), fields[at[1]]] = labels.word(fields[at[2]]), kind
    return found


def _with_surface(
    root: Path,
    scene: Scene,
    house: matterport_house.House | None,
    meshes: tuple[matterport_surface.MeshFile, ...],
    told: dict[str, str],
) -> Scene:
    surface = matterport_surface.read_surface(root, meshes)
    told["mesh"] = "of the house" if meshes[0].region is None else f"of {len(meshes)} regions"
    if house is None:
        return replace(scene, mesh=surface.mesh)
    owners = matterport_surface.face_objects(surface, house)
    boxes: dict[int, Box] = {item.id: item.box for item in scene.instances}
    owners = np.where(np.isin(owners, list(boxes)), owners, -1).astype(np.int32)
    told["boxes"] = matterport_surface.check_boxes(house.path, boxes, surface.mesh, owners)
    return replace(scene, mesh=surface.mesh, face_instance=owners)


def _with_frames(
    root: Path,
    scene: Scene,
    path: str,
    folder: str,
    convention: cameras.Convention,
    told: dict[str, str],
) -> Scene:
    shots = matterport_frames.read_shots(root, path, folder)
    frames, raw, dropped = shots.frames, shots.raw, shots.dropped
    consistency.check_not_all_same(path, raw)
    reading = cameras.PoseReading(convention, documented=matterport_frames.DOCUMENTED)
    if scene.mesh is not None:
        frames, raw, away = consistency.in_the_scene(path, frames, raw, reading, scene.mesh, is_video=False)
        dropped = dropped | away
        told["consistency"] = consistency.check_against_mesh(
            root, path, frames, raw, reading, scene.mesh, np.array([0.0, 0, 1])
        )
    poses = reading.apply(raw)
    told["cameras"] = _upright(path, poses)
    told["pixel_centers"] = "the principal point counts pixel edges from the lower left corner on disk"
    posed = tuple(
        Frame(frame.name, frame.camera, pose, None, frame.image)
        for frame, pose in zip(frames, poses, strict=True)
    )
    return replace(scene, frames=posed, dropped_frames=dropped)


def _upright(path: str, poses: Float) -> str:
    """By how cameras are held: a tripod's never hang."""
    up = float(np.median(-poses[:, 2, 1]))
    if up < UPSIDE_DOWN:
        raise InputError(
            path, f"cameras stand {up:.2f} upright (1 is level): their axes are other ones (pose_convention)",
            "contradiction",
        )  # fmt: skip
    return f"stand {up:.2f} upright"


def _at_their_places(scene: Scene, path: str) -> Scene:
    """The scene without images that do not stand at the viewpoints that they are named after.

    Raises InputError where the middle one does not.
    """
    places = {viewpoint.name: viewpoint.position for viewpoint in scene.viewpoints}
    apart = np.array(
        [
            float(np.linalg.norm(frame.camera_to_world[:3, 3] - places[name])) if name in places else 0.0
            for frame in scene.frames
            for name in (matterport_frames.panorama_of(frame.name),)
        ]
    )
    if np.median(apart) > APART:
        raise InputError(
            path,
            f"the middle camera stands {np.median(apart):.3g} m away from the viewpoint that its image is named after: "
            "another unit or other matrices (pose_convention)",
            "contradiction",
        )
    kept = tuple(frame for frame, away in zip(scene.frames, apart, strict=True) if away <= APART)
    gone = consistency.dropped(away_from_its_viewpoint=len(scene.frames) - len(kept))
    return replace(scene, frames=kept, dropped_frames=scene.dropped_frames | gone)
