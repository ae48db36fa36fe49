"""What a task says it needs is what it uses: with that alone it has questions, and with any less it has none."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import lakes
import polars as pl
import pytest
import quoted_files
from video_scenes import Studio

from spatial_assets.assets import partitions
from spatial_assets.scene import tables
from spatial_assets.scene.frames import VIDEO
from spatial_assets.scene.inputs import SceneInputs
from spatial_assets.scene.model import Fact
from spatial_assets.scene.tables import Table
from spatial_assets.stages.questions import STAGES
from spatial_assets.storage.lake import Lake
from spatial_assets.studio.write import write_scenes
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.generate import generate
from spatial_assets.tasks.registry import task, tasks

UPSTREAM = ("sources", "scenes", "keyframes", "visibility", "overlap", "view_sets", "rooms", "cognitive_maps")
CASES = [(name, form) for name, chosen in tasks().items() for form in chosen.formats]
SCENES = 3
Take = Callable[[pl.DataFrame], pl.DataFrame]


def nothing(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.clear()


def without(*columns: str) -> Take:
    return lambda rows: rows.with_columns(pl.lit(None, rows.schema[name]).alias(name) for name in columns)


def without_video(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.filter(pl.col("set") != VIDEO)


AMODAL = without("amodal_px", "occlusion", "truncation", "visible_vertex_fraction", "amodal_box")
DATA: Mapping[Fact, Mapping[str, Take]] = {
    Fact.MESH: {"rooms": nothing},
    Fact.OBJECTS: {"objects": nothing, "visibility": nothing},
    Fact.VISIBILITY: {"visibility": nothing},
    Fact.AMODAL: {"visibility": AMODAL},
    # Sets of views are made by how much these share.
    Fact.OVERLAP: {"overlap": nothing, "view_sets": nothing, "view_set_objects": nothing},
    Fact.SEQUENCE: {"keyframes": without_video},
    Fact.ROOM_SIZE: {"scenes": without("room_size")},
    Fact.ROUTES: {"navigation_paths": nothing},
    Fact.QUESTIONS: {"quoted_questions": nothing},
}
"""What of the tables is not there in a scene that does not know a fact."""
PRESUPPOSED = {Fact.IMAGES, Fact.POSES, Fact.SEQUENCE}
"""What is shown, and by which camera: generating reads no image, and tables of frames have poses."""


class Scenes:
    """Furnished scenes, and their facts as they would be if less were known; each made once."""

    def __init__(self, inputs: list[SceneInputs]) -> None:
        self.inputs = inputs
        self.made: dict[tuple[int, frozenset[Fact], frozenset[Fact]], SceneFacts] = {}

    def facts(self, index: int, known: frozenset[Fact], said: frozenset[Fact]) -> SceneFacts:
        """Of a scene whose tables hold what belongs to the facts known, and that says which it has."""

        def read(table: Table) -> pl.DataFrame:
            rows = self.inputs[index].table(table)
            for fact, data in DATA.items():
                if fact not in known and table.name in data:
                    rows = data[table.name](rows)
            if table.name == "scenes":
                rows = rows.with_columns(pl.lit(sorted(said), rows.schema["facts"]).alias("facts"))
            return rows

        key = (index, known, said)
        if key not in self.made:
            self.made[key] = SceneFacts(self.inputs[index].which, "", read)
        return self.made[key]


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Scenes:
    base = tmp_path_factory.mktemp("needs")
    names = write_scenes(base / "source", "scannet", SCENES, seed=5, faces=20_000, frames=60, size=(320, 240))
    quoted_files.write(base / "source", names)
    lakes.register(base / "home", "scannet", base / "source")
    write_scenes(base / "houses", "matterport3d", 1, seed=9, faces=6000, frames=40, size=(320, 240))
    lakes.register(base / "home", "matterport3d", base / "houses")
    lakes.build(base / "home", stages=UPSTREAM)
    return Scenes(
        [
            SceneInputs(Lake(base / "home"), shard, ref)
            for shard in partitions.registry(base / "home").shards()
            for ref in shard.scenes
        ]
    )


def asked(name: str, form: str, facts: SceneFacts, **given: bool) -> int:
    """How many questions of a format a scene gives; few are enough."""
    chosen = task(name)
    made = generate(chosen, facts, chosen.parameters.model_validate({"quota": 5, **given}))
    return sum(counts.kept for counts in made.counts if counts.form == form)


LACKING = [{Fact.OBJECTS}, {Fact.VISIBILITY}, {Fact.OVERLAP}, set(DATA)]


@pytest.mark.parametrize("lacking", LACKING, ids=lambda facts: "-".join(sorted(facts)))
def test_a_scene_that_shows_less_than_it_says_is_no_error(studio: Studio, lacking: set[Fact]) -> None:
    """A scan of bare walls, one whose frames see nothing, one of views that share nothing: no questions, no crash."""
    (shard,) = partitions.registry(studio.home).shards()
    bare = Scenes([SceneInputs(Lake(studio.home), shard, shard.scenes[0])])
    said = frozenset(Fact)
    facts = bare.facts(0, said - lacking, said)
    for name, chosen in tasks().items():
        made = generate(chosen, facts, chosen.parameters(quota=1))
        for counts in made.counts:
            needed = chosen.needs[counts.form] & lacking
            assert not (needed and counts.kept), (name, counts.form)
            assert counts.candidates == counts.kept + sum(count for _, count in counts.rejected.values())


def test_a_task_reads_no_table_that_its_stage_does_not_name(studio: Studio) -> None:
    """Else an edit of that table's rows would leave its questions as they are; and what it names and never reads
    would recompute them for nothing."""
    (shard,) = partitions.registry(studio.home).shards()
    inputs = SceneInputs(Lake(studio.home), shard, shard.scenes[0])
    read: dict[str, set[str]] = {}
    for name, chosen in tasks().items():
        own = read.setdefault(name, set())

        def table(wanted: Table, own: set[str] = own) -> pl.DataFrame:
            own.add(wanted.name)
            return inputs.table(wanted)

        generate(chosen, SceneFacts(inputs.which, "", table), chosen.parameters(quota=1))
        assert own <= {reading.name for reading in STAGES[name].reads}, name
    said = frozenset(inputs.table(tables.SCENES)["facts"][0])
    for name, chosen in tasks().items():
        if any(needed <= said for needed in chosen.needs.values()):
            assert {table.name for table in chosen.tables} <= read[name], name


@pytest.mark.prove
@pytest.mark.parametrize(("name", "form"), CASES)
def test_a_task_can_do_with_what_it_needs_and_with_nothing_less(scenes: Scenes, name: str, form: str) -> None:
    """Nothing less: even if the scene said that it knows. So none is named that the task could do without."""
    needs = task(name).needs[form]
    # Laws of names leave few scenes any question of some tasks: of these, what they leave out is asked too.
    ways = [{}, {"by_names": False}] if "by_names" in task(name).parameters.model_fields else [{}]
    scene, given = next(
        (i, way)
        for way in ways
        for i in range(len(scenes.inputs))
        if asked(name, form, scenes.facts(i, needs, needs), **way)
    )
    for fact in sorted(needs - PRESUPPOSED):
        assert asked(name, form, scenes.facts(scene, needs - {fact}, needs), **given) == 0, fact
