"""Code versions: a hash of what rows are computed from, in code, data files and tables' columns.

Not the git commit: an edit elsewhere leaves a version alone, and so recomputes nothing. A version covers

- the modules that a stage names and all that they import, directly or not, read from their source text: comments,
  docstrings and layout do not count, since no computed value can depend on them;
- the JSON file that stands beside a module under its own name, and the data files that the stage names;
- the columns of the tables that the stage reads and writes: names, types, nullability, order of rows.

It does not cover how rows are carried: imports are not followed into the modules of CARRIERS, and the rooms above
`stages` are imported by nothing that computes. What a version stands for is kept, so that a change can be named:

    <home>/records/code/<version>.json      {part: hash of it}
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pyarrow as pa

from spatial_assets.lineage import source_files
from spatial_assets.scene.tables import Table
from spatial_assets.stages.stage import Stage
from spatial_assets.storage.atomic import replace_text
from spatial_assets.storage.hashing import hash_text

PACKAGE = "spatial_assets"
ROOT = Path(__file__).resolve().parents[1]
CARRIERS = {
    "spatial_assets.geometry.kernels.folder": "names the folder that compiled kernels are kept in",
    "spatial_assets.readers.registry": "finds a dataset's reader, whose module the stage names",
    "spatial_assets.scene.frame_set_tables": "declares tables, as `scene.tables` does",
    "spatial_assets.scene.optional_tables": "declares tables, as `scene.tables` does",
    "spatial_assets.scene.tables": "declares all tables, of which the stage's own count by their columns",
    "spatial_assets.scoring.registry": "finds a benchmark, whose module the version of its scores names",
    "spatial_assets.stages.stage": "is the form in which a stage is declared",
    "spatial_assets.storage.atomic": "writes a file whole or not at all",
    "spatial_assets.storage.lake": "reads and writes tables as they are declared",
    "spatial_assets.storage.release_manifest": "says where a release's files stand",
    "spatial_assets.tasks.registry": "finds a task, whose module the stage names",
}
"""Modules that computing code imports and that change none of its rows, with the reason."""


@cache
def code_version(
    modules: tuple[str, ...],
    data: tuple[str, ...] = (),
    tables: tuple[Table, ...] = (),
    root: Path = ROOT,
) -> str:
    """Hash of the parts of the same arguments. 32 hex digits."""
    version = hash_text(*(text for part in parts(modules, data, tables, root).items() for text in part))
    source_files.keep()
    return version


def stage_version(stage: Stage, *datasets: str) -> str:
    """The version of what computes a stage's rows for a dataset, or of what it names for each of several.

    That of all datasets, which leaves their readers out, is what Dagster is given: it has one version for an asset, and
    would show the rows of all datasets as outdated by a change to one reader. Nothing is computed by it: what is to be
    computed follows from each scene's record and its own dataset's version.
    """
    return code_version(*_used_by(stage, datasets))


def parts(
    modules: tuple[str, ...],
    data: tuple[str, ...] = (),
    tables: tuple[Table, ...] = (),
    root: Path = ROOT,
) -> dict[str, str]:
    """What a version covers, with the hash of each part, sorted.

    A part is a file, relative to the package, or `scene/tables.py#<table>` for the columns of a table. `data` is
    relative to the package too, and `root` is the package's folder.
    """
    found: dict[str, str] = {}
    for module in closure(modules, root):
        found.update(_parts_of(module, root))
    for name in data:
        found[name] = _data_hash(name, root)
    for table in tables:
        # Members of a family have one and the same columns.
        found[f"scene/tables.py#{table.name.split('/')[0]}"] = columns_hash(table)
    return dict(sorted(found.items()))


@cache
def _parts_of(module: str, root: Path) -> dict[str, str]:
    """The parts that a module brings itself, as this process first found them: nearly all stages share most modules."""
    file = _existing(module, root)
    found = {file.relative_to(root).as_posix(): source_files.read(file).tokens}
    beside = file.with_suffix(".json")
    # What stands beside a module of tasks is a task's wording: that task's alone, and named among its data.
    if beside.is_file() and not source_files.read(file).declares_tasks:
        name = beside.relative_to(root).as_posix()
        found[name] = _data_hash(name, root)
    return found


@cache
def _data_hash(name: str, root: Path) -> str:
    return hash_text((root / name).read_text(encoding="utf-8"))


@cache
def closure(modules: tuple[str, ...], root: Path = ROOT) -> tuple[str, ...]:
    """The modules and all of this package that they import, directly or not, carriers aside; sorted."""
    seen: set[str] = set()
    frontier = list(modules)
    while frontier:
        module = frontier.pop()
        if module not in seen and module not in CARRIERS:
            seen.add(module)
            frontier.extend(imported(module, root))
    return tuple(sorted(seen))


@cache
def imported(module: str, root: Path = ROOT) -> frozenset[str]:
    """Modules of this package that a module imports anywhere in its source, by their full names.

    A name that is taken from a package is that package's own. Raises ValueError for a relative import.
    """
    file = _existing(module, root)
    found: set[str] = set()
    for line, level, taken_from, names in source_files.read(file).imports:
        if taken_from is None:
            found.update(names)
        elif level or not taken_from:
            raise ValueError(f"{file}:{line}: a relative import, which no version follows")
        else:
            inner = {f"{taken_from}.{name}" for name in names}
            modules = {name for name in inner if module_file(name, root) is not None}
            found |= modules if modules == inner else modules | {taken_from}
    return frozenset(name for name in found if module_file(name, root) is not None)


@cache
def module_file(module: str, root: Path = ROOT) -> Path | None:
    """The source of a module of this package; None for another package's or for no module at all."""
    if module != PACKAGE and not module.startswith(PACKAGE + "."):
        return None
    base = root.joinpath(*module.split(".")[1:])
    for candidate in (base / "__init__.py", base.with_suffix(".py")):
        if candidate.is_file():
            return candidate
    return None


def _existing(module: str, root: Path) -> Path:
    """Raises ValueError for what is no module: a stage names one that is gone."""
    file = module_file(module, root)
    if file is None:
        raise ValueError(f"no module {module} under {root}")
    return file


@cache
def columns_hash(table: Table) -> str:
    """Hash of what a table's rows look like: of its columns' meanings only people take notice."""
    columns = [f"{c.name} {_type_name(c.type)}{'?' if c.nullable else ''}" for c in table.columns]
    return hash_text(*columns, "order", *table.order)


def _type_name(kind: pa.DataType) -> str:
    """A type spelled out by us, since pyarrow's own names for items of lists have changed."""
    if pa.types.is_list(kind):
        return f"[{_type_name(kind.value_type)}]"
    if pa.types.is_struct(kind):
        return "{" + ", ".join(f"{field.name}: {_type_name(field.type)}" for field in kind) + "}"
    return str(kind)


def _used_by(
    stage: Stage, datasets: tuple[str, ...]
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[Table, ...]]:
    """Modules that a stage names for each of the datasets, its data files and tables."""
    modules = tuple(sorted(set.intersection(*(set(stage.modules(dataset)) for dataset in datasets))))
    read = tuple(table for table in stage.reads if isinstance(table, Table))
    return modules, stage.data, (*read, *stage.tables)


def stage_parts(stage: Stage, *datasets: str) -> dict[str, str]:
    """What `stage_version` of the same arguments covers, with the hash of each part."""
    return parts(*_used_by(stage, datasets))


def keep(home: Path, stage: Stage, dataset: str) -> str:
    """Write down what the stage's present code version stands for, if that is not known yet. Returns the version."""
    version = stage_version(stage, dataset)
    path = _path(home, version)
    if not path.exists():
        replace_text(path, json.dumps(stage_parts(stage, dataset), indent=1) + "\n")
    return version


def changed(home: Path, version: str, stage: Stage, dataset: str) -> list[str] | None:
    """Parts that differ between a recorded version and the present code; None where the version was not kept."""
    path = _path(home, version)
    if not path.exists():
        return None
    then: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    now = stage_parts(stage, dataset)
    return sorted(name for name in then.keys() | now.keys() if then.get(name) != now.get(name))


def _path(home: Path, version: str) -> Path:
    return Path(home) / "records" / "code" / f"{version}.json"
