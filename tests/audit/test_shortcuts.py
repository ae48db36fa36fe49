"""Leaks that were planted are found, fair options pass, few rows are called few, and equal rows give equal bytes."""

from __future__ import annotations

import sys

import asked_rows
import numpy as np
import polars as pl
import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed; run make setup")

from spatial_assets.audit import encodings, intervals, learners, shortcuts
from spatial_assets.audit.rows import Asked, asked
from spatial_assets.audit.verdicts import ALLOWED
from spatial_assets.scene.model import InputError
from spatial_assets.storage import shortcut_table
from spatial_assets.storage.shortcut_table import FAILS, PASSES, REPORTED, TOO_FEW


@pytest.fixture(autouse=True)
def few_trees(monkeypatch):
    """Planted leaks are plain: a few trees find them, sooner."""
    monkeypatch.setattr(learners, "ROUNDS", 20)


def attacked(rows, form="select"):
    """The table of one task by attack."""
    own = [{**row, "space": row["scene"]} for row in rows]
    return {line["attack"]: line for line in shortcuts.attacked(Asked("made_up", form, len(own), own))}


def test_fair_options_pass_every_attack():
    found = attacked(asked_rows.select_rows(asked_rows.fair, scenes=60, each=20))
    assert {name: line["verdict"] for name, line in found.items() if line["barred"]} == dict.fromkeys(
        ("letter", "answer text", "exact guess", "options", "text and options"), PASSES
    )
    assert found["text"]["verdict"] == REPORTED
    assert all(line["over"] < ALLOWED for line in found.values())


@pytest.mark.every(3)
@pytest.mark.parametrize(
    ("draw", "least"),
    [
        (asked_rows.middle, {"options": 0.95, "exact guess": 0.95}),
        (asked_rows.by_category, {"text and options": 0.95, "text": 0.9}),
        (asked_rows.words, {"answer text": 0.4, "options": 0.4}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_planted_leak_is_found(draw, least):
    found = attacked(asked_rows.select_rows(draw, scenes=30, each=20))
    for attack, share in least.items():
        line = found[attack]
        assert line["accuracy"] > share and line["low"] > line["chance"], attack
        assert line["verdict"] == (FAILS if line["barred"] else REPORTED)
    if draw is asked_rows.by_category:
        # The options show nothing of it by themselves.
        assert found["options"]["accuracy"] == pytest.approx(0.25, abs=ALLOWED + 0.02)


@pytest.mark.parametrize(
    "draw", [asked_rows.apart, asked_rows.after_the_missing], ids=lambda draw: draw.__name__
)
def test_what_options_tell_beside_each_other_is_found(draw, monkeypatch):
    """Every thing is right equally often; what stands beside it tells when, and nothing else does."""
    rows = asked_rows.select_rows(draw, scenes=30, each=20)
    found = attacked(rows)
    for attack in ("options", "text and options"):
        assert found[attack]["accuracy"] > 0.95 and found[attack]["verdict"] == FAILS, attack
    by_chance = pytest.approx(0.25, abs=ALLOWED + 0.02)
    for attack in ("answer text", "exact guess", "text"):
        assert found[attack]["accuracy"] == by_chance, attack
    monkeypatch.setattr(encodings, "beside", lambda choices: [])
    assert attacked(rows)["options"]["accuracy"] == by_chance


def test_what_the_number_of_images_tells_is_found():
    """The least number is right of two images, the greatest of three."""
    rows = asked_rows.select_rows(asked_rows.fair, scenes=30, each=20)
    for place, row in enumerate(rows):
        images = 2 + place % 2
        row["frames"] = [{"role": f"frame-{number}", "frame": str(number)} for number in range(images)]
        values = sorted(map(float, row["options"]))
        row["answer"] = "ABCD"[row["options"].index(f"{values[0 if images == 2 else 3]:.1f}")]
    found = attacked(rows)
    assert found["text and options"]["verdict"] == FAILS and found["text and options"]["accuracy"] > 0.9
    assert found["options"]["accuracy"] < 0.6


def test_one_letter_in_all_rows_fails():
    line = attacked(asked_rows.select_rows(asked_rows.fair, scenes=20, each=10, letter=1))["letter"]
    assert (line["detail"], line["verdict"], line["accuracy"]) == ("B", FAILS, 1.0)


def test_few_rows_are_called_few_and_yet_fail_by_what_is_plain():
    fair = attacked(asked_rows.select_rows(asked_rows.fair, scenes=8, each=3))
    assert {line["verdict"] for line in fair.values() if line["barred"]} == {TOO_FEW}
    assert fair["options"]["accuracy"] is None
    plain = attacked(asked_rows.select_rows(asked_rows.middle, scenes=30, each=1))
    assert plain["exact guess"]["verdict"] == FAILS


def test_numbers_are_scored_beside_constants_and_never_fail():
    found = attacked(asked_rows.fill_rows(), "fill")
    assert found["constant per category"]["accuracy"] > 0.9 > 0.5 > found["constant"]["accuracy"]
    assert found["text"]["accuracy"] > 0.8
    assert {line["verdict"] for line in found.values()} == {REPORTED}
    assert {line["measure"] for line in found.values()} == {"MRA"}


def test_yes_and_no_are_options():
    rows = asked_rows.select_rows(asked_rows.fair, scenes=21, each=10)
    for place, row in enumerate(rows):
        row |= {"format": "judge", "options": None, "answer": "Yes" if place % 3 else "No"}
    line = attacked(rows, "judge")["yes or no"]
    assert line["verdict"] == FAILS and line["accuracy"] == pytest.approx(2 / 3, abs=0.01)
    assert line["chance"] == 0.5


def test_rows_with_one_answer_count_once_a_scene():
    rows = asked_rows.select_rows(asked_rows.fair, scenes=20, each=4)
    repeated = [
        *rows,
        *({**row, "qa_id": row["qa_id"][::-1]} for row in rows if row["scene"] == rows[0]["scene"]),
    ]
    assert intervals.weights(repeated).sum() == pytest.approx(len(rows))


def test_counts_of_the_same_objects_in_other_images_are_other_answers():
    rows = asked_rows.select_rows(asked_rows.fair, scenes=20, each=4)
    for row in rows:
        row["value"] = [3.0]
        row["objects"] = [{"role": "instance-1", "instance": 7}]
        row["frames"] = [{"role": "frame-1", "frame": "a"}]
    assert intervals.weights(rows).sum() == pytest.approx(20)
    for place, row in enumerate(rows):
        row["frames"] = [{"role": "frame-1", "frame": str(place % 2)}]
    assert intervals.weights(rows).sum() == pytest.approx(40)


def test_a_scene_is_a_cluster():
    rows = asked_rows.select_rows(asked_rows.fair, scenes=50, each=10)
    scenes = [int(row["scene"][5:9]) for row in rows]
    weight = intervals.weights(rows)
    alone = [float(place % 2) for place in range(len(rows))]
    together = [float(scene % 2) for scene in scenes]
    apart, clustered = (
        intervals.share(np.array(hits), weight, np.array(scenes)) for hits in (alone, together)
    )
    assert clustered.half == pytest.approx(np.subtract(*intervals.wilson(0.5, 50)[::-1]) / 2, rel=0.05)
    assert apart.half < clustered.half / 2.5


def test_the_table_is_the_same_bytes_however_the_rows_lie(tmp_path):
    rows = asked_rows.select_rows(asked_rows.middle, scenes=24, each=12)
    written = []
    for place, shards in enumerate((1, 3)):
        home = tmp_path / str(place)
        asked_rows.write_lake(home, rows, shards)
        table = shortcuts.audit(home, sample=200)
        written.append(shortcut_table.path(home).read_bytes())
        assert table["rows"].unique().to_list() == [200] and table["total"].unique().to_list() == [288]
    assert written[0] == written[1]


def test_a_task_alone_leaves_the_others(tmp_path):
    asked_rows.write_lake(tmp_path, asked_rows.select_rows(asked_rows.fair, scenes=12, each=4))
    asked_rows.write_lake(tmp_path, asked_rows.select_rows(asked_rows.fair, scenes=12, each=4, task="other"))
    before = shortcuts.audit(tmp_path)
    assert set(before["task"]) == {"made_up", "other"}
    assert shortcuts.audit(tmp_path, tasks=["other"]).equals(before)
    with pytest.raises(InputError, match="no rows of a task 'cooking' here; there are made_up, other"):
        list(asked(tmp_path, tasks=["cooking"]))


def test_options_are_cut_from_questions_of_before_stems_stood_by_themselves(tmp_path):
    rows = asked_rows.select_rows(asked_rows.fair, scenes=2, each=2)
    for row in rows:
        del row["stem"]
    frame = pl.DataFrame(rows)
    path = tmp_path / "lake" / "questions" / "made_up" / "shard=made-up-0000" / "data.parquet"
    path.parent.mkdir(parents=True)
    frame.write_parquet(path)
    (group,) = asked(tmp_path)
    assert all(row["stem"].endswith("Choose: ") and "A. " in row["question"] for row in group.rows)


def test_a_release_is_read_from_its_own_files(tmp_path):
    rows = asked_rows.select_rows(asked_rows.fair, scenes=4, each=2)
    folder = tmp_path / "releases" / "v1"
    for split, own in (("train", rows[:6]), ("val", rows[6:])):
        (folder / "data" / split).mkdir(parents=True)
        pl.DataFrame(own).write_parquet(folder / "data" / split / "made_up.parquet")
    with pytest.raises(InputError, match="no release 'v1'"):
        list(asked(tmp_path, "v1"))
    (folder / "manifest.json").write_text("{}")
    (group,) = asked(tmp_path, "v1")
    assert {row["qa_id"] for row in group.rows} == {row["qa_id"] for row in rows}
    assert shortcut_table.path(tmp_path, "v1") != shortcut_table.path(tmp_path)
    with pytest.raises(ValueError, match="only letters"):
        shortcut_table.path(tmp_path, "../v1")


def test_without_the_extra_there_is_one_clear_line(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(
        ValueError, match=r"needs scikit-learn.*run: pip install 'spatial-assets\[audit\]'"
    ) as error:
        shortcuts.audit(tmp_path)
    assert "\n" not in str(error.value)
