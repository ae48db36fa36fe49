"""Every format of conversations: what is written comes back, equal rows give equal bytes, each damage is one line."""

from __future__ import annotations

import json
import shutil

import polars as pl
import pytest
from chat_cases import MadeSource, cases, row
from digests import digest

from spatial_assets.exports import registry
from spatial_assets.exports.conversations import llava
from spatial_assets.exports.core.base import ImageMode, Options
from spatial_assets.exports.core.printed_coordinates import profile, rendered
from spatial_assets.exports.core.source import ReleaseRows
from spatial_assets.exports.run import export
from spatial_assets.scene.model import InputError

FORMATS = [form for form in registry.FORMATS if hasattr(registry.export_format(form), "parse")]
MODES = [ImageMode.NONE, ImageMode.COPY, ImageMode.DRAW]


def written(form, folder, images=ImageMode.COPY, rows=None, **options):
    """An export of the edge cases, in two splits."""
    rows = cases() if rows is None else rows
    source = MadeSource(folder.parent / "source", train=rows[:6], val=rows[6:])
    folder.mkdir(parents=True)
    registry.export_format(form).write(source, folder, Options(images, **options))
    return folder


def wanted(form, rows, how):
    chosen = registry.export_format(form)
    for number, own in enumerate(rows):
        texts = rendered(own, profile(how))
        whole = {**own, **texts, "split": "train" if number < 6 else "val"}
        yield {name: whole[name] for name in chosen.CARRIES}


def test_the_formats_of_conversations_are_there():
    assert set(FORMATS) == {"qwen-vl", "internvl", "llama-factory", "ms-swift", "openai-messages", "grpo"}


@pytest.mark.every(3)
@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("mode", MODES)
def test_what_is_written_comes_back(form, mode, tmp_path):
    chosen = registry.export_format(form)
    out = written(form, tmp_path / "out", mode, coordinates="as-printed")
    back = list(chosen.read_back(out))
    assert back == list(wanted(form, cases(), "as-printed"))
    assert {"qa_id", "question", "answer", "split", "frames", "license"} <= chosen.CARRIES
    assert chosen.validate(out) == []


@pytest.mark.every(3)
@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("how", ["qwen3", "qwen2.5", "pixels", "0-1"])
def test_coordinates_come_back_as_they_were_printed(form, how, tmp_path):
    chosen = registry.export_format(form)
    out = written(form, tmp_path / "out", coordinates=how)
    assert list(chosen.read_back(out)) == list(wanted(form, cases(), how))
    assert chosen.validate(out) == []


@pytest.mark.parametrize("form", FORMATS)
def test_shards_hold_the_same_in_the_same_order(form, tmp_path):
    chosen = registry.export_format(form)
    whole = list(chosen.read_back(written(form, tmp_path / "whole", coordinates="as-printed")))
    out = written(form, tmp_path / "parts", shards=3, coordinates="as-printed")
    assert list(chosen.read_back(out)) == whole
    assert chosen.validate(out) == []
    assert len(list(out.rglob("*.jsonl"))) == (24 if form == "grpo" else 6)


@pytest.mark.parametrize("form", FORMATS)
def test_the_same_rows_give_the_same_bytes(form, tmp_path):
    assert digest(written(form, tmp_path / "a/out")) == digest(written(form, tmp_path / "b/out"))


@pytest.mark.every(3)
@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("where", ["question", "answer"])
@pytest.mark.parametrize("tag", ["<image>", "<video>", "<audio>"])
def test_a_tag_in_a_text_is_rejected(form, where, tag, tmp_path):
    bad = row(99, "Where?", "There.") | {where: f"What is {tag} for?"}
    with pytest.raises(InputError, match=f"{bad['qa_id']}.*{tag}"):
        written(form, tmp_path / "out", ImageMode.NONE, [*cases(), bad])


def changed(out, change):
    """The first file of `train` with its lines changed."""
    file = next(file for file in sorted(out.rglob("*train*.jsonl")))
    kept = [json.loads(line) for line in file.read_text(encoding="utf-8").split("\n") if line]
    change(kept)
    file.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in kept), encoding="utf-8")


def test_each_damage_is_one_line(tmp_path, form="qwen-vl"):
    chosen = registry.export_format(form)
    whole = written(form, tmp_path / "out")
    expected = {
        "cut": "not JSON", "short": "ends after 5 of 6 questions", "removed": "not there",
        "fewer": "<image> for 1 images", "twice": "is that of", "swapped": "answers",
        "gone": "train.jsonl: not there", "broken": "cannot be read as an image",
    }  # fmt: skip
    for damage, said in expected.items():
        out = tmp_path / damage
        shutil.copytree(whole, out)
        file = out / "train.jsonl"
        if damage == "cut":
            file.write_bytes(file.read_bytes()[:-40])
        elif damage == "short":
            changed(out, lambda kept: kept.pop())
        elif damage == "removed":
            next(iter(sorted((out / "images").rglob("0031.jpg")))).unlink()
        elif damage == "broken":
            next(iter(sorted((out / "images").rglob("0031.jpg")))).write_bytes(b"none")
        elif damage == "fewer":
            changed(out, lambda kept: kept[0]["conversations"][0].update(value="How far is the lamp?"))
        elif damage == "twice":
            changed(out, lambda kept: kept.__setitem__(1, kept[0]))
        elif damage == "swapped":
            changed(out, lambda kept: kept[0]["conversations"][1].update(value="7.5"))
        else:
            file.unlink()
        errors = chosen.validate(out)
        assert errors and any(said in error for error in errors), (damage, errors)
        assert len(errors) == 1, (damage, errors)


@pytest.mark.parametrize("form", FORMATS)
def test_damage_is_found_in_every_format(form, tmp_path):
    chosen = registry.export_format(form)
    out = written(form, tmp_path / "out")
    changed(out, lambda kept: kept.append(kept[0]))
    assert any("is that of" in error for error in chosen.validate(out))
    ids = pl.read_parquet(out / "ids.parquet")
    for path in (out / "images").rglob("0031.jpg"):
        path.unlink()
    assert any("0031.jpg: not there" in error for error in chosen.validate(out))
    ids.with_columns(answer=pl.col("answer").reverse()).write_parquet(out / "ids.parquet")
    assert any("where ids.parquet has" in error for error in chosen.validate(out))
    (out / "ids.parquet").write_bytes(b"none")
    assert any("ids.parquet" in error for error in chosen.validate(out))
    with pytest.raises(InputError):
        list(chosen.read_back(out))
    assert chosen.validate(tmp_path / "nowhere") != []


@pytest.mark.every(3)
@pytest.mark.parametrize("form", FORMATS)
def test_a_release_goes_through(form, released, tmp_path):
    chosen = registry.export_format(form)
    source = ReleaseRows(released.home, "v1", limit=60)
    export(form, source, tmp_path / "out", Options(ImageMode.LINK, coordinates="as-printed"))
    back = {item["qa_id"]: item for item in chosen.read_back(tmp_path / "out")}
    rows = {
        question.row["qa_id"]: {**question.row, "split": split}
        for split in source.splits
        for question in source.questions(split)
        if form != "grpo" or question.row["format"] != "sentence"
    }
    assert list(back) == list(rows) and len(rows) == (60 if form != "grpo" else len(rows)) > 20
    assert all(back[name] == {column: own[column] for column in chosen.CARRIES} for name, own in rows.items())
    assert chosen.validate(tmp_path / "out") == []


def test_a_format_that_takes_what_is_no_option_is_named(released, tmp_path, monkeypatch):
    monkeypatch.setattr(llava, "TAKES", frozenset({"image-format", "picture-format"}))
    with pytest.raises(TypeError, match="llava: TAKES names 'picture-format', which is no option"):
        export("llava", ReleaseRows(released.home, "v1", limit=5), tmp_path / "out", Options(ImageMode.NONE))
    assert not (tmp_path / "out").exists()


def test_a_convention_that_a_format_does_not_take_or_that_is_none_is_rejected(released, tmp_path):
    source = ReleaseRows(released.home, "v1", limit=5)
    with pytest.raises(ValueError, match="llava does not take --coordinates"):
        export("llava", source, tmp_path / "out", Options(ImageMode.NONE, coordinates="pixels"))
    with pytest.raises(ValueError, match="no way to print coordinates 'inches'"):
        export("qwen-vl", source, tmp_path / "out", Options(ImageMode.NONE, coordinates="inches"))
    assert list(tmp_path.iterdir()) == []
