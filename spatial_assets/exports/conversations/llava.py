"""LLaVA's conversations: JSON lists that the fine-tuning of LLaVA and LLaVA-NeXT reads.

    <out>/<split>.json, or <split>-00000-of-00004.json and so on     [{"id", "image", "conversations"}, ...]
    <out>/ids.parquet                                                of each record its row's id, origin and answer
    <out>/images/                                                    what `--image_folder <out>` and `image` lead to

`image` is a path, or a list of paths where a question shows several, which LLaVA-NeXT reads. A human's turn begins with
one `<image>` for each, in their order; a model's turn holds none. The trainer ignores the keys beside these three:
they say where a row comes from.
https://github.com/haotian-liu/LLaVA/blob/main/docs/Finetune_Custom_Data.md, LLaVA-NeXT's llava/train/train.py
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from spatial_assets.exports.core import files
from spatial_assets.exports.core.base import Options, Question, Source
from spatial_assets.exports.core.export_images import Images
from spatial_assets.exports.core.ids import IDS, Ids, answers_of, differs, noted
from spatial_assets.exports.core.image_checks import wrong_image
from spatial_assets.scene.model import InputError

SUFFIX = ".json"
TOKEN = "<image>"
"""Where the trainer puts an image's features; as many in a conversation as it has images."""
HUMAN, MODEL = "human", "gpt"
TURNS = (HUMAN, MODEL)
FROM_THE_ROW = ("split", "dataset", "release", "scene", "license", "task", "format", "frames")
"""Keys beside the trainer's own, as in the release."""
CARRIES = frozenset({"qa_id", "question", "answer", *FROM_THE_ROW})
TAKES = frozenset({"image-format"})


def write(source: Source, out: Path, options: Options) -> None:
    with Images.of(out, options) as images, Ids(out) as ids:
        for split, count in source.splits.items():
            placed = images.placed(source.questions(split))

            def put(path: Path, own: Iterator[tuple[Question, Sequence[str]]], split: str = split) -> None:
                files.write_json_list(path, (_record(*each) for each in noted(own, ids, split, path.name)))

            files.write_shards(out, split, SUFFIX, placed, count, options.shards, put)


def _record(question: Question, images: Sequence[str]) -> dict[str, Any]:
    row = question.row
    for text in (row["question"], row["answer"]):
        if TOKEN in text:
            raise InputError(
                row["qa_id"], f"its text holds {TOKEN}, which stands for an image", "malformed_row"
            )
    record: dict[str, Any] = {"id": row["qa_id"]}
    if images:
        record["image"] = images[0] if len(images) == 1 else list(images)
    record["conversations"] = [
        {"from": HUMAN, "value": f"{TOKEN}\n" * len(images) + row["question"]},
        {"from": MODEL, "value": row["answer"]},
    ]
    from_the_row = {**row, "split": question.split}
    return record | {name: from_the_row[name] for name in FROM_THE_ROW}


def read_back(path: Path) -> Iterator[dict[str, Any]]:
    for file in files.found(path, SUFFIX):
        for record in _records(file):
            try:
                asked, answered = (turn["value"] for turn in record["conversations"])
                row = {name: record[name] for name in FROM_THE_ROW}
                count = len(_paths(record))
                yield {
                    "qa_id": record["id"],
                    "question": asked.removeprefix(f"{TOKEN}\n" * count),
                    "answer": answered,
                    **row,
                }
            except (KeyError, TypeError, ValueError, AttributeError):
                raise InputError(
                    file, f"{_shown(record)} was not written by this export", "malformed_file"
                ) from None


def validate(path: Path) -> list[str]:
    """The three keys, the turns, unique ids, tokens against images, every image opened, answers against `ids.parquet`.

    A list of another's making, without that table, is checked for all but the answers.
    """
    try:
        paths = files.found(path, SUFFIX)
    except InputError as error:
        return [str(error)]
    root = path if path.is_dir() else path.parent
    errors: list[str] = []
    ids: dict[str, str] = {}
    opened: dict[str, str | None] = {}
    wanted: dict[str, dict[str, tuple[str, int]]] = {}
    if (root / IDS).exists():
        try:
            wanted = answers_of(root)
        except InputError as error:
            errors.append(str(error))
    for file in paths:
        own = wanted.get(file.relative_to(root).as_posix())
        try:
            records = _records(file)
        except InputError as error:
            errors.append(str(error))
            continue
        for number, record in enumerate(records):
            where = f"{file.name}: record {number}"
            errors += [f"{where}: {what}" for what in _wrong(record, root, opened)]
            name = record.get("id") if isinstance(record, Mapping) else None
            if own is not None and (told := _told(record)):
                errors += [f"{where}: {what}" for what in differs(own, *told)]
            if isinstance(name, str) and ids.setdefault(name, where) != where:
                errors.append(f"{where}: id {name} is that of {ids[name]}")
        if own is not None and len(records) < len(own):
            errors.append(f"{file.name}: ends after {len(records)} of {len(own)} questions")
    if path.is_dir():
        names = {file.relative_to(root).as_posix() for file in paths}
        errors += [f"{name}: not there" for name in wanted if name not in names]
    return errors


def _told(record: Any) -> tuple[str, str, int] | None:
    """A record's id, its answer and how many images it has; None where it is none of ours, which other lines say."""
    texts = _texts(record.get("conversations")) if isinstance(record, Mapping) else None
    if texts is None or len(texts) != len(TURNS) or not isinstance(record.get("id"), str):
        return None
    try:
        return record["id"], texts[-1][1], len(_paths(record))
    except TypeError:
        return None


def _records(file: Path) -> list[Any]:
    content = files.read_json(file)
    if not isinstance(content, list):
        raise InputError(file, "not a list of records", "malformed_file")
    return content


def _wrong(record: Any, root: Path, opened: dict[str, str | None]) -> Iterator[str]:
    """What is wrong with a record; `opened` holds what is wrong with each image that was looked at."""
    if not isinstance(record, Mapping):
        yield f"not an object: {_shown(record)}"
        return
    if not isinstance(record.get("id"), str) or not record["id"]:
        yield "has no id"
    turns = record.get("conversations")
    texts = _texts(turns)
    if texts is None:
        yield "conversations is not a list of turns, each with a text in from and in value"
        return
    if not texts or len(texts) % len(TURNS):
        yield f"{len(texts)} turns, where a {HUMAN}'s and a {MODEL}'s go together"
    for number, (speaker, text) in enumerate(texts):
        if speaker != TURNS[number % len(TURNS)]:
            yield f"turn {number} is from {speaker!r}, not {TURNS[number % len(TURNS)]!r}"
        if not text.replace(TOKEN, "").strip():
            yield f"turn {number} says nothing"
        if speaker == MODEL and TOKEN in text:
            yield f"turn {number} answers with {TOKEN}"
    yield from _wrong_images(record, texts, root, opened)


def _wrong_images(
    record: Mapping[str, Any], texts: Sequence[tuple[str, str]], root: Path, opened: dict[str, str | None]
) -> Iterator[str]:
    try:
        paths = _paths(record)
    except TypeError as error:
        yield str(error)
        return
    tokens = sum(text.count(TOKEN) for speaker, text in texts if speaker == HUMAN)
    if tokens != len(paths):
        yield f"{tokens} {TOKEN} for {len(paths)} images"
    for path in paths:
        if path not in opened:
            opened[path] = wrong_image(root, path)
        if opened[path] is not None:
            yield f"image {path}: {opened[path]}"


def _paths(record: Mapping[str, Any]) -> list[str]:
    """Its images. Raises TypeError for what is neither a path nor a list of paths."""
    image = record.get("image", [])
    paths = [image] if isinstance(image, str) else image
    if not isinstance(paths, list) or not all(isinstance(path, str) and path for path in paths):
        raise TypeError(f"image is neither a path nor a list of paths: {_shown(image)}")
    if "image" in record and not paths:
        raise TypeError("image is an empty list")
    return paths


def _texts(turns: Any) -> list[tuple[str, str]] | None:
    """Speaker and text of each turn; None for what are no turns."""
    if not isinstance(turns, list) or not all(isinstance(turn, Mapping) for turn in turns):
        return None
    texts = [(turn.get("from"), turn.get("value")) for turn in turns]
    if not all(isinstance(speaker, str) and isinstance(text, str) for speaker, text in texts):
        return None
    return texts


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=True)[:60]
