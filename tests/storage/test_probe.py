"""The probe: good on real file systems, and each thing that one may lack is found and named in one line."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from spatial_assets.cli import main
from spatial_assets.scene.model import InputError
from spatial_assets.storage import probe
from spatial_assets.storage.probe import CAPABILITIES, Other, check

MEMORY = Path("/dev/shm")


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    check(home)
    return home


def test_nothing_is_left_behind(found: Path) -> None:
    assert list(found.iterdir()) == []


def test_a_home_that_is_not_there_yet_is_not_made(tmp_path: Path) -> None:
    check(tmp_path / "home")
    assert not (tmp_path / "home").exists()


@pytest.mark.skipif(not MEMORY.is_dir(), reason="no file system in memory here")
def test_a_file_system_in_memory_is_good() -> None:
    home = MEMORY / f"probe-{os.getpid()}"
    home.mkdir()
    try:
        check(home)
    finally:
        shutil.rmtree(home)


class Lacking:
    """Ways in which a file system may be unfit, as this process sees it."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.patch = patch

    def locks_of_its_own(self) -> None:
        """Locks that no other machine sees, as NFS with `nolock`, Lustre with `-o localflock`."""
        self.patch.setattr(fcntl, "flock", lambda *_: None)

    def no_locks(self) -> None:
        """As Lustre without `-o flock`."""

        def refuse(*_: Any) -> None:
            raise OSError(38, "Function not implemented")

        self.patch.setattr(fcntl, "flock", refuse)

    def only_locks_alone(self) -> None:
        real = fcntl.flock
        self.patch.setattr(
            fcntl, "flock", lambda handle, mode: real(handle, mode & ~fcntl.LOCK_SH | fcntl.LOCK_EX)
        )

    def renames_that_keep_the_old(self) -> None:
        self.patch.setattr(
            Path, "replace", lambda path, target: target if not path.exists() else path.unlink()
        )

    def renames_that_copy(self) -> None:
        """As file systems over object storage do."""

        def copy(path: Path, target: Path) -> None:
            target.write_bytes(path.read_bytes())
            path.unlink()

        self.patch.setattr(Path, "replace", copy)

    def contents_that_are_kept(self) -> None:
        """As NFS with `nocto`: what another process wrote is seen later."""
        read: dict[str, str] = {}
        real = Path.read_text

        def kept(path: Path, *rest: Any) -> str:
            return read.setdefault(path.name, "old" if path.name == "written" else real(path, *rest))

        self.patch.setattr(Path, "read_text", kept)

    def listings_that_are_kept(self) -> None:
        real = Other.ask
        first: dict[tuple[str, Path], str] = {}

        def asked(other: Other, word: str, path: Path) -> str:
            told = real(other, word, path)
            return first.setdefault((word, path), told) if word == "list" else told

        self.patch.setattr(Other, "ask", asked)

    def names_without_case(self) -> None:
        real = Path.write_text
        self.patch.setattr(
            Path,
            "write_text",
            lambda path, text: real(path.with_name("case") if path.name == "CASE" else path, text),
        )

    def short_names(self) -> None:
        """As eCryptfs: 143 bytes."""
        real = Path.touch

        def touch(path: Path) -> None:
            if len(path.name) > 143:
                raise OSError(36, "File name too long", str(path))
            real(path)

        self.patch.setattr(Path, "touch", touch)

    def no_fsync(self) -> None:
        def refuse(_: int) -> None:
            raise OSError(22, "Invalid argument")

        self.patch.setattr(os, "fsync", refuse)

    def versions_alike(self) -> None:
        real = Path.stat

        def stat(path: Path, **rest: Any) -> os.stat_result:
            told = list(real(path, **rest))
            if path.name == "versions":
                told[1], told[8] = 7, int(time.time()) // 1000
            return os.stat_result(told)

        self.patch.setattr(Path, "stat", stat)


@pytest.mark.parametrize(
    ("lack", "missing"),
    [
        (Lacking.locks_of_its_own, {"exclusive lock", "shared lock"}),
        (Lacking.no_locks, {"exclusive lock", "shared lock", "locks end"}),
        (Lacking.only_locks_alone, {"shared lock"}),
        (Lacking.renames_that_keep_the_old, {"rename", "open files", "versions"}),
        (Lacking.renames_that_copy, {"open files"}),
        (Lacking.contents_that_are_kept, {"read after write"}),
        (Lacking.listings_that_are_kept, {"listing"}),
        (Lacking.names_without_case, {"names"}),
        (Lacking.short_names, {"names"}),
        (Lacking.no_fsync, {"fsync"}),
        (Lacking.versions_alike, {"versions"}),
    ],
    ids=lambda item: getattr(item, "__name__", ""),
)
def test_what_is_missing_is_found(
    lack: Callable[[Lacking], None], missing: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        lack(Lacking(patch))
        found = probe.probe(tmp_path)
    assert {name for name, what in found.items() if what} == missing
    assert all("\n" not in what for what in found.values())


def test_every_capability_is_seen_to_be_missing_somewhere() -> None:
    marks = [mark for mark in test_what_is_missing_is_found.pytestmark if mark.name == "parametrize"]
    seen = set().union(*(missing for _, missing in marks[0].args[1]))
    assert seen == {item.name for item in CAPABILITIES}


def test_one_line_says_what_is_missing_and_what_to_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Lacking(monkeypatch).no_locks()
    with pytest.raises(InputError) as raised:
        check(tmp_path)
    told = str(raised.value)
    assert told.startswith(f"{tmp_path}: the file system is not fit")
    assert "exclusive lock: Function not implemented, so two builds would write the same table" in told
    assert told.endswith("docs/file-systems.md says what to set")
    assert "\n" not in told


def test_the_command_prints_each_and_fails_where_one_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = CliRunner().invoke(main, ["probe", str(tmp_path), "--json"], catch_exceptions=False)
    assert good.exit_code == 0
    assert json.loads(good.stdout) == {item.name: {"good": True, "missing": ""} for item in CAPABILITIES}
    Lacking(monkeypatch).no_fsync()
    bad = CliRunner().invoke(main, ["probe", str(tmp_path)], catch_exceptions=False)
    assert bad.exit_code == 1
    assert "fsync             MISSING: Invalid argument, so a machine that loses power" in bad.stdout
    assert bad.stdout.count(" good\n") == len(CAPABILITIES) - 1


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    done = CliRunner().invoke(main, ["probe", str(file / "home")], catch_exceptions=False)
    assert done.exit_code == 1
    assert done.stderr.startswith(f"error: {file / 'home'}")
