"""SPAR's folder tree while it is written: files of questions that are named by their lines, indexes, shares of scenes.

What is in memory does not grow with the questions: there is a number for each scene, and a file is open for each
format of the task in hand.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from spatial_assets.exports.core.base import Question
from spatial_assets.exports.spar import layout
from spatial_assets.storage.atomic import naming, replace_text

ENCODED = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":")).encode
"""A record as its line: records are made here and hold no circles."""
Scene = tuple[str, str, str]
"""Dataset, release and scene."""


def scene_of(row: Mapping[str, Any]) -> Scene:
    return row["dataset"], row["release"], row["scene"]


@dataclass
class Lines:
    """A file of JSON lines that gets its name when all of them are there."""

    path: Path
    format: str
    file: IO[str]
    count: int = 0

    def add(self, record: Mapping[str, Any]) -> None:
        line = ENCODED(record)
        with naming(self.path):
            self.file.write(line + "\n")
        self.count += 1

    def close(self) -> Path:
        with naming(self.path):
            self.file.close()
        return self.path.rename(self.path.with_name(f"{self.format}_{self.count}.jsonl"))


@dataclass
class Tree:
    """The folders of an export. With several parts each is a tree of its own, with whole scenes in it."""

    out: Path
    parts: int = 1
    _part_of: dict[Scene, int] = field(default_factory=dict)
    _numbers: dict[Scene, int] = field(default_factory=dict)
    """Of each scene, how many records there are."""
    _folders: dict[tuple[str, str], str] = field(default_factory=dict)
    """Of a dataset's release."""
    _open: dict[tuple[int, str], Lines] = field(default_factory=dict)
    """By part and format."""
    _at: tuple[str, str, str] = ("", "", "")
    """Dataset's folder, split and task of the open files."""
    _index: dict[tuple[int, str, str], dict[str, Any]] = field(default_factory=dict)
    """By part, dataset's folder and split."""

    def assigned(self, questions: Iterator[Question]) -> Iterator[Question]:
        """The same, each scene's part and folder chosen as it first comes: parts get equally many scenes."""
        for question in questions:
            scene = scene_of(question.row)
            if scene not in self._part_of:
                self._part_of[scene] = len(self._part_of) % self.parts
            self._dataset(scene[0], scene[1])
            yield question

    def _dataset(self, dataset: str, release: str) -> str:
        """A dataset's second release has a folder of its own: its scenes may be called as the first one's are."""
        key = (dataset, release)
        if key not in self._folders:
            first = all(known != dataset for known, _ in self._folders)
            self._folders[key] = dataset if first else f"{dataset}-{release}"
        return self._folders[key]

    def part(self, scene: Scene) -> str:
        """Folder of the scene's part below `out`, with a stroke at its end where there is one."""
        return "" if self.parts == 1 else f"{_draft(self._part_of[scene])}/"

    def folder(self, row: Mapping[str, Any]) -> str:
        """What the dataset is called in the tree."""
        called = layout.task(row["task"]).datasets or {}
        name = self._dataset(row["dataset"], row["release"])
        return called.get(name, name)

    def images(self, row: Mapping[str, Any]) -> str:
        """Folder of a dataset's images, below `out`."""
        return f"{self.part(scene_of(row))}{layout.ROOT}/{self.folder(row)}/{layout.IMAGES}"

    def number(self, row: Mapping[str, Any]) -> int:
        """Running number of a scene's next record; counted over all tasks, so that an id stands once."""
        scene = scene_of(row)
        self._numbers[scene] = self._numbers.get(scene, -1) + 1
        return self._numbers[scene]

    def add(self, question: Question, record: Mapping[str, Any]) -> str:
        """Write a record. Returns the folder of its file, below its part."""
        row = question.row
        at = (self.folder(row), layout.split_folder(question.split), layout.task(row["task"]).folder)
        if at != self._at:
            self._settle()
            self._at = at
        part = self._part_of[scene_of(row)]
        key = (part, row["format"])
        if key not in self._open:
            self._open[key] = self._begun(part, row["format"])
        self._open[key].add(record)
        return self._folder(row["format"])

    def _root(self, part: int) -> Path:
        return self.out if self.parts == 1 else self.out / _draft(part)

    def _begun(self, part: int, form: str) -> Lines:
        path = self._root(part) / self._folder(form) / f".{form}.jsonl"
        with naming(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            return Lines(path, form, path.open("w", encoding="utf-8", newline="\n"))

    def _folder(self, form: str) -> str:
        """Of the open files of a format, below a part."""
        dataset, split, task = self._at
        return f"{layout.ROOT}/{dataset}/{layout.QUESTIONS}/{split}/{task}/{form}"

    def _settle(self) -> None:
        """Close the open files, and put them on the indexes."""
        dataset, split, task = self._at
        for (part, form), lines in sorted(self._open.items()):
            path = lines.close().relative_to(self._root(part)).as_posix()
            index = self._index.setdefault((part, dataset, split), {})
            root = f"{layout.ROOT}/{dataset}/{layout.IMAGES}"
            index[f"{dataset}_{task}_{form}"] = layout.entry(root, path, lines.count)
        self._open.clear()

    def close(self, extra: Mapping[str, Any] | None = None) -> None:
        """Write the indexes, one that mixes what `extra` adds among them, and give parts their names."""
        self._settle()
        mixed: dict[str, Any] = {}
        for (part, dataset, split), entries in sorted(self._index.items()):
            rows = sum(entry["length"] for entry in entries.values())
            self._write_index(part, layout.index_name(dataset, split, rows), entries)
            if split == layout.TRAIN:
                mixed |= entries
        if extra:
            mixed |= extra
            rows = sum(entry["length"] for entry in mixed.values())
            self._write_index(0, layout.index_name("mix", layout.TRAIN, rows), mixed)
        if self.parts > 1:
            made = sorted({part for part, _, _ in self._index})
            for part in made:
                (self.out / _draft(part)).rename(self.out / f"{part:05d}-of-{len(made):05d}")

    def _write_index(self, part: int, name: str, entries: Mapping[str, Any]) -> None:
        text = json.dumps(entries, indent=4, ensure_ascii=False, sort_keys=True) + "\n"
        replace_text(self._root(part) / layout.INDEX / name, text)

    def abandon(self) -> None:
        """Let go of open files where something went wrong."""
        for lines in self._open.values():
            try:
                lines.file.close()
            except OSError:
                continue
        self._open.clear()


def _draft(part: int) -> str:
    return f"{part:05d}"
