"""Qwen-VL's fine-tuning (qwen-vl-finetune): JSON lines with `<image>`, and the entries of its registry of data sets.

    <out>/<split>.jsonl, or shards of it     {"id", "image", "conversations": [{"from", "value"}, ...]}
    <out>/registry.py                        `data_dict` with an entry for each file, for qwenvl/data/__init__.py

A human's turn begins with one `<image>` for each path in `image`, a list; frames of a video stand there one by one,
since the trainer's `video` takes a file and not a list of frames. Coordinates are by default thousandths of width and
height, as Qwen2-VL, Qwen3-VL and later have them; Qwen2.5-VL has pixels of the image as it resizes it:
`--coordinates qwen2.5`, with the trainer's own `--min-pixels` and `--max-pixels`.
https://github.com/QwenLM/Qwen3-VL, qwen-vl-finetune/qwenvl/data/data_processor.py at 23d3cce
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from spatial_assets.exports.conversations import checks, jsonl
from spatial_assets.exports.conversations.jsonl import Line, of_two_turns, tagged, turns
from spatial_assets.exports.core.base import ColumnSource, Options
from spatial_assets.exports.core.printed_coordinates import profile
from spatial_assets.scene.model import InputError

CARRIES = jsonl.CARRIES
TAKES = frozenset({"coordinates", "image-format"})
COORDINATES = "qwen3"
REGISTRY = "registry.py"
ENTRY = re.compile(r'HERE / "([^"]+)"')
"""Names an entry's file."""
HUMAN, MODEL = "human", "gpt"


def write(source: ColumnSource, out: Path, options: Options) -> None:
    how = profile(options.coordinates or COORDINATES, options.min_pixels, options.max_pixels)
    jsonl.write(source, out, options, _lines, how)
    (out / REGISTRY).write_text(registry(out), encoding="utf-8")


def _lines(questions: pl.DataFrame) -> pl.DataFrame:
    return questions.select(
        pl.col("qa_id").alias("id"),
        pl.col("images").alias("image"),
        turns("from", "value", (HUMAN, tagged()), (MODEL, pl.col("answer"))).alias("conversations"),
    )


def registry(out: Path) -> str:
    """A module to import or to copy from; the files are found beside it."""
    stems = [file.stem for file in sorted(out.glob(f"*{jsonl.SUFFIX}"))]
    entries = "".join(
        f'    "spatial_assets_{stem.replace("-", "_")}": '
        f'{{"annotation_path": str(HERE / "{stem}{jsonl.SUFFIX}"), "data_path": str(HERE)}},\n'
        for stem in stems
    )
    return (
        '"""Entries for qwenvl/data/__init__.py; `--dataset_use` takes their names, `name%50` half of one."""\n\n'
        "from pathlib import Path\n\n"
        "HERE = Path(__file__).resolve().parent\n"
        f"data_dict = {{\n{entries}}}\n"
    )


def parse(record: Mapping[str, Any]) -> Line:
    """What the trainer makes of a line."""
    images = record.get("image") or []
    return of_two_turns(record, (HUMAN, MODEL), [images] if isinstance(images, str) else list(images))


def read_back(path: Path) -> Iterator[dict[str, Any]]:
    return jsonl.rows_back(path, parse)


def validate(path: Path) -> list[str]:
    """The turns, unique ids, tags against images, every image opened, answers against `ids.parquet`."""
    return checks.validate(path, parse) + checks.wrong_index(path, REGISTRY, ENTRY.findall, _text)


def _text(file: Path) -> str:
    """Raises InputError for what is no Python."""
    try:
        text = file.read_text(encoding="utf-8")
        ast.parse(text)
    except OSError as error:
        raise InputError(file, f"cannot be read: {error.strerror}", "unreadable_file") from None
    except (ValueError, SyntaxError):
        raise InputError(file, "is no Python", "malformed_file") from None
    return text
