"""A task folder of lmms-eval: it comes back, it stands alone, and its scores are those of `spatial-assets score`."""

from __future__ import annotations

import importlib.util
import json
import math
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy
import PIL
import polars as pl
import pytest
import release_rows
from chat_cases import VIDEO, MadeSource
from digests import digest
from scored_cases import responses, rows, scored_rows

from spatial_assets.exports.core.base import ImageMode, Options
from spatial_assets.exports.core.printed_coordinates import profile, rendered
from spatial_assets.exports.core.source import ReleaseRows
from spatial_assets.exports.evaluators import lmms_eval
from spatial_assets.exports.evaluators.lmms_eval_task import SHOWN
from spatial_assets.exports.run import export
from spatial_assets.scene.model import InputError
from spatial_assets.scoring.run import score_file

MODES = [ImageMode.NONE, ImageMode.COPY, ImageMode.DRAW]
FIRST = 6


def written(folder, images=ImageMode.COPY, own=None, **options):
    own = rows() if own is None else own
    source = MadeSource(folder.parent / "source", train=own[:FIRST], val=own[FIRST:])
    folder.mkdir(parents=True)
    made = lmms_eval.write(source, folder, Options(images, **options))
    assert sum(made.values()) == len([one for one in own if one["format"] != "sentence"])
    return folder


def utils_of(folder):
    """`utils.py` as lmms-eval loads it: by its file, under no package."""
    spec = importlib.util.spec_from_file_location("utils", folder / "utils.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def docs(folder, *splits):
    return [own for split in splits for _, own in lmms_eval.documents(folder / "data" / f"{split}.parquet")]


@pytest.mark.every(3)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("how", ["as-printed", "qwen2.5"])
def test_what_is_written_comes_back(tmp_path, mode, how):
    out = written(tmp_path / "out", mode, coordinates=how)
    wanted = []
    for number, own in enumerate(rows()):
        if own["format"] == "sentence":
            continue
        texts = rendered(own, profile(how))
        whole = {**own, **texts, "split": "train" if number < FIRST else "val"}
        wanted.append({name: whole[name] for name in lmms_eval.CARRIES})
    assert list(lmms_eval.read_back(out)) == wanted
    assert lmms_eval.validate(out) == []
    assert {"qa_id", "question", "answer", "options", "split", "frames", "license"} <= lmms_eval.CARRIES


def test_shards_hold_the_same_and_equal_rows_give_equal_bytes(tmp_path):
    whole, again = written(tmp_path / "a/out"), written(tmp_path / "b/out")
    assert digest(whole) == digest(again)
    parts = written(tmp_path / "c/out", shards=3)
    assert list(lmms_eval.read_back(parts)) == list(lmms_eval.read_back(whole))
    assert len(list(parts.glob("data/*.parquet"))) == 6 and lmms_eval.validate(parts) == []


def test_the_yaml_names_files_and_functions_that_are_there(tmp_path):
    out = written(tmp_path / "out", shards=2)
    utils = utils_of(out)
    found = {file.stem: file.read_text(encoding="utf-8") for file in out.glob("*.yaml")}
    assert set(found) == {
        "spatial_assets_train", "spatial_assets_val",
        "spatial_assets_val_sparbench", "spatial_assets_val_spatialmosaic",
    }  # fmt: skip
    for text in found.values():
        for name in re.findall(r"!function utils\.(\w+)", text):
            assert callable(getattr(utils, name))
        for file in re.findall(r'- "(data/[^"]+)"', text):
            assert (out / file).is_file()
        assert "until: []" in text


def test_images_texts_and_targets(tmp_path):
    out = written(tmp_path / "out")
    utils = utils_of(out)
    (video,) = (doc for doc in docs(out, "train") if doc["question"].startswith("What does the video"))
    assert [image.mode for image in utils.doc_to_visual(video)] == ["RGB"] * VIDEO
    for doc, own in zip(docs(out, "train", "val"), scored_rows(), strict=True):
        assert utils.doc_to_text(doc) == utils.doc_to_text(doc, {}) == own["question"]
        assert utils.doc_to_target(doc) == own["answer"] and len(utils.doc_to_visual(doc)) == len(
            own["frames"]
        )


def scores(utils, name, answered):
    """What lmms-eval makes of responses: results of each document by metric, then each metric's aggregation."""
    items = {}
    for doc, said in answered:
        for metric, item in getattr(utils, f"process_{name}")(doc, [said]).items():
            items.setdefault(metric, []).append(item)
    return {metric: utils.aggregate(own) for metric, own in items.items()}


def same(found, wanted):
    return math.isnan(found) if wanted is None else found == wanted


def compare(utils, name, answered, tmp_path):
    """Both, by every profile, task and level; returns how many numbers were compared."""
    file = tmp_path / f"{name}.jsonl"
    lines = (
        {**doc, "id": f"{doc['id']}-{at}", "prediction": said} for at, (doc, said) in enumerate(answered)
    )
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    found, compared = scores(utils, name, answered), 0
    for which in SHOWN:
        _, summary = score_file(name, file, which)
        assert same(found[f"{which}_overall"], summary["overall"])
        for task, wanted in summary["tasks"].items():
            assert same(found[f"{which}_{task}"], wanted), (which, task)
        for level, wanted in summary["levels"].items():
            if f"{which}_level_{level}" in found:
                assert same(found[f"{which}_level_{level}"], wanted), (which, level)
        compared += 1 + len(summary["tasks"])
    return compared


@pytest.mark.parametrize("how", ["as-printed", "0-1"])
def test_scores_are_those_of_the_score_command(tmp_path, how):
    out = written(tmp_path / "out", ImageMode.NONE, coordinates=how)
    utils = utils_of(out)
    found = docs(out, "train", "val")
    assert {doc["reward"] for doc in found} == {"accuracy", "mra", "point", "box", "relation", "view_change"}
    assert compare(utils, "release", list(responses(found)), tmp_path) > 25
    for name in ("sparbench", "spatialmosaic"):
        own = [doc for doc in found if name in doc["benchmarks"]]
        assert len(own) >= 2 and compare(utils, name, list(responses(own)), tmp_path) > 5


@pytest.mark.prove
def test_scores_of_a_whole_benchmark_are_those_of_the_score_command(bench, tmp_path):
    out = tmp_path / "out"
    export("lmms-eval", ReleaseRows(bench.home, "v1", limit=900), out, Options(ImageMode.NONE))
    assert lmms_eval.validate(out) == []
    utils = utils_of(out)
    (split,) = [file.stem for file in out.glob("data/*.parquet")][:1]
    own = [doc for doc in docs(out, split) if "sparbench" in doc["benchmarks"]]
    assert len({doc["task"] for doc in own}) >= 15
    answered = [(doc, said) for number, (doc, said) in enumerate(responses(own)) if number % 7 == 0]
    assert compare(utils, "sparbench", answered, tmp_path) > 30
    assert compare(utils, "release", answered, tmp_path) > 30


def test_the_folder_stands_alone(tmp_path):
    """Without this project on the path, and beside another export of the same."""
    out = written(tmp_path / "out", ImageMode.NONE)
    script = (
        "import sys, importlib.util\n"
        "assert importlib.util.find_spec('spatial_assets') is None\n"
        f"spec = importlib.util.spec_from_file_location('utils', {str(out / 'utils.py')!r})\n"
        "utils = importlib.util.module_from_spec(spec)\nspec.loader.exec_module(utils)\n"
        "doc = dict(id='1', task='t', ground_truth='B', reward='accuracy', choices=['x', 'y'], unit=None,"
        " tolerance=None)\n"
        "found = utils.process_release(doc, ['The answer is B.'])\n"
        "print(utils.aggregate([found['strict_overall']]), utils.aggregate([found['official_overall']]))\n"
        "print(*sorted(name for name in sys.modules if name.startswith('spatial_assets.')))\n"
    )
    shared = tmp_path / "packages"
    shared.mkdir()
    for module in (numpy, PIL):
        folder = Path(module.__file__).parent
        for beside in (folder, folder.with_name(f"{folder.name}.libs")):
            if beside.is_dir():
                (shared / beside.name).symlink_to(beside)
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.append({str(shared)!r})\n{script}"],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert done.stdout.split("\n")[:2] == ["1.0 0.0", ""], done.stderr


def test_each_damage_is_one_line(tmp_path):
    whole = written(tmp_path / "out")
    data = "data/train.parquet"
    (package,) = (folder.name for folder in whole.glob("spatial_assets_scorer_*"))
    expected = {
        "cut": f"{data}: cannot be read as Parquet", "removed": "0031.jpg: not there",
        "swapped": "where ids.parquet has",
        "short": "ends after 5 of 6 questions", "twice": "is that of", "gone": f"{data} is not there",
        "scorer": f"{package}: its modules are not those", "utils": "utils.py: not there",
        "function": "utils.py has no process_release",
    }  # fmt: skip
    for damage, said in expected.items():
        out = tmp_path / damage
        shutil.copytree(whole, out)
        file = out / data
        table = pl.read_parquet(file)
        if damage == "cut":
            file.write_bytes(file.read_bytes()[:-40])
        elif damage == "removed":
            next(iter(sorted((out / "images").rglob("0031.jpg")))).unlink()
        elif damage == "swapped":
            first = pl.int_range(pl.len()) == 0
            table.with_columns(
                ground_truth=pl.when(first).then(pl.lit("7")).otherwise("ground_truth")
            ).write_parquet(file)
        elif damage == "short":
            table.head(5).write_parquet(file)
        elif damage == "twice":
            pl.concat([table.head(1), table.head(1), table.slice(2)]).write_parquet(file)
        elif damage == "gone":
            file.unlink()
        elif damage == "scorer":
            with (out / package / "kinds.py").open("a", encoding="utf-8") as module:
                module.write("# changed\n")
        elif damage == "utils":
            (out / "utils.py").unlink()
        else:
            text = (out / "utils.py").read_text(encoding="utf-8")
            (out / "utils.py").write_text(text.replace("def process_release", "def other"), encoding="utf-8")
        errors = lmms_eval.validate(out)
        assert errors and any(said in error for error in errors), (damage, errors)
    with pytest.raises(InputError):
        list(lmms_eval.read_back(tmp_path / "cut"))


def test_a_release_goes_through_and_says_how_it_is_run(released, tmp_path):
    source = ReleaseRows(released.home, "v1", limit=60)
    made = export("lmms-eval", source, tmp_path / "out", Options(ImageMode.LINK))
    back = {item["qa_id"]: item for item in lmms_eval.read_back(tmp_path / "out")}
    wanted = release_rows.scored(source)
    assert list(back) == list(wanted) and made.rows == len(wanted) > 20
    assert all(
        back[name] == {column: own[column] for column in lmms_eval.CARRIES} for name, own in wanted.items()
    )
    assert lmms_eval.validate(tmp_path / "out") == []
    assert "--tasks spatial_assets_v1_train," in made.told[0]


@pytest.mark.parametrize("where", ["question", "answer"])
def test_a_tag_in_a_text_is_rejected(tmp_path, where):
    bad = rows()[0] | {where: "What is <image> for?"}
    with pytest.raises(InputError, match=f"{bad['qa_id']}.*<image>"):
        written(tmp_path / "out", ImageMode.NONE, [bad])
