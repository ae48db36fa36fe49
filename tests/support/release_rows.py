"""What exports of a release must give back of it."""

from __future__ import annotations

from typing import Any

from spatial_assets.exports.core.source import ReleaseRows


def scored(source: ReleaseRows) -> dict[str, dict[str, Any]]:
    """By id, the rows that an evaluator takes: all but sentences, of which no rule says when one is right."""
    return {
        question.row["qa_id"]: {**question.row, "split": split}
        for split in source.splits
        for question in source.questions(split)
        if question.row["format"] != "sentence"
    }


def scenes(source: ReleaseRows) -> set[tuple[str, ...]]:
    """Split, dataset, release, scene and license of all rows."""
    return {
        (split, *(question.row[name] for name in ("dataset", "release", "scene", "license")))
        for split in source.splits
        for question in source.questions(split)
    }
