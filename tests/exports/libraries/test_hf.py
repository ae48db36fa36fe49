"""Parquet for Hugging Face: what is written comes back, the library opens it as it is, each damage is one line."""

from __future__ import annotations

import io
import re
import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from chat_cases import VIDEO, MadeSource, cases, row
from digests import digest
from PIL import Image

from spatial_assets.exports.core.base import ImageFormat, ImageMode, Options
from spatial_assets.exports.core.source import ReleaseRows
from spatial_assets.exports.libraries import hf
from spatial_assets.exports.run import export
from spatial_assets.scene.model import InputError
from spatial_assets.scene.tables import QUESTIONS


def written(folder, images=ImageMode.COPY, rows=None, **options):
    rows = cases() if rows is None else rows
    source = MadeSource(folder.parent / "source", train=rows[:6], val=rows[6:])
    folder.mkdir(parents=True)
    hf.write(source, folder, Options(images, **options))
    return folder


def wanted(rows):
    return [
        {**{name: own[name] for name in QUESTIONS.schema.names}, "split": "train" if number < 6 else "val"}
        for number, own in enumerate(rows)
    ]


@pytest.fixture
def library(tmp_path, monkeypatch):
    """Nothing is looked for elsewhere, and what the library keeps goes with the test."""
    datasets = pytest.importorskip("datasets", reason="the library `datasets` is not installed: make setup")
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    datasets.disable_progress_bars()
    return datasets


@pytest.mark.every(3)
@pytest.mark.parametrize("mode", list(ImageMode))
@pytest.mark.parametrize("shards", [1, 4])
def test_what_is_written_comes_back(tmp_path, mode, shards):
    out = written(tmp_path / "out", mode, shards=shards)
    assert list(hf.read_back(out)) == wanted(cases())
    assert hf.validate(out) == []
    names = sorted(path.name for path in (out / "data").iterdir())
    assert names[0] == f"train-00000-of-{shards:05d}.parquet" and len(names) == shards + min(shards, 3)
    assert digest(out) == digest(written(tmp_path / "again/out", mode, shards=shards))


def test_a_release_comes_back_from_the_command(released, tmp_path, library):
    source = ReleaseRows(released.home, "v1")
    made = export("hf", source, tmp_path / "out", Options(ImageMode.LINK))
    loaded = library.load_dataset(str(tmp_path / "out"))
    assert {name: split.num_rows for name, split in loaded.items()} == dict(source.splits)
    assert made.splits == source.splits and hf.validate(tmp_path / "out") == []
    back = {own.pop("qa_id"): own for own in hf.read_back(tmp_path / "out")}
    rows = [(question.split, question.row) for split in source.splits for question in source.questions(split)]
    assert len(back) == len(rows)
    for split, own in rows:
        assert back[own["qa_id"]] == {
            **{name: own[name] for name in QUESTIONS.schema.names[1:]},
            "split": split,
        }


@pytest.mark.every(3)
@pytest.mark.parametrize("mode", [ImageMode.COPY, ImageMode.DRAW])
@pytest.mark.parametrize("form", list(ImageFormat))
def test_the_library_decodes_the_images(tmp_path, library, mode, form):
    out = written(tmp_path / "out", mode, image_format=form)
    loaded = library.load_dataset(str(out))
    assert {name: split.num_rows for name, split in loaded.items()} == {"train": 6, "val": 3}
    rows = [own for name in loaded for own in loaded[name]]
    for own, made in zip(rows, wanted(cases()), strict=True):
        assert [image.size for image in own.pop("images")] == [tuple(size) for size in made["sizes"]]
        assert own == made
    assert loaded["train"].features["images"].feature == library.Image()
    marked = loaded["val"][2]["images"][1]
    bare = Image.open(tmp_path / "source/0001.jpg")
    assert marked.format == (form.name if mode == ImageMode.DRAW else "JPEG")
    assert (marked.getpixel((32, 24)) == bare.getpixel((32, 24))) == (mode == ImageMode.COPY)


def test_linked_images_load_as_the_card_says(tmp_path, library):
    out = written(tmp_path / "out", ImageMode.LINK)
    (code,) = re.findall(r"```python\n(.*?)```", (out / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    known = {}
    exec(code.replace("this/folder", out.as_posix()), known)
    sizes = [[image.size for image in own["images"]] for name in known["rows"] for own in known["rows"][name]]
    assert [len(own) for own in sizes] == [len(own["frames"]) for own in cases()] and max(
        map(len, sizes)
    ) == VIDEO
    assert library.__name__ == "datasets"


def test_without_images_there_is_no_column_of_them(tmp_path, library):
    loaded = library.load_dataset(str(written(tmp_path / "out", ImageMode.NONE)))
    assert "images" not in loaded["train"].features and list(loaded["val"]) == wanted(cases())[6:]


def test_what_looks_like_a_date_stays_a_text(tmp_path, library):
    dated = [row(number, "When?", "2020-01-02") | {"scene": "2020-01-02T03:04:05"} for number in range(8)]
    loaded = library.load_dataset(str(written(tmp_path / "out", ImageMode.NONE, dated)))
    assert (
        loaded["train"][0]["answer"] == "2020-01-02" and loaded["train"][0]["scene"] == "2020-01-02T03:04:05"
    )


def test_splits_are_called_as_the_library_can(tmp_path, library):
    source = MadeSource(tmp_path / "source", **{"my-val.1": cases()[:2], "train": cases()[2:4]})
    (tmp_path / "out").mkdir()
    hf.write(source, tmp_path / "out", Options(ImageMode.NONE))
    loaded = library.load_dataset(str(tmp_path / "out"))
    assert set(loaded) == {"my_val_1", "train"} and set(loaded["my_val_1"]["split"]) == {"my-val.1"}
    with pytest.raises(InputError, match="is called a_b by the library"):
        hf.split_names({"a-b": 1, "a.b": 1})


def test_row_groups_stay_small_with_images(tmp_path, monkeypatch):
    monkeypatch.setattr(hf, "GROUP_BYTES", 20_000)
    out = written(tmp_path / "out")
    file = pq.ParquetFile(out / "data/train-00000-of-00001.parquet")
    assert file.num_row_groups > 1 and list(hf.read_back(out)) == wanted(cases())


def test_pictures_are_those_that_may_be_passed_on(tmp_path):
    out = written(tmp_path / "free/out", ImageMode.DRAW)
    card = (out / "README.md").read_text(encoding="utf-8")
    shown = sorted((out / "pictures").iterdir())
    assert [path.stem for path in shown] == ["made_up", "position_matching"]
    assert all(f"(pictures/{path.name})" in card and Image.open(path).format == "JPEG" for path in shown)
    assert "license: cc0-1.0" in card
    closed = [{**own, "license": "ScanNet Terms of Use (non-commercial)"} for own in cases()]
    out = written(tmp_path / "closed/out", ImageMode.DRAW, closed)
    card = (out / "README.md").read_text(encoding="utf-8")
    assert not (out / "pictures").exists() and "![" not in card
    assert (
        "license: other\n" in card and "license_link: LICENSES.md" in card and "not to be passed on" in card
    )
    out = written(tmp_path / "linked/out", ImageMode.LINK)
    assert not (out / "pictures").exists()


def test_the_cards_counts_are_those_of_the_rows(tmp_path):
    card = (written(tmp_path / "out", ImageMode.NONE) / "README.md").read_text(encoding="utf-8")
    assert (
        "| made_up | fill, judge, select | 5 | 3 |" in card and "| position_matching | fill | 1 | 0 |" in card
    )
    assert 'size_categories: ["n<1K"]' in card and '"num_examples": 6' in card
    assert card.count("- `") == len(QUESTIONS.schema.names) + 1


def replaced(file, change):
    """The file with its rows changed."""
    table = pq.read_table(file)
    rows = table.to_pylist()
    change(rows)
    pq.write_table(pa.Table.from_pylist(rows, table.schema), file)


DAMAGES = {
    "cut": "not Parquet that can be read",
    "short": "ends after 5 of 6 questions",
    "swapped": "answers",
    "fewer": "0 images, where ids.parquet has 1",
    "broken": "row 0: image 0: cannot be read as an image",
    "empty": "image 0: no bytes",
    "twice": "is that of",
    "gone": "not there",
    "untold": "does not say which features it has",
    "unknown": "is not in ids.parquet",
    "speechless": "question is empty",
}


@pytest.mark.every(3)
@pytest.mark.parametrize("damage", DAMAGES)
def test_each_damage_is_one_line(tmp_path, damage):
    out = written(tmp_path / "out")
    file = out / "data/train-00000-of-00001.parquet"
    if damage == "cut":
        file.write_bytes(file.read_bytes()[:-40])
    elif damage == "short":
        replaced(file, list.pop)
    elif damage == "swapped":
        replaced(file, lambda rows: rows[0].update(answer="7.5"))
    elif damage == "fewer":
        replaced(file, lambda rows: rows[0].update(images=[]))
    elif damage in ("broken", "empty"):
        data = b"none" if damage == "broken" else None
        replaced(file, lambda rows: rows[0]["images"][0].update(bytes=data))
    elif damage == "twice":
        replaced(file, lambda rows: rows.append(rows[0]))
    elif damage == "gone":
        file.unlink()
    elif damage == "untold":
        pq.write_table(pq.read_table(file).replace_schema_metadata({}), file)
    elif damage == "unknown":
        replaced(file, lambda rows: rows.append({**rows[0], "qa_id": "another"}))
    else:
        replaced(file, lambda rows: rows[0].update(question=" "))
    errors = hf.validate(out)
    assert len(errors) == 1 and DAMAGES[damage] in errors[0] and file.name in errors[0]


def test_a_linked_image_that_is_gone_is_named_once_a_row(tmp_path):
    out = written(tmp_path / "out", ImageMode.LINK)
    next(iter((out / "images").rglob("0031.jpg"))).unlink()
    (error,) = hf.validate(out)
    assert "data/train-00000-of-00001.parquet: row 2: image images/made-v1/0031.jpg: not there" in error
    assert hf.validate(tmp_path / "nothing") == [f"{tmp_path / 'nothing'}: not there"]


def test_others_files_are_checked_without_ids(tmp_path):
    out = written(tmp_path / "out")
    (out / "ids.parquet").unlink()
    shutil.rmtree(out / "pictures")
    assert hf.validate(out) == hf.validate(out / "data/val-00000-of-00001.parquet") == []
    held = pq.read_table(out / "data/val-00000-of-00001.parquet", columns=["images"]).to_pylist()
    assert all(Image.open(io.BytesIO(image["bytes"])).size for own in held for image in own["images"])
