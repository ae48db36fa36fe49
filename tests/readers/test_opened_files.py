"""Every file that a scene is read from is among its source files: one that is not could be edited unseen.

Files are read by whoever lists the scenes too, as VSI-Bench's are, once for all.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import h5py
import pytest
from small_scenes import LAYOUTS, PARAMETERS, READ_AS, write_more, write_small

from spatial_assets.readers.registry import reader
from spatial_assets.scene.refs import SceneRef

OPENED: list[str] | None = None
"""Paths that were opened while somebody listens. A hook cannot be taken away again."""


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open" and OPENED is not None and isinstance(arguments[0], str | bytes | os.PathLike):
        OPENED.append(os.fsdecode(arguments[0]))


sys.addaudithook(_hear)


def unlisted(name: str, root: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[list[str], int]:
    """Files that are opened as a scene is read and that its source files leave out, and how many are opened."""
    chosen = reader(READ_AS.get(name, name))
    parameters = chosen.Parameters(**PARAMETERS.get(name, {}))
    first = h5py.File.__init__

    def heard(self: h5py.File, path: Any, *arguments: Any, **options: Any) -> None:
        # HDF5 opens files by itself.
        _hear("open", (path,))
        first(self, path, *arguments, **options)

    monkeypatch.setattr(h5py.File, "__init__", heard)
    monkeypatch.setattr(sys.modules[__name__], "OPENED", [])
    *_, ref = chosen.find_scenes(root)
    listed = {os.path.realpath(root / file.path) for file in chosen.source_files(root, ref)}
    chosen.read_scene(root, ref, "v1", "terms", parameters)
    assert OPENED is not None
    own = os.path.realpath(root) + os.sep
    opened = {os.path.realpath(path) for path in OPENED}
    inside = {path for path in opened if path.startswith(own) and Path(path).is_file()}
    return sorted(path.removeprefix(own) for path in inside - listed), len(inside)


@pytest.mark.parametrize("name", LAYOUTS)
def test_what_a_scene_is_read_from_is_among_its_source_files(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_small(tmp_path, name)
    write_more(tmp_path, name)
    found, opened = unlisted(name, tmp_path, monkeypatch)
    assert opened > 0 and found == []


@pytest.mark.parametrize("name", ["scannet", "hypersim"])
def test_a_file_that_a_reader_forgets_to_list_is_found(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_small(tmp_path, name)
    chosen = reader(name)
    listing = chosen.source_files
    (ref,) = chosen.find_scenes(tmp_path)
    _, opened = unlisted(name, tmp_path, monkeypatch)
    missed = []
    for forgotten in [file.path for file in listing(tmp_path, ref)]:

        def without(root: Path, ref: SceneRef, path: str = forgotten) -> Any:
            return [file for file in listing(root, ref) if file.path != path]

        monkeypatch.setattr(chosen, "source_files", without)
        found, _ = unlisted(name, tmp_path, monkeypatch)
        assert found in ([], [forgotten])
        missed += found
    assert len(missed) == opened > 0
