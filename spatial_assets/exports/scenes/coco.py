"""COCO's instances: boxes of the objects that each image of a release shows, for those who train detectors.

    <out>/<split>.json      {"info", "licenses", "categories", "images", "annotations"}
    <out>/ids.parquet       of each image where it comes from, how many boxes it has, and a hash of them
    <out>/images/           see export_images.py; nothing is drawn on them

`bbox` is x, y, width, height of an object's visible pixels, in pixels from the image's top-left corner, and `area` how
many these are. Beside COCO's own keys an annotation has `instance`, the source's own id of the object, `label`, the
source's word, `visible_share` and `occluded_share` of the pixels that it would cover alone, and `truncated_share`, of
its surface outside the image; null where that is not known. What belongs to the building, as walls, is no object here.
Categories are the canonical ones of all splits, by name.
https://cocodataset.org/#format-data
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
from PIL import Image

from spatial_assets.exports.core import files
from spatial_assets.exports.core.base import ImageMode, Options, Source
from spatial_assets.exports.core.export_images import Images
from spatial_assets.exports.core.image_checks import wrong_image
from spatial_assets.exports.core.scene_truth import SceneTruth
from spatial_assets.exports.core.source import ReleaseRows
from spatial_assets.exports.scenes import behind
from spatial_assets.exports.scenes.behind import IDS, Behind
from spatial_assets.scene.categories import is_structure
from spatial_assets.scene.model import InputError
from spatial_assets.storage.atomic import naming
from spatial_assets.storage.hashing import hash_text

SUFFIX = ".json"
CARRIES = frozenset({"split", "dataset", "release", "scene", "license"})
"""Of the questions' rows; a record is an image, with its `frame` and `boxes`."""
TAKES = frozenset({"image-format"})
OF_SCENES = True
SCHEMA = pa.schema(
    [
        ("file", pa.string()),
        ("id", pa.int64()),
        *((name, pa.string()) for name in ("split", "dataset", "release", "scene", "frame", "license")),
        ("boxes", pa.int32()),
        ("hash", pa.string()),
    ]
)
SHARE_DECIMALS = 6
EDGE = 1e-6
"""Pixels by which a box may seem to leave its image, by rounding."""
FROM_THE_BOX = ("instance", "label", "bbox", "area", "visible_share", "occluded_share", "truncated_share")


def write(source: Source, out: Path, options: Options) -> dict[str, int]:
    """Returns how many images each split has."""
    rows = behind.release_rows(source, "coco")
    splits = {split: behind.scenes(rows, split) for split in rows.splits}
    names = sorted({name for found in splits.values() for scene in found for name in _names(rows, scene)})
    categories = {name: number for number, name in enumerate(names, 1)}
    counts: dict[str, int] = {}
    first = first_box = 1
    with (
        Images.of(out, options) as images,
        files.Table(out / IDS, SCHEMA) as ids,
    ):
        for split, found in splits.items():
            file = out / f"{split}{SUFFIX}"
            number, box = first, first_box
            with naming(file), file.open("w", encoding="utf-8", newline="\n") as written:
                written.write(_head(rows.name, split, found, categories))
                licenses = {name: place for place, name in enumerate(_licenses(found), 1)}
                between = ""
                for scene, frame, path in _images(rows, split, found, images):
                    camera = behind.truth(rows, scene).cameras[frame]
                    record = {
                        "id": number, "file_name": path, "width": camera.width, "height": camera.height,
                        "license": licenses[scene.license], "dataset": scene.which[0], "release": scene.which[1],
                        "scene": scene.which[2], "frame": frame,
                    }  # fmt: skip
                    written.write(f"{between}\n{_json(record)}")
                    between, number = ",", number + 1
                written.write('\n],\n"annotations":[')
                between, number = "", first
                for scene in found:
                    truth = behind.truth(rows, scene)
                    told = []
                    for frame in _frames(truth, scene):
                        own = list(_boxes(truth, frame, categories))
                        for one in own:
                            record = {"id": box, "image_id": number, **one, "iscrowd": 0}
                            written.write(f"{between}\n{_json(record)}")
                            between, box = ",", box + 1
                        told.append(
                            {
                                "file": file.name, "id": number, "split": split, "frame": frame, "boxes": len(own),
                                "hash": _hash(own), **scene.row,
                            }
                        )  # fmt: skip
                        number += 1
                    ids.write(told)
                written.write("\n]}\n")
            if number > first:
                counts[split] = number - first
            first, first_box = number, box
    return counts


def _json(record: Mapping[str, Any]) -> str:
    return json.dumps(record, ensure_ascii=False, separators=(",", ":"))


def _names(rows: ReleaseRows, scene: Behind) -> set[str]:
    things = behind.truth(rows, scene).things.values()
    return {thing.names[0] for thing in things if not is_structure(thing.names[0])}


def _licenses(found: list[Behind]) -> list[str]:
    return sorted({scene.license for scene in found})


def _head(release: str, split: str, found: list[Behind], categories: Mapping[str, int]) -> str:
    about = f"boxes of objects in the images of release {release}, split {split}"
    parts: dict[str, Any] = {
        "info": {"description": about, "version": release},
        "licenses": [{"id": number, "name": name} for number, name in enumerate(_licenses(found), 1)],
        "categories": [{"id": number, "name": name} for name, number in categories.items()],
    }
    return "{" + "".join(f'"{name}":{_json(part)},\n' for name, part in parts.items()) + '"images":['


def _frames(truth: SceneTruth, scene: Behind) -> list[str]:
    """Of those that are shown, the ones of the sequence: what is drawn along a path has no boxes."""
    return [frame for frame in truth.cameras if frame in scene.frames]


def _images(
    rows: ReleaseRows, split: str, found: list[Behind], images: Images
) -> Iterator[tuple[Behind, str, str]]:
    """Scene, frame and path of each image of a split; its name alone where images are off."""
    for scene in found:
        frames = _frames(behind.truth(rows, scene), scene)
        if images.mode == ImageMode.NONE:
            yield from ((scene, frame, f"{scene.place}/{frame}") for frame in frames)
            continue
        for question, (path,) in images.placed(behind.shown(rows, split, scene, frames)):
            yield scene, question.row["frames"][0]["frame"], path


def _boxes(truth: SceneTruth, frame: str, categories: Mapping[str, int]) -> Iterator[dict[str, Any]]:
    for instance, seen in sorted(truth.seen.get(frame, {}).items()):
        thing = truth.things.get(instance)
        if thing is None or seen.box is None or thing.names[0] not in categories:
            continue
        x0, y0, x1, y1 = seen.box
        hidden = seen.occlusion
        yield {
            "category_id": categories[thing.names[0]],
            "bbox": [x0, y0, x1 - x0, y1 - y0],
            "area": seen.pixels,
            "instance": instance,
            "label": thing.names[1],
            "visible_share": None if hidden is None else round(1 - hidden, SHARE_DECIMALS),
            "occluded_share": None if hidden is None else round(hidden, SHARE_DECIMALS),
            "truncated_share": None if seen.truncation is None else round(seen.truncation, SHARE_DECIMALS),
        }


def _hash(boxes: list[dict[str, Any]]) -> str:
    """Of an image's boxes, by which one that was changed or put to another image is found."""
    told = [[box.get(name) for name in ("category_id", *FROM_THE_BOX)] for box in boxes]
    return hash_text(files.sound(json.dumps(told, ensure_ascii=False)))


def read_back(path: Path) -> Iterator[dict[str, Any]]:
    """A record an image, with its boxes in the order of their objects."""
    ids = behind.ids_of(path, SCHEMA)
    for (name,), own in ids.group_by("file", maintain_order=True):
        file = path / str(name)
        content = _content(file)
        by_image = _by_image(content)
        names = {entry["id"]: entry["name"] for entry in content["categories"]}
        for row, image in zip(own.iter_rows(named=True), content["images"], strict=False):
            if image.get("id") != row["id"]:
                raise InputError(
                    file, f"image {image.get('id')} was not written by this export", "malformed_file"
                )
            boxes = [
                {"category": names[box["category_id"]], **{key: box[key] for key in FROM_THE_BOX}}
                for box in by_image.get(row["id"], [])
            ]
            yield {**{key: row[key] for key in (*sorted(CARRIES), "frame")}, "boxes": boxes}
        if len(content["images"]) < len(own):
            raise InputError(file, "ends before its last image", "truncated_file")


def _content(file: Path) -> dict[str, Any]:
    """Raises InputError for what is no COCO."""
    content = files.read_json(file)
    for name in ("images", "annotations", "categories"):
        part = content.get(name) if isinstance(content, Mapping) else None
        if not isinstance(part, list) or not all(isinstance(entry, Mapping) for entry in part):
            raise InputError(file, f"no list of {name}", "malformed_file")
    return content


def _by_image(content: Mapping[str, Any]) -> dict[Any, list[dict[str, Any]]]:
    found: dict[Any, list[dict[str, Any]]] = {}
    for box in content["annotations"]:
        if _is_id(box.get("image_id")):
            found.setdefault(box["image_id"], []).append(box)
    return found


def validate(path: Path) -> list[str]:
    """Unique ids, what refers to nothing, boxes in their images, images of the size that is said, `ids.parquet`."""
    root = path if path.is_dir() else path.parent
    try:
        found = files.found(path, SUFFIX)
        ids = behind.ids_of(root, SCHEMA) if (root / IDS).exists() else None
    except InputError as error:
        return [str(error)]
    errors: list[str] = []
    for file in found:
        try:
            content = _content(file)
        except InputError as error:
            errors.append(str(error))
            continue
        wanted = None if ids is None else ids.filter(pl.col("file") == file.name)
        errors += [f"{file.name}: {what}" for what in _wrong(content, root, wanted)]
    if ids is not None and path.is_dir():
        there = {file.name for file in found}
        errors += [
            f"{name}: not there" for name in ids["file"].unique(maintain_order=True) if name not in there
        ]
    return errors


def _wrong(content: Mapping[str, Any], root: Path, ids: pl.DataFrame | None) -> Iterator[str]:
    sizes: dict[Any, tuple[float, float]] = {}
    named = not (root / "images").is_dir()
    for number, image in enumerate(content["images"]):
        where = f"image {image.get('id', number)}"
        size = (image.get("width"), image.get("height"))
        if not _is_id(image.get("id")):
            yield f"{where}: its id is no whole number"
            continue
        if image.get("id") in sizes:
            yield f"{where}: its id is another's"
        if not all(isinstance(side, int) and files.is_number(side, 1) for side in size):
            yield f"{where}: {size[0]} x {size[1]} is no size"
            continue
        sizes[image.get("id")] = size
        if not named:
            yield from (f"{where}: {what}" for what in _wrong_file(root, image))
    categories: dict[Any, str] = {}
    for number, entry in enumerate(content["categories"]):
        where = f"category {entry.get('id', number)}"
        if not _is_id(entry.get("id")) or not isinstance(entry.get("name"), str) or not entry["name"].strip():
            yield f"{where}: has no whole number for an id and text for a name"
        elif entry["id"] in categories or entry["name"] in categories.values():
            yield f"{where}: its id or its name is another's"
        else:
            categories[entry["id"]] = entry["name"]
    met: set[Any] = set()
    for number, box in enumerate(content["annotations"]):
        where = f"annotation {box.get('id', number)}"
        if other := [name for name in ("id", "image_id", "category_id") if not _is_id(box.get(name))]:
            yield f"{where}: its {other[0]} is no whole number"
            continue
        if box.get("id") in met:
            yield f"{where}: its id is another's"
        met.add(box.get("id"))
        if box.get("image_id") not in sizes:
            yield f"{where}: image {box.get('image_id')} is not there"
        elif box.get("category_id") not in categories:
            yield f"{where}: category {box.get('category_id')} is not there"
        else:
            yield from (f"{where}: {what}" for what in _wrong_box(box, sizes[box["image_id"]]))
    if ids is not None:
        yield from _against_ids(content, ids)


def _is_id(value: Any) -> bool:
    return isinstance(value, int) and files.is_number(value)


def _wrong_file(root: Path, image: Mapping[str, Any]) -> Iterator[str]:
    path = image.get("file_name")
    if not isinstance(path, str) or not path:
        yield "has no file_name"
        return
    why = wrong_image(root, path)
    if why is not None:
        yield f"{path}: {why}"
        return
    with Image.open(root / path) as opened:
        if opened.size != (image["width"], image["height"]):
            yield f"{path}: is {opened.width} x {opened.height}, not {image['width']} x {image['height']}"


def _wrong_box(box: Mapping[str, Any], size: tuple[float, float]) -> Iterator[str]:
    values = box.get("bbox")
    if not isinstance(values, list) or len(values) != 4 or not all(map(files.is_number, values)):
        yield "bbox is not x, y, width, height"
        return
    x, y, width, height = values
    if width <= 0 or height <= 0:
        yield "its bbox has no extent"
    elif x < -EDGE or y < -EDGE or x + width > size[0] + EDGE or y + height > size[1] + EDGE:
        yield f"its bbox leaves the image of {size[0]} x {size[1]}"
    elif not files.is_number(box.get("area"), 0):
        yield "its area is no number"
    elif box.get("iscrowd") not in (0, 1):
        yield "its iscrowd is neither 0 nor 1"
    elif box["area"] > width * height + EDGE:
        yield f"its area of {box['area']} is more than its bbox holds"


def _against_ids(content: Mapping[str, Any], ids: pl.DataFrame) -> Iterator[str]:
    by_image = _by_image(content)
    there = {image.get("id") for image in content["images"] if _is_id(image.get("id"))}
    for number, count, digest in ids.select("id", "boxes", "hash").iter_rows():
        if number not in there:
            yield f"image {number}: not there, where {IDS} has it"
            continue
        own = by_image.get(number, [])
        if len(own) != count:
            yield f"image {number}: {len(own)} boxes, where {IDS} has {count}"
        elif _hash(own) != digest:
            yield f"image {number}: other boxes than {IDS} has"
    for number in sorted(there - set(ids["id"])):
        yield f"image {number}: is not in {IDS}"
