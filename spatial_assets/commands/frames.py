"""`spatial-assets frames`: which frames of a scene to show a model that takes few."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from spatial_assets.commands.options import AS_JSON, HOME, plainly
from spatial_assets.commands.printing import print_json, print_lines, print_table, warn, word_table

if TYPE_CHECKING:
    from spatial_assets.stages.space_aware import Sampled

HEADS = ("place in the video", "frame", "voxels added", "image")


@click.group()
def frames() -> None:
    """Frames of a scene to show a model that takes few."""


@frames.command(epilog="Example: spatial-assets frames sample scene0000_00 --k 16 --out frames.json")
@click.argument("scene")
@HOME
@click.option("--dataset", help="Of this dataset, where several have a scene of that name.")
@click.option(
    "--k", "wanted", type=click.IntRange(1), default=16, show_default=True, help="Frames to choose."
)
@click.option(
    "--candidates",
    type=click.IntRange(1),
    help="Frames spread evenly over the video that are chosen among; 128 where nothing is said.",
)
@click.option(
    "--points",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="An .npz with world_points and world_points_conf that a model predicted; without, the scene's own geometry.",
)
@click.option("--official", is_flag=True, help="Spatial-MLLM's released rule, which may give fewer.")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="Write the list to this file, as JSON."
)
@AS_JSON
@plainly
def sample(
    scene: str,
    home: Path,
    dataset: str | None,
    wanted: int,
    candidates: int | None,
    points: Path | None,
    official: bool,
    out: Path | None,
    as_json: bool,
) -> None:
    """Choose the frames that together show most of SCENE (Spatial-MLLM's space-aware sampling).

    Of frames spread evenly over the video, one after another is taken that adds most voxels to what is seen; where
    none adds any, the one that sees least of what the others see.
    """
    from spatial_assets.lineage.registrations import find_scenes
    from spatial_assets.scene.inputs import SceneInputs
    from spatial_assets.scene.model import InputError
    from spatial_assets.stages.space_aware import Parameters
    from spatial_assets.stages.space_aware import sample as choose
    from spatial_assets.storage.atomic import replace_text
    from spatial_assets.storage.lake import Lake

    found = find_scenes(home.resolve(), scene, dataset)
    if len(found) > 1:
        raise InputError(
            scene, f"{', '.join(sorted(it.key for it in found))} have it; give --dataset", "ambiguous"
        )
    inputs = SceneInputs(Lake(home.resolve()), found[0], found[0].scenes[0])
    chosen: dict[str, Any] = {"rule": "official" if official else "exact"}
    if candidates is not None:
        chosen["candidates"] = candidates
    sampled = choose(inputs, Parameters(**chosen), wanted, points)
    held = _plain(inputs.which, chosen["rule"], sampled)
    if out is not None:
        replace_text(out, json.dumps(held, indent=1) + "\n")
    if as_json:
        print_json(held)
    else:
        rows = [
            (
                str(one["position"]),
                one["frame"],
                "" if one["added"] is None else str(one["added"]),
                one["image"] or "",
            )
            for one in held["frames"]
        ]
        print_table(word_table(rows, HEADS))
        print_lines([_summary(sampled)])
    if len(sampled.frames) < wanted:
        warn(f"the official rule stopped at {len(sampled.frames)} of {wanted} frames: no other adds a voxel")


def _plain(which: dict[str, str], rule: str, sampled: Sampled) -> dict[str, Any]:
    return {
        **which,
        "rule": rule,
        "geometry": sampled.source,
        "candidates": sampled.candidates,
        "voxels": sampled.voxels,
        "frames": [
            {"position": view.position, "frame": view.frame, "image": view.image, "added": gain}
            for view, gain in zip(sampled.frames, sampled.gains, strict=True)
        ],
    }


def _summary(sampled: Sampled) -> str:
    told = f"{len(sampled.frames)} of {sampled.candidates} candidates, by {sampled.source}"
    if sampled.voxels is None:
        return told
    shown = sum(gain or 0 for gain in sampled.gains)
    return f"{told}; they show {shown:,} of the {sampled.voxels:,} voxels that all candidates show"
