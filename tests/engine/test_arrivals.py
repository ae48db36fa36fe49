"""What the sensor of arrivals meets on real disks: it goes on, says what it cannot look at, and misses nothing."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import dagster as dg
import pytest
from lakes import register as register_plainly
from tiny import write_scannet

from spatial_assets.assets import automation, partitions
from spatial_assets.assets.datasets import register
from spatial_assets.assets.instance import instance_of
from spatial_assets.assets.workspace import Workspace
from spatial_assets.engine import arrivals
from spatial_assets.readers.registry import reader
from spatial_assets.scene.model import InputError
from spatial_assets.stages import sources
from spatial_assets.storage.hashing import hash_file

OLD, NEW, OTHER = "scene0000_00", "scene0001_00", "scene0002_00"


class Watched:
    """A home with one registered scene, looked at as the sensor does, from one look to the next."""

    def __init__(self, top: Path) -> None:
        self.home, self.root = top / "home", top / "source"
        write_scannet(self.root, OLD, frames=2)
        register_plainly(self.home, "scannet", self.root)
        self.registry = partitions.registry(self.home)
        self.seen: arrivals.Look = {}
        self.errors: list[str] = []

    def write(self, name: str) -> Path:
        write_scannet(self.root, name, frames=2)
        return self.root / name

    def look(self) -> list[str]:
        found, self.seen, self.errors = arrivals.look(self.registry, self.seen)
        return [ref.name for item in found for ref in item.scenes]


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(tmp_path)


def test_a_link_that_leads_nowhere(watched: Watched) -> None:
    (watched.write(NEW) / "color/link.jpg").symlink_to("/nowhere/at/all.jpg")
    (watched.root / "scene0009_00").symlink_to("/nowhere")
    watched.write(OTHER)
    assert watched.look() == []
    assert watched.look() == [NEW, OTHER]
    assert watched.errors == []
    link = watched.root / NEW / "color/link.jpg"
    link.unlink()
    link.symlink_to("/nowhere/else.jpg")
    assert watched.look() == [OTHER]


def test_links_to_folders_are_followed_and_circles_end(watched: Watched, tmp_path: Path) -> None:
    scene = watched.write(NEW)
    (scene / "color").rename(tmp_path / "elsewhere")
    (scene / "color").symlink_to(tmp_path / "elsewhere")
    (scene / "round").symlink_to(scene)
    watched.look()
    (tmp_path / "elsewhere/9.jpg").write_bytes(b"still being copied")
    assert watched.look() == []
    assert watched.look() == [NEW]


def test_a_folder_that_cannot_be_read(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    scandir = os.scandir

    def refusing(path):
        if str(path).endswith(f"{NEW}/color"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    watched.write(NEW)
    watched.write(OTHER)
    monkeypatch.setattr("os.scandir", refusing)
    assert watched.look() == []
    assert watched.look() == [OTHER]
    assert watched.errors == [f"{watched.root / NEW / 'color'}: Permission denied; the scene waits"]
    monkeypatch.undo()
    assert watched.look() == [OTHER]
    assert watched.look() == [NEW, OTHER]


def test_a_root_that_vanishes_and_comes_back(watched: Watched) -> None:
    watched.write(NEW)
    watched.look()
    away = watched.root.with_name("away")
    watched.root.rename(away)
    assert watched.look() == []
    assert len(watched.errors) == 1
    assert "is not there" in watched.errors[0]
    away.rename(watched.root)
    assert watched.look() == []  # it may have changed meanwhile
    assert watched.look() == [NEW]


def test_a_scene_that_vanishes_during_the_look(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    watched.write(NEW)
    watched.write(OTHER)
    watched.look()
    found = reader("scannet").find_scenes

    def losing(root):
        listed = found(root)
        shutil.rmtree(root / NEW, ignore_errors=True)
        return listed

    monkeypatch.setattr(reader("scannet"), "find_scenes", losing)
    assert watched.look() == [OTHER]
    assert len(watched.errors) == 1
    assert NEW in watched.errors[0]


def test_a_scene_that_is_still_being_copied(watched: Watched) -> None:
    scene = watched.write(NEW)
    growing = scene / "color/0.jpg"
    whole = growing.read_bytes()
    for length in (0, 10, 100):
        growing.write_bytes(whole[:length])
        assert watched.look() == []
    # The last bytes arrive, and the copy is given the original's time, as `cp -p` does.
    growing.write_bytes(whole[:100])
    os.utime(growing, ns=(10**18, 10**18))
    watched.look()
    growing.write_bytes(b"x" * 100)
    os.utime(growing, ns=(10**18, 10**18))
    assert watched.look() == []
    assert watched.look() == [NEW]


def test_a_pipe_is_not_opened(watched: Watched) -> None:
    os.mkfifo(watched.write(NEW) / "color/pipe.jpg")
    os.mkfifo(watched.root / "pipe")
    watched.look()
    assert watched.look() == [NEW]
    pipe = watched.root / OLD / f"{OLD}.txt"
    pipe.unlink()
    os.mkfifo(pipe)
    watch = sources.SourceWatch(watched.home, watched.registry.shards()[0], rehash=False)
    with pytest.raises(InputError, match="neither a file nor a link to one"):
        watch._hash(f"{OLD}/{OLD}.txt")


def test_a_clock_that_goes_backwards(watched: Watched) -> None:
    scene = watched.write(NEW)
    for path in scene.rglob("*.jpg"):
        os.utime(path, (4e9, 4e9))  # written when the clock was ahead
    watched.look()
    os.utime(scene / "color/0.jpg", (1e9, 1e9))
    assert watched.look() == []
    assert watched.look() == [NEW]
    for path in scene.rglob("*"):
        os.utime(path, (0, 0))
    assert watched.look() == []
    assert watched.look() == [NEW]


@pytest.mark.parametrize("times", [1, 10])
def test_a_file_that_is_replaced_while_it_is_hashed(
    watched: Watched, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    path = watched.root / OLD / "color/0.jpg"
    left = [times]

    def replacing(file: Path) -> str:
        found = hash_file(file)
        if file == path and left[0]:
            left[0] -= 1
            path.with_name(".new").write_bytes(bytes([left[0]]) * 500)
            path.with_name(".new").replace(path)
        return found

    monkeypatch.setattr(sources, "hash_file", replacing)
    watch = sources.SourceWatch(watched.home, watched.registry.shards()[0], rehash=False)
    (ref,) = watched.registry.shards()[0].scenes
    watch.fingerprint(ref)
    if times == 1:
        assert watch.checked[f"{OLD}/color/0.jpg"][1] == hash_file(path)
    else:
        assert isinstance(watch.listings[OLD], InputError)
        assert "changes while it is read" in str(watch.listings[OLD])
        left[0] = 0
        again = sources.SourceWatch(watched.home, watched.registry.shards()[0], rehash=False)
        again.fingerprint(ref)
        assert again.checked[f"{OLD}/color/0.jpg"][1] == hash_file(path)


def test_a_name_that_is_not_utf8(watched: Watched) -> None:
    scene = watched.write(NEW)
    (scene / os.fsdecode(b"color/\xff.jpg")).write_bytes(b"x")
    watched.look()
    assert watched.look() == [NEW]


def test_a_reader_that_breaks_stops_no_other_root(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    other = watched.root.with_name("other")
    write_scannet(other, "scene0010_00", frames=2)
    register_plainly(watched.home, "scannet", other, release="more")
    write_scannet(other, "scene0011_00", frames=2)
    found = reader("scannet").find_scenes

    def breaking(root):
        if root == watched.root:
            raise ZeroDivisionError("no room")
        return found(root)

    monkeypatch.setattr(reader("scannet"), "find_scenes", breaking)
    watched.look()
    assert watched.look() == ["scene0011_00"]
    assert watched.errors == [f"{watched.root}: cannot be searched for scenes: ZeroDivisionError: no room"]


@pytest.mark.usefixtures("own_environment")
def test_the_sensor_goes_on_where_shards_cannot_be_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    with instance_of(home) as instance:
        for release in ("one", "two"):
            write_scannet(tmp_path / release, OLD, frames=2)
            register(instance, home, "scannet", tmp_path / release, release=release)
            write_scannet(tmp_path / release, NEW, frames=2)
        opened = automation.open_shards

        def failing(instance, home, dataset, root, release, *more):
            if release == "one":
                raise InputError(root, "contradicts itself")
            return opened(instance, home, dataset, root, release, *more)

        monkeypatch.setattr(automation, "open_shards", failing)
        cursor, requested = None, []
        for _ in range(2):
            context = dg.build_sensor_context(instance=instance, cursor=cursor)
            result = automation.arrivals_sensor(context, workspace=Workspace(home=str(home), workers=1))
            cursor, requested = result.cursor, result.run_requests or []
        assert [request.tags[automation.RANGE_START] for request in requested] == ["scannet-two-0001"]
        registry = home / "registry" / "scannet-one.json"
        text = registry.read_text()
        registry.write_text(text[: len(text) // 2])
        context = dg.build_sensor_context(instance=instance, cursor=cursor)
        result = automation.arrivals_sensor(context, workspace=Workspace(home=str(home), workers=1))
        assert str(registry) in result.skip_reason.skip_message
        assert json.loads(result.cursor) == json.loads(cursor)
