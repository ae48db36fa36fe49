"""No answer is given away by its place or its rank, and nothing depends on an order of work."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial

import polars as pl
import pytest
from scipy.stats import chisquare
from video_scenes import LETTERS, Studio, ask, chosen_text, things

from spatial_assets.scene import tables
from spatial_assets.scene.tables import Table
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.rendering import SELECT
from spatial_assets.tasks.core.video.shown import VideoLimits, video_of
from spatial_assets.tasks.registry import task as task_named
from spatial_assets.tasks.registry import tasks

VSI = sorted(name for name, task in tasks().items() if task.suite == "vsi")
ROOM = "room_size_estimation"
MEASURED = ("object_size_estimation", "object_abs_distance")
MANY = 100_000
"""More than any scene here has, so that nobody makes room for anybody."""
DRAWING = ("object_abs_distance",)
"""Tasks whose wrong options are other questions' answers, drawn from those of the scene."""


def with_tables(facts: SceneFacts, change: Callable[[Table, pl.DataFrame], pl.DataFrame]) -> SceneFacts:
    """The same scene with its tables changed, by `change(table, rows)`."""
    return SceneFacts(facts.which, facts.license, lambda table: change(table, facts.read(table)))


@pytest.mark.parametrize("task", [name for name in VSI if name not in ("object_counting", ROOM)])
def test_letters_and_ranks_of_real_questions_are_spread(studio: Studio, task: str) -> None:
    rows = studio.rows(task, SELECT)
    letters = Counter(row["answer"] for row in rows)
    options = max(len(row["options"]) for row in rows)
    assert set(letters) == set(LETTERS[:options])
    assert most_likely_even(letters.values())
    if task in MEASURED:
        ranks = Counter(sorted(map(float, row["options"])).index(float(chosen_text(row))) for row in rows)
        assert set(ranks) == set(range(4)) and most_likely_even(ranks.values())


def most_likely_even(counts: Iterable[int]) -> bool:
    return bool(chisquare(list(counts)).pvalue > 1e-3)


@pytest.mark.every(3)
@pytest.mark.parametrize("task", VSI)
def test_the_same_rows_whatever_order_the_tables_are_in(studio: Studio, task: str) -> None:
    for facts in studio.facts()[:2]:
        backwards = with_tables(facts, lambda table, rows: rows.reverse())
        rows = ask(task, facts, quota=20)
        assert ask(task, backwards, quota=20) == rows and rows


@pytest.mark.every(3)
@pytest.mark.parametrize("task", [name for name in VSI if name != ROOM])
def test_another_seed_asks_otherwise_and_the_same_seed_the_same(studio: Studio, task: str) -> None:
    rows = studio.rows(task, quota=10)
    assert rows == [row for facts in studio.facts() for row in ask(task, facts, quota=10)]
    assert rows != studio.rows(task, quota=10, seed=1)


@pytest.mark.every(4)
@pytest.mark.parametrize("times", [2, pytest.param(4, marks=pytest.mark.prove)])
@pytest.mark.parametrize("task", [name for name in VSI if name != ROOM])
def test_an_object_less_changes_no_question_about_others(studio: Studio, task: str, times: int) -> None:
    """Word for word, options and letters included; unless other words can be asked about once it is gone."""
    facts = studio.facts()[0]
    video = facts.once(video_of, VideoLimits())
    rows = ask(task, facts, quota=MANY)
    tried = 0
    for word, place in video.named.items():
        out = int(facts.objects.instances[place])
        less = with_tables(facts, partial(without_object, out))
        if less.once(video_of, VideoLimits()).words == {k: v for k, v in video.words.items() if k != word}:
            kept = {
                row["qa_id"]: row
                for row in rows
                if out not in things(row).values() and not (task in DRAWING and row["options"])
            }
            found = {row["qa_id"]: row for row in ask(task, less, quota=MANY)}
            assert all(found.get(name) == row for name, row in kept.items())
            tried += bool(kept)
        if tried == times:
            return
    raise AssertionError("too few objects that can go")


def without_object(instance: int, table: Table, rows: pl.DataFrame) -> pl.DataFrame:
    named = table.name in (tables.OBJECTS.name, tables.VISIBILITY.name)
    return rows.filter(pl.col("instance") != instance) if named else rows


def without_fact(fact: str, table: Table, rows: pl.DataFrame) -> pl.DataFrame:
    if table.name != tables.SCENES.name:
        return rows
    return rows.with_columns(pl.Series("facts", [[it for it in rows["facts"][0] if it != fact]]))


@pytest.mark.parametrize("task", VSI)
def test_a_scene_without_a_fact_is_not_asked_about(studio: Studio, task: str) -> None:
    facts = studio.facts()[0]
    for fact in sorted(frozenset.union(*task_named(task).needs.values())):
        assert ask(task, with_tables(facts, partial(without_fact, fact))) == []
