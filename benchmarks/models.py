"""All that models are trained and tested with beyond the published suites, of one scene: sets of frames, what holds for
them, moments of the video, objects located, layouts, twins.

    python -m benchmarks.models
"""

from __future__ import annotations

import gc
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks import frames, scene, tasks
from benchmarks.bars import Bar, measure_all
from benchmarks.bars import table as table_of
from spatial_assets.scene.inputs import SceneInputs
from spatial_assets.scene.refs import Shard
from spatial_assets.scene.twin_laws import broken
from spatial_assets.stages.questions import facts_of
from spatial_assets.storage.lake import Lake
from spatial_assets.tasks.core.generate import generate
from spatial_assets.tasks.registry import tasks as all_tasks

WANTED_SECONDS = 0.6
ROUNDS = 12
"""Of the fastest is told: what others do on the machine is not to be measured."""
SUITES = ("vsti", "grounding")
TWINS = 3
"""Questions of each task and format that are asked once more under each law."""


def suites(home: Path, shard: Shard) -> dict[str, float]:
    """Core seconds of each suite by core calls, tables read anew, the fastest of some rounds."""
    found = {}
    for suite in SUITES:
        taken = []
        for number in range(ROUNDS + 1):
            gc.collect()
            taken.append(tasks.write_all(home, shard, home / "calls", number, suite))
        found[suite] = min(taken[1:])
    return found


def twins(home: Path, shard: Shard) -> tuple[float, int]:
    """Core seconds that the twins of SPAR's, VSI-Bench's and SpatialMosaic's questions cost beyond the questions, and
    how many there are; each of them is held to its law."""
    facts = facts_of(SceneInputs(Lake(home), shard, shard.scenes[0]))
    chosen = [task for task in all_tasks().values() if task.suite not in SUITES]
    best = {0: float("inf"), TWINS: float("inf")}
    count = 0
    for _ in range(ROUNDS):
        for many in best:
            begun = time.process_time()
            made = [generate(task, facts, task.parameters(twins=many)) for task in chosen]
            best[many] = min(best[many], time.process_time() - begun)
    for found in made:
        rows = {row["qa_id"]: row for row in found.rows}
        for row in rows.values():
            if row["twin_of"] is not None:
                count += 1
                assert broken(row["law"], rows[row["twin_of"]], row) is None
    return max(best[TWINS] - best[0], 0.0), count


def bars() -> Iterator[Bar]:
    sets, judged = frames.together()
    with scene.files() as root, tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "calls").mkdir()
        shard = tasks.build(home, root, tasks.MEASURED)
        parts = {
            "sets of frames": sets,
            **{f"verdicts on {suite}": seconds for suite, (seconds, _) in judged.items()},
            **suites(home, shard),
        }
        more, count = twins(home, shard)
    parts[f"{count:,} twins"] = more
    whole = sum(parts.values())
    yield Bar(
        "sets of frames, what holds for them, moments, objects located, layouts and twins of a scene of 200 keyframes",
        f"<= {WANTED_SECONDS:g} s of one core",
        f"{whole:.3f} s: {', '.join(f'{name} {seconds:.3f}' for name, seconds in parts.items())}",
        whole <= WANTED_SECONDS,
    )


if __name__ == "__main__":
    print("\n".join(table_of(measure_all({"models": bars}))))
