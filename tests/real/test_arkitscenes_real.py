"""The official lists of ARKitScenes' splits, and published boxes of its validation scenes in its own annotation."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from spatial_assets.geometry.boxes import box_corners
from spatial_assets.readers import arkitscenes, arkitscenes_boxes
from spatial_assets.scene.refs import SceneRef

LISTS = {"3dod_train_val_splits.csv": (5047, 8), "raw_train_val_splits.csv": (5071, 8)}
"""Videos in each, and those of visits that nobody wrote down."""


@pytest.mark.parametrize("name", LISTS)
def test_every_video_of_the_official_lists_is_a_scene_s_name_with_a_fold(
    fixtures: Path, tmp_path: Path, name: str
) -> None:
    path = fixtures / "scenes/labels/arkitscenes" / name
    if not path.is_file():
        pytest.skip(f"no {name} among the real data")
    lines = path.read_text().splitlines()[1:]
    count, unknown = LISTS[name]
    assert len(lines) == count and sum(",NA," in line for line in lines) == unknown
    (tmp_path / name).symlink_to(path)
    for line in lines[:: len(lines) // 20]:
        video, visit, fold = line.split(",")
        assert arkitscenes.SCENE_NAME.match(video)
        said = arkitscenes._visit(tmp_path, SceneRef(video, f"3dod/{fold}/{video}"))
        assert said == {"fold": fold} | ({} if visit == "NA" else {"visit": visit})
    assert all(re.fullmatch(r"\d{8},(NA|\d+),(Training|Validation)", line) for line in lines)


def test_published_boxes_have_their_published_bounds(fixtures: Path, tmp_path: Path) -> None:
    """Least and greatest corners stand beside centers, lengths and axes, and so say what these mean.

    Of level boxes, rows and columns have the same bounds; twenty of the 854, which are televisions that lean, tell them
    apart.
    """
    path = fixtures / "scenes/vsibench/arkitscenes_meta_info_val.json"
    if not path.is_file():
        pytest.skip("no VSI-Bench meta information among the real data")
    readings = {
        "documented": arkitscenes_boxes.BoxReading(),
        "columns": arkitscenes_boxes.BoxReading(axes="columns"),
        "half": arkitscenes_boxes.BoxReading(lengths="half"),
    }
    misses: dict[str, list[float]] = {name: [] for name in readings}
    leaning: list[bool] = []
    for scene in json.loads(path.read_text()).values():
        held = [(label, box) for label, group in scene["object_bbox"].items() for box in group]
        data = [
            {"uid": str(place), "label": label, "segments": {"obbAligned": box}}
            for place, (label, box) in enumerate(held)
        ]
        (tmp_path / "a.json").write_text(json.dumps({"skipped": False, "data": data}))
        annotated = arkitscenes_boxes.read_annotation(tmp_path, "a.json")
        leaning += [bool(abs(item.axes[2, 2]) < 0.999) for item in annotated]
        for name, reading in readings.items():
            for item, (_, box) in zip(arkitscenes_boxes.instances(annotated, reading), held, strict=True):
                corners = box_corners(item.box)
                bounds = np.concatenate([corners.min(axis=0), corners.max(axis=0)])
                misses[name].append(float(np.abs(bounds - [*box["min"], *box["max"]]).max()))
    assert (len(leaning), sum(leaning)) == (854, 20)
    assert max(misses["documented"]) < 1e-6
    assert min(miss for miss, leans in zip(misses["columns"], leaning, strict=True) if leans) > 1e-4
    assert min(misses["half"]) > 0.05
