"""SPAR-Bench of one's own: Parquet with the published features, 20 tasks from held-out scenes, marks drawn.

    <out>/data/test-00000-of-00001.parquet     id, img_type, format_type, task, source, image, question, answer
    <out>/origins.jsonl                        where each row comes from: the release's row, its scene, license, marks
    <out>/report.json, README.md               counts by task and check, chance levels; the same as a data card

`datasets.load_dataset` opens the folder as it opens the published dataset, and the released evaluator takes its rows.
https://huggingface.co/datasets/jasonzhango/SPAR-Bench, https://github.com/LogosRoboticsGroup/SPAR
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from spatial_assets.exports.core import files
from spatial_assets.exports.core.base import ImageMode, Options, Question, Source
from spatial_assets.exports.core.bench_source import TEST
from spatial_assets.exports.core.bench_tables import aligned, markdown
from spatial_assets.exports.core.source import ReleaseRows
from spatial_assets.exports.spar_bench import check
from spatial_assets.exports.spar_bench.check import DATA, FEATURES, ORIGINS, REPORT, SCHEMA
from spatial_assets.exports.spar_bench.cut import Cut, cut
from spatial_assets.exports.spar_bench.image_bytes import Picture, with_images
from spatial_assets.exports.spar_bench.report import (
    CHECK_HEAD,
    HEAD,
    checks,
    remarks,
    report,
    table,
)
from spatial_assets.exports.spar_bench.tasks import bench_tasks
from spatial_assets.releases.reviews import content_hash
from spatial_assets.scene.english import plural
from spatial_assets.scene.model import InputError
from spatial_assets.storage import release_manifest as manifest

FROM_THE_ROW = ("qa_id", "dataset", "release", "scene", "license", "frames", "marks")
"""Columns that stand in the origins as they are."""
CARRIES = frozenset({*FROM_THE_ROW, "split", "task", "format", "question", "answer"})
TAKES = frozenset({"size", "unreviewed"})
HOLDS = "images"
"""Whatever becomes of images elsewhere: those who ask for the format ask for copies."""
GROUP_ROWS = 64
"""Of a row group: with images in it, what a reader must hold at once."""
CARD = "README.md"


def write(source: Source, out: Path, options: Options) -> dict[str, int]:
    """Raises InputError where the release has no held-out scenes, and ValueError for one without images."""
    if options.images == ImageMode.NONE:
        raise ValueError("spar-bench holds its images; --images none is not for it")
    if not isinstance(source, ReleaseRows):
        raise TypeError("spar-bench is cut from a release's rows")
    made = cut(source, options)
    release_id = manifest.load(source.home, source.name)["id"]
    told = report(made, source.name, release_id, options)
    _write_rows(made, out, options.shards)
    (out / REPORT).write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (out / CARD).write_text(_card(told), encoding="utf-8")
    return {made.split: told["rows"]}


def _write_rows(made: Cut, out: Path, shards: int) -> None:
    kept = made.kept
    shards = max(1, min(shards, len(kept)))
    (out / DATA).mkdir()
    rows = with_images(kept)
    with (out / ORIGINS).open("w", encoding="utf-8", newline="\n") as origins:
        for number in range(shards):
            size = (number + 1) * len(kept) // shards - number * len(kept) // shards
            path = out / DATA / f"{TEST}-{number:05d}-of-{shards:05d}.parquet"
            with files.Table(path, SCHEMA) as writer:
                held: list[dict[str, Any]] = []
                for _ in range(size):
                    id, question, pictures = next(rows)
                    held.append(_row(id, question, pictures))
                    origins.write(json.dumps(_origin(id, question), ensure_ascii=False) + "\n")
                    if len(held) == GROUP_ROWS:
                        writer.write(held)
                        held = []
                if held:
                    writer.write(held)


def _row(id: int, question: Question, pictures: list[Picture]) -> dict[str, Any]:
    row = question.row
    task = bench_tasks()[row["task"]]
    images = [
        {"bytes": data, "path": f"{id}_{number}{ending}"} for number, (data, ending) in enumerate(pictures)
    ]
    values = (
        id,
        task.kind,
        row["format"],
        row["task"],
        row["dataset"],
        images,
        row["question"],
        row["answer"],
    )
    return dict(zip(FEATURES, values, strict=True))


def _origin(id: int, question: Question) -> dict[str, Any]:
    row = question.row
    return {
        "id": id,
        "split": question.split,
        **{name: row[name] for name in FROM_THE_ROW},
        "answer": row["answer"],
        "hash": content_hash(row),
    }


def _card(told: dict[str, Any]) -> str:
    images = "  - name: image\n    sequence: image"
    features = "\n".join(
        images if name == "image" else f"  - name: {name}\n    dtype: {'int64' if name == 'id' else 'string'}"
        for name in FEATURES
    )
    lines = [
        "---",
        "configs:",
        "- config_name: default",
        "  data_files:",
        f"  - split: {TEST}",
        f"    path: {DATA}/{TEST}-*",
        "dataset_info:",
        "  features:",
        features,
        "---",
        "",
        "# SPAR-Bench",
        "",
        f"{plural(told['rows'], 'question')} of its 20 tasks about {plural(told['scenes'], 'held-out scene')}: "
        f"size {told['size']} of release {told['release']} ({told['release_id'][:12]}), split {told['split']}, "
        f"seed {told['seed']}.",
        "",
        "What the scenes' terms allow goes for their images here: " + "; ".join(told["licenses"]) + ".",
        "",
        *markdown(HEAD, table(told)),
        "",
        "Chance levels are percentages under the official scorer.",
        "",
        *(f"- {line}" for line in remarks(told)),
        "",
        *markdown(CHECK_HEAD, checks(told)),
        "",
    ]
    return "\n".join(lines)


def read_back(path: Path) -> Iterator[dict[str, Any]]:
    folder = path if path.is_dir() else path.parent.parent
    origins = check.origins(folder)
    for file in check.data_files(path):
        for row in check.rows(file, ("id", "task", "format_type", "question", "answer")):
            try:
                origin = origins[row["id"]]
                yield {
                    **{name: origin[name] for name in (*FROM_THE_ROW, "split")},
                    "task": row["task"],
                    "format": row["format_type"],
                    "question": row["question"],
                    "answer": row["answer"],
                }
            except KeyError as error:
                raise InputError(
                    folder / ORIGINS, f"row {row['id']}: nothing is said of {error}", "malformed_file"
                ) from None


def validate(path: Path) -> list[str]:
    """Schema, ids by task, images opened, answers as the scorer reads them, options, counts; of any SPAR-Bench."""
    return check.examine(path)


def told(path: Path) -> list[str]:
    """What an export of it is to say on the screen: counts and chance levels."""
    held = files.read_json(path / REPORT)
    return [*aligned(HEAD, table(held)), *remarks(held)]
