"""Pictures for the event log: there is one wherever there is something to show, and it is small enough."""

from __future__ import annotations

import io
from pathlib import Path

import lakes
import pytest
import tiny
from PIL import Image
from report_homes import TASKS, UNKNOWN

from spatial_assets.assets.partitions import registry
from spatial_assets.report import pictures, plots
from spatial_assets.scene.inputs import SceneInputs
from spatial_assets.storage.lake import Lake

LIMIT = 15_500


def inputs(home: Path, scene: str) -> SceneInputs:
    (shard,) = registry(home).shards()
    ref = next(ref for ref in shard.scenes if ref.name == scene)
    return SceneInputs(Lake(home), shard, ref)


PICTURES = {
    "sources": pictures.sources,
    "scene_plan": pictures.scene_plan,
    "camera_path": pictures.camera_path,
    "observations": pictures.observations,
    "overlaps": pictures.overlaps,
    **{task: pictures.question_of(task) for task in (*TASKS, UNKNOWN)},
}


@pytest.mark.every(3)
@pytest.mark.parametrize("name", PICTURES)
def test_picture_of_each_asset(home: Path, name: str) -> None:
    data = PICTURES[name](inputs(home, "scene0002_00"))
    assert data is not None
    assert len(data) <= LIMIT
    image = Image.open(io.BytesIO(data)).convert("RGB")
    assert image.width >= 100
    assert len(image.getcolors(1 << 24) or []) > 3
    assert data == PICTURES[name](inputs(home, "scene0002_00")), "the same scene gives the same bytes"


@pytest.mark.parametrize("name", [name for name in PICTURES if name != "sources"])
def test_no_picture_of_a_rejected_scene(home: Path, name: str) -> None:
    assert PICTURES[name](inputs(home, "scene0001_00")) is None


def test_picture_of_a_view_set(tmp_path: Path) -> None:
    tiny.write_scannet(tmp_path / "source", "scene0000_00")
    lakes.register(tmp_path / "home", "scannet", tmp_path / "source")
    stages = ("sources", "scenes", "keyframes", "visibility", "overlap", "view_sets")
    # All of its frames look at the middle, and so share much.
    lakes.build(tmp_path / "home", stages=stages, view_sets={"most": 0.6})
    own = inputs(tmp_path / "home", "scene0000_00")
    data = pictures.view_set(own)
    assert data is not None and len(data) <= LIMIT
    assert Image.open(io.BytesIO(data)).width >= 100
    for image in (tmp_path / "source").rglob("*.jpg"):
        image.unlink()
    assert pictures.view_set(own) is None


def test_lines_are_no_wider_than_asked() -> None:
    draw = plots.canvas(1, 1)[1]
    text = "Give five values: move_left:2.6,move_down:0.1,move_forward:0.2,rotate_up:10 " + "x" * 90
    for width in (60, 150, 400):
        lines = plots.wrapped(text, width, plots.TEXT_SIZE)
        assert all(draw.textlength(line, plots.font()) <= width for line in lines)
        assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_labels_never_cover_each_other() -> None:
    image, draw = plots.canvas(200, 100)
    labels = plots.Labels(draw, image.size)
    placed = [labels.put([(50, 40), (50, 60)], f"word {i}", plots.INK, plots.GROUND) for i in range(4)]
    assert placed == [True, True, False, False]
    assert not labels.put([(190, 40)], "beyond the edge", plots.INK, plots.GROUND)


@pytest.mark.parametrize(
    ("count", "most", "expected"),
    [(3, 5, [0, 1, 2]), (10, 4, [0, 3, 6, 9]), (10, 1, [0]), (10, 0, []), (0, 3, [])],
)
def test_thinned(count: int, most: int, expected: list[int]) -> None:
    assert pictures.thinned(range(count), most) == expected


@pytest.mark.parametrize("width", [5, 40, 100, 1000])
def test_a_name_that_is_too_long_ends_with_dots(width: int) -> None:
    name, size = "camera_obj_rel_dist_v1, select", plots.TEXT_SIZE
    cut = [f"{name[:end]}..." for end in range(len(name))]
    fits = [text for text in cut if plots.text_length(text, size) <= width]
    assert plots.shortened(name, width, size) == (
        name if width == 1000 else max(fits, key=len, default="...")
    )
