"""From files to what is seen: sources, scenes, frame sets, visibility, overlap, view sets, rooms and maps."""

from __future__ import annotations

from spatial_assets.assets.datasets import asset_name
from spatial_assets.assets.shell import Member, step
from spatial_assets.readers.registry import READERS
from spatial_assets.report import pictures
from spatial_assets.stages import (
    cognitive_maps,
    frame_sets,
    keyframes,
    overlap,
    rooms,
    scenes,
    sources,
    view_sets,
    visibility,
)

MEMBERS = [
    Member(
        sources.STAGE,
        "Every file that a scene is read from, with its size and the hash of its bytes.",
        frozenset({"parquet"}),
        pictures.sources,
        upstream=tuple(asset_name(dataset) for dataset in READERS),
    ),
    Member(
        scenes.STAGE,
        "Scenes in one set of conventions: objects with boxes, posed frames, the labeled mesh.",
        frozenset({"parquet", "numba"}),
        pictures.scene_plan,
    ),
    Member(
        keyframes.STAGE,
        "Frame sets of a scene: keyframes by the redundancy filter, 32 uniform frames, a dense video.",
        frozenset({"parquet", "numba"}),
        pictures.camera_path,
    ),
    Member(
        visibility.STAGE,
        "Which pixels of which frame show which object: visible and amodal pixels, occlusion, "
        "truncation, boxes, depths and a marker, exact to the pixel.",
        frozenset({"parquet", "numba"}),
        pictures.observations,
    ),
    Member(
        overlap.STAGE,
        "How much of the visible surface two frames share, by area.",
        frozenset({"parquet", "numba"}),
        pictures.overlaps,
    ),
    Member(
        view_sets.STAGE,
        "Sets of two to five keyframes of which every two share little, and what each object shows in them: "
        "pixels, occlusion, truncation, the share of its surface.",
        frozenset({"parquet", "numba"}),
        pictures.view_set,
    ),
    Member(
        rooms.STAGE,
        "The room as a whole: its footprint's area, how much of it the video shows, its free floor.",
        frozenset({"parquet"}),
        pictures.scene_plan,
    ),
    Member(
        cognitive_maps.STAGE,
        "Where each object lies on a 10 x 10 grid seen from above, as VSI-Bench asks models to say.",
        frozenset({"parquet"}),
        pictures.scene_plan,
    ),
    Member(
        frame_sets.STAGE,
        "Sets of frames that models are shown: 16, 32 or 64 spread evenly over the video; 8, 16 or 32 that show most "
        "of the scene together.",
        frozenset({"parquet", "numba"}),
        pictures.frames_shown,
    ),
]

ASSETS = [step(member.stage.name, "scenes", [member]) for member in MEMBERS]
