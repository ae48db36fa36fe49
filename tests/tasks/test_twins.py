"""Twins of every task: every law holds of every pair, each law has pairs, and no other row depends on them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lakes
import numpy as np
import pytest
from video_scenes import Studio

from spatial_assets.assets import partitions
from spatial_assets.engine import lake_quality
from spatial_assets.scene.inputs import SceneInputs
from spatial_assets.scene.twin_laws import broken, laws
from spatial_assets.stages import pipeline
from spatial_assets.stages.questions import STAGES, facts_of
from spatial_assets.storage.lake import Lake
from spatial_assets.studio.write import write_scenes
from spatial_assets.tasks.core.draws import Draw, TurnedDraw
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.generate import Generated, generate
from spatial_assets.tasks.registry import tasks

Row = dict[str, Any]
TWINS = 6


def facts_in(home: Path) -> Iterator[SceneFacts]:
    for shard in partitions.registry(home).shards():
        for ref in shard.scenes:
            yield facts_of(SceneInputs(Lake(home), shard, ref))


@pytest.fixture(scope="module")
def facts(studio: Studio) -> SceneFacts:
    return next(facts_in(studio.home))


@pytest.fixture(scope="module")
def made(facts: SceneFacts) -> dict[str, Generated]:
    return {
        name: generate(task, facts, task.parameters(twins=TWINS, quota=2 * TWINS))
        for name, task in tasks().items()
    }


def pairs(rows: list[Row]) -> Iterator[tuple[Row, Row]]:
    of = {row["qa_id"]: row for row in rows}
    assert len(of) == len(rows)
    for row in rows:
        assert (row["twin_of"] is None) == (row["law"] is None)
        if row["twin_of"] is not None:
            first = of[row["twin_of"]]
            assert first["twin_of"] is None
            yield first, row


def test_every_law_holds_of_every_pair(made: dict[str, Generated]) -> None:
    met: Counter[str] = Counter()
    for name, found in made.items():
        for first, twin in pairs(found.rows):
            assert broken(twin["law"], first, twin) is None, (name, first, twin)
            assert (first["format"], first["scene"]) == (twin["format"], twin["scene"])
            met[twin["law"]] += 1
    assert set(met) == set(laws())


def test_a_twin_shows_or_says_something_else(made: dict[str, Generated]) -> None:
    for name, found in made.items():
        for first, twin in pairs(found.rows):
            told = [
                (row["question"], [shown["frame"] for shown in row["frames"]], row["marks"])
                for row in (first, twin)
            ]
            assert told[0] != told[1], (name, first["qa_id"])


def test_what_is_asked_does_not_depend_on_twins(facts: SceneFacts, made: dict[str, Generated]) -> None:
    for name, task in tasks().items():
        alone = generate(task, facts, task.parameters(quota=2 * TWINS))
        assert [row for row in made[name].rows if row["twin_of"] is None] == alone.rows, name
        assert made[name].counts == alone.counts


def test_as_many_twins_as_are_asked_for(made: dict[str, Generated]) -> None:
    for name, found in made.items():
        counts = Counter((row["format"], row["law"]) for row in found.rows if row["twin_of"] is not None)
        firsts = Counter(row["format"] for row in found.rows if row["twin_of"] is None)
        for (form, law), count in counts.items():
            assert count <= min(TWINS, firsts[form]), (name, law)
        for form in tasks()[name].formats:
            if form == "select" and firsts[form]:
                assert counts[form, "options_rotated"] == min(TWINS, firsts[form]), name


def test_a_dropped_view_shows_nothing_of_what_is_asked(facts: SceneFacts, made: dict[str, Generated]) -> None:
    instances = facts.objects.instances.tolist()
    seen = 0
    for found in made.values():
        for first, twin in pairs(found.rows):
            if twin["law"] != "view_dropped":
                continue
            before, after = ([shown["frame"] for shown in row["frames"]] for row in (first, twin))
            (gone,) = set(before) - set(after)
            assert [name for name in before if name != gone] == after and len(after) >= 2
            things = [instances.index(one["instance"]) for one in first["objects"]]
            frame = facts.frames.names.index(gone)
            assert not facts.observed.visible_px[frame][things].any()
            told = twin["diagnostics"]
            assert len(told["overlap_pairs"]) == len(after) * (len(after) - 1) // 2
            assert told["overlap_avg"] == pytest.approx(np.mean(told["overlap_pairs"]))
            seen += 1
    assert seen


def test_options_have_moved_on_by_one_letter(made: dict[str, Generated]) -> None:
    for found in made.values():
        for first, twin in pairs(found.rows):
            options = first["options"]
            if twin["law"] == "options_rotated":
                assert twin["options"] == [*options[-1:], *options[:-1]]
                assert twin["answer"] != first["answer"]
            elif twin["law"] == "options_mirrored":
                assert twin["options"] == options[::-1]
                assert len(options) > 2


def test_a_turned_draw_turns_one_purpose_alone() -> None:
    for number in range(50):
        draw = Draw.of("twin", str(number))
        turned, mirrored = TurnedDraw(draw, "this"), TurnedDraw(draw, "this", mirrored=True)
        assert turned.below("this", 2) == 1 - draw.below("this", 2)
        assert turned.below("other", 7) == draw.below("other", 7)
        order = draw.shuffled("this", "abcd")
        assert turned.shuffled("this", "abcd") == [order[-1], *order[:-1]]
        assert mirrored.shuffled("this", "abcd") == order[::-1]
        assert turned.shuffled("other", "abcd") == draw.shuffled("other", "abcd")


@pytest.mark.prove
def test_the_check_of_a_task_finds_a_broken_law(studio: Studio, tmp_path: Path) -> None:
    source, home = tmp_path / "source", tmp_path / "home"
    write_scenes(source, "scannet", 1, seed=5, faces=20_000, frames=40, size=(320, 240))
    lakes.register(home, "scannet", source)
    task = "distance_prediction_oo"
    upstream = [name for name in pipeline.STAGES if name not in STAGES and name != "view_sets"]
    lakes.build(home, stages=[*upstream, task], **{task: {"twins": 3, "quota": 5}})
    assert lake_quality.find_problems(home, [task])[task] == []
    (path,) = (home / "lake/questions" / task).glob("shard=*/data.parquet")
    rows = lakes.rows(home, f"questions/{task}")
    twin = next(row for row in rows.to_dicts() if row["twin_of"] is not None)
    changed = [
        {**row, "value": [value + 1.0 for value in row["value"]]} if row["qa_id"] == twin["qa_id"] else row
        for row in rows.to_dicts()
    ]
    type(rows)(changed, schema=rows.schema).write_parquet(path)
    found = lake_quality.find_problems(home, [task])[task]
    assert [problem[3].split(":")[:2] for problem in found] == [[twin["qa_id"], f" breaks {twin['law']}"]]
    kept = [row for row in rows.to_dicts() if row["qa_id"] != twin["twin_of"]]
    type(rows)(kept, schema=rows.schema).write_parquet(path)
    assert any("is not there" in problem[3] for problem in lake_quality.find_problems(home, [task])[task])


@pytest.mark.prove
def test_ten_thousand_pairs_obey_their_laws(tmp_path: Path) -> None:
    source, home = tmp_path / "source", tmp_path / "home"
    write_scenes(source, "scannet", 3, seed=11, faces=40_000, frames=80, size=(320, 240))
    lakes.register(home, "scannet", source)
    lakes.build(home, stages=[name for name in pipeline.STAGES if name not in STAGES])
    met: Counter[str] = Counter()
    for facts in facts_in(home):
        for name, task in tasks().items():
            for first, twin in pairs(generate(task, facts, task.parameters(twins=40)).rows):
                assert broken(twin["law"], first, twin) is None, (name, first, twin)
                met[twin["law"]] += 1
    print(f"pairs that obey their laws: {met.total():,}: {dict(sorted(met.items()))}")
    assert met.total() > 10_000
