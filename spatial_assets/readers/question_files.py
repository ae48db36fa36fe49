"""Questions that people wrote about ScanNet's scenes, of all scenes in one file a split: ScanQA's and SQA3D's.

    ScanQA_v1.0_<train|val>.json                        [{scene_id, question_id, question, answers, ...}, ...]
    v1_balanced_questions_<split>_scannetv2.json        {questions: [{scene_id, question_id, situation, question}]}
    v1_balanced_sqa_annotations_<split>_scannetv2.json  {annotations: [{scene_id, question_id, answers: [{answer}]}]}

They stand in a root beside its scenes, or in a folder of their own there. ScanQA's test splits have no answers, and are
not opened. What is wrong with a file or an entry costs itself alone, never the scene: it is counted, and a line says
what it is.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from spatial_assets.readers import files, labels
from spatial_assets.scene.english import plural
from spatial_assets.scene.model import InputError, QuotedQuestion
from spatial_assets.scene.refs import SourceFile

SCANQA, SQA3D = "ScanQA", "SQA3D"
LICENSES = {
    SCANQA: "CC BY-NC-SA 3.0 (ScanQA questions and answers)",
    SQA3D: "CC BY 4.0 (SQA3D questions and answers)",
}
"""Of the words. The scenes' own terms hold beside them."""
FOLDERS = ("", "ScanQA", "SQA3D", "questions", "data/qa", "data/ScanQA", "data/SQA3D")
"""Where a root may keep them."""
QUESTIONS, ANSWERS = "questions", "annotations"
NAMES = {
    (SCANQA, QUESTIONS): re.compile(r"ScanQA_v1\.0_(train|val)\.json", re.ASCII),
    (SQA3D, QUESTIONS): re.compile(r"v1_balanced_questions_(train|val|test)_scannetv2\.json", re.ASCII),
    (SQA3D, ANSWERS): re.compile(r"v1_balanced_sqa_annotations_(train|val|test)_scannetv2\.json", re.ASCII),
}
"""What a file is called that holds a part of a collection."""
ROLE = "questions"
LONGEST_TEXT = 4000
"""Characters of a question, a situation or an answer; the longest published ones have some hundreds."""
MALFORMED, TWICE, UNANSWERED, UNASKED = "malformed_entry", "duplicate_id", "no_answer", "no_question"
MEANINGS = {
    MALFORMED: "an entry lacks something, or has it in another form than the collection's",
    TWICE: "its id is that of an entry before it; the first one is kept",
    UNANSWERED: "there is no answer to it",
    UNASKED: "an answer without a question",
}


class QuestionFile(NamedTuple):
    path: str
    collection: str
    part: str
    split: str


@dataclass
class _Parsed:
    """A collection's split: its questions by scene, and what was dropped, by scene, reason and file."""

    by_scene: dict[str, list[QuotedQuestion]] = field(default_factory=dict)
    dropped: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    examples: dict[tuple[str, str], str] = field(default_factory=dict)
    """The first of each reason and file, in words."""
    ids: set[str] = field(default_factory=set)
    """Of the questions."""
    failed: list[InputError] = field(default_factory=list)
    """Of files that cannot be read at all."""

    def drop(self, scene: str, reason: str, path: str, what: str) -> None:
        self.dropped[scene, reason, path] += 1
        self.examples.setdefault((reason, path), what)


class Found(NamedTuple):
    """Questions about one scene, by collection, split and id, and what became none: by reason and detail, how many."""

    questions: tuple[QuotedQuestion, ...]
    dropped: dict[tuple[str, str], int]


def question_files(root: Path) -> list[QuestionFile]:
    """Those that a root has, sorted by path. Of a part that is there twice the first counts, by the folders' order."""
    return _look(root)[0]


def _look(root: Path) -> tuple[list[QuestionFile], list[InputError]]:
    """The files, and those that are no others' equals, a line each."""
    found: dict[tuple[str, str, str], QuestionFile] = {}
    twice: list[InputError] = []
    for folder in FOLDERS:
        for entry in files.entries(root, folder):
            for (collection, part), pattern in NAMES.items():
                match = pattern.fullmatch(entry.name)
                path = f"{folder}/{entry.name}".lstrip("/")
                if match is None or not files.is_file(root, path):
                    continue
                own = QuestionFile(path, collection, part, match[1])
                first = found.setdefault((collection, part, match[1]), own)
                if first != own:
                    what = f"{first.path} is the same part of {collection}, and is read in its place"
                    twice.append(InputError(path, what, "contradiction"))
    return sorted(found.values()), twice


def source_files(root: Path) -> list[SourceFile]:
    return [SourceFile(file.path, ROLE) for file in question_files(root)]


def read_questions(root: Path, scene: str) -> Found:
    """Those about a scene; what is wrong with files or entries is among what was dropped."""
    kept: list[QuotedQuestion] = []
    dropped: Counter[tuple[str, str]] = Counter()
    for parsed in _all(root):
        kept += parsed.by_scene.get(scene, [])
        for (own, reason, path), count in parsed.dropped.items():
            if own == scene:
                dropped[reason, f"{path}: {MEANINGS[reason]}"] += count
        for error in parsed.failed:
            dropped[error.reason, str(error)] += 1
    ordered = sorted(kept, key=lambda question: (question.collection, question.split, question.id))
    return Found(tuple(ordered), dict(sorted(dropped.items())))


def problems(root: Path, scenes: Collection[str]) -> list[InputError]:
    """A line for each file that cannot be read, each reason for which one's entries are dropped, and each that asks
    about scenes that are not here."""
    found = _look(root)[1]
    for parsed in _all(root):
        found += parsed.failed
        counts: Counter[tuple[str, str]] = Counter()
        for (_, reason, path), count in parsed.dropped.items():
            counts[path, reason] += count
        for (path, reason), count in sorted(counts.items()):
            example = parsed.examples[reason, path]
            told = f"{count} dropped, since {MEANINGS[reason]}: {example}"
            found.append(InputError(path, told, reason))
        asked: dict[str, Counter[str]] = {}
        for scene, questions in parsed.by_scene.items():
            if scene not in scenes:
                for question in questions:
                    asked.setdefault(question.path, Counter())[scene] += 1
        for path, absent in sorted(asked.items()):
            about = plural(len(absent), "scene that is", "scenes that are")
            told = f"{plural(absent.total(), 'question')} about {about} not here, as {min(absent)}"
            found.append(InputError(path, told, "unknown_scene"))
    return found


_parsed: dict[Path, tuple[tuple[Any, ...], list[_Parsed]]] = {}
"""Files hold the questions of all scenes, so that each is parsed once while it is unchanged."""


def _all(root: Path) -> list[_Parsed]:
    listed = question_files(root)
    states = []
    for file in listed:
        with files.reading(file.path):
            stat = (root / file.path).stat()
        # An edit can keep size and mtime, or set them back; not ctime and the inode.
        states.append((file, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns))
    state = tuple(states)
    if root not in _parsed or _parsed[root][0] != state:
        parts: dict[tuple[str, str], dict[str, str]] = {}
        for file in listed:
            parts.setdefault((file.collection, file.split), {})[file.part] = file.path
        found = [READ[collection](root, split, paths) for (collection, split), paths in sorted(parts.items())]
        _only_once(found)
        _parsed[root] = state, found
    return _parsed[root][1]


def _only_once(found: list[_Parsed]) -> None:
    """Drops whatever has the id of one before it, in its own split or an earlier one of the collection."""
    seen: dict[tuple[str, str], str] = {}
    for parsed in found:
        for scene, questions in parsed.by_scene.items():
            kept = []
            for question in questions:
                first = seen.setdefault((question.collection, question.id), question.path)
                # Within a file ids are told apart as it is read.
                if first == question.path:
                    kept.append(question)
                else:
                    parsed.drop(scene, TWICE, question.path, f"{question.id} is in {first} too")
            parsed.by_scene[scene] = kept


def _scanqa(root: Path, split: str, paths: dict[str, str]) -> _Parsed:
    path = paths[QUESTIONS]
    made = _Parsed()
    for held in _entries(made, root, path, None):
        texts = _answers(held.get("answers"))
        _add(made, SCANQA, split, path, held, None, [text for text in texts if text], None in texts)
    return made


def _sqa3d(root: Path, split: str, paths: dict[str, str]) -> _Parsed:
    made = _Parsed()
    missing = next((part for part in (QUESTIONS, ANSWERS) if part not in paths), None)
    if missing is not None:
        (path,) = paths.values()
        told = f"{SQA3D}'s {missing} of the split {split} are not beside it"
        made.failed.append(InputError(path, told, "missing_file"))
        return made
    answers: dict[str, tuple[str, list[str | None]]] = {}
    for held in _entries(made, root, paths[ANSWERS], ANSWERS):
        own, scene = _identity(held.get("question_id")), _identity(held.get("scene_id"))
        texts = _answers(held.get("answers"), "answer")
        if own is None or scene is None:
            made.drop(scene or "", MALFORMED, paths[ANSWERS], labels.shown(held))
        elif own in answers:
            made.drop(scene, TWICE, paths[ANSWERS], own)
        else:
            answers[own] = scene, texts
    path, asked = paths[QUESTIONS], set[str]()
    if made.failed:
        return made
    for held in _entries(made, root, path, QUESTIONS):
        own = _identity(held.get("question_id"))
        scene, texts = answers.get(own or "", (held.get("scene_id"), []))
        asked.add(own or "")
        situation = _text(held.get("situation"))
        wrong = situation is None or None in texts or scene != held.get("scene_id")
        _add(made, SQA3D, split, path, held, situation, [text for text in texts if text], wrong)
    for own in sorted(answers.keys() - asked) if not made.failed else ():
        made.drop(answers[own][0], UNASKED, paths[ANSWERS], own)
    return made


READ: dict[str, Callable[[Path, str, dict[str, str]], _Parsed]] = {SCANQA: _scanqa, SQA3D: _sqa3d}
"""By collection, from a split's paths by part to what they say."""


def _entries(made: _Parsed, root: Path, path: str, key: str | None) -> Iterator[dict[str, Any]]:
    """A file's entries that are objects: the file itself is their list, or has it by a key."""
    try:
        held = files.read_json(root, path)
        listed = held.get(key) if key is not None and isinstance(held, dict) else held
        if not isinstance(listed, list):
            what = "a list" if key is None else f"an object with a list of {key}"
            raise InputError(path, f"{labels.shown(held)}, not {what}", "malformed_file")
    except InputError as error:
        made.failed.append(error)
        return
    for number, entry in enumerate(listed):
        if isinstance(entry, dict):
            yield entry
        else:
            made.drop("", MALFORMED, path, f"entry {number + 1} is {labels.shown(entry)}")


def _add(
    made: _Parsed, collection: str, split: str, path: str, held: dict[str, Any], situation: str | None,
    answers: list[str], wrong: bool,
) -> None:  # fmt: skip
    """An entry as a question, or the reason why it is none. The answers are kept as they come, each once."""
    scene, own, question = (
        _identity(held.get("scene_id")),
        _identity(held.get("question_id")),
        _text(held.get("question")),
    )
    if scene is None or own is None or question is None or wrong:
        made.drop(scene or "", MALFORMED, path, f"{own or labels.shown(held)}")
    elif not answers:
        made.drop(scene, UNANSWERED, path, own)
    elif own in made.ids:
        made.drop(scene, TWICE, path, own)
    else:
        made.ids.add(own)
        made.by_scene.setdefault(scene, []).append(
            QuotedQuestion(
                collection,
                LICENSES[collection],
                split,
                own,
                situation,
                question,
                tuple(dict.fromkeys(answers)),
                path,
            )
        )


def _answers(listed: Any, key: str | None = None) -> list[str | None]:
    """Texts of a list, or of what its objects have by a key; None for one that is no text, and for what is no list."""
    if not isinstance(listed, list):
        return [None]
    if key is not None:
        listed = [item.get(key) if isinstance(item, dict) else None for item in listed]
    return [_text(item) for item in listed]


def _identity(value: Any) -> str | None:
    """An id as text: a number, or a word that a table can show."""
    if type(value) is int and abs(value) < 1 << 63:
        return str(value)
    if isinstance(value, str) and value.isprintable() and 0 < len(value) <= labels.SHOWN:
        return value
    return None


def _text(value: Any) -> str | None:
    """Words with single spaces between them; None for what has none, or cannot be shown."""
    if not isinstance(value, str):
        return None
    text = " ".join(value.split())
    fit = 0 < len(text) <= LONGEST_TEXT and text.isprintable() and any(map(str.isalnum, text))
    return text if fit else None
