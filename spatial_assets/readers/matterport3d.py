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
from dataclasses import dataclass, replace
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
SCENE_NAME = re.compile(r"[0-9A-Za-z]{11}$", re.ASCII)
FOLDERS = ("", "scans", "v1/scans", "data", "data/v1/scans")
"""Where a root may keep its scans."""
GRAPHS = ("connectivity", "")
"""Where it may keep the simulator's graphs."""
GRAPH_NAME = re.compile(r"([0-9A-Za-z]{11})_connectivity\.json", re.ASCII)
MAPPINGS = ("category_mapping.tsv", "metadata/category_mapping.tsv")
SPLITS = splits.named(r"scenes_{split}\.txt", ("", "metadata", "tasks/benchmark"), SCENE_NAME)
HOUSE, REGIONS = "house_segmentations", "region_segmentations"
SKYBOXES = matterport_panoramas.FOLDER
NEEDED = (HOUSE, REGIONS, matterport_frames.CAMERAS, matterport_frames.FOLDER)
PARTS = (*NEEDED, SKYBOXES)
"""Folders of a scan that are read; without the last a scan is as good, but for the simulator's views."""
DISTORTED = "matterport_color_images"
REGION_MESH = re.compile(r"region(\d{1,6})", re.ASCII)
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


def _look(root: Path) -> files.Found:
    folders = files.scene_folders(root, FOLDERS, SCENE_NAME)
    scans = [ref for ref in folders.scenes if _may_be_scan(root, ref.path, f"{ref.path}/{ref.name}")]
    graphs = []
    for folder in GRAPHS:
        for entry in files.entries(root, folder):
            match = GRAPH_NAME.fullmatch(entry.name)
            if match is not None:
                graphs.append(SceneRef(match[1], f"{folder}/{entry.name}".lstrip("/")))
    # A folder that only has a scan's form is none that is left out.
    said = [
        error for error in folders.left_out if error.reason != "scene_name" or _may_be_scan(root, error.file)
    ]
    # Of a scan whose folder cannot be told, the graph alone is no scene.
    taken = {ref.name for ref in scans} | {Path(error.file).name for error in said}
    found = files.told_apart([*scans, *(ref for ref in graphs if ref.name not in taken)], [])
    return files.Found(found.scenes, [*said, *found.left_out])


def _may_be_scan(root: Path, *folders: str) -> bool:
    """Whether one of the folders has a part of a scan; a folder that cannot be looked into may have some."""
    try:
        return any(
            files.is_folder(root, f"{folder}/{part}") or files.is_file(root, f"{folder}/{part}.zip")
            for folder in folders
            for part in (*PARTS, DISTORTED)
        )
    except InputError:
        return True


def find_scenes(root: Path) -> list[SceneRef]:
    return _look(root).scenes


def left_out(root: Path) -> list[InputError]:
    return _look(root).left_out


@dataclass(frozen=True)
class Listing:
    """The files that a scan has; None for what it lacks."""

    house: str | None
    meshes: tuple[matterport_surface.MeshFile, ...]
    panorama_regions: str | None
    cameras: str | None
    images: str | None
    """The folder."""
    graph: str | None
    routes: tuple[navigation.RouteFile, ...]
    mapping: str | None
    skyboxes: str | None
    """The folder."""


def _list(root: Path, ref: SceneRef) -> Listing:
    """Raises InputError for a part that is not unpacked or lacks a file, and where nothing can be read."""
    parts = {part: _part(root, ref, part) for part in PARTS}
    house, rooms = parts[HOUSE], None
    meshes: list[matterport_surface.MeshFile] = []
    if house is not None:
        files.all_there(root, [SourceFile(f"{house}/{ref.name}.house", "house")])
        rooms = _existing(root, f"{house}/panorama_to_region.txt")
        if _existing(root, f"{house}/{ref.name}.ply"):
            segments = _existing(root, f"{house}/{ref.name}.fsegs.json")
            meshes = [matterport_surface.MeshFile(f"{house}/{ref.name}.ply", segments, None)]
    if not meshes:
        _check_unpacked(root, ref, (REGIONS,))
        meshes = _region_meshes(root, parts[REGIONS])
    _check_unpacked(root, ref, tuple(part for part in NEEDED if part != REGIONS))
    conf = None
    shown, folder = parts[matterport_frames.FOLDER], parts[matterport_frames.CAMERAS]
    if shown is not None:
        where = folder if folder is not None else f"{_base(root, ref)}/{matterport_frames.CAMERAS}"
        conf = f"{where}/{ref.name}.conf"
        files.all_there(root, [SourceFile(conf, "cameras")])
    graph = next(
        (path for parent in GRAPHS if (path := _existing(root, f"{parent}/{ref.name}_connectivity.json"))),
        None,
    )
    listing = Listing(
        f"{house}/{ref.name}.house" if house is not None else None,
        tuple(meshes),
        rooms,
        conf,
        shown,
        graph,
        tuple(navigation.route_files(root)) if graph is not None else (),
        next((path for path in MAPPINGS if house is not None and files.is_file(root, path)), None),
        parts[SKYBOXES] if graph is not None else None,
    )
    if listing.house is None and not listing.meshes and conf is None and graph is None:
        hint = ""
        if _part(root, ref, DISTORTED) or files.is_file(root, f"{_base(root, ref)}/{DISTORTED}.zip"):
            hint = f"; {DISTORTED} are distorted, {matterport_frames.FOLDER} are read"
        raise InputError(ref.path, f"none of {', '.join(NEEDED)} is there, nor a graph{hint}", "no_frames")
    return listing


def _base(root: Path, ref: SceneRef) -> str:
    """The folder of the scan; of one that is known by its graph alone, where that stands."""
    return ref.path if files.is_folder(root, ref.path) else str(Path(ref.path).parent.as_posix())


def _part(root: Path, ref: SceneRef, part: str) -> str | None:
    """The folder of a part: in the scan's, or in one of the scan's name in it, as zips unpack where they lie."""
    if not files.is_folder(root, ref.path):
        return None
    inside = (f"{ref.path}/{part}", f"{ref.path}/{ref.name}/{part}")
    return next((path for path in inside if files.is_folder(root, path)), None)


def _check_unpacked(root: Path, ref: SceneRef, parts: tuple[str, ...]) -> None:
    for part in parts:
        zipped = f"{ref.path}/{part}.zip"
        if _part(root, ref, part) is None and files.is_file(root, zipped):
            raise InputError(zipped, f"not unpacked; unpack it to {ref.path}/{part}", "not_unpacked")


def _existing(root: Path, path: str) -> str | None:
    path = path.lstrip("/")
    return path if files.is_file(root, path) else None


def _region_meshes(root: Path, folder: str | None) -> list[matterport_surface.MeshFile]:
    found = []
    for stem, path in files.by_stem(root, folder, {".ply"}).items() if folder is not None else ():
        match = REGION_MESH.fullmatch(stem)
        if match is not None:
            segments = _existing(root, f"{folder}/{stem}.fsegs.json")
            found.append(matterport_surface.MeshFile(path, segments, int(match[1])))
    return found


def source_files(root: Path, ref: SceneRef) -> list[SourceFile]:
    listing = _list(root, ref)
    found = [
        SourceFile(path, role)
        for role, path in (
            ("house", listing.house), ("panorama_regions", listing.panorama_regions),
            ("cameras", listing.cameras), ("connectivity", listing.graph), ("categories", listing.mapping),
        )
        if path is not None
    ]  # fmt: skip
    for mesh in listing.meshes:
        found.append(SourceFile(mesh.path, "mesh"))
        if mesh.segments is not None:
            found.append(SourceFile(mesh.segments, "segments"))
    if listing.images is not None:
        shown = files.by_stem(root, listing.images, matterport_frames.source_images.COLOR_ENDINGS)
        found += [SourceFile(path, "image") for path in shown.values()]
    found += [
        SourceFile(path, "panorama") for path in matterport_panoramas.face_files(root, listing.skyboxes)
    ]
    found += [SourceFile(file.path, "routes") for file in listing.routes]
    return files.all_there(root, found) + SPLITS.files(root)


def read_scene(root: Path, ref: SceneRef, release: str, license: str, parameters: BaseModel) -> Scene:
    assert isinstance(parameters, Parameters)
    listing = _list(root, ref)
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
