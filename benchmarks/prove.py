"""Every bar at full size: prints required against measured, and fails if one does not hold.

`python -m benchmarks.prove [WORD ...]` runs only the measures whose names hold one of the words.
"""

from __future__ import annotations

import sys

from benchmarks import (
    boxes,
    browser,
    builds,
    cluster,
    demo,
    exports,
    frames,
    grounding,
    keyframes,
    lineage,
    memory,
    models,
    pages,
    rasterize,
    readers,
    realdata,
    registration,
    same_rooms,
    scale,
    scene,
    scoring,
    shortcuts,
    simulation,
    structure,
    suites,
    tasks,
    view_sets,
)
from benchmarks.bars import Measure, measure_all, table

MEASURES: dict[str, Measure] = {
    "rasterizer and visibility table": rasterize.bars,
    "demo": demo.bars,
    "whole scene": scene.bars,
    "keyframes": keyframes.bars,
    "view sets": view_sets.bars,
    "space-aware frames": frames.bars,
    "grounding": grounding.bars,
    "what models are trained with": models.bars,
    "memory": memory.bars,
    "box distance": boxes.bars,
    "scoring": scoring.bars,
    "tasks": tasks.bars,
    "growth of a suite's step": suites.bars,
    "forty scenes, files to SPAR's folders": scale.bars,
    "exports of a million rows": exports.bars,
    "shortcuts": shortcuts.bars,
    "registration of ten thousand folders": registration.bars,
    "readers": readers.bars,
    "structure of the code": structure.bars,
    "scenes that show one room": same_rooms.bars,
    **realdata.MEASURES,
    **builds.MEASURES,
    **cluster.MEASURES,
    "lineage of 16 million simulated questions": lineage.bars,
    "lineage over two thousand shards": lineage.growth_bars,
    "simulation of a hundred thousand scenes": simulation.bars,
    "pages and ticks over two thousand shards": pages.bars,
    **browser.MEASURES,
}


def main(words: list[str]) -> int:
    chosen = {
        name: measure
        for name, measure in MEASURES.items()
        if not words or any(word in name for word in words)
    }
    bars = measure_all(chosen)
    print("\n".join(table(bars)))
    return 0 if all(bar.holds for bar in bars) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
