"""The split that a dataset's own lists put a scene in: a scene's name a line, a file or several to a split.

Datasets name their lists each in its own way; here a scene is of `train`, `val` or `test`, or of none, where no list is
there that names it. Lists are looked for in a few places below the root, and none is ever needed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from spatial_assets.readers import files, labels
from spatial_assets.scene.model import InputError
from spatial_assets.scene.refs import SourceFile

ROLE = "splits"
TRAIN, VAL, TEST = "train", "val", "test"
COMMENT = "#"


@dataclass(frozen=True)
class Lists:
    """How a dataset's lists are called, where they may lie, and how it names what is in them."""

    name: re.Pattern[str]
    """Of a file; its group `split` is train, val or test."""
    folders: tuple[str, ...]
    """Below the root."""
    scene: re.Pattern[str]

    def there(self, root: Path) -> dict[str, str]:
        """Paths of the lists that are there, with their splits."""
        found = {}
        for folder in self.folders:
            for entry in files.entries(root, folder):
                match, path = self.name.fullmatch(entry.name), f"{folder}/{entry.name}".lstrip("/")
                if match is not None and files.is_file(root, path):
                    found[path] = match["split"]
        return found

    def files(self, root: Path) -> list[SourceFile]:
        return [SourceFile(path, ROLE) for path in self.there(root)]

    def split_of(self, root: Path, *names: str) -> str | None:
        """Of a scene, by any of the names that it goes by in lists, its own first.

        Raises InputError where two lists put it into different splits, and for a line that is no name.
        """
        first: tuple[str, str] | None = None
        for path, split in self.there(root).items():
            if self._names(root, path).isdisjoint(names):
                continue
            if first is not None and split != first[1]:
                raise InputError(
                    path, f"puts {names[0]} into {split}, and {first[0]} into {first[1]}", "contradiction"
                )
            first = first or (path, split)
        return None if first is None else first[1]

    def _names(self, root: Path, path: str) -> set[str]:
        found = set()
        for number, line in enumerate(files.read_text(root, path).removeprefix("\ufeff").splitlines(), 1):
            name = line.partition(COMMENT)[0].strip()
            if name and not self.scene.fullmatch(name):
                raise InputError(
                    path, f"line {number} is {labels.shown(name)}, not a scene's name", "malformed_file"
                )
            found.add(name)
        return found


def named(pattern: str, folders: tuple[str, ...], scene: re.Pattern[str]) -> Lists:
    """Lists whose names match a pattern with `{split}` in the split's place."""
    split = rf"(?P<split>{'|'.join((TRAIN, VAL, TEST))})"
    return Lists(re.compile(pattern.replace("{split}", split), re.ASCII), folders, scene)
