"""How a source numbers its objects, and in which order rows are kept, changes no question."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest
from video_scenes import Studio

from spatial_assets.scene.tables import Table
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.generate import generate
from spatial_assets.tasks.registry import task, tasks

SAID = ("format", "template", "question", "answer", "options", "value", "frames")
"""What a question is, but for the numbers of its objects."""
OF_OTHER_SCENES = {"nav_video", "scanqa", "sqa3d"}
"""Tasks that need what these scenes do not have: ways that people walked, or questions that they wrote."""
BY_LAW = {"undetermined_attribute_ab": {"by_names": False}}
"""Of a task whose law leaves out nearly all: what it asks without that."""


def renumbered(facts: SceneFacts) -> SceneFacts:
    """The scene with the numbers of its objects dealt out anew, and the rows of each table from last to first."""
    numbers = facts.objects.instances.tolist()
    dealt = dict(zip(numbers, np.random.default_rng(0).permutation(numbers).tolist(), strict=True))

    def read(table: Table) -> pl.DataFrame:
        rows = facts.read(table).reverse()
        if "instance" in rows.columns:
            rows = rows.with_columns(pl.col("instance").replace(dealt))
        if rows.schema.get("instances") == pl.List(pl.Int32):
            rows = rows.with_columns(pl.col("instances").list.eval(pl.element().replace(dealt)))
        return rows

    return SceneFacts(facts.which, facts.license, read)


@pytest.fixture(scope="module")
def scenes(studio: Studio) -> list[tuple[SceneFacts, SceneFacts]]:
    return [(facts, renumbered(facts)) for facts in studio.facts()[:2]]


def said(name: str, facts: SceneFacts) -> list[str]:
    chosen = task(name)
    rows = generate(chosen, facts, chosen.parameters(quota=20, **BY_LAW.get(name, {}))).rows
    # Rows are in the order of their ids, which hold the numbers.
    return sorted(json.dumps([row[key] for key in SAID]) for row in rows)


def test_numbers_are_dealt_out_anew(scenes: list[tuple[SceneFacts, SceneFacts]]) -> None:
    for facts, other in scenes:
        assert other.objects.identities.tolist() == facts.objects.identities.tolist()
        assert (other.objects.instances != facts.objects.instances).mean() > 0.8


@pytest.mark.every(3)
@pytest.mark.parametrize("name", tasks())
def test_questions_are_those_of_any_other_numbering(
    scenes: list[tuple[SceneFacts, SceneFacts]], name: str
) -> None:
    count = 0
    for facts, other in scenes:
        own = said(name, facts)
        assert own == said(name, other)
        count += len(own)
    assert (count == 0) == (name in OF_OTHER_SCENES)
