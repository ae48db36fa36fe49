"""How many objects of a category there are, counted again in the truth."""

from __future__ import annotations

import sys
from collections import Counter
from typing import Any

import pytest
from question_truth import Truth
from scipy.stats import chisquare
from video_scenes import (
    Studio,
    about,
    ask,
    box,
    check_answers,
    check_video,
    found_by,
    made,
    random_scene,
    rejected,
    seen,
    things,
)
from video_truth import called
from video_twin import Twin, strata_of

from spatial_assets.scene.categories import is_countable, may_mean
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.laws import count_laws
from spatial_assets.tasks.vsi.object_counting import LAWS

TASK = "object_counting"


def truth(scene: Truth, row: dict[str, Any]) -> list[float]:
    """All objects of the category, seen or not."""
    (word,) = {scene.objects[thing].category for thing in things(row).values()}
    return [len(called(scene, word))]


def printed(scene: Truth, row: dict[str, Any]) -> str:
    return str(truth(scene, row)[0])


def test_answers_equal_the_truth(studio: Studio) -> None:
    check_answers(studio, TASK, "fill", sys.modules[__name__], 20)
    check_answers(studio, TASK, "select", sys.modules[__name__], 1)
    assert {row["answer"] for row in studio.rows(TASK, "fill")} > {"2", "3"}


def test_counts_are_exact_and_unambiguous(studio: Studio) -> None:
    for row in studio.rows(TASK):
        scene = studio.truths[row["scene"]]
        (word,) = {scene.objects[thing].category for thing in things(row).values()}
        assert row["margin"] == 1
        assert sorted(things(row).values()) == sorted(called(scene, word))
        assert not any(
            thing.category != word and may_mean(word, thing.category) for thing in scene.objects.values()
        )


def test_questions_show_what_they_name(studio: Studio) -> None:
    check_video(studio, TASK)


def expected(facts: SceneFacts) -> tuple[list[tuple[int, ...]], Counter[str]]:
    twin = Twin(facts)
    kept, reasons = [], Counter()
    for word, reason in twin.words().items():
        group = twin.groups[word]
        if reason is not None:
            reasons[reason] += 1
        elif not is_countable(word):
            reasons["uncountable"] += 1
        elif len(group) < 2:
            reasons["few"] += 1
        elif len(group) > 20:
            reasons["many"] += 1
        else:
            kept.append(tuple(group))
    return kept, reasons


def test_candidates_are_those_of_plain_loops(studio: Studio) -> None:
    scenes = [*studio.facts(), *map(random_scene, range(40))]
    total = 0
    for facts in scenes:
        found = found_by(TASK, facts)
        kept, reasons = expected(facts)
        assert about(found) == kept and found.rejected == reasons
        sizes = [len(group) for group in kept]
        assert len(set(zip(sizes, strata_of(found), strict=True))) == len(set(sizes))
        total += len(kept)
    assert total > 25


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ({"share": 0.0019}, "half_seen"), ({"share": 0.0021}, "ok"),
        ({"share": 0.05, "occlusion": 0.61}, "half_seen"), ({"share": 0.05, "occlusion": 0.59}, "ok"),
        ({"share": 0.05, "truncation": 0.71}, "half_seen"), ({"share": 0.05, "truncation": 0.69}, "ok"),
        ({"share": 0.05, "visible_vertex_fraction": 0.09}, "half_seen"),
        ({"share": 0.05, "visible_vertex_fraction": 0.11}, "ok"),
        ({"share": 0.0}, "unseen"),
        # Where nobody knows what hides it, nobody can say that it is seen well.
        ({"share": 0.05, "occlusion": None, "truncation": None}, "half_seen"),
    ],
)  # fmt: skip
def test_every_one_that_is_counted_is_seen_well_in_some_frame(how: dict[str, Any], reason: str) -> None:
    objects = [("chair", box(0, 0)), ("chair", box(1, 0)), ("chair", box(2, 0))]
    frames = [{0: seen(0.05), 1: seen(0.001)}, {1: seen(0.05), 2: seen(**how)}]
    facts = made(objects, frames)
    assert rejected(TASK, facts) == {reason: 1}
    assert about(found_by(TASK, facts)) == ([(0, 1, 2)] if reason == "ok" else [])


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        (("office chair",), {"ambiguous_name": 1, "unseen": 1}),
        (("armchair",), {"ambiguous_name": 1, "unseen": 1}),
        (("table",), {"unseen": 1, "ok": 1}),
    ],
)
def test_words_that_mean_more_are_not_counted(others: tuple[str, ...], expected: dict[str, int]) -> None:
    objects = [("chair", box(0, 0)), ("chair", box(1, 0)), *((word, box(2, 0)) for word in others)]
    # Even where no frame shows the other one: the room has it.
    assert rejected(TASK, made(objects, [{0: seen(0.05), 1: seen(0.05)}])) == expected


@pytest.mark.parametrize(
    ("word", "reason"),
    [("kitchen cabinet", "uncountable"), ("group of books", "uncountable"), ("chair", "ok")],
)
def test_what_people_would_count_otherwise_is_not_counted(word: str, reason: str) -> None:
    assert rejected(TASK, made([(word, box(0, 0)), (word, box(1, 0))])) == {reason: 1}


@pytest.mark.parametrize(("count", "reason"), [(1, "few"), (2, "ok"), (20, "ok"), (21, "many")])
def test_counts_have_their_limits(count: int, reason: str) -> None:
    assert rejected(TASK, made([("chair", box(i, 0)) for i in range(count)])) == {reason: 1}


def test_parts_of_the_building_are_never_counted() -> None:
    facts = made([("wall", box(0, 0)), ("wall", box(1, 0)), ("floor", box(0, 1)), ("floor", box(2, 0))])
    assert rejected(TASK, facts) == {}


def test_counts_take_turns() -> None:
    """Of many twos and one three, a quota of two takes one of each."""
    words = ("chair", "table", "plant", "lamp", "bed", "bed", "bed")
    objects = [(word, box(i, j)) for i, word in enumerate(words) for j in range(1 if word == "bed" else 2)]
    rows = ask(TASK, made(objects), quota=2)
    assert sorted(row["answer"] for row in rows if row["format"] == "fill") == ["2", "3"]


@pytest.mark.prove
def test_small_counts_have_options_and_every_one_is_right_equally_often() -> None:
    """Of cups, whose law is in the data file, counts of two to five; whichever is right, the sets are the same."""
    counts = Counter(range(2, 6))
    right: Counter[tuple[tuple[int, ...], int]] = Counter()
    law = count_laws(LAWS, "studio")["cup"]
    for count, share in zip(law.numbers.tolist(), law.shares.tolist(), strict=True):
        facts = made([("cup", box(i, 0)) for i in range(count)])
        for seed in range(round(share * 1500)):
            for row in ask(TASK, facts, seed=seed):
                if row["options"]:
                    found = sorted(map(int, row["options"]))
                    assert len(set(found)) == 4 and set(found) <= set(law.numbers.tolist())
                    assert row["options"]["ABCD".index(row["answer"])] == str(count)
                    right[tuple(found), count] += 1
    assert set(counts) <= {count for _, count in right}
    sets = Counter(found for found, _ in right.elements())
    for found, times in sets.items():
        if times >= 80:
            assert chisquare([right[found, count] for count in found]).pvalue > 1e-3
    assert max(sets.values()) >= 80


def test_what_has_no_law_has_no_options() -> None:
    rows = ask(TASK, made([("sofa", box(i, 0)) for i in range(3)]))
    assert rows and not any(row["options"] for row in rows)


def test_a_row_does_not_change_with_the_size_of_another_group() -> None:
    objects = [("sofa", box(0, 0)), ("sofa", box(1, 0)), *(("lamp", box(i, 2)) for i in range(7))]
    few = [row for row in ask(TASK, made(objects[:6])) if "sofa" in row["question"]]
    many = [row for row in ask(TASK, made(objects)) if "sofa" in row["question"]]
    assert few == many and len(few) == 1
