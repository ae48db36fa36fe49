"""What a scene's 32-frame video shows, and by which words its objects can be asked about.

A word is asked about only if nobody can take it for something else in the scene, seen or not (an office chair
makes "chair" ambiguous), and if every object it stands for is seen well in some frame.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from math import comb

import numpy as np
from pydantic import Field

from spatial_assets.geometry.box_sampling import sampled_box_distance
from spatial_assets.scene.frames import VIDEO_FRAMES
from spatial_assets.scene.model import Fact, Float
from spatial_assets.scene.parameters import Parameters
from spatial_assets.tasks.core.candidates import NOTHING, Bools, Candidates, Codes, Indices
from spatial_assets.tasks.core.draws import Hashes, hash_name
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.task import Roles, ShownParameters

NEEDS = frozenset({Fact.IMAGES, Fact.SEQUENCE, Fact.OBJECTS, Fact.VISIBILITY, Fact.AMODAL})
"""Without amodal pixels nobody can say whether an object is seen well in some frame, and so whether it counts. Nothing
stands in for them here: one object wrongly taken for seen makes a count wrong, where it only makes a marked object hard
to see. Nothing is asked about where the cameras stood."""
IMAGES = VIDEO_FRAMES
UNSEEN, HALF_SEEN, SEVERAL, AMBIGUOUS = "unseen", "half_seen", "several", "ambiguous_name"
REASONS: Mapping[str, str] = {
    AMBIGUOUS: "the word may also mean an object of another category in the scene",
    UNSEEN: "no frame of the video shows the object, or one of those that the word stands for",
    HALF_SEEN: "no frame of the video shows it well, or one of those that the word stands for",
    SEVERAL: "the scene has several of them, the question means one",
}
VERDICTS = ("", *REASONS)
"""What `codes_of` gives places in."""
NEAR: Mapping[str, str] = {"near": "nearer than boxes tell from touching"}
"""What tasks add that measure between boxes."""


class VideoLimits(Parameters):
    """What an object must show of itself in at least one frame of the video to count as seen well.

    VSI-Bench has no such rule, and asks about objects that its own frames do not show. A video shows an
    object from several sides, so that less of it is asked in one frame than where there is one image.
    """

    min_area: float = Field(
        0.002, ge=0, le=1, description="visible pixels, as a share of the image: 25 x 25 of 640 x 480"
    )
    max_occlusion: float = Field(0.6, ge=0, le=1, description="share of its pixels that others cover")
    max_truncation: float = Field(
        0.7, ge=0, le=1, description="share of its surface outside the image: a bed never fits into one"
    )
    min_vertex_fraction: float = Field(
        0.1, ge=0, le=1, description="share of its vertices seen; the far side never is"
    )


class WatchedParameters(ShownParameters):
    """What all tasks about a video have."""

    limits: VideoLimits = VideoLimits()


class Video:
    """The frames shown, and the scene's objects by the words that name them; made by `video_of`."""

    def __init__(self, facts: SceneFacts, limits: VideoLimits) -> None:
        self.facts, self.limits = facts, limits
        self.places = facts.frames.video
        self.frames: Roles = [(f"frame-{index}", place) for index, place in enumerate(self.places.tolist())]

    def shares(self) -> Float:
        """(V, O), visible pixels of each object as shares of each image shown, in the video's order."""
        seen = self.facts.observed.visible_px[self.places]
        shares: Float = seen / self.facts.frames.pixels[self.places][:, None]
        return shares

    @cached_property
    def shown_well(self) -> Bools:
        """(V, O), which frames show which object well."""
        seen, limits = self.facts.observed, self.limits
        # A comparison with NaN, what is not known, is false.
        return (
            seen.visible[self.places]
            & (self.shares() >= limits.min_area)
            & (seen.column("occlusion")[self.places] <= limits.max_occlusion)
            & (seen.column("truncation")[self.places] <= limits.max_truncation)
            & (
                np.nan_to_num(seen.column("visible_vertex_fraction")[self.places], nan=0.0)
                >= limits.min_vertex_fraction
            )
        )

    @cached_property
    def ever_well(self) -> Bools:
        """(O,), which objects some frame shows well."""
        found: Bools = np.any(self.shown_well, axis=0)
        return found

    @cached_property
    def glimpsed(self) -> Bools:
        """(O,), which objects some frame shows at all."""
        found: Bools = np.any(self.facts.observed.visible[self.places], axis=0)
        return found

    @cached_property
    def groups(self) -> dict[str, Indices]:
        """Word to the places (N,) of the objects that are called so, ascending; words in alphabetical order."""
        objects = self.facts.objects
        found: dict[str, list[int]] = {}
        for place, (word, structure) in enumerate(
            zip(objects.words, objects.structure.tolist(), strict=True)
        ):
            if not structure:
                found.setdefault(word, []).append(place)
        return {word: np.array(places, np.int64) for word, places in sorted(found.items())}

    @cached_property
    def firsts(self) -> Indices:
        """(W,), of each word in alphabetical order the first object that it stands for."""
        return np.array([group[0] for group in self.groups.values()], np.int64)

    @cached_property
    def word_of(self) -> Indices:
        """(O,), each object's word, as a place in alphabetical order; NOTHING for parts of the building."""
        found = np.full(len(self.facts.objects), NOTHING, np.int64)
        for index, group in enumerate(self.groups.values()):
            found[group] = index
        return found

    @cached_property
    def identities(self) -> Hashes:
        """(W,), of the words in alphabetical order: of their categories, so that labels draw the same."""
        return np.array([hash_name("word", category) for category in self.categories], np.uint64)

    @cached_property
    def categories(self) -> list[str]:
        """Of each word in alphabetical order the category of what it stands for."""
        return [self.facts.objects.categories[place] for place in self.firsts.tolist()]

    @cached_property
    def words(self) -> dict[str, str | None]:
        """Each word with the reason why not all that it stands for can be asked about, or None."""
        glimpsed, well = self.glimpsed, self.ever_well
        meant = self.facts.objects.may_mean.sum(axis=1)
        found: dict[str, str | None] = {}
        for word, group in self.groups.items():
            # A word may mean all that it stands for, and nothing else.
            if meant[group[0]] > len(group):
                found[word] = AMBIGUOUS
            elif not glimpsed[group].all():
                found[word] = UNSEEN
            else:
                found[word] = None if well[group].all() else HALF_SEEN
        return found

    @cached_property
    def referents(self) -> dict[str, str | None]:
        """Each word with the reason why it cannot stand for the one object it names, or None."""
        return {
            word: SEVERAL if reason is None and len(self.groups[word]) > 1 else reason
            for word, reason in self.words.items()
        }

    @cached_property
    def named(self) -> dict[str, int]:
        """The words that name one object, seen well, and the object's place."""
        return {word: int(self.groups[word][0]) for word, reason in self.referents.items() if reason is None}

    def distances(self, how: str) -> Float:
        """(O, O), meters between the nearest points of two objects' boxes, `exact` or `sampled`."""
        if how == "exact":
            return self.facts.objects.distances
        return self.facts.once(sampled_distances, self.limits)


def video_of(facts: SceneFacts, limits: VideoLimits) -> Video:
    """The one view of a scene's video that all tasks with equal limits share: `facts.once(video_of, limits)`."""
    return Video(facts, limits)


def sampled_distances(facts: SceneFacts, limits: VideoLimits) -> Float:
    """(O, O), meters between objects' boxes by VSI-Bench's 5 cm sampling; 0 on the diagonal.

    NaN but for pairs of an object that a word names alone and one that a word can ask about: sampling is slow.
    """
    video, boxes = facts.once(video_of, limits), facts.objects.boxes
    asked = [place for word, group in video.groups.items() if video.words[word] is None for place in group]
    out = np.full((len(boxes), len(boxes)), np.nan)
    np.fill_diagonal(out, 0.0)
    for one in video.named.values():
        for other in asked:
            if np.isnan(out[one, other]):
                # In one order, since rounding may differ in the other.
                first, second = sorted((one, int(other)))
                out[one, other] = out[other, one] = sampled_box_distance(boxes[first], boxes[second])
    return out


def codes_of(verdicts: Sequence[str | None]) -> Codes:
    """(N,), of each verdict its place in VERDICTS; 0 for None."""
    return np.array([VERDICTS.index(reason or "") for reason in verdicts], np.int16)


def count_sets(candidates: Candidates, verdicts: Sequence[str | None], size: int, orders: int = 1) -> None:
    """Count the sets of `size` words that hold a word with a reason against it, `orders` times each.

    A set counts under the reason of its first such word.
    """
    bad = [reason for reason in verdicts if reason is not None]
    for index, reason in enumerate(bad):
        candidates.count_out(reason, comb(len(verdicts) - index - 1, size - 1) * orders)
