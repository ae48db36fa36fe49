"""Which of four objects is nearest to another (VSI-Bench, "Relative distance").

Distances are those of `object_abs_distance`. Where a word stands for several objects, the nearest of them counts.

A lamp stands by a bed, what stands in the middle is near to all, and of two things that belong together neither is
much nearer: of four options that the question names, the one that the words suggest would be right more often than the
others. Of such questions some are left out (`priors`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import Field

from spatial_assets.geometry.kernels.cache import kernel
from spatial_assets.scene.model import Float
from spatial_assets.tasks.core.answers import ObjectChoice
from spatial_assets.tasks.core.candidates import Bools, Candidates, Chosen, Indices, Strata, about_video
from spatial_assets.tasks.core.draws import Draw, Hashes, mix_columns
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.options import OPTIONS, letter_order
from spatial_assets.tasks.core.priors import EXPECTED, PRIOR_REASONS, keep_even, prior_file, prior_of
from spatial_assets.tasks.core.quantities import METERS
from spatial_assets.tasks.core.recount import Asked, Held
from spatial_assets.tasks.core.rendering import SELECT
from spatial_assets.tasks.core.task import Question, Task
from spatial_assets.tasks.core.video.shown import (
    HALF_SEEN,
    IMAGES,
    NEAR,
    NEEDS,
    REASONS,
    UNSEEN,
    VERDICTS,
    Video,
    VideoLimits,
    codes_of,
    video_of,
)
from spatial_assets.tasks.vsi.video import DistanceParameters, stems

SUITE, NAME = "vsi", "object_rel_distance"
FURTHER = OPTIONS - 1


class RelativeParameters(DistanceParameters):
    min_distance: float = Field(
        0.15, ge=0, description="meters from the target to the nearest option, VSI-Bench's: nearer ones touch"
    )
    min_gap: float = Field(
        0.15, gt=0, description="meters by which every two options' distances differ, VSI-Bench's"
    )
    even: bool = Field(True, description="leave out what words suggest, as often as it takes")


def nearest(facts: SceneFacts, limits: VideoLimits, how: str) -> tuple[Float, Indices]:
    """From the first object of each word to the nearest of each word: meters, (W, W), and which it is, (W, W)."""
    video = facts.once(video_of, limits)
    distances = video.distances(how)[video.firsts]
    count = len(video.groups)
    gaps, places = np.empty((count, count)), np.empty((count, count), np.int64)
    for column, group in enumerate(video.groups.values()):
        chosen = distances[:, group].argmin(axis=1)
        places[:, column] = group[chosen]
        gaps[:, column] = distances[np.arange(count), group[chosen]]
    return gaps, places


def options(facts: SceneFacts, limits: VideoLimits) -> Bools:
    """(W,), which words can be among the options."""
    return codes_of(list(facts.once(video_of, limits).words.values())) == 0


def recount(facts: SceneFacts, parameters: RelativeParameters, asked: Asked) -> Held:
    """The nearest of what the frames show of each option, if it is so by as much as `find` asks."""
    video = facts.once(video_of, parameters.limits)
    held = Held(asked)
    targets, options = asked.objects[:, 0], video.word_of[asked.objects[:, 1:]]
    held.reject(UNSEEN, ~video.glimpsed[targets])
    held.reject(HALF_SEEN, ~video.ever_well[targets])
    distances = video.distances(parameters.distance)[targets]
    well, half = (
        _nearest_of(video, np.where(shown, distances, np.inf))[np.arange(len(asked))[:, None], options]
        for shown in (video.ever_well, video.glimpsed & ~video.ever_well)
    )
    held.reject(UNSEEN, np.isinf(np.minimum(well, half)).any(axis=1))
    # Of one that is half seen nobody can say whether it counts.
    held.reject(HALF_SEEN, (half <= well).any(axis=1))
    order = np.sort(well, axis=1)
    held.reject("near", order[:, 0] < parameters.min_distance)
    with np.errstate(invalid="ignore"):
        held.reject("no_further", ~(order[:, 1] - order[:, 0] >= parameters.min_gap))
    names = list(video.groups)
    nearest_words = options[np.arange(len(asked)), well.argmin(axis=1)]
    held.answer([names[word] for word in nearest_words.tolist()])
    return held


def _nearest_of(video: Video, distances: Float) -> Float:
    """(N, W), of distances (N, O) the least to an object of each word."""
    return np.stack([distances[:, group].min(axis=1) for group in video.groups.values()], axis=1)


@kernel
def _have_further(gaps: Float, orders: Indices, fit: Bools, least: float, wanted: int) -> Bools:
    """(W, W): whether, of the fit words of a row, `wanted` lie further than the one of the column, all `least` apart.

    `orders` (W, W) sort the gaps of each row; numpy's sorting takes numba a second to compile.
    Taking the nearest that keeps its distance, again and again, finds as many as there can be.
    """
    count = len(fit)
    out = np.zeros((count, count), np.bool_)
    for row in range(count):
        order = orders[row]
        for at in range(count):
            if not fit[order[at]] or order[at] == row:
                continue
            last, found = gaps[row, order[at]], 0
            for later in range(at + 1, count):
                other = order[later]
                if fit[other] and other != row and gaps[row, other] - last >= least:
                    last = gaps[row, other]
                    found += 1
                    if found == wanted:
                        out[row, order[at]] = True
                        break
    return out


def find(facts: SceneFacts, parameters: RelativeParameters) -> Candidates:
    """Every word that names one object, the target, with every other word as the nearest option."""
    limits = parameters.limits
    video = facts.once(video_of, limits)
    gaps, places = facts.once(nearest, limits, parameters.distance)
    target, option = np.nonzero(~np.eye(len(gaps), dtype=np.bool_))
    found = about_video(np.stack([video.firsts[target], places[target, option]], axis=1))
    found.reject_coded(codes_of(list(video.referents.values()))[target], VERDICTS)
    found.reject_coded(codes_of(list(video.words.values()))[option], VERDICTS)
    found.reject("near", gaps[target, option] < parameters.min_distance)
    further = _have_further(
        gaps,
        np.argsort(gaps, axis=1, kind="stable"),
        facts.once(options, limits),
        parameters.min_gap,
        FURTHER,
    )
    found.reject("no_further", ~further[target, option])
    found.strata = Strata(target, video.identities)
    # Of its word, not of the one that happens to be the nearest.
    found.identities = np.stack(
        [facts.objects.identities[video.firsts[target]], video.identities[option]], axis=1
    )
    return found


def ask(facts: SceneFacts, parameters: RelativeParameters, candidate: Chosen, draw: Draw) -> Question:
    """Which three lie further away, and the order of the four, is drawn."""
    video = facts.once(video_of, parameters.limits)
    gaps, places = facts.once(nearest, parameters.limits, parameters.distance)
    target, option = (int(video.word_of[place]) for place in candidate.objects)
    own = gaps[target]
    beyond = facts.once(options, parameters.limits) & (own - own[option] >= parameters.min_gap)
    beyond[target] = False
    words = [option, *_further(own, np.flatnonzero(beyond), parameters.min_gap, video.identities, draw)]
    if parameters.even:
        categories = [facts.objects.categories[video.firsts[word]] for word in (*words, target)]
        keep_even(prior_of(SUITE, NAME).chances(hints(categories[:OPTIONS], categories[-1])), 0, draw)
    # The question names the options in the order of their letters.
    lettered = [words[index] for index in letter_order(OPTIONS, draw)]
    roles = [
        ("target", candidate.objects[0]),
        *((f"option_{index + 1}", int(places[target, word])) for index, word in enumerate(lettered)),
    ]
    right, *wrong = (facts.objects.words[video.firsts[word]] for word in words)
    first, second, *_ = sorted(own[words].tolist())
    return Question(
        # The nearest stays so until it is as far away as the second.
        ObjectChoice(right, wrong, [first], second - first, METERS.unit),
        frames=video.frames,
        objects=roles,
        slots=facts.objects.named(roles),
        stems=stems(parameters, NAME, draw),
    )


def hints(options: Sequence[str], target: str) -> list[list[str]]:
    """Of each option `lamp`, `bed~lamp` by the target, and `lamp|desk` by each of the other options."""
    # As far as a lamp is from a bed, the bed is from the lamp: what is seen of either way says both.
    return [
        [
            option,
            f"{option}~{target}" if option < target else f"{target}~{option}",
            *[f"{option}|{other}" for other in options if other != option],
        ]
        for option in options
    ]


def _further(gaps: Float, beyond: Indices, least: float, identities: Hashes, draw: Draw) -> list[int]:
    """Three of the words beyond, (B,), all `least` apart; `find` has seen that there are so many.

    Of all such threes it is the one whose words come first in a drawn order: so a word that goes changes only the
    questions that have it among their options.
    """
    ranked = beyond[np.argsort(mix_columns(draw.rank("further"), identities[beyond]))]
    three: list[int] = ranked[_first_apart(gaps[ranked], least)].tolist()
    return three


@kernel
def _first_apart(gaps: Float, least: float) -> Indices:
    """Places of the first three of (B,), in their order, that differ by so much; there are such."""
    count = len(gaps)
    for i in range(count):
        for j in range(i + 1, count):
            if abs(gaps[j] - gaps[i]) < least:
                continue
            for k in range(j + 1, count):
                if abs(gaps[k] - gaps[i]) >= least and abs(gaps[k] - gaps[j]) >= least:
                    return np.array([i, j, k])
    return np.empty(0, np.int64)


TASKS = (
    Task(
        module=__name__,
        name=NAME,
        level="medium",
        images=IMAGES,
        summary="Which of four objects is the nearest to another",
        needs={SELECT: NEEDS},
        kind=ObjectChoice.kind,
        parameters=RelativeParameters,
        find=find,
        ask=ask,
        recount=recount,
        reasons={
            **REASONS,
            **NEAR,
            "no_further": "fewer than three options further away whose distances differ clearly",
            EXPECTED: PRIOR_REASONS[EXPECTED],
        },
        data=(prior_file(SUITE, NAME),),
    ),
)
