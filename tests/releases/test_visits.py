"""Scenes that were taken at one visit are of one place, and the datasets' own lists may part them nevertheless."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from spatial_assets.cli import main
from spatial_assets.releases import create, spaces, verify
from spatial_assets.releases.create import Request
from spatial_assets.releases.joined import scene_column
from spatial_assets.scene import tables
from spatial_assets.scene.model import InputError
from spatial_assets.storage import release_manifest as manifest
from spatial_assets.storage.lake import Lake

HALVES = {"train": 0.5, "val": 0.5}
TWO, OTHER = ("scene0000_00", "scene0000_01"), "scene0001_00"


def say(home, **columns):
    """Puts into the lake what a dataset would have said of its scenes."""
    for path in sorted((home / "lake" / tables.SCENES.name).glob("*/data.parquet")):
        rows = pq.read_table(path, schema=tables.SCENES.schema, partitioning=None).to_pylist()
        for row in rows:
            row.update({name: said.get(row["scene"]) for name, said in columns.items()})
        pq.write_table(pa.Table.from_pylist(rows, schema=tables.SCENES.schema), path)


def where(home, name):
    rows = pq.read_table(manifest.scenes_path(home, name)).to_pylist()
    return {row["scene"]: (row["split"], row["space"]) for row in rows}


VISITED = {"scene0000_01": "12", OTHER: "12"}


@pytest.mark.parametrize("names_only", [False, True])
def test_scenes_of_one_visit_are_never_in_two_splits(copied, names_only):
    say(copied.home, visit=VISITED)
    for seed in range(8):
        held = create.create(
            copied.home, f"v{seed}", Request(HALVES, seed=seed, names_only=names_only, datasets=("scannet",))
        )
        # The other scan of the first room comes with it, by its name.
        assert {space for _, space in where(copied.home, f"v{seed}").values()} == {"scannet/scene0000"}
        assert len({split for split, _ in where(copied.home, f"v{seed}").values()}) == held["spaces"] == 1
        (group,) = held["same_rooms"]["joined"]
        assert group["spaces"] == ["scannet/scene0000", "scannet/scene0001"]
        assert (group["visits"], group["matches"]) == (["scannet/12"], [])
        assert held["same_rooms"]["names_only"] is names_only and held["parted"] == []
        assert verify.verify_release(copied.home, f"v{seed}") == []


def test_visits_of_one_scene_and_of_none_join_nothing(copied):
    say(copied.home, visit={"scene0000_00": "12", "scene0000_01": "12", OTHER: "13"})
    held = create.create(copied.home, "v1", Request(HALVES, names_only=True))
    assert held["same_rooms"] is None and held["spaces"] == 2
    card = (manifest.folder(copied.home, "v1") / manifest.CARD).read_text()
    assert "told apart by the scenes' names alone" in card


def test_a_benchmark_asks_about_all_scenes_of_a_visit(copied, monkeypatch):
    say(copied.home, visit=VISITED)
    asked = {spaces.space_of("scannet", "v1", OTHER): "Some Bench"}
    for module in ("selection", "verify"):
        monkeypatch.setattr(f"spatial_assets.releases.{module}.benchmark_spaces", lambda: asked)
    with pytest.raises(InputError, match="no row"):
        create.create(copied.home, "v1", Request(names_only=True))


def test_official_lists_win_over_visits_and_it_is_said(copied):
    say(
        copied.home,
        visit=VISITED,
        split={"scene0000_00": "train", "scene0000_01": "train", OTHER: "val"},
    )
    found = CliRunner().invoke(
        main, ["release", "create", "v1", "--split", "official", "--home", str(copied.home)]
    )
    assert found.exit_code == 0
    lines = [line.strip() for line in found.output.splitlines() if "several splits" in line]
    assert lines == [
        "1 place is in several splits, as the datasets' own lists have it, as scannet/scene0000 in train and val"
    ]
    assert {scene: split for scene, (split, _) in where(copied.home, "v1").items()} == {
        "scene0000_00": "train", "scene0000_01": "train", OTHER: "val",
    }  # fmt: skip
    held = manifest.load(copied.home, "v1")
    assert held["parted"] == [{"space": "scannet/scene0000", "splits": ["train", "val"]}]
    assert (held["spaces"], held["scenes"]) == (1, 3)
    card = (manifest.folder(copied.home, "v1") / manifest.CARD).read_text()
    assert "in one split but for 1 place" in card and "never in two splits" not in card
    assert verify.verify_release(copied.home, "v1") == []


def test_only_official_splits_may_part_a_place(copied):
    say(copied.home, visit=VISITED, split={"scene0000_00": "train", "scene0000_01": "train", OTHER: "val"})
    held = create.create(copied.home, "v1", Request(None))
    path = manifest.folder(copied.home, "v1") / manifest.MANIFEST
    path.chmod(0o644)
    for changed in ({"parted": []}, {"splits": {k: {**v, "share": 0.5} for k, v in held["splits"].items()}}):
        path.write_bytes(manifest.to_bytes({**held, **changed}))
        found = verify.verify_release(copied.home, "v1")
        assert "scannet/scene0000 is in more than one split" in found


def test_tables_of_before_visits_are_read(copied):
    lake = Lake(copied.home)
    for path in sorted((copied.home / "lake" / tables.SCENES.name).glob("*/data.parquet")):
        table = pq.read_table(path, partitioning=None).drop_columns(["visit"])
        pq.write_table(table, path)
        shard = path.parent.name.removeprefix("shard=")
        assert set(scene_column(lake, shard, "visit").values()) == {None}
    assert create.create(copied.home, "v1", Request(HALVES))["spaces"] == 2


ALL = ("scene0000_00", "scene0000_01", OTHER)


@pytest.mark.parametrize("word", ["training", "Test ", "", "x" * 1000, "train\nval", "Überprüfung"])
def test_a_split_by_another_word_is_named(copied, word):
    say(copied.home, split=dict.fromkeys(ALL, "train") | {OTHER: word})
    with pytest.raises(
        InputError, match=r"scannet/scene0001_00: is of the split '.*, which is none of train, val"
    ) as told:
        create.create(copied.home, "v1", Request(None))
    assert len(str(told.value)) < 250 and "\n" not in str(told.value)
    assert manifest.names(copied.home) == []


@pytest.mark.parametrize("names_only", [False, True])
@pytest.mark.parametrize("balanced", [False, True])
def test_questions_of_scenes_that_are_no_longer_told_have_no_official_split(copied, names_only, balanced):
    for path in (copied.home / "lake" / tables.SCENES.name).glob("*/data.parquet"):
        path.unlink()
    with pytest.raises(
        InputError, match="scannet/scene0000_00: has questions, and nothing says any more which split"
    ):
        create.create(copied.home, "v1", Request(None, balanced=balanced, names_only=names_only))
    assert create.create(copied.home, "v1", Request(names_only=names_only))["scenes"] == 3


def cut(path):
    path.write_bytes(path.read_bytes()[:-40])


def blot(path):
    data = bytearray(path.read_bytes())
    data[100:300] = bytes(200)
    path.write_bytes(bytes(data))


def empty(path):
    path.write_bytes(b"")


def other(path):
    pq.write_table(pa.table({"a": [1]}), path)


QUESTIONS, SCENES = "lake/questions/*/*/data.parquet", "lake/scenes/*/data.parquet"


@pytest.mark.parametrize(
    ("which", "damage"),
    [
        *((QUESTIONS, damage) for damage in (cut, blot, empty, other)),
        *((SCENES, damage) for damage in (cut, blot, empty)),
    ],
)
def test_a_damaged_table_is_one_line_that_names_it(copied, which, damage):
    path = min(copied.home.glob(which))
    path.chmod(0o644)
    damage(path)
    for more in ([], ["--balance"]):
        arguments = ["release", "create", "v1", "--home", str(copied.home), *more]
        found = CliRunner().invoke(main, arguments)
        assert found.exit_code == 1 and isinstance(found.exception, SystemExit)
        (line,) = found.output.splitlines()
        assert line.startswith(f"error: {path}: ") and "sets it aside and makes it again" in line
    assert manifest.names(copied.home) == []
