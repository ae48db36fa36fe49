"""The floor plan: which room may import which, no circles, and nothing handed on through a package."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import pytest

import spatial_assets
from spatial_assets.lineage.code_versions import ROOT, imported, module_file

CORE = {"storage", "geometry", "scene"}
INPUTS = {"tasks", "readers", *CORE}
ALLOWED: dict[str, set[str]] = {
    "scene": set(),
    "geometry": {"scene"},
    "storage": {"scene"},
    "imaging": {"scene"},
    "readers": CORE,
    "tasks": CORE,
    "stages": INPUTS,
    "lineage": {"stages", *INPUTS},
    "engine": {"lineage", "stages", *INPUTS},
    "releases": {"lineage", "stages", *INPUTS},
    "scoring": {"scene"},
    "rewards": {"scoring", "scene"},
    "audit": {"scoring", "releases", "storage", "scene"},
    "report": {"imaging", "lineage", "stages", *INPUTS},
    "exports": {"report", "audit", "imaging", "rewards", "scoring", "releases", "lineage", "stages", *INPUTS},
    "evaluation": {"report", "scoring", "lineage", "stages", *INPUTS},
    # Aside from the flow: data made from nothing, and published answers recomputed.
    "studio": {"geometry", "scene"},
    "conformance": {"readers", "geometry", "scene"},
}
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


def modules() -> list[str]:
    """All modules and packages by their full names."""
    found = []
    for path in sorted(ROOT.rglob("*.py")):
        names = path.relative_to(ROOT.parent).with_suffix("").parts
        found.append(".".join(names[:-1] if names[-1] == "__init__" else names))
    return found


def room(module: str) -> str:
    """The folder of the package that a module stands in; a loose module is a room of its own."""
    return [*module.split("."), "spatial_assets"][1]


def tree(module: str) -> ast.Module:
    base = ROOT.joinpath(*module.split(".")[1:])
    path = base / "__init__.py" if base.is_dir() else base.with_suffix(".py")
    return ast.parse(path.read_text(encoding="utf-8"))


MODULES = modules()
PACKAGES = [name for name in MODULES if ROOT.joinpath(*name.split(".")[1:]).is_dir()]


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


NUMPY = frozenset({"NDArray", "ArrayLike", "ndarray"})
KERNELS = {"kernel", "numpy_kernel", "inlined"}
"""Decorators of what numba types by itself: its arguments often have no annotations."""
SECTIONED = {"geometry", "scene"}
"""Rooms that all others call: their docstrings have numpydoc's sections, where others may say a shape in a sentence."""
SIZE = r"(?:\.\.\.|\d{1,3}(?: [A-Za-z])?|[A-Za-z_]+)"
SIZE = rf"{SIZE}(?: ?(?:[-+/]|\*\*?) ?{SIZE})*"
SHAPE = re.compile(rf"\((?:{SIZE}(?:, {SIZE})+(?: or more)?|{SIZE},|\.\.\.)\)")
"""(N,), (N, 3), (..., 4, 4), (2 * H, W) or (N, 2 or more)."""
ASIDE = re.compile(r"\([a-z_]+(?:, [a-z_]+)+\)")
"""Words in brackets, which look like a shape and are none, but for"""
SIDES = {"(rows, columns)", "(columns, rows)", "(height, width)"}
LIKE = re.compile(r"\b[Aa]s (?:in |of |by )?`(?:\w+\.)*(\w+)`")
"""Whose docstring says it."""


def words(node: ast.AST | None) -> set[str]:
    """All names in it."""
    parts = ast.walk(node) if node is not None else ()
    return {
        part.id if isinstance(part, ast.Name) else part.attr
        for part in parts
        if isinstance(part, ast.Name | ast.Attribute)
    }


def arrays_by_module() -> dict[str, set[str]]:
    """What each module calls arrays in annotations: numpy's own names, and aliases that it makes or imports."""
    made: dict[str, set[str]] = {}
    for module in MODULES:
        made[module] = set()
        for node in tree(module).body:
            if isinstance(node, ast.Assign):
                named = words(node.value)
                if named & (NUMPY | made[module]) and "Callable" not in named:
                    made[module] |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    found = {module: NUMPY | names for module, names in made.items()}
    for module in MODULES:
        for node in ast.walk(tree(module)):
            if isinstance(node, ast.ImportFrom):
                own = made.get(node.module or "", set())
                found[module] = found[module] | {a.asname or a.name for a in node.names if a.name in own}
    return found


def public(body: list[ast.stmt], prefix: str = "") -> Iterator[tuple[str, ast.FunctionDef]]:
    """Functions and methods that others may call, by their names."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            if isinstance(node, ast.FunctionDef):
                yield prefix + node.name, node
            else:
                yield from public(node.body, f"{prefix}{node.name}.")


def arguments(function: ast.FunctionDef) -> list[ast.arg]:
    given = function.args
    starred = [one for one in (given.vararg, given.kwarg) if one is not None]
    return [*given.posonlyargs, *given.args, *given.kwonlyargs, *starred]


def looked_into(function: ast.FunctionDef) -> bool:
    """Whether a kernel looks into one of its arguments that have no annotation: it is an array."""
    if not any(words(made) & KERNELS for made in function.decorator_list):
        return False
    bare = {one.arg for one in arguments(function) if one.annotation is None}
    return any(
        isinstance(node, ast.Subscript | ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id in bare
        for node in ast.walk(function)
    )


def told_by(docstring: str | None) -> set[str]:
    """Which of numpydoc's sections on arrays there are, and whether there is a shape."""
    lines = (docstring or "").splitlines()
    underlined = {line for line, below in pairwise(lines) if below and set(below) == {"-"}}
    brackets = {match.group() for match in SHAPE.finditer(" ".join(map(str.strip, lines)))}
    shapes = {text for text in brackets if text in SIDES or not ASIDE.fullmatch(text)}
    return underlined & {"Parameters", "Returns"} | ({"shape"} if shapes else set())


ARRAYS = arrays_by_module()
TELLING = {
    name.split(".")[-1]
    for module in MODULES
    for name, function in public(tree(module).body)
    if told_by(ast.get_docstring(function))
}
"""Names of functions that others may say they are like."""


def silent_on_arrays(module: str, body: list[ast.stmt]) -> list[str]:
    """Public functions that take or return arrays and do not say which."""
    sectioned = room(module) in SECTIONED
    found = []
    for name, function in public(body):
        takes = any(words(one.annotation) & ARRAYS[module] for one in arguments(function))
        returns = bool(words(function.returns) & ARRAYS[module])
        docstring = ast.get_docstring(function)
        told = told_by(docstring)
        good = bool(told) or not TELLING.isdisjoint(LIKE.findall(docstring or ""))
        if sectioned and (takes or returns):
            good = "Parameters" in told or not takes
            good = good and ("Returns" in told or not returns)
        if not good and (takes or returns or looked_into(function)):
            found.append(name)
    return found


@pytest.mark.parametrize("module", MODULES)
def test_what_takes_or_returns_arrays_says_what_they_are(module):
    """A shape or a unit is in no annotation."""
    assert silent_on_arrays(module, tree(module).body) == []


PARAMETERS, RETURNS = (f"{name}\n    {'-' * len(name)}\n    x : (N,)" for name in ("Parameters", "Returns"))


@pytest.mark.parametrize(
    ("where", "head", "docstring", "silent"),
    [
        ("tasks.core.laws", "def f(x: Float) -> None", "", True),
        ("tasks.core.laws", "def f(x: Float) -> None", "Of values (N,).", False),
        ("tasks.core.laws", "def f(x: Box) -> None", "", False),
        ("tasks.core.laws", "def _f(x: Float) -> None", "", False),
        (
            "tasks.core.laws",
            "def f() -> dict[str, Indices]",
            "How many (see above), of all (one, two).",
            True,
        ),
        ("tasks.core.laws", "def f() -> dict[str, Indices]", "(...), how many.", False),
        ("tasks.core.laws", "def f(*x: Indices) -> None", "Numbers (Morton, 1966).", True),
        ("tasks.core.laws", "def f(x: Float) -> None", "As `cameras.project`.", False),
        ("tasks.core.laws", "def f(x: Float) -> None", "As in `nothing`.", True),
        ("tasks.core.laws", "@kernel\ndef f(x)", "The first.", True),
        ("tasks.core.laws", "def f(x)", "The first.", False),
        ("geometry.cameras", "def f(x: Float) -> None", "Of points (N, 3), as of `project`.", True),
        ("geometry.cameras", "def f(x: Float) -> None", PARAMETERS, False),
        ("geometry.cameras", "def f(x: Float) -> Float", PARAMETERS, True),
        ("geometry.cameras", "def f() -> Float", RETURNS, False),
    ],
)
def test_silence_on_arrays_is_heard(where, head, docstring, silent):
    text = f'{head}:\n    """{docstring}"""\n    return x[0]\n'
    assert silent_on_arrays(f"spatial_assets.{where}", ast.parse(text).body) == (["f"] if silent else [])


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
