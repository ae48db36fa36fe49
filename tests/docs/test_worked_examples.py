"""Who follows the guides of `docs/` to the letter has what they promise, and all of this checkout's tests pass.

All four are followed in one copy of the checkout, docs and tests with it: see `benchmarks/structure.py`.
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
NAMES = {"reader": "capture", "task": TASK, "export": "csv-table", "scorer": "yes_no"}
ONCE = ("spatial_assets/exports/core/licenses.json",)
"""Named by a guide for those whose case is not its example's."""
QUICK = (
    *("docs/test_pages", "exports/test_every_format", "exports/core/test_licenses", "readers/test_facts"),
    *("readers/test_capture", "releases/test_recipes", "scene/test_discovery", "scoring/test_scoring_run"),
    *("tasks/core/test_wording", "tasks/test_registry"),
)
"""Files with tests that ask registries, or lists beside them, and take no time."""
OF_ALL = (
    *("page_of_exports", "rooms_hold", "is_here_or_named", "own_terms", "words_that_there_are"),
    "comes_to_135_thousand",
)
"""Words in the names of those tests there that ask of all there are at once."""
WIDE = (
    *QUICK,
    *("assets/test_definitions", "assets/test_suites", "engine/test_compiling", "lineage/test_code_versions"),
    *("readers/test_fuzz", "readers/test_left_out", "readers/test_one_scene", "tasks/vsi/test_vsi_wording"),
    *("tasks/test_fair_options", "tasks/test_needs", "tasks/test_twins"),
    *("test_array_docstrings", "test_shared_names", "test_structure"),
    *("commands", "evaluation", "exports", "rewards", "scene", "scoring", "stages"),
    *("tasks/core", "tasks/spar"),
)
"""Whatever depends on what registries find; this file aside, whose examples are there already."""


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A checkout in which all guides were followed."""
    return Copy(tmp_path_factory.mktemp("checkout"), list(GUIDES))


def passed(copy, files, *words):
    """How many tests of these files pass in the copy; RuntimeError with what is told where one fails."""
    paths = [
        f"tests/{name}" if (CHECKOUT / "tests" / name).is_dir() else f"tests/{name}.py" for name in files
    ]
    # In a place of its own: else it removes what earlier runs left in the common one, which may take a minute.
    own = ("-n", "0", "-p", "no:cacheprovider", "--basetemp", copy.folder.with_name("of_the_copy"))
    told = copy.python("-m", "pytest", *paths, *words, *own)
    (count,) = re.findall(r"^(?:=+ )?(\d+) passed", told, re.MULTILINE)
    return int(count)


@pytest.mark.parametrize("kind", GUIDES)
def test_a_guide_names_at_most_three_files(kind, capsys):
    named = example(kind).named
    assert 0 < len(named) <= MOST_FILES
    with capsys.disabled():
        print(f"\n  a new {kind} touches: {', '.join(named)}")


def test_what_differs_is_what_the_guides_name(copy):
    assert copy.changed() == sorted({path for kind in GUIDES for path in example(kind).named} - {*ONCE})


def test_what_a_copy_holds_otherwise_is_told(tmp_path):
    bare = Copy(tmp_path, [])
    assert bare.changed() == []
    (tmp_path / "docs/new.md").write_text("")
    (tmp_path / "tests/test_new.py").write_text("")
    (tmp_path / "README.md").write_text("Another one.\n")
    assert bare.changed() == ["README.md", "docs/new.md"]
    with pytest.raises(ValueError, match="0 rows of `nobody`"):
        structure._put_row(tmp_path / "README.md", "nobody", "| `new` |\n")


def test_tests_that_ask_registries_pass_with_the_examples(copy):
    chosen = " or ".join((*NAMES.values(), *OF_ALL))
    assert passed(copy, QUICK, "-k", chosen, "-m", "not prove") > 20


@pytest.mark.prove
def test_all_tests_pass_that_depend_on_what_is_there(copy):
    copy.write_snapshots()
    assert passed(copy, WIDE, "-m", "not prove") > 2000


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
    assert passed(copy, ("tasks/spar", "tasks/test_registry"), "-k", f"{TASK} and not studio") > 15


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
