"""Laws of answers as forests of decision trees, for what no sum of single hints says: see `tasks.core.priors`.

A forest is boosted (Friedman, "Greedy function approximation", 2001): an answer's score is the sum of what the leaves
say that its features lead to. It stands in `<task>.prior.json` as nested lists, one tree a line, `[feature, most,
low, high]` where a number at most `most` goes on in `low`, and a whole number for a leaf, in thousandths. All numbers
are whole, so that sums do not depend on their order.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from spatial_assets.geometry.kernels.cache import kernel
from spatial_assets.scene.model import Float
from spatial_assets.tasks.core.candidates import Indices
from spatial_assets.tasks.core.wording import SUITES

LEAF = -1
"""In place of a feature, where a tree ends."""
STEPS = 1000
"""Of a score of one."""


@dataclass(frozen=True)
class Forest:
    """Trees as one table of nodes, (N, 4): feature, most, and the nodes of what is at most that and above it.

    A leaf's feature is LEAF, and its second number is what it says.
    """

    nodes: Indices
    roots: Indices

    def scores(self, features: Indices) -> Float:
        """(A,), the scores of answers with features (A, F)."""
        found: Float = _summed(self.nodes, self.roots, features) / STEPS
        return found


@kernel
def _summed(nodes: Indices, roots: Indices, features: Indices) -> Indices:
    """(A,), what the leaves say, summed over the trees."""
    out = np.zeros(len(features), np.int64)
    for answer in range(len(features)):
        for root in roots:
            node = root
            while nodes[node, 0] >= 0:
                node = nodes[node, 2 if features[answer, nodes[node, 0]] <= nodes[node, 1] else 3]
            out[answer] += nodes[node, 1]
    return out


def forest(trees: Sequence[Any]) -> Forest:
    """A forest of trees that are nested lists."""
    nodes: list[list[int]] = []

    def grown(tree: Any) -> int:
        place = len(nodes)
        if isinstance(tree, int):
            nodes.append([LEAF, tree, 0, 0])
            return place
        feature, most, low, high = tree
        nodes.append([feature, most, 0, 0])
        nodes[place][2:] = grown(low), grown(high)
        return place

    roots = [grown(tree) for tree in trees]
    return Forest(np.array(nodes, np.int64).reshape(-1, 4), np.array(roots, np.int64))


@cache
def forest_of(suite: str, task: str, features: tuple[str, ...]) -> Forest:
    """A task's forest over these features. Raises ValueError for a file about others."""
    path = SUITES / suite / f"{task}.prior.json"
    held = json.loads(path.read_text(encoding="utf-8"))
    if tuple(held.get("features", ())) != features:
        raise ValueError(f"{path.name}: is about other features; fit it again with benchmarks.priors")
    return forest(held["trees"])
