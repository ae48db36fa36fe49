"""SpatialMosaic's layouts: readers that work as the released ones do take what is written, and it comes back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from digests import digest
from mosaic_questions import ASKED, BOX, CONVERSATION, FLAT, mosaic_row, mosaic_rows
from PIL import Image
from spar_questions import Handed

from spatial_assets.exports.core.base import ImageMode, Options
from spatial_assets.exports.registry import FORMATS
from spatial_assets.exports.spatialmosaic import layout, spatialmosaic
from spatial_assets.exports.spatialmosaic.records import asked, stem_of
from spatial_assets.scene.model import InputError
from spatial_assets.scoring.run import score_file
from spatial_assets.stages import view_sets

MODES = list(ImageMode)
SPLITS = ("train", "test")


def everything(root: Path, **splits: list[dict[str, Any]]) -> Handed:
    return Handed(splits or {"train": mosaic_rows(), "test": mosaic_rows(scene="scene0002_00")}, root)


def written(source: Handed, out: Path, **options: Any) -> Path:
    out.mkdir()
    spatialmosaic.write(source, out, Options(**options))
    return out


def flat_rows(out: Path) -> list[dict[str, Any]]:
    files = sorted((out / layout.annotation_folder("test")).glob("*.json"))
    return [row for file in files for row in json.loads(file.read_text())]


def conversations(out: Path) -> list[dict[str, Any]]:
    files = sorted((out / layout.annotation_folder("train")).glob("*.json"))
    return [row for file in files for row in json.loads(file.read_text())]


def stacked(root: Path, row: dict[str, Any]) -> np.ndarray:
    """A row's images as evaluator and trainer open them: one root, the scene, the frame and .jpg; then one array."""
    return np.stack(
        [np.asanyarray(Image.open(root / row["scene_name"] / "images" / f"{it}.jpg")) for it in row["frames"]]
    )


def test_it_is_a_format():
    assert "spatialmosaic" in FORMATS


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("shards", [1, 3])
def test_what_is_written_comes_back(tmp_path, mode, shards):
    source = everything(tmp_path / "source")
    out = written(source, tmp_path / "out", images=mode, shards=shards)
    wanted = {
        row["qa_id"]: {name: {**row, "split": split}[name] for name in spatialmosaic.CARRIES}
        for split, rows in source.rows.items()
        for row in rows
    }
    found = list(spatialmosaic.read_back(out))
    assert {row["qa_id"]: row for row in found} == wanted and len(found) == len(wanted)
    assert {"stem", "answer", "options", "frames", "license", "diagnostics"} <= spatialmosaic.CARRIES
    assert spatialmosaic.validate(out) == []
    assert spatialmosaic.examine(out).records == len(wanted)


def test_the_evaluator_and_the_trainer_find_all_images_and_can_stack_them(tmp_path):
    out = written(everything(tmp_path / "source"), tmp_path / "out")
    for row in (*flat_rows(out), *conversations(out)):
        images = stacked(out / "scannet", row)
        assert images.shape == (len(row["frames"]), 48, 64, 3)


def test_every_type_of_our_own_truths_gets_full_marks_from_the_evaluators_rules(tmp_path):
    out = written(everything(tmp_path / "source"), tmp_path / "out", images=ImageMode.NONE)
    file = tmp_path / "answers.jsonl"
    lines = [
        json.dumps(
            {**row, "prediction": row["mc_answer"] if row["source"]["options"] else row["ground_truth"]}
        )
        for row in flat_rows(out)
    ]
    file.write_text("\n".join(lines))
    for profile in ("official", "strict"):
        _, summary = score_file("spatialmosaic", file, profile)
        assert summary["errors"] == 0 and summary["overall"] == 1.0
        types = summary["tasks"] if profile == "official" else summary["question_types"]
        assert types == dict.fromkeys(layout.TYPES, 1.0)
    assert len(layout.TYPES) == 17


def test_a_wrong_answer_gets_none(tmp_path):
    out = written(everything(tmp_path / "source"), tmp_path / "out", images=ImageMode.NONE)
    file = tmp_path / "answers.jsonl"
    file.write_text("\n".join(json.dumps({**row, "prediction": "Z"}) for row in flat_rows(out)))
    _, summary = score_file("spatialmosaic", file, "official")
    assert summary["overall"] == 0.0 and summary["errors"] == 0


def test_a_flat_row_has_the_published_fields_in_their_order_and_types(tmp_path):
    source = everything(tmp_path / "source")
    out = written(source, tmp_path / "out", images=ImageMode.NONE)
    stems = {row["qa_id"]: row["stem"] for row in source.rows["test"]}
    for row in flat_rows(out):
        assert list(row) == [*FLAT, "source"]
        for name, value in FLAT.items():
            if row[name] is not None:
                assert type(row[name]) is type(value), name
        assert isinstance(row["overlap_avg"], float)
        boxed = "localization" in row["question_type"]
        assert row["bbox_2d"] == (BOX if boxed else [])
        assert row["bbox_2d_diag"] == ("38.418745" if boxed else "0")
        assert row["question"] == stems[row["source"]["qa_id"]]
        if row["mc_answer"] is not None:
            assert f"{row['mc_answer']}. {row['ground_truth']}" in row["options"]


def test_a_conversation_has_the_published_fields_and_the_published_text_around_the_question(tmp_path):
    out = written(everything(tmp_path / "source"), tmp_path / "out", images=ImageMode.NONE)
    for row in conversations(out):
        assert list(row) == [*CONVERSATION, "source"]
        assert row["id"].replace("-", "") == row["source"]["qa_id"]
        human, _ = row["conversations"]
        assert human["value"].count("<image>") == 1
    options = ASKED.split("Options:\n")[1].split("\n")[:4]
    stem = (
        "In frame_009770, where does the heater appear in this view relative to the cardboard box(217,122)?"
    )
    assert asked("obj_spatial_occ_fb", stem, options) == ASKED
    assert stem_of("obj_spatial_occ_fb", ASKED, options) == stem
    with pytest.raises(ValueError, match="another text"):
        stem_of("obj_spatial_occ_fb", ASKED[1:], options)


def test_ids_are_the_questions_own(tmp_path):
    """Of another order, split and company a question has the same id; no two share one."""
    rows = mosaic_rows()
    one = written(everything(tmp_path / "source", test=rows), tmp_path / "one", images=ImageMode.NONE)
    two = written(everything(tmp_path / "source", val=rows[::-2]), tmp_path / "two", images=ImageMode.NONE)
    first, second = ({row["source"]["qa_id"]: row["id"] for row in flat_rows(out)} for out in (one, two))
    assert len(set(first.values())) == len(rows) and second.items() <= first.items()
    assert all(0 <= name < 2**63 for name in first.values())


def test_a_release_that_is_not_split_is_written_in_both_layouts_and_comes_back_once(tmp_path):
    rows = mosaic_rows()
    out = written(everything(tmp_path / "source", all=rows), tmp_path / "out")
    assert len(flat_rows(out)) == len(conversations(out)) == len(rows)
    assert sorted(row["qa_id"] for row in spatialmosaic.read_back(out)) == sorted(
        row["qa_id"] for row in rows
    )
    told = json.loads((out / "levels.json").read_text())["levels"]
    assert all(sum(level["questions"].values()) == len(rows) for level in told.values())


@pytest.mark.parametrize("mode", MODES)
def test_equal_questions_give_equal_bytes(tmp_path, mode):
    source = everything(tmp_path / "source")
    made = [written(source, tmp_path / name, images=mode, shards=2) for name in ("one", "two")]
    assert digest(made[0]) == digest(made[1]) and digest(made[0])


def test_images_are_linked_copied_or_left_out(tmp_path):
    source = everything(tmp_path / "source")
    outs = {mode: written(source, tmp_path / mode, images=mode) for mode in MODES}
    links = sorted(outs[ImageMode.LINK].rglob("*.jpg"))
    assert len(links) > 10 and all(path.is_symlink() and path.exists() for path in links)
    copies = sorted(outs[ImageMode.COPY].rglob("*.jpg"))
    assert [path.read_bytes() for path in copies] == [path.read_bytes() for path in links]
    assert not any(path.is_symlink() for path in copies)
    assert not list(outs[ImageMode.NONE].rglob("*.jpg"))
    notes = spatialmosaic.examine(outs[ImageMode.NONE]).notes
    assert notes and all("no images of scannet" in note for note in notes)


def test_what_is_no_jpeg_is_made_one(tmp_path):
    """The released readers look for `.jpg` alone."""
    rows = [mosaic_row("obj_count_occ", 0)]
    source = everything(tmp_path / "source", test=rows)

    class Pngs(Handed):
        def questions(self, split, columns=()):
            for question in super().questions(split):
                shots = []
                for shot in question.shots:
                    image = shot.image.replace(".jpg", ".png")
                    pixels = np.random.default_rng(3).integers(0, 255, (48, 64, 4), np.uint8)
                    Image.fromarray(pixels).save(shot.root / image)
                    shots.append(type(shot)(shot.role, shot.frame, image, shot.root, shot.marks))
                yield type(question)(question.row, question.split, tuple(shots))

    out = written(Pngs(source.rows, source.root), tmp_path / "out")
    for path in out.rglob("*.jpg"):
        with Image.open(path) as image:
            assert (image.format, image.mode) == ("JPEG", "RGB") and not path.is_symlink()
    assert spatialmosaic.validate(out) == []


def test_levels_are_told_by_their_borders(tmp_path):
    occlusion, overlap = layout.levels()["occ_level"], layout.levels()["overlap_level"]
    assert [len(level.names) for level in layout.levels().values()] == [4, 3, 2, 2]
    assert [overlap.name(value) for value in (3.95, 9.99, 10.0, 20.0, 29.0)] == [
        "high",
        "high",
        "medium",
        "low",
        "low",
    ]
    assert occlusion.name(0.0) == "low" and occlusion.name(None) is None
    assert [occlusion.name(value) for value in occlusion.borders] == list(occlusion.names[1:])
    assert layout.levels()["vis_level"].name("full") == "Fully Visible"
    assert layout.levels()["GT Scenario"].name(1.0) == "Full Coverage"
    own = view_sets.Parameters()
    assert list(overlap.borders) == [100 * border for border in own.levels]
    for field, level in layout.levels().items():
        assert FLAT[field] in level.published and set(level.published) <= set(level.names)


def test_the_sample_s_levels_are_those_that_its_values_have_here():
    assert layout.levels()["occ_level"].name(FLAT["occlusion_avg"]) == FLAT["occ_level"]
    assert layout.levels()["overlap_level"].name(FLAT["overlap_avg"]) == FLAT["overlap_level"]


def test_the_card_says_what_levels_mean_and_counts_them(tmp_path):
    out = written(everything(tmp_path / "source"), tmp_path / "out", images=ImageMode.NONE)
    told = json.loads((out / "levels.json").read_text())["levels"]
    card = (out / "README.md").read_text()
    assert "looks inverted" in told["overlap_level"]["means"] and told["overlap_level"]["means"] in card
    for name, level in told.items():
        assert f"`{name}`" in card
        assert set(level["published"]) | set(level["named_here"]) == set(level["names"])
    assert sum(told["occ_level"]["questions"].values()) == 2 * len(mosaic_rows())
    assert told["occ_level"]["questions"]["unknown"] == 2 * len(layout.TYPES)
    for task in layout.TYPES:
        assert f"| {task} | 4 | 4 |" in card


@pytest.mark.parametrize(
    ("task", "changed", "why"),
    [
        ("depth_prediction_oc", {}, "none of SpatialMosaic's types"),
        ("obj_count_occ", {"options": None, "format": "fill"}, "is not how SpatialMosaic asks it"),
        ("obj_count_occ_na", {"options": ["1", "2"]}, "is not how SpatialMosaic asks it"),
        ("obj_count_occ", {"diagnostics": None}, "has no diagnostics"),
        ("obj_count_occ", {"marks": [{"frame": "0"}]}, "has marks"),
        ("obj_count_occ", {"stem": "What is <image>?"}, "stands for the images"),
        ("obj_count_occ_na", {"answer": "0"}, "no number above 0"),
        ("obj_count_occ_na", {"answer": "several"}, "no number above 0"),
        ("obj_localization_occ_na", {"answer": "there"}, "no point"),
        ("obj_count_occ", {"answer": "E"}, "letter of none"),
        ("obj_count_occ", {"answer": "b"}, "letter of none"),
        ("obj_count_occ", {"answer": ""}, "letter of none"),
        ("obj_count_occ_na", {"answer": "nan"}, "no number above 0"),
    ],
)
@pytest.mark.parametrize("split", SPLITS)
def test_what_the_layouts_cannot_hold_names_its_row(tmp_path, task, changed, why, split):
    row = mosaic_row(task, 2, **changed)
    source = everything(tmp_path / "source", **{split: [row]})
    with pytest.raises(InputError, match=why) as error:
        written(source, tmp_path / "out", images=ImageMode.NONE)
    assert row["qa_id"] in str(error.value)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("name", ["overlap_avg", "occlusion_avg", "coverage"])
@pytest.mark.parametrize("split", SPLITS)
def test_diagnostics_that_are_no_numbers_name_their_row(tmp_path, name, value, split):
    row = mosaic_row("obj_count_occ", 2)
    row["diagnostics"] = {**row["diagnostics"], name: value}
    source = everything(tmp_path / "source", **{split: [row]})
    with pytest.raises(InputError, match=f"{name} of its diagnostics is {value}") as error:
        written(source, tmp_path / "out", images=ImageMode.NONE)
    assert row["qa_id"] in str(error.value)


def test_a_point_without_a_box_could_not_be_scored(tmp_path):
    row = mosaic_row(layout.POINT, 2)
    row["diagnostics"] = {**row["diagnostics"], "box": None}
    with pytest.raises(InputError, match="no box"):
        written(everything(tmp_path / "source", test=[row]), tmp_path / "out", images=ImageMode.NONE)


@pytest.mark.parametrize("mode", MODES)
def test_a_scene_of_two_versions_has_no_place_for_both(tmp_path, mode):
    rows = [mosaic_row("obj_count_occ", 0), mosaic_row("obj_count_occ", 1, release="v3")]
    with pytest.raises(InputError, match="v2 and v3"):
        written(everything(tmp_path / "source", test=rows), tmp_path / "out", images=mode)


def test_names_that_are_no_file_names_do_not_leave_the_tree(tmp_path):
    row = mosaic_row("obj_count_occ", 0)
    row["frames"] = [
        {"role": f"frame-{place}", "frame": name} for place, name in enumerate(("../up", "p@90"))
    ]
    source = everything(tmp_path / "source", test=[{**row, "scene": "house/1"}])
    out = tmp_path / "out"
    written(source, out)
    assert spatialmosaic.validate(out) == []
    assert {path.parent for path in out.rglob("*.jpg")} == {out / "scannet/house%2F1/images"}
    (back,) = spatialmosaic.read_back(out)
    assert back["scene"] == "house/1" and back["frames"] == row["frames"]


@pytest.mark.parametrize(
    "content", ["[1]", "[{}]", '[{"source": {}}]', '[{"conversations": 3}]', "{}", "[null]"]
)
def test_only_what_this_wrote_is_read_back(tmp_path, content):
    file = tmp_path / "file.json"
    file.write_text(content)
    with pytest.raises(InputError, match=r"file\.json"):
        list(spatialmosaic.read_back(file))
    with pytest.raises(InputError):
        list(spatialmosaic.read_back(tmp_path / "nowhere"))
