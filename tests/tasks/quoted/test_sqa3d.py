"""Questions of SQA3D: the situation and the question, word for word, joined to their annotations by id."""

from __future__ import annotations

import lakes
import pytest
import quoted_files
import tiny

from spatial_assets.lineage import planning
from spatial_assets.stages import pipeline

TASK = "sqa3d"
SCENES = ("scene0000_00", "scene0001_00")


def truth(scene, row):
    """Nothing of it is measured."""
    return []


def printed(scene, row):
    return quoted_files.expected(row)[0]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    base = tmp_path_factory.mktemp("situated")
    for seed, name in enumerate(SCENES):
        tiny.write_scannet(base / "scans", name, frames=16, seed=seed)
    quoted_files.write(base / "scans", SCENES)
    lakes.register(base / "home", "scannet", base / "scans")
    lakes.build(base / "home", stages=tuple(planning.needed_for(pipeline.STAGES, (TASK,))))
    return base / "home"


def test_every_question_has_its_own_situation_and_answers(home):
    rows = lakes.rows(home, f"questions/{TASK}").to_dicts()
    asked, _ = quoted_files.sqa3d(SCENES, 4)
    assert sorted(row["stem"] for row in rows) == sorted(
        f"{entry['situation']} {' '.join(entry['question'].split())}" for entry in asked["questions"]
    )
    for row in rows:
        assert row["answers"] == quoted_files.expected(row) and row["answer"] == printed(None, row)
        assert row["value"] == truth(None, row) and row["format"] == "fill"
        assert row["license"].endswith("; SQA3D: CC BY 4.0 (SQA3D questions and answers)")


def test_the_table_says_which_file_it_is_from(home):
    quoted = lakes.rows(home, "quoted_questions")
    files = {row["path"]: row for row in lakes.rows(home, "sources").filter(role="questions").to_dicts()}
    assert set(quoted["path"]) <= set(files) and len(files) == 6
    assert set(quoted.filter(collection="SQA3D", split="train")["path"]) == {
        quoted_files.SQA3D.format(split="train")
    }
