"""A disk that is full while a build writes: one clear line, nothing half, and the next build finishes."""

from __future__ import annotations

import errno
import io
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from lakes import build, digest, register
from tiny import write_scannet

from benchmarks.builds import unmount
from spatial_assets.assets.build import stages_for
from spatial_assets.cli import main
from spatial_assets.lineage import tombstones

STAGES = ["sources", "scenes"]
TASK = "camera_motion_infer"
SIZES = (700, 1200, 1700, 2500, 3200)
"""Kibibytes of a disk, from one that the first scenes fill to one that is nearly enough."""


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    root = tmp_path_factory.mktemp("source")
    for number in range(3):
        write_scannet(root, f"scene{number:04d}_00", seed=number, frames=6)
    return root


@pytest.fixture(scope="module")
def undisturbed(source, tmp_path_factory):
    home = tmp_path_factory.mktemp("undisturbed")
    register(home, "scannet", source)
    build(home, stages=STAGES)
    return digest(home)


class Filling(io.BufferedWriter):
    """A file opened for writing, on a disk."""

    def __init__(self, raw, disk, path):
        super().__init__(raw)
        self.disk, self.path_here = disk, path

    def write(self, data):
        if self.disk.fills(self.path_here):
            super().write(data[: len(data) // 2])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().write(data)


class Disk:
    """Lets so many writes to paths that hold a word pass, then puts down half of the next and is full."""

    def __init__(self, monkeypatch, word, spare=0):
        self.word, self.spare, self.hit = word, spare, False
        write_bytes, write_text, copyfile = Path.write_bytes, Path.write_text, shutil.copyfile
        open_ = Path.open
        begin, write_table = pq.ParquetWriter.__init__, pq.ParquetWriter.write_table

        def bytes_written(path, data):
            if self.fills(path):
                write_bytes(path, data[: len(data) // 2])
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return write_bytes(path, data)

        def text_written(path, text, **options):
            if self.fills(path):
                write_text(path, text[: len(text) // 2], **options)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return write_text(path, text, **options)

        def copied(origin, target, **options):
            if self.fills(target):
                write_bytes(Path(target), b"half")
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(origin), None, str(target))
            return copyfile(origin, target, **options)

        def begun(writer, where, *others, **options):
            writer.path_here = where
            begin(writer, where, *others, **options)

        def table_written(writer, *others, **options):
            if self.fills(writer.path_here):
                # As Arrow says it: with the number, and without the file.
                raise OSError(errno.ENOSPC, "Error writing bytes to file. Detail: [errno 28]")
            write_table(writer, *others, **options)

        def opened(path, mode="r", *others, **options):
            file = open_(path, mode, *others, **options)
            if mode == "wb" and self.word in str(path):
                file = Filling(file.detach(), self, path)
            return file

        monkeypatch.setattr(Path, "open", opened)
        monkeypatch.setattr(Path, "write_bytes", bytes_written)
        monkeypatch.setattr(Path, "write_text", text_written)
        monkeypatch.setattr(shutil, "copyfile", copied)
        monkeypatch.setattr(pq.ParquetWriter, "__init__", begun)
        monkeypatch.setattr(pq.ParquetWriter, "write_table", table_written)

    def fills(self, path):
        if self.word not in str(path):
            return False
        self.spare -= 1
        self.hit = self.hit or self.spare < 0
        return self.spare < 0


PLACES = {
    "a finished scene's record": ("pending/scenes", 0),
    "a finished scene's table": ("pending/scenes", 2),
    "the last part of the second finished scene": ("pending/scenes", 13),
    "a shard's first table": ("lake/sources", 0),
    "a shard's table": ("lake/objects", 0),
    "a table of counts": ("lake/quality/scenes", 0),
    "a scene's file": ("lake/meshes", 1),
    "records": ("records/scenes", 0),
    "records of files": ("records/files", 0),
}


@pytest.mark.every(3)
@pytest.mark.parametrize("place", PLACES)
def test_the_next_build_takes_up_what_a_full_disk_stopped(place, source, undisturbed, tmp_path, monkeypatch):
    register(tmp_path, "scannet", source)
    with monkeypatch.context() as context:
        disk = Disk(context, *PLACES[place])
        with pytest.raises(OSError, match="No space left") as raised:
            build(tmp_path, stages=STAGES)
        assert disk.hit
    assert raised.value.errno == errno.ENOSPC
    word = PLACES[place][0]
    assert (word if "/" in word else "pending/scenes") in raised.value.filename
    assert digest(tmp_path).items() <= undisturbed.items(), "a file that is there is whole"
    assert not list(tmp_path.rglob(f".*.{os.getpid()}")), "a temporary file takes the room that is wanted"
    build(tmp_path, stages=STAGES)
    assert digest(tmp_path) == undisturbed
    assert not (tmp_path / "pending").exists()


@pytest.mark.parametrize("word", ["records/sources", "records/tombstones", "lake/sources"])
def test_a_scene_that_is_gone_is_noted_once_though_the_disk_was_full(word, source, tmp_path, monkeypatch):
    root, home = tmp_path / "source", tmp_path / "home"
    shutil.copytree(source, root)
    register(home, "scannet", root)
    build(home, stages=STAGES)
    shutil.rmtree(root / "scene0001_00")
    with monkeypatch.context() as context:
        Disk(context, word)
        with pytest.raises(OSError, match="No space left"):
            build(home, stages=STAGES)
    build(home, stages=STAGES)
    assert [(item.scene, item.kind) for item in tombstones.load(home)] == [("scene0001_00", tombstones.GONE)]


@pytest.mark.prove
@pytest.mark.usefixtures("own_environment")
def test_the_command_says_it_in_one_line_and_the_next_one_finishes(source, tmp_path, monkeypatch):
    calm, home = tmp_path / "calm", tmp_path / "home"
    for name in (calm, home):
        register(name, "scannet", source)
    build(calm, stages=stages_for([TASK]))
    command = ["build", "--home", str(home), "--workers", "1", "--task", TASK]
    for word, where in (("pending/scenes", "pending/scenes"), ("lake/frames", "lake/frames")):
        with monkeypatch.context() as context:
            Disk(context, word)
            result = CliRunner().invoke(main, command)
        assert result.exit_code == 1
        (line,) = [line for line in result.stderr.splitlines() if "full" in line]
        assert str(home / where) in line
        assert "the disk is full; make room and build again" in line
        assert "Traceback" not in result.output
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 0, result.output
    assert digest(home) == digest(calm)


@pytest.mark.usefixtures("own_environment")
def test_registering_says_it_in_one_line_and_registers_nothing(source, tmp_path, monkeypatch):
    command = ["register", "scannet", str(source), "--home", str(tmp_path)]
    with monkeypatch.context() as context:
        Disk(context, "scannet-v2.json")
        result = CliRunner().invoke(main, command)
    assert result.exit_code == 1
    assert result.stderr == (
        f"error: {tmp_path}/registry/scannet-v2.json: the disk is full; "
        "make room and build again; what was finished stands\n"
    )
    assert list((tmp_path / "registry").glob("*.json")) == []
    assert CliRunner().invoke(main, command).exit_code == 0


@pytest.mark.prove
def test_a_real_disk_that_is_too_small_and_then_grows(source, tmp_path):
    calm, disk = tmp_path / "calm", tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZES[0]}k", "tmpfs", str(disk)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no small file system can be mounted here: {error}")
    try:
        home = disk / "home"
        for name in (calm, home):
            register(name, "scannet", source)
        build(calm)
        for size in SIZES:
            subprocess.run(["mount", "-o", f"remount,size={size}k", str(disk)], check=True)
            done = build_in_a_process(home)
            assert done.returncode == 1, f"{size} kB is enough"
            assert "Traceback" not in done.stderr
            assert sum("the disk is full" in line for line in done.stderr.splitlines()) == 1
            for path in (home / "lake").rglob("data.parquet"):
                pq.read_metadata(path)
        subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
        done = build_in_a_process(home)
        assert done.returncode == 0, done.stderr
        assert digest(home) == digest(calm)
    finally:
        unmount(disk)


def build_in_a_process(home):
    command = [sys.executable, "-m", "spatial_assets", "build", "--home", str(home), "--workers", "1"]
    return subprocess.run(command, capture_output=True, text=True)
