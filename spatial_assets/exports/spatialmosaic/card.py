"""The data card of a SpatialMosaic export: what its fields mean, its levels with their borders, and what it holds."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spatial_assets.exports.core.base import Question
from spatial_assets.exports.spatialmosaic import layout
from spatial_assets.exports.spatialmosaic.layout import Level

TITLE = ("# Questions in SpatialMosaic's layouts", "")
UNKNOWN = "unknown"
"""How rows without a level are counted: what hides their objects was not measured."""


@dataclass
class Counts:
    """What was written, by what a reader may want to know before loading it."""

    types: dict[str, Counter[str]] = field(default_factory=dict)
    """Rows by layout and split, and by question type."""
    levels: dict[str, Counter[str]] = field(default_factory=dict)
    """Rows by field of levels and by level; of questions, so those in both layouts count once."""
    licenses: dict[str, set[str]] = field(default_factory=dict)
    """By dataset."""

    def add(self, schema: str, question: Question) -> None:
        row = question.row
        self.types.setdefault(f"{schema}/{question.split}", Counter())[row["task"]] += 1
        self.licenses.setdefault(row["dataset"], set()).add(row["license"])
        if schema != layout.schemas(question.split)[0]:
            return
        for name, level in layout.levels().items():
            known = level.name(row["diagnostics"][level.of])
            self.levels.setdefault(name, Counter())[known or UNKNOWN] += 1


def write(out: Path, counts: Counts, head: Sequence[str] = (), sections: Sequence[str] = ()) -> None:
    """`head` stands in place of the card's title, `sections` before what all cards say."""
    told = {name: _recorded(level, counts) for name, level in layout.levels().items()}
    text = json.dumps({"levels": told}, indent=1, ensure_ascii=False)
    (out / layout.LEVELS).write_text(f"{text}\n", encoding="utf-8")
    (out / layout.CARD).write_text("\n".join(_card(counts, head or TITLE, sections)) + "\n", encoding="utf-8")


def _recorded(level: Level, counts: Counts) -> dict[str, Any]:
    """What is said of a level, and how many questions have each."""
    own = counts.levels.get(level.field, Counter())
    return {
        "of": level.of,
        "names": list(level.names),
        "borders": list(level.borders) or None,
        "published": list(level.published),
        "named_here": [name for name in level.names if name not in level.published],
        "means": level.means,
        "questions": {name: own[name] for name in (*level.names, UNKNOWN) if own[name] or name != UNKNOWN},
    }


def told(out: Path) -> list[str]:
    """The first lines that a user needs: where the evaluator and the trainer find the images."""
    datasets = sorted({path.parents[1].name for path in out.glob(f"*/*/{layout.IMAGES}")})
    return [
        f"{dataset}: FRAMES_ROOT of the evaluator and --frame_folder of the trainer are {dataset}/"
        for dataset in datasets
    ]


def _card(counts: Counts, head: Sequence[str], sections: Sequence[str]) -> list[str]:
    return [
        *head,
        f"Flat rows in `{layout.annotation_folder('test')}`, conversations in "
        f"`{layout.annotation_folder('train')}`, images in `<dataset>/<scene>/images/<frame>.jpg`. The evaluator's "
        "`FRAMES_ROOT` and the trainer's `--frame_folder` are one dataset's folder, as neither looks at a row's "
        "dataset. The questions are no part of the published dataset.",
        "",
        *sections,
        "## Rows",
        "",
        *_types(counts),
        "",
        "## Licenses",
        "",
        *(
            f"- {name}: {', '.join(sorted(filter(None, held))) or 'not stated'}"
            for name, held in sorted(counts.licenses.items())
        ),
        "",
        "## Fields",
        "",
        *(f"- {line}" for line in FIELDS),
        "",
        "## Levels",
        "",
        "No borders of levels are published, and few names. The borders here are fixed, not quantiles, so that a row "
        "has the same level in every release. `levels.json` has this for programs.",
        "",
        *(line for level in layout.levels().values() for line in _level(level, counts)),
    ]


FIELDS = (
    "`overlap_avg`: percent, over all pairs of the row's views, of the area of instances seen in both among that seen "
    "in either. A number on every row; every pair's own is in `source.diagnostics.overlap_pairs`.",
    "`occlusion_avg`: 0 to 1, the share of the objects asked about that others hide, over the views that show them.",
    "`question`: the question alone; the evaluator puts prompt and options around it.",
    "`frames`: file names without their ending, in the order shown; `Frame 2` in a text is the second.",
    "`ground_truth`: text, also of numbers; of a choice the right option without its letter, as the published sample "
    "has both. `mc_answer`: the letter, null where nothing is to choose.",
    "`bbox_2d`: of localization questions x0, y0, x1, y1 of what the asked frame shows of the object, empty where it "
    "shows nothing, else empty. `bbox_2d_diag`: its diagonal, text, `0` without a box. All pixels, in texts too, are "
    "those of the image in this tree.",
    "`id`: of a flat row the first 60 bits of the question's content hash, of a conversation the whole, as a UUID.",
    "`source`: ours, which readers of SpatialMosaic ignore: release, split, license, the frames' roles, "
    "the question as our own rows print it, diagnostics.",
)


def _types(counts: Counts) -> list[str]:
    names = sorted({name for held in counts.types.values() for name in held})
    parts = list(counts.types)
    rows = [(name, *(str(counts.types[part][name]) for part in parts)) for name in names]
    rows.append(("all", *(str(counts.types[part].total()) for part in parts)))
    head = ("type", *parts)
    return [_line(head), _line(["---", *("---:" for _ in parts)]), *map(_line, rows)]


def _line(cells: Any) -> str:
    return f"| {' | '.join(cells)} |"


def _level(level: Level, counts: Counts) -> list[str]:
    own = counts.levels.get(level.field, Counter())
    lines = [f"### `{level.field}`", "", f"Of `{level.of}`: {level.means}.", ""]
    lines += [_line(("level", "values", "name", "questions")), _line(("---", "---", "---", "---:"))]
    for place, name in enumerate(level.names):
        origin = "published" if name in level.published else "named here"
        lines.append(_line((name, _values(level, place), origin, str(own[name]))))
    if own[UNKNOWN]:
        lines.append(_line(("null", "not known", "", str(own[UNKNOWN]))))
    return [*lines, ""]


def _values(level: Level, place: int) -> str:
    if level.words:
        return level.words[place]
    parts = []
    if place > 0:
        parts.append(f"from {level.borders[place - 1]:g}")
    if place < len(level.borders):
        parts.append(f"below {level.borders[place]:g}")
    return ", ".join(parts)
