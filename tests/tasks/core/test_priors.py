"""What words suggest does not help: exactly where the law is true, whatever the law."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from spatial_assets.tasks.core.draws import Draw
from spatial_assets.tasks.core.priors import Prior, draw_others, keep_even
from spatial_assets.tasks.core.rejections import Rejection

LAWS = [[0.7, 0.1, 0.1, 0.1], [0.4, 0.3, 0.2, 0.1], [0.25] * 4, [0.05, 0.05, 0.45, 0.45]]
DRAWS = 12_000


def truly(law: np.ndarray, draw: Draw) -> int:
    """An answer that follows the law."""
    return min(int(np.searchsorted(np.cumsum(law), draw.unit("truth"), "right")), len(law) - 1)


@pytest.mark.parametrize("law", LAWS)
def test_of_what_is_kept_every_option_is_right_equally_often(law: list[float]) -> None:
    chances = np.array(law)
    right: Counter[int] = Counter()
    for i in range(DRAWS):
        draw = Draw.of("keep", str(i))
        answer = truly(chances, draw)
        try:
            keep_even(chances, answer, draw)
        except Rejection:
            continue
        right[answer] += 1
    kept = sum(right.values())
    assert kept == pytest.approx(4 * min(law) * DRAWS, rel=0.1)
    assert all(abs(count / kept - 0.25) < 0.035 for count in right.values())


@pytest.mark.every(3)
@pytest.mark.parametrize("law", LAWS)
def test_of_what_is_drawn_by_the_law_every_option_is_right_equally_often(law: list[float]) -> None:
    """In every set that is offered, so by the likeliest of the set as well."""
    chances = np.array([*law, *law, *law]) / 3 * np.linspace(1, 2, 12)
    chances /= chances.sum()
    rank: Counter[int] = Counter()
    for i in range(DRAWS):
        draw = Draw.of("drawn", str(i))
        answer = truly(chances, draw)
        try:
            others = draw_others(chances, answer, 3, draw)
        except Rejection:
            continue
        assert len({answer, *others}) == 4
        rank[sorted([answer, *others], key=lambda it: (chances[it], it)).index(answer)] += 1
    assert all(abs(count / sum(rank.values()) - 0.25) < 0.03 for count in rank.values())


def test_a_law_is_the_sum_of_its_hints() -> None:
    law = Prior({"a": 1.0, "b": -1.0})
    assert law.chances([["a"], ["b"], ["c"]]) == pytest.approx(
        (np.exp([1.0, -1.0, 0.0]) / np.exp([1.0, -1.0, 0.0]).sum()).tolist()
    )
    assert law.chances([["a", "b"], ["new"]]) == [0.5, 0.5]
