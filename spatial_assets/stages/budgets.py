"""What holds of each question about a video for each set of frames that a model may be shown: a stage a task.

The rows say of every question and set whether the frames show what it asks about, which answer holds for them, and
whether that is its own; and, once for each question, frames that show nothing of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import BaseModel, Field, create_model

from spatial_assets.scene import parameters as base
from spatial_assets.scene.frame_set_tables import BUDGETS, FRAME_SETS, FRAME_SETS_SHOWN
from spatial_assets.scene.frames import FRAME_SET_NAMES
from spatial_assets.scene.inputs import SceneInputs
from spatial_assets.scene.outputs import Reject, SceneOutputs, Tally
from spatial_assets.scene.tables import QUESTIONS, of
from spatial_assets.stages.stage import Shared, Stage
from spatial_assets.tasks.core.budgets import NO_EVIDENCE, OTHER, WORDS, asked_of, without_evidence, words
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.options import LETTERS
from spatial_assets.tasks.core.recount import Held
from spatial_assets.tasks.core.rendering import SENTENCE
from spatial_assets.tasks.core.task import Task
from spatial_assets.tasks.registry import tasks

SUFFIX = "_budgets"
FRAMES_SHOWN = BUDGETS.schema.field("frames").type
FEW_FREE, NO_SET, FRAMES_NAMED = "few_free", "no_set", "frames_named"
COLUMNS = ("qa_id", "format", "answer", "options", "objects", "template")
OF_FRAMES = ("question", "frames")
"""What is read of questions, and more of those that point at frames."""
MEANINGS: Mapping[str, str] = {
    NO_SET: "nothing says which frames such a set would have",
    FEW_FREE: "too few frames show nothing of what it names, or it names nothing",
    FRAMES_NAMED: "it names frames, which others cannot stand for",
}


class Parameters(base.Parameters):
    """Which questions' limits hold, and how many frames show nothing of a question."""

    no_evidence_frames: int = Field(
        16, ge=1, description="of the control of each question: as many as the smallest uniform set has"
    )


class Scene(NamedTuple):
    """What all tasks of a suite are judged by."""

    inputs: SceneInputs
    facts: SceneFacts


def load(inputs: SceneInputs) -> Scene:
    """Tables are read once for all tasks, not once for each and each set of frames."""
    return Scene(inputs, SceneFacts(inputs.which, inputs.shard.license, cache(inputs.table)))


def recounted(suite: str) -> dict[str, Task]:
    """Tasks of a suite that say what holds for other frames."""
    return {name: task for name, task in tasks().items() if task.suite == suite and task.recount is not None}


def name_of(task: str) -> str:
    """Of a task's stage."""
    return f"{task}{SUFFIX}"


def parameters_of(task: Task) -> type[Parameters]:
    """With the thresholds of the task, which are those that its questions were asked by."""
    own: Any = (task.parameters, Field(task.parameters(), description=f"as {task.name}'s own"))
    name = "".join(word.capitalize() for word in name_of(task.name).split("_"))
    # Under its name in this module, by which another process finds it.
    made = globals()[name] = create_model(name, __base__=Parameters, __module__=__name__, asked=own)
    return made


def judge(name: str, scene: Scene, parameters: BaseModel) -> SceneOutputs:
    """All questions of a task about one scene, for all sets of frames."""
    inputs, facts, task = scene.inputs, scene.facts, tasks()[name]
    given = set(facts.read(FRAME_SETS)["name"].to_list())
    sets = [frame_set for frame_set in FRAME_SET_NAMES if frame_set in given]
    rows = inputs.table(of(QUESTIONS, name), COLUMNS if task.points is None else (*COLUMNS, *OF_FRAMES))
    table = of(BUDGETS, name)
    if not len(rows):
        return SceneOutputs({table.name: table.schema.empty_table()}, tallies=[Tally(name, 0, 0)])
    own = parameters.asked  # type: ignore[attr-defined]
    made = _Judged(inputs.which, task, own, facts.called(own.names), rows)
    for frame_set in sets:
        made.add(frame_set)
    free = 0
    if task.points is None:
        free = made.add_controls(parameters.no_evidence_frames)  # type: ignore[attr-defined]
    found = made.table()
    without = FEW_FREE if task.points is None else FRAMES_NAMED
    counts = {NO_SET: len(rows) * (len(FRAME_SET_NAMES) - len(sets)), without: len(rows) - free}
    rejects = [Reject(reason, MEANINGS[reason], count, name) for reason, count in counts.items() if count]
    tally = Tally(name, len(rows) * (len(FRAME_SET_NAMES) + 1), found.num_rows)
    return SceneOutputs({table.name: found}, rejects=rejects, tallies=[tally])


class _Part(NamedTuple):
    """What holds for one set of frames, by row."""

    ids: pa.Array
    budget: str
    shown: int
    answerable: np.ndarray
    answers: np.ndarray
    holds: np.ndarray
    reasons: np.ndarray
    frames: pa.Array


class _Judged:
    """Rows of one task, a set of frames after the other."""

    def __init__(
        self, which: Mapping[str, str], task: Task, parameters: Any, facts: SceneFacts, rows: pl.DataFrame
    ) -> None:
        self._which, self._task, self._parameters, self._facts = which, task, parameters, facts
        self._ids = rows["qa_id"].to_arrow().cast(pa.string())
        self._answers: NDArray[np.object_] = np.array([*rows["answer"].to_list(), None], object)[:-1]
        self._asked = asked_of(facts, rows, task.points)
        self._parts: list[_Part] = []

    def add(self, frame_set: Any) -> None:
        """What holds for a set of frames."""
        facts = self._facts.showing(frame_set)
        recount = self._task.recount
        assert recount is not None
        held = recount(facts, self._parameters, self._asked)
        same = held.same
        reasons = np.where(held.answerable & ~same, OTHER, held.reasons)
        count = len(facts.frames.video)
        none = pa.nulls(len(self._ids), FRAMES_SHOWN)
        self._parts.append(
            _Part(self._ids, frame_set, count, held.answerable, self._printed(held), same, reasons, none)
        )

    def add_controls(self, count: int) -> int:
        """Frames that show nothing of a question, where there are as many; of how many questions."""
        found = without_evidence(self._facts, self._asked, count)
        free = [row for row, frames in enumerate(found) if frames is not None]
        names = self._facts.frames.names
        frames = [[names[place] for place in own.tolist()] for own in found if own is not None]
        no = np.zeros(len(free), np.bool_)
        said, why = (np.full(len(free), word, object) for word in (words()["undetermined"], NO_EVIDENCE))
        ids = self._ids.take(pa.array(free, pa.int64()))
        self._parts.append(_Part(ids, NO_EVIDENCE, count, no, said, no, why, pa.array(frames, FRAMES_SHOWN)))
        return len(free)

    def _printed(self, held: Held) -> NDArray[np.object_]:
        """(N,), the answers that hold, as the questions' format prints them."""
        same = held.same
        found = self._answers.copy()
        found[~same] = None
        for row in np.flatnonzero(held.answerable & ~same).tolist():
            text, options = held.texts[row], self._asked.options[row]
            found[row] = text if options is None else LETTERS[options.index(text)]
        return found

    def table(self) -> pa.Table:
        """All of them. Columns are made once: of a set of frames each, making them would take half of the time."""
        sizes = [len(part.ids) for part in self._parts]
        count, schema = sum(sizes), BUDGETS.schema

        def each(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
            return pa.array(values, kind).take(pa.array(np.repeat(np.arange(len(sizes)), sizes)))

        columns: dict[str, pa.Array] = {
            **{name: pa.repeat(pa.scalar(value, pa.string()), count) for name, value in self._which.items()},
            "task": pa.repeat(pa.scalar(self._task.name, pa.string()), count),
            "qa_id": pa.concat_arrays([part.ids for part in self._parts]),
            "budget": each([part.budget for part in self._parts], pa.string()),
            "shown": each([part.shown for part in self._parts], pa.int32()),
            "answerable": pa.array(np.concatenate([part.answerable for part in self._parts]), pa.bool_()),
            "answer": pa.array(np.concatenate([part.answers for part in self._parts]), pa.string()),
            "holds": pa.array(np.concatenate([part.holds for part in self._parts]), pa.bool_()),
            "reason": pa.array(np.concatenate([part.reasons for part in self._parts]), pa.string()),
            "frames": pa.concat_arrays([part.frames for part in self._parts]),
        }
        return pa.Table.from_arrays([columns[name] for name in schema.names], schema=schema)


def budgets_of(task: Task, shared: Shared) -> Stage:
    """The stage of a task."""
    made = parameters_of(task)
    compute: Callable[[Scene, Any], SceneOutputs] = partial(judge, task.name)
    reads = {table.name: table for table in (*task.tables, FRAME_SETS, FRAME_SETS_SHOWN)}
    return Stage(
        name=name_of(task.name),
        reads=(*reads.values(), of(QUESTIONS, task.name)),
        writes=(of(BUDGETS, task.name),),
        parameters=lambda dataset: made(),
        compute=compute,
        modules=lambda dataset: (__name__, task.module),
        # Sentences are cast anew in a task's words, and name frames.
        data=(WORDS, *((task.wording_file,) if SENTENCE in task.formats else ())),
        shared=shared,
        heavy=lambda dataset: True,
    )


def budgets_of_suite(suite: str) -> dict[str, Stage]:
    """The stages of its tasks, which are run together, by name."""
    shared = Shared(f"{suite}{SUFFIX}/facts", load)
    made = [budgets_of(task, shared) for task in recounted(suite).values()]
    return {stage.name: stage for stage in made}


SUITES: dict[str, dict[str, Stage]] = {
    suite: budgets_of_suite(suite)
    for suite in sorted({task.suite for task in tasks().values() if task.recount})
}
"""By suite and name: of those whose tasks say what holds for other frames."""
STAGES: dict[str, Stage] = {name: stage for own in SUITES.values() for name, stage in own.items()}
"""By name."""
TASKS: dict[str, str] = {name: name.removesuffix(SUFFIX) for name in STAGES}
"""The task of each stage."""
