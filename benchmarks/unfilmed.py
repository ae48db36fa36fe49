"""Homes of the studio that nobody films, for tasks with an answer or two a scene: hundreds of them in minutes.

Of a room's area the floor plan is enough, of counts the list of what stands there. The questions are made by the
tasks themselves, about tables that say what a video would show: nothing is drawn, and no mesh is made.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from spatial_assets.engine.workers import in_processes
from spatial_assets.scene import tables
from spatial_assets.scene.categories import canonical, is_structure
from spatial_assets.scene.frames import VIDEO
from spatial_assets.scene.model import MADE_BY, Fact
from spatial_assets.scene.tables import QUESTIONS, Table, of
from spatial_assets.storage.lake import Lake, conform, write_parquet
from spatial_assets.studio.files import PROGRAM, studio_name
from spatial_assets.studio.scene import layout_of, plan_of
from spatial_assets.tasks.core.draws import Draw
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.generate import generate
from spatial_assets.tasks.registry import task as task_named
from spatial_assets.tasks.spar import room_size
from spatial_assets.tasks.vsi import object_counting, room_size_estimation

DATASET, RELEASE, SHARD = "vsibench", "unfilmed", "vsibench-unfilmed-0000"
SEEN_WELL = 0.9
"""Of 100 objects in the studio's videos 87 to 93 are seen well; of those that are not nothing is asked."""
WELL, BADLY = 0.05, 0.0005
"""Shares of the image: far above, and far below, what a task asks for."""
WIDTH, HEIGHT = 640, 480
OF_AREAS = (room_size.TASKS[0].name, room_size_estimation.NAME)
"""Tasks that ask for a room's area alone."""
HOMES = {**dict.fromkeys(OF_AREAS, 1_600), object_counting.NAME: 1_600}
"""By task, homes enough for a thousand rows with options: one of nearly every area, seven of five homes' counts."""


def add(home: Path, seed: int, tasks: Sequence[str], workers: int | None = None) -> None:
    """Put the questions of these tasks, of HOMES, about homes of a seed into the lake of `home`."""
    for name in tasks:
        scenes = (
            of_areas(seed, HOMES[name])
            if name in OF_AREAS
            else of_words(seed, workers or os.cpu_count() or 1)
        )
        chosen = task_named(name)
        rows = [row for facts in scenes for row in generate(chosen, facts, chosen.parameters()).rows]
        table = of(QUESTIONS, name)
        path = Lake(home).table_path(table, SHARD)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_parquet(path, conform(table, rows))


def of_areas(seed: int, homes: int) -> Iterator[SceneFacts]:
    """Empty homes, all of whose floor the video shows."""
    for index in range(homes):
        yield scene(index, [], plan_of(seed, index).area)


def of_words(seed: int, workers: int) -> Iterator[SceneFacts]:
    """Furnished homes; where things stand and how large they are is not told."""
    calls = [(index,) for index in range(HOMES[object_counting.NAME])]
    futures = in_processes(workers, partial(words_of, seed), calls)
    for index, future in enumerate(futures):
        yield scene(index, future.result(), None)


def words_of(seed: int, index: int) -> list[str]:
    """Categories of what stands in a home, one of each object."""
    found = [canonical(thing.model.label) for thing in layout_of(seed, index).placed if thing.model.label]
    return [word for word in found if not is_structure(word)]


def scene(index: int, words: Sequence[str], area: float | None) -> SceneFacts:
    """What the tables would say of a video of one frame."""
    which = {"dataset": DATASET, "release": RELEASE, "scene": studio_name(index)}
    frame = "0"
    rows: dict[str, list[dict[str, Any]]] = {
        tables.SCENES.name: [
            {"facts": sorted(Fact), "conventions": [{"what": MADE_BY, "found": PROGRAM}]},
        ],
        tables.OBJECTS.name: [
            {
                "instance": place,
                "name": str(place),
                "category": word,
                "label": word,
                "center": [0.0, 0.0, 0.0],
                "size": [1.0, 1.0, 1.0],
                "rotation": np.eye(3).ravel().tolist(),
            }
            for place, word in enumerate(words)
        ],
        tables.FRAMES.name: [
            {
                "frame": frame,
                "position": 0,
                "width": WIDTH,
                "height": HEIGHT,
                "intrinsics": np.eye(3).ravel().tolist(),
                "camera_to_world": np.eye(4).ravel().tolist(),
            }
        ],
        tables.KEYFRAMES.name: [{"set": VIDEO, "position": 0, "frame": frame}],
        tables.VISIBILITY.name: [
            {"frame": frame, "instance": place, **_shown(which["scene"], place)}
            for place in range(len(words))
        ],
        tables.ROOMS.name: [] if area is None else [_room(area)],
    }

    def read(table: Table) -> pl.DataFrame:
        full = [{**dict.fromkeys(table.schema.names), **which, **row} for row in rows.get(table.name, ())]
        return pl.DataFrame(full, table.empty().schema) if full else table.empty()

    return SceneFacts(which, "", read)


def _shown(scene: str, place: int) -> dict[str, Any]:
    share = WELL if Draw.of(scene, str(place)).unit("seen well") < SEEN_WELL else BADLY
    pixels = round(share * WIDTH * HEIGHT)
    return {
        "visible_px": pixels,
        "amodal_px": pixels,
        "occlusion": 0.0,
        "truncation": 0.0,
        "visible_vertex_fraction": 0.5,
        "center_distance": 2.0,
    }


def _room(area: float) -> dict[str, Any]:
    seen = dict.fromkeys(("area", "area_low", "area_high", "seen_area"), area)
    return {**seen, "floor": 0.0, "walled": 1.0, "low": [0.0, 0.0], "high": [1.0, 1.0], "cell": 1.0,
            "origin": [0.0, 0.0], "free": []}  # fmt: skip
