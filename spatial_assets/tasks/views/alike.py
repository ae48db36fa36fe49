"""Pairs each candidate of one kind with one of another that is like it, so that nothing but the kind tells them apart.

Who sees numbers alone (where marks lie, how large things are, how much two views share) finds as many of either kind at
every combination of them. What has no like is left out.
"""

from __future__ import annotations

import numpy as np

from spatial_assets.geometry.kernels.cache import kernel
from spatial_assets.scene.model import Float
from spatial_assets.tasks.core.candidates import NOTHING, Bools, Indices
from spatial_assets.tasks.core.draws import Hashes


def pair_up(cells: Indices, first: Bools, features: Float, ranks: Hashes) -> Bools:
    """(N,): which candidates have a like of the other kind.

    Those of the first kind choose in the order of their ranks, each the nearest that is still free.

    Parameters
    ----------
    cells : (N,), whole numbers; likes are of one cell. first : (N,), of which kind each is.
    features : (N, k), of which every single one may differ by less than 1 between likes. ranks : (N,).
    """
    order = np.lexsort((ranks, ~first, cells))
    return _pair_up(order, cells, first, np.ascontiguousarray(features, np.float64))


@kernel
def _pair_up(order: Indices, cells: Indices, first: Bools, features: Float) -> Bools:
    out = np.zeros(len(cells), np.bool_)
    begin = 0
    while begin < len(order):
        middle = begin
        while middle < len(order) and cells[order[middle]] == cells[order[begin]] and first[order[middle]]:
            middle += 1
        end = middle
        while end < len(order) and cells[order[end]] == cells[order[begin]]:
            end += 1
        for place in range(begin, middle):
            own = order[place]
            best, found = np.inf, NOTHING
            for at in range(middle, end):
                other = order[at]
                if out[other]:
                    continue
                total = 0.0
                for column in range(features.shape[1]):
                    apart = abs(features[own, column] - features[other, column])
                    total += apart * apart
                    if apart >= 1.0 or total >= best:
                        total = np.inf
                        break
                if total < best:
                    best, found = total, other
            if found != NOTHING:
                out[own] = out[found] = True
        begin = end
    return out
