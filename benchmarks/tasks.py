"""What the tasks cost on a scene of ScanNet's size, by task and format and by what the time goes into.

    python -m benchmarks tasks

The scene is that of `benchmarks.scene`. Everything is timed in one thread, warm, outside Dagster, as core seconds:
loading a scene's facts, finding candidates (once a task, whatever its formats), ranking and wording by the tasks' own
code; and the whole as the engine runs it, suite by suite, of which the rest is writing: planning, rows conformed to
their tables, hashed, put down, merged into the shard's tables. Linear growth is measured on the same scene with its
redundancy filter set to leave about 100, 200 and 400 keyframes; for many scenes see `benchmarks.suites`.
"""

from __future__ import annotations

import gc
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from benchmarks import scene
from benchmarks.bars import Bar
from spatial_assets.engine.runner import Runner
from spatial_assets.scene.frames import KEYFRAMES, selections
from spatial_assets.scene.inputs import SceneInputs
from spatial_assets.scene.refs import Shard
from spatial_assets.scene.tables import KEYFRAMES as KEYFRAMES_TABLE
from spatial_assets.stages import pipeline
from spatial_assets.stages.budgets import STAGES as BUDGETS
from spatial_assets.stages.questions import STAGES, SUITES, ask, facts_of
from spatial_assets.storage.lake import Lake, conform, write_parquet
from spatial_assets.tasks.core import generate
from spatial_assets.tasks.registry import tasks

SPAR, VSI, VSTI, MOSAIC, VIEWS, VIEW_SETS = "spar", "vsi", "vsti", "spatialmosaic", "views", "view_sets"
WANTED_SECONDS = {SPAR: 1.0, VSTI: 0.15, MOSAIC: 0.6, VIEWS: 0.42}
"""For all tasks of a suite in all formats, on that scene; SpatialMosaic's with the view sets that they ask about,
and 0.03 a task for those that ask further of these."""
FIRST = (
    "camera_motion_infer", "depth_prediction_oc", "depth_prediction_oo", "distance_prediction_oc",
    "distance_prediction_oo", "position_matching", "view_change_infer",
    "obj_appearance_order", "object_abs_distance", "object_counting", "object_rel_direction_easy",
    "object_rel_direction_hard", "object_rel_direction_medium", "object_rel_distance", "object_size_estimation",
    "room_size_estimation", "route_planning",
)  # fmt: skip
"""Seven of SPAR's tasks and ten of VSI-Bench's, in all formats: a measure that stays as tasks are added."""
WANTED_SECONDS_OF_FIRST = 0.4
WANTED_RATIO = 1.3
"""Of the seconds per keyframe, the greatest over that of the fewest keyframes."""
UPSTREAM = [name for name in pipeline.STAGES if name not in STAGES and name not in BUDGETS]
KEYFRAME_FILTERS = {100: (0.34, 21.0), 200: (0.2, 12.0), 400: (0.11, 6.5)}
"""Meters and degrees between keyframes that leave about so many of the scene's 2,000 frames."""
MEASURED = 200
ROUNDS, MORE_ROUNDS = 5, 10
"""More of core calls alone, which have bars: half a minute finds a quiet second on a machine that others use too."""
PARTS = ("loading", "finding", "ranking", "wording", "writing")


@dataclass
class Spent:
    """Core seconds by (task, format or "", part)."""

    seconds: dict[tuple[str, str, str], float] = field(default_factory=dict)
    rows: dict[tuple[str, str], int] = field(default_factory=dict)

    @contextmanager
    def part(self, task: str, form: str, part: str) -> Iterator[None]:
        begun = time.process_time()
        try:
            yield
        finally:
            key = (task, form, part)
            self.seconds[key] = self.seconds.get(key, 0.0) + time.process_time() - begun

    @property
    def total(self) -> float:
        return sum(self.seconds.values())

    def of(self, task: str | None = None, form: str | None = None, part: str | None = None) -> float:
        wanted = (task, form, part)
        return sum(
            seconds
            for key, seconds in self.seconds.items()
            if all(want in (None, have) for want, have in zip(wanted, key, strict=True))
        )


def build(home: Path, root: Path, keyframes: int) -> Shard:
    """The scene's tables upstream of the tasks."""
    shard = scene.registered(home, root)
    runner = Runner(home, pipeline.STAGES, workers=2)
    translation, rotation = KEYFRAME_FILTERS[keyframes]
    for name in UPSTREAM:
        stage = pipeline.STAGES[name]
        own = {"translation": translation, "rotation": rotation} if name == "keyframes" else None
        report = runner.run(stage, shard, pipeline.parameters(home, stage, shard.dataset, own))
        if report.errors or report.rejected:
            raise RuntimeError(str(report.errors or report.rejected))
    return shard


def ask_all(home: Path, shard: Shard) -> Spent:
    """One pass over all tasks by their own code."""
    spent = Spent()
    for stages in SUITES.values():
        with spent.part("", "", "loading"):
            facts = facts_of(SceneInputs(Lake(home), shard, shard.scenes[0]))
            _ = facts.observed.visible, facts.overlap, facts.objects.may_mean, facts.camera_points
        for name in stages:
            task = tasks()[name]
            parameters = task.parameters()
            for form in task.formats:
                with spent.part(name, "", "finding"):
                    candidates = facts.once(task.find_for.get(form, task.find), parameters).settle()
                with spent.part(name, form, "wording"), _ranking_apart(spent, name, form):
                    rows, *_ = generate.fill_quota(task, facts, parameters, form, candidates)
                spent.rows[name, form] = len(rows)
    return spent


@contextmanager
def _ranking_apart(spent: Spent, name: str, form: str) -> Iterator[None]:
    """Counts what it takes to rank candidates and to put them in line as ranking, not as wording."""
    real_queue, real_ranks = generate.queue, generate.ranks_of

    def apart(begun: float) -> None:
        taken = time.process_time() - begun
        for part, sign in (("ranking", 1), ("wording", -1)):
            key = (name, form, part)
            spent.seconds[key] = spent.seconds.get(key, 0.0) + sign * taken

    def ranks(*arguments: Any) -> Any:
        begun = time.process_time()
        found = real_ranks(*arguments)
        apart(begun)
        return found

    def queue(*arguments: Any) -> Iterator[Any]:
        line = real_queue(*arguments)
        while True:
            begun = time.process_time()
            item = next(line, None)
            apart(begun)
            if item is None:
                return
            yield item

    with mock.patch.object(generate, "queue", queue), mock.patch.object(generate, "ranks_of", ranks):
        yield


def run_all(home: Path, shard: Shard, seed: int, names: Sequence[str] = tuple(STAGES)) -> float:
    """Core seconds of one pass as the engine runs it; another seed makes everything stale."""
    begun = time.process_time()
    runner = Runner(home, pipeline.STAGES)
    for suite in SUITES.values():
        stages = {name: stage for name, stage in suite.items() if name in names}
        if not stages:
            continue
        parameters = {
            name: pipeline.parameters(home, stage, shard.dataset, {"seed": seed})
            for name, stage in stages.items()
        }
        for report in runner.run_together(list(stages.values()), shard, parameters).values():
            if report.errors or len(report.done) != len(shard.scenes):
                raise RuntimeError(str(report.errors or report))
    return time.process_time() - begun


def write_all(
    home: Path, shard: Shard, folder: Path, seed: int, suite: str, names: Sequence[str] = tuple(STAGES)
) -> float:
    """Core seconds of one pass by core calls alone: facts, questions, their tables checked and written as Parquet."""
    begun = time.process_time()
    facts = facts_of(SceneInputs(Lake(home), shard, shard.scenes[0]))
    for name, stage in SUITES[suite].items():
        if name not in names:
            continue
        made = ask(name, facts, tasks()[name].parameters(seed=seed))
        for table, rows in made.tables.items():
            (own,) = (it for it in stage.tables if it.name == table)
            write_parquet(folder / f"{name}.parquet", conform(own, rows))
    return time.process_time() - begun


def find_view_sets(home: Path, shard: Shard) -> float:
    """Core seconds of finding the scene's view sets and what they show, by core calls alone."""
    stage = pipeline.STAGES[VIEW_SETS]
    assert stage.compute is not None
    inputs = SceneInputs(Lake(home), shard, shard.scenes[0])
    begun = time.process_time()
    made = stage.compute(inputs, pipeline.parameters(home, stage, shard.dataset))
    for table in stage.tables:
        conform(table, made.tables.get(table.name, []))
    return time.process_time() - begun


@dataclass(frozen=True)
class Measured:
    spent: Spent
    """The parts, writing among them."""
    seconds: float
    """As the engine runs it."""
    first: float
    """The same of the FIRST tasks alone."""
    first_calls: float
    calls: dict[str, float]
    """Of each suite by core calls alone, without locks, records and what a killed build needs."""
    view_sets: float
    """Of finding a scene's view sets, by core calls alone."""
    keyframes: int


def measure(keyframes: int, root: Path) -> Measured:
    """The fastest of several passes after one that is not counted."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        shard = build(home, root, keyframes)
        count = len(selections(Lake(home).read(KEYFRAMES_TABLE, shard.key))[KEYFRAMES])
        passes, whole, first, first_calls, sets = [], [], [], [], []
        calls: dict[str, list[float]] = {suite: [] for suite in SUITES}
        for number in range(ROUNDS + 1):
            gc.collect()
            passes.append(ask_all(home, shard))
            gc.collect()
            whole.append(run_all(home, shard, 2 * number))
            gc.collect()
            first.append(run_all(home, shard, 2 * number + 1, FIRST))
            for suite, taken in calls.items():
                gc.collect()
                taken.append(write_all(home, shard, home / "calls", number, suite))
            gc.collect()
            first_calls.append(
                sum(write_all(home, shard, home / "calls", number, suite, FIRST) for suite in (SPAR, VSI))
            )
            gc.collect()
            sets.append(find_view_sets(home, shard))
        for number in range(MORE_ROUNDS if keyframes == MEASURED else 0):
            for suite, taken in calls.items():
                gc.collect()
                taken.append(write_all(home, shard, home / "calls", number, suite))
        spent = min(passes[1:], key=lambda item: item.total)
        seconds = min(whole[1:])
        spent.seconds["", "", "writing"] = max(0.0, seconds - spent.total)
        fastest = {suite: min(taken[1:]) for suite, taken in calls.items()}
        return Measured(spent, seconds, min(first[1:]), min(first_calls[1:]), fastest, min(sets[1:]), count)


def lines(measured: Measured) -> Iterator[str]:
    spent = measured.spent
    yield f"{'task':<28} {'format':<9} {'rows':>6} {'ms':>8} {'rows/s':>9}"
    for (name, form), rows in spent.rows.items():
        own = spent.of(name, form)
        yield f"{name:<28} {form:<9} {rows:>6} {own * 1e3:>8.1f} {rows / own if own else 0:>9,.0f}"
    for name in STAGES:
        yield f"{name:<28} {'finding':<9} {'':>6} {spent.of(name, '', 'finding') * 1e3:>8.1f}"
    for part in PARTS:
        seconds = spent.of(part=part)
        yield f"{part:<28} {'':<9} {'':>6} {seconds * 1e3:>8.1f} {seconds / measured.seconds:>9.1%}"
    rows = sum(spent.rows.values())
    yield (
        f"{'all':<28} {'':<9} {rows:>6} {measured.seconds * 1e3:>8.1f} {rows / measured.seconds:>9,.0f}"
        f"   {measured.keyframes} keyframes"
    )


def run() -> dict[str, Any]:
    """Measures and prints; returns the same as plain data."""
    with scene.files() as root:
        found = {wanted: measure(wanted, root) for wanted in KEYFRAME_FILTERS}
    print("\n".join(lines(found[MEASURED])))
    for item in found.values():
        print(
            f"{item.keyframes} keyframes: {item.seconds:.3f} s, {item.seconds / item.keyframes * 1e3:.2f} ms each"
        )
    print(
        f"the first {len(FIRST)} tasks alone: {found[MEASURED].first_calls:.3f} s by core calls, "
        f"{found[MEASURED].first:.3f} s with the engine"
    )
    for suite, seconds in found[MEASURED].calls.items():
        print(f"{suite} by core calls alone, without the engine: {seconds:.3f} s")
    print(f"view sets by core calls alone: {found[MEASURED].view_sets:.3f} s")
    return {
        "seconds": found[MEASURED].seconds,
        "first": found[MEASURED].first,
        "first_calls": found[MEASURED].first_calls,
        "calls": found[MEASURED].calls,
        "view_sets": found[MEASURED].view_sets,
        "rows": {
            suite: sum(rows for (name, _), rows in found[MEASURED].spent.rows.items() if name in stages)
            for suite, stages in SUITES.items()
        },
        "parts": {part: found[MEASURED].spent.of(part=part) for part in PARTS},
        "keyframes": {item.keyframes: item.seconds for item in found.values()},
    }


def bars() -> Iterator[Bar]:
    found = run()
    yield Bar(
        f"seven SPAR tasks in all formats and ten of VSI-Bench by core calls, of a scene of {scene.FACES:,} faces",
        f"<= {WANTED_SECONDS_OF_FIRST:g} s of one core",
        f"{found['first_calls']:.3f} s ({found['first']:.3f} s with the engine's records and locks)",
        found["first_calls"] <= WANTED_SECONDS_OF_FIRST,
    )
    for suite, wanted in WANTED_SECONDS.items():
        sets = found["view_sets"] if suite == MOSAIC else 0.0
        taken = found["calls"][suite] + sets
        with_sets = f", of which view sets {sets:.3f} s" if sets else ""
        yield Bar(
            f"all {len(SUITES[suite])} tasks of {suite} in all formats by core calls, {found['rows'][suite]:,} rows "
            "of such a scene",
            f"<= {wanted:g} s of one core",
            f"{taken:.3f} s{with_sets} (all suites {sum(found['calls'].values()):.3f} s, {found['seconds']:.3f} s "
            "with the engine's records and locks)",
            taken <= wanted,
        )
    each = [seconds / count for count, seconds in sorted(found["keyframes"].items())]
    ratio = max(each) / each[0]
    yield Bar(
        f"tasks' seconds per keyframe at {', '.join(map(str, sorted(found['keyframes'])))} keyframes",
        f"<= {WANTED_RATIO:g} x the fewest's",
        f"{ratio:.2f} x",
        ratio <= WANTED_RATIO,
    )
