"""lineage.duckdb: what is in it, that it may be thrown away, and that nobody is ever locked out or misled."""

from __future__ import annotations

import threading

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
    monkeypatch.setattr(cache, "_insert", lambda *_: (_ for _ in ()).throw(OSError("full")))
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
