"""lineage.duckdb: what is in it, that it may be thrown away, and that nobody is ever locked out or misled."""

from __future__ import annotations

import dataclasses
import threading
from collections import Counter

import duckdb
import lakes
import pytest
from lineage_homes import STAGES

from spatial_assets.lineage import cache, database, records
from spatial_assets.lineage.cache import Lineage
from spatial_assets.storage.hashing import hash_file

EVERYTHING = (
    "source_file",
    "scene",
    "object",
    "frame",
    "record",
    "question",
    "tombstone",
    "release",
    "release_scene",
)


def contents(lineage):
    return {table: lineage.rows(f"select * from {table} order by all") for table in EVERYTHING}


def shell(path):
    return duckdb.connect(str(path), read_only=True)


def test_it_holds_what_the_files_hold(copied):
    with Lineage(copied.home) as lineage:
        assert not lineage.cached
        from_files = contents(lineage)
    cache.rebuild(copied.home)
    with Lineage(copied.home) as lineage:
        assert lineage.cached
        assert not lineage.changed
        assert contents(lineage) == from_files
    assert len(from_files["question"]) == len(lakes.rows(copied.home, "questions/*"))
    assert len(from_files["record"]) == 3 * len(STAGES)
    assert len(from_files["scene"]) == 3


def test_it_can_be_thrown_away(copied):
    path = cache.rebuild(copied.home)
    with Lineage(copied.home) as lineage:
        before = contents(lineage)
    path.unlink()
    cache.rebuild(copied.home)
    with Lineage(copied.home) as lineage:
        assert contents(lineage) == before


@pytest.mark.parametrize("scene", ["scene0000_01", "scene0001_00"])
def test_what_was_built_since_is_read_from_the_files(copied, scene):
    cache.rebuild(copied.home)
    file = copied.root / scene / f"{scene}.aggregation.json"
    file.write_text(file.read_text().replace('"plant"', '"vase"'))
    copied.build()
    with Lineage(copied.home) as lineage:
        assert lineage.cached
        assert lineage.changed
        laid_over = contents(lineage)
    cache.cache_path(copied.home).unlink()
    with Lineage(copied.home) as lineage:
        assert contents(lineage) == laid_over
    assert "vase" in {row["label"] for row in laid_over["object"]}


def test_a_new_shard_and_a_scene_that_is_gone_are_seen(copied):
    import shutil

    import tiny

    cache.rebuild(copied.home)
    tiny.write_scannet(copied.root, "scene0002_00", frames=6, seed=5)
    lakes.register(copied.home, "scannet", copied.root)
    with Lineage(copied.home) as lineage:
        (row,) = lineage.rows("select * from scene where scene = 'scene0002_00'")
        assert row["status"] is None
    shutil.rmtree(copied.root / "scene0001_00" / "color")
    copied.build()
    with Lineage(copied.home) as lineage:
        assert lineage.cached
        seen = contents(lineage)
    cache.rebuild(copied.home)
    with Lineage(copied.home) as lineage:
        assert contents(lineage) == seen
    (gone,) = [row for row in seen["scene"] if row["scene"] == "scene0001_00"]
    assert (gone["status"], gone["reason"]) == ("blocked", "no_frames")
    assert not [row for row in seen["question"] if row["scene"] == "scene0001_00"]
    assert [row["scene"] for row in seen["tombstone"]] == ["scene0001_00"]


def test_an_unfinished_or_foreign_file_is_not_believed(copied):
    path = cache.cache_path(copied.home)
    path.write_bytes(b"not a database")
    with Lineage(copied.home) as lineage:
        assert not lineage.cached
        assert len(lineage.rows("select 1 from record")) == 3 * len(STAGES)
    cache.rebuild(copied.home)
    con = duckdb.connect(str(path))
    con.execute("update meta set value = 'another' where key = 'schema'")
    con.close()
    with Lineage(copied.home) as lineage:
        assert not lineage.cached
        assert len(lineage.rows("select 1 from record")) == 3 * len(STAGES)


@pytest.mark.prove
def test_readers_go_on_while_it_is_rebuilt(copied):
    path = cache.rebuild(copied.home)
    held = shell(path)
    failures, counts, done = [], set(), threading.Event()

    def read():
        while not done.is_set():
            try:
                with Lineage(copied.home) as lineage:
                    counts.add(lineage.rows("select count(*) as n from question")[0]["n"])
            except Exception as error:
                failures.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(4):
        cache.rebuild(copied.home)
    done.set()
    reader.join()
    assert failures == []
    assert counts == {len(lakes.rows(copied.home, "questions/*"))}
    assert held.execute("select count(*) from question").fetchone()[0] in counts


def test_a_failed_rebuild_leaves_the_old_one(copied, monkeypatch):
    path = cache.rebuild(copied.home)
    before = path.read_bytes()
    monkeypatch.setattr(cache, "insert", lambda *_: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match="full"):
        cache.rebuild(copied.home)
    assert path.read_bytes() == before
    assert [item.name for item in copied.home.glob(".lineage*")] == []


def test_a_person_finds_their_way(copied):
    con = shell(cache.rebuild(copied.home))
    listed = con.execute("select name, what from about").fetchall()
    assert {name for name, _ in listed} >= {
        *EVERYTHING,
        "question_origin",
        "question_text",
        "reject",
        "quality",
        "revoked",
    }
    assert all(what for _, what in listed)
    for name, _ in listed:
        con.execute(f"select * from {name} limit 3").fetchall()
    origin = con.execute("select distinct task, code_version, host from question_origin").fetchall()
    assert len(origin) == 2
    total = con.execute("select sum(questions) from task_total").fetchone()[0]
    assert total == len(lakes.rows(copied.home, "questions/*"))
    text = con.execute(
        "select q.qa_id from question q join question_text t on t.qa_id::uuid = q.qa_id where t.answer <> ''"
    ).fetchall()
    assert len(text) == total
    assert con.execute("select count(*) from reject").fetchone()[0] == len(
        lakes.rows(copied.home, "rejects/*")
    )


def test_progress_counts_what_a_scene_was_rejected_by_apart_from_what_that_blocked(copied):
    damaged = "scene0001_00"
    (copied.root / damaged / f"{damaged}.aggregation.json").write_text("{")
    copied.build()
    con = shell(cache.rebuild(copied.home))
    found = con.execute(
        "select scene, assets_done, assets_rejected, assets_blocked from scene_progress order by scene"
    ).fetchall()
    counted = {
        scene: Counter(records.load(copied.home, name, shard)[scene].status for name in STAGES)
        for shard, scene in con.execute("select shard, scene from scene").fetchall()
    }
    order = (records.DONE, records.REJECTED, records.BLOCKED)
    assert found == [(scene, *(counted[scene][status] for status in order)) for scene in sorted(counted)]
    assert counted[damaged][records.REJECTED] == 1 and counted[damaged][records.BLOCKED] > 0


def test_an_empty_home_has_empty_tables(tmp_path):
    con = shell(cache.rebuild(tmp_path))
    for (name,) in con.execute("select name from about where name not in ('about', 'meta')").fetchall():
        rows = con.execute(f"select count(*) from {name}").fetchone()[0]
        assert rows == 0 or name in ("asset_input", "column_lineage"), name
    with Lineage(tmp_path) as lineage:
        assert contents(lineage) == {table: [] for table in EVERYTHING}


def test_source_files_have_the_hashes_and_times_of_the_files(copied):
    cache.rebuild(copied.home)
    with Lineage(copied.home) as lineage:
        rows = lineage.rows("select path, bytes, sha256, epoch_us(mtime) as mtime from source_file")
    held = {path.relative_to(copied.root).as_posix() for path in copied.root.rglob("*") if path.is_file()}
    assert {row["path"] for row in rows} == held
    for row in rows[::7]:
        file = copied.root / row["path"]
        assert row["sha256"] == hash_file(file)
        assert row["bytes"] == file.stat().st_size


def test_the_plain_views_are_as_before(built):
    """`connect` is what checks and reports use."""
    con = database.connect(built.home)
    for table in ("sources", "questions", "rejects", "quality", "records"):
        assert con.execute(f"select count(*) from {table}").fetchone()[0] > 0
    assert con.execute("select count(distinct shard) from questions").fetchone()[0] == 2


def test_records_without_a_commit_can_be_read(copied):
    """As they were written before commits were recorded."""
    import pyarrow.parquet as pq

    path = records.record_path(copied.home, "overlap", "scannet-v2-0000")
    pq.write_table(pq.read_table(path, partitioning=None).drop_columns(["commit"]), path)
    assert {record.commit for record in records.load(copied.home, "overlap", "scannet-v2-0000").values()} == {
        ""
    }
    with Lineage(copied.home) as lineage:
        rows = lineage.rows("select asset, \"commit\" as c from record where shard = 'scannet-v2-0000'")
    assert {row["c"] for row in rows if row["asset"] == "overlap"} == {""}


def test_readers_go_on_while_a_build_runs(copied):
    cache.rebuild(copied.home)
    failures, seen, done = [], set(), threading.Event()

    def read():
        while not done.is_set():
            try:
                with Lineage(copied.home) as lineage:
                    counted = lineage.rows(
                        "select count(*) as n, count(distinct qa_id) as ids from question"
                    )[0]
                    seen.add((counted["n"], counted["ids"]))
            except Exception as error:
                failures.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    for gap in (0.2, 0.1):
        copied.settle(depth_prediction_oc={"min_mark_gap": gap})
        copied.build()
    done.set()
    reader.join()
    assert failures == []
    assert seen
    assert all(count == ids for count, ids in seen)


def read_by_rebuild(home, monkeypatch):
    """Bring the cache up to date; which assets and shards were read from their files for it."""
    read = []
    parts = cache._parts

    def noted_parts(changed):
        for part in parts(changed):
            read.append(part)
            yield part

    with monkeypatch.context() as patched:
        patched.setattr(cache, "_parts", noted_parts)
        cache.rebuild(home)
    return set().union(*read)


def test_a_rebuild_reads_only_what_changed(copied, monkeypatch):
    everything = read_by_rebuild(copied.home, monkeypatch)
    assert {asset for asset, _ in everything} == set(STAGES)
    assert read_by_rebuild(copied.home, monkeypatch) == set()
    shard = min(shard for _, shard in everything)
    held = records.load(copied.home, STAGES[-1], shard)
    scene = min(held)
    records.save(
        copied.home, STAGES[-1], shard, {**held, scene: dataclasses.replace(held[scene], run_id="again")}
    )
    assert read_by_rebuild(copied.home, monkeypatch) == {(STAGES[-1], shard)}
    with Lineage(copied.home) as lineage:
        assert not lineage.changed
        by_parts = contents(lineage)
        assert [row["scene"] for row in by_parts["record"] if row["run_id"] == "again"] == [scene]
    cache.cache_path(copied.home).unlink()
    with Lineage(copied.home) as lineage:
        assert contents(lineage) == by_parts


def test_parts_of_few_shards_make_the_same_cache(copied, monkeypatch):
    cache.rebuild(copied.home)
    with Lineage(copied.home) as lineage:
        whole = contents(lineage)
    cache.cache_path(copied.home).unlink()
    monkeypatch.setattr(cache, "SHARDS_AT_ONCE", 1)
    cache.rebuild(copied.home)
    with Lineage(copied.home) as lineage:
        assert lineage.cached and not lineage.changed
        assert contents(lineage) == whole


@pytest.mark.parametrize("first", [True, False], ids=["anew", "going on with an old one"])
def test_a_rebuild_that_ends_half_way_leaves_the_old_one_whole(copied, monkeypatch, first):
    path = cache.rebuild(copied.home)
    before = hash_file(path)
    if first:
        with duckdb.connect(str(path)) as con:
            con.execute("update meta set value = 'of another version' where key = 'schema'")
        before = hash_file(path)
    else:
        shard = lakes.partitions.registry(copied.home).shards()[0].key
        records.save(copied.home, STAGES[-1], shard, records.load(copied.home, STAGES[-1], shard))

    class Killed(BaseException):
        pass

    def killed(*_):
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(cache, "release_views", killed)
        with pytest.raises(Killed):
            cache.rebuild(copied.home)
    assert hash_file(path) == before
    assert [item.name for item in copied.home.glob(".lineage*")] == []
    cache.rebuild(copied.home)
    with Lineage(copied.home) as lineage:
        assert lineage.cached and not lineage.changed


def test_a_few_shards_are_looked_at_alone(copied):
    cache.rebuild(copied.home)
    keys = [shard.key for shard in lakes.partitions.registry(copied.home).shards()]
    for key in keys:
        records.save(copied.home, STAGES[-1], key, records.load(copied.home, STAGES[-1], key))
    with Lineage(copied.home, keys[:1]) as lineage:
        assert lineage.changed == {(STAGES[-1], keys[0])}
        assert lineage.cached
        seen = lineage.rows("select * from record order by all")
    with Lineage(copied.home) as lineage:
        assert lineage.rows("select * from record order by all") == seen
    cache.cache_path(copied.home).unlink()
    with Lineage(copied.home, keys[:1]) as lineage:
        assert {row["shard"] for row in lineage.rows("select shard from record")} == {keys[0]}
