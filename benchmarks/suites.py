"""Whether the step of a suite grows with the scenes of its shard, in memory or in seconds a scene.

    python -m benchmarks.suites

One scene's tables stand under 200 names, so that whatever differs between the tenth and the last is the step's doing.
Each suite is measured in a process of its own; one that seems to grow is measured again, since what grows does so every
time. Linux only: resident sizes are read from /proc.
"""

from __future__ import annotations

import gc
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import polars as pl

from benchmarks import scene
from benchmarks.bars import Bar
from benchmarks.memory import status
from spatial_assets.assets import partitions
from spatial_assets.engine.runner import Runner
from spatial_assets.lineage import records
from spatial_assets.readers import scannet
from spatial_assets.scene.refs import SceneRef
from spatial_assets.stages import pipeline
from spatial_assets.stages.budgets import STAGES as BUDGETS
from spatial_assets.stages.questions import SUITES
from spatial_assets.storage.lake import Lake, conform, write_parquet
from spatial_assets.studio.scene import make_scene

SCENES, SETTLED = 200, 10
FACES, FRAMES, SIZE = 20_000, 60, (320, 240)
"""A small scene: what is looked for is growth, not speed."""
WANTED_GROWTH, WANTED_SLOWDOWN = 1.05, 1.10
"""Of resident memory from the tenth scene to the last, and of the seconds of the last forty scenes against forty
after the tenth, each by what a piece of work that cannot grow took beside it: a machine that others use becomes slower
and faster by a tenth within minutes."""
COMPARED = 40
TRIES = 3
"""Of a suite that seems to become slower: where a scene takes milliseconds, a tenth of them is noise."""
ASKED = {"ScanQA": 200, "SQA3D": 100}
"""Questions that people wrote about a scene, about ten times as many as the collections have."""


@dataclass(frozen=True)
class Growth:
    suite: str
    tenth: float
    """Megabytes resident when the tenth scene was committed."""
    last: float
    early: float
    """Seconds of processor time a scene, median, after the tenth; at the machine's median pace."""
    late: float
    questions: int

    @property
    def slower(self) -> float:
        """How many times as long a scene takes at the end."""
        return self.late / self.early


def simulated(home: Path) -> None:
    """A home in which one scene's tables stand under many names, all in one shard, up to where suites begin."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "scenes"
        scene.write_scene(root, make_scene(scene.SEED, scene.INDEX, FACES, FRAMES, SIZE))
        write_questions(root)
        shard = scene.registered(Path(folder) / "home", root)
        # What is asked, and what is made of what was asked.
        later = {name for suite in SUITES.values() for name in suite} | BUDGETS.keys()
        runner = Runner(Path(folder) / "home", pipeline.STAGES)
        for stage in pipeline.STAGES.values():
            if stage.name not in later:
                runner.run(stage, shard, pipeline.parameters(runner.home, stage, shard.dataset))
        names = [f"scene{number:04d}_00" for number in range(SCENES)]
        lake, made = Lake(home), runner.lake
        refs = [SceneRef(name, name) for name in names]
        partitions.registry(home).register("scannet", "bench", scannet.LICENSE, root, refs, SCENES)
        for stage in pipeline.STAGES.values():
            if stage.name in later:
                continue
            for table in stage.tables:
                rows = made.read(table, shard.key)
                copies = pl.concat([rows.with_columns(scene=pl.lit(name)) for name in names])
                write_parquet(lake.table_path(table, shard.key), conform(table, copies))
            (record,) = records.load(runner.home, stage.name, shard.key).values()
            held = {name: replace(record, scene=name) for name in names}
            records.save(home, stage.name, shard.key, held)


def write_questions(root: Path) -> None:
    """Files of both collections that are quoted, about the scene."""
    scanqa, sqa3d = (range(count) for count in ASKED.values())
    asked = {"scene_id": scene.NAME, "question": "What stands by the wall?"}
    files: dict[str, object] = {
        "ScanQA_v1.0_train.json": [
            {**asked, "question_id": f"train-{number}", "answers": [f"chair {number}"]} for number in scanqa
        ],
        "v1_balanced_questions_train_scannetv2.json": {
            "questions": [
                {**asked, "question_id": number, "situation": "I face the door."} for number in sqa3d
            ]
        },
        "v1_balanced_sqa_annotations_train_scannetv2.json": {
            "annotations": [
                {"scene_id": scene.NAME, "question_id": number, "answers": [{"answer": f"chair {number}"}]}
                for number in sqa3d
            ]
        },
    }
    for name, content in files.items():
        (root / name).write_text(json.dumps(content), "utf-8")


def measured(home: Path, suite: str) -> Growth:
    """In this process: one step of the suite over the shard, on one core."""
    (shard,) = partitions.registry(home).shards()
    stages = list(SUITES[suite].values())
    seconds: list[float] = []
    paces: list[float] = []
    resident: list[float] = []
    done, begun = 0, time.process_time()

    def told(*_: str) -> None:
        nonlocal done, begun
        done += 1
        if done % len(stages) == 0:
            seconds.append(time.process_time() - begun)
            gc.collect()
            resident.append(status("VmRSS"))
            paces.append(pace())
            begun = time.process_time()  # without looking for garbage, which takes as long as a scene

    parameters = {stage.name: pipeline.parameters(home, stage, shard.dataset) for stage in stages}
    reports = Runner(home, pipeline.STAGES, progress=told).run_together(stages, shard, parameters)
    failed = [line for report in reports.values() for line in report.errors.values()]
    if failed or len(seconds) != SCENES:
        raise RuntimeError(failed[0] if failed else f"{len(seconds)} scenes")
    usual = statistics.median(paces)
    seconds = [spent * usual / beside for spent, beside in zip(seconds, paces, strict=True)]
    return Growth(
        suite,
        resident[SETTLED - 1],
        resident[-1],
        statistics.median(seconds[SETTLED : SETTLED + COMPARED]),
        statistics.median(seconds[-COMPARED:]),
        sum(
            count
            for report in reports.values()
            for name, count in report.rows.items()
            if "questions/" in name
        ),
    )


def pace() -> float:
    """Seconds of processor time for a piece of work that is always the same, the best of three."""
    found = []
    for _ in range(3):
        begun = time.process_time()
        rows = [{"place": number, "name": str(number)} for number in range(10_000)]
        pl.DataFrame(rows).sort("name").to_dicts()
        found.append(time.process_time() - begun)
    return min(found)


def tried(suite: str) -> Iterator[Growth]:
    """One measurement in a process and a home of its own; more of a suite that seems to become slower."""
    for _ in range(TRIES):
        with tempfile.TemporaryDirectory() as home:
            simulated(Path(home))
            command = [sys.executable, "-m", "benchmarks.suites", home, suite]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        growth = Growth(**json.loads(done.stdout))
        yield growth
        if growth.slower <= WANTED_SLOWDOWN:
            return


def run() -> dict:
    """Measures and prints; returns the same as plain data."""
    found = []
    for suite in SUITES:
        growth = min(tried(suite), key=lambda growth: growth.slower)
        found.append(asdict(growth))
        print(
            f"{suite}: {growth.questions:,} questions about {SCENES} scenes; "
            f"{growth.tenth:.0f} MB after scene {SETTLED}, {growth.last:.0f} MB at the end; "
            f"{1e3 * growth.early:.0f} ms a scene, at the end {1e3 * growth.late:.0f}"
        )
    return {"suites": found}


def bars() -> Iterator[Bar]:
    for growth in run()["suites"]:
        memory, slower = growth["last"] / growth["tenth"], growth["late"] / growth["early"]
        yield Bar(
            f"memory of the step of {growth['suite']} over {SCENES} scenes, at the end against after the tenth",
            f"<= {WANTED_GROWTH:g} x",
            f"{memory:.2f} x ({growth['last']:.0f} MB, {growth['tenth']:.0f} MB)",
            memory <= WANTED_GROWTH,
        )
        yield Bar(
            f"seconds a scene of the step of {growth['suite']}, the last {COMPARED} of {SCENES} against the first",
            f"<= {WANTED_SLOWDOWN:g} x",
            f"{slower:.2f} x ({1e3 * growth['late']:.0f} ms, {1e3 * growth['early']:.0f} ms)",
            slower <= WANTED_SLOWDOWN,
        )


def main(arguments: list[str]) -> None:
    if not arguments:
        run()
        return
    home, suite = arguments
    print(json.dumps(asdict(measured(Path(home), suite))))


if __name__ == "__main__":
    main(sys.argv[1:])
