"""`spatial-assets facts`: it follows from what readers and tasks say, and what is missing is told in words."""

from __future__ import annotations

import json
import re

from click.testing import CliRunner

from spatial_assets.cli import main
from spatial_assets.commands import facts
from spatial_assets.readers.registry import READERS, reader
from spatial_assets.scene.model import Fact


def run(*words):
    done = CliRunner().invoke(main, ["facts", *words])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_what_is_missing_is_what_a_task_needs_and_a_reader_has_not():
    told = json.loads(run("--json"))
    assert told["datasets"] == {name: sorted(reader(name).FACTS) for name in READERS}
    assert len({(row["task"], row["format"]) for row in told["tasks"]}) == len(told["tasks"]) > 20
    for row in told["tasks"]:
        for name, missing in row["missing"].items():
            assert set(missing) == set(row["needs"]) - set(told["datasets"][name])
    # Everything but what is asked about routes, which have views of their own and stand in no other dataset.
    assert {row["task"] for row in told["tasks"] if row["missing"]["scannet"]} == {"nav_video"}
    assert not any(row["missing"]["matterport3d"] for row in told["tasks"] if row["task"] == "nav_video")
    lacking = [row["missing"]["vsibench"] for row in told["tasks"]]
    assert all("images" in missing or missing == ["routes"] for missing in lacking)


FED = {
    "structured3d": {
        "depth_prediction_oc": {"fill", "select", "sentence"},
        "depth_prediction_oo": {"fill", "select", "sentence"},
        "distance_prediction_oc": {"fill", "select", "sentence"},
        "distance_prediction_oo": {"fill", "select", "sentence"},
    },
    "hypersim": {
        "depth_prediction_oc": {"fill", "select", "sentence"},
        "depth_prediction_oo": {"fill", "select", "sentence"},
        "distance_prediction_oc": {"fill", "select", "sentence"},
        "distance_prediction_oo": {"fill", "select", "sentence"},
    },
    "posed_rgbd": {
        "camera_motion_infer": {"fill", "select", "sentence"},
        "room_size_estimation": {"fill", "select"},
        "view_change_infer": {"fill"},
    },
}
"""What a dataset without a labeled mesh is good for, as the README says; later tasks may add to it."""
MISSING = {
    ("structured3d", "position_matching", "fill"): {"amodal", "overlap"},
    ("structured3d", "view_change_infer", "fill"): {"overlap"},
    ("structured3d", "object_counting", "fill"): {"amodal", "sequence"},
    ("structured3d", "route_planning", "select"): {"amodal", "mesh", "sequence"},
    ("posed_rgbd", "view_change_infer", "sentence"): {"objects", "visibility"},
    ("posed_rgbd", "distance_prediction_oc", "fill"): {"objects", "visibility"},
}


def test_what_the_readme_says_of_datasets_without_a_labeled_mesh():
    rows = json.loads(run("--json"))["tasks"]
    for dataset, tasks in FED.items():
        for task, formats in tasks.items():
            fed = {row["format"] for row in rows if row["task"] == task and not row["missing"][dataset]}
            assert fed == formats, (dataset, task)
    for (dataset, task, form), missing in MISSING.items():
        (row,) = (row for row in rows if (row["task"], row["format"]) == (task, form))
        assert set(row["missing"][dataset]) == missing


def test_the_table_says_the_same_in_words():
    rows = json.loads(run("--json"))["tasks"]
    table, legend = run().split("\n\n")
    head, *lines = (re.split(r" {2,}", line) for line in table.splitlines())
    assert head == ["suite", "task", "format", *READERS]
    words = dict(line.split(maxsplit=1) for line in legend.splitlines())
    assert [line[:3] for line in lines] == [[row["suite"], row["task"], row["format"]] for row in rows]
    for line, row in zip(lines, rows, strict=True):
        for cell, missing in zip(line[3:], row["missing"].values(), strict=True):
            assert (cell == facts.FED) == (not missing)
            if missing:
                assert words[cell] == "; ".join(facts.ABSENCE[Fact(fact)] for fact in missing)


def test_every_fact_has_words_for_its_absence():
    assert set(facts.ABSENCE) == set(Fact)
    assert len(set(facts.ABSENCE.values())) == len(Fact)
