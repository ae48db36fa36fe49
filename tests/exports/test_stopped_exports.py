"""Every format, killed or out of disk on its way: the same content afterwards, one line, nothing half.

Formats are the registry's: one that is new is tried with no word about it here.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from digests import digest
from every_home import RELEASE, every_home
from test_every_format import RELEASED
from tool_env import tool_python

from spatial_assets.exports.core.base import ImageMode, Options
from spatial_assets.exports.core.source import ReleaseRows
from spatial_assets.exports.registry import FORMATS
from spatial_assets.exports.run import export

SUPPORT = Path(__file__).parents[1] / "support"
CHECKOUT = SUPPORT.parents[1]
RERUN = (
    "rerun",
    ["rerun-sdk==0.41.0"],
    ["numpy", "pyarrow", "attrs", "pillow", "psutil", "typing-extensions"],
)

NEED_IMAGES = {"vlmevalkit"}
"""Formats that reject an export without them."""


@pytest.mark.every(3)
@pytest.mark.parametrize("share", [0.02, 0.9])
@pytest.mark.parametrize("form", RELEASED)
def test_a_file_that_the_disk_does_not_take_is_named_and_nothing_is_left(form, share, released, tmp_path):
    source = ReleaseRows(released.home, "v1", limit=60)
    options = Options(ImageMode.LINK if form in NEED_IMAGES else ImageMode.NONE)
    export(form, source, tmp_path / "whole", options)
    sizes = [file.stat().st_size for file in (tmp_path / "whole").rglob("*") if file.is_file()]
    shutil.rmtree(tmp_path / "whole")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(share * max(sizes)), limits[1]))
    try:
        with pytest.raises(OSError, match="File too large") as told:
            export(form, source, tmp_path / "out", options)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert str(tmp_path) in str(told.value.filename)
    assert not list(tmp_path.iterdir())


class Died(BaseException):
    """Nothing catches it, and nothing that it passes puts things in order."""


class Dying(ReleaseRows):
    """A release that is not read to its end."""

    left = 1_000_000
    read = 0

    def _counted(self, items):
        for item in items:
            if not self.left:
                raise Died
            self.left, self.read = self.left - 1, self.read + 1
            yield item

    def batches(self, split, columns, *more):
        return self._counted(super().batches(split, columns, *more))

    def questions(self, split, columns=()):
        return self._counted(super().questions(split, columns))


@pytest.mark.every(3)
@pytest.mark.parametrize("form", RELEASED)
def test_what_died_half_way_is_finished_by_the_next_with_the_same_bytes(
    form, released, tmp_path, monkeypatch
):
    source = Dying(released.home, "v1", limit=60)
    options = Options(ImageMode.DRAW, image_store=tmp_path / "store")
    export(form, source, tmp_path / "whole", options)
    source.left, source.read = source.read // 2, 0
    with monkeypatch.context() as dead, pytest.raises(Died):
        dead.setattr(shutil, "rmtree", lambda *words, **named: None)
        export(form, source, tmp_path / "out", options)
    assert (tmp_path / ".out.partial").is_dir() and not (tmp_path / "out").exists()
    export(form, ReleaseRows(released.home, "v1", limit=60), tmp_path / "out", options)
    assert digest(tmp_path / "out") == digest(tmp_path / "whole")
    assert {path.name for path in tmp_path.iterdir()} - {"store"} == {"out", "whole"}


def stopped(kind, home, release, folder, how, forms, extra=(), before=()):
    """What the script tells of each format, nothing of which is wrong."""
    (own,) = (path for path in sys.path if path.endswith("site-packages"))
    words = [kind, str(home), release, str(folder), how, *forms]
    done = subprocess.run(
        [*before, sys.executable, str(SUPPORT / "stopped_exports.py"), *words],
        capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": ":".join(map(str, [CHECKOUT, SUPPORT, own, *extra]))},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert [own["form"] for own in told] == list(forms)
    assert {own["form"]: own["wrong"] for own in told if own["wrong"]} == {}
    return told


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return every_home(tmp_path_factory.mktemp("every"))


@pytest.fixture(scope="module")
def recorder():
    """The packages of an environment that has rerun-sdk."""
    python = tool_python(*RERUN)
    return list((python.parents[1] / "lib").glob("python3*/site-packages"))


@pytest.mark.prove
def test_killed_at_ten_moments_every_format_has_the_same_content(home, recorder, tmp_path, capsys):
    told = stopped("killed", home, RELEASE, tmp_path, "10", FORMATS, recorder)
    assert all(own["on its way"] for own in told), told
    with capsys.disabled():
        times = sum(own["on its way"] for own in told)
        print(
            f"\n  {len(told)} formats: {times} of {10 * len(told)} kills on their way, equal content after all"
        )


@pytest.mark.prove
def test_a_full_disk_is_one_line_in_every_format(home, recorder, tmp_path, capsys):
    """A file system in memory that only the script sees, with room for less than is written."""
    apart = ["unshare", "--user", "--map-root-user", "--mount"]
    mount = ["sh", "-c", f"mount -t tmpfs tmpfs '{tmp_path}' && exec \"$@\"", "sh"]
    if not shutil.which("unshare") or subprocess.run([*apart, *mount, "true"], check=False).returncode:
        pytest.skip("no file system of one's own can be mounted here")
    told = stopped("full", home, RELEASE, tmp_path, "0.05,0.3,0.6,0.9", FORMATS, recorder, [*apart, *mount])
    with capsys.disabled():
        print(f"\n  {len(told)} formats on disks with room for 5, 30, 60 and 90 %: one line, nothing half")
