"""What is announced is what a build then does."""

from __future__ import annotations

import os
from dataclasses import replace

import lakes
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lineage_homes import STAGES, TASKS

from spatial_assets.lineage import cache, code_versions, planning, records, stale
from spatial_assets.stages import pipeline
from spatial_assets.stages.stage import name_of

WORDS = st.text(max_size=6)


def find(home, **options):
    return stale.find_stale(home, tasks=TASKS, **options)


def certain(report):
    return {(item.asset, item.scene) for item in report.items if item.certain}


@given(WORDS, WORDS, WORDS, st.dictionaries(WORDS, WORDS, max_size=4))
def test_the_quick_hash_is_the_hash(stage, code, parameters, inputs):
    quick = planning.WantedHashes(stage, code, parameters).of(planning.framed_inputs(inputs))
    assert quick == planning.wanted_hash(stage, code, parameters, inputs)


@given(st.dictionaries(WORDS, st.dictionaries(st.sampled_from("abc"), WORDS), max_size=4))
def test_inputs_by_column_are_those_of_each_scene(columns):
    framed = planning.framed_columns(columns, "abc")
    for scene in "abc":
        inputs = {name: hashes.get(scene, "") for name, hashes in columns.items()}
        assert framed[scene] == planning.framed_inputs(inputs)


@given(
    st.dictionaries(WORDS, WORDS, min_size=1, max_size=3),
    st.dictionaries(WORDS, WORDS, min_size=1, max_size=3),
)
def test_different_inputs_have_different_hashes(one, other):
    hashes = [planning.wanted_hash("s", "c", "p", inputs) for inputs in (one, other)]
    assert (hashes[0] == hashes[1]) == (one == other)


def test_plans_are_what_a_build_recorded(built):
    """Each record's input hash, planned again from the records upstream alone."""
    checked = 0
    for shard in lakes.partitions.registry(built.home).shards():
        held = {name: records.load(built.home, name, shard.key) for name in pipeline.STAGES}
        for name, found in held.items():
            stage = pipeline.STAGES[name]
            for scene, record in found.items():
                made = {name_of(read): held[writer].get(scene) for read, writer in _writers(stage)}
                plan = planning.plan(
                    stage, record.code_version, record.parameters, made, record.inputs.get(planning.FILES)
                )
                assert plan.wanted == record.input_hash
                assert plan.inputs == record.inputs
                checked += 1
    assert checked == 3 * len(STAGES)


def _writers(stage):
    from spatial_assets.stages.stage import writers

    writer = writers(pipeline.STAGES)
    return [(read, writer[name_of(read)]) for read in stage.reads]


def test_nothing_is_stale_after_a_build(built):
    report = find(built.home)
    assert report.items == []
    assert report.shards() == {}
    assert report.checked == 3 * len(STAGES)


def test_what_another_asset_made_once_does_not_count(copied):
    """A record of before an output moved: the builder reads that of the asset that writes it today."""
    shard = lakes.partitions.registry(copied.home).shards()[0]
    held = records.load(copied.home, "scenes", shard.key)
    (name,) = (name_of(output) for output in pipeline.STAGES["visibility"].writes)
    moved = {
        scene: replace(record, outputs={**record.outputs, name: "of another day"})
        for scene, record in held.items()
    }
    records.save(copied.home, "scenes", shard.key, moved)
    assert not {item.asset for item in find(copied.home).items} & {"overlap", *TASKS}


def test_everything_is_stale_before_one(built, tmp_path):
    lakes.register(tmp_path, "scannet", built.root)
    report = find(tmp_path)
    assert {item.reasons for item in report.items} == {("never run",)}
    assert len(report.items) == 3 * len(STAGES)
    assert list(report.shards()) == ["scannet-v2-0000"]


def test_looking_writes_nothing(copied):
    def state():
        return {path: path.stat().st_mtime_ns for path in sorted(copied.home.rglob("*")) if path.is_file()}

    aggregation(copied).write_text(aggregation(copied).read_text().replace("plant", "vase"))
    before = state()
    assert find(copied.home).items
    assert state() == before


def aggregation(copied, scene="scene0001_00"):
    return copied.root / scene / f"{scene}.aggregation.json"


@pytest.mark.parametrize("cached", [False, True])
def test_an_edit_names_its_scene_and_file_and_a_build_does_just_that(copied, cached):
    if cached:
        cache.rebuild(copied.home)
    file = aggregation(copied)
    file.write_text(file.read_text().replace("plant", "vase"))
    report = find(copied.home)
    assert report.scenes() == [("scannet-v2-0001", "scene0001_00")]
    assert certain(report) == {("sources", "scene0001_00")}
    assert report.items[0].reasons == ("source changed",)
    assert report.items[0].details == ("scene0001_00/scene0001_00.aggregation.json (changed)",)
    assert {item.reasons for item in report.items[1:]} == {("perhaps, once upstream is done",)}
    assert len(report.items) == len(STAGES)
    assert report.shards()["scannet-v2-0001"] > 0
    done = lakes.done(copied.build())
    assert {scene for scenes in done.values() for scene in scenes} == {"scene0001_00"}
    assert {"sources", "scenes"} <= set(done) <= {item.asset for item in report.items}
    assert find(copied.home).items == []


def test_touching_changes_nothing(copied):
    os.utime(aggregation(copied), (1, 1))
    assert find(copied.home).items == []


def test_an_edit_that_keeps_size_and_times_shows_by_rehashing(copied):
    copied.build()  # the copies' own times go into the records
    file = aggregation(copied)
    held = file.stat()
    file.write_bytes(file.read_bytes().replace(b"plant", b"plane"))
    os.utime(file, ns=(held.st_atime_ns, held.st_mtime_ns))
    assert find(copied.home, rehash=True).scenes() == [("scannet-v2-0001", "scene0001_00")]


def test_a_deleted_file_is_named(copied):
    aggregation(copied).unlink()
    (item, *_) = find(copied.home).items
    assert (item.scene, item.reasons) == ("scene0001_00", ("source changed",))
    assert "aggregation.json: missing" in item.details[0]


def test_a_changed_threshold_names_the_tasks_that_read_it(copied):
    copied.settle(depth_prediction_oc={"min_mark_gap": 0.3})
    report = find(copied.home)
    assert report.summary() == {"depth_prediction_oc": {"parameters changed": 3}}
    assert report.items[0].details == ("min_mark_gap: 0.04 -> 0.3",)
    assert set(lakes.done(copied.build())) == {"depth_prediction_oc"}


def test_a_threshold_upstream_leaves_open_what_follows(copied):
    copied.settle(keyframes={"translation": 0.6})
    report = find(copied.home)
    assert certain(report) == {
        ("keyframes", scene) for scene in ("scene0000_00", "scene0000_01", "scene0001_00")
    }
    assert set(report.summary()) == {"keyframes", "visibility", "overlap", *TASKS}


def test_changed_code_is_named_by_file(copied, monkeypatch):
    cache.rebuild(copied.home)
    real, real_parts = code_versions.stage_version, code_versions.stage_parts
    own = next(
        name for name in real_parts(pipeline.STAGES["view_change_infer"], "scannet") if "view_change" in name
    )

    def version(stage, *datasets):
        return "other" if stage.name == "view_change_infer" else real(stage, *datasets)

    monkeypatch.setattr(code_versions, "stage_version", version)
    monkeypatch.setattr(
        code_versions, "stage_parts", lambda stage, *datasets: {**real_parts(stage, *datasets), own: "new"}
    )
    report = find(copied.home)
    assert report.summary() == {"view_change_infer": {"code changed": 3}}
    assert report.items[0].details == (own,)


def test_a_seed_is_asked_for_as_in_a_build(built):
    assert set(find(built.home, seed=5).summary()) == set(TASKS)
    assert find(built.home, seed=0).items == []


def test_a_rejected_scene_is_not_stale_again(copied):
    aggregation(copied).write_text("{")
    copied.build()
    assert find(copied.home).items == []


def test_a_scene_that_was_rejected_and_is_mended_is_as_before(copied, built):
    held = aggregation(copied).read_text()
    aggregation(copied).write_text("{")
    copied.build()
    aggregation(copied).write_text(held)
    report = find(copied.home)
    assert report.scenes() == [("scannet-v2-0001", "scene0001_00")]
    assert len(report.items) == len(STAGES)
    copied.build()
    assert lakes.digest(copied.home) == lakes.digest(built.home)


def test_shards_are_weighed_by_what_they_took(copied):
    copied.settle(depth_prediction_oc={"min_mark_gap": 0.3})
    weights = stale.find_stale(copied.home).shards()
    spent = {
        shard: sum(r.seconds for r in records.load(copied.home, "depth_prediction_oc", shard).values())
        for shard in ("scannet-v2-0000", "scannet-v2-0001")
    }
    assert {shard: weights[shard] >= spent[shard] > 0 for shard in spent} == dict.fromkeys(spent, True)
