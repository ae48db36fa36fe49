"""VLMEvalKit's tables: its own reading of them, by its rules; what comes back; scores of what it writes; damage."""

from __future__ import annotations

import ast
import base64
import hashlib
import io
import json
import shutil

import pandas
import pytest
import release_rows
from chat_cases import HEIGHT, VIDEO, WIDTH, MadeSource, row
from digests import digest
from PIL import Image
from scored_cases import SAID, rows

from spatial_assets.evaluation.reading import log_rows
from spatial_assets.exports.core.base import ImageMode, Options
from spatial_assets.exports.core.printed_coordinates import profile, rendered
from spatial_assets.exports.core.source import ReleaseRows
from spatial_assets.exports.evaluators import vlmevalkit
from spatial_assets.exports.evaluators.vlmevalkit_check import MISSING, prompt_of, read_table
from spatial_assets.exports.run import export
from spatial_assets.scene.model import InputError
from spatial_assets.scoring.run import score_rows

MODES = [ImageMode.LINK, ImageMode.COPY, ImageMode.DRAW]
FIRST = 6


def kept():
    return [
        (own, "train" if number < FIRST else "val")
        for number, own in enumerate(rows())
        if own["format"] != "sentence" and own["frames"]
    ]


def written(folder, images=ImageMode.COPY, own=None, **options):
    own = rows() if own is None else own
    source = MadeSource(folder.parent / "source", train=own[:FIRST], val=own[FIRST:])
    folder.mkdir(parents=True)
    vlmevalkit.write(source, folder, Options(images, **options))
    return folder


def loaded(file):
    """A table as VLMEvalKit's data set of images holds it: by pandas, images by their indices, lists taken apart."""
    data = pandas.read_csv(file, sep="\t")
    if "image" in data:
        data = data[~pandas.isna(data["image"])]
    data["index"] = [str(index) for index in data["index"]]
    assert len(set(data["index"])) == len(data)
    apart = lambda cell: ast.literal_eval(cell) if cell[0] == "[" and cell[-1] == "]" else [cell]  # noqa: E731
    if "image" in data:
        images = dict(zip(data["index"], map(str, data["image"]), strict=True))
        for index, cell in images.items():
            if len(cell) <= 64:
                assert len(images[cell]) > 64
                images[index] = images[cell]
        data["image"] = [apart(images[index]) for index in data["index"]]
    data["image_path"] = [apart(cell) for cell in data["image_path"]]
    return data


def asked(line):
    """The text of its class for choices, or of that for free answers where a table has no options."""
    letters = [letter for letter in "ABCDEFGH" if letter in line]
    if not letters:
        return line["question"]
    options = "".join(f"{letter}. {line[letter]}\n" for letter in letters if not pandas.isna(line[letter]))
    last = "Please select the correct answer from the options above. \n"
    return f"Question: {line['question']}\nOptions:\n{options}{last}"


@pytest.mark.parametrize("mode", MODES)
def test_it_reads_texts_images_and_options(mode, tmp_path, monkeypatch):
    out = written(tmp_path / "out", mode)
    monkeypatch.chdir(out)
    whole = pandas.concat(
        [loaded(out / f"spatial_assets_{split}_openended.tsv") for split in ("train", "val")]
    )
    assert len(whole) == len(kept()) and (out / "images").exists() == (mode == ImageMode.LINK)
    for (own, split), (_, line) in zip(kept(), whole.iterrows(), strict=True):
        assert (asked(line), line["split"], line["category"]) == (own["question"], split, own["task"])
        assert str(line["answer"]) == own["answer"]
        assert len(line["image_path"]) == len(own["frames"])
        pictures = (
            [Image.open(path) for path in line["image_path"]]
            if mode == ImageMode.LINK
            else [Image.open(io.BytesIO(base64.b64decode(text))) for text in line["image"]]
        )
        assert [picture.size for picture in pictures] == [(WIDTH, HEIGHT)] * len(own["frames"])
        assert all("/" not in path for path in line["image_path"]) or mode == ImageMode.LINK
    choices = pandas.concat([loaded(out / f"spatial_assets_{split}_MCQ.tsv") for split in ("train", "val")])
    wanted = [own for own, _ in kept() if own["options"]]
    for own, (_, line) in zip(wanted, choices.iterrows(), strict=True):
        text = "".join(
            f"{letter}. {option}\n" for letter, option in zip("ABCD", own["options"], strict=False)
        )
        assert f"Question: {own['stem']}\nOptions:\n{text}Please" in asked(line)
        assert line["answer"] == own["answer"] and set(choices["index"]) < set(whole["index"])


def test_the_project_asks_what_it_asks(tmp_path):
    out = written(tmp_path / "out")
    for file in sorted(out.glob("*.tsv")):
        for (_, ours), (_, theirs) in zip(read_table(file), loaded(file).iterrows(), strict=True):
            assert prompt_of(ours) == asked(theirs)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("how", ["as-printed", "pixels"])
def test_what_is_written_comes_back(tmp_path, mode, how):
    out = written(tmp_path / "out", mode, coordinates=how)
    wanted = []
    for own, split in kept():
        whole = {**own, **rendered(own, profile(how)), "split": split}
        wanted.append({name: whole[name] for name in vlmevalkit.CARRIES})
    assert list(vlmevalkit.read_back(out)) == wanted
    assert vlmevalkit.validate(out) == []
    sums = json.loads((out / "md5.json").read_text())
    assert sums == {
        file.name: hashlib.md5(file.read_bytes()).hexdigest() for file in sorted(out.glob("*.tsv"))
    }


def test_equal_rows_give_equal_bytes_and_shared_images_stand_once(tmp_path):
    one, other = written(tmp_path / "a/out"), written(tmp_path / "b/out")
    assert digest(one) == digest(other)
    cells = [record["image"] for _, record in read_table(one / "spatial_assets_val_openended.tsv")]
    assert len([cell for cell in cells if len(cell) > 64]) == len(
        set(cells) - {c for c in cells if len(c) <= 64}
    )
    assert any(len(cell) <= 64 for cell in cells)
    (video,) = (
        r
        for _, r in read_table(one / "spatial_assets_train_openended.tsv")
        if r["question"].startswith("What does")
    )
    assert len(ast.literal_eval(video["image"])) == VIDEO


def test_scores_of_what_it_writes_are_those_of_the_rows(tmp_path):
    """Its file of predictions has a table's columns but the image, and the response."""
    out = written(tmp_path / "out")
    data = loaded(out / "spatial_assets_val_openended.tsv").drop(columns="image")
    said = [SAID[place % len(SAID)].replace("{}", str(truth)) for place, truth in enumerate(data["answer"])]
    file = tmp_path / "model_spatial_assets_val_openended.tsv"
    data.assign(prediction=said, image_path=[str(paths) for paths in data["image_path"]]).to_csv(
        file, sep="\t", index=False
    )
    frame = [record for _, record in read_table(out / "spatial_assets_val_openended.tsv")]
    plain = [
        {
            "task": record["category"], "ground_truth": record["answer"], "prediction": text,
            "choices": json.loads(record["choices"]) if record["choices"] else None,
            **{name: record[name] or None for name in ("reward", "unit", "tolerance")},
        }
        for record, text in zip(frame, said, strict=True)
    ]  # fmt: skip
    for which in ("strict", "official"):
        logged = log_rows("release", file, which)
        _, found = score_rows("release", logged, which)
        _, wanted = score_rows("release", plain, which)
        assert found["tasks"] == wanted["tasks"] and found["overall"] == wanted["overall"]
    assert len(wanted["tasks"]) > 10 and 0 < wanted["overall"] < 1


@pytest.mark.parametrize("text", sorted(MISSING - {""}))
def test_what_pandas_takes_for_nothing_is_rejected(tmp_path, text):
    """And it is what pandas takes for nothing."""
    assert pandas.read_csv(io.StringIO(f'a\tb\n"{text}"\t"x"\n'), sep="\t")["a"].isna().all()
    bad = row(99, "Which?", "A", format="select", options=[text, "lamp"])
    with pytest.raises(InputError, match=bad["qa_id"]):
        written(tmp_path / "out", own=[bad])


def test_images_are_needed(tmp_path):
    with pytest.raises(ValueError, match="--images none is not for it"):
        written(tmp_path / "out", ImageMode.NONE)


def changed(file, change):
    data = pandas.read_csv(file, sep="\t", dtype=str, keep_default_na=False)
    change(data).to_csv(file, sep="\t", index=False)


def test_each_damage_is_told(tmp_path):
    whole = written(tmp_path / "out")
    name = "spatial_assets_val_openended.tsv"

    def swapped(data):
        data.loc[0, "answer"], data.loc[1, "answer"] = data.loc[1, "answer"], data.loc[0, "answer"]
        return data

    changes = {
        "swapped": (swapped, "answers"),
        "short": (lambda data: data.iloc[:-1], "ends after"),
        "twice": (lambda data: data.assign(index=["0"] * len(data)), "is that of row 1"),
        "odd index": (lambda data: data.assign(index=[f"q{i}" for i in data["index"]]), "is no whole number"),
        "no image": (lambda data: data.assign(image=[""] * len(data)), "has no image"),
        "broken image": (lambda data: data.assign(image=["A" * 80] * len(data)), "no base64 of an image"),
        "another's image": (lambda data: data.assign(image=["77"] * len(data)), "which no earlier row has"),
        "no question": (lambda data: data.assign(question=["None"] * len(data)), "question is empty"),
        "no column": (lambda data: data.drop(columns="answer"), "no column answer"),
    }
    for damage, (change, said) in changes.items():
        out = tmp_path / damage
        shutil.copytree(whole, out)
        changed(out / name, change)
        errors = vlmevalkit.validate(out)
        assert any(said in error for error in errors), (damage, errors)
        assert any("its MD5 is" in error for error in errors)
    for damage, said in (
        ("cut", "no table"),
        ("gone", f"{name}: not there"),
        ("letter", "is the letter of no option"),
    ):
        out = tmp_path / damage
        shutil.copytree(whole, out)
        if damage == "cut":
            data = (out / name).read_bytes()
            (out / name).write_bytes(data[: data.rindex(b'"')])
        elif damage == "gone":
            (out / name).unlink()
        else:
            changed(out / "spatial_assets_val_MCQ.tsv", lambda data: data.assign(answer=["F"] * len(data)))
        errors = vlmevalkit.validate(out)
        assert any(said in error for error in errors), (damage, errors)
    with pytest.raises(InputError):
        list(vlmevalkit.read_back(tmp_path / "cut"))
    assert vlmevalkit.validate(tmp_path / "nowhere") != []


def test_removed_images_are_found_where_a_table_has_paths(tmp_path):
    out = written(tmp_path / "out", ImageMode.LINK)
    next(iter(sorted((out / "images").rglob("0031.jpg")))).unlink()
    assert [error for error in vlmevalkit.validate(out) if "0031.jpg" in error and "not there" in error]


def test_a_release_goes_through(released, tmp_path):
    source = ReleaseRows(released.home, "v1", limit=60)
    made = export("vlmevalkit", source, tmp_path / "out", Options(ImageMode.DRAW))
    back = {item["qa_id"]: item for item in vlmevalkit.read_back(tmp_path / "out")}
    wanted = release_rows.scored(source)
    assert list(back) == list(wanted) and made.rows == len(wanted) > 20
    assert all(
        back[name] == {column: own[column] for column in vlmevalkit.CARRIES} for name, own in wanted.items()
    )
    assert vlmevalkit.validate(tmp_path / "out") == []
    assert "--data spatial_assets_v1_train" in made.told[0]
