"""Recordings of a release: one line without rerun-sdk, and with it what a recording has, read back."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from tool_env import tool_python

from spatial_assets.cli import main
from spatial_assets.exports.core.source import ReleaseRows
from spatial_assets.exports.scenes import rerun
from spatial_assets.report.recording import MissingPackage
from spatial_assets.scene.model import InputError


def test_without_the_package_one_line_says_what_to_install(released, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "rerun", None)
    words = ["export", "rerun", "v1", str(tmp_path / "out"), "--home", str(released.home)]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 1 and done.output.count("\n") == 1
    assert "pip install 'spatial-assets[rerun]'" in done.output
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(MissingPackage):
        next(rerun.read_back(tmp_path))


def test_what_is_no_recording_is_told(tmp_path):
    assert rerun.validate(tmp_path) == [f"{tmp_path}: no .rrd file is there"]
    (tmp_path / "a.rrd").write_bytes(b"none")
    assert rerun.validate(tmp_path) == ["a.rrd: no recording"]
    with pytest.raises(InputError, match="no recording"):
        rerun.entities(tmp_path / "a.rrd")


SCRIPT = """
import json, sys
from pathlib import Path
from spatial_assets.exports.scenes import rerun
from spatial_assets.exports.core.base import ImageMode, Options
from spatial_assets.exports.run import export
from spatial_assets.exports.core.source import ReleaseRows
home, out = map(Path, sys.argv[1:])
for mode in ("copy", "none"):
    made = export("rerun", ReleaseRows(home, "v1"), out / mode, Options(ImageMode(mode)))
    print(json.dumps({
        "splits": made.splits, "back": list(rerun.read_back(out / mode)), "errors": rerun.validate(out / mode),
        "bytes": sum(file.stat().st_size for file in (out / mode).rglob("*.rrd")),
    }))
file = next((out / "none").rglob("*.rrd"))
file.write_bytes(file.read_bytes()[:-50])
print(json.dumps(rerun.validate(out / "none")))
"""


@pytest.mark.prove
def test_a_recording_is_made_and_read_back(released, tmp_path):
    """In an environment of its own, which sees this project's packages and has rerun-sdk beside them."""
    python = tool_python(
        "rerun",
        ["rerun-sdk==0.41.0"],
        ["numpy", "pyarrow", "attrs", "pillow", "psutil", "typing-extensions"],
        ["rerun"],
    )
    (packages,) = (path for path in sys.path if path.endswith("site-packages"))
    (own,) = (python.parents[1] / "lib").glob("python3*/site-packages")
    environment = {
        "PYTHONPATH": f"{Path(rerun.__file__).parents[3]}:{packages}:{own}",
        "PATH": "/usr/bin:/bin",
        "HOME": str(tmp_path),
    }
    (tmp_path / "script.py").write_text(SCRIPT, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(tmp_path / "script.py"), str(released.home), str(tmp_path / "out")],
        capture_output=True, text=True, check=False, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    *told, damaged = map(json.loads, done.stdout.splitlines())
    source = ReleaseRows(released.home, "v1")
    keys = ("dataset", "release", "scene", "license")
    wanted = {
        (split, *(question.row[name] for name in keys))
        for split in source.splits
        for question in source.questions(split)
    }
    for own_told in told:
        back = own_told["back"]
        assert own_told["errors"] == [] and sum(own_told["splits"].values()) == len(back) == len(wanted)
        assert {
            tuple(row[name] for name in ("split", "dataset", "release", "scene", "license")) for row in back
        } == wanted
        for row in back:
            assert {"/world/mesh", "/world/objects", "/world/camera", "/question"} <= set(row["entities"])
            assert row["questions"] > 5
    assert told[0]["bytes"] > told[1]["bytes"] and damaged and "not the bytes" in damaged[0]
    sizes = [f"{own_told['bytes']:,} bytes" for own_told in told]
    print(f"\nrerun-sdk 0.41.0: {len(back)} recordings, {sizes[0]} with images, {sizes[1]} without")
