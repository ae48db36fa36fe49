"""The pictures on assets' pages: the same whoever draws them, and none where the files do not allow it."""

from __future__ import annotations

import subprocess
import sys
from functools import partial

import pytest

from spatial_assets.assets.page_pictures import PICTURE_BYTES, PICTURED_SHARDS, draw_all, pictured
from spatial_assets.engine.compiling import compile_listed
from spatial_assets.engine.runner import Runner
from spatial_assets.engine.scene_calls import attempt_all
from spatial_assets.engine.stage_run import ShardReport
from spatial_assets.report.gallery import gallery_page
from spatial_assets.report.pictures import drawn
from spatial_assets.scene.inputs import SceneInputs
from spatial_assets.scene.model import InputError
from spatial_assets.scene.refs import SceneRef, Shard

PNG = b"\x89PNG"


def named(kind: bytes, inputs: SceneInputs) -> bytes:
    return kind + inputs.ref.name.encode()


def too_large(inputs: SceneInputs) -> bytes:
    return PNG + bytes(PICTURE_BYTES)


def without_files(inputs: SceneInputs) -> bytes:
    raise InputError(inputs.ref.path, "is not there", "missing_file")


PICTURES = {
    "plan": partial(named, PNG),
    "photo": partial(named, b"RIFF"),
    "nothing": too_large,
    "lost": without_files,
    "all_rejected": partial(named, PNG),
}


@pytest.mark.parametrize("workers", [1, 2])
def test_a_picture_shows_the_first_scene_that_was_finished(tmp_path, workers):
    scenes = tuple(SceneRef(name, name) for name in ("a", "b"))
    shard = Shard("made-v1-0000", "made", "v1", "", tmp_path, scenes)
    reports = {name: ShardReport(name, shard.key) for name in PICTURES}
    reports["photo"].rejected["a"] = "cut short"
    reports["all_rejected"].errors.update(a="failed", b="failed")
    found = draw_all(PICTURES, shard, reports, Runner(tmp_path, {}, workers))
    shown = {name: metadata["picture"].md_str for name, metadata in found.items() if metadata}
    assert list(found) == list(PICTURES)
    assert shown == {
        "plan": "![a](data:image/png;base64,iVBOR2E=)",
        "photo": "![b](data:image/webp;base64,UklGRmI=)",
    }


def test_a_picture_stands_until_its_rows_change(tmp_path):
    scenes = (SceneRef("a", "a"),)
    shard = Shard("made-v1-0000", "made", "v1", "", tmp_path, scenes)
    neighbor = Shard("made-v1-00001", "made", "v1", "", tmp_path, scenes)
    runner = Runner(tmp_path, {}, 1)
    made: list[bytes] = []

    def counted(inputs: SceneInputs) -> bytes:
        made.append(PNG + str(len(made)).encode())
        return made[-1]

    def page(where: Shard, rows: str, done: tuple[str, ...] = ()):
        report = ShardReport("plan", where.key, output_hash=rows, done=list(done))
        return draw_all({"plan": counted}, where, {"plan": report}, runner)["plan"]["picture"].md_str

    first = page(shard, "rows", ("a",))
    other = page(neighbor, "rows", ("a",))
    assert page(shard, "rows") == first
    assert len(made) == 2
    assert page(shard, "new rows", ("a",)) != first
    assert page(shard, "other rows") != first, "made by another process: what is kept is not of these rows"
    assert len(made) == 4
    kept = sorted(path.name.split(".")[0] for path in (tmp_path / "reports" / "pictures" / "plan").iterdir())
    assert kept == ["made-v1-0000", "made-v1-00001"]
    assert page(neighbor, "rows") == other


def test_a_picture_that_the_disk_does_not_take_is_shown_all_the_same(tmp_path):
    scenes = (SceneRef("a", "a"),)
    shard = Shard("made-v1-0000", "made", "v1", "", tmp_path, scenes)
    (tmp_path / "reports").write_text("where the folder would be")
    report = ShardReport("plan", shard.key, output_hash="rows", done=["a"])
    found = draw_all({"plan": partial(named, PNG)}, shard, {"plan": report}, Runner(tmp_path, {}, 1))
    assert found["plan"]["picture"].md_str == "![a](data:image/png;base64,iVBOR2E=)"


@pytest.mark.parametrize(
    ("shards", "expected"), [(3, {"a", "b"}), (PICTURED_SHARDS, {"a", "b"}), (PICTURED_SHARDS + 1, {"b"})]
)
def test_in_a_large_home_one_shard_of_a_run_has_pictures(shards, expected):
    assert pictured(["a", "b"], shards) == expected


def test_what_workers_are_given_to_do_needs_no_dagster():
    """Each would import it for itself, which takes a second and a hundred megabytes."""
    given = [drawn, attempt_all, compile_listed, gallery_page]
    modules = ", ".join(dict.fromkeys(function.__module__ for function in given))
    program = f"import sys, {modules}; print('dagster' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "False"
