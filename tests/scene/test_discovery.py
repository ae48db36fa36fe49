"""What is declared in a folder is found there, without being run; every module that is found keeps its protocol."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from pathlib import Path
from typing import Protocol

import pytest

import spatial_assets
from spatial_assets.conformance import registry as conformance
from spatial_assets.readers import registry as readers
from spatial_assets.readers.base import Reader
from spatial_assets.scene import discovery
from spatial_assets.scoring import registry as scoring
from spatial_assets.studio.layouts import registry as layouts

ROOT = Path(spatial_assets.__file__).parent
MODULES = {
    "zebra": '"""The first line.\n\nThe rest.\n"""\nimport nowhere_to_be_found\ndef speak(): ...\n',
    "annotated": "speak: int = 3\n",
    "assigned": "other = speak = 3\n",
    "classy": "class speak: ...\n",
    "importer": "from .zebra import speak\n",
    "inner": "def outer():\n    def speak(): ...\n    speak = 3\n",
    "wordy": '"""\nspeak = 3\n"""\n# speak = 3\n',
    "quiet": "",
}


class Speaker(Protocol):
    VOICE: str

    def speak(self) -> str: ...


@pytest.fixture
def package(tmp_path, monkeypatch, request):
    name = f"discovered_{abs(hash(request.node.name))}"
    folder = tmp_path / name
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    for module, text in MODULES.items():
        (folder / f"{module}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    return name


def test_what_a_module_defines_itself_is_found_without_running_it(package):
    assert discovery.modules(package, "speak") == ("annotated", "assigned", "classy", "zebra")
    assert discovery.modules(package, "unspoken") == ()
    assert discovery.summary(package, "zebra") == "The first line."
    assert discovery.summary(package, "quiet") == ""


def test_a_module_that_lacks_a_part_is_told_so(package):
    assert discovery.parts(Speaker) == ("VOICE", "speak")
    with pytest.raises(TypeError, match=f"^{package}.annotated is no Speaker: it lacks VOICE$"):
        discovery.module(package, "annotated", Speaker)


def test_what_is_no_package_is_said(package):
    with pytest.raises(ModuleNotFoundError, match=f"{package}.quiet is not a package"):
        discovery.modules(f"{package}.quiet", "speak")


def test_the_rooms_hold_what_they_are_known_for():
    assert set(readers.READERS) >= {"scannet", "structured3d", "posed_rgbd", "vsibench"}
    assert not {"base", "files", "nyu40", "structured3d_depth", "registry"} & set(readers.READERS)
    more = {"arkitscenes_raw", "scannet_sens", "scannetpp_fisheye", "scannetpp_raw"}
    assert more < set(layouts.LAYOUTS) <= {*readers.READERS, *more}
    assert {"scannet", "structured3d", "posed_rgbd", "vsibench"} < set(layouts.LAYOUTS)
    assert set(scoring.BENCHMARKS) >= {"sparbench", "vsibench", "spatialmosaic"}
    assert "vlmevalkit" not in scoring.BENCHMARKS
    assert "vsibench" in conformance.BENCHMARKS


@pytest.mark.parametrize(
    ("find", "names"),
    [
        (readers.reader, readers.READERS),
        (layouts.layout, layouts.LAYOUTS),
        (scoring.benchmark, scoring.BENCHMARKS),
        (conformance.conformance, conformance.BENCHMARKS),
    ],
)
def test_whatever_is_found_offers_its_protocol_and_says_what_it_is(find, names):
    for name in names:
        found = find(name)
        assert len(inspect.getdoc(found).partition("\n")[0]) > 20
    with pytest.raises((KeyError, ValueError), match="none_such"):
        find("none_such")


def test_a_reader_knows_the_arguments_that_it_is_called_with():
    for name in readers.READERS:
        for part in ("find_scenes", "source_files", "read_scene"):
            wanted = list(inspect.signature(getattr(Reader, part)).parameters)[1:]
            assert list(inspect.signature(getattr(readers.reader(name), part)).parameters) == wanted


def test_listing_imports_no_reader_layout_or_scorer():
    """Commands wait for none of them: a reader may need a library that takes seconds, or is not installed."""
    program = (
        "import sys, spatial_assets.cli\n"
        "rooms = ('readers', 'studio.layouts', 'scoring', 'conformance')\n"
        "print([name for name in sys.modules for room in rooms\n"
        "       if name.startswith(f'spatial_assets.{room}.')\n"
        "       and name.rpartition('.')[2] not in ('base', 'registry', 'profile')])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def imports_by_name(path):
    """Calls that import what is not written down as another package's name."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            called = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if called in ("import_module", "__import__"):
                (named, *_) = node.args
                if not isinstance(named, ast.Constant) or str(named.value).startswith("spatial_assets"):
                    yield node


def defined_by(path):
    """Names that a module's own top level defines, by its syntax tree."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        yield from (target.id for target in targets if isinstance(target, ast.Name))


def test_lines_say_of_every_module_what_its_syntax_tree_does():
    wanted = {
        "read_back",
        "read_scene",
        "write_scene",
        "run",
        "PROFILES",
        "TASKS",
        "STAGE",
        "validate",
        "check",
    }
    for path in ROOT.rglob("*.py"):
        found = {name for name in wanted if discovery._defines(path, name)}
        assert found == wanted & set(defined_by(path)), path


def test_only_discovery_imports_by_name():
    """A dynamic import drops out of code versions, so nothing that computes may have one."""
    found = {path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.py") if any(imports_by_name(path))}
    # What is above the stages may name what is to be compiled.
    assert found == {"scene/discovery.py", "engine/compiling.py"}
