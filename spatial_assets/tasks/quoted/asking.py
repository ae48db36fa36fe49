"""How quoted questions are asked: which of a collection's, with which frames, in whose words.

Nothing is computed of the scene but its frames: question and answers are the collection's own, and whether they are
true, or can be told from these frames, is for the collection to say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Literal

import numpy as np
from pydantic import Field

from spatial_assets.scene import optional_tables
from spatial_assets.scene.frames import KEYFRAMES, VIDEO, VIDEO_FRAMES, FrameSet
from spatial_assets.scene.model import Fact
from spatial_assets.tasks.core.answers import Text
from spatial_assets.tasks.core.candidates import Candidates, Chosen, Strata
from spatial_assets.tasks.core.draws import Draw, hash_name
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.rendering import FILL
from spatial_assets.tasks.core.task import Question, ShownParameters, Task
from spatial_assets.tasks.core.wording import stem_ids

SUITE = "quoted"
NEEDS = frozenset({Fact.IMAGES, Fact.SEQUENCE, Fact.QUESTIONS})
ALL = "all"
OTHER_SPLIT = "other_split"
WHOLE = (1.0, "whole answer")
"""Margin of words, and its unit: nothing is rounded, and only another answer is another."""


class QuotedParameters(ShownParameters):
    """What all quoted tasks have."""

    quota: int = Field(100_000, ge=0, description="questions per scene: all that the files have")
    frames: Literal[FrameSet, "keyframes"] = Field(  # type: ignore[assignment]
        VIDEO,
        description="frames that are shown: all keyframes, or those that stand for the video in other tasks",
    )
    split: Literal["train", "val", "test", "all"] = Field(
        "train",
        description="of the collection, the one whose questions are taken: others are there to test on",
    )
    wording: Literal["official", "ours", "both"] = Field(
        "official", description="official: the question alone, as it was written; ours; both, half each"
    )

    @property
    def frame_set(self) -> FrameSet:
        return VIDEO if self.frames == "keyframes" else self.frames


class Quoted:
    """Questions of one collection about a scene; made by `quoted_of`."""

    def __init__(self, facts: SceneFacts, collection: str) -> None:
        # As the table is sorted, so that nothing depends on the order of its rows.
        rows = facts.read(optional_tables.QUOTED_QUESTIONS).sort("collection", "question_id").to_dicts()
        self.rows: list[dict[str, Any]] = [row for row in rows if row["collection"] == collection]


def quoted_of(facts: SceneFacts, collection: str) -> Quoted:
    return Quoted(facts, collection)


def finder(collection: str) -> Callable[[SceneFacts, QuotedParameters], Candidates]:
    def find(facts: SceneFacts, parameters: QuotedParameters) -> Candidates:
        rows = facts.once(quoted_of, collection).rows
        places = [place for place, row in enumerate(rows) if parameters.split in (row["split"], ALL)]
        identities = [hash_name(collection, rows[place]["question_id"]) for place in places]
        return Candidates(
            np.zeros((len(places), 0), np.int64),
            np.zeros((len(places), 0), np.int64),
            {"row": np.array(places, np.int64)},
            Strata.of_one(len(places)),
            np.array(identities, np.uint64).reshape(len(places), 1),
            Counter({OTHER_SPLIT: len(rows) - len(places)}),
        )

    return find


def asker(task: str, collection: str) -> Callable[[SceneFacts, QuotedParameters, Chosen, Draw], Question]:
    def ask(facts: SceneFacts, parameters: QuotedParameters, candidate: Chosen, draw: Draw) -> Question:
        row = facts.once(quoted_of, collection).rows[candidate.values["row"]]
        shown = facts.frames.keyframes if parameters.frames == KEYFRAMES else facts.frames.video
        said = {name: row[name] for name in ("question", "situation") if row[name] is not None}
        return Question(
            Text(row["answers"][0], [], *WHOLE),
            frames=[(f"frame-{index}", place) for index, place in enumerate(shown.tolist())],
            objects=[],
            slots=said,
            stems=_stems(parameters, task, draw),
            quoted=f"{row['collection']} {row['question_id']}",
            quoted_license=f"{row['collection']}: {row['collection_license']}",
            answers=row["answers"],
        )

    return ask


def _stems(parameters: QuotedParameters, task: str, draw: Draw) -> tuple[str, ...]:
    chosen = parameters.wording
    if chosen == "both":
        chosen = "official" if draw.below("wording", 2) == 0 else "ours"
    return stem_ids(SUITE, task, published=chosen == "official")


REASONS: Mapping[str, str] = {OTHER_SPLIT: "it is of a split of the collection that is not taken"}


def quoted_task(module: str, name: str, collection: str, summary: str) -> Task:
    """The task of a collection."""
    return Task(
        module=module,
        name=name,
        level="high",
        images=VIDEO_FRAMES,
        summary=summary,
        needs={FILL: NEEDS},
        kind=Text.kind,
        parameters=QuotedParameters,
        find=finder(collection),
        ask=asker(name, collection),
        reads=(optional_tables.QUOTED_QUESTIONS,),
        reasons=REASONS,
    )
