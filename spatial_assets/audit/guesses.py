"""The exact guess: a fixed list of rules that a person would try on the options, and the best of them, tried fairly.

The rule is chosen on one half of the places and scored on the other, and the other way round, so that the best of many
rules is not better than chance by having been chosen.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from spatial_assets.audit import option_places
from spatial_assets.audit.parts import Choice
from spatial_assets.scene.model import Float

Rules = dict[str, Float]
"""By a rule's words, (N, K) how much it speaks for each option; the option with the most is taken."""


def number_rules(values: Float, names: Sequence[str], given: Float, marked: Float | None) -> Rules:
    """Rules on options that are numbers.

    Parameters
    ----------
    values : (N, K, A) array
        Axes of the options.
    names : sequence of str
        Their names.
    given : (N, G) array
        Numbers that the question states, NaN where it states fewer.
    marked : (N, 4) array or None
        Width, height, area and aspect of a box drawn in an image, where options are boxes.
    """
    log = option_places.scaled(values)
    apart = option_places.differences(log)
    straight = option_places.differences(values)
    rules: Rules = {}
    with option_places.unknown_allowed():
        for axis, name in enumerate(names):
            own, others = log[..., axis], apart[..., axis]
            rank = np.nansum(others < 0, axis=2).astype(float)
            for place in range(values.shape[1]):
                rules[f"{name}: rank {place + 1} from the smallest"] = -np.abs(rank - place)
            rules[f"{name}: most central"] = -np.nansum(np.abs(straight[..., axis]), axis=2)
            rules[f"{name}: most central by ratio"] = -np.nansum(np.abs(others), axis=2)
            rules[f"{name}: farthest out by ratio"] = np.nansum(np.abs(others), axis=2)
            rules[f"{name}: nearest to another"] = -np.nanmin(np.abs(others), axis=2)
            rules[f"{name}: loneliest"] = np.nanmin(np.abs(others), axis=2)
            rules[f"{name}: most common"] = np.nansum(others == 0, axis=2).astype(float)
            rules[f"{name}: nearest to the usual"] = -np.abs(own - np.nanmedian(own))
        if values.shape[2] > 1:
            far = np.sqrt(np.nansum(apart**2, axis=3))
            rules["most central in all numbers"] = -np.nansum(far, axis=2)
            rules["farthest out in all numbers"] = np.nansum(far, axis=2)
            rules["most numbers shared"] = np.nansum(apart == 0, axis=(2, 3)).astype(float)
            rules["fewest numbers shared"] = -rules["most numbers shared"]
        else:
            for place in range(given.shape[1]):
                stated = given[:, place, None]
                near = np.abs(np.log(np.where(values[..., 0] > 0, values[..., 0], np.nan) / stated))
                rules[f"nearest to number {place + 1} of the question"] = -near
                rules[f"farthest from number {place + 1} of the question"] = near
        if marked is not None:
            measures = values[..., -marked.shape[1] :]
            for axis, name in enumerate(names[-marked.shape[1] :]):
                rules[f"{name} nearest to the marked box's"] = -np.abs(
                    np.log(measures[..., axis] / marked[:, axis, None])
                )
            shape = np.abs(np.log(measures[..., :2] / marked[:, None, :2])).sum(axis=2)
            rules["size nearest to the marked box's"] = -shape
    absent = np.isnan(values).all(axis=2)
    return {name: np.where(absent, -np.inf, np.nan_to_num(score, nan=-1e9)) for name, score in rules.items()}


TEXT_RULES = (
    ("longest", 0, 1), ("shortest", 0, -1), ("most parts", 1, 1), ("fewest parts", 1, -1),
    ("most in common, place by place", 2, 1), ("odd one out, place by place", 2, -1),
    ("half of the most alike pair", 3, 1), ("most in common", 5, 1), ("odd one out", 5, -1),
    ("order nearest to the others'", 6, -1), ("order farthest from the others'", 6, 1),
    ("order nearest to one other's", 7, -1),
)  # fmt: skip
"""A rule's words, which feature of `text_places` it is about, and whether more or less of that is taken."""


def text_rules(choices: Sequence[Sequence[Choice]], stems: Sequence[str]) -> Rules:
    """Rules on options that are words."""
    features = option_places.text_places(choices)
    listed = option_places.listing(choices, stems)
    rules = {name: sign * features[..., column] for name, column, sign in TEXT_RULES}
    rules["first named in the question"] = -listed[..., 0]
    rules["last named in the question"] = listed[..., 0]
    rules["the question's own order"] = -listed[..., 1]
    rules["the question's order turned"] = listed[..., 1]
    absent = np.isnan(features[..., 0])
    return {name: np.where(absent, -np.inf, np.nan_to_num(score, nan=-1e9)) for name, score in rules.items()}


def hits(score: Float, right: NDArray[np.int64]) -> Float:
    """(N,) whether the option with the highest score is right; of several equal ones, the share that is."""
    best = score >= score.max(axis=1, keepdims=True)
    found: Float = best[np.arange(len(right)), right] / best.sum(axis=1)
    return found


def best_rule(
    rules: Rules, right: NDArray[np.int64], weight: Float, half: NDArray[np.int64]
) -> tuple[Float, str]:
    """(N,) hits of the rule that is best on the other half, and the words of the rules that were chosen."""
    names = list(rules)
    table = np.stack([hits(rules[name], right) for name in names])
    found = np.zeros(len(right))
    chosen = []
    for here in (0, 1):
        other = half != here
        rule = int(np.argmax(table[:, other] @ weight[other]))
        found[~other] = table[rule, ~other]
        chosen.append(names[rule])
    return found, " / ".join(dict.fromkeys(chosen))
