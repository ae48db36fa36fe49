"""The folder that an export is written to: whole or not at all, by one export at a time, and nobody else's."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import CliRunner
from digests import digest

from spatial_assets.cli import main
from spatial_assets.exports.core.base import ImageMode, Options
from spatial_assets.exports.core.source import ReleaseRows
from spatial_assets.exports.kept import export_path, renew
from spatial_assets.exports.run import InvalidExport, export
from spatial_assets.exports.spar import spar
from spatial_assets.releases import create


def test_a_link_to_an_empty_folder_or_to_none_stays_one(released, tmp_path):
    (tmp_path / "large").mkdir()
    for name, there in (("old", "large"), ("new", "larger")):
        (tmp_path / name).symlink_to(there)
        export("spar", ReleaseRows(released.home, "v1", limit=5), tmp_path / name, Options(ImageMode.NONE))
        assert (tmp_path / name).is_symlink() and (tmp_path / there / "spar").is_dir()
        assert spar.validate(tmp_path / name) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["large", "larger", "new", "old"]


def test_a_folder_that_cannot_be_replaced_is_named_first(released, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source = ReleaseRows(released.home, "v1", limit=5)
    with pytest.raises(ValueError, match=f"{tmp_path} is in use as a whole"):
        export("spar", source, Path(), Options(ImageMode.NONE))
    monkeypatch.setattr(os.path, "ismount", lambda path: path == tmp_path / "volume")
    (tmp_path / "volume").mkdir()
    with pytest.raises(ValueError, match="choose a new folder below it"):
        export("spar", source, tmp_path / "volume", Options(ImageMode.NONE))
    assert list(tmp_path.iterdir()) == [tmp_path / "volume"]
    export("spar", source, Path("below"), Options(ImageMode.NONE))
    assert spar.validate(tmp_path / "below") == []


def test_two_exports_to_one_folder_are_one(released, tmp_path):
    """The second is rejected, and the first is whole."""

    class Meanwhile(ReleaseRows):
        def questions(self, split, columns=()):
            source = ReleaseRows(released.home, "v1")
            with pytest.raises(ValueError, match=f"another export is writing {tmp_path / 'out'}"):
                export("spar", source, tmp_path / "out", Options(ImageMode.COPY))
            yield from super().questions(split)

    export("spar", Meanwhile(released.home, "v1"), tmp_path / "out", Options(ImageMode.COPY))
    assert spar.validate(tmp_path / "out") == [] and len(list(tmp_path.iterdir())) == 1


def test_a_folder_that_another_export_puts_in_place_meanwhile_is_its(released, tmp_path, monkeypatch):
    opened, draft = os.open, tmp_path / ".out.partial"

    def once_renamed(path, *arguments):
        if Path(path) == draft:
            draft.rename(tmp_path / "out")
        return opened(path, *arguments)

    source = ReleaseRows(released.home, "v1", limit=5)
    monkeypatch.setattr(os, "open", once_renamed)
    with pytest.raises(ValueError, match=f"another export is writing {tmp_path / 'out'}"):
        export("spar", source, tmp_path / "out", Options(ImageMode.NONE))


def test_what_a_killed_export_left_is_in_nobodys_way(released, tmp_path):
    """Its draft is no tree to the check, and goes when the folder is written."""
    draft = tmp_path / ".out.partial"
    (draft / "spar/scannet/qa_jsonl/train/obj_count/fill").mkdir(parents=True)
    (draft / "spar/scannet/qa_jsonl/train/obj_count/fill/.fill.jsonl").write_text('{"id": "sc')
    assert spar.validate(draft) != []
    export("spar", ReleaseRows(released.home, "v1", limit=5), tmp_path / "out", Options(ImageMode.NONE))
    assert [path.name for path in tmp_path.iterdir()] == ["out"] and spar.validate(tmp_path / "out") == []


def test_what_stands_there_is_not_touched(released, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/mine.txt").write_text("mine")
    words = ["export", "spar", "v1", str(tmp_path / "out"), "--home", str(released.home)]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 1 and done.output.count("\n") == 1 and "is there already" in done.output
    assert (tmp_path / "out/mine.txt").read_text() == "mine"


@pytest.mark.parametrize("stop", ["reading", "invalid", "before it is in place"])
def test_what_a_home_keeps_stands_until_the_new_one_is_whole_and_valid(copied, monkeypatch, stop):
    """Whatever stops the new one: the old one stands with the same content, and nothing is beside it."""
    create.create(copied.home, "v1")
    source = ReleaseRows(copied.home, "v1", limit=5)
    kept = renew("spar", source, Options(ImageMode.NONE))
    assert kept.path == export_path(copied.home, "spar", "v1") and kept.made.rows == 5
    before = digest(kept.path)
    renamed = Path.rename

    class Stopped(ReleaseRows):
        def questions(self, split, columns=()):
            if stop == "reading":
                raise OSError("stopped")
            yield from super().questions(split, columns)

    def stuck(path, target):
        if path.name == ".v1.partial":
            raise OSError("stopped")
        return renamed(path, target)

    with monkeypatch.context() as patched, pytest.raises((OSError, InvalidExport), match="stopped"):
        if stop == "invalid":
            patched.setattr(spar, "validate", lambda path: ["stopped"] * 30)
        if stop == "before it is in place":
            patched.setattr(Path, "rename", stuck)
        renew("spar", Stopped(copied.home, "v1", limit=9), Options(ImageMode.NONE))
    assert digest(kept.path) == before and [path.name for path in kept.path.parent.iterdir()] == ["v1"]
    newer = renew("spar", ReleaseRows(copied.home, "v1", limit=9), Options(ImageMode.NONE))
    assert (newer.path, newer.made.rows) == (kept.path, 9) and newer.version != kept.version
    assert digest(kept.path) != before and [path.name for path in kept.path.parent.iterdir()] == ["v1"]


def test_what_was_put_aside_by_one_that_was_killed_comes_back(copied, monkeypatch):
    """Killed between the two steps by which the new one takes the old one's place, and the next fails."""
    create.create(copied.home, "v1")
    source = ReleaseRows(copied.home, "v1", limit=5)
    out = renew("spar", source, Options(ImageMode.NONE)).path
    before = digest(out)
    out.rename(out.with_name(".v1.before"))
    monkeypatch.setattr(spar, "validate", lambda path: ["wrong"])
    with pytest.raises(InvalidExport, match="wrong"):
        renew("spar", source, Options(ImageMode.NONE))
    assert digest(out) == before and [path.name for path in out.parent.iterdir()] == ["v1"]
