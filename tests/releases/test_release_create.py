"""Releases: the same bytes from the same lake, split by place, guarded, balanced, and never changed."""

from __future__ import annotations

import json
import shutil
import stat
import time
from collections import Counter
from dataclasses import replace

import lakes
import pyarrow.parquet as pq
import pytest
import tiny
from hypothesis import given
from hypothesis import strategies as st
from lineage_homes import STAGES

from spatial_assets.releases import balance, create, revocations, spaces, splits, verify
from spatial_assets.releases.create import Request
from spatial_assets.scene.model import InputError
from spatial_assets.storage import release_manifest as manifest

HALVES = {"train": 0.5, "val": 0.5}
SCENE = "scene0001_00"


def files(home, name):
    folder = manifest.folder(home, name)
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != manifest.PROVENANCE
    }


def released(home, name):
    """Rows with their split, by qa_id."""
    folder = manifest.folder(home, name) / "data"
    return {
        row["qa_id"]: (path.parent.name, row)
        for path in sorted(folder.glob("*/*.parquet"))
        for row in pq.read_table(path, partitioning=None).to_pylist()
    }


@pytest.mark.parametrize("request_", [Request(), Request(HALVES, seed=4, balanced=True)])
def test_equal_lakes_give_equal_bytes(built, copied, tmp_path, request_):
    """Built elsewhere, from files registered one at a time, one scene a shard and with two workers."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "parameters.toml").write_text((copied.home / "parameters.toml").read_text())
    for scene in ("scene0001_00", "scene0000_01", "scene0000_00"):
        shutil.copytree(built.root / scene, tmp_path / "again" / scene)
        lakes.register(other, "scannet", tmp_path / "again", per_shard=1)
    lakes.build(other, workers=2, stages=STAGES)
    one = create.create(copied.home, "v1", request_)
    two = create.create(other, "v1", request_)
    assert one == two
    assert files(copied.home, "v1") == files(other, "v1")


def test_a_release_holds_the_rows_of_the_lake(copied):
    held = create.create(copied.home, "v1", Request(HALVES))
    rows = {row["qa_id"]: row for row in lakes.rows(copied.home, "questions/*").to_dicts()}
    assert {qa_id: row for qa_id, (_, row) in released(copied.home, "v1").items()} == rows
    assert held["rows"] == len(rows)
    assert held["id"] == manifest.identity(held) == manifest.load(copied.home, "v1")["id"]
    assert held["licenses"] == sorted({row["license"] for row in rows.values()})
    assert held["parameters"]["depth_prediction_oc"][0]["quota"] == 20
    provenance = json.loads((manifest.folder(copied.home, "v1") / manifest.PROVENANCE).read_text())
    assert set(provenance["assets"]) == set(held["parameters"])
    assert verify.verify_release(copied.home, "v1") == []


def test_another_name_is_the_same_release(copied):
    assert create.create(copied.home, "a")["id"] == create.create(copied.home, "b")["id"]
    assert create.create(copied.home, "c", Request(seed=1))["id"] != create.create(copied.home, "d")["id"]


def test_a_release_does_not_change(copied):
    create.create(copied.home, "v1")
    before = files(copied.home, "v1")
    with pytest.raises(ValueError, match="does not change"):
        create.create(copied.home, "v1", Request(HALVES))
    assert files(copied.home, "v1") == before
    for path in manifest.folder(copied.home, "v1").rglob("*"):
        if path.is_file():
            assert not stat.S_IMODE(path.stat().st_mode) & 0o222


@pytest.mark.parametrize("name", ["", "../v1", "a/b", ".hidden", "lake"])
def test_names_that_cannot_be(copied, name):
    with pytest.raises(ValueError, match="release"):
        create.create(copied.home, name)


def test_nothing_to_release(tmp_path, built):
    lakes.register(tmp_path, "scannet", built.root)
    with pytest.raises(InputError, match="no row"):
        create.create(tmp_path, "v1")
    assert list((tmp_path / "releases").iterdir()) == []
    with pytest.raises(InputError, match="no dataset"):
        create.create(tmp_path, "v1", Request(datasets=("unheard_of",)))


def test_a_build_at_the_same_time_is_noticed(copied, monkeypatch):
    real = create._Release.make

    def make(self):
        made = real(self)
        copied.settle(view_change_infer={"quota": 3})
        lakes.build(copied.home, stages=["view_change_infer"])
        return made

    monkeypatch.setattr(create._Release, "make", make)
    with pytest.raises(ValueError, match="a build changed the lake"):
        create.create(copied.home, "v1")
    assert manifest.names(copied.home) == []


# Splits


def test_scans_of_one_room_never_part(copied):
    for seed in range(12):
        create.create(copied.home, f"v{seed}", Request(HALVES, seed=seed))
        where = {row["scene"]: split for split, row in released(copied.home, f"v{seed}").values()}
        assert where["scene0000_00"] == where["scene0000_01"] != where["scene0001_00"]


def listed(copied, **lists):
    """The home built anew with lists of splits in its root."""
    for split, scenes in lists.items():
        (copied.root / f"scannetv2_{split}.txt").write_text("".join(f"{scene}\n" for scene in scenes))
    lakes.register(copied.home, "scannet", copied.root, per_shard=2)
    copied.build()


def test_official_splits_are_those_of_the_lists(copied):
    listed(copied, train=["scene0001_00"], test=["scene0000_00", "scene0000_01"])
    held = create.create(copied.home, "v1", Request(splits.parse_splits("official")))
    where = {row["scene"]: split for split, row in released(copied.home, "v1").values()}
    assert where == {"scene0001_00": "train", "scene0000_00": "test", "scene0000_01": "test"}
    assert {split: (facts["share"], facts["scenes"]) for split, facts in held["splits"].items()} == {
        "train": (None, 1), "test": (None, 2),
    }  # fmt: skip
    card = (manifest.folder(copied.home, "v1") / manifest.CARD).read_text()
    assert "| train | official | 1 | 1 |" in card
    assert verify.verify_release(copied.home, "v1") == []


def test_scenes_without_an_official_split_are_said(copied):
    with pytest.raises(
        InputError, match="scannet/scene0000_00: is in no split of its dataset, as 3 scenes of 3 here"
    ):
        create.create(copied.home, "v1", Request(None))
    listed(copied, train=["scene0000_00", "scene0000_01"])
    with pytest.raises(
        InputError, match="scannet/scene0001_00: is in no split of its dataset, as 1 scene of 3 here"
    ):
        create.create(copied.home, "v1", Request(None))
    assert manifest.names(copied.home) == []


def test_a_place_that_official_splits_part_is_said(copied):
    listed(copied, train=["scene0000_00"], val=["scene0000_01", "scene0001_00"])
    with pytest.raises(
        InputError,
        match="scene0000_01: is of val, and another scene of the place scannet/scene0000",
    ):
        create.create(copied.home, "v1", Request(None))


@given(
    st.lists(st.text("abc0123", min_size=1, max_size=5), min_size=1, max_size=40, unique=True),
    st.integers(0, 99),
    st.floats(0.05, 0.95),
)
def test_every_place_goes_to_one_split(places, seed, share):
    shares = {"train": share, "val": 1 - share}
    found = splits.assign(places, shares, seed)
    assert found.keys() == set(places)
    assert found == splits.assign(reversed(places), shares, seed)
    assert len(places) < 2 or set(found.values()) == {"train", "val"}


def test_many_places_are_assigned_at_once_though_a_split_is_empty():
    shares = {"a": 1e-12, "b": 1e-12, "c": 1 - 2e-12}
    begun = time.process_time()
    found = splits.assign((f"s/{number}" for number in range(20_000)), shares, 0)
    assert time.process_time() - begun < 2
    assert Counter(found.values()) == {"a": 1, "b": 1, "c": 19_998}


def test_new_places_move_none():
    shares = {"train": 0.7, "val": 0.3}
    few = splits.assign((f"s/{i}" for i in range(60)), shares, 0)
    many = splits.assign((f"s/{i}" for i in range(600)), shares, 0)
    assert all(many[space] == split for space, split in few.items())
    assert abs(Counter(many.values())["train"] / 600 - 0.7) < 0.06


@pytest.mark.parametrize(
    "text", ["train", "train:x", "train:0.5", "train:0.5,train:0.5", "a b:1", "train:0,val:1"]
)
def test_splits_that_do_not_add_up(text):
    with pytest.raises(ValueError, match="--split"):
        splits.parse_splits(text)


def test_splits_are_read():
    assert splits.parse_splits("train:0.9,val:0.1") == {"train": 0.9, "val": 0.1}


# Places and benchmarks


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (("scannet", "v2", "scene0000_00"), ("scannet", "v2", "scene0000_01"), True),
        (("scannet", "v2", "scene0000_00"), ("scannet", "v2", "scene0001_00"), False),
        (("scannet", "v2", "scene0025_00"), ("vsibench", "v1", "scene0025_01"), True),
        (("scannetpp", "v1", "0a5c013435"), ("vsibench", "v1", "0a5c013435"), True),
        (("arkitscenes", "v1", "41069025"), ("vsibench", "v1", "41069025"), True),
        (("three_rscan", "v2", "a"), ("three_rscan", "v2", "a.b"), True),
        (("scannetpp", "v1", "a"), ("scannetpp", "v1", "a.b"), False),
        (("no_reader", "v1", "a"), ("no_reader", "v1", "a"), True),
        (("scannet", "studio", "scene0025_01"), ("vsibench", "v1", "scene0025_01"), False),
        (("posed_rgbd", "v1", "scene0000_00"), ("scannet", "v2", "scene0000_00"), False),
        (("posed_rgbd", "v1", "a"), ("posed_rgbd", "v1", "b"), False),
    ],
)
def test_which_scenes_are_one_place(one, other, same):
    assert (spaces.space_of(*one) == spaces.space_of(*other)) == same


def test_a_place_is_called_by_the_dataset_that_it_is_of():
    assert spaces.space_of("vsibench", "v1", "scene0025_01") == "scannet/scene0025"
    assert spaces.space_of("vsibench", "v1", "elsewhere") == "vsibench/elsewhere"
    assert spaces.space_of("hypersim", "v1", "ai_001_001") == "hypersim/ai_001_001"


def test_the_known_benchmark_scenes():
    (found,) = spaces.benchmarks()
    assert {dataset: len(scenes) for dataset, scenes in found["scenes"].items()} == {
        "arkitscenes": 150,
        "scannet": 88,
    }
    assert found["source"]
    assert found["license"] == "Apache-2.0"
    assert len(spaces.benchmark_spaces()) == 238


def benchmark_home(tmp_path):
    """A rescan of a room that VSI-Bench asks about, and another room."""
    tiny.write_scannet(tmp_path / "scans", "scene0025_00", frames=8)
    tiny.write_scannet(tmp_path / "scans", "scene0001_00", frames=8, seed=1)
    home = tmp_path / "home"
    lakes.register(home, "scannet", tmp_path / "scans")
    lakes.build(home, stages=STAGES)
    return home


def test_rooms_of_benchmarks_stay_out(tmp_path):
    home = benchmark_home(tmp_path)
    held = create.create(home, "guarded")
    assert {row["scene"] for _, row in released(home, "guarded").values()} == {"scene0001_00"}
    (leak,) = held["leak_guard"]["scenes"]
    assert (leak["scene"], leak["benchmark"]) == ("scene0025_00", "VSI-Bench")
    held = create.create(home, "open", Request(allow_leaks=True))
    assert {row["scene"] for _, row in released(home, "open").values()} == {"scene0001_00", "scene0025_00"}
    assert verify.verify_release(home, "guarded") == verify.verify_release(home, "open") == []
    forged = {**held, "leak_guard": {**held["leak_guard"], "allowed": False}}
    path = manifest.folder(home, "open") / manifest.MANIFEST
    path.chmod(0o644)
    path.write_bytes(manifest.to_bytes(forged))
    assert "scannet/scene0025 is asked about by VSI-Bench" in verify.verify_release(home, "open")


# Balance

CLOSED = st.lists(
    st.builds(
        balance.Closed,
        st.uuids().map(str),
        st.sampled_from(["select", "judge", "fill"]),
        st.sampled_from("ABC"),
        st.sampled_from([0, 3]),
    ),
    max_size=60,
    unique_by=lambda row: row.qa_id,
)


@given(CLOSED, st.integers(0, 3), st.randoms())
def test_balance_is_exact_and_drops_no_more_than_it_must(rows, seed, random):
    rows = [replace(row, options=3 if row.format == "select" else 0) for row in rows]
    dropped, done = balance.balance(rows, seed)
    kept = [row for row in rows if row.qa_id not in dropped]
    for form in ("select", "judge"):
        before = Counter(row.answer for row in rows if row.format == form)
        after = Counter(row.answer for row in kept if row.format == form)
        answers = "ABC" if form == "select" else sorted(before)
        least = min((before[answer] for answer in answers), default=0)
        assert all(after[answer] == least for answer in answers)
    assert [row for row in kept if row.format == "fill"] == [row for row in rows if row.format == "fill"]
    random.shuffle(rows)
    assert balance.balance(rows, seed) == (dropped, done)


def test_a_balanced_release_is_balanced(copied):
    held = create.create(copied.home, "v1", Request(HALVES, balanced=True))
    counts = Counter(
        (split, row["task"], row["answer"])
        for split, row in released(copied.home, "v1").values()
        if row["format"] == "select"
    )
    for item in held["balance"]:
        found = [counts[(item["split"], item["task"], letter)] for letter in "ABCD"]
        assert found == [item["each"]] * 4
        assert item["each"] == min(item["before"].values()) > 0
    assert verify.verify_release(copied.home, "v1") == []
    assert (
        "Exact, by dropping rows (seed 0)" in (manifest.folder(copied.home, "v1") / manifest.CARD).read_text()
    )


# Withdrawn scenes


def test_a_withdrawn_scene_is_revoked_and_left_out(copied):
    create.create(copied.home, "v1")
    rows = sum(row["scene"] == SCENE for _, row in released(copied.home, "v1").values())
    listed = revocations.withdraw(copied.home, SCENE, "consent taken back")
    assert [(e["scene"], e["kind"], e["rows"]) for e in listed["v1"]] == [(SCENE, "withdrawn", rows)]
    assert json.loads((copied.home / "releases" / revocations.LIST).read_text()) == listed
    (problem,) = verify.verify_release(copied.home, "v1")
    assert f"{rows} rows are revoked" in problem
    held = create.create(copied.home, "v2")
    assert held["withdrawn"] == [{"dataset": "scannet", "release": "v2", "scene": SCENE, "kind": "withdrawn"}]
    assert SCENE not in {row["scene"] for _, row in released(copied.home, "v2").values()}
    assert revocations.lift(copied.home, SCENE)
    assert verify.verify_release(copied.home, "v1") == []


def test_a_scene_that_is_gone_is_revoked(copied):
    from spatial_assets.lineage import cache

    create.create(copied.home, "v1")
    shutil.rmtree(copied.root / SCENE)
    copied.build()
    cache.rebuild(copied.home)
    revocations.keep_current(copied.home)
    (entry,) = json.loads((copied.home / "releases" / revocations.LIST).read_text())["v1"]
    assert (entry["scene"], entry["kind"]) == (SCENE, "gone")
    with cache.Lineage(copied.home) as lineage:
        assert {row["name"] for row in lineage.rows("select name from release")} == {"v1"}
    import duckdb

    con = duckdb.connect(str(cache.cache_path(copied.home)), read_only=True)
    assert {row[0] for row in con.execute("select scene from revoked").fetchall()} == {SCENE}


# What is done to a release afterwards is noticed


@pytest.mark.every(3)
@pytest.mark.parametrize("damage", ["row", "missing", "extra", "count", "manifest", "index", "cut"])
def test_damage_to_a_release_is_found(copied, damage):
    held = create.create(copied.home, "v1")
    folder = manifest.folder(copied.home, "v1")
    data = folder / manifest.data_path("all", "depth_prediction_oc")
    for path in (data, folder / manifest.MANIFEST, folder / manifest.SCENES):
        path.chmod(0o644)
    if damage == "row":
        table = pq.read_table(data, partitioning=None)
        answers = ["9.9", *table.column("answer").to_pylist()[1:]]
        place = table.schema.get_field_index("answer")
        pq.write_table(table.set_column(place, table.schema.field(place), [answers]), data)
    elif damage == "missing":
        data.unlink()
    elif damage == "extra":
        (folder / "data" / "all" / "more.parquet").write_bytes(data.read_bytes())
    elif damage == "cut":
        data.write_bytes(data.read_bytes()[:300])
    elif damage == "index":
        table = pq.read_table(folder / manifest.SCENES)
        pq.write_table(table.slice(1), folder / manifest.SCENES)
    else:
        held["rows" if damage == "count" else "seed"] += 1
        (folder / manifest.MANIFEST).write_bytes(manifest.to_bytes(held))
    problems = verify.verify_release(copied.home, "v1")
    assert problems
    wanted = {
        "row": "its bytes changed",
        "missing": "missing",
        "extra": "not part",
        "count": "its id is not",
        "manifest": "its id is not",
        "index": "counts are not",
        "cut": "cannot be read",
    }
    assert wanted[damage] in " ".join(problems)
