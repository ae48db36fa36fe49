"""One stage per task: its questions about a scene. Tasks of a suite share a scene's facts."""

from __future__ import annotations

from functools import partial

from spatial_assets.scene.frame_set_tables import FRAME_SETS, FRAME_SETS_SHOWN
from spatial_assets.scene.frames import VIDEO
from spatial_assets.scene.inputs import SceneInputs
from spatial_assets.scene.outputs import Reject, SceneOutputs, Tally
from spatial_assets.scene.tables import QUESTIONS, of
from spatial_assets.stages.stage import Shared, Stage
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.generate import generate
from spatial_assets.tasks.core.task import ShownParameters, TaskParameters
from spatial_assets.tasks.registry import suites, task, tasks


def facts_of(inputs: SceneInputs) -> SceneFacts:
    """A scene's facts, read for all tasks of a suite."""
    return SceneFacts(inputs.which, inputs.shard.license, inputs.table)


FRAME_SET_READS = (FRAME_SETS, FRAME_SETS_SHOWN)
"""What tasks about a video read where other frames stand for it than the 32."""
SHARED = {suite: Shared(f"{suite}/facts", facts_of) for suite in suites()}
"""By suite."""


def questions_of(name: str) -> Stage:
    chosen = task(name)
    sets = FRAME_SET_READS if issubclass(chosen.parameters, ShownParameters) else ()
    return Stage(
        name=name,
        reads=(*chosen.tables, *sets),
        writes=(of(QUESTIONS, name),),
        parameters=lambda dataset: chosen.parameters(),
        compute=partial(ask, name),
        modules=lambda dataset: (__name__, chosen.module),
        data=(chosen.wording_file, *chosen.data, *chosen.parameters.data),
        shared=SHARED[chosen.suite],
        unread=lambda parameters: frozenset(table.name for table in sets if parameters.frame_set == VIDEO),
        heavy=lambda dataset: True,
    )


def ask(name: str, facts: SceneFacts, parameters: TaskParameters) -> SceneOutputs:
    """The questions of one task about one scene."""
    made = generate(task(name), facts, parameters)
    rejects = [
        Reject(reason, detail, count, counts.form)
        for counts in made.counts
        for reason, (detail, count) in counts.rejected.items()
    ]
    tallies = [
        Tally(counts.form, counts.candidates, counts.kept, counts.quota, counts.repeats)
        for counts in made.counts
    ]
    return SceneOutputs({of(QUESTIONS, name).name: made.table}, rejects=rejects, tallies=tallies)


STAGES: dict[str, Stage] = {name: questions_of(name) for name in tasks()}
"""By task."""
SUITES: dict[str, dict[str, Stage]] = {
    suite: {name: STAGES[name] for name, chosen in tasks().items() if chosen.suite == suite}
    for suite in suites()
}
"""By suite and task."""
