"""In which order categories are first seen, by the ray caster."""

from __future__ import annotations

import sys
import time
from collections import Counter
from itertools import combinations, pairwise, permutations
from typing import Any

import numpy as np
import pytest
import video_truth
from hypothesis import given, settings
from hypothesis import strategies as st
from question_truth import Truth
from video_scenes import (
    Studio,
    about,
    ask,
    box,
    check_answers,
    check_video,
    chosen_text,
    found_by,
    made,
    random_scene,
    rejected,
    seen,
    things,
)
from video_twin import Twin, first_reasons, strata_of

from spatial_assets.scene.categories import may_mean
from spatial_assets.tasks.core.draws import Draw
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.priors import prior_of
from spatial_assets.tasks.core.rejections import Rejection
from spatial_assets.tasks.core.video.orders import _in_order
from spatial_assets.tasks.vsi.obj_appearance_order import NAME, SUITE, chances, hints, orders

TASK = "obj_appearance_order"
GLIMPSE, CLEAR = 0.0001, 0.002
RENDERERS_DIFFER = 0.03
"""Share of first sights that two renderers may put one frame apart: the threshold is a number of pixels."""
DRAWS = 3000


def first_sights(scene: Truth, row: dict[str, Any]) -> dict[str, int]:
    frames = [item["frame"] for item in row["frames"]]
    words = [scene.objects[thing].category for thing in things(row).values()]
    return {word: video_truth.first_sight(scene, word, frames) for word in words}


def truth(scene: Truth, row: dict[str, Any]) -> list[float]:
    """Positions in the video of the first clear views, in order."""
    return sorted(first_sights(scene, row).values())


def printed(scene: Truth, row: dict[str, Any]) -> str:
    found = first_sights(scene, row)
    return ", ".join(sorted(found, key=found.__getitem__))


def test_answers_equal_the_truth(studio: Studio) -> None:
    check_answers(studio, TASK, "select", sys.modules[__name__], 200, RENDERERS_DIFFER)


def test_questions_show_what_they_name(studio: Studio) -> None:
    check_video(studio, TASK)


def test_the_order_holds_for_every_threshold(studio: Studio) -> None:
    twins = {facts.which["scene"]: Twin(facts) for facts in studio.facts()}
    for row in studio.rows(TASK):
        twin, scene = twins[row["scene"]], studio.truths[row["scene"]]
        words = [scene.objects[thing].category for thing in things(row).values()]
        assert list(things(row)) == ["option_1", "option_2", "option_3", "option_4"]
        assert all(sorted(option.split(", ")) == sorted(words) for option in row["options"])
        assert len(set(row["options"])) == 4
        for threshold in (GLIMPSE, 0.0005, 0.001, CLEAR):
            first = {
                word: min(
                    position
                    for thing, other in enumerate(twin.categories)
                    if may_mean(word, other)
                    for position, share, _ in twin.observations(thing)
                    if share >= threshold
                )
                for word in words
            }
            assert len(set(first.values())) == 4
            assert chosen_text(row) == ", ".join(sorted(words, key=first.__getitem__))
        # At the last of these thresholds the categories are seen clearly.
        clear = sorted(first.values())
        assert row["value"] == clear and row["margin"] == min(b - a for a, b in pairwise(clear))


def expected(facts: SceneFacts, gap: int) -> tuple[set[tuple[int, ...]], Counter[str]]:
    """Candidates by the objects seen clearly first, and reasons; all sets of four words are tried."""
    twin = Twin(facts)
    verdicts, views = twin.words(), {}
    for word, group in twin.groups.items():
        glimpse = clear = None
        for position, (shown, pixels) in enumerate(zip(twin.frames, twin.pixels, strict=True)):
            shares = {thing: shown[thing]["visible_px"] / pixels for thing in group if thing in shown}
            if glimpse is None and max(shares.values(), default=0.0) >= GLIMPSE:
                glimpse = position
            if clear is None and max(shares.values(), default=0.0) >= CLEAR:
                clear = position
                views[word] = glimpse, clear, max(shares, key=lambda it: (shares[it], -it))
        if clear is None and verdicts[word] is None:
            verdicts[word] = "never_clear"
    reasons, kept = first_reasons(verdicts, 4), set()
    for four in combinations([word for word in verdicts if verdicts[word] is None], 4):
        ordered = sorted(four, key=lambda word: views[word][1])
        if all(views[b][0] - views[a][1] >= gap for a, b in pairwise(ordered)):
            kept.add(tuple(views[word][2] for word in ordered))
        else:
            reasons["together"] += 1
    return kept, reasons


def test_candidates_are_those_of_plain_loops(studio: Studio) -> None:
    reached: Counter[str] = Counter()
    for facts, gap in [(studio.facts()[1], 1), *((random_scene(seed), 1 + seed % 2) for seed in range(50))]:
        found = found_by(TASK, facts, min_gap=gap)
        kept, reasons = expected(facts, gap)
        assert len(about(found)) == len(kept) and set(about(found)) == kept
        assert found.rejected == reasons
        # Any of the four takes its turn, not always the first.
        turns = set(zip((it for it in strata_of(found)), range(len(found)), strict=True))
        assert len(turns) == len(found)
        assert found.identities is not None and len(set(map(tuple, found.identities.tolist()))) == len(kept)
        reached.update(reasons)
        reached["ok"] += len(kept)
    assert reached["ok"] > 50 and {"together", "half_seen", "unseen", "ambiguous_name"} <= set(reached)


def appearing(*firsts: tuple[int, int]) -> SceneFacts:
    """Things that are each glimpsed from one frame on and clear from another on."""
    words = ("sofa", "table", "plant", "bed")
    frames: list[dict[int, dict[str, Any]]] = []
    for frame in range(12):
        shown = {}
        for i, (glimpse, clear) in enumerate(firsts):
            if frame >= glimpse:
                shown[i] = seen(0.01 if frame >= clear else 0.0005)
        frames.append(shown)
    return made([(word, box(i, 0)) for i, word in enumerate(words[: len(firsts)])], frames)


def test_a_category_is_clear_before_the_next_is_glimpsed() -> None:
    facts = appearing((0, 1), (2, 4), (5, 5), (6, 8))
    assert about(found_by(TASK, facts)) == [(0, 1, 2, 3)]
    (row,) = ask(TASK, facts)
    assert row["value"] == [1, 4, 5, 8] and row["margin"] == 1
    assert chosen_text(row) == "sofa, table, plant, bed"
    # The table is glimpsed in the frame in which the sofa gets clear, then before it.
    for glimpse in (1, 0):
        assert rejected(TASK, appearing((0, 1), (glimpse, 4), (5, 5), (6, 8))) == {"together": 1}
    assert rejected(TASK, appearing((0, 1), (2, 4), (5, 5), (6, 8)), min_gap=2) == {"together": 1}
    assert rejected(TASK, appearing((0, 1), (3, 3), (5, 5), (7, 8)), min_gap=2) == {"ok": 1}


def test_what_is_never_clear_is_in_no_order() -> None:
    facts = appearing((0, 1), (2, 4), (5, 5), (6, 8))
    assert rejected(TASK, facts, clear_area=0.02) == {"never_clear": 1}
    # What nobody may have glimpsed is not clear either.
    assert rejected(TASK, facts, glimpse_area=0.02) == {"never_clear": 1}


@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 3)), min_size=4, max_size=4), st.integers(1, 3))
@settings(max_examples=60, deadline=None)
def test_orders_are_asked_exactly_where_every_threshold_agrees(
    firsts: list[tuple[int, int]], gap: int
) -> None:
    intervals = [(glimpse, glimpse + wait) for glimpse, wait in firsts]
    clear = all(a[1] + gap <= b[0] or b[1] + gap <= a[0] for a, b in combinations(intervals, 2))
    assert rejected(TASK, appearing(*intervals), min_gap=gap) == {"ok" if clear else "together": 1}


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 4)), max_size=12), st.integers(1, 3))
def test_the_fours_of_the_kernel_are_those_of_all_sets(firsts: list[tuple[int, int]], gap: int) -> None:
    views = sorted((glimpse + wait, glimpse) for glimpse, wait in firsts)
    clears = np.array([clear for clear, _ in views], np.int64)
    glimpses = np.array([glimpse for _, glimpse in views], np.int64)
    wanted = [
        list(four)
        for four in combinations(range(len(views)), 4)
        if all(views[b][1] - views[a][0] >= gap for a, b in pairwise(four))
    ]
    assert _in_order(glimpses, clears, gap).tolist() == wanted


def test_sixty_categories_take_no_time() -> None:
    """All 487,635 fours of them, one after the other."""
    at = np.arange(60)
    _in_order(at, at, 1)
    begun = time.process_time()
    assert len(_in_order(at, at, 1)) == 487_635
    assert time.process_time() - begun < 0.5


@pytest.mark.parametrize("words", [("sofa", "cup", "window", "book"), ("a", "b", "c", "d")])
def test_options_tell_nothing_of_the_right_order(words: tuple[str, ...]) -> None:
    """Where orders follow the law, every order of an offered set is right equally often; all orders are offered."""
    every = list(permutations(sorted(words)))
    law = chances(tuple(sorted(words)))
    assert law == pytest.approx(prior_of(SUITE, NAME).chances(list(map(hints, every))), rel=1e-12)
    assert law.sum() == pytest.approx(1) and ("a" in words) == bool(np.allclose(law, 1 / 24))
    counts: Counter[tuple[int, int]] = Counter()
    wrong: Counter[tuple[str, ...]] = Counter()
    for i in range(DRAWS):
        draw = Draw.of("test", str(i))
        right = (
            every[draw.below("right", 24)]
            if "a" in words
            else every[int(np.searchsorted(np.cumsum(law), draw.unit("right")))]
        )
        try:
            offered = orders(right, draw)
        except Rejection:
            continue
        assert offered[0] == right and len(set(offered)) == 4 and set(offered) <= set(every)
        wrong.update(offered[1:])
        by_law = sorted(offered, key=lambda order: law[every.index(order)])
        counts[by_law.index(right), 0] += 1
    total = sum(counts.values())
    assert total > DRAWS / 3 and set(wrong) == set(every)
    if "a" not in words:
        assert max(counts.values()) < 0.29 * total


def test_a_law_and_a_blind_draw_differ() -> None:
    words = ("bed", "ceiling light", "cup", "mouse")  # a bed is seen long before a mouse
    found = [Counter(), Counter()]
    for i in range(DRAWS):
        for even in (True, False):
            try:
                found[even].update(orders(words, Draw.of(str(i)), even)[1:])
            except Rejection:
                continue
    assert max(found[True].values()) > 1.5 * max(found[False].values())
