"""The chain of a row holds the real hashes of the real files, and its command makes the row again."""

from __future__ import annotations

import hashlib
import json
import shlex

import lakes
import pytest

from spatial_assets.commands import lineage_text
from spatial_assets.lineage import cache, explain, planning, records
from spatial_assets.scene.model import InputError
from spatial_assets.stages import pipeline


@pytest.fixture(scope="module")
def rows(built):
    return lakes.rows(built.home, "questions/*").to_dicts()


@pytest.mark.parametrize("index", [0, 57, -1])
def test_hashes_along_the_chain_are_those_of_the_files(built, rows, index):
    row = rows[index]
    found = explain.explain(built.home, row["qa_id"])
    assert found["question"] == row
    held = {
        path.relative_to(built.root).as_posix()
        for path in (built.root / row["scene"]).rglob("*")
        if path.is_file()
    }
    assert {item["path"] for item in found["files"]} == held
    for item in found["files"]:
        data = (built.root / item["path"]).read_bytes()
        assert item["sha256"] == hashlib.sha256(data).hexdigest()
        assert item["bytes"] == len(data)
        assert item["absolute"] == str(built.root / item["path"])
        assert (item["dataset"], item["release"]) == ("scannet", "v2")
        assert item["license"] == row["license"]
        assert item["role"]


def test_times_are_the_files_own(built, rows):
    from datetime import datetime

    for item in explain.explain(built.home, rows[0]["qa_id"])["files"]:
        stamp = (built.root / item["path"]).stat().st_mtime
        assert abs(datetime.fromisoformat(item["mtime"]).timestamp() - stamp) < 1e-5


def test_the_chain_goes_from_the_task_to_the_sources(built, rows):
    row = rows[0]
    chain = explain.explain(built.home, row["qa_id"])["records"]
    names = [record["asset"] for record in chain]
    assert names[0] == row["task"]
    assert names[-1] == "sources"
    assert set(names) == set(planning.needed_for(pipeline.STAGES, [row["task"]]))
    by_name = {record["asset"]: record for record in chain}
    for place, record in enumerate(chain):
        stored = records.load(built.home, record["asset"], record["shard"])[row["scene"]]
        assert record["code_version"] == stored.code_version
        assert record["parameters"] == json.loads(stored.parameters)
        assert record["host"] == stored.host
        assert record["versions"]["numpy"] == stored.versions["numpy"]
        for entry in record["inputs"]:
            if entry["made_by"] is not None:
                assert names.index(entry["made_by"]) > place
                assert by_name[entry["made_by"]]["outputs"][entry["table"]] == entry["hash"]
                assert entry["as_made"]
            else:
                assert (record["asset"], entry["table"]) == ("sources", "files")


def test_the_cache_says_the_same(copied, built, rows):
    cache.rebuild(copied.home)
    for row in rows[::40]:
        one, other = (explain.explain(home, row["qa_id"]) for home in (copied.home, built.home))
        assert one["question"] == other["question"]
        assert one["records"] == other["records"]
        assert [item["sha256"] for item in one["files"]] == [item["sha256"] for item in other["files"]]


def test_an_id_with_hyphens_is_the_same_id(built, rows):
    text = rows[0]["qa_id"]
    hyphened = "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
    assert explain.explain(built.home, hyphened.upper())["question"]["qa_id"] == text


def test_a_row_made_from_what_has_changed_says_so(copied, rows):
    row = next(row for row in rows if row["scene"] == "scene0001_00" and row["task"] == "depth_prediction_oc")
    copied.settle(keyframes={"translation": 3.0, "rotation": 90.0})
    lakes.build(copied.home, stages=["keyframes"])
    chain = explain.explain(copied.home, row["qa_id"])["records"]
    (entry,) = [entry for entry in chain[0]["inputs"] if entry["table"] == "keyframes"]
    assert not entry["as_made"]


def test_an_unknown_row_says_which_release_has_it(copied, rows):
    from spatial_assets.releases.create import create

    create(copied.home, "v1")
    row = next(row for row in rows if row["scene"] == "scene0001_00")
    (copied.root / "scene0001_00" / "scene0001_00.txt").unlink()
    copied.build()
    with pytest.raises(InputError, match="it is in v1"):
        explain.explain(copied.home, row["qa_id"])


@pytest.mark.slow
def test_the_command_makes_the_row_again(built, rows, tmp_path, monkeypatch):
    """Read the command's own words and do what they say, in an empty folder, without Dagster."""
    row = rows[3]
    lines = [
        line for line in explain.explain(built.home, row["qa_id"])["remake"] if not line.startswith("git ")
    ]
    settings, register, build = (shlex.split(line) for line in lines)
    assert settings[:2] == ["mkdir", "-p"]
    home = tmp_path / settings[2]
    home.mkdir()
    (home / "parameters.toml").write_text(settings[settings.index("printf") + 1].replace("\\n", "\n"))
    assert register[:3] == ["spatial-assets", "register", "scannet"]
    from pathlib import Path

    lakes.register(home, register[2], Path(register[3]), register[register.index("--release") + 1])
    scene, task = (build[build.index(option) + 1] for option in ("--scene", "--task"))
    lakes.build(home, stages=planning.needed_for(pipeline.STAGES, [task]), scenes=[scene])
    made = {item["qa_id"]: item for item in lakes.rows(home, f"questions/{task}").to_dicts()}
    assert made[row["qa_id"]] == row


def test_the_files_of_the_frames_that_a_row_shows_come_first(built, rows):
    for row in rows[:: max(1, len(rows) // 8)]:
        files = explain.explain(built.home, row["qa_id"])["files"]
        shown = list(dict.fromkeys(entry["frame"] for entry in row["frames"]))
        wanted = [
            f"{row['scene']}/{path}"
            for frame in shown
            for path in (f"color/{frame}.jpg", f"pose/{frame}.txt")
        ]
        assert [item["path"] for item in files[: len(wanted)]] == wanted
        assert [item["frame"] for item in files[: len(wanted)]] == [
            frame for frame in shown for _ in range(2)
        ]
        rest = files[len(wanted) :]
        assert {item["frame"] for item in rest} == {None}
        assert rest[0]["role"] not in ("image", "pose")
        (text,) = ["\n".join(lineage_text.explained(explain.explain(built.home, row["qa_id"])))]
        assert f"color/{shown[0]}.jpg  (frame {shown[0]})" in text


def test_a_frames_files_in_a_folder_of_its_own_and_in_folders_side_by_side():
    def shown(paths, images):
        files = [{"path": path, "role": role} for path, role in paths]
        return [item["path"] for item in explain._shown_first(files, images) if item["frame"] is not None]

    full = "scene/room/perspective/full"
    views = [
        (f"{full}/{view}/{name}", name) for view in "01" for name in ("rgb.png", "depth.png", "instance.png")
    ]
    assert shown(views, {"room/1": [f"{full}/1/rgb.png"], "": [f"{full}/0/rgb.png"]}) == [
        f"{full}/1/rgb.png", f"{full}/1/depth.png", f"{full}/1/instance.png",
    ]  # fmt: skip
    beside = [(f"room/{folder}/{name}.png", folder) for folder in ("images", "depth") for name in "12"]
    images = {"2": ["room/images/2.png"], "": ["room/images/1.png"]}
    assert shown([*beside, ("room/K.txt", "intrinsics")], images) == ["room/images/2.png", "room/depth/2.png"]
    assert shown([("boxes.json", "meta")], {"": []}) == []
