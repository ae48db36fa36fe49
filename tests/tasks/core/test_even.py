"""Options without a law: one question of each answer that the same words have, beside three of the others."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import numpy as np
import pytest
from made_scene import FACTS, Tables, pose
from scipy.stats import chisquare

from spatial_assets.tasks.core.candidates import Candidates, Chosen
from spatial_assets.tasks.core.draws import Draw
from spatial_assets.tasks.core.even import (
    OFFERED,
    REPEATED,
    Cells,
    in_name_order,
    named_cells,
    others_of,
)
from spatial_assets.tasks.core.options import NO_OPTIONS

CATEGORIES = ["chair", "table", "chair", "plant", "desk"]


def made() -> Tables:
    return Tables(pose(), facts=FACTS, objects=dict(enumerate(CATEGORIES)))


def found(count: int, seed: int) -> tuple[Candidates, np.ndarray]:
    """Candidates about an object each, whose answers depend on it and of which some are far more common than others."""
    rng = np.random.default_rng(seed)
    things = rng.integers(0, len(CATEGORIES), count)
    common = rng.choice(9, count, p=[0.5, 0.2, 0.1, 0.08, 0.05, 0.03, 0.02, 0.01, 0.01])
    # Of desks there are three answers, which is too few.
    codes = np.where(things == 4, common % 3, common)
    return Candidates(rng.integers(0, 2, (count, 1)), things[:, None]), codes


def kept(candidates: Candidates, codes: np.ndarray) -> Candidates:
    facts = made().facts()
    candidates.values["code"] = codes
    cells = Cells(facts, 1, candidates, named_cells(facts, candidates.objects), codes)
    candidates.strata = cells.strata
    cells.keep_one_of_each(candidates)
    return candidates.settle()


def test_each_answer_of_the_same_words_is_kept_once() -> None:
    candidates, codes = found(600, 0)
    words = np.array(CATEGORIES)[candidates.objects[:, 0]]
    answers = {word: sorted(set(codes[words == word].tolist())) for word in sorted(set(words))}
    once = kept(candidates, codes)
    own = np.array(CATEGORIES)[once.objects[:, 0]]
    assert set(own) == {"chair", "table", "plant"}
    for word in sorted(set(own)):
        assert sorted(once.values["code"][own == word].tolist()) == answers[word]
        assert all(offered == tuple(answers[word]) for offered in once.values[OFFERED][own == word])
    assert once.rejected[NO_OPTIONS] == (words == "desk").sum()
    assert once.rejected[REPEATED] == 600 - len(once) - once.rejected[NO_OPTIONS]
    assert once.strata is not None and len(set(once.strata.codes.tolist())) == len(once)


def test_which_stands_for_its_answer_hangs_on_no_order() -> None:
    candidates, codes = found(300, 1)
    order = np.random.default_rng(2).permutation(300)
    turned = Candidates(candidates.frames[order], candidates.objects[order])
    sets = [
        sorted(
            map(str, zip(it.frames.tolist(), it.objects.tolist(), it.values["code"].tolist(), strict=True))
        )
        for it in (kept(candidates, codes), kept(turned, codes[order]))
    ]
    assert sets[0] == sets[1]


def test_every_set_is_drawn_alike_whichever_of_it_is_right() -> None:
    offered = (2, 3, 5, 7, 11)
    drawn = Counter(
        frozenset([code, *others_of(Chosen((), (), {OFFERED: offered}), code, Draw.of(str(code), str(seed)))])
        for code in offered
        for seed in range(800)
    )
    assert set(drawn) == set(map(frozenset, combinations(offered, 4)))
    assert chisquare(list(drawn.values())).pvalue > 1e-3
    assert others_of(Chosen((), (), {}), 2, Draw(1)) == ()


def test_nothing_is_found_in_nothing() -> None:
    empty = Candidates(np.zeros((0, 1), np.int64), np.zeros((0, 1), np.int64))
    assert len(kept(empty, np.zeros(0, np.int64))) == 0


@pytest.mark.parametrize(
    ("pair", "expected"), [([1, 0], [0, 1]), ([0, 1], [0, 1]), ([2, 0], [2, 0]), ([3, 4], [4, 3])]
)
def test_the_earlier_name_comes_first(pair: list[int], expected: list[int]) -> None:
    assert in_name_order(made().facts(), np.array([pair])).tolist() == [expected]
