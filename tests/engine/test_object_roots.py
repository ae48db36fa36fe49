"""A dataset on object storage makes the lake that its folder makes; only what changed is looked at or brought again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from lakes import build, digest, done, register, rows
from object_stores import Brought, Bucket, in_memory
from tiny import write_scannet

from spatial_assets.assets import partitions
from spatial_assets.assets.build import without_roots
from spatial_assets.cli import main
from spatial_assets.engine import arrivals
from spatial_assets.lineage import impact, records
from spatial_assets.lineage.cache import Lineage
from spatial_assets.lineage.stale import find_stale
from spatial_assets.scene.model import InputError
from spatial_assets.storage.hashing import hash_file
from spatial_assets.storage.shards import check_root

STAGES = ["sources", "scenes", "keyframes"]
SHARD = "scannet-v2-0000"
FIRST, SECOND, THIRD = "scene0000_00", "scene0001_00", "scene0002_00"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two scenes of twelve files each, and what nothing reads."""
    root = tmp_path_factory.mktemp("twin") / "source"
    for seed, name in enumerate((FIRST, SECOND)):
        write_scannet(root, name, seed=seed, frames=3)
    (root / "README.txt").write_text("about")
    return root


@pytest.fixture
def brought(monkeypatch: pytest.MonkeyPatch) -> Brought:
    return Brought(monkeypatch)


@pytest.fixture
def bucket(folder: Path, tmp_path: Path) -> Bucket:
    made = in_memory(tmp_path)
    made.put(folder)
    return made


@pytest.fixture
def home(bucket: Bucket, tmp_path: Path) -> Path:
    """With the bucket registered."""
    register(tmp_path / "home", "scannet", bucket.root(tmp_path / "home"))
    return tmp_path / "home"


def built(home: Path, bucket: Bucket) -> dict[str, list[str]]:
    """Scenes that a build computed, which lists the bucket first as builds do."""
    bucket.root(home)
    return done(build(home, stages=STAGES))


def recorded(home: Path) -> dict[str, object]:
    return {name: records.load(home, name, SHARD) for name in STAGES}


def test_the_lake_is_that_of_the_folder(home, bucket, folder, brought, tmp_path) -> None:
    assert built(home, bucket) == {name: [FIRST, SECOND] for name in STAGES}
    register(tmp_path / "twin", "scannet", folder)
    build(tmp_path / "twin", stages=STAGES)
    assert digest(home) == digest(tmp_path / "twin")
    read = rows(home, "sources")
    assert brought.taken() == sorted(read["path"].to_list())  # each once, and nothing else
    assert all(hash_file(folder / path) == sha for path, sha in read.select("path", "sha256").iter_rows())
    # Nothing has changed: nothing is brought, even where neither the bytes nor the hashes are kept.
    shutil.rmtree(home / "cache")
    assert built(home, bucket) == {}
    assert not find_stale(home).summary().keys() & set(STAGES)
    assert brought.taken() == []


def test_an_object_that_changed_takes_its_scene_along_and_no_other(home, bucket, folder, brought) -> None:
    built(home, bucket)
    brought.taken()
    name = f"{SECOND}/{SECOND}.txt"
    bucket.write(name, (folder / name).read_bytes() + b"\n")
    bucket.root(home)
    assert {item.scene for item in find_stale(home).items if item.asset in STAGES and item.certain} == {
        SECOND
    }
    computed = built(home, bucket)
    assert computed["sources"] == computed["scenes"] == [SECOND]
    assert brought.taken() == [name]


def test_an_object_put_up_again_with_the_same_bytes_is_hashed_and_nothing_more(
    home, bucket, folder, brought, monkeypatch
) -> None:
    built(home, bucket)
    brought.taken()
    name = f"{FIRST}/{FIRST}.txt"
    bucket.write(name, (folder / name).read_bytes())
    assert built(home, bucket) == {}
    assert brought.taken() == [name]


@pytest.mark.parametrize("workers", [1, 2])
def test_objects_that_do_not_come_say_nothing_of_their_scenes(home, bucket, brought, workers, monkeypatch):
    brought.failing = {f"{SECOND}/"}
    with pytest.raises(InputError, match=rf"^{bucket.address}/{SECOND}/.*: cannot be reached"):
        build(home, workers, stages=["sources"])
    assert recorded(home)["sources"].keys() <= {FIRST}
    brought.failing = set()
    build(home, workers, stages=["sources"])
    # Their hashes are known, and the bytes are asked for again: by the stage that reads scenes.
    shutil.rmtree(home / "cache/objects/content")
    before = recorded(home)
    brought.failing = {f"{SECOND}/color"}
    with pytest.raises(InputError, match="cannot be reached"):
        build(home, workers, stages=["scenes"])
    assert recorded(home) | {"scenes": None} == before | {"scenes": None}
    assert not any(item.status != "done" for item in recorded(home)["scenes"].values())
    brought.failing = set()
    built(home, bucket)
    assert {item.status for item in recorded(home)["scenes"].values()} == {"done"}


def test_a_bucket_that_is_gone_keeps_no_other_root_waiting(
    home, bucket, folder, monkeypatch, tmp_path
) -> None:
    shutil.copytree(folder, tmp_path / "other")
    register(home, "scannet", tmp_path / "other", release="other")
    monkeypatch.setattr(bucket.store, "find", lambda *_, **__: {})
    absent, lines = without_roots(home, {SHARD, "scannet-other-0000"})
    assert absent == {SHARD}
    assert len(lines) == 1 and lines[0].startswith(f"{bucket.address}: no object is there; check the address")
    report = find_stale(home)
    assert report.absent == {} or list(report.absent.values()) == [[SHARD]]


def test_scenes_arrive_when_two_listings_agree(home, bucket, folder, tmp_path, monkeypatch) -> None:
    registry = partitions.registry(home)
    write_scannet(tmp_path / "new", THIRD, frames=2)
    share = "spatial_assets.storage.mirrors.LISTING_SHARE"

    def look(before: arrivals.Look, share_of: float) -> tuple[list[str], arrivals.Look]:
        monkeypatch.setattr(share, share_of)
        found, seen, errors = arrivals.look(registry, before)
        assert errors == []
        return [ref.name for item in found for ref in item.scenes], seen

    assert look({}, 0)[0] == []
    bucket.put(tmp_path / "new")
    names, seen = look({}, 0)
    assert names == [] and len(seen) == 1
    # The same listing again is no second look.
    assert look(seen, 1e12) == ([], seen)
    bucket.write(f"{THIRD}/color/9.jpg", b"still being put up")
    names, seen = look(seen, 0)
    assert names == []
    assert look(seen, 0)[0] == [THIRD]


def test_lineage_names_objects_by_their_addresses(home, bucket, folder) -> None:
    built(home, bucket)
    name = f"{SECOND}/{SECOND}.txt"
    with Lineage(home) as lineage:
        for path in (name, f"{bucket.address}/{name}"):
            (shard,) = impact.of_file(lineage, path).scenes
            assert [ref.name for ref in shard.scenes] == [SECOND]
        files = lineage.query("files_of_scene", {"shard": SHARD, "scene": SECOND})
    assert {file["version"] for file in files} == {None}  # this store has none
    (entry,) = (home / "registry").glob("*.json")
    assert json.loads(entry.read_text())["shards"][0]["root"] == bucket.address


@pytest.mark.usefixtures("own_environment")
def test_registering_by_address(bucket, tmp_path) -> None:
    def run(*words: object):
        return CliRunner().invoke(main, [*map(str, words), "--home", str(tmp_path / "home")])

    told = run("register", "scannet", f"{bucket.address}/")
    assert told.exit_code == 0, told.output
    assert "registered 2 new scenes" in told.stdout
    assert "0 new scenes" in run("register", "scannet", bucket.address).stdout
    for address, why in (
        (f"{bucket.at}/none", "no object is there"),
        ("s3://key:secret@bucket/source", "holds no key"),
        ("ftp://bucket/source", "addresses begin with s3:// or gs://"),
    ):
        told = run("register", "scannet", address)
        assert told.exit_code == 1 and why in told.stderr and len(told.stderr.splitlines()) == 1
        assert "secret" not in told.stderr
    (entry,) = (tmp_path / "home/registry").glob("*.json")
    moved = bucket.address.replace("source", "moved")
    for path, data in bucket.held("source").items():
        bucket.store.pipe_file(f"{moved}/{path}", data)
    told = run("register", "scannet", moved)
    assert told.exit_code == 1 and "registered already from" in told.stderr
    assert bucket.address in entry.read_text()


def test_a_root_is_listed_anew_when_its_listing_is_old(home, bucket, monkeypatch) -> None:
    root = bucket.root(home)
    bucket.write("later.txt", b"later")
    monkeypatch.setattr("spatial_assets.storage.mirrors.LISTING_SHARE", 1e12)
    check_root(root)
    assert not (root / "later.txt").exists()
    monkeypatch.setattr("spatial_assets.storage.mirrors.LISTING_SHARE", 0)
    check_root(root)
    assert (root / "later.txt").exists()
