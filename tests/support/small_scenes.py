"""A small whole scene in every layout that is read, for tests that read it many hundred times.

A reader of which nothing is said here is given what the studio writes for it, and where the studio has no layout of its
name, what `write_small(root)` of the file that tests it writes: `tests/readers/test_<name>.py`.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from tiny import CUBES, write_scannet

from spatial_assets.readers.registry import READERS
from spatial_assets.studio.layouts.registry import LAYOUTS as STUDIO
from spatial_assets.studio.write import write_scenes

FRAMES, SIZE, FACES = 6, (48, 36), 3000


def scannet(root: Path) -> None:
    write_scannet(root, frames=FRAMES)


def vsibench(root: Path) -> None:
    boxes: dict[str, list[dict[str, Any]]] = {}
    for cube in CUBES:
        box = {
            "centroid": cube.center,
            "axesLengths": cube.size,
            "normalizedAxes": np.eye(3).ravel().tolist(),
        }
        boxes.setdefault(cube.label, []).append(box)
    counts = {label: len(group) for label, group in boxes.items()}
    scene = {"room_size": 20.5, "object_counts": counts, "object_bbox": boxes}
    (root / "small_meta_info_val.json").write_text(json.dumps({"scene0000_00": scene}))


def rescanned(root: Path) -> None:
    """A home of which things were moved before it was scanned again."""
    write_scenes(root, "three_rscan", 2, 9, FACES, FRAMES, SIZE)


def packed(root: Path) -> None:
    """A scan with its sequence in an archive, of which every other file is deflated."""
    write_scenes(root, "three_rscan", 1, 9, FACES, FRAMES, SIZE)
    (folder,) = root.glob("*/sequence")
    pack(folder)
    shutil.rmtree(folder)


def pack(folder: Path) -> None:
    """The archive beside a folder that holds the same."""
    with zipfile.ZipFile(folder.with_suffix(".zip"), "w") as archive:
        for place, path in enumerate(sorted(folder.iterdir())):
            method = zipfile.ZIP_DEFLATED if place % 2 else zipfile.ZIP_STORED
            archive.writestr(zipfile.ZipInfo(path.name), path.read_bytes(), method)


WRITERS: dict[str, Callable[[Path], None]] = {
    "scannet": scannet,
    "vsibench": vsibench,
    "three_rscan_again": rescanned,
    "three_rscan_packed": packed,
}
PARAMETERS: dict[str, dict[str, Any]] = {
    "posed_rgbd": {"voxel": 0.1},
    "structured3d": {"depth_step": 1},
    "hypersim": {"depth_step": 1},
}
"""What makes reading quick."""
READ_AS = {
    "scannet_sens": "scannet",
    "scannetpp_fisheye": "scannetpp",
    "scannetpp_raw": "scannetpp",
    "arkitscenes_raw": "arkitscenes",
    "three_rscan_again": "three_rscan",
    "three_rscan_packed": "three_rscan",
}
"""Layouts in which a dataset comes beside the one that has its reader's name."""
LAYOUTS = (*READERS, *READ_AS)


def _matterport3d_more(root: Path) -> None:
    (path,) = root.rglob("*.house")
    lines = [line.split() for line in path.read_text().splitlines()]
    kinds = [line for line in lines if line[0] == "C"]
    rows = [f"{words[2]}\t{words[3].replace('#', ' ')}\tthing\t{k % 41}" for k, words in enumerate(kinds)]
    table = "\n".join(["index\traw_category\tcategory\tnyu40id", *rows])
    (root / "category_mapping.tsv").write_text(table + "\n")
    panoramas = [f"{words[2]} {words[1]} {words[3]} b\n" for words in lines if words[0] == "P"]
    (path.parent / "panorama_to_region.txt").write_text("".join(panoramas))
    (root / "scenes_train.txt").write_text(f"{path.stem}\n")
    guide = []
    for k, way in enumerate(json.loads((root / "R2R_train.json").read_text())):
        own = {"instruction_id": k, "language": "en-US", "instruction": "Go on.", "split": "train"}
        guide.append(json.dumps(way | own) + "\n")
    (root / "rxr_train_guide.jsonl").write_text("".join(guide))


def _scannet_more(root: Path) -> None:
    words = "\n".join(
        ["id\traw_category\tnyu40id", *(f"{k}\t{cube.label}\t7" for k, cube in enumerate(CUBES))]
    )
    (root / "scannetv2-labels.combined.tsv").write_text(words + "\n")
    (root / "scannetv2_val.txt").write_text("scene0000_00\n")


def _three_rscan_more(root: Path) -> None:
    (scene,) = (path.parent.name for path in root.glob("*/semseg.v2.json"))
    (root / "train.txt").write_text(f"{scene}\n")


def _structured3d_more(root: Path) -> None:
    (root / "errata.txt").write_text("# rooms\nscene_00900_room_12\n")


def _arkitscenes_more(root: Path) -> None:
    (path,) = root.rglob("*_3dod_annotation.json")
    row = f"{path.parent.name},421123,{path.parent.parent.name}"
    (root / "3dod_train_val_splits.csv").write_text(f"video_id,visit_id,fold\n40000000,NA,Training\n{row}\n")


MORE: dict[str, Callable[[Path], None]] = {
    "matterport3d": _matterport3d_more,
    "scannet": _scannet_more,
    "three_rscan": _three_rscan_more,
    "structured3d": _structured3d_more,
    "arkitscenes": _arkitscenes_more,
}


def write_more(root: Path, layout: str) -> None:
    """Beside a small scene what a download brings apart, and what is read where it is there."""
    if layout in MORE:
        MORE[layout](root)


def write_small(root: Path, layout: str) -> None:
    """One scene."""
    root.mkdir(parents=True, exist_ok=True)
    if layout in WRITERS:
        WRITERS[layout](root)
    elif layout in STUDIO:
        write_scenes(root, layout, 1, 9, FACES, FRAMES, SIZE)
    else:
        _own_writer(layout)(root)


def _own_writer(reader: str) -> Callable[[Path], None]:
    """Raises FileNotFoundError where no file tests the reader, AttributeError where it writes no scene."""
    file = Path(__file__).resolve().parents[1] / "readers" / f"test_{reader}.py"
    spec = importlib.util.spec_from_file_location(f"small_scene_of_{reader}", file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    writer: Callable[[Path], None] = module.write_small
    return writer
