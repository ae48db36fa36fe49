"""Candidates of a task as arrays: enumerators make them, predicates reject some, and counts come from the reasons.

A candidate shows frames and is about objects, both given by their places in the scene's facts. Enumerators leave out
what can never be meant (an object that a frame does not show at all); whatever they give is kept or has a reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import repeat
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spatial_assets.geometry.kernels.cache import kernel
from spatial_assets.tasks.core.draws import Hashes, hash_name, mix, mix_columns, mix_pair

Bools = NDArray[np.bool_]
Codes = NDArray[np.int16]
Indices = NDArray[np.int64]
TIER = "tier"
"""The value of candidates, whole numbers, of which all of a lower one are asked before any of a higher one."""
GROUP = "group"
"""Among the values of candidates, (N,): whole numbers, equal for those that repeat each other, as by the same images in
the other order. All groups are asked about once before any is again."""
NOTHING = -1
"""Fills the rows of candidates about fewer objects than others of their task."""


@dataclass(frozen=True)
class Strata:
    """Groups among which a quota is filled evenly."""

    codes: Indices
    """(N,), each candidate's group, below the number of groups."""
    identities: Hashes
    """(S,), of each group, from which its place in line is drawn."""

    @classmethod
    def of_one(cls, count: int) -> Strata:
        """All in one."""
        return cls(np.zeros(count, np.int64), np.zeros(1, np.uint64))

    @classmethod
    def of_objects(cls, objects: Indices, identities: Hashes) -> Strata:
        """By an object each, (N,)."""
        return cls(objects, identities)

    @classmethod
    def of_pairs(cls, first: Indices, second: Indices, identities: Hashes) -> Strata:
        """By the pair of objects, whichever comes first: their places, (N,) each, among identities (O,)."""
        low = np.minimum(identities[:, None], identities[None])
        high = np.maximum(identities[:, None], identities[None])
        count = len(identities)
        codes = np.minimum(first, second) * count + np.maximum(first, second)
        return cls(codes, mix_columns(0, low.ravel(), high.ravel()))

    @classmethod
    def of_numbers(cls, numbers: ArrayLike) -> Strata:
        """By whole numbers, (N,), which should not be spread thin."""
        values = np.asarray(numbers, np.int64)
        low, high = (int(values.min()), int(values.max())) if len(values) else (0, 0)
        span = np.arange(low, high + 1, dtype=np.int64)
        return cls(values - low, mix_columns(0, span.view(np.uint64)))

    @classmethod
    def of_rows(cls, rows: Indices) -> Strata:
        """By several whole numbers each, none of them negative, (N, k)."""
        groups, codes = np.unique(rows, axis=0, return_inverse=True)
        identities = mix_columns(0, groups.astype(np.uint64)) if len(groups) else np.zeros(1, np.uint64)
        return cls(codes.reshape(-1), identities)

    @classmethod
    def of_words(cls, words: Sequence[str]) -> Strata:
        """By a word each."""
        names = sorted(set(words))
        place = {name: index for index, name in enumerate(names)}
        codes = np.array([place[word] for word in words], np.int64)
        return cls(codes, np.array([hash_name(name) for name in names] or [0], np.uint64))


@dataclass
class Candidates:
    """Candidates of one scene and task, and how many were rejected for which reason."""

    frames: Indices
    """(N, a), places of the frames that each shows; (N, 0) where all show the video."""
    objects: Indices
    """(N, b), places of the objects that each is about; NOTHING where one is about fewer than another."""
    values: dict[str, NDArray[Any]] = field(default_factory=dict)
    """Whatever a task carries from finding a candidate to asking it, (N, ...) each."""
    strata: Strata | None = None
    identities: Hashes | None = None
    """(N, k), in place of the frames' and objects' own, where these do not tell the candidates apart."""
    rejected: Counter[str] = field(default_factory=Counter)
    """Of those that are no longer here."""

    def __post_init__(self) -> None:
        self._codes: Codes = np.zeros(len(self), np.int16)
        self._reasons = [""]

    def __len__(self) -> int:
        return len(self.frames)

    def reject(self, reason: str, where: ArrayLike) -> None:
        """Give a reason to those, (N,), that have none yet."""
        self._codes[np.asarray(where, np.bool_) & (self._codes == 0)] = self._code(reason)

    def reject_coded(self, codes: Codes, reasons: Sequence[str]) -> None:
        """The same by codes (N,) into reasons, of which the first stands for none."""
        table = np.array([0, *(self._code(reason) for reason in reasons[1:])], np.int16)
        own = table[codes]
        self._codes = np.where(self._codes == 0, own, self._codes)

    def count_out(self, reason: str, count: int) -> None:
        """So many more that fell to a reason without being enumerated."""
        if count:
            self.rejected[reason] += count

    def settle(self, weights: Indices | None = None) -> Candidates:
        """Those without a reason, with the others counted; `weights` (N,) says how many each stands for."""
        if len(self._reasons) == 1:
            # Nothing was ever held against any.
            return replace(self, values=dict(self.values), rejected=Counter(self.rejected))
        counts = np.bincount(self._codes, weights, len(self._reasons)).astype(np.int64)
        rejected = self.rejected + Counter(
            {reason: int(count) for reason, count in zip(self._reasons[1:], counts[1:], strict=True) if count}
        )
        fit = np.flatnonzero(self._codes == 0)
        # Where nothing is rejected, nothing is copied: some tasks have half a million.
        if len(fit) == len(self):
            return replace(self, values=dict(self.values), rejected=rejected)
        strata = self.strata
        return Candidates(
            self.frames.take(fit, axis=0),
            self.objects.take(fit, axis=0),
            {name: values.take(fit, axis=0) for name, values in self.values.items()},
            None if strata is None else Strata(strata.codes.take(fit), strata.identities),
            None if self.identities is None else self.identities.take(fit, axis=0),
            rejected,
        )

    def fresh(self) -> Candidates:
        """The same, to be rejected for other reasons elsewhere. Raises ValueError where some are rejected already."""
        self._settled()
        return Candidates(
            self.frames, self.objects, dict(self.values), self.strata, self.identities, Counter(self.rejected)
        )

    def ranks(self, key: int, frames: Hashes, objects: Hashes) -> Hashes:
        """(N,), by which a quota is filled: a hash of the key and of each one's identity, never of a position."""
        if self.identities is not None:
            return mix_columns(key, self.identities)
        shown, about = (np.ascontiguousarray(places, np.int64) for places in (self.frames, self.objects))
        return _ranks(np.uint64(key), shown, about, frames, objects)

    def _settled(self) -> None:
        if self._codes.any():
            raise ValueError("some candidates are rejected and not yet counted: settle them first")

    def _code(self, reason: str) -> int:
        if reason not in self._reasons:
            self._reasons.append(reason)
        return self._reasons.index(reason)


@kernel
def _ranks(key: np.uint64, shown: Indices, about: Indices, frames: Hashes, objects: Hashes) -> Hashes:
    """(N,), of the identities of the frames shown, (N, a), then of the objects, (N, b); of NOTHING it is 0."""
    out = np.empty(len(shown), np.uint64)
    for row in range(len(shown)):
        state = key
        for column in range(shown.shape[1]):
            state = mix_pair(state, frames[shown[row, column]])
        for column in range(about.shape[1]):
            thing = about[row, column]
            state = mix_pair(state, np.uint64(0) if thing == NOTHING else objects[thing])
        out[row] = state
    return out


class Chosen(NamedTuple):
    """One candidate, taken out of its arrays to be asked."""

    frames: tuple[int, ...]
    objects: tuple[int, ...]
    """Without NOTHING."""
    values: Mapping[str, Any]

    @classmethod
    def of(cls, candidates: Candidates, index: int) -> Chosen:
        return cls.of_all(candidates, [index])[0]

    @classmethod
    def of_all(cls, candidates: Candidates, indices: Sequence[int]) -> list[Chosen]:
        """Many at once, which costs little more than one; values that are one number each are Python's."""
        chosen = np.asarray(indices, np.int64)
        frames = candidates.frames[chosen].tolist()
        objects = candidates.objects[chosen]
        about: list[list[int]] = objects.tolist()
        if (objects == NOTHING).any():
            about = [[thing for thing in own if thing != NOTHING] for own in about]
        names = list(candidates.values)
        taken = [column[chosen] for column in candidates.values.values()]
        columns = [column.tolist() if column.ndim == 1 else column for column in taken]
        rows = zip(*columns, strict=True) if columns else repeat((), len(chosen))
        return [
            cls(tuple(shown), tuple(own), dict(zip(names, row, strict=True)))
            for shown, own, row in zip(frames, about, rows, strict=True)
        ]


def objects_in_frames(shown: Bools, frames: Indices) -> Candidates:
    """Each object in each of the frames that show it; shown (F, O), frames (K,)."""
    row, column = np.nonzero(shown[frames])
    return Candidates(frames[row][:, None], column[:, None])


@kernel
def _pairs(shown: Bools, frames: Indices, ordered: bool) -> Indices:
    total = 0
    for frame in frames:
        count = shown[frame].sum()
        total += count * (count - 1)
    out = np.empty((total if ordered else total // 2, 3), np.int64)
    at = 0
    for frame in frames:
        places = np.flatnonzero(shown[frame])
        for i in range(len(places)):
            for j in range(0 if ordered else i + 1, len(places)):
                if i != j:
                    out[at, 0], out[at, 1], out[at, 2] = frame, places[i], places[j]
                    at += 1
    return out


def pairs_in_frames(shown: Bools, frames: Indices, ordered: bool = False) -> Candidates:
    """Each two objects in each of the frames (K,) that show both, by shown (F, O), in both orders if these differ."""
    found = _pairs(shown, frames, ordered)
    return Candidates(found[:, :1], found[:, 1:])


def frame_pairs(frames: Indices, ordered: bool = True) -> Candidates:
    """Each two different frames of (K,), in both orders or in that of the sequence."""
    count = len(frames)
    first, second = np.nonzero(
        ~np.eye(count, dtype=np.bool_) if ordered else np.triu(np.ones((count, count)), 1)
    )
    pairs = np.stack([frames[first], frames[second]], axis=1)
    return Candidates(pairs, np.zeros((len(pairs), 0), np.int64))


@kernel
def _shared_objects(shown: Bools, pairs: Indices) -> Indices:
    total = 0
    for row in range(len(pairs)):
        for place in range(shown.shape[1]):
            total += shown[pairs[row, 0], place] and shown[pairs[row, 1], place]
    out = np.empty((total, 2), np.int64)
    at = 0
    for row in range(len(pairs)):
        for place in range(shown.shape[1]):
            if shown[pairs[row, 0], place] and shown[pairs[row, 1], place]:
                out[at, 0], out[at, 1] = row, place
                at += 1
    return out


def with_shared_objects(pairs: Candidates, shown: Bools) -> Candidates:
    """Each pair of frames with each object that both show, by shown (F, O). What was rejected of the pairs stays
    counted. Raises ValueError where some are rejected and not yet counted.
    """
    pairs._settled()
    found = _shared_objects(shown, pairs.frames)
    rows = found[:, 0]
    return Candidates(
        pairs.frames[rows],
        found[:, 1:],
        {name: values[rows] for name, values in pairs.values.items()},
        rejected=pairs.rejected.copy(),
    )


@kernel
def _view_triples(
    linked: Bools, frames: Indices, identities: Hashes, key: np.uint64, draws: int
) -> tuple[Indices, Indices]:
    out = np.empty((len(frames) * draws, 3), np.int64)
    alone = np.zeros(len(frames), np.int64)
    at = 0
    for row in range(len(frames)):
        main = frames[row]
        state = mix_pair(key, identities[main])
        for draw in range(draws):
            begun = mix_pair(state, np.uint64(draw))
            second, third = -1, -1
            best, next_best = np.uint64(0), np.uint64(0)
            for other in frames:
                if other == main or not linked[main, other]:
                    continue
                rank = mix_pair(begun, identities[other])
                if second < 0 or rank > best:
                    third, next_best = second, best
                    second, best = other, rank
                elif third < 0 or rank > next_best:
                    third, next_best = other, rank
            if third < 0:
                alone[row] += 1
                continue
            out[at, 0], out[at, 1], out[at, 2] = main, second, third
            at += 1
    return out[:at], alone


def view_triples(
    linked: Bools, frames: Indices, identities: Hashes, key: int, draws: int, reason: str
) -> Candidates:
    """Each frame as the main view, `draws` times, with a second and a third drawn among those linked to it.

    The space of all triples is cubic in the frames; this one is linear, and depends on no order: the two with the
    greatest hashes are drawn, so that removing a frame changes only the triples that show it.

    Parameters
    ----------
    linked : (F, F), which views may be shown with which. frames : (K,), the views to choose among.
    identities : (F,). reason : counts the main views that have no two others linked to them.
    """
    found, alone = _view_triples(linked, frames, identities, np.uint64(key), draws)
    candidates = Candidates(found, np.zeros((len(found), 0), np.int64))
    candidates.count_out(reason, int(alone.sum()))
    return candidates


def about_video(objects: Indices) -> Candidates:
    """Candidates about the whole video, by the objects (N, b) that each is about."""
    return Candidates(np.zeros((len(objects), 0), np.int64), objects)


def draw_key(which: Mapping[str, str], seed: int, *names: str) -> int:
    """The key of all hashes of a scene: of the seed, the dataset, the release, the scene and the names given."""
    return mix(hash_name(which["dataset"], which["release"], which["scene"]), hash_name(str(seed), *names))
