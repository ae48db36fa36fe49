"""What an export is given: the release's rows, narrowed, limited, without what was revoked, with their images."""

from __future__ import annotations

import shutil

import pyarrow.parquet as pq
import pytest

from spatial_assets.exports.core.source import ReleaseRows
from spatial_assets.releases import create, revocations
from spatial_assets.scene.model import InputError
from spatial_assets.storage import release_manifest as manifest


def rows_of(home, name="v1"):
    """By qa_id, the split and the row, as they stand in the release's files."""
    return {
        row["qa_id"]: (path.parent.name, row)
        for path in sorted((manifest.folder(home, name) / "data").glob("*/*.parquet"))
        for row in pq.read_table(path, partitioning=None).to_pylist()
    }


def given(source):
    return {
        question.row["qa_id"]: (question.split, dict(question.row))
        for split in source.splits
        for question in source.questions(split)
    }


def test_all_rows_of_a_release_come_with_their_split(released):
    source = ReleaseRows(released.home, "v1")
    assert given(source) == rows_of(released.home)
    assert list(source.splits) == ["train", "val"]
    assert sum(source.splits.values()) == manifest.load(released.home, "v1")["rows"]


def test_only_some_tasks_and_splits(released):
    every = rows_of(released.home)
    source = ReleaseRows(released.home, "v1", tasks=["view_change_infer"], splits=["val"])
    wanted = {
        key for key, (split, row) in every.items() if split == "val" and row["task"] == "view_change_infer"
    }
    assert set(given(source)) == wanted
    assert source.splits == {"val": len(wanted)}
    for kind, options in (("task", {"tasks": ["chess"]}), ("split", {"splits": ["test"]})):
        with pytest.raises(InputError, match=f"the release has no {kind} '(chess|test)'"):
            ReleaseRows(released.home, "v1", **options)
    with pytest.raises(InputError, match="no release 'v9'"):
        ReleaseRows(released.home, "v9")


def test_a_limit_takes_the_smallest_ids_and_a_smaller_one_part_of_them(released):
    every = sorted(rows_of(released.home))
    for limit in (1, 7, 40, len(every), 10 * len(every)):
        source = ReleaseRows(released.home, "v1", limit=limit)
        assert set(given(source)) == set(every[:limit])
        assert sum(source.splits.values()) == min(limit, len(every))
    few = given(ReleaseRows(released.home, "v1", limit=40))
    assert {row["task"] for _, row in few.values()} == {"depth_prediction_oc", "view_change_infer"}


def test_what_is_revoked_is_left_out(copied):
    create.create(copied.home, "v1")
    every = rows_of(copied.home)
    revocations.withdraw(copied.home, "scene0000_01", "consent taken back")
    source = ReleaseRows(copied.home, "v1")
    left = {key for key, (_, row) in every.items() if row["scene"] != "scene0000_01"}
    assert 0 < len(left) < len(every)
    assert set(given(source)) == left
    assert sum(source.revoked.values()) == len(every) - len(left)
    assert set(given(ReleaseRows(copied.home, "v1", limit=5))) == set(sorted(left)[:5])


def test_every_frame_has_its_image_and_its_own_marks(released):
    source = ReleaseRows(released.home, "v1")
    marked = 0
    for split in source.splits:
        for question in source.questions(split):
            assert [(s.role, s.frame) for s in question.shots] == [
                (item["role"], item["frame"]) for item in question.row["frames"]
            ]
            for shot in question.shots:
                assert shot.root == released.root
                assert shot.image == f"{question.row['scene']}/color/{shot.frame}.jpg"
                assert all(mark["frame"] == shot.frame for mark in shot.marks)
                marked += len(shot.marks)
            assert sum(len(shot.marks) for shot in question.shots) == len(question.row["marks"])
    assert marked > 0


@pytest.fixture
def changed(released, tmp_path):
    """A copy of the home, and one of its release's files."""
    home = shutil.copytree(released.home, tmp_path / "home")
    return home, next(iter(sorted((manifest.folder(home, "v1") / "data").glob("*/*.parquet"))))


@pytest.mark.parametrize("lost", [False, True])
def test_a_file_that_is_not_the_releases_is_named(changed, lost):
    home, path = changed
    if lost:
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(InputError, match="where the release's manifest has") as error:
        given(ReleaseRows(home, "v1"))
    assert error.value.reason == "damaged_release" and path.name in str(error.value)


def test_marks_say_where_they_are_before_rounding_unless_only_the_grid_is_read(released):
    source, marked = ReleaseRows(released.home, "v1"), 0
    for split in source.splits:
        for question in source.questions(split):
            row = question.row
            told = {(mark["frame"], mark["role"]): mark for shot in question.shots for mark in shot.marks}
            for mark, xy in zip(row["marks"], row["mark_pixels"] or (), strict=True):
                own = told[mark["frame"], mark["role"]]
                width, height = own["size"]
                assert own["pixels"] == xy and own["xy"] == mark["xy"]
                for number, value in enumerate(xy):
                    assert (
                        abs(value - mark["xy"][number] / 1000 * (width, height)[number % 2])
                        <= max(own["size"]) / 1000
                    )
                marked += 1
        for question in source.questions(split, ["answer"]):
            assert not any("pixels" in mark for shot in question.shots for mark in shot.marks)
    assert marked > 50


@pytest.mark.parametrize("way", ["questions", "batches", "shown"])
def test_what_was_gone_through_is_told_row_for_row(released, way):
    source = ReleaseRows(released.home, "v1")
    told: list[int] = []
    source.tell = told.append
    for split in source.splits:
        if way == "questions":
            list(source.questions(split))
        for batch in source.batches(split, ()) if way != "questions" else ():
            if way == "shown":
                list(source.shown(batch, split))
    assert sum(told) == sum(source.splits.values())
