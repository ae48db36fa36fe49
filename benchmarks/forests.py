"""Fits the forests of `spatial_assets.tasks.core.forests`: boosted trees of which the right answers are likeliest.

Each tree is grown on half of the questions to the gradient of their likelihood, with cuts at random (Geurts et al.,
"Extremely randomized trees", 2006), and its leaves are Newton steps, shrunk. Needs scikit-learn, as the audit does.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.tree import DecisionTreeRegressor

from spatial_assets.tasks.core.forests import STEPS, forest

ROUNDS, RATE = 500, 0.25
"""Trees, and how much of each step is taken: more trees of smaller steps say little more, and make a larger file."""
LEAVES, LEAST = 16, 40
"""Of a tree, and answers of a leaf."""
SHARE, TRIED = 0.5, 0.5
"""Of the questions that a tree sees, and of the features at each of its cuts."""
RIDGE = 5.0
LEAST_SLOPE = 1e-3
SURER = {"distance_infer_center_oc": 1.15, "distance_infer_center_oc_mv": 1.0}
"""By task, by what all scores are multiplied: a sum of many shrunken steps may be too modest. Found by leaving out a
quarter of the scenes: so that of what is kept, none of the likeliest to the least likely is right more often."""
MENDED = {"distance_infer_center_oc": (60, 0.1), "distance_infer_center_oc_mv": (0, 0.1)}
"""By task, trees that are fitted on what is left once the law has thinned it, and how much of each step is taken."""
PARTS = 4
"""Of the scenes: what is left of each is found by a law of the others, since none is right about its own."""


def softmax(scores: np.ndarray) -> np.ndarray:
    """(M, A) chances of answers with these scores."""
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


def fit(features: np.ndarray, right: np.ndarray, spaces: np.ndarray, task: str) -> list[Any]:
    """Trees, as nested lists.

    Parameters
    ----------
    features : (M, A, F) array
        Whole numbers, of each answer of each question.
    right : (M,) array
        Which answer is right.
    spaces : (M,) array
        Numbers of the scenes that the questions are about.
    task : str
        Whose settings hold.
    """
    one, surer = np.ones(len(right)), SURER[task]
    trees = _grown(features, right, one, ROUNDS, RATE, surer)
    rounds, rate = MENDED[task]
    if not rounds:
        return trees
    left = np.empty(len(right))
    for part in range(PARTS):
        here = spaces % PARTS == part
        law = forest(_grown(features[~here], right[~here], one[~here], ROUNDS, RATE, surer))
        flat = features[here].reshape(-1, features.shape[2])
        likely = softmax(law.scores(flat).reshape(-1, features.shape[1]))
        left[here] = likely.min(axis=1) / likely[np.arange(len(likely)), right[here]]
    return [*trees, *_grown(features, right, left, rounds, rate, 1.0)]


def _grown(
    features: np.ndarray, right: np.ndarray, weights: np.ndarray, rounds: int, rate: float, surer: float
) -> list[Any]:
    questions, answers, count = features.shape
    flat = features.reshape(-1, count).astype(np.float32)
    wanted = np.zeros((questions, answers))
    wanted[np.arange(questions), right] = 1
    scores = np.zeros((questions, answers))
    random = np.random.default_rng(0)
    trees = []
    for turn in range(rounds):
        likely = softmax(scores)
        gradient = ((wanted - likely) * weights[:, None]).ravel()
        slope = (np.maximum(likely * (1 - likely), LEAST_SLOPE) * weights[:, None]).ravel()
        seen = np.repeat(random.random(questions) < SHARE, answers)
        grown = DecisionTreeRegressor(
            splitter="random",
            max_leaf_nodes=LEAVES,
            min_samples_leaf=LEAST,
            max_features=TRIED,
            random_state=turn,
        )
        grown.fit(flat[seen], (gradient / slope)[seen], sample_weight=slope[seen])
        leaf, nodes = grown.apply(flat), grown.tree_.node_count
        steps = np.bincount(leaf, gradient, nodes) / (np.bincount(leaf, slope, nodes) + RIDGE)
        says = np.rint(rate * steps * STEPS).astype(np.int64)
        scores += says[leaf].reshape(questions, answers) / STEPS
        trees.append(_nested(grown.tree_, np.rint(surer * says).astype(np.int64), 0))
    return trees


def _nested(tree: Any, says: np.ndarray, node: int) -> Any:
    low, high = int(tree.children_left[node]), int(tree.children_right[node])
    if low < 0:
        return int(says[node])
    # Of whole numbers, those that are at most the cut are those at most its whole part.
    cut = int(np.floor(tree.threshold[node]))
    return [int(tree.feature[node]), cut, _nested(tree, says, low), _nested(tree, says, high)]


def write(
    path: Path, about: str, seeds: Sequence[int], features: Sequence[str], trees: Sequence[Any]
) -> None:
    """Writes a forest's file, one tree a line."""
    head = json.dumps({"about": about, "seeds": list(seeds), "features": list(features)}, indent=1)
    lines = ",\n".join(json.dumps(tree, separators=(",", ":")) for tree in trees)
    path.write_text(f'{head.removesuffix("}").rstrip()},\n "trees": [\n{lines}\n ]\n}}\n', encoding="utf-8")
