"""Code versions: what they cover is written down, and they change with that alone."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import closures
import pyarrow as pa
import pytest

from spatial_assets.audit import shortcuts
from spatial_assets.definitions import build_defs
from spatial_assets.evaluation import page, results
from spatial_assets.lineage import code_versions as code
from spatial_assets.readers.registry import READERS
from spatial_assets.scene import tables
from spatial_assets.scoring.registry import BENCHMARKS
from spatial_assets.stages.budgets import STAGES as JUDGED
from spatial_assets.stages.pipeline import STAGES
from spatial_assets.stages.questions import SUITES

PLUMBING = (
    "assets",
    "commands",
    "engine",
    "evaluation",
    "exports",
    "lineage",
    "releases",
    "report",
    "studio",
)
"""Rooms that carry, judge or show rows, or that make the data, and compute none of them."""
COMPUTING = ("geometry", "media", "readers", "scene", "stages", "storage", "tasks")
JUDGING = ("audit", "evaluation", "scoring")
OF_COMMANDS = {"evaluation/bev.json"}
"""What is read for what a command prints, and for no asset."""
KEEPING = ("atomic", "damage", "heartbeats", "lake", "leases", "lock_files", "locks", "release_manifest")
PLUMBING_OF_STORAGE = ("atomic", "lake", "locks", "release_manifest", "shards", "shipped")


def versions(root: Path = code.ROOT) -> dict[tuple[str, str], str]:
    """By asset and dataset, from the sources below `root`; what stages declare is that of this process."""
    return {
        (stage.name, dataset): code.code_version(*code._used_by(stage, (dataset,)), root=root)
        for stage in STAGES.values()
        for dataset in READERS
    }


def assets(pairs: set[tuple[str, str]]) -> set[str]:
    return {asset for asset, _ in pairs}


@pytest.fixture
def package(tmp_path) -> Path:
    """A copy of the package that a test may edit."""
    copy = tmp_path / code.PACKAGE
    shutil.copytree(code.ROOT, copy, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def changed(root: Path) -> set[tuple[str, str]]:
    before, now = versions(), versions(root)
    return {key for key in before if before[key] != now[key]}


def test_what_every_version_covers_is_written_down():
    """Run `python tests/support/closures.py` and look at the difference: each new line is a reason to recompute."""
    assert closures.SNAPSHOT.read_text(encoding="utf-8") == closures.text()


def test_no_version_of_judgments_covers_what_carries_or_finds():
    """What keeps files, takes turns and finds modules judges nothing."""
    for name, parts in closures.of_judgments().items():
        for part in parts:
            folder, _, file = part.rpartition("/")
            assert folder.split("/")[0] not in {
                "assets",
                "commands",
                "engine",
                "exports",
                "lineage",
                "studio",
            }, (
                name,
                part,
            )
            assert folder != "storage" or file.removesuffix(".py") not in KEEPING, (name, part)
            assert not file.startswith("__init__"), (name, part)
        assert not {"scoring/registry.py", "scene/discovery.py", "evaluation/results.py"} & set(parts)


def test_no_version_covers_what_carries_rows():
    for name, parts in closures.of_stages().items():
        for part in parts:
            folder, _, file = part.rpartition("/")
            assert folder.split("/")[0] not in PLUMBING, (name, part)
            assert folder != "storage" or file.removesuffix(".py") not in PLUMBING_OF_STORAGE, (name, part)
            assert not file.startswith("__init__"), (name, part)
        assert not {"stages/stage.py", "stages/pipeline.py", "scene/tables.py", "readers/registry.py"} & set(
            parts
        )


@pytest.mark.parametrize("room", [*COMPUTING, *JUDGING])
def test_every_data_file_of_rooms_that_compute_or_judge_is_covered(room):
    """A file that is read under another name than its module's must be named by the asset, or its edits go unseen."""
    by_asset = {**closures.of_stages(), **closures.of_judgments()}
    covered = {part for parts in by_asset.values() for part in parts}
    for path in (code.ROOT / room).rglob("*.*"):
        name = path.relative_to(code.ROOT).as_posix()
        if path.suffix not in {".py", ".pyc"}:
            assert (name in covered) != (name in OF_COMMANDS), name


def computing_modules() -> set[str]:
    """All modules that some version covers."""
    named = {module for stage in STAGES.values() for dataset in READERS for module in stage.modules(dataset)}
    return set(code.closure((*sorted(named), *results.MODULES, *page.PAGE_MODULES, *shortcuts.MODULES)))


def test_carriers_exist_and_are_met_by_something_that_computes():
    computing = computing_modules()
    met = {name for module in computing for name in code.imported(module)}
    for carrier in code.CARRIERS:
        assert carrier in met, carrier
        assert carrier not in computing


def test_computing_code_cannot_see_what_does_not_count():
    """Docstrings are no part of a version, and so must be no part of a value."""
    for module in sorted(computing_modules()):
        tree = ast.parse(code.module_file(module).read_text(encoding="utf-8"))
        names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        names |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        assert not names & {"__doc__", "getdoc", "getsource", "use_attribute_docstrings"}, module


# What changes which version


def test_another_place_changes_nothing(package):
    assert changed(package) == set()


REWORDED = {
    "readers/registry.py": ("def reader(", "def _unused() -> int:\n    return 1\n\n\ndef reader("),
    "storage/shards.py": ("SCENES_PER_SHARD = 50", "SCENES_PER_SHARD = 51"),
    "storage/lake.py": ("KEPT_TABLES = 64", "KEPT_TABLES = 65"),
    "scene/tables.py": ('"what the reader uses it for"', '"what for"'),
    "scene/frame_set_tables.py": ('"how many it has"', '"of them"'),
    "scene/optional_tables.py": ('"what it is for: bedroom, hallway, ..."', '"its use"'),
    "stages/stage.py": ("opens_files: bool = False", "opens_files: bool = False\n    owner: str = ''"),
    "engine/runner.py": ("max(1, workers)", "max(2, workers)"),
    "lineage/planning.py": ('FILES = "files"', 'FILES = "file"'),
    "stages/pipeline.py": ('SETTINGS = "parameters.toml"', 'SETTINGS = "settings.toml"'),
    "geometry/boxes.py": ('"""', '"""In other words. '),
}


@pytest.mark.every(3)
@pytest.mark.parametrize("name", list(REWORDED))
def test_plumbing_and_wording_for_developers_change_no_version(package, name):
    edit(package / name, *REWORDED[name])
    assert changed(package) == set()


CARRYING_JUDGMENTS = {
    "scoring/registry.py": ("def benchmark(", "def _unused() -> int:\n    return 1\n\n\ndef benchmark("),
    "scene/discovery.py": ("\n\n\ndef ", "\n\n\nUNUSED = 1\n\n\ndef "),
    "storage/locks.py": ("\n\n\ndef ", "\n\n\nUNUSED = 1\n\n\ndef "),
    "evaluation/results.py": ("\n\n\ndef ", "\n\n\nUNUSED = 1\n\n\ndef "),
}


def judgments(root: Path) -> dict[str, str]:
    return {
        **{name: code.code_version(results.scorer_modules(name), root=root) for name in BENCHMARKS},
        "model_comparison": code.code_version(page.PAGE_MODULES, page.PAGE_FILES, root=root),
        "shortcuts": code.code_version(shortcuts.MODULES, shortcuts.DATA, root=root),
    }


@pytest.mark.parametrize("name", list(CARRYING_JUDGMENTS))
def test_what_finds_and_keeps_judgments_changes_no_version(package, name):
    edit(package / name, *CARRYING_JUDGMENTS[name])
    assert judgments(package) == judgments(code.ROOT)


def test_a_scorer_changes_its_own_scores_alone(package):
    edit(package / "scoring/sparbench.py", "\n\n\ndef ", "\n\n\nUNUSED = 1\n\n\ndef ")
    before, now = judgments(code.ROOT), judgments(package)
    assert {name for name in before if before[name] != now[name]} >= {"sparbench"}
    assert {"model_comparison", "shortcuts", "vsibench"}.isdisjoint(
        name for name in before if before[name] != now[name]
    )


QUESTIONS = set(STAGES) - {
    "sources", "scenes", "keyframes", "visibility", "overlap", "view_sets", "rooms", "cognitive_maps",
    "frame_sets", *JUDGED,
}  # fmt: skip


@pytest.mark.every(3)
@pytest.mark.parametrize(
    ("name", "old", "new", "expected"),
    [
        ("geometry/overlap.py", "\n\n\ndef ", "\n\n\nUNUSED = 1\n\n\ndef ", {"overlap", "view_sets"}),
        (
            "geometry/view_sets.py",
            "LARGEST = 5",
            "LARGEST = 6",
            {"view_sets", *SUITES["spatialmosaic"], *SUITES["views"]},
        ),
        ("geometry/rasterize.py", "DEFAULT_NEAR = 0.05", "DEFAULT_NEAR = 0.06", {"visibility", "frame_sets"}),
        ("geometry/grid_map.py", "\ndef ", "\nUNUSED = 1\ndef ", {"cognitive_maps"}),
        (
            "geometry/kernels/table.py",
            "import numpy as np\n",
            "import numpy as np\n\nUNUSED = 1\n",
            {"visibility"},
        ),
        (
            "tasks/spar/view_change_infer.py",
            "\n\n\ndef ",
            "\n\n\nUNUSED = 1\n\n\ndef ",
            {"view_change_infer"},
        ),
        ("tasks/core/budgets.json", "{", '{"unused": "",', set(JUDGED)),
        ("tasks/core/budgets.py", "\n\n\ndef ", "\n\n\nUNUSED = 1\n\n\ndef ", set(JUDGED)),
        ("stages/rooms.py", "Field(0.05, gt=0", "Field(0.04, gt=0", {"rooms"}),
        ("stages/cognitive_maps.py", "Field(GRID", "Field(GRID + 1", {"cognitive_maps"}),
        ("stages/questions.py", "rejects=rejects", "rejects=[]", QUESTIONS),
        (
            "storage/meshes.py",
            "GRAY = 160",
            "GRAY = 161",
            {"scenes", "visibility", "overlap", "view_sets", "rooms", "frame_sets"},
        ),
    ],
)
def test_a_kernel_or_a_threshold_changes_what_is_computed_by_it(package, name, old, new, expected):
    edit(package / name, old, new)
    found = changed(package)
    assert assets(found) == expected
    assert found == {(asset, dataset) for asset in expected for dataset in READERS}


def test_a_reader_changes_its_own_dataset_alone(package):
    edit(package / "readers/posed_rgbd.py", "\ndef ", "\nUNUSED = 1\ndef ")
    assert changed(package) == {("sources", "posed_rgbd"), ("scenes", "posed_rgbd")}


@pytest.mark.parametrize("task", ["depth_prediction_oc", "room_size_estimation"])
def test_a_template_changes_its_task_alone(package, task):
    own = [
        name for name in code.stage_parts(STAGES[task], "scannet") if f"/{task}." in name and "json" in name
    ]
    assert own
    edit(package / own[0], "{", '{"unused": {},')
    assert assets(changed(package)) == {task}


def test_columns_count_and_their_meanings_do_not():
    table = tables.OVERLAP
    columns = table.columns
    same = tables.Table(
        "overlap", tuple(tables.Column(c.name, c.type, "?", c.nullable) for c in columns), table.order
    )
    assert code.columns_hash(same) == code.columns_hash(table)
    more = tables.Table("overlap", (*columns, tables.Column("pixels", pa.int32(), "")), table.order)
    wider = tables.Table(
        "overlap", (*columns[:-1], tables.Column("overlap_instances", pa.float32(), "")), table.order
    )
    sorted_otherwise = tables.Table("overlap", columns, table.order[::-1])
    hashes = {code.columns_hash(item) for item in (table, more, wider, sorted_otherwise)}
    assert len(hashes) == 4


PRINT_VERSIONS = """
import json
import spatial_assets
from spatial_assets.lineage.code_versions import stage_version
from spatial_assets.readers.registry import READERS
from spatial_assets.stages.pipeline import STAGES
found = {f"{s.name} {d}": stage_version(s, d) for s in STAGES.values() for d in READERS}
print(json.dumps([spatial_assets.__file__, found]))
"""
PRINT_OF_DAGSTER = """
import json
import spatial_assets
from spatial_assets.definitions import build_defs
graph = build_defs().resolve_asset_graph()
found = {key.to_user_string(): graph.get(key).code_version for key in graph.get_all_asset_keys()}
print(json.dumps([spatial_assets.__file__, found]))
"""


def printed_of(package: Path, program: str) -> dict[str, str]:
    """What a process prints that imports the copy."""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=package.parent, env={**os.environ, "PYTHONPATH": str(package.parent)}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    where, found = json.loads(done.stdout)
    assert Path(where).parent == package
    return found


def versions_of(package: Path) -> dict[tuple[str, str], str]:
    """Versions as such a process sees them."""
    found = printed_of(package, PRINT_VERSIONS)
    return {tuple(key.split(" ")): version for key, version in found.items()}


def add_one_of_each(package: Path, suite: str, old: str) -> str:
    """A reader, a task like an old one of the suite, an export and a scorer more; gives the task's name."""
    shutil.copy(package / "readers/vsibench.py", package / "readers/newbench.py")
    new = f"{old}_new"
    for path in sorted((package / f"tasks/{suite}").glob(f"{old}.*")):
        text = path.read_text(encoding="utf-8")
        path.with_name(path.name.replace(old, new)).write_text(text.replace(old, new), encoding="utf-8")
    shutil.copy(package / "exports/conversations/llava.py", package / "exports/conversations/newformat.py")
    shutil.copy(package / "scoring/vsibench.py", package / "scoring/newscores.py")
    return new


@pytest.mark.parametrize(
    ("suite", "old", "judged"),
    [
        ("spar", "depth_prediction_oc", False),
        ("vsi", "room_size_estimation", True),
        ("vsti", "camera_displacement", True),
    ],
)
def test_a_reader_a_task_and_an_export_more_change_no_version_of_others(package, suite, old, judged):
    """A task about a video brings two assets: its questions, and what holds of them for other frames."""
    new = add_one_of_each(package, suite, old)
    found, before = versions_of(package), versions()
    assert {key: found[key] for key in before} == before
    assert {asset for asset, _ in found} == {*STAGES, new, *((f"{new}_budgets",) if judged else ())}
    assert {dataset for _, dataset in found} == {*READERS, "newbench"}


def test_dagster_shows_no_asset_as_outdated_by_what_is_added(package):
    """It has one version for all datasets, and one for all benchmarks: their parts in it would outdate all others."""
    graph = build_defs().resolve_asset_graph()
    before = {key.to_user_string(): graph.get(key).code_version for key in graph.get_all_asset_keys()}
    new = add_one_of_each(package, "vsi", "room_size_estimation")
    found = printed_of(package, PRINT_OF_DAGSTER)
    assert {key: found[key] for key in before} == before
    assert f"vsi/{new}" in found.keys() - before.keys()
    assert {key.split("/")[-1] for key, version in before.items() if version} == {
        *STAGES, "scores", "model_comparison", "shortcuts"
    }  # fmt: skip


def test_what_all_datasets_share_changes_with_a_stage_and_with_no_reader(package):
    shared = {
        name: code.code_version(*code._used_by(STAGES[name], tuple(READERS)))
        for name in ("sources", "scenes")
    }
    for path in (package / "readers/scannet.py", package / "stages/scenes.py"):
        edit(path, "\n\n\ndef ", "\n\n\nUNUSED = 1\n\n\ndef ")
    found = {
        name: code.code_version(*code._used_by(STAGES[name], tuple(READERS)), root=package) for name in shared
    }
    assert {name for name in shared if shared[name] != found[name]} == {"scenes"}
    assert ("sources", "scannet") in changed(package)


@pytest.mark.parametrize(
    ("table", "above", "some"),
    [
        ("cognitive_maps", 'Column("cell_x", INT', set()),
        ("overlap", 'Column("frame_a", TEXT, "the earlier', {"view_sets", "camera_motion_infer"}),
        ("rooms", 'Column("area", REAL, "footprint', {"cognitive_maps", "room_size"}),
    ],
    ids=["cognitive_maps", "overlap", "rooms"],
)
def test_a_column_more_changes_who_writes_and_who_reads_the_table(package, table, above, some):
    edit(package / "scene/tables.py", above, f'Column("more", INT, "one more"),\n        {above}')
    found, before = versions_of(package), versions()
    reading = {
        name
        for name, stage in {**STAGES, **JUDGED}.items()
        if table in {read if isinstance(read, str) else read.name for read in stage.reads}
    }
    # Budgets read whatever the questions are made of that they judge again.
    assert some <= reading and bool(reading & JUDGED.keys()) == bool(some)
    assert {key for key in before if before[key] != found[key]} == {
        (name, dataset) for name in {table, *reading} for dataset in READERS
    }


def test_relative_imports_are_errors(package):
    edit(
        package / "stages/rooms.py",
        "from spatial_assets.scene.model import Box",
        "from ..scene.model import Box",
    )
    with pytest.raises(ValueError, match=r"rooms.py:\d+: a relative import"):
        versions(package)


def test_a_name_that_a_package_gives_brings_the_package(package):
    edit(
        package / "stages/overlap.py",
        "from spatial_assets.geometry.drawable import face_areas",
        "from spatial_assets.geometry import rasterize as rasterize, prepare_mesh",
    )
    found = code.imported("spatial_assets.stages.overlap", package)
    assert {"spatial_assets.geometry", "spatial_assets.geometry.rasterize"} <= found
