"""Measures how high things of each category stand, for `height_laws.json`: see
`spatial_assets.tasks.spatialmosaic.heights`.

    python -m benchmarks.heights FOLDER

The scenes are those of `benchmarks.priors`, made below FOLDER where they do not stand there yet.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.priors import made
from benchmarks.seeds import ALL_AUDITED, OF_PRIORS
from spatial_assets.scene import tables
from spatial_assets.scene.categories import is_structure
from spatial_assets.storage.lake import Lake
from spatial_assets.tasks.spatialmosaic.heights import LAW_FILE

PACKAGE = Path(__file__).resolve().parents[1] / "spatial_assets"
SAMPLES = 24
"""Of a category, spread evenly over all that there are by the heights of their centers."""
ABOUT = (
    "Bottoms and tops of the boxes of things by category, meters above the floor (benchmarks/heights.py): at most "
    "{samples} a category, spread over {count} objects of {scenes} scenes of the studio."
)


def measured(homes: Sequence[Path]) -> tuple[Mapping[str, list[tuple[float, float]]], int]:
    """Of each category the bottoms and tops of all its objects, by the heights of their centers; how many scenes."""
    found, scenes = defaultdict(list), 0
    for home in homes:
        lake = Lake(home)
        objects, rooms = (
            pl.concat(lake.read(table, shard) for shard in lake.shards(table))
            for table in (tables.OBJECTS, tables.ROOMS)
        )
        floors = dict(zip(rooms["scene"].to_list(), rooms["floor"].to_list(), strict=True))
        scenes += objects["scene"].n_unique()
        for row in objects.iter_rows(named=True):
            floor = floors.get(row["scene"])
            if floor is None or is_structure(row["category"]):
                continue
            reach = np.abs(np.reshape(row["rotation"], (3, 3))[2]) @ np.array(row["size"]) / 2
            height = row["center"][2] - floor
            found[row["category"]].append((height - reach, height + reach))
    return {word: sorted(own, key=sum) for word, own in sorted(found.items())}, scenes


def main(folder: Path) -> None:
    if set(OF_PRIORS) & set(ALL_AUDITED):
        raise ValueError("heights would be measured on seeds that are audited; choose others")
    own, scenes = measured([made(folder / str(seed), seed) for seed in OF_PRIORS])
    count = sum(map(len, own.values()))
    heights = {}
    for word, boxes in own.items():
        places = np.unique(np.linspace(0, len(boxes) - 1, min(SAMPLES, len(boxes))).round().astype(int))
        heights[word] = [
            [round(low, 3), round(high, 3)] for low, high in (boxes[at] for at in places.tolist())
        ]
    lines = ",\n".join(f"  {json.dumps(word)}: {json.dumps(held)}" for word, held in heights.items())
    about = json.dumps(ABOUT.format(samples=SAMPLES, count=f"{count:,}", scenes=scenes))
    seeds = json.dumps(list(OF_PRIORS))
    text = f'{{\n "about": {about},\n "seeds": {seeds},\n "heights": {{\n{lines}\n }}\n}}\n'
    (PACKAGE / LAW_FILE).write_text(text, encoding="utf-8")
    print(f"{LAW_FILE}: {count} objects of {len(heights)} categories in {scenes} scenes")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
