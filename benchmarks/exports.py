"""A release of a million simulated rows written in formats of trainers, without images; and images with marks drawn.

    python -m benchmarks.exports [--rows N] [FORMAT ...]

Rows are as long as real ones: of a task with one image and a mark, one with three images and two boxes, one with 32
frames of a video, and one with options. Every format is a process of its own, of which rows a minute by the clock, core
seconds and the greatest resident size are told. Images are of ScanNet's size; a second export finds them in the folder
that exports share. Prints required against measured.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from benchmarks.bars import Bar
from spatial_assets.exports.core.base import ImageMode, Options, Question, Shot
from spatial_assets.exports.core.export_images import Images
from spatial_assets.exports.core.source import ReleaseRows
from spatial_assets.exports.run import export
from spatial_assets.scene.tables import QUESTIONS
from spatial_assets.storage import release_manifest as manifest

ROWS, PER_SCENE, NAME, SPLIT = 1_000_000, 500, "simulated", "train"
FORMATS = ("spar", "qwen-vl", "hf")
WANTED_ROWS, WANTED_MEGABYTES = 200_000, 1_000
"""A minute, and of a process."""
WIDTH, HEIGHT = 1296, 968
PICTURES, SOURCES = 400, 40
"""Images with marks, and images that they are drawn on."""
MEGABYTE = 1_000_000
BASE: Mapping[str, Any] = {
    "dataset": "scannet", "release": "v2", "license": "ScanNet Terms of Use (non-commercial)", "format": "fill",
    "instruction": "Answer with a number.", "options": None, "value": [1.5372], "margin": 0.0127, "margins": [0.0127],
    "margin_unit": "m", "template": "q1", "ordinal": 0, "given": [], "diagnostics": None, "coordinates": None,
}  # fmt: skip
STEM = (
    "The red point marks one object and the blue box another: how far is the one from the other, in meters?"
)


def _shown(count: int, role: str) -> dict[str, Any]:
    frames = [{"role": f"{role}-{place}", "frame": f"{37 * place:06d}"} for place in range(count)]
    return {"frames": frames, "sizes": [[WIDTH, HEIGHT]] * count}


def _mark(shape: str, color: str, frame: str, xy: list[int]) -> dict[str, Any]:
    return {"role": color, "shape": shape, "color": color, "frame": frame, "xy": xy}


def _patterns() -> dict[str, tuple[float, dict[str, Any]]]:
    """By task its share of the rows, and a row."""
    choice = (
        " A. a black office chair; B. the table by the window; C. a lamp; D. the bed. Answer with a letter."
    )
    options = ["a black office chair", "the table by the window", "a lamp", "the bed"]
    return {
        "depth_prediction_oc": (0.35, {
            **_shown(1, "view"), "answer": "1.5", "objects": [{"role": "red", "instance": 7}],
            "marks": [_mark("point", "red", "000000", [412, 530])], "mark_pixels": [[533.9, 513.2]],
        }),
        "distance_infer_center_oo_mv": (0.3, {
            **_shown(3, "view"), "answer": "2.4",
            "objects": [{"role": "red", "instance": 7}, {"role": "blue", "instance": 9}],
            "marks": [
                _mark("box", "red", "000000", [100, 200, 300, 400]),
                _mark("box", "blue", "000037", [500, 100, 900, 700]),
            ], "mark_pixels": [[129.6, 193.6, 388.8, 387.2], [648.0, 96.8, 1166.4, 677.6]],
        }),
        "obj_count": (0.1, {
            **_shown(32, "frame"), "answer": "3", "objects": [], "marks": [], "mark_pixels": None,
        }),
        "obj_spatial_relation_oo": (0.25, {
            **_shown(1, "view"), "format": "select", "answer": "B", "question": STEM + choice, "options": options,
            "objects": [{"role": "red", "instance": 7}], "marks": [_mark("point", "red", "000000", [412, 530])],
            "mark_pixels": [[533.9, 513.2]],
        }),
    }  # fmt: skip


def simulate(home: Path, rows: int) -> int:
    """Write a release of about so many rows; returns how many it has."""
    folder = manifest.folder(home, NAME)
    scenes, files, tasks = [], [], {}
    for task, (share, pattern) in sorted(_patterns().items()):
        count = max(1, round(share * rows / PER_SCENE)) * PER_SCENE
        row = {**BASE, "stem": STEM, "question": f"{STEM} {BASE['instruction']}", "task": task, **pattern}
        one = pa.Table.from_pylist([row | {"qa_id": "", "scene": ""}], QUESTIONS.schema)
        block = one.take(pa.array([0] * PER_SCENE))
        path = folder / manifest.data_path(SPLIT, task)
        path.parent.mkdir(parents=True, exist_ok=True)
        with pq.ParquetWriter(path, QUESTIONS.schema, compression="zstd") as writer:
            for number in range(count // PER_SCENE):
                scene = f"scene{number:04d}_00"
                ids = [
                    hashlib.blake2b(f"{task}/{scene}/{n}".encode(), digest_size=16).hexdigest()
                    for n in range(PER_SCENE)
                ]
                for name, values in (("qa_id", ids), ("scene", [scene] * PER_SCENE)):
                    place = QUESTIONS.schema.get_field_index(name)
                    block = block.set_column(place, QUESTIONS.schema.field(name), pa.array(values))
                writer.write_table(block)
                scenes.append(
                    {"split": SPLIT, "task": task, "dataset": BASE["dataset"], "release": BASE["release"],
                     "scene": scene, "space": scene, "rows": PER_SCENE}
                )  # fmt: skip
        files.append({"path": manifest.data_path(SPLIT, task), "bytes": path.stat().st_size})
        tasks[task] = {"rows": count}
    pq.write_table(pa.Table.from_pylist(scenes, manifest.SCENE_ROWS), manifest.scenes_path(home, NAME))
    held = {
        "id": "0" * 64,
        "tasks": tasks,
        "splits": {SPLIT: {}},
        "files": files,
        "licenses": [BASE["license"]],
    }
    (folder / manifest.MANIFEST).write_text(json.dumps(held), encoding="utf-8")
    return sum(task["rows"] for task in tasks.values())


def written(home: Path, form: str, out: Path) -> dict[str, float]:
    """One format in this process: rows, seconds by the clock and of cores, and megabytes at most."""
    begun = time.perf_counter()
    made = export(form, ReleaseRows(home, NAME), out, Options(ImageMode.NONE))
    seconds = time.perf_counter() - begun
    own = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "rows": made.rows, "seconds": seconds, "cores": own.ru_utime + own.ru_stime,
        "megabytes": own.ru_maxrss * 1024 / MEGABYTE,
    }  # fmt: skip


def _questions(root: Path) -> Iterator[Question]:
    for number in range(PICTURES):
        frame = f"{number % SOURCES}"
        x, y = 100 + 2 * (number % 400), 100 + 7 * (number % 100)
        marks = (_mark("point", "red", frame, [x, y]), _mark("box", "blue", frame, [x, y, x + 90, y + 150]))
        row = {"dataset": "d", "release": "v1", "scene": "s", "qa_id": f"{number:032x}"}
        yield Question(row, SPLIT, (Shot("view", frame, f"{frame}.jpg", root, marks),))


def drawn(folder: Path) -> dict[str, float]:
    """Images a second: drawn, drawn into an empty store, and found there by a second export."""
    root = folder / "source"
    root.mkdir(parents=True)
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    for number in range(SOURCES):
        noise = np.random.default_rng(number).integers(0, 24, (HEIGHT, WIDTH, 3))
        smooth = np.stack([x * 200 // WIDTH, y * 200 // HEIGHT, (x + y) * 200 // (WIDTH + HEIGHT)], axis=2)
        Image.fromarray((smooth + noise).astype(np.uint8)).save(root / f"{number}.jpg", quality=90)
    rates = {}
    for name, store in (("drawn", None), ("drawn and kept", folder / "store"), ("found", folder / "store")):
        begun = time.perf_counter()
        with Images(folder / name, ImageMode.DRAW, store=store) as images:
            count = sum(len(paths) for _, paths in images.placed(_questions(root)))
        rates[name] = count / (time.perf_counter() - begun)
    return rates


def run(rows: int = ROWS, forms: tuple[str, ...] = FORMATS) -> dict[str, Any]:
    """Measures and prints; returns the same as plain data."""
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        count = simulate(home, rows)
        print(f"{count:,} simulated rows", flush=True)
        for form in forms:
            done = subprocess.run(
                [sys.executable, "-m", "benchmarks.exports", "--one", form, "--home", str(home),
                 "--out", f"{folder}/{form}"],
                capture_output=True, text=True, check=True,
            )  # fmt: skip
            told = json.loads(done.stdout)
            found[form] = {**told, "rate": told["rows"] / told["seconds"] * 60}
            print(
                f"{form}: {found[form]['rate']:,.0f} rows a minute ({told['seconds']:.1f} s, {told['cores']:.1f} core "
                f"seconds), {told['megabytes']:.0f} MB",
                flush=True,
            )
        found["images"] = drawn(Path(folder) / "images")
    for name, rate in found["images"].items():
        print(f"images {name}: {rate:.0f} a second")
    return found


def bars() -> Iterator[Bar]:
    found = run()
    for form in FORMATS:
        held = found[form]
        yield Bar(
            f"a million rows as {form}, without images",
            f">= {WANTED_ROWS:,} rows a minute, < {WANTED_MEGABYTES:,} MB",
            f"{held['rate']:,.0f}, {held['megabytes']:.0f} MB",
            held["rate"] >= WANTED_ROWS and held["megabytes"] < WANTED_MEGABYTES,
        )
    rates = found["images"]
    yield Bar(
        "images with marks a second",
        "found in the store >= 3 times as fast as drawn",
        f"drawn {rates['drawn']:.0f}, found {rates['found']:.0f}",
        rates["found"] >= 3 * rates["drawn"],
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("forms", nargs="*", default=FORMATS)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--one")
    parser.add_argument("--home", type=Path)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(written(given.home, given.one, given.out)))
    else:
        run(given.rows, tuple(given.forms))


if __name__ == "__main__":
    main()
