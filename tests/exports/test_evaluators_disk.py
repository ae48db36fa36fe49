"""A full disk under an export for evaluators or of scenes: the file is named, and nothing is left."""

from __future__ import annotations

import resource

import pytest

from spatial_assets.exports.core.base import ImageMode, Options
from spatial_assets.exports.core.source import ReleaseRows
from spatial_assets.exports.run import export


@pytest.mark.parametrize("form", ["lmms-eval", "vlmevalkit", "coco", "ply"])
@pytest.mark.parametrize("most", [2_000, 9_000])
def test_a_full_disk_is_named_and_nothing_is_left(form, most, released, tmp_path):
    source = ReleaseRows(released.home, "v1")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large") as told:
            export(form, source, tmp_path / "out", Options(ImageMode.LINK))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert told.value.filename is not None
    assert not list(tmp_path.iterdir())
