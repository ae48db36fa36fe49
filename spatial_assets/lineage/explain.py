"""The whole chain of one question: its row, who made it, from which tables and files, and how to make it again."""

from __future__ import annotations

import json
import re
import shlex
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

import duckdb

from spatial_assets.lineage import planning, registrations
from spatial_assets.lineage.cache import Lineage
from spatial_assets.media import path_images
from spatial_assets.media.image_files import ImageFile
from spatial_assets.scene import optional_tables, tables
from spatial_assets.scene.model import InputError
from spatial_assets.scene.refs import Shard
from spatial_assets.scene.viewpoint_rows import panoramas_of
from spatial_assets.stages import pipeline
from spatial_assets.storage import release_manifest as manifest
from spatial_assets.storage.lake import Lake
from spatial_assets.storage.mirrors import shown

QA_ID = re.compile(r"[0-9a-f]{32}$")
SETTINGS = "parameters.toml"


def qa_id_of(text: str) -> str:
    """An id as the files have it; hyphens, which DuckDB prints, are taken out. Raises ValueError for none."""
    found = text.strip().lower().replace("-", "")
    if not QA_ID.match(found):
        raise ValueError(f"{text!r} is no qa_id: 32 hexadecimal digits")
    return found


def explain(home: Path, qa_id: str, lineage: Lineage | None = None) -> dict[str, Any]:
    """Everything that a question came from, as JSON.

    `question` is the row; `records` are those of its task and of all assets upstream, the task's first;
    `files` are the scene's source files: first those of the frames that the row shows, each with its `frame`, then
    what there are few of. Raises InputError where no such row stands in the lake.
    """
    qa_id = qa_id_of(qa_id)
    if lineage is None:
        with Lineage(home) as opened:
            return explain(home, qa_id, opened)
    found = lineage.query("find_question", {"qa_id": qa_id})
    if not found:
        raise InputError(home, f"no question {qa_id} stands in the lake{_released(home, qa_id)}")
    where = found[0]
    shard = next(item for item in registrations.shards(home) if item.key == where["shard"])
    of_scene = {"shard": where["shard"], "scene": where["scene"]}
    records = {row["asset"]: row for row in lineage.query("records_of_scene", of_scene)}
    row = _row(home, qa_id, where)
    return {
        "question": row,
        "records": _chain(records, where["task"]),
        "scene": _scene(lineage.query("scene", of_scene)[0], shard),
        "files": [
            {**file, "mtime": _iso(file["mtime"]), "dataset": shard.dataset, "release": shard.release,
             "absolute": shown(shard.root / file["path"])}
            for file in _shown_first(lineage.query("files_of_scene", of_scene), _shown_images(home, row, of_scene))
        ],
        "remake": remake(shard, where["scene"], where["task"], records),
        "verify": f"spatial-assets lineage verify {qa_id} --home {shlex.quote(str(home))}",
    }  # fmt: skip


def _released(home: Path, qa_id: str) -> str:
    """Which releases still hold a row that the lake does not, to end the sentence of an error."""
    con = duckdb.connect()
    holding = []
    for name in manifest.names(home):
        files = manifest.data_files(home, name)
        rows = (
            files
            and con.execute(
                "select 1 from read_parquet($files, hive_partitioning = false) where qa_id = $qa_id limit 1",
                {"files": files, "qa_id": qa_id},
            ).fetchall()
        )
        holding += [name] if rows else []
    return f"; it is in {', '.join(holding)}" if holding else ""


def _shown_images(home: Path, row: dict[str, Any], of_scene: dict[str, str]) -> dict[str, list[str]]:
    """The image of each frame that a row shows, by frame in the row's order; and under "" those of all others."""
    lake, where = Lake(home), (of_scene["shard"], of_scene["scene"])
    frames = lake.read(tables.FRAMES, *where)
    images = {
        name: ImageFile.of(image).path
        for name, image in frames.select("frame", "image").iter_rows()
        if image is not None
    }
    shown = dict.fromkeys(entry["frame"] for entry in row.get("frames", ()))
    if not images.keys() >= shown.keys():
        views = path_images.images_of(shown, panoramas_of(lake.read(optional_tables.VIEWPOINTS, *where)))
        images |= {name: ImageFile.of(image).path for name, image in views.items() if image is not None}
    held = {name: [images.pop(name)] for name in shown if name in images}
    return {**held, "": sorted(images.values())}


def _shown_first(files: list[dict[str, Any]], images: dict[str, list[str]]) -> list[dict[str, Any]]:
    """The files, each with the frame that it belongs to if the row shows it, in the order in which they say most.

    A frame's files are all of a folder that holds the image of no other frame, or else its image and what has the
    image's name in the folders beside: so the layouts keep poses, depths and masks.
    """
    paths = [PurePosixPath(file["path"]) for file in files]
    images_in = Counter(PurePosixPath(image).parent for held in images.values() for image in held)
    files_in = Counter(path.parent for path in paths)
    by_path: dict[str, str] = {}
    for frame, held in images.items():
        for image in map(PurePosixPath, held if frame else ()):
            has_folder = images_in[image.parent] == 1 and files_in[image.parent] > 1
            for path in paths:
                beside = path.stem == image.stem and path.parent.parent == image.parent.parent
                if path.parent == image.parent if has_folder else beside:
                    by_path.setdefault(str(path), frame)
    kinds = Counter(file["role"] for file in files)
    place = {frame: number for number, frame in enumerate(images)}
    shown = {image for frame, held in images.items() if frame for image in held}

    def rank(file: dict[str, Any]) -> tuple[Any, ...]:
        frame = by_path.get(file["path"])
        if frame is None:
            # Files of a kind that there are few of say more than the hundredth frame.
            return (1, kinds[file["role"]], file["role"], file["path"])
        return (0, place[frame], file["path"] not in shown, file["role"], file["path"])

    return [{**file, "frame": by_path.get(file["path"])} for file in sorted(files, key=rank)]


def _row(home: Path, qa_id: str, where: dict[str, Any]) -> dict[str, Any]:
    table = tables.of(tables.QUESTIONS, where["task"])
    rows = Lake(home).read(table, where["shard"], where["scene"])
    return next(
        (row for row in rows.iter_rows(named=True) if row["qa_id"] == qa_id), {"qa_id": qa_id, **where}
    )


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.replace(tzinfo=UTC).isoformat()


def _scene(row: dict[str, Any], shard: Shard) -> dict[str, Any]:
    (folder,) = (ref.path for ref in shard.scenes if ref.name == row["scene"])
    return {**row, "root": shown(shard.root), "path": folder}


def _chain(records: dict[str, dict[str, Any]], task: str) -> list[dict[str, Any]]:
    """The task's record and those upstream, nearest first, each input with the record that made it.

    What is read is told from the records alone, so that the chain is that of when the row was made.
    """
    maker = {table: record for record in records.values() for table in record["outputs"]}
    chain: list[dict[str, Any]] = []
    frontier, seen = [task], {task}
    while frontier:
        record = records.get(frontier.pop(0))
        if record is None:
            continue
        inputs = []
        for table, read in sorted(record["inputs"].items()):
            if not read:
                continue  # a kind of file that its scene does not have
            made = maker.get(table)
            entry = {"table": table, "hash": read, "made_by": None if made is None else made["asset"]}
            if made is not None:
                entry["as_made"] = made["outputs"][table] == read
                if made["asset"] not in seen:
                    seen.add(made["asset"])
                    frontier.append(made["asset"])
            inputs.append(entry)
        chain.append({**record, "inputs": inputs, "parameters": json.loads(record["parameters"])})
    # An asset comes behind all that read it.
    depth = dict.fromkeys(seen, 0)
    for _ in chain:
        for record in chain:
            for entry in record["inputs"]:
                if entry["made_by"] in depth:
                    depth[entry["made_by"]] = max(depth[entry["made_by"]], depth[record["asset"]] + 1)
    return sorted(chain, key=lambda record: (depth[record["asset"]], record["asset"]))


def remake(shard: Shard, scene: str, task: str, records: dict[str, dict[str, Any]]) -> list[str]:
    """Commands that make the row again, from the source files in an empty home.

    Parameters other than the defaults of today's code stand in a `parameters.toml` that the commands write.
    """
    home = "remade"
    lines = []
    commit = records[task]["commit"].rstrip("+") if task in records else ""
    if commit:
        dirty = "  # whose files differed then" if records[task]["commit"].endswith("+") else ""
        lines.append(f"git checkout {commit}{dirty}")
    seed = json.loads(records[task]["parameters"]).get("seed") if task in records else None
    settings = []
    for name in planning.needed_for(pipeline.STAGES, [task]) if task in pipeline.STAGES else []:
        if name in records:
            held = json.loads(records[name]["parameters"])
            defaults = pipeline.STAGES[name].parameters(shard.dataset).model_dump(mode="json")
            differing = {k: v for k, v in held.items() if k != "seed" and defaults.get(k) != v}
            if differing:
                settings += [f"[{name}]", *(f"{key} = {_toml(value)}" for key, value in differing.items())]
    if settings:
        text = "\\n".join(settings)
        lines.append(f"mkdir -p {home} && printf {shlex.quote(text + chr(92) + 'n')} > {home}/{SETTINGS}")
    lines.append(
        f"spatial-assets register {shard.dataset} {shlex.quote(shown(shard.root))} --release {shard.release} "
        f"--license {shlex.quote(shard.license)} --home {home}"
    )
    drawn = "" if seed in (None, 0) else f" --seed {seed}"
    what = f"--dataset {shard.dataset} --scene {shlex.quote(scene)} --task {task}{drawn}"
    lines.append(f"spatial-assets build {what} --home {home}")
    return lines


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return (
            "{" + ", ".join(f"{key} = {_toml(item)}" for key, item in value.items() if item is not None) + "}"
        )
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value)
