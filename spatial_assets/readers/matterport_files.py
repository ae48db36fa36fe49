"""Where the files of a Matterport3D scan are: the folders that its zips unpack to, the simulator's graph, routes.

How a scan's folders lie is in `matterport3d`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from spatial_assets.readers import (
    files,
    matterport_frames,
    matterport_panoramas,
    matterport_surface,
    navigation,
    source_images,
)
from spatial_assets.scene.model import InputError
from spatial_assets.scene.refs import SceneRef, SourceFile

SCENE_NAME = re.compile(r"[0-9A-Za-z]{11}$", re.ASCII)
FOLDERS = ("", "scans", "v1/scans", "data", "data/v1/scans")
"""Where a root may keep its scans."""
GRAPHS = ("connectivity", "")
"""Where it may keep the simulator's graphs."""
GRAPH_NAME = re.compile(r"([0-9A-Za-z]{11})_connectivity\.json", re.ASCII)
MAPPINGS = ("category_mapping.tsv", "metadata/category_mapping.tsv")
HOUSE, REGIONS = "house_segmentations", "region_segmentations"
SKYBOXES = matterport_panoramas.FOLDER
NEEDED = (HOUSE, REGIONS, matterport_frames.CAMERAS, matterport_frames.FOLDER)
PARTS = (*NEEDED, SKYBOXES)
"""Folders of a scan that are read; without the last a scan is as good, but for the simulator's views."""
DISTORTED = "matterport_color_images"
REGION_MESH = re.compile(r"region(\d{1,6})", re.ASCII)


def look(root: Path) -> files.Found:
    """The scans of a root and what is none, though it looks so; a scan may be known by its graph alone."""
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


def list_files(root: Path, ref: SceneRef) -> Listing:
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


def source_files(root: Path, listing: Listing) -> list[SourceFile]:
    """All of them with their roles."""
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
        shown = files.by_stem(root, listing.images, source_images.COLOR_ENDINGS)
        found += [SourceFile(path, "image") for path in shown.values()]
    found += [
        SourceFile(path, "panorama") for path in matterport_panoramas.face_files(root, listing.skyboxes)
    ]
    return found + [SourceFile(file.path, "routes") for file in listing.routes]
