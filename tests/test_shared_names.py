"""Names of modules that rooms share, names of files of tests, and the room of each test."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from package_modules import MODULES, PACKAGES, room

from spatial_assets.lineage.code_versions import imported


def test_files_of_tests_have_names_of_their_own() -> None:
    """Of two that share one pytest collects the first alone; nothing tells while each is run by itself."""
    names = Counter(path.name for path in Path(__file__).parent.rglob("*.py") if path.name != "conftest.py")
    assert [name for name, count in names.items() if count > 1] == []


SHARED_NAMES: dict[str, dict[str, str]] = {
    "each of these rooms holds many of one kind: what one of them is, and the list of all": {
        "base": "conformance exports readers studio",
        "registry": "conformance exports readers scoring studio tasks",
        "task": "cluster tasks",
    },
    "a dataset or benchmark, which rooms read, make, ask, export or score": {
        "arkitscenes": "readers studio",
        "hypersim": "readers studio",
        "matterport3d": "readers studio",
        "posed_rgbd": "readers studio",
        "scannet": "readers studio",
        "scannetpp": "readers studio",
        "spatialmosaic": "exports scoring",
        "structured3d": "readers studio",
        "three_rscan": "readers studio",
        "vsibench": "conformance readers scoring studio",
    },
    "a tool or kind of file, to which a room writes and which another reads": {
        "lmms_eval": "exports scoring",
        "ms_swift": "exports rewards",
        "ply": "exports readers",
        "vlmevalkit": "exports scoring",
    },
    "a stage of the pipeline, and what computes, asks for or shows its rows": {
        "budgets": "releases stages tasks",
        "frame_sets": "geometry stages",
        "keyframes": "geometry stages",
        "overlap": "geometry stages",
        "questions": "assets stages",
        "rooms": "geometry scene stages studio tasks",
        "scenes": "assets stages",
        "space_aware": "geometry stages",
        "view_sets": "geometry report stages",
        "visibility": "geometry stages",
    },
    "a command or a Dagster asset, and what it runs or shows": {
        "audit": "assets commands",
        "build": "assets cluster",
        "facts": "commands tasks",
        "frames": "commands scene",
        "history": "assets commands",
        "labels": "commands readers",
        "options": "commands tasks",
        "probe": "commands storage",
        "release": "commands scoring",
        "shortcuts": "audit report",
        "tasks": "commands exports",
    },
    "the same work on another room's data": {
        "answers": "exports tasks",
        "cache": "geometry lineage",
        "cameras": "geometry readers",
        "card": "exports releases",
        "checks": "assets exports",
        "columns": "assets exports",
        "counts": "report tasks",
        "descriptions": "readers tasks",
        "files": "exports readers studio",
        "grounding": "evaluation geometry",
        "keys": "assets geometry",
        "layout": "exports studio",
        "marks": "imaging tasks",
        "mix": "exports releases",
        "pictures": "report studio",
        "quantities": "scoring tasks",
        "reading": "evaluation scoring",
        "records": "exports lineage",
        "rows": "audit tasks",
        "run": "exports scoring",
        "splits": "readers releases",
        "twins": "scoring tasks",
        "verify": "engine releases",
    },
}
"""Why modules of some rooms have one name; by name the rooms, at any depth. Of any others the name tells who it is."""


def test_names_that_rooms_share_are_in_the_list():
    rooms: dict[str, set[str]] = {}
    for module in set(MODULES) - set(PACKAGES):
        rooms.setdefault(module.rpartition(".")[2], set()).add(room(module))
    shared = {name: " ".join(sorted(found)) for name, found in rooms.items() if len(found) > 1}
    assert shared == {name: found for names in SHARED_NAMES.values() for name, found in names.items()}
    assert sum(map(len, SHARED_NAMES.values())) == len(shared), "named twice"


TESTS = Path(__file__).parent
NO_ROOMS = {
    "docs": "pages tell of all rooms",
    "real": "real data go through all rooms",
    "support": "helpers of all tests",
}
"""Folders of tests that are of no room of the package, and why."""
STAND_FOR: dict[str, dict[str, str]] = {
    "assets": {"spatial_assets.definitions": "gives Dagster the assets"},
    "commands": {"spatial_assets.cli": "the command line, by which they are called"},
    "engine": {"lakes": "builds by its runner"},
    "tasks": {
        "made_scene": "asks tasks about a scene made by hand",
        "made_ways": "asks a task about ways made by hand",
        "moment_scenes": "names a suite's tasks and makes what they ask about",
        "mosaic_checks": "holds a suite's rows against its texts",
        "spar_checks": "holds a suite's rows against its texts",
        "video_scenes": "asks tasks about scenes made by hand or by the studio",
    },
}
"""By room what a test may import in place of it, and why that is as good."""
ELSEWHERE = {
    "assets/test_build.py": "calls `spatial-assets build`, the command that runs the assets",
    "cluster/test_deploy_prove.py": "holds `deploy/` against the programs that read it",
    "tasks/quoted/test_sqa3d.py": "reads what the task's stage writes",
}
"""Tests that import nothing of their room, and why they stand in it."""


def imported_by(path: Path) -> set[str]:
    """Names that a test or helper imports: modules, and what may be modules of a package."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def rooms_of(names: Iterable[str]) -> set[str]:
    return {room(name) for name in names if name.startswith("spatial_assets.")}


def test_tests_stand_in_the_room_that_they_test():
    rooms = {room(package) for package in PACKAGES if package.count(".") == 1}
    folders = {path.name for path in TESTS.iterdir() if any(path.rglob("*.py"))}
    assert folders <= rooms | NO_ROOMS.keys()
    away = set()
    for folder in folders - NO_ROOMS.keys():
        for path in (TESTS / folder).rglob("test_*.py"):
            names = imported_by(path)
            if folder not in rooms_of(names) and not names & STAND_FOR.get(folder, {}).keys():
                away.add(path.relative_to(TESTS).as_posix())
    assert away == ELSEWHERE.keys()


def test_what_stands_for_a_room_imports_it():
    for folder, names in STAND_FOR.items():
        for name in names:
            inside = name.startswith("spatial_assets.")
            found = imported(name) if inside else imported_by(TESTS / "support" / f"{name}.py")
            assert folder in rooms_of(found), name
