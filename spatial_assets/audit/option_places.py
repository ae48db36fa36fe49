"""An option's place among the others: what the set of options shows without the question.

Arrays are (rows, options, ...), NaN where a row has fewer options than another. Each number that an option prints is
an axis; of boxes, width, height, area and aspect are axes too.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from spatial_assets.audit.parts import Choice
from spatial_assets.scene.model import Float

BOX = 4
"""Numbers of an option that is a box: x0, y0, x1, y1."""

MOST_SORTED = 3
"""Axes of which all differences are features: numbers, and points with their depth."""


@contextmanager
def unknown_allowed() -> Iterator[None]:
    """Numbers that are not there are no news: NaN goes in and comes out."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        yield


def axes(choices: Sequence[Sequence[Choice]]) -> tuple[Float, list[str]]:
    """(N, K, A) numbers of each option, and the axes' names."""
    options = max(len(row) for row in choices)
    count = len(choices[0][0].numbers)
    found = np.full((len(choices), options, count), np.nan)
    for place, row in enumerate(choices):
        found[place, : len(row)] = [one.numbers for one in row]
    names = [f"number {axis + 1}" for axis in range(count)] if count > 1 else ["number"]
    if count == BOX:
        measures, more = box_measures(found)
        return np.concatenate([found, measures], axis=2), [*names, *more]
    return found, names


def box_measures(boxes: Float) -> tuple[Float, list[str]]:
    """Width, height, area and aspect, (..., 4), of boxes (..., 4) x0, y0, x1, y1; and their names."""
    with unknown_allowed():
        width, height = boxes[..., 2] - boxes[..., 0], boxes[..., 3] - boxes[..., 1]
        aspect = np.where(height > 0, width / np.where(height > 0, height, 1), np.nan)
    return np.stack([width, height, width * height, aspect], axis=-1), ["width", "height", "area", "aspect"]


def scaled(values: Float) -> Float:
    """Logarithms where all numbers of an axis are positive, else in units of the axis's spread, (N, K, A)."""
    found = np.empty_like(values)
    for axis in range(values.shape[2]):
        column = values[..., axis]
        known = column[~np.isnan(column)]
        if known.size and known.min() > 0:
            found[..., axis] = np.log(column)
        else:
            spread = known.std() if known.size else 0.0
            found[..., axis] = column / (spread if spread > 0 else 1.0)
    return found


def differences(values: Float) -> Float:
    """(N, K, K, A) value of the other option minus one's own; NaN of an option and itself."""
    found = values[:, None, :, :] - values[:, :, None, :]
    own = np.arange(values.shape[1])
    found[:, own, own] = np.nan
    return found


def number_places(values: Float) -> Float:
    """(N, K, F) features of options that are numbers.

    Parameters
    ----------
    values : (N, K, A) array
        Axes of the options, as `axes` gives them.

    Returns
    -------
    (N, K, F) array
        Of each axis: the value, its rank, its distance from the others' mean and median, from the nearest other and
        from all, how many share it; of few axes also the sorted differences to all others, straight and by ratio; of
        several, distances over all axes together.
    """
    log = scaled(values)
    apart = differences(log)
    with unknown_allowed():
        parts = [
            log,
            np.nansum(apart < 0, axis=2).astype(float),
            np.nanmean(apart, axis=2),
            np.nanmedian(apart, axis=2),
            np.nanmin(np.abs(apart), axis=2),
            np.nansum(np.abs(apart), axis=2),
            np.nansum(apart == 0, axis=2).astype(float),
        ]
        if values.shape[2] <= MOST_SORTED:
            flat = (*values.shape[:2], -1)
            straight = np.sort(differences(values), axis=2)[:, :, :-1].reshape(flat)
            ratios = np.sort(apart, axis=2)[:, :, :-1].reshape(flat)
            below = np.where(apart < 0, -apart, np.nan)
            above = np.where(apart > 0, apart, np.nan)
            parts += [straight, ratios, np.nanmin(below, axis=2), np.nanmin(above, axis=2), values % 1.0]
        if values.shape[2] > 1:
            far = np.sqrt(np.nansum(apart**2, axis=3))
            far[np.isnan(apart).all(axis=3)] = np.nan
            parts += [
                np.stack([np.nanmin(far, axis=2), np.nanmean(far, axis=2), np.nanmax(far, axis=2)], axis=2)
            ]
            parts += [np.sum(parts[1], axis=2, keepdims=True), np.sum(parts[6], axis=2, keepdims=True)]
    found = np.concatenate(parts, axis=2)
    found[np.isnan(values).all(axis=2)] = np.nan
    return found


def text_places(choices: Sequence[Sequence[Choice]]) -> Float:
    """(N, K, F) features of options that are words.

    How long each is, how many others have the same part in the same place or anywhere, the most and the least in
    common with one other, and how far its parts are from the order in which the others have them.
    """
    options = max(len(row) for row in choices)
    found = np.full((len(choices), options, 9), np.nan)
    for place, row in enumerate(choices):
        found[place, : len(row)] = _text_places(row)
    return found


def _text_places(row: Sequence[Choice]) -> Float:
    same, shared, turned = (np.full((len(row), len(row)), np.nan) for _ in range(3))
    for i, one in enumerate(row):
        for j, other in enumerate(row):
            if i != j:
                same[i, j] = sum(a == b for a, b in zip(one.parts, other.parts, strict=False))
                shared[i, j] = len(set(one.parts) & set(other.parts))
                turned[i, j] = turns(one.parts, other.parts)
    with unknown_allowed():
        features = [
            np.array([len(one.text) for one in row], float),
            np.array([len(one.parts) for one in row], float),
            np.nansum(same, axis=1),
            np.nanmax(same, axis=1, initial=0),
            np.nanmin(np.where(np.isnan(same), np.inf, same), axis=1),
            np.nansum(shared, axis=1),
            np.nansum(turned, axis=1),
            np.nanmin(np.where(np.isnan(turned), np.inf, turned), axis=1),
            np.nanmax(turned, axis=1, initial=0),
        ]
    return np.stack(features, axis=1)


def turns(one: Sequence[str], other: Sequence[str]) -> int:
    """Pairs of parts that stand in opposite orders in the two (Kendall's distance over the parts they share)."""
    rank = {part: place for place, part in enumerate(other)}
    ranks = [rank[part] for part in one if part in rank]
    return sum(a > b for i, a in enumerate(ranks) for b in ranks[i + 1 :])


def listing(choices: Sequence[Sequence[Choice]], stems: Sequence[str]) -> Float:
    """(N, K, 2) of each option where its first part stands in the question, and its turns against that order."""
    options = max(len(row) for row in choices)
    found = np.full((len(choices), options, 2), np.nan)
    for place, (row, stem) in enumerate(zip(choices, stems, strict=True)):
        low = stem.lower()
        parts = sorted(
            {part for one in row for part in one.parts if part in low}, key=lambda p: (low.find(p), p)
        )
        for index, one in enumerate(row):
            if one.parts[0] in parts:
                found[place, index] = parts.index(one.parts[0]), turns(one.parts, parts)
    return found
