"""Sets of things of which one alone lies on a side: every one is found, and what is kept names do not tell."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from mosaic_scene import made_sets, shown
from video_scenes import ask, box, chosen_text

from spatial_assets.tasks.spatialmosaic import foursomes, heights
from spatial_assets.tasks.spatialmosaic.around import Around
from spatial_assets.tasks.spatialmosaic.foursomes import Expected
from spatial_assets.tasks.spatialmosaic.heights import Clear

TASK = "obj_attribute_occ_ab"
WORDS = ("cup", "vase", "book", "bottle", "bowl")
NOTHING = Expected.nothing(5)


def scene(*levels: float):
    """A table of one meter, and a thing at each height, all in one view; another shows nothing."""
    things = [("table", box(0.0, 0.0, z=1.0, size=(1.0, 1.0, 0.1)))]
    things += [
        (word, box(0.3 * place, 0.5, z=level, size=(0.1, 0.1, 0.1)))
        for place, (word, level) in enumerate(zip(WORDS, levels, strict=False))
    ]
    return made_sets(things, [{place: shown() for place in range(len(things))}, {}])


@pytest.mark.prove
def test_every_set_of_which_one_alone_lies_on_its_side_is_asked() -> None:
    """Of five things two are higher than the table: each of them with the three others."""
    facts = scene(2.0, 1.5, 0.5, 0.4, 0.3)
    rows = [row for row in ask(TASK, facts, even=False, quota=1000) if row["objects"][1]["instance"] == 0]
    asked = Counter((chosen_text(row), frozenset(row["options"])) for row in rows)
    others = WORDS[2:]
    assert asked.keys() == {(word, frozenset({word, *others})) for word in WORDS[:2]}


@pytest.mark.parametrize("alike", [1, 2, 3, 4])
def test_what_the_law_foresees_is_kept_so_much_the_more_rarely(alike: int) -> None:
    """By a law that is known: of each set the `alike` likeliest members are kept equally often."""
    chances = np.array([0.6, 0.25, 0.1, 0.05])
    kept = np.minimum(1.0, np.sort(chances)[4 - alike] / chances) * chances
    assert np.ptp(kept[np.argsort(-chances)[:alike]]) < 1e-12
    clear = np.zeros((5, 5, 2, 1))
    # Of the things of four words beside the fifth: as likely to be higher, the others lower, as the odds of `chances`.
    odds = chances / chances.max() / 2
    clear[:4, 4, 1, 0], clear[:4, 4, 0, 0] = odds / (1 + odds), 1 / (1 + odds)
    found = kept_of(chances, Clear(np.arange(5), clear), Around.nothing(), alike)
    assert np.abs(found - kept).max() < 0.03


def kept_of(
    chances: np.ndarray,
    clear: Clear,
    standing: Around,
    alike: int,
    side: int = 1,
    expected: Expected = NOTHING,
) -> np.ndarray:
    """(4,), by member, the share of sets of it that stay where each is the right one so often."""
    count = 4000
    right = np.random.default_rng(7).choice(4, count, p=chances)
    signs = np.full((count, 4), -side, np.int64)
    signs[np.arange(count), right] = side
    members, _, rejected = foursomes._sets(
        np.arange(0, 4 * count + 1, 4),
        signs.ravel(),
        np.tile(np.arange(4), count),
        np.random.default_rng(8).integers(0, 2**63, 4 * count, dtype=np.uint64),
        np.arange(1, 6, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15),
        np.full(4 * count, 4),
        np.zeros(4 * count, np.int64),
        len(clear.words) > 0,
        clear.words,
        clear.chances,
        *standing,
        standing.looks,
        *expected,
        0.05,
        4,
        12,
        alike,
    )
    assert len(members) + rejected == count
    return np.bincount(members[:, 0] % 4, minlength=4) / count


def corners(*places: tuple[float, float]) -> Around:
    """Four small boxes there, and nothing said by names."""
    edges = np.zeros((5, 3, 2))
    edges[:, 0, 0] = edges[:, 1, 1] = 0.1
    return Around.nothing()._replace(
        centers=np.array([*places, (0.0, 0.0)]),
        edges=edges,
        rights=np.array([[1.0, 0.0]]),
    )


def test_what_stands_apart_is_kept_so_much_the_more_rarely() -> None:
    """Of a kite the point that is farther out is the outermost with room beside it from more sides."""
    kite = corners((0.0, 3.0), (1.5, 0.0), (0.0, -1.5), (-1.5, 0.0))
    evens = np.full(4, 0.25)
    found = kept_of(evens, Clear.nothing(), kite, 4)
    assert 0 < found[0] < 0.6 * found[1]
    assert found[1] == pytest.approx(found[3], abs=0.02)
    # Where each is right as often as it is the outermost, what is kept is even.
    chances = 1 / found / (1 / found).sum()
    even = kept_of(chances, Clear.nothing(), kite, 4)
    assert np.ptp(even) < 0.02 and even.min() > 0.05


def test_of_things_of_which_one_lies_between_the_others_nothing_is_asked() -> None:
    between = corners((0.0, 2.0), (2.0, -1.0), (0.0, 0.0), (-2.0, -1.0))
    assert not kept_of(np.full(4, 0.25), Clear.nothing(), between, 4).any()
    assert kept_of(np.full(4, 0.25), Clear.nothing(), between, 0).sum() == 1


@pytest.mark.parametrize("side", [-1, 1])
def test_names_are_weighed_beside_how_far_things_are(side: int) -> None:
    """From four cameras each of four is once alone before the others, and once behind them."""
    depths = np.full((5, 8, 2), 3.0)
    for thing in range(4):
        depths[thing, 2 * thing], depths[thing, 2 * thing + 1] = 1.0, 5.0
    standing = Around.nothing()._replace(depths=depths)
    scores = NOTHING.scores.copy()
    scores[(side + 1) // 2, 0] = np.log(3.0)
    evens = np.full(4, 0.25)
    found = kept_of(evens, Clear.nothing(), standing, 4, side, NOTHING._replace(scores=scores))
    assert found[0] == pytest.approx(found[1:].mean() / 3, abs=0.02)
    assert found[1:] == pytest.approx(np.full(3, 0.25), abs=0.02)
    # Of two that belong together neither is alone: the others are expected and left out.
    pairs = np.zeros((2, 5, 5))
    pairs[(side + 1) // 2, 0, 1] = pairs[(side + 1) // 2, 1, 0] = np.log(0.5)
    together = NOTHING._replace(words=np.arange(5), pairs=pairs)
    found = kept_of(evens, Clear.nothing(), standing, 4, side, together)
    assert found[:2] == pytest.approx(np.full(2, 0.25), abs=0.02)
    assert found[2:] == pytest.approx(np.full(2, 0.125), abs=0.02)
    # Where what it is compared with would be behind the camera, or too far away, nothing is known.
    behind = standing._replace(depths=depths - (10.0 if side > 0 else -10.0))
    assert not kept_of(np.full(4, 0.25), Clear.nothing(), behind, 4, side).any()


def test_the_law_says_that_lamps_hang_and_carpets_lie() -> None:
    # A table's box stands on the floor, and is beside what lies on it.
    lower, higher = heights.clear_of("carpet", "picture", 0.05)
    assert lower.mean() > 0.9 and higher.mean() == 0
    assert heights.clear_of("ceiling light", "table", 0.05)[1].mean() > 0.9
    # Of a word that it does not know it says nothing much.
    unknown = heights.clear_of("gramophone", "bottle", 0.05)
    assert 0.1 < unknown[0].mean() < 0.9 and 0.1 < unknown[1].mean() < 0.9
