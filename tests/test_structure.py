"""The floor plan: which room may import which, no circles, and nothing handed on through a package."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
from package_modules import MODULES, PACKAGES, room, tree

import spatial_assets
from spatial_assets.lineage.code_versions import ROOT, imported, module_file

ALLOWED: dict[str, set[str]] = {
    "scene": set(),
    "geometry": {"scene"},
    "media": {"geometry", "scene"},
    "storage": {"scene"},
    "imaging": {"media", "scene"},
    "readers": {"storage", "media", "geometry", "scene"},
    "tasks": {"geometry", "scene"},
    "stages": {"tasks", "readers", "storage", "geometry", "scene"},
    "lineage": {"stages", "storage", "media", "scene"},
    "engine": {"lineage", "stages", "readers", "storage", "geometry", "scene"},
    "releases": {"lineage", "tasks", "readers", "storage", "geometry", "scene"},
    "scoring": {"scene"},
    "rewards": {"scoring"},
    "audit": {"scoring", "releases", "storage", "scene"},
    "report": {"imaging", "lineage", "stages", "tasks", "storage", "media", "geometry", "scene"},
    "exports": {
        "report", "audit", "imaging", "scoring", "releases", "lineage", "tasks", "storage", "media", "scene",
    },
    "evaluation": {"report", "scoring", "lineage", "readers", "storage", "geometry", "scene"},
    # Aside from the flow: data made from nothing, and published answers recomputed.
    "studio": {"geometry", "scene"},
    "conformance": {"readers", "geometry", "scene"},
}  # fmt: skip
"""Which rooms a room may import, its own aside: arrows point from what runs and shows to what computes."""
EXPORTS = "spatial_assets.exports"
FAMILIES: dict[str, set[str]] = {
    "core": set(),
    "evaluators": {"conversations", "core"},
    "spar_bench": {"spar", "core"},
}
"""Which folders of exports a family of formats may import, where that is not `core` alone."""
TASKS = "spatial_assets.tasks"
SUITES: dict[tuple[str, str], str] = {
    (
        "grounding",
        "spar",
    ): "its form is that of SPAR's 3D grounding, over SPAR's triples of views and its videos",
    (
        "views",
        "spatialmosaic",
    ): "it asks further questions about SpatialMosaic's view sets, by the same measures",
}
"""Which suite of tasks may import which other one, and why; what any may import is in `core`."""
STUDIO = "spatial_assets.studio"
BELOW: dict[str, set[str]] = {
    "models": {"catalog", "scenery", "surfaces"},
    "layouts": {"annotation", "camera", "files", "render", "rooms", "scan", "scene"},
}
"""What folders of the studio may import of the modules beside them: the stuff of single things, and finished scenes."""
BUILD_WITH: dict[str, set[str]] = {
    "models": {"along_walls", "furnish", "groups", "layout", "rooms", "scene", "tops", "workshop"},
    "layouts": {"write"},
}
"""Which of the modules beside them may import these folders: what puts things in homes, and the one entry."""
ABOVE = ("assets", "cluster", "commands", "cli", "definitions", "__main__")
"""What Dagster loads and people type may import every room, except as OUTERMOST says."""
OUTERMOST = {
    "cli": {"__main__"},
    "cluster": {"commands", "cli"},
    "commands": {"cli", "__main__"},
    "definitions": {"cluster", "commands", "cli"},
}
"""What only these may import."""
KNOW_DAGSTER = {"assets", "cluster", "commands", "definitions"}
LONGEST = 450
"""Lines of a file that one can still keep in mind."""
PUBLIC = "spatial_assets.geometry"
"""The one package that hands names on: a stable interface for outside checks."""


def test_every_room_is_in_the_table():
    rooms = {room(name) for name in MODULES if name != "spatial_assets"}
    assert rooms <= ALLOWED.keys() | set(ABOVE)


def test_arrows_point_one_way():
    wrong = []
    for module in MODULES:
        here = room(module)
        for other in sorted(imported(module)):
            there = room(other)
            if there == here:
                continue
            good = there in ALLOWED[here] if here in ALLOWED else here in OUTERMOST.get(there, {here})
            if not good:
                wrong.append(f"{module} imports {other}")
    assert wrong == []


def test_no_arrow_is_allowed_that_nobody_needs():
    needed = {here: {room(other) for other in _all_imported(here)} - {here} for here in ALLOWED}
    assert {here: ALLOWED[here] - needed[here] for here in ALLOWED if ALLOWED[here] - needed[here]} == {}


def _all_imported(here: str) -> set[str]:
    return {other for module in MODULES if room(module) == here for other in imported(module)}


def test_what_only_a_type_checker_imports_follows_the_same_arrows():
    """Versions leave it out, the floor plan does not."""
    wrong = []
    for module in MODULES:
        here = room(module)
        for node in ast.walk(tree(module)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("spatial_assets."):
                there = room(str(node.module))
                if here in ALLOWED and there != here and there not in ALLOWED[here]:
                    wrong.append(f"{module} imports {node.module}")
    assert wrong == []


def test_families_of_exports_share_what_is_in_their_core():
    wrong = []
    for module in MODULES:
        family = _folder(module, EXPORTS)
        if family is None:
            continue
        allowed = FAMILIES.get(family, {"core"}) | {family}
        wrong += [
            f"{module} imports {other}"
            for other in sorted(imported(module))
            if room(other) == "exports" and _folder(other, EXPORTS) not in allowed
        ]
    assert wrong == []


def _folder(module: str, above: str) -> str | None:
    """The folder of a package that a module stands in; None for what stands above them, or elsewhere."""
    depth = above.count(".") + 2
    parts = module.split(".")
    below = ".".join(parts[:depth])
    return parts[depth - 1] if below.startswith(f"{above}.") and below in PACKAGES else None


def test_suites_of_tasks_share_what_is_in_their_core_and_in_the_table():
    found = {
        (here, there)
        for module in MODULES
        for other in imported(module)
        if (here := _folder(module, TASKS)) and (there := _folder(other, TASKS)) not in (None, here, "core")
    }
    assert found == SUITES.keys()
    assert not {(there, here) for here, there in found} & found
    assert "core" not in {here for here, _ in found}


@pytest.mark.parametrize("folder", BELOW)
def test_a_folder_of_the_studio_stands_between_what_it_is_made_of_and_what_builds_with_it(folder):
    inside = [module for module in MODULES if _folder(module, STUDIO) == folder]
    made_of = {
        other
        for module in inside
        for other in imported(module)
        if room(other) == "studio" and _folder(other, STUDIO) != folder
    }
    assert made_of == {f"{STUDIO}.{name}" for name in BELOW[folder]}
    builders = {
        module
        for module in MODULES
        if _folder(module, STUDIO) != folder and any(_folder(it, STUDIO) == folder for it in imported(module))
    }
    assert {module for module in builders if room(module) == "studio"} == {
        f"{STUDIO}.{name}" for name in BUILD_WITH[folder]
    }
    assert not builders & reached(made_of), "round about, through what it is made of"


def test_the_table_itself_has_no_circle():
    rank = {name: place for place, name in enumerate(ALLOWED)}
    aside = {"studio", "conformance"}
    for here, others in ALLOWED.items():
        assert all(rank[there] < rank[here] for there in others), here
        assert not others & aside


def reached(modules: Iterable[str]) -> set[str]:
    """These modules, and what they import, directly or not."""
    seen = set(modules)
    frontier = list(seen)
    while frontier:
        new = imported(frontier.pop()) - seen
        seen |= new
        frontier += new
    return seen


def circles() -> Iterator[list[str]]:
    """Groups of modules of which each imports, directly or not, every other; imports in functions count."""
    reach = {start: reached(imported(start)) for start in MODULES}
    for module in MODULES:
        group = [module, *(other for other in sorted(reach[module]) if module in reach[other])]
        if module in reach[module] and group[0] == min(group):
            yield sorted(set(group))


def test_no_circle_of_imports():
    assert list(circles()) == []


SENTENCE_END = re.compile(r"(?<=[.;]) ")
OF_THE_PLACE = re.compile(r"\b(here|belongs?|stands?)\b", re.IGNORECASE)
NEGATION = re.compile(r"\b(nothing|not|no|nor)\b", re.IGNORECASE)


def says_what_does_not_belong(sentence: str) -> bool:
    return bool(OF_THE_PLACE.search(sentence) and NEGATION.search(sentence))


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_says_what_belongs_in_it_and_hands_nothing_on(package):
    found = tree(package)
    about = " ".join((ast.get_docstring(found) or "").split())
    assert about
    if package.count(".") == 1:
        assert "Here belong" in about, about
    assert any(says_what_does_not_belong(sentence) for sentence in SENTENCE_END.split(about)), about
    if package != PUBLIC:
        assert len(found.body) == 1


LISTED = re.compile(r"^ *(\w+(?:\.py|/)) {2,}\w", re.MULTILINE)
"""A line of a docstring that says what a file or a folder is."""


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_that_lists_what_stands_in_it_lists_it_all(package):
    listed = LISTED.findall(ast.get_docstring(tree(package)) or "")
    folder = ROOT.joinpath(*package.split(".")[1:])
    inside = {path.name for path in folder.glob("*.py")} - {"__init__.py"}
    inside |= {f"{path.parent.name}/" for path in folder.glob("*/__init__.py")}
    assert not listed or sorted(listed) == sorted(inside)


def test_nothing_inside_imports_through_the_public_names():
    assert [module for module in MODULES if PUBLIC in imported(module)] == []


def test_dagster_is_known_at_the_top_alone():
    knowing = {room(module) for module in MODULES if any(map(is_dagster, _outside(module)))}
    assert knowing <= KNOW_DAGSTER


def test_dagsters_other_packages_are_dagster_too():
    for name in ("dagster", "dagster_postgres", "dagster_celery", "dagster_webserver", "dagster_pipes"):
        assert is_dagster(name)
    assert not any(map(is_dagster, ("dag", "polars", "not_dagster", "dagsters")))
    assert "dagster_postgres" in {name for module in MODULES for name in _outside(module)}


def is_dagster(name: str) -> bool:
    """Whether a first word of imports is Dagster's own or one of its libraries'."""
    return name == "dagster" or name.startswith("dagster_")


TABLES = {"polars", "pyarrow", "duckdb"}


def test_geometry_knows_no_tables():
    """It takes arrays: what reads and writes rows stands with the tables' own (`scene`) or with what uses them."""
    knowing = [m for m in MODULES if room(m) == "geometry" and _outside(m) & TABLES]
    assert knowing == []
    assert {room(m) for m in MODULES if _outside(m) & TABLES} >= {"scene", "stages"}


def _outside(module: str) -> set[str]:
    """First words of everything that a module imports."""
    found: set[str] = set()
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("module", MODULES)
def test_imports_can_be_read_from_the_text(module):
    """What the linter's bans do not see: built-in ways of running code from elsewhere, and names for all of it."""
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in {"__import__", "exec", "eval", "compile"}, ast.unparse(node)
        if isinstance(node, ast.ImportFrom):
            assert not node.level
            assert [alias.name for alias in node.names] != ["*"]
            # `import x as x` is how a module would hand on another's name.
            assert not any(alias.name == alias.asname for alias in node.names), ast.unparse(node)


@cache
def taken(module: str) -> frozenset[str]:
    """Names that a module binds at its top by importing them, under conditions too."""
    found: set[str] = set()
    pending: list[ast.AST] = [tree(module)]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Import | ast.ImportFrom):
            found |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
        elif not isinstance(node, ast.FunctionDef | ast.ClassDef | ast.expr):
            pending.extend(ast.iter_child_nodes(node))
    return frozenset(found)


def imported_second_hand(source: ast.Module) -> Iterator[str]:
    """Names that a source imports from a module of the package which itself only imports them."""
    for node in ast.walk(source):
        if isinstance(node, ast.ImportFrom) and node.module != PUBLIC and module_file(node.module or ""):
            for alias in node.names:
                if alias.name in taken(node.module) and not module_file(f"{node.module}.{alias.name}"):
                    yield f"line {node.lineno}: {alias.name} of {node.module}"


def reached_second_hand(source: ast.Module) -> Iterator[str]:
    """The same by attribute of a module that the source imports."""
    known: dict[str, str] = {}
    for node in ast.walk(source):
        if isinstance(node, ast.ImportFrom):
            known |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            known |= {alias.asname or alias.name: alias.name for alias in node.names}
    known = {name: module for name, module in known.items() if module_file(module)}
    for node in ast.walk(source):
        if isinstance(node, ast.Attribute):
            module = known.get(ast.unparse(node.value))
            if module and node.attr in taken(module) and not module_file(f"{module}.{node.attr}"):
                yield f"line {node.lineno}: {node.attr} of {module}"


def second_hand(source: ast.Module) -> list[str]:
    return [*imported_second_hand(source), *reached_second_hand(source)]


@pytest.mark.parametrize("module", MODULES)
def test_names_are_taken_from_the_module_that_defines_them(module):
    """Through another, that one and all it imports would count among what rows are computed from."""
    assert second_hand(tree(module)) == []


def test_names_are_found_that_come_second_hand():
    good = "from spatial_assets.geometry.box_fit import gravity_aligned_box"
    good += "\nfrom spatial_assets.readers import segments\nsegments.Annotated, gravity_aligned_box.center"
    assert second_hand(ast.parse(good)) == []
    for source in (
        "def f():\n    from spatial_assets.readers.segments import gravity_aligned_box",
        "from spatial_assets.readers import segments as other\nother.gravity_aligned_box",
        "import spatial_assets.readers.segments\nspatial_assets.readers.segments.label_map.read",
    ):
        assert len(second_hand(ast.parse(source))) == 1, source


def test_tests_and_benchmarks_too_import_from_where_names_are_defined():
    """What they reach by attribute they put something else in place of, which counts in that module alone."""
    wrong = [
        f"{path.relative_to(ROOT.parent)}, {line}"
        for folder in ("tests", "benchmarks")
        for path in sorted((ROOT.parent / folder).rglob("*.py"))
        for line in imported_second_hand(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert wrong == []


def test_what_stands_loose():
    loose = {path.name for path in Path(spatial_assets.__file__).parent.glob("*.py")}
    assert loose == {"__init__.py", "__main__.py", "cli.py", "definitions.py"}


def test_files_are_of_a_human_size():
    long = {
        path.relative_to(ROOT).as_posix(): count
        for path in sorted(ROOT.rglob("*.py"))
        if (count := len(path.read_text(encoding="utf-8").splitlines())) > LONGEST
    }
    assert long == {}


GLOBBING = {"read_parquet", "scan_parquet", "read_csv", "scan_csv", "scan_ndjson", "read_ipc", "scan_ipc"}
"""Of polars, what takes a path with brackets or stars for a pattern where it is not told otherwise."""


def test_names_of_files_are_no_patterns():
    calls = [
        (module, node)
        for module in MODULES
        for node in ast.walk(tree(module))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in GLOBBING
        and ast.unparse(node.func.value) == "pl"
    ]
    assert calls
    for module, call in calls:
        told = {word.arg: ast.unparse(word.value) for word in call.keywords}
        assert told.get("glob") == "False", f"{module}: {ast.unparse(call)}"


OUTSIDE = sorted([*(ROOT.parent / "benchmarks").glob("*.py"), *(ROOT.parent / "tests/support").glob("*.py")])


@pytest.mark.parametrize("path", OUTSIDE, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_what_is_named_of_the_package_outside_it_is_there(path):
    """Neither mypy nor a test looks into benchmarks that are seldom run, and so a renaming would break them unseen."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    known = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "spatial_assets":
            module = import_module(node.module)
            for name in node.names:
                if not hasattr(module, name.name):
                    import_module(f"{node.module}.{name.name}")
                found = getattr(module, name.name)
                if isinstance(found, ModuleType):
                    known[name.asname or name.name] = found
    stored = {
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    arguments = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    missing = [
        f"line {node.lineno}: {node.value.id}.{node.attr}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Load)
        and isinstance(node.value, ast.Name)
        and node.value.id in known.keys() - stored - arguments
        and not hasattr(known[node.value.id], node.attr)
    ]
    assert not missing
