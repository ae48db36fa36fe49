"""Measures the laws of answers that option sets follow from, and writes their data files.

    python -m benchmarks.laws [--scenes N] [--seed S]

`studio` is measured on furnished homes of the studio, boxes alone; `scans` on the rooms of ScanNet and ARKitScenes
whose boxes VSI-Bench publishes, below SPATIAL_ASSETS_FIXTURES. Only answers that a task would keep count: words that
name one object and nothing else, words for several that people count alike.
"""

from __future__ import annotations

import argparse
import json
import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.seeds import OF_LAWS
from spatial_assets.scene.categories import canonical, is_countable, is_structure, may_mean
from spatial_assets.studio.scene import make_scene, plan_of
from spatial_assets.tasks.core.video import rooms
from spatial_assets.tasks.vsi import object_counting, object_size_estimation

PACKAGE = Path(__file__).resolve().parents[1] / "spatial_assets"
FIXTURES = Path(os.environ.get("SPATIAL_ASSETS_FIXTURES", PACKAGE.parents[1] / "shared"))
SCANS = ("scannet", "arkitscenes")
LEVELS = [0, 0.01, 0.025, *(round(0.05 * step, 2) for step in range(1, 20)), 0.975, 0.99, 1]
LEAST_ANSWERS = {"studio": 80, "scans": 40}
"""Of fewer, a law would be mostly noise."""
SEEN_WELL = 0.9
"""Of 100 objects in the studio's videos 87 to 93 are seen well, and a word counts only if all that it stands for are:
of so many, this to the power of their number. Found on sixty furnished scenes."""
LEAST_NUMBERS = 4
LEAST_TIMES = 5
"""A count that came up more rarely has no share that is known."""
AREAS = 10_000
FACES = 1000
"""Boxes depend on the vertices alone."""


@dataclass
class Room:
    area: float
    things: list[tuple[str, float]]
    """Category and longest side, meters."""


def studio_room(seed: int, index: int) -> Room:
    scene = make_scene(seed, index, FACES, 0, (320, 240), images=False)
    things = [(canonical(thing.category), float(max(thing.size))) for thing in scene.objects]
    return Room(scene.plan.area, things)


def studio_area(seed: int, index: int) -> float:
    """Of the floor plan alone, which takes no time."""
    return plan_of(seed, index).area


def scanned_rooms() -> Iterator[Room]:
    for dataset in SCANS:
        path = FIXTURES / "scenes/vsibench" / f"{dataset}_meta_info_val.json"
        for entry in json.loads(path.read_text()).values():
            boxes = entry["object_bbox"]
            held = json.loads(boxes.replace("'", '"')) if isinstance(boxes, str) else boxes
            things = [
                (canonical(word), max(box["axesLengths"])) for word, found in held.items() for box in found
            ]
            yield Room(entry["room_size"], things)


def groups(room: Room) -> Iterator[tuple[str, list[float]]]:
    """Words that stand for nothing else in the room, with the longest sides of what they stand for."""
    found: dict[str, list[float]] = defaultdict(list)
    for word, size in room.things:
        if not is_structure(word):
            found[word].append(size)
    for word, sizes in found.items():
        if not any(other != word and may_mean(word, other) for other in found):
            yield word, sizes


def quantiles(values: Iterable[float], digits: int) -> list[float]:
    return [round(float(it), digits) for it in np.quantile(np.array(list(values)), LEVELS)]


def measure(rooms: list[Room], areas: Sequence[float], least: int) -> dict[str, dict[str, Any]]:
    sizes, counts = defaultdict(list), defaultdict(Counter)
    for room in rooms:
        for word, found in groups(room):
            if len(found) == 1:
                sizes[word].append(100 * found[0])
            elif is_countable(word):
                counts[word][len(found)] += 1
    common = {
        word: {number: times for number, times in sorted(found.items()) if times >= LEAST_TIMES}
        for word, found in sorted(counts.items())
        if found.total() >= least
    }
    return {
        rooms.LAWS: {"": quantiles(areas, 2)},
        object_size_estimation.LAWS: {
            word: quantiles(found, 1) for word, found in sorted(sizes.items()) if len(found) >= least
        },
        object_counting.LAWS: {
            word: {str(number): round(times * SEEN_WELL**number, 2) for number, times in found.items()}
            for word, found in common.items()
            if len(found) >= LEAST_NUMBERS
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scenes", type=int, default=740)
    parser.add_argument("--seed", type=int, default=OF_LAWS, help="no other data should be made with it")
    arguments = parser.parse_args()
    with ProcessPoolExecutor() as pool:
        homes = list(pool.map(partial(studio_room, arguments.seed), range(arguments.scenes)))
        areas = list(pool.map(partial(studio_area, arguments.seed), range(AREAS), chunksize=100))
    write(homes, areas, list(scanned_rooms()), arguments.seed)


def write(homes: list[Room], areas: list[float], scans: list[Room], seed: int) -> None:
    kinds = {
        "studio": measure(homes, areas, LEAST_ANSWERS["studio"]),
        "scans": measure(scans, [room.area for room in scans], LEAST_ANSWERS["scans"]),
    }
    for path, what in (
        (rooms.LAWS, "quantiles of floor areas in square meters"),
        (object_size_estimation.LAWS, "quantiles of longest sides in centimeters, by category"),
        (object_counting.LAWS, "how often a room has so many of a category"),
    ):
        count = len(areas) if path == rooms.LAWS else len(homes)
        held = {
            "about": f"Right answers, from which wrong options follow: {what}.",
            "seeds": [seed],
            "source": {
                "studio": f"{count} homes of the studio, seed {seed}, by benchmarks/laws.py",
                "scans": f"{len(scans)} rooms of ScanNet and ARKitScenes in the meta information of VSI-Bench "
                "(vision-x-nyu/thinking-in-space, Apache-2.0), by the same",
            },
            **({} if path == object_counting.LAWS else {"levels": LEVELS}),
            "laws": {kind: found[path] for kind, found in kinds.items()},
        }
        lines = json.dumps(held, indent=1, ensure_ascii=False)
        (PACKAGE / path).write_text(compact(lines) + "\n", encoding="utf-8")


def compact(text: str) -> str:
    """Numbers of one law on one line."""
    return re.sub(r"[\[{][^\[\]{}a-z]*[\]}]", lambda found: " ".join(found[0].split()), text)


if __name__ == "__main__":
    main()
