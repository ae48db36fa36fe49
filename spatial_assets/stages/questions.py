"""One stage per task: its questions about a scene."""

from __future__ import annotations

from spatial_assets import tables
from spatial_assets.stage import SceneInputs, SceneOutputs, Stage
from spatial_assets.tables import QUESTIONS, of
from spatial_assets.tasks import FAMILIES, module_of, task
from spatial_assets.tasks.task import TaskParameters, generate
from spatial_assets.tasks.view import SceneView

READS = (
    tables.SCENES, tables.FRAMES, tables.OBJECTS, tables.KEYFRAMES, tables.VISIBILITY, tables.OVERLAP,
)  # fmt: skip


def questions_of(name: str) -> Stage:
    chosen = task(name)
    table = of(QUESTIONS, name)

    def compute(inputs: SceneInputs, parameters: TaskParameters) -> SceneOutputs:
        rows, rejects, tallies = generate(chosen, SceneView(inputs), parameters, inputs.shard.licence)
        return SceneOutputs({table.name: rows}, rejects=rejects, tallies=tallies)

    return Stage(
        name=name,
        reads=(*READS, *chosen.reads),
        writes=(table,),
        parameters=lambda dataset: chosen.parameters(),
        compute=compute,
        modules=lambda dataset: (module_of(name),),
        data=(chosen.wording, "tasks/wording/common.json"),
    )


STAGES: dict[str, Stage] = {name: questions_of(name) for name in sorted(FAMILIES)}
"""By task."""
