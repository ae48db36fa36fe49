"""What of a release's rows holds for the frames that a model is shown: a column of it, and releases for one budget.

A release at a budget has the questions whose own answers hold for a set of frames, with the frames of that set as their
images. With controls each of these stands beside the same question over frames that show nothing of it; both then offer
that it cannot be determined, so that the wording tells nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import polars as pl
import pyarrow as pa

from spatial_assets.releases.spaces import Member
from spatial_assets.scene import tables
from spatial_assets.scene.frame_set_tables import BUDGET, BUDGETS, FRAME_SETS, HOLDS_AT, QUESTION, RELEASED
from spatial_assets.scene.frames import FRAME_SET_NAMES
from spatial_assets.scene.model import InputError
from spatial_assets.storage.lake import Lake
from spatial_assets.tasks.core.budgets import NO_EVIDENCE, words
from spatial_assets.tasks.core.options import LETTERS
from spatial_assets.tasks.core.rendering import SELECT, letter_list, option_list
from spatial_assets.tasks.registry import tasks


class Budgets:
    """The verdicts that a lake has, applied to rows of a release."""

    def __init__(self, lake: Lake, budget: str = "", controls: bool = False) -> None:
        """Raises ValueError for an unknown budget, and for controls of none."""
        if budget and budget not in FRAME_SET_NAMES:
            raise ValueError(f"no budget {budget!r}; there are: {', '.join(FRAME_SET_NAMES)}")
        if controls and not budget:
            raise ValueError("controls without evidence stand beside questions at a budget; name one")
        self._lake, self.budget, self.controls = lake, budget, controls

    @cached_property
    def _judged(self) -> frozenset[str]:
        """Tasks of which there are verdicts."""
        asked = (name for name, task in tasks().items() if task.recount is not None)
        return frozenset(name for name in asked if self._lake.shards(tables.of(BUDGETS, name)))

    @property
    def columns(self) -> tuple[str, ...]:
        """Those that a release's rows have more."""
        if self.budget:
            return (HOLDS_AT, BUDGET, QUESTION)
        return (HOLDS_AT,) if self._judged else ()

    @property
    def entry(self) -> dict[str, Any]:
        """What a manifest says of it."""
        return {"budget": {"frames": self.budget, "controls": self.controls}} if self.budget else {}

    def applied(self, member: Member, task: str, rows: pa.Table) -> pa.Table:
        """A scene's rows of a task as the release has them. Raises InputError for one that has no verdict yet."""
        if not self.columns:
            return rows
        judged: pl.DataFrame | None = None
        if task in self._judged:
            judged = self._lake.read(tables.of(BUDGETS, task), member.shard, member.scene)
        if judged is None and not self.budget:
            return rows.append_column(HOLDS_AT, pa.nulls(rows.num_rows, RELEASED[HOLDS_AT]))
        if judged is None:
            kept = rows.slice(0, 0)
            for name in self.columns:
                kept = kept.append_column(name, pa.nulls(0, RELEASED[name]))
            return kept
        held = judged.filter(pl.col("holds")).group_by("qa_id").agg(pl.col("budget").sort())
        holds_at = dict(held.iter_rows())
        known = set(judged["qa_id"].to_list())
        ids = rows.column("qa_id").to_pylist()
        told = [holds_at.get(qa_id, []) if qa_id in known else None for qa_id in ids]
        rows = rows.append_column(HOLDS_AT, pa.array(told, RELEASED[HOLDS_AT]))
        if not self.budget:
            return rows
        missing = next((qa_id for qa_id, own in zip(ids, told, strict=True) if own is None), None)
        if missing is not None:
            raise InputError(
                f"{member.dataset}/{member.scene}",
                f"nothing says what holds of {missing} of {task} for {self.budget}: build first",
                "no_verdict",
            )
        return self._at_budget(member, rows, told, judged)

    def _at_budget(
        self, member: Member, rows: pa.Table, told: Sequence[Any], judged: pl.DataFrame
    ) -> pa.Table:
        sizes, chosen = self._sizes(member), self._members(member)
        free = dict(judged.filter(pl.col("budget") == NO_EVIDENCE).select("qa_id", "frames").iter_rows())
        made = []
        for row, holds_at in zip(rows.to_pylist(), told, strict=True):
            if self.budget not in holds_at:
                continue
            if not self.controls:
                made.append(_shown(row, self.budget, chosen, sizes))
            elif row["format"] == SELECT and row["qa_id"] in free:
                offered = _offering(row)
                made.append(_shown(offered, self.budget, chosen, sizes))
                made.append(_shown(_undetermined(offered), NO_EVIDENCE, free[row["qa_id"]], sizes))
        _tie(made)
        made.sort(key=lambda row: (row["format"], row["qa_id"]))
        schema = pa.schema([*rows.schema, *(pa.field(name, RELEASED[name]) for name in (BUDGET, QUESTION))])
        return pa.Table.from_pylist(made, schema=schema)

    def _members(self, member: Member) -> list[str]:
        rows = self._lake.read(FRAME_SETS, member.shard, member.scene)
        found: list[str] = rows.filter(pl.col("name") == self.budget).sort("ordinal")["frame"].to_list()
        return found

    def _sizes(self, member: Member) -> dict[str, list[int]]:
        """Width and height of the scene's frames."""
        rows = self._lake.read(tables.FRAMES, member.shard, member.scene).select("frame", "width", "height")
        return {frame: [width, height] for frame, width, height in rows.iter_rows()}


def _tie(rows: Sequence[dict[str, Any]]) -> None:
    """Twins lead to each other by their new ids; one whose other is not there, and a control, is none."""
    new = {row[QUESTION]: row["qa_id"] for row in rows if row[BUDGET] != NO_EVIDENCE}
    for row in rows:
        tied = None if row[BUDGET] == NO_EVIDENCE else new.get(row["twin_of"])
        row |= {"twin_of": tied, "law": row["law"] if tied else None}


def _shown(
    row: Mapping[str, Any], budget: str, frames: Sequence[str], sizes: Mapping[str, list[int]]
) -> dict[str, Any]:
    """A row with other frames. One that shows the same under the same id stays what it is."""
    made = {**row, BUDGET: budget, QUESTION: row.get(QUESTION) or row["qa_id"]}
    before = [item["frame"] for item in row["frames"]]
    # What the question calls by its number has a role of its own.
    roles = {(index, item["frame"]): item["role"] for index, item in enumerate(row["frames"])}
    made["frames"] = [
        {"role": roles.get((index, frame), f"frame-{index}"), "frame": frame}
        for index, frame in enumerate(frames)
    ]
    made["sizes"] = [sizes[frame] for frame in frames]
    if before != list(frames) or QUESTION in row:
        text = json.dumps([made[QUESTION], budget, row["question"], list(frames)])
        made["qa_id"] = hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
    return made


def _offering(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row with one more option, the last: that it cannot be determined."""
    said, options = words()["undetermined"], list(row["options"])
    more = [*options, said]
    question, instruction = row["question"], row["instruction"]
    question = question.replace(option_list(options), option_list(more))
    if instruction is not None:
        lettered = instruction.replace(letter_list(len(options)), letter_list(len(more)))
        question, instruction = question.removesuffix(instruction) + lettered, lettered
    if said not in question:
        question = f"{question} {LETTERS[len(options)]}. {said}."
    return {**row, "question": question, "instruction": instruction, "options": more, QUESTION: row["qa_id"]}


def _undetermined(row: Mapping[str, Any]) -> dict[str, Any]:
    """The control of a row that offers it."""
    right = LETTERS[len(row["options"]) - 1]
    return {**row, "answer": right, "value": [], "margin": 0.0, "margins": [], HOLDS_AT: [NO_EVIDENCE]}
