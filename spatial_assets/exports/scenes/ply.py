"""Scenes as PLY: a release's meshes with an instance and a label on every vertex, colored by instance.

    <out>/<split>/<dataset>-<release>/<scene>.ply     binary little-endian, see VERTEX and FACE
    <out>/labels.json                                 {"<label>": category}, and 0, what no object owns
    <out>/ids.parquet                                 of each file its scene, counts, and a hash

Vertices in meters, z up. `instance` is the source's own id of the object, -1 where none owns the vertex, and `label`
the number of its canonical category. A vertex belongs to the object that owns most faces around it; of several, to that
with the greatest id. A source that has no mesh, but images of what each frame shows, has no file here. Images are not
part of it, whatever `--images` says. Written here and not by a library, whose headers may change with its version: the
same release gives the same bytes.
https://paulbourke.net/dataformats/ply/
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from spatial_assets.exports.core import files
from spatial_assets.exports.core.base import Options, Source
from spatial_assets.exports.core.source import ReleaseRows
from spatial_assets.exports.scenes import behind
from spatial_assets.exports.scenes.behind import IDS, Behind
from spatial_assets.scene.model import NO_INSTANCE, InputError, Mesh
from spatial_assets.storage import meshes
from spatial_assets.storage.atomic import naming
from spatial_assets.storage.hashing import hash_file

CARRIES = frozenset({"split", "dataset", "release", "scene", "license"})
"""Of the questions' rows; a record is a scene."""
OF_SCENES = True
HOLDS = "meshes"
SUFFIX, LABELS = ".ply", "labels.json"
NO_LABEL = 0
VERTEX = np.dtype(
    [("xyz", "<f4", 3), ("rgb", "u1", 3), ("instance", "<i4"), ("label", "<i4")],
)
FACE = np.dtype([("count", "u1"), ("indices", "<i4", 3)])
PROPERTIES = (
    *(f"property float {axis}" for axis in "xyz"),
    *(f"property uchar {color}" for color in ("red", "green", "blue")),
    "property int instance",
    "property int label",
)
END = b"end_header\n"
GRAY = (128, 128, 128)
"""What no object owns."""
COLOR_STEPS = (0.61803398875, 0.41421356237, 0.73205080757)
"""Irrational steps of the three colors from one instance to the next, so that neighbors differ."""
DARKEST, BRIGHTEST = 48, 240
SCHEMA = pa.schema(
    [
        ("file", pa.string()),
        *((name, pa.string()) for name in ("split", "dataset", "release", "scene", "license")),
        *((name, pa.int64()) for name in ("vertices", "faces", "instances")),
        ("hash", pa.string()),
    ]
)


def write(source: Source, out: Path, options: Options) -> dict[str, int]:
    """Returns how many scenes each split has. Raises InputError where no scene of the release has a mesh."""
    rows = behind.release_rows(source, "ply")
    splits = {split: behind.scenes(rows, split) for split in rows.splits}
    names = sorted(
        {
            thing.names[0]
            for found in splits.values()
            for scene in found
            for thing in behind.truth(rows, scene).things.values()
        }
    )
    labels = {name: number for number, name in enumerate(names, NO_LABEL + 1)}
    counts: dict[str, int] = {}
    with files.Table(out / IDS, SCHEMA) as ids:
        for split, found in splits.items():
            for scene in found:
                told = _write(rows, out, split, scene, labels)
                if told is not None:
                    ids.write([told])
                    counts[split] = counts.get(split, 0) + 1
    if not counts:
        raise InputError(rows.name, "none of its scenes has a mesh", "no_mesh")
    held = {str(number): name for name, number in labels.items()}
    (out / LABELS).write_text(json.dumps(held, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return counts


def _write(
    rows: ReleaseRows, out: Path, split: str, scene: Behind, labels: Mapping[str, int]
) -> dict[str, Any] | None:
    """Write a scene's file; returns what `ids.parquet` says of it, None where it has no mesh."""
    held = rows.scene_file(meshes.KIND, scene.row)
    if held is None:
        return None
    mesh, owners = meshes.from_ply(held)
    things = behind.truth(rows, scene).things
    instances = vertex_instances(len(mesh.vertices), mesh.faces, owners)
    own = {instance: labels[thing.names[0]] for instance, thing in things.items()}
    name = f"{split}/{scene.place}{SUFFIX}"
    file = out / name
    file.parent.mkdir(parents=True, exist_ok=True)
    with naming(file):
        file.write_bytes(to_ply(mesh, instances, own))
    return {
        "file": name, "split": split, **scene.row, "vertices": len(mesh.vertices), "faces": len(mesh.faces),
        "instances": len(np.unique(instances[instances != NO_INSTANCE])), "hash": hash_file(file),
    }  # fmt: skip


def vertex_instances(count: int, faces: NDArray[np.int32], owners: NDArray[np.int32]) -> NDArray[np.int32]:
    """Which object each vertex belongs to.

    Parameters
    ----------
    count : int
        How many vertices there are.
    faces : (F, 3) array
        Their vertices.
    owners : (F,) array
        Their instances, NO_INSTANCE where none owns one.

    Returns
    -------
    (count,) array
        The instance of most faces around each vertex, of several the greatest; NO_INSTANCE where there are none.
    """
    found = np.full(count, NO_INSTANCE, np.int32)
    pairs = np.stack((faces.reshape(-1), np.repeat(owners, 3)), axis=1)
    if len(pairs):
        pairs, votes = np.unique(pairs, axis=0, return_counts=True)
        order = np.lexsort((pairs[:, 1], votes, pairs[:, 0]))
        # Of one vertex's rows the last is written last, and that is the one with most faces.
        found[pairs[order, 0]] = pairs[order, 1]
    return found


def colors(instances: NDArray[np.int32]) -> NDArray[np.uint8]:
    """(N, 3), the same of an instance in every scene; gray where there is none."""
    steps = np.modf((instances[:, None].astype(np.float64) + 1) * np.array(COLOR_STEPS))[0]
    shades = (DARKEST + steps * (BRIGHTEST - DARKEST)).astype(np.uint8)
    return np.where((instances == NO_INSTANCE)[:, None], np.array(GRAY, np.uint8), shades)


def to_ply(mesh: Mesh, instances: NDArray[np.int32], labels: Mapping[int, int]) -> bytes:
    """A mesh with its vertices' instances (V,), and by instance its label, as one file's bytes."""
    vertices = np.zeros(len(mesh.vertices), VERTEX)
    vertices["xyz"], vertices["rgb"], vertices["instance"] = mesh.vertices, colors(instances), instances
    kinds, where = np.unique(instances, return_inverse=True)
    of_kinds = np.array([labels.get(int(kind), NO_LABEL) for kind in kinds], np.int32)
    if len(kinds):
        vertices["label"] = of_kinds[where]
    faces = np.zeros(len(mesh.faces), FACE)
    faces["count"], faces["indices"] = 3, mesh.faces
    header = [
        "ply",
        "format binary_little_endian 1.0",
        "comment meters, z up",
        f"element vertex {len(vertices)}",
        *PROPERTIES,
        f"element face {len(faces)}",
        "property list uchar int vertex_indices",
        "end_header",
    ]
    return "\n".join(header).encode() + b"\n" + vertices.tobytes() + faces.tobytes()


def from_ply(file: Path) -> tuple[NDArray[np.void], NDArray[np.void]]:
    """Vertices (V,) and faces (F,) of a file of this format, as VERTEX and FACE. Raises InputError for any other."""
    try:
        data = file.read_bytes()
    except OSError as error:
        raise InputError(file, f"cannot be read: {error.strerror}", "unreadable_file") from None
    end = data.find(END)
    header = data[: max(end, 0)].decode("ascii", "replace").splitlines()
    counts = [
        int(line.split()[-1]) for line in header if line.startswith("element ") and line.split()[-1].isdigit()
    ]
    properties = [
        line for line in header if line.startswith("property ") and not line.startswith("property list")
    ]
    if end < 0 or len(counts) != 2 or header[1:2] != ["format binary_little_endian 1.0"]:
        raise InputError(file, "no binary little-endian PLY of vertices and faces", "malformed_file")
    if tuple(properties) != PROPERTIES:
        raise InputError(file, "its vertices have not this format's properties", "malformed_file")
    size = counts[0] * VERTEX.itemsize + counts[1] * FACE.itemsize
    start = end + len(END)
    if len(data) != start + size:
        why = f"{len(data) - start:,} bytes where its header asks for {size:,}"
        raise InputError(file, why, "truncated_file")
    vertices = np.frombuffer(data, VERTEX, counts[0], start)
    return vertices, np.frombuffer(data, FACE, counts[1], start + vertices.nbytes)


def read_back(path: Path) -> Iterator[dict[str, Any]]:
    """A record a scene, with its counts and the labels of its instances."""
    names = _labels(path / LABELS)
    for row in behind.ids_of(path, SCHEMA).iter_rows(named=True):
        vertices, faces = from_ply(path / row["file"])
        pairs = np.unique(vertices[["instance", "label"]])
        try:
            instances = {
                int(instance): names[str(label)]
                for instance, label in pairs.tolist()
                if instance != NO_INSTANCE
            }
        except KeyError as label:
            raise InputError(
                path / row["file"], f"label {label} is not in {LABELS}", "malformed_file"
            ) from None
        yield {
            **{name: row[name] for name in sorted(CARRIES)},
            "vertices": len(vertices),
            "faces": len(faces),
            "instances": instances,
        }


def validate(path: Path) -> list[str]:
    """Headers against lengths, corners that are there, one label an instance, `labels.json` and `ids.parquet`."""
    root = path if path.is_dir() else path.parent
    try:
        found = behind.files_below(path, SUFFIX)
    except InputError as error:
        return [str(error)]
    errors: list[str] = []
    labels: Mapping[str, str] | None = None
    ids: pl.DataFrame | None = None
    try:
        if (root / LABELS).exists():
            labels = _labels(root / LABELS)
        if (root / IDS).exists():
            ids = behind.ids_of(root, SCHEMA)
            if labels is None:
                errors.append(str(InputError(root / LABELS, "not there", "missing_file")))
    except InputError as error:
        errors.append(str(error))
    hashes = {} if ids is None else dict(ids.select("file", "hash").iter_rows())
    return errors + behind.file_problems(path, found, hashes, lambda file: _wrong(file, labels))


def _labels(file: Path) -> Mapping[str, str]:
    """Raises InputError for what is no names by label."""
    labels = files.read_json(file)
    if not isinstance(labels, Mapping) or not all(isinstance(name, str) and name for name in labels.values()):
        raise InputError(file, "not names by label", "malformed_file")
    return labels


def _wrong(file: Path, labels: Mapping[str, str] | None) -> Iterator[str]:
    try:
        vertices, faces = from_ply(file)
    except InputError as error:
        yield error.what
        return
    if len(faces) and not (faces["indices"].min() >= 0 and faces["indices"].max() < len(vertices)):
        yield "a face has a corner that is no vertex"
    if not np.isfinite(vertices["xyz"]).all():
        yield "a vertex is nowhere"
    pairs = np.unique(vertices[["instance", "label"]])
    instances, counts = np.unique(pairs["instance"], return_counts=True)
    yield from (
        f"instance {own} has {count} labels"
        for own, count in zip(instances, counts, strict=True)
        if count > 1
    )
    if labels is not None:
        unknown = [
            label for label in np.unique(pairs["label"]).tolist() if label and str(label) not in labels
        ]
        yield from (f"label {label} is not in {LABELS}" for label in unknown)
