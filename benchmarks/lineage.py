"""Lineage at the size of a published dataset, simulated: 16 million questions about 10,000 scenes in 40 tasks.

    python -m benchmarks.lineage [--scenes N] [--tasks N] [--rows N] [--home DIR]

The lake and the records are written by the project's own writers, with made-up contents; what is measured
is the rebuild of lineage.duckdb, explain, impact and stale. Prints required against measured.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.bars import Bar
from spatial_assets.lineage import cache, impact, planning, records, stale
from spatial_assets.lineage.cache import Lineage
from spatial_assets.lineage.code_versions import stage_version
from spatial_assets.lineage.explain import explain
from spatial_assets.lineage.records import Record
from spatial_assets.scene import tables
from spatial_assets.scene.refs import SceneRef, Shard
from spatial_assets.stages import pipeline
from spatial_assets.stages.sources import SourceWatch
from spatial_assets.stages.stage import Stage, name_of, writers
from spatial_assets.storage.hashing import hash_file
from spatial_assets.storage.lake import Lake, write_parquet
from spatial_assets.storage.shards import Registry

SCENES, TASKS, ROWS, SHARD = 10_000, 40, 16_000_000, 50
FRAMES, OBJECTS = 60, 30
DATASET, RELEASE, LICENSE = "vsibench", "v1", "simulated"
"""A format that holds all its scenes in one file, so that looking at files is not what is measured."""
REPEATS = 5
THREADS = 2
REQUIRED = {"rebuild": 60.0, "explain": 0.5, "impact of a scene": 0.5, "stale, nothing to do": 5.0}
"""Seconds, on two cores."""
GROWN_FROM, GROWN_TO = 200, 2_000
"""Shards of the homes whose rebuilds are compared."""
GROWN_SCENES, GROWN_TASKS = 3, 3
"""Of them: few, since their files are what is counted."""
GROWN_SLACK, GROWN_MEMORY, GROWN_PART = 1.3, 2.0, 0.5
"""Over growth in a line; of memory, which parts of fifty shards bound; of a rebuild after one change."""


@dataclass
class Simulation:
    home: Path
    scenes: int
    tasks: int
    rows: int
    per_shard: int = SHARD

    @property
    def rows_per_scene(self) -> int:
        """Of one task."""
        return max(1, self.rows // (self.scenes * self.tasks))

    def stages(self) -> dict[str, Stage]:
        """The project's stages, and as many tasks as are asked for, made up after the first one."""
        upstream: dict[str, Stage] = {}
        writer = writers(pipeline.STAGES)
        for name, stage in pipeline.STAGES.items():
            # What reads a task's questions stays away with the tasks.
            if not _is_task(stage) and all(writer[name_of(read)] in upstream for read in stage.reads):
                upstream[name] = stage
        pattern = next(stage for stage in pipeline.STAGES.values() if _is_task(stage))
        names = [f"task_{number:02d}" for number in range(self.tasks)]
        made = {
            name: replace(pattern, name=name, writes=(tables.of(tables.QUESTIONS, name),)) for name in names
        }
        return {**upstream, **made}


def _is_task(stage: Stage) -> bool:
    return any(table.name.startswith("questions/") for table in stage.writes)


def _key(dataset: str, release: str, batch: int) -> str:
    return f"{dataset}-{release}-{batch:04d}"


def simulate(simulation: Simulation, stages: dict[str, Stage]) -> None:
    """Write the source file, the registry, the lake's tables that lineage reads, and every record."""
    root = simulation.home / "source"
    root.mkdir(parents=True)
    names = [f"room{number:05d}" for number in range(simulation.scenes)]
    scene = {"object_bbox": {}, "object_counts": {}, "room_size": 1.0}
    (root / "simulated_meta_info_val.json").write_text(json.dumps(dict.fromkeys(names, scene)))
    refs = [SceneRef(name, "simulated_meta_info_val.json") for name in names]
    registry = Registry(simulation.home, _key)
    registry.register(DATASET, RELEASE, LICENSE, root, refs, simulation.per_shard)
    for shard in registry.shards():
        _write_shard(simulation, stages, shard)


def _write_shard(simulation: Simulation, stages: dict[str, Stage], shard: Shard) -> None:
    home, lake = simulation.home, Lake(simulation.home)
    watch = SourceWatch(home, shard, rehash=False)
    prints = {ref.name: watch.fingerprint(ref) for ref in shard.scenes}
    watch.close()
    writer = writers(stages)
    held: dict[str, dict[str, Record]] = {}
    for name, stage in stages.items():
        code = stage_version(stage, shard.dataset)
        parameters = planning.parameters_json(pipeline.parameters(home, stage, shard.dataset))
        held[name] = {}
        for ref in shard.scenes:
            made = {name_of(read): held[writer[name_of(read)]][ref.name] for read in stage.reads}
            plan = planning.plan(stage, code, parameters, made, prints[ref.name] if not stage.reads else None)
            outputs = {output: _made_up(name, output, ref.name) for output in stage.outputs}
            held[name][ref.name] = Record(
                asset=name, shard=shard.key, scene=ref.name, status=records.DONE, input_hash=plan.wanted,
                output_hash=records.output_hash(outputs), inputs=dict(plan.inputs), outputs=outputs,
                rows=dict.fromkeys(outputs, 1), code_version=code, parameters=parameters, seconds=0.1,
                started="2026-01-01T00:00:00.000+00:00", ended="2026-01-01T00:00:00.100+00:00", run_id="simulated",
            )  # fmt: skip
        records.save(home, name, shard.key, held[name])
        if _is_task(stage):
            write_parquet(lake.table_path(stage.writes[0], shard.key), _questions(simulation, name, shard))
    _write_scene_tables(lake, shard)


def _made_up(*parts: str) -> str:
    return hashlib.blake2b("/".join(parts).encode(), digest_size=16).hexdigest()


def _questions(simulation: Simulation, task: str, shard: Shard) -> pa.Table:
    """Rows of one task and shard, with ids and choices that follow from their names alone."""
    each = simulation.rows_per_scene
    count = each * len(shard.scenes)
    seed = int.from_bytes(hashlib.blake2b(f"{task}/{shard.key}".encode(), digest_size=8).digest(), "big")
    rng = np.random.default_rng(seed)
    text = rng.bytes(16 * count).hex()
    ids = [text[start : start + 32] for start in range(0, 32 * count, 32)]
    scene = [ref.name for ref in shard.scenes for _ in range(each)]
    frames, first, second = rng.integers(0, FRAMES, count), *rng.integers(0, OBJECTS, (2, count))
    answers = [f"{value:.1f}" for value in rng.uniform(0.5, 8, count)]
    stems = [
        f"How deep is object {a}, if object {b} is {c} meters away?"
        for a, b, c in zip(first.tolist(), second.tolist(), answers, strict=True)
    ]
    columns: dict[str, list[Any]] = {
        "qa_id": ids,
        "dataset": [shard.dataset] * count,
        "release": [shard.release] * count,
        "license": [shard.license] * count,
        "scene": scene,
        "task": [task] * count,
        "format": ["fill"] * count,
        "question": [f"{stem} Answer with a number." for stem in stems],
        "stem": stems,
        "instruction": ["Answer with a number."] * count,
        "answer": answers,
        "options": [None] * count,
        "value": [[float(answer)] for answer in answers],
        "margin": rng.uniform(0.001, 0.05, count).tolist(),
        "frames": [[{"role": "image", "frame": str(frame)}] for frame in frames.tolist()],
        "objects": [
            [{"role": "red", "instance": a}, {"role": "blue", "instance": b}]
            for a, b in zip(first.tolist(), second.tolist(), strict=True)
        ],
        "marks": [[]] * count,
        "template": [f"q{number}" for number in rng.integers(0, 9, count).tolist()],
        "ordinal": [0] * count,
        "given": [[1.0]] * count,
    }  # fmt: skip
    schema = tables.QUESTIONS.schema
    return pa.table(
        [pa.array(columns.get(field.name) or _unread(field, count), field.type) for field in schema],
        schema=schema,
    )


def _unread(field: pa.Field, count: int) -> list[Any]:
    """Values of a column that lineage does not read."""
    if field.nullable:
        return [None] * count
    return [[] if pa.types.is_list(field.type) else ""] * count


def _write_scene_tables(lake: Lake, shard: Shard) -> None:
    (file,) = {ref.path for ref in shard.scenes}
    sha = hash_file(shard.root / file)
    size = (shard.root / file).stat().st_size
    which = [{"dataset": shard.dataset, "release": shard.release, "scene": ref.name} for ref in shard.scenes]
    rows: dict[str, list[dict[str, Any]]] = {
        "sources": [
            {**item, "license": shard.license, "path": file, "role": "boxes", "bytes": size, "sha256": sha}
            for item in which
        ],
        "scenes": [
            {**item, "license": shard.license, "facts": ["objects"], "frames": FRAMES, "dropped_frames": 0,
             "instances": OBJECTS, "vertices": 0, "faces": 0, "room_size": None, "object_counts": [],
             "conventions": []}
            for item in which
        ],
        "objects": [
            {**item, "instance": number, "category": f"category {number % 12}", "label": f"label {number}",
             "center": [0.0] * 3, "size": [1.0] * 3, "rotation": [1.0, 0, 0, 0, 1, 0, 0, 0, 1]}
            for item in which for number in range(OBJECTS)
        ],
        "frames": [
            {**item, "frame": str(number), "position": number, "timestamp": None, "image": f"{number}.jpg",
             "width": 640, "height": 480, "intrinsics": [0.0] * 9, "camera_to_world": [0.0] * 16}
            for item in which for number in range(FRAMES)
        ],
    }  # fmt: skip
    for table in (tables.SOURCES, tables.SCENES, tables.OBJECTS, tables.FRAMES):
        write_parquet(
            lake.table_path(table, shard.key), pa.Table.from_pylist(rows[table.name], schema=table.schema)
        )


def best(call: Callable[[], Any]) -> float:
    """The median of a few warm calls, in seconds."""
    call()
    spent = []
    for _ in range(REPEATS):
        begun = time.perf_counter()
        call()
        spent.append(time.perf_counter() - begun)
    return sorted(spent)[REPEATS // 2]


def measure(simulation: Simulation, stages: dict[str, Stage]) -> dict[str, float]:
    found: dict[str, float] = {}
    begun, worked = time.perf_counter(), time.process_time()
    path = cache.rebuild(simulation.home, threads=THREADS)
    found["rebuild"] = time.perf_counter() - begun
    found["rebuild, processor time"] = time.process_time() - worked
    print(f"lineage.duckdb: {path.stat().st_size / 1e6:,.0f} MB", file=sys.stderr, flush=True)
    begun = time.perf_counter()
    with Lineage(simulation.home) as lineage:
        found["opening"] = time.perf_counter() - begun
        lineage.con.execute(f"set threads = {THREADS}")
        count = lineage.rows("select count(*) as n from question")[0]["n"]
        print(f"questions: {count:,}", file=sys.stderr, flush=True)
        picked = lineage.rows(
            "select replace(qa_id::varchar, '-', '') as qa_id from question using sample 20 rows"
        )
        ids = [row["qa_id"] for row in picked]
        draw = random.Random(0)
        found["explain"] = best(lambda: explain(simulation.home, draw.choice(ids), lineage))

        def about(make: Callable[[], impact.Question]) -> float:
            return best(lambda: impact.impact(lineage, make()))

        def scene() -> str:
            return f"room{draw.randrange(simulation.scenes):05d}"

        home = simulation.home
        found["impact of a scene"] = about(lambda: impact.of_scene(home, scene()))
        found["impact of a frame"] = about(lambda: impact.of_frame(home, f"{scene()}/7"))
        found["impact of an object"] = about(lambda: impact.of_object(home, f"{scene()}/3"))
        found["impact of a label in every scene"] = about(lambda: impact.of_label("category 5"))
    _with_stages(stages, lambda: found.update(_stale(simulation)))
    return found


def _with_stages(stages: dict[str, Stage], call: Callable[[], Any]) -> None:
    real = dict(pipeline.STAGES)
    try:
        pipeline.STAGES.clear()
        pipeline.STAGES.update(stages)
        call()
    finally:
        pipeline.STAGES.clear()
        pipeline.STAGES.update(real)


def _stale(simulation: Simulation) -> dict[str, float]:
    found = {}

    def evaluate() -> None:
        report = stale.find_stale(simulation.home)
        assert not report.items, report.items[:3]
        print(f"stale: {report.checked:,} assets and scenes looked at", file=sys.stderr, flush=True)

    found["stale, nothing to do"] = best(evaluate)
    cache.cache_path(simulation.home).unlink()
    begun = time.perf_counter()
    evaluate()
    found["stale, without a cache"] = time.perf_counter() - begun
    return found


def run(simulation: Simulation) -> dict[str, float]:
    """Simulate, unless the home holds a simulation, and measure. Seconds by what was measured."""
    stages = simulation.stages()
    if not (simulation.home / "registry").exists():
        begun = time.perf_counter()
        simulate(simulation, stages)
        print(f"simulated in {time.perf_counter() - begun:.0f} s", file=sys.stderr, flush=True)
    return measure(simulation, stages)


def growth(shards: int) -> tuple[float, float, float]:
    """Seconds of a core of a rebuild from nothing, of one after a shard has changed, and MB that it held at most.

    Shards of few scenes: what grows with a home's shards is files, and the rows of scenes are in the bars beside.
    """
    with tempfile.TemporaryDirectory(prefix="lineage-") as folder:
        home = Path(folder)
        scenes = shards * GROWN_SCENES
        simulation = Simulation(home, scenes, GROWN_TASKS, scenes * GROWN_TASKS, GROWN_SCENES)
        stages = simulation.stages()
        simulate(simulation, stages)
        whole, held = _rebuilt(home)
        key = Registry(home, _key).shards()[shards // 2].key
        name = list(stages)[-1]
        records.save(home, name, key, records.load(home, name, key))
        part, _ = _rebuilt(home)
        return whole, part, held


def _rebuilt(home: Path) -> tuple[float, float]:
    """Seconds of a core and MB of a rebuild in a process of its own."""
    code = (
        "import resource, sys; from pathlib import Path; from spatial_assets.lineage import cache; "
        f"cache.rebuild(Path(sys.argv[1]), threads={THREADS}); used = resource.getrusage(resource.RUSAGE_SELF); "
        "print(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(home)], check=True, capture_output=True, text=True)
    seconds, held = done.stdout.split()
    return float(seconds), float(held)


def growth_bars(few: int = GROWN_FROM, many: int = GROWN_TO) -> Iterator[Bar]:
    """A rebuild of ten times as many shards takes ten times as long, and one after a change a part of it."""
    small, large = growth(few), growth(many)
    times = many / few
    yield Bar(
        f"rebuild of lineage.duckdb, {few:,} and {many:,} shards",
        f"<= {times * GROWN_SLACK:g} times as long, <= {GROWN_MEMORY:g} times as much memory",
        f"{small[0]:.1f} s and {large[0]:.1f} s, {small[2]:.0f} MB and {large[2]:.0f} MB",
        large[0] <= small[0] * times * GROWN_SLACK and large[2] <= small[2] * GROWN_MEMORY,
    )
    yield Bar(
        f"rebuild after one of {many:,} shards has changed",
        f"<= {GROWN_PART:.0%} of a whole one",
        f"{large[1]:.1f} s of {large[0]:.1f} s",
        large[1] <= large[0] * GROWN_PART,
    )


def bars() -> Iterator[Bar]:
    """What is required at full size, against what is measured."""
    with tempfile.TemporaryDirectory(prefix="lineage-") as folder:
        found = run(Simulation(Path(folder), SCENES, TASKS, ROWS))
    for name, seconds in found.items():
        if name in REQUIRED:
            yield Bar(name, f"under {REQUIRED[name]:g} s", f"{seconds:.3f} s", seconds < REQUIRED[name])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenes", type=int, default=SCENES)
    parser.add_argument("--tasks", type=int, default=TASKS)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--home", type=Path, help="Keep the simulation here, or use what is there.")
    given = parser.parse_args()
    home = given.home or Path(tempfile.mkdtemp(prefix="lineage-"))
    try:
        found = run(Simulation(home, given.scenes, given.tasks, given.rows))
    finally:
        if given.home is None:
            shutil.rmtree(home)
    print(f"{'':<36}{'required':>10}{'measured':>10}  seconds")
    for name, seconds in found.items():
        required = f"{REQUIRED[name]:.1f}" if name in REQUIRED else ""
        print(f"{name:<36}{required:>10}{seconds:>10.3f}")


if __name__ == "__main__":
    main()
