"""A hundred thousand scenes on many machines, simulated from what was measured: wall time, events, what is full first.

    python -m benchmarks.simulation [--shards N] [--records HOME]

Measured here: seconds of a core a scene and asset (a build of made scenes of ScanNet's size, or a home's records),
Dagster's own time a run, and the database: the events of all runs over 2,000 shards are written to a PostgreSQL as
Dagster's storage writes them, by one process and by four at once. Computed from that: runs, the heavy ones first, each
to the worker that is free first. Stated and not measured: the file server's rate, and a worker's cores.
"""

from __future__ import annotations

import argparse
import heapq
import json
import multiprocessing
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import dagster as dg
from sqlalchemy import create_engine, text

from benchmarks import builds, histories, postgres, scene
from benchmarks.bars import Bar
from benchmarks.copied_runs import Template, template, write_run
from spatial_assets.assets import partitions
from spatial_assets.assets.instance import instance_of
from spatial_assets.assets.shell import SHARDS_PER_RUN
from spatial_assets.lineage import records
from spatial_assets.stages.pipeline import STAGES
from spatial_assets.studio.scene import make_scene

SHARDS = 2_000
PER_SHARD = histories.SCENES_PER_SHARD
SINGLES = 20
"""Runs of one shard each that are written beside those of twenty: what a run costs apart from its shards."""
SHARE_OF_ONE = 0.1
"""Of the runs, written by one process alone; the others by `WRITERS` at once."""
WRITERS = 4
BUILT_SCENES = 2
SCENES, WORKERS = (10_000, 100_000), (1, 8, 64)
CORES = 2
"""Of a worker, as of the machine that the seconds were measured on; no assumption of how more cores would do."""
SPREAD = 0.4
"""Of scenes' seconds, the deviation of their logarithm: rooms differ by a factor of two either way."""
WAVES = 4
"""Runs a worker gets at least, so that the last ones are short against the whole."""
FILE_SERVER = 1_000.0
"""MB/s, stated: a file server on a line of 10 Gbit/s."""
SHARE = 0.05
"""Of a shard's time that may be Dagster's."""
MEGABYTE = 1e6


@dataclass(frozen=True)
class Work:
    """What a scene takes."""

    seconds: dict[str, float]
    """Of a core, by asset."""
    megabytes: float
    """Read from its source, and written to the lake and the records."""

    @property
    def scene(self) -> float:
        return sum(self.seconds.values())


@dataclass(frozen=True)
class Database:
    """What was written to PostgreSQL."""

    shards: int
    runs: int
    rows: int
    megabytes: float
    rate_of_one: float
    """Events a second, by one process."""
    rate_of_many: float
    """By `WRITERS` at once."""
    rows_a_shard: float
    rows_a_run: float
    megabytes_a_shard: float
    megabytes_a_run: float
    launch: float
    """Seconds of the daemon for each run that it takes from its queue."""


@dataclass(frozen=True)
class Overhead:
    """Dagster's own seconds of a core."""

    start: float
    """A process until it has loaded the definitions."""
    run: float
    """A run, apart from its shards."""
    shard: float

    def of(self, shards: int) -> float:
        return self.start + self.run + shards * self.shard


@dataclass(frozen=True)
class Line:
    """One line of the table."""

    scenes: int
    workers: int
    shards_a_run: int
    runs: int
    hours: float
    events: int
    gigabytes: float
    loads: dict[str, float]
    """Share of what each part can do, that it has to."""

    @property
    def fullest(self) -> str:
        """The part, of those that workers share, which is full first, and at how many workers."""
        shared = {name: load for name, load in self.loads.items() if name != "workers"}
        name = max(shared, key=lambda key: shared[key])
        return f"{name}, {shared[name]:.1%} (full at {self.workers / max(shared[name], 1e-9):,.0f} workers)"


def built(folder: Path) -> Work:
    """Build made scenes of ScanNet's size with every asset, one after the other, without Dagster."""
    home, root = folder / "home", folder / "source"
    for number in range(BUILT_SCENES):
        made = make_scene(scene.SEED, scene.INDEX + number, scene.FACES, scene.FRAMES, scene.SIZE)
        scene.write_scene(root, made, f"scene{number:04d}_00")
    builds.register(home, root, BUILT_SCENES)
    builds.build(home)
    return recorded(home)


def recorded(home: Path) -> Work:
    """What the records of a home say; the clock's seconds, which are a core's where nothing else was at work."""
    shards = partitions.registry(home).shards()
    scenes = sum(len(shard.scenes) for shard in shards)
    seconds = {
        name: sum(
            record.seconds for shard in shards for record in records.load(home, name, shard.key).values()
        )
        / scenes
        for name in STAGES
    }
    places = [*{shard.root for shard in shards}, home / "lake", home / "records"]
    size = sum(path.stat().st_size for place in places for path in place.rglob("*") if path.is_file())
    return Work(seconds, size / scenes / MEGABYTE)


def overhead(home: Path, per_run: int = SHARDS_PER_RUN) -> tuple[Overhead, Template, Template]:
    """Runs of one shard and of several, told of and not computed, in a home of many shards, and what they wrote.

    The history is in SQLite; its own time in PostgreSQL is the database's, which is measured apart.
    """
    with instance_of(home) as instance, histories.made_definitions(home) as defs:
        partitions.open_partitions(instance, partitions.registry(home))
        keys = [shard.key for shard in partitions.registry(home).shards()]
        histories.run(instance, defs, keys[:1])  # what only the first one loads
        begun = histories.cpu()
        single = histories.run(instance, defs, keys[1:2])
        of_one = histories.cpu() - begun
        begun = histories.cpu()
        whole = histories.run(instance, defs, keys[2 : 2 + per_run])
        of_many = histories.cpu() - begun
        one = template(instance, single.run_id, keys[1:2])
        many = template(instance, whole.run_id, keys[2 : 2 + per_run])
    shard = max(of_many - of_one, 0) / (per_run - 1)
    return Overhead(_start(), max(of_one - shard, 0), shard), one, many


def _start() -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", "import spatial_assets.definitions"], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _writer(home: str, made: Template, chosen: list[list[str]]) -> int:
    """What a process of its own writes."""
    with instance_of(Path(home)) as instance:
        return sum(write_run(instance, made, keys) for keys in chosen)


def written(home: Path, address: str, shards: int, one: Template, many: Template) -> Database:
    """Write the history of that many shards to a database; the home's `dagster.yaml` names it."""
    per_run = len(many.keys)
    keys = [shard.key for shard in partitions.registry(home).shards()][:shards]
    with instance_of(home) as instance:
        partitions.open_partitions(instance, partitions.registry(home))
        before = sizes(address)
        for key in keys[:SINGLES]:
            write_run(instance, one, [key])
        after = sizes(address)
        launch = launching(instance, instance.get_runs(limit=1)[0].run_id)
    runs = [keys[start : start + per_run] for start in range(0, len(keys) - per_run + 1, per_run)]
    alone = max(1, round(len(runs) * SHARE_OF_ONE))
    begun = time.perf_counter()
    with instance_of(home) as instance:
        count = sum(write_run(instance, many, run) for run in runs[:alone])
    rate_of_one = count / (time.perf_counter() - begun)
    first = sizes(address)
    rest = runs[alone:]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(WRITERS, mp_context=context) as pool:
        warm = [pool.submit(_writer, str(home), many, []) for _ in range(WRITERS)]
        assert not any(future.result() for future in warm)  # processes have started, and opened the database
        begun = time.perf_counter()
        parts = [pool.submit(_writer, str(home), many, rest[number::WRITERS]) for number in range(WRITERS)]
        count = sum(future.result() for future in parts)
        rate_of_many = count / (time.perf_counter() - begun)
    last = sizes(address)
    # Rows and room of a run over `per_run` shards, and of one over a single shard, tell the two parts apart.
    runs_written = alone if not rest else len(rest)
    grown = (last if rest else first)[0] - (first if rest else after)[0]
    room = (last if rest else first)[1] - (first if rest else after)[1]
    rows_many, rows_one = grown / runs_written, (after[0] - before[0]) / SINGLES
    room_many, room_one = room / runs_written, (after[1] - before[1]) / SINGLES
    rows_a_shard = (rows_many - rows_one) / (per_run - 1)
    room_a_shard = max((room_many - room_one) / (per_run - 1), 0)
    return Database(
        shards=len(keys), runs=SINGLES + len(runs), rows=last[0], megabytes=last[1],
        rate_of_one=rate_of_one, rate_of_many=rate_of_many,
        rows_a_shard=rows_a_shard, rows_a_run=rows_one - rows_a_shard,
        megabytes_a_shard=room_a_shard, megabytes_a_run=max(room_one - room_a_shard, 0), launch=launch,
    )  # fmt: skip


def sizes(address: str) -> tuple[int, float]:
    """Rows of events and MB of a database, by its own word."""
    engine = create_engine(address)
    with engine.connect() as con:
        rows = con.execute(text("select count(*) from event_logs")).scalar_one()
        size = con.execute(text("select pg_database_size(current_database())")).scalar_one()
    engine.dispose()
    return int(rows), size / MEGABYTE


def launching(instance: dg.DagsterInstance, run_id: str, times: int = 20) -> float:
    """Seconds of what the daemon reads and writes for a run that it takes from its queue, by the clock."""
    begun = time.perf_counter()
    for _ in range(times):
        run = instance.get_run_by_id(run_id)
        assert run is not None
        instance.report_engine_event("taken from the queue", run)
        instance.add_run_tags(run_id, {"benchmark/worker": "1"})
        instance.report_engine_event("handed to a worker", run)
    return (time.perf_counter() - begun) / times


def makespan(seconds: Sequence[float], workers: int, between: float = 0.0) -> float:
    """When the last of the runs ends: heavy first, each to the worker that is free first, begun `between` seconds
    apart at least."""
    free = [0.0] * workers
    end = 0.0
    for number, spent in enumerate(sorted(seconds, reverse=True)):
        begun = max(heapq.heappop(free), number * between)
        heapq.heappush(free, begun + spent)
        end = max(end, begun + spent)
    return end


def shards_a_run(shards: int, workers: int) -> int:
    return max(1, min(SHARDS_PER_RUN, shards // (WAVES * workers)))


def line(scenes: int, workers: int, work: Work, own: Overhead, base: Database, cores: int = CORES) -> Line:
    """What so many scenes take on so many workers."""
    shards = -(-scenes // PER_SHARD)
    each = shards_a_run(shards, workers)
    draw = random.Random(scenes)
    of_shards = [
        sum(work.scene * draw.lognormvariate(-(SPREAD**2) / 2, SPREAD) for _ in range(PER_SHARD)) / cores
        for _ in range(shards)
    ]
    chosen = [of_shards[start : start + each] for start in range(0, shards, each)]
    runs = [sum(part) + own.of(len(part)) for part in chosen]
    events = round(shards * base.rows_a_shard + len(runs) * base.rows_a_run)
    # Whichever is slowest decides: the workers, or what they share.
    needed = {
        "workers": makespan(runs, workers, base.launch),
        "database writes": events / base.rate_of_many,
        "daemon's queue": len(runs) * base.launch,
        "file server": scenes * work.megabytes / FILE_SERVER,
    }
    wall = max(needed.values())
    size = (shards * base.megabytes_a_shard + len(runs) * base.megabytes_a_run) / 1000
    loads = {name: spent / wall for name, spent in needed.items()}
    return Line(scenes, workers, each, len(runs), wall / 3600, events, size, loads)


def table(lines: Sequence[Line]) -> Iterator[str]:
    names = (
        f"{'scenes':>8} {'workers':>8} {'shards/run':>10} {'runs':>6} {'hours':>9} {'events':>10} {'GB':>7}"
    )
    yield f"{names}  full first"
    for item in lines:
        yield (
            f"{item.scenes:>8,} {item.workers:>8} {item.shards_a_run:>10} {item.runs:>6,} {item.hours:>9.2f} "
            f"{item.events:>10,} {item.gigabytes:>7.2f}  {item.fullest}"
        )


def measured(shards: int, home_of_records: Path | None = None) -> tuple[Work, Overhead, Database]:
    with tempfile.TemporaryDirectory(prefix="simulation-") as folder:
        if home_of_records is None:
            _say(f"building {BUILT_SCENES} scenes of ScanNet's size")
            work = built(Path(folder) / "built")
        else:
            work = recorded(home_of_records)
        home = Path(folder) / "home"
        histories.register(home, max(shards, SHARDS_PER_RUN * 3))
        _say("Dagster's own time")
        own, one, many = overhead(home)
        with postgres.server() as address:
            postgres.write_yaml(home, address)
            _say(f"writing the events of {shards:,} shards")
            base = written(home, address, shards, one, many)
    return work, own, base


def _say(what: str) -> None:
    print(f"simulation: {what}", file=sys.stderr, flush=True)


def run(shards: int = SHARDS, home_of_records: Path | None = None) -> tuple[Work, Overhead, Database]:
    """Measure and print; returns what was measured."""
    work, own, base = measured(shards, home_of_records)
    heavy = sorted(work.seconds.items(), key=lambda item: -item[1])[:8]
    most = ", ".join(f"{name} {seconds:.2f}" for name, seconds in heavy)
    print(
        f"a scene: {work.scene:.2f} s of a core in {len(work.seconds)} assets, "
        f"{work.megabytes:.0f} MB read and written; most of it {most}"
    )
    print(
        f"Dagster: {own.start:.2f} s to start, {own.run:.2f} s a run and {own.shard:.2f} s a shard; "
        f"{share(work, own):.2%} of a shard that is a run of its own"
    )
    print(
        f"PostgreSQL: {base.shards:,} shards in {base.runs} runs: {base.rows:,} events, {base.megabytes:,.0f} MB; "
        f"{base.rate_of_one:,.0f} events/s by one process, {base.rate_of_many:,.0f} by {WRITERS}; "
        f"{base.launch * 1000:.0f} ms of the daemon a run"
    )
    print(
        f"a shard: {base.rows_a_shard:,.0f} events, {base.megabytes_a_shard:.2f} MB; "
        f"a run beside its shards: {base.rows_a_run:,.0f} events, {base.megabytes_a_run:.2f} MB"
    )
    print(f"workers of {CORES} cores, a file server of {FILE_SERVER:,.0f} MB/s (stated, not measured)")
    lines = [line(scenes, workers, work, own, base) for scenes in SCENES for workers in WORKERS]
    print("\n".join(table(lines)))
    return work, own, base


def share(work: Work, own: Overhead) -> float:
    """Of a shard of fifty scenes with all assets, when it is a run and a process of its own: the dearest case."""
    return own.of(1) / (own.of(1) + PER_SHARD * work.scene)


def bars() -> Iterator[Bar]:
    if postgres.programs() is None:
        yield Bar("simulation of a hundred thousand scenes", "PostgreSQL's programs", postgres.NEEDED, False)
        return
    work, own, base = run()
    part = share(work, own)
    yield Bar(
        f"Dagster's share of a shard's time ({PER_SHARD} scenes, {len(work.seconds)} assets, {SHARDS:,} shards known)",
        f"< {SHARE:.0%}",
        f"{part:.2%}: {own.of(1):.1f} s of {own.of(1) + PER_SHARD * work.scene:.0f} core s; "
        f"in runs of {SHARDS_PER_RUN} shards {own.of(SHARDS_PER_RUN) / SHARDS_PER_RUN:.1f} s a shard",
        part < SHARE,
    )
    largest = line(SCENES[-1], WORKERS[-1], work, own, base)
    yield Bar(
        f"{SCENES[-1]:,} scenes' worth of runs' events in PostgreSQL; the table above is from it",
        "all written, and the database not full with the most workers",
        f"{base.rows:,} events, {base.megabytes:,.0f} MB, {base.rate_of_many:,.0f} events/s; "
        f"{WORKERS[-1]} workers: {largest.hours:.1f} h, first {largest.fullest}",
        base.rows >= base.shards * base.rows_a_shard and largest.loads["database writes"] < 1,
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shards", type=int, default=SHARDS, help="Shards whose events are written.")
    parser.add_argument("--records", type=Path, metavar="HOME", help="Take seconds from this home's records.")
    parser.add_argument("--json", type=Path, metavar="FILE", help="Also write what was measured there.")
    given = parser.parse_args()
    work, own, base = run(given.shards, given.records)
    if given.json:
        told = {
            "work": asdict(work),
            "dagster": asdict(own),
            "database": asdict(base),
            "cores": os.cpu_count(),
        }
        given.json.write_text(json.dumps(told, indent=2) + "\n")


if __name__ == "__main__":
    main()
