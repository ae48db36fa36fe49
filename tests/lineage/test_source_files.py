"""What was read of source files is kept by their bytes, for the next process, and never instead of them."""

from __future__ import annotations

import json

import pytest

from spatial_assets.lineage import source_files


@pytest.fixture
def process(tmp_path, monkeypatch):
    """Begins a new process, as far as this module knows; returns the file that it keeps."""

    def begin():
        for held in (source_files.read, source_files._kept, source_files._reader):
            held.cache_clear()
        return tmp_path / "cache" / "spatial-assets" / "code" / source_files.FILE

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    begin()
    yield begin
    monkeypatch.undo()
    begin()


@pytest.fixture
def parsed(monkeypatch):
    """The texts that were read token by token."""
    texts = []
    real = source_files.parsed
    monkeypatch.setattr(source_files, "parsed", lambda text: texts.append(text) or real(text))
    return texts


def test_a_file_is_read_once_whatever_the_process(tmp_path, process, parsed):
    file = tmp_path / "module.py"
    file.write_text("import a, b\nfrom c.d import e\nTASKS = (1,)\n")
    first = source_files.read(file)
    assert first.imports == ((1, 0, None, ("a", "b")), (2, 0, "c.d", ("e",)))
    assert first.declares_tasks
    source_files.keep()
    kept = process()
    assert kept.exists()
    assert source_files.read(file) == first
    assert len(parsed) == 1
    file.write_text("import a, b\nfrom c.d import f\nTASKS = (1,)\n")
    process()
    assert source_files.read(file).tokens != first.tokens
    assert len(parsed) == 2


@pytest.mark.parametrize("change", ["cut short", "of another reader", "of another shape", "no more"])
def test_what_is_kept_is_used_only_where_it_is_whole_and_of_this_code(tmp_path, process, parsed, change):
    file = tmp_path / "module.py"
    file.write_text("x = 1\n")
    first = source_files.read(file)
    source_files.keep()
    kept = process()
    held = json.loads(kept.read_text())
    if change == "cut short":
        kept.write_text(kept.read_text()[:-9])
    elif change == "of another reader":
        kept.write_text(
            json.dumps(
                {**held, "reader": "older", "sources": {key: ["wrong", [], True] for key in held["sources"]}}
            )
        )
    elif change == "of another shape":
        kept.write_text(json.dumps({**held, "sources": dict.fromkeys(held["sources"], 7)}))
    else:
        kept.unlink()
    assert source_files.read(file) == first
    assert len(parsed) == 2


def test_where_nothing_can_be_kept_files_are_read_all_the_same(tmp_path, process, monkeypatch):
    monkeypatch.setattr(source_files.user_cache, "folders", lambda name: iter(()))
    file = tmp_path / "module.py"
    file.write_text("x = 1\n")
    assert source_files.read(file).tokens
    source_files.keep()


def test_the_latest_are_kept(tmp_path, process, monkeypatch):
    monkeypatch.setattr(source_files, "KEPT", 2)
    for number in range(4):
        file = tmp_path / f"{number}.py"
        file.write_text(f"x = {number}\n")
        source_files.read(file)
    source_files.keep()
    assert len(json.loads(process().read_text())["sources"]) == 2


def test_what_only_a_type_checker_reads_is_no_import():
    source = (
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from a import b\nelse:\n    from c import d\n"
        "def f():\n    from e import g\n"
    )
    assert [found.module for found in source_files.parsed(source).imports] == ["typing", "c", "e"]


def test_tasks_may_be_declared_with_their_type():
    assert source_files.parsed("TASKS: tuple[int, ...] = (1,)\n").declares_tasks
    assert not source_files.parsed("TASK: int = 1\n").declares_tasks
