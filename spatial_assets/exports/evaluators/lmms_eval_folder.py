"""What makes an export `lmms-eval` stand alone: the scorers' own modules beside the data, `utils.py`, the tasks' YAML.

    <out>/<package>/       the modules of `spatial_assets.scoring` that score the tasks, their imports changed alone
    <out>/utils.py         what lmms-eval calls
    <out>/<task>.yaml      a split, or what a published benchmark's scorers take of it

The package's name has a hash of what is in it, so that two exports of different versions can be evaluated in one
process, and a module that was changed is found.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from spatial_assets.exports.evaluators import lmms_eval_task
from spatial_assets.lineage.code_versions import ROOT, closure
from spatial_assets.scoring.registry import benchmark, module_of
from spatial_assets.storage.hashing import hash_text

UTILS, YAML = "utils.py", ".yaml"
PACKAGE = "spatial_assets_scorer"
HASH_DIGITS = 12
INIT, ABOUT = "__init__.py", '"""The scorers of this task, as spatial_assets has them."""\n'
GENERATION = {"max_new_tokens": 2048, "temperature": 0, "do_sample": False, "until": []}
"""Greedy, and long enough to think. lmms-eval ends a response at its first empty line unless `until` is given."""
_HEAD = re.compile(r"^(\s*from )spatial_assets\.(?:scoring|exports)(?=[. ])", re.MULTILINE)


def modules(benchmarks: Sequence[str]) -> dict[str, str]:
    """The texts of the package's files by name, imports leading to `{package}`.

    Raises ValueError for a scorer that needs more than scorers.
    """
    names = closure((lmms_eval_task.__name__, *(module_of(name) for name in benchmarks)))
    found: dict[str, str] = {}
    for name in names:
        _, room, *rest = name.split(".")
        if not rest or (room != "scoring" and name != lmms_eval_task.__name__):
            raise ValueError(f"a scorer needs {name}, which does not stand alone")
        file = ROOT.joinpath(room, *rest).with_suffix(".py")
        found[file.name] = _HEAD.sub(r"\1{package}", file.read_text(encoding="utf-8"))
        beside = file.with_suffix(".json")
        if beside.is_file():
            found[beside.name] = beside.read_text(encoding="utf-8")
    return dict(sorted(found.items()))


def package_name(files: Mapping[str, str]) -> str:
    return f"{PACKAGE}_{hash_text(*(text for file in files.items() for text in file))[:HASH_DIGITS]}"


def write_package(out: Path, benchmarks: Sequence[str]) -> str:
    """Write the scorers below `out`; returns the package's name."""
    files = modules(benchmarks)
    name = package_name(files)
    (out / name).mkdir()
    (out / name / INIT).write_text(ABOUT, encoding="utf-8")
    for file, text in files.items():
        (out / name / file).write_text(text.replace("from {package}", f"from {name}"), encoding="utf-8")
    return name


def package_problem(folder: Path) -> str | None:
    """What is wrong with a package of scorers; None where it is as it was written."""
    files: dict[str, str] = {}
    for file in sorted(folder.iterdir()):
        try:
            if file.is_file():
                text = file.read_text(encoding="utf-8")
                files[file.name] = text.replace(f"from {folder.name}", "from {package}")
        except (OSError, ValueError):
            return f"its {file.name} is no text"
    if files.pop(INIT, None) != ABOUT:
        return f"its {INIT} is not the one that was written"
    return None if package_name(files) == folder.name else "its modules are not those that were written"


def utils(package: str, benchmarks: Sequence[str]) -> str:
    """The text of `utils.py`: the functions that the YAML names."""
    own = ",\n".join(f'    "{name}": {name}' for name in benchmarks)
    calls = "".join(
        f"\n\ndef only_{name}(dataset):\n"
        f'    return {lmms_eval_task.rows_of.__name__}(dataset, "{name}")\n'
        f"\n\ndef process_{name}(doc, results):\n"
        f'    return process_results("{name}", {name}, doc, results)\n'
        for name in benchmarks
    )
    task = lmms_eval_task.__name__.rpartition(".")[2]
    return (
        '"""What lmms-eval calls for the tasks in this folder. It needs numpy and Pillow alone."""\n\n'
        "import sys\nfrom pathlib import Path\n\n"
        "HERE = Path(__file__).resolve().parent\n"
        "if str(HERE) not in sys.path:\n    sys.path.append(str(HERE))\n\n"
        f"from {package} import {task}, {', '.join(benchmarks)}  # noqa: E402\n"
        f"from {package}.{task} import doc_to_target, process_results, rows_of  # noqa: E402, F401\n\n"
        f"BENCHMARKS = {{\n{own},\n}}\n\n\n"
        f"def doc_to_visual(doc):\n    return {task}.doc_to_visual(HERE, doc)\n\n\n"
        f"def doc_to_text(doc, lmms_eval_specific_kwargs=None):\n    return {task}.doc_to_text(doc)\n\n\n"
        f"def aggregate(results):\n    return {task}.aggregate(BENCHMARKS, results)\n"
        f"{calls}"
    )


def yaml(task: str, tag: str, name: str, split: str, files: Sequence[str], tasks: Sequence[str]) -> str:
    """A task's text: rows of `files` that the benchmark `name` scores, which are of `tasks`."""
    lines = [
        f"task: {json.dumps(task)}",
        f"tag: {json.dumps(tag)}",
        "dataset_path: parquet",
        "dataset_kwargs:",
        "  data_files:",
        f"    {json.dumps(split)}:",
        *(f"      - {json.dumps(file)}" for file in files),
        f"test_split: {json.dumps(split)}",
        f"process_docs: !function utils.only_{name}",
        "output_type: generate_until",
        "doc_to_visual: !function utils.doc_to_visual",
        "doc_to_text: !function utils.doc_to_text",
        "doc_to_target: !function utils.doc_to_target",
        "generation_kwargs:",
        *(f"  {key}: {json.dumps(value)}" for key, value in GENERATION.items()),
        f"process_results: !function utils.process_{name}",
        "metric_list:",
    ]
    for metric in lmms_eval_task.metrics(benchmark(name), tasks):
        lines += [
            f"  - metric: {json.dumps(metric)}",
            "    aggregation: !function utils.aggregate",
            "    higher_is_better: true",
        ]
    return "\n".join([*lines, "metadata:", "  version: 1.0", ""])
