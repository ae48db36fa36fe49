"""The worked examples of `docs/` work as they stand, in a copy of the package, and change nobody else's version.

An example is a Python block after a line that ends with the file's path.
"""

from __future__ import annotations

import json
import re

import lakes
import numpy as np
import pytest
import tiny
from lineage_fixtures import built
from lineage_homes import copy_of
from PIL import Image

from benchmarks import structure
from benchmarks.structure import CHECKOUT, GUIDES, MOST_FILES, Copy, example
from spatial_assets.readers.registry import READERS
from spatial_assets.releases import create

__all__ = ["built"]
TASK = "height_comparison_oo"


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The examples of all guides together."""
    return Copy(tmp_path_factory.mktemp("checkout"), list(GUIDES))


@pytest.mark.parametrize("kind", GUIDES)
def test_a_guide_names_at_most_three_files_and_its_example_is_among_them(kind, capsys):
    shown = example(kind)
    assert 0 < len(shown.listed) == len(shown.touched) <= MOST_FILES
    with capsys.disabled():
        print(f"\n  a new {kind} touches: {', '.join(shown.touched)}")


def test_a_file_that_the_list_leaves_out_is_counted():
    forgetful = structure.Example(
        "task", {"spatial_assets/tasks/spar/a.py": "", "tests/a.py": ""}, ["b/<name>.json"]
    )
    assert forgetful.touched == ["b/a.json", "spatial_assets/tasks/spar/a.py"]


@pytest.mark.prove
def test_nobody_elses_version_changes(copy):
    before = structure.versions()
    after = copy.versions()
    assert len(before) > 60 and after.keys() > before.keys()
    assert structure.changed(before, after) == []
    first, second, *_ = before
    assert structure.changed(before, {**before, first: "another"} | {"new": "one"}) == [first]
    assert structure.changed(before, {first: before[first]})[0] == second


def test_the_examples_are_in_the_house_style(copy):
    files = [path for kind in GUIDES for path in example(kind).files if path.endswith(".py")]
    paths = [copy.folder / path for path in files]
    config = CHECKOUT / "pyproject.toml"
    copy.python("-m", "ruff", "check", "--config", config, *paths)
    copy.python("-m", "ruff", "format", "--check", "--config", config, *paths)


def test_the_readme_has_a_row_for_every_dataset():
    text = (CHECKOUT / "README.md").read_text(encoding="utf-8")
    table = text.partition("| dataset |")[2].partition("\n\n")[0]
    assert sorted(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == list(READERS)


def write_capture(root):
    folder = root / "hall"
    folder.mkdir(parents=True)
    Image.new("RGB", (64, 48), (90, 120, 150)).save(folder / "0.jpg")
    pose = np.eye(4).tolist()
    content = {
        "intrinsics": [[50, 0, 31.5], [0, 50, 23.5], [0, 0, 1]],
        "frames": [{"image": "0.jpg", "pose": pose}],
        "objects": [{"name": "sofa-1", "label": "couch", "center": [0, 0, 2], "size": [2, 1, 1]}],
    }
    (folder / "scene.json").write_text(json.dumps(content))


READ = """
import sys
from pathlib import Path
import lakes
home = Path(sys.argv[1])
lakes.build(home, stages=["sources", "scenes"])
print(lakes.rows(home, "objects").select("scene", "instance", "name", "label").rows())
print(lakes.rows(home, "frames").select("frame", "image", "width").rows())
"""


@pytest.mark.prove
def test_the_readers_example(copy, tmp_path):
    write_capture(tmp_path / "captures")
    home = tmp_path / "home"
    assert "registered 1 new scene" in copy.run("register", "capture", tmp_path / "captures", "--home", home)
    support = f"import sys; sys.path.append({str(CHECKOUT / 'tests/support')!r})\n"
    told = copy.python("-c", support + READ, home).splitlines()
    assert told == ["[('hall', 0, 'sofa-1', 'couch')]", "[('0.jpg', 'hall/0.jpg', 64)]"]
    known = json.loads(copy.run("facts", "--json"))["datasets"]
    assert known["capture"] == ["images", "objects", "poses"]


@pytest.mark.prove
def test_assets_come_with_the_examples(copy):
    program = (
        "from spatial_assets.definitions import build_defs\n"
        "print(*(key.to_user_string() for key in build_defs().resolve_asset_graph().get_all_asset_keys()))"
    )
    assert {"dataset_capture", "exports/csv_table", f"spar/{TASK}"} <= set(copy.python("-c", program).split())


@pytest.mark.prove
def test_the_tasks_example(copy, tmp_path):
    """Asked about a small scene, told where tasks are told, and true by its own tests and its suite's."""
    tiny.write_scannet(tmp_path / "scans")
    home = tmp_path / "home"
    copy.run("register", "scannet", tmp_path / "scans", "--home", home)
    built = json.loads(copy.run("build", "--task", TASK, "--home", home, "--json"))
    assert list(built["questions"]) == [TASK] and built["questions"][TASK] > 20
    rows = lakes.rows(home, f"questions/{TASK}")
    assert set(rows["format"]) == {"judge", "select", "sentence"}
    assert rows["margin"].min() >= 0.2
    assert {row["task"] for row in json.loads(copy.run("facts", "--json"))["tasks"]} > {TASK}
    assert f"### {TASK}\n" in copy.run("tasks", "--markdown", "-")
    own = f"tests/tasks/spar/test_{TASK}.py"
    told = copy.python(
        *("-m", "pytest", own, "tests/tasks/spar", "tests/tasks/test_registry.py"),
        *("-k", f"{TASK} and not studio", "-n", "0", "-x", "-p", "no:cacheprovider"),
    )
    (passed,) = re.findall(r"^(\d+) passed", told, re.MULTILINE)
    assert int(passed) > 15


@pytest.mark.prove
def test_the_exports_example(copy, built, tmp_path):
    made = copy_of(built, tmp_path)
    create.create(made.home, "v1")
    out = tmp_path / "out"
    copy.run("export", "csv-table", "v1", out, "--home", made.home, "--images", "copy", "--limit", "8")
    program = (
        "import sys; from pathlib import Path\n"
        "from spatial_assets.exports.registry import export_format\n"
        "from spatial_assets.exports.core.source import ReleaseRows\n"
        "form = export_format('csv-table')\n"
        "rows = [question.row for question in ReleaseRows(Path(sys.argv[1]), 'v1', limit=8).questions('all')]\n"
        "assert list(form.read_back(Path(sys.argv[2]))) == "
        "[{name: row[name] for name in form.CARRIES} for row in rows]\n"
        "print(len(rows))"
    )
    assert copy.python("-c", program, made.home, out) == "8\n"
    copy.run("export", "--validate", "csv-table", out)
    next((out / "images").rglob("*.jpg")).unlink()
    assert "not there" in copy.run("export", "--validate", "csv-table", out, status=1)


def test_the_scorers_example(copy, tmp_path):
    file, summary = tmp_path / "predictions.jsonl", tmp_path / "summary.json"
    rows = [
        {"task": "yes_no", "prediction": text, "ground_truth": "Yes"}
        for text in ("yes it is", "no", "YES", "")
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    copy.run("score", "yes_no", file, "--summary", summary)
    assert json.loads(summary.read_text())["overall"] == 0.5
