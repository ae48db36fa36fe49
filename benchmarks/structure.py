"""What a new reader, task, export or scorer touches, by the worked examples in `docs/`, and whose versions it changes.

    python -m benchmarks structure

An example is a block of code after a line that ends with its file's path in backquotes and a colon, a row of a table
after one that names the row above it, and what to run after `Run:`. Each kind is tried in a copy of the checkout of its
own, where its guide is followed and nothing else is done: the files that differ then are those that it touches.
"""

from __future__ import annotations

import filecmp
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from benchmarks.bars import Bar

CHECKOUT = Path(__file__).resolve().parents[1]
GUIDES = {
    "reader": "adding-a-dataset.md",
    "task": "adding-a-task.md",
    "export": "adding-an-export.md",
    "scorer": "adding-a-scorer.md",
}
"""What there are many of, and the guide with its worked example."""
MOST_FILES = 3
BLOCK = re.compile(r"`((?:spatial_assets|tests)/[\w/]+\.\w+)`:\n\n```\w+\n(.*?)```\n", re.DOTALL)
ROW = re.compile(r"`([\w/.-]+)`, below the row of `([\w-]+)`:\n\n```markdown\n(.*\n)```\n")
RUN = re.compile(r"Run:\n\n((?: {4}.*\n)+)")
LISTED = re.compile(r"Files touched, tests aside:\n\n((?:\d\. .*\n)+)")
CARRIED = (
    *("spatial_assets", "benchmarks", "deploy", "docs", "sql", "tests"),
    *("Makefile", "README.md", "dagster.yaml", "pyproject.toml", "requirements.lock", "workspace.yaml"),
)
"""What a copy of the checkout holds: what its tests read."""
TESTS = "tests/"
"""What lies below is no file that a newcomer is said to touch, the snapshots there among it."""
PROGRAMS = {"spatial-assets": ("-m", "spatial_assets"), "python": ()}
"""What the commands of guides begin with, by what Python is given in its place."""
VERSIONS = """
import json
from spatial_assets.evaluation.results import scorer_version
from spatial_assets.lineage.code_versions import stage_version
from spatial_assets.readers.registry import READERS
from spatial_assets.scoring.registry import BENCHMARKS
from spatial_assets.stages.pipeline import STAGES
print(json.dumps({
    **{f"{name} of {dataset}": stage_version(stage, dataset) for name, stage in STAGES.items() for dataset in READERS},
    **{f"scores of {name}": scorer_version(name) for name in BENCHMARKS},
}))
"""


@dataclass(frozen=True)
class Example:
    """A guide's worked example."""

    kind: str
    files: Mapping[str, str]
    """Path in the checkout to content, those of tests among them."""
    listed: Sequence[str]
    """Paths that the guide names as touched, tests aside; `<name>` stands for the example's."""
    rows: Sequence[tuple[str, str, str]] = ()
    """Path in the checkout, the row that stands above in a table there, and the new row."""
    commands: Sequence[str] = ()

    @property
    def named(self) -> list[str]:
        """Every file that the guide names as touched, for its example."""
        written = [path for path in self.files if not path.startswith(TESTS)]
        names = sorted({PurePosixPath(path).stem for path in written})
        return sorted({path.replace("<name>", name) for path in self.listed for name in names})


def example(kind: str) -> Example:
    """Raises ValueError where a guide does not say which files are touched, or shows none."""
    text = (CHECKOUT / "docs" / GUIDES[kind]).read_text(encoding="utf-8")
    lists, files = LISTED.findall(text), dict(BLOCK.findall(text))
    if len(lists) != 1 or not files:
        raise ValueError(f"{GUIDES[kind]}: {len(lists)} lists of files touched, {len(files)} files shown")
    listed = re.findall(r"^\d\. `([^`]+)`", lists[0], re.MULTILINE)
    commands = [line.strip() for block in RUN.findall(text) for line in block.splitlines()]
    return Example(kind, files, listed, ROW.findall(text), commands)


class Copy:
    """A checkout of its own in which some guides were followed."""

    def __init__(self, folder: Path, kinds: Sequence[str]) -> None:
        self.folder = folder
        for name in CARRIED:
            source = CHECKOUT / name
            # Times and compiled modules too, so that nothing is compiled anew.
            if source.is_dir():
                shutil.copytree(source, folder / name)
            else:
                shutil.copy2(source, folder / name)
        examples = [example(kind) for kind in kinds]
        for shown in examples:
            for path, text in shown.files.items():
                if (folder / path).exists():
                    raise ValueError(f"{GUIDES[shown.kind]}: {path} is there already")
                (folder / path).write_text(text, encoding="utf-8")
            for path, above, row in shown.rows:
                _put_row(folder / path, above, row)
        self._commands = list(dict.fromkeys(command for shown in examples for command in shown.commands))
        self._give(command for command in self._commands if TESTS not in command)

    def write_snapshots(self) -> None:
        """What guides have written anew below `tests`, which takes as long as all else here."""
        self._give(command for command in self._commands if TESTS in command)

    def _give(self, commands: Iterable[str]) -> None:
        for command in commands:
            program, *words = command.split()
            self.python(*PROGRAMS[program], *words)

    def changed(self) -> list[str]:
        """Files, sorted, that are new or other than in the checkout, those of tests aside."""
        return sorted(
            path for name in CARRIED for path in self._differing(name) if not path.startswith(TESTS)
        )

    def _differing(self, name: str) -> Iterator[str]:
        for path in sorted((self.folder / name).rglob("*")) or [self.folder / name]:
            own = path.relative_to(self.folder).as_posix()
            if path.is_file() and path.suffix != ".pyc":
                there = CHECKOUT / own
                if not there.is_file() or not filecmp.cmp(path, there, shallow=False):
                    yield own

    def python(self, *words: str | Path, status: int = 0) -> str:
        """What Python prints there. Raises RuntimeError, with its errors, where it ends with another status."""
        return _python(self.folder, *words, status=status)

    def run(self, *words: str | Path, status: int = 0) -> str:
        """The same of a command of `spatial-assets`."""
        return self.python("-m", "spatial_assets", *words, status=status)

    def versions(self) -> dict[str, str]:
        """Code versions of all assets, by name and dataset, and of all scorers."""
        return _versions(self.folder)


def _put_row(file: Path, above: str, row: str) -> None:
    """Raises ValueError where the table has not one row that begins with the name."""
    text = file.read_text(encoding="utf-8")
    begun = re.compile(rf"^\| `{above}` \|.*\n", re.MULTILINE)
    new, count = begun.subn(lambda found: found.group() + row, text)
    if count != 1:
        raise ValueError(f"{file}: {count} rows of `{above}`")
    file.write_text(new, encoding="utf-8")


def versions() -> dict[str, str]:
    """Those of the checkout itself."""
    return _versions(CHECKOUT)


def _versions(folder: Path) -> dict[str, str]:
    found: dict[str, str] = json.loads(_python(folder, "-c", VERSIONS))
    return found


def _python(folder: Path, *words: str | Path, status: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, *map(str, words)],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
    )
    if done.returncode != status:
        raise RuntimeError(
            f"{' '.join(map(str, words))}: status {done.returncode}\n{done.stdout}{done.stderr}"
        )
    return done.stdout


def changed(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """Names whose version is another, or gone; new ones are no change."""
    return [name for name, version in before.items() if after.get(name) != version]


@dataclass(frozen=True)
class Touched:
    """What came of trying an example."""

    kind: str
    files: Sequence[str]
    """That differ when the guide was followed, and those that it names besides."""
    versions: int
    """How many there were before."""
    changed: Sequence[str]
    new: int


def measured() -> Iterator[Touched]:
    """Every example, tried by itself."""
    before = versions()
    for kind in GUIDES:
        with tempfile.TemporaryDirectory() as folder:
            copy = Copy(Path(folder), [kind])
            files, after = copy.changed(), copy.versions()
        new = len(after.keys() - before.keys())
        files = sorted({*files, *example(kind).named})
        yield Touched(kind, files, len(before), changed(before, after), new)


def run() -> dict:
    """Measures and prints; returns the same as plain data."""
    found = {}
    for touched in measured():
        found[touched.kind] = {
            "files": list(touched.files),
            "versions": touched.versions,
            "changed": list(touched.changed),
            "new": touched.new,
        }
        print(
            f"a new {touched.kind}: {len(touched.files)} of at most {MOST_FILES} files, tests aside; "
            f"{len(touched.changed)} of {touched.versions} code versions change, {touched.new} come new"
        )
        print("".join(f"    {file}\n" for file in touched.files), end="")
        print("".join(f"    changed: {name}\n" for name in touched.changed), end="")
    return found


def bars() -> Iterator[Bar]:
    for kind, found in run().items():
        files, others = found["files"], found["changed"]
        yield Bar(
            f"files that a new {kind} touches, tests aside",
            f"<= {MOST_FILES}",
            f"{len(files)} ({', '.join(files)})",
            len(files) <= MOST_FILES,
        )
        yield Bar(
            f"other code versions that change with a new {kind}",
            "0",
            f"{len(others)} of {found['versions']}",
            not others,
        )
