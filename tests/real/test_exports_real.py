"""A release of a real scan in every format that takes one: what comes back is what the release has, images and all."""

from __future__ import annotations

from pathlib import Path

import lakes
import pytest

from spatial_assets.exports import registry
from spatial_assets.exports.core.base import ImageMode, Options
from spatial_assets.exports.core.source import ReleaseRows
from spatial_assets.exports.run import export
from spatial_assets.releases import create
from spatial_assets.stages import pipeline

ASKED = ("view_change_infer",)
"""What can be asked of a scan without objects."""
UPSTREAM = ("sources", "scenes", "keyframes", "visibility", "overlap")
OTHERS = {
    "rerun": "needs a package that is not there",
    "scanrefer": "tells of objects, of which the scan has none",
    "coco": "tells of objects",
    "spar-bench": "a benchmark asks about scenes held out",
    "spatialmosaic": "has types of its own",
    "spatialmosaic-bench": "has types of its own",
}
FORMATS = [form for form in registry.FORMATS if form not in OTHERS]


@pytest.fixture(scope="module")
def home(fixtures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = fixtures / "scenes/posed_rgbd"
    if not root.is_dir():
        pytest.skip("no posed_rgbd among the real data")
    found = tmp_path_factory.mktemp("exports_real")
    lakes.register(found, "posed_rgbd", root)
    # A coarse mesh: what is asked are cameras' poses, and which frames share what they see.
    (found / pipeline.SETTINGS).write_text("[scenes.posed_rgbd]\nvoxel = 0.06\n")
    lakes.build(found, stages=[*UPSTREAM, *ASKED])
    create.create(found, "v1", create.Request({"train": 1.0}))
    return found


@pytest.mark.every(3)
@pytest.mark.parametrize("form", FORMATS)
def test_what_is_written_comes_back_and_is_valid(home: Path, tmp_path: Path, form: str) -> None:
    chosen = registry.export_format(form)
    source = ReleaseRows(home, "v1", limit=60)
    printed = {"coordinates": "as-printed"} if "coordinates" in getattr(chosen, "TAKES", ()) else {}
    export(form, source, tmp_path / "out", Options(ImageMode.COPY, **printed))
    assert chosen.validate(tmp_path / "out") == []
    back = list(chosen.read_back(tmp_path / "out"))
    if getattr(chosen, "OF_SCENES", False):
        assert {row["scene"] for row in back} == set(lakes.rows(home, "scenes")["scene"])
        return
    given = {row.row["qa_id"]: {**row.row, "split": row.split} for row in source.questions("train")}
    # Some keep no sentences: no rule says when one is right.
    kept = {own for own, row in given.items() if row["format"] != "sentence"}
    assert kept <= {row["qa_id"] for row in back} <= given.keys() and len(kept) > 20
    for row in back:
        assert row == {name: given[row["qa_id"]][name] for name in chosen.CARRIES}
