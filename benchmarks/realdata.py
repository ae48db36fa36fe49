"""Bars on real data: the fused sequence against its sensor, published answers against published boxes."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.bars import Bar
from spatial_assets.conformance.vsibench import run
from spatial_assets.geometry import prepare_mesh, rasterize
from spatial_assets.readers import posed_rgbd
from spatial_assets.scene.model import rigid_inverse

MEDIAN, NINETIETH, HIT = 0.01, 0.05, 0.85
EVERY_ONE = (
    "room_size_estimation",
    "object_size_estimation",
    "object_rel_direction_easy",
    "object_rel_direction_medium",
    "object_rel_direction_hard",
    "object_rel_distance",
    "object_abs_distance",
)
"""Question types whose every answerable question must match."""


def fixtures() -> Path:
    root = Path(os.environ.get("SPATIAL_ASSETS_FIXTURES", "../shared"))
    checkout = Path(__file__).resolve().parent.parent
    return root if root.is_absolute() else checkout / root


def held_out_depth() -> Iterable[Bar]:
    root = fixtures() / "scenes/posed_rgbd"
    (ref,) = posed_rgbd.find_scenes(root)
    found = posed_rgbd.read_frames(root, ref, posed_rgbd.Parameters())
    mesh = posed_rgbd.fuse_frames(root, replace(found, frames=found.frames[::2]), posed_rgbd.Parameters())
    prepared = prepare_mesh(mesh.vertices, mesh.faces)
    errors, hits, valid = [], 0, 0
    for frame in found.frames[1::2]:
        sensor = posed_rgbd.read_depth(root, found.depths[frame.name], frame, found.depth_unit)
        camera = frame.camera
        pose = rigid_inverse(frame.camera_to_world)
        _, rendered = rasterize(prepared, camera.intrinsics, pose, camera.width, camera.height)
        both = (sensor > 0) & np.isfinite(rendered)
        valid += int((sensor > 0).sum())
        hits += int(both.sum())
        errors.append(np.abs(sensor - rendered)[both])
    difference = np.concatenate(errors)
    median, ninetieth = float(np.median(difference)), float(np.percentile(difference, 90))
    name = "real sequence, even frames fused, odd frames judged"
    yield Bar(f"{name}: median", f"<= {MEDIAN * 100:g} cm", f"{median * 100:.2f} cm", median <= MEDIAN)
    yield Bar(
        f"{name}: 90th percentile",
        f"<= {NINETIETH * 100:g} cm",
        f"{ninetieth * 100:.2f} cm",
        ninetieth <= NINETIETH,
    )
    yield Bar(f"{name}: valid pixels hit", f">= {HIT:.0%}", f"{hits / valid:.1%}", hits / valid >= HIT)


def published_answers() -> Iterable[Bar]:
    folder = fixtures() / "scenes/vsibench"
    found = run(sorted(folder.glob("*_meta_info_val.json")), folder / "questions.jsonl")
    for kind in EVERY_ONE:
        matched, total = found[kind]["matched"], found[kind]["total"]
        yield Bar(
            f"VSI-Bench answers recomputed: {kind}", "all", f"{matched} of {total}", matched == total > 0
        )
    matched, total = found["object_counting"]["matched"], found["object_counting"]["total"]
    yield Bar(
        "VSI-Bench answers recomputed: object_counting",
        "all but named inconsistencies",
        f"{matched} of {total}",
        matched >= total - 5,
    )


MEASURES = {"held-out depth": held_out_depth, "published answers": published_answers}
