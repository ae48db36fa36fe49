"""The data card of Parquet for Hugging Face: front matter that the library and its pages read, and what people read.

The front matter names the files of each split, so that no other file of the folder is taken for data, and the features,
as versions of the library from 2 on read them. https://huggingface.co/docs/hub/datasets-cards
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from spatial_assets.exports.core import licenses
from spatial_assets.exports.core.base import ImageFormat, ImageMode, Options
from spatial_assets.exports.core.bench_tables import markdown
from spatial_assets.exports.core.export_images import encoded
from spatial_assets.exports.core.ids import IDS
from spatial_assets.exports.libraries.hf_check import DATA, IMAGES
from spatial_assets.imaging.images import narrowed
from spatial_assets.scene.english import plural
from spatial_assets.scene.tables import QUESTIONS
from spatial_assets.storage.atomic import naming, replace_text

CARD, PICTURES = "README.md", "pictures"
TASK_CATEGORIES = ("visual-question-answering", "image-text-to-text")
"""Of the hub's list."""
TAGS = ("spatial-reasoning", "3d", "indoor-scenes")
SIZES = (
    (10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M"), (10**7, "1M<n<10M"),
    (10**8, "10M<n<100M"), (10**9, "100M<n<1B"), (10**10, "1B<n<10B"),
)  # fmt: skip
"""What the hub calls so many rows."""
MOST_PICTURES, PICTURE_WIDTH = 6, 480
"""Pictures of the card, and pixels of each."""
MEANINGS = {
    "split": "the release's own name of the split",
    IMAGES: "the images shown, in order",
}
"""Of columns that questions have not."""


@dataclass(frozen=True)
class _Sample:
    qa_id: str
    question: str
    answer: str
    picture: bytes
    place: int
    """Of the picture among the question's images, from 1."""
    images: int


@dataclass
class Samples:
    """Pictures for the card: of each task the question with the smallest id whose images may be passed on."""

    _of: dict[str, _Sample] = field(default_factory=dict)

    def offer(
        self, rows: pa.Table, place: int, pictures: Sequence[tuple[bytes, str]], marked: Sequence[bool]
    ) -> None:
        """The row at a place of some rows, with its images and which of them have marks."""
        if not pictures:
            return
        qa_id, task, license, question, answer = (
            rows.column(name)[place].as_py() for name in ("qa_id", "task", "license", "question", "answer")
        )
        before = self._of.get(task)
        if (before is None or qa_id < before.qa_id) and licenses.may_be_passed_on(license):
            first = marked.index(True) if True in marked else 0
            self._of[task] = _Sample(qa_id, question, answer, pictures[first][0], first + 1, len(pictures))

    def chosen(self) -> list[tuple[str, _Sample]]:
        """A few, by task."""
        ranked = sorted(self._of.items(), key=lambda item: item[1].qa_id)[:MOST_PICTURES]
        return sorted(ranked)


def write(out: Path, held: pa.Schema, names: Mapping[str, str], samples: Samples, options: Options) -> None:
    """After the data; `names` are what splits are called. Raises OSError, naming the file, for a full disk."""
    ids = pl.scan_parquet(out / IDS, hive_partitioning=False, glob=False)
    counts = ids.group_by("task", "format", "split").len().collect(engine="streaming")
    whose = ids.group_by(licenses.WHOSE).len().collect(engine="streaming")
    terms = dict(sorted(((row[0], row[1], row[2]), row[3]) for row in whose.iter_rows()))
    pictures = list(_pictures(out, samples))
    lines = [
        *_front(out, held, names, counts, terms),
        "",
        "# Questions about space",
        "",
        f"{plural(sum(terms.values()), 'question')} about indoor scenes, computed from their geometry, with the "
        "answers before rounding, their margins, and the frames, objects and marks asked about.",
        "",
        *pictures,
        "## Loading",
        "",
        *_loading(options.images),
        "",
        "## Counts",
        "",
        *_counts(counts, list(names)),
        "",
        "## Columns",
        "",
        *_columns(held),
        "",
        "## Licenses",
        "",
        "Questions, answers and images stay under the terms of the datasets that they were made from.",
        "",
        *licenses.table(terms),
        "",
        *licenses.what_they_say(terms),
        "",
    ]
    replace_text(out / CARD, "\n".join(lines))


def _front(
    out: Path, held: pa.Schema, names: Mapping[str, str], counts: pl.DataFrame, terms: licenses.Terms
) -> Iterator[str]:
    """YAML, of which JSON is a part that leaves no doubt about quoting."""
    words = {licenses.known(license).get("hub") for _, _, license in terms}
    (word,) = words if len(words) == 1 else (None,)
    total = sum(terms.values())
    size = next(called for most, called in SIZES if total < most)
    yield "---"
    yield f"license: {word or 'other'}"
    if word is None:
        yield "license_name: terms-of-the-datasets"
        yield f"license_link: {licenses.FILE}"
    yield f"task_categories: {json.dumps(TASK_CATEGORIES)}"
    yield "language: [en]"
    yield f"size_categories: [{json.dumps(size)}]"
    yield f"tags: {json.dumps(TAGS)}"
    yield "configs:"
    yield "- config_name: default"
    yield "  data_files:"
    for name in names.values():
        yield f"  - split: {name}"
        yield f"    path: {DATA}/{name}-*.parquet"
    yield "dataset_info:"
    yield f"  features: {json.dumps([_feature(name, kind) for name, kind in _features(held).items()])}"
    sizes = {name: _sizes(out, name) for name in names.values()}
    splits = []
    for split, name in names.items():
        rows = counts.filter(split=split)["len"].sum()
        splits.append({"name": name, "num_bytes": sizes[name][1], "num_examples": int(rows)})
    yield f"  splits: {json.dumps(splits)}"
    yield f"  download_size: {sum(size for size, _ in sizes.values())}"
    yield f"  dataset_size: {sum(size for _, size in sizes.values())}"
    yield "---"


def _features(held: pa.Schema) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((held.metadata or {})[b"huggingface"])["info"]["features"]
    return found


def _feature(name: str, feature: Any) -> dict[str, Any]:
    """A feature as a card has it, of one as a schema has it."""
    kind, value = _kind(feature)
    return {"name": name, kind: value}


def _kind(feature: Any) -> tuple[str, Any]:
    if isinstance(feature, list):
        return "list", [_feature(*item) for item in feature[0].items()]
    if feature.get("_type") == "Image":
        return "dtype", "image"
    if feature.get("_type") == "Sequence":
        kind, value = _kind(feature["feature"])
        return "sequence", value if kind == "dtype" else {kind: value}
    if feature.get("_type") == "Value":
        return "dtype", feature["dtype"]
    return "struct", [_feature(*item) for item in feature.items()]


def _sizes(out: Path, name: str) -> tuple[int, int]:
    """Bytes of a split's files, and of their columns before compression."""
    files = sorted((out / DATA).glob(f"{name}-[0-9][0-9][0-9][0-9][0-9]-of-*.parquet"))
    whole = 0
    for file in files:
        held = pq.read_metadata(file)
        whole += sum(held.row_group(number).total_byte_size for number in range(held.num_row_groups))
    return sum(file.stat().st_size for file in files), whole


def _pictures(out: Path, samples: Samples) -> Iterator[str]:
    for task, sample in samples.chosen():
        path = out / PICTURES / f"{task}.jpg"
        with naming(path), Image.open(io.BytesIO(sample.picture)) as opened:
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(encoded(narrowed(opened.convert("RGB"), PICTURE_WIDTH), ImageFormat.JPEG))
        yield f"**{task}**: {_line(sample.question)} *{_line(sample.answer)}*"
        yield ""
        yield f"![{task}]({PICTURES}/{path.name})"
        if sample.images > 1:
            yield ""
            yield f"Image {sample.place} of {sample.images}."
        yield ""


def _loading(mode: ImageMode) -> Iterator[str]:
    yield "```python"
    yield "from datasets import load_dataset"
    if mode == ImageMode.LINK:
        yield "from datasets import Image, Sequence"
    yield ""
    yield 'folder = "this/folder"'
    yield "rows = load_dataset(folder)"
    if mode == ImageMode.LINK:
        yield f'rows = rows.map(lambda row: {{"{IMAGES}": [f"{{folder}}/{{path}}" for path in row["{IMAGES}"]]}})'
        yield f'rows = rows.cast_column("{IMAGES}", Sequence(Image()))'
    yield "```"


def _counts(counts: pl.DataFrame, splits: Sequence[str]) -> list[str]:
    rows = []
    for (task,), own in sorted(counts.partition_by("task", as_dict=True).items()):
        numbers = [int(own.filter(split=split)["len"].sum()) for split in splits]
        rows.append(
            (str(task), ", ".join(sorted(own["format"].unique())), *(f"{number:,}" for number in numbers))
        )
    return markdown(("task", "formats", *splits), rows)


def _columns(held: pa.Schema) -> Iterator[str]:
    meanings = {column.name: column.meaning for column in QUESTIONS.columns} | MEANINGS
    for name in held.names:
        yield f"- `{name}`: {meanings[name]}"


def _line(text: str) -> str:
    return " ".join(text.split())
