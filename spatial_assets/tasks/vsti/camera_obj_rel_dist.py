"""Which of two, three or four objects is nearest to the camera at a moment of the video (VSTI-Bench, "Camera-object
relative distance", versions 3, 2 and 1).

Distances are those of `camera_obj_abs_dist`. What is small is seen from nearby, and what is large from afar: of options
that the question names, the one that the words suggest would be right more often than the others. Of such questions
some are left out (`priors`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from pydantic import Field

from spatial_assets.geometry.kernels.cache import kernel
from spatial_assets.tasks.core.answers import ObjectChoice
from spatial_assets.tasks.core.candidates import (
    Bools,
    Candidates,
    Chosen,
    Indices,
    Strata,
    draw_key,
    objects_in_frames,
)
from spatial_assets.tasks.core.draws import Draw, Hashes, mix_columns, mix_pair
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.limits import shown
from spatial_assets.tasks.core.options import LETTERS, letter_order
from spatial_assets.tasks.core.priors import EXPECTED, PRIOR_REASONS, keep_even, prior_file, prior_of
from spatial_assets.tasks.core.quantities import METERS
from spatial_assets.tasks.core.rendering import SELECT
from spatial_assets.tasks.core.task import Question, Task
from spatial_assets.tasks.core.video.named_frames import of_numbered
from spatial_assets.tasks.vsti.moments import (
    IMAGES,
    MOMENT_REASONS,
    NEEDS,
    SUITE,
    NamedParameters,
    asked_frames,
    frame_roles,
    moment_slots,
    named,
    nearest_points,
    reject_unnamed,
    stems,
    video_index,
)

REPEATED = "drawn_twice"


@dataclass(frozen=True)
class Version:
    """One of the three question types."""

    name: str
    count: int
    said: str


VERSIONS = (
    Version("camera_obj_rel_dist_v1", 4, "four"),
    Version("camera_obj_rel_dist_v2", 3, "three"),
    Version("camera_obj_rel_dist_v3", 2, "two"),
)


class RelativeParameters(NamedParameters):
    min_distance: float = Field(
        0.5, ge=0, description="meters from the camera to the nearest option, VSTI-Bench's"
    )
    min_gap: float = Field(
        0.15, gt=0, description="meters by which every other option is farther than the nearest, VSTI-Bench's"
    )
    draws: int = Field(
        4, ge=1, description="sets of other options drawn for each nearest object of each frame"
    )
    even: bool = Field(True, description="leave out what words suggest, as often as it takes")


def find(facts: SceneFacts, parameters: RelativeParameters, *, version: Version) -> Candidates:
    """Every object that a frame shows as the nearest of some, the others drawn among those farther away."""
    found = objects_in_frames(shown(facts), facts.frames.video)
    reject_unnamed(facts, found, parameters.limits)
    found = found.settle()
    frames, things = found.frames[:, 0], found.objects[:, 0]
    index, distances = facts.once(video_index)[frames], facts.once(nearest_points)
    found.reject("near", distances[index, things] < parameters.min_distance)
    fit = facts.once(named, parameters.limits)[facts.frames.video]
    beyond = fit[index] & (distances[index] - distances[index, things][:, None] >= parameters.min_gap)
    found.reject("no_further", beyond.sum(axis=1) < version.count - 1)
    found.values["beyond"] = beyond
    found = found.settle()
    return _with_others(facts, parameters, version, found)


def _with_others(
    facts: SceneFacts, parameters: RelativeParameters, version: Version, found: Candidates
) -> Candidates:
    """Each nearest object with the sets of others drawn for it, of which equal ones count once."""
    key = draw_key(facts.which, parameters.seed, version.name, "others")
    identities = facts.objects.identities
    states = mix_columns(key, facts.frames.identities[found.frames[:, 0]], identities[found.objects[:, 0]])
    rows, others, again = _drawn(
        states, found.values["beyond"], identities, version.count - 1, parameters.draws
    )
    sets = Candidates(
        found.frames[rows],
        np.concatenate([found.objects[rows], others], axis=1),
        rejected=found.rejected.copy(),
    )
    sets.count_out(REPEATED, int(again))
    index = facts.once(video_index)[sets.frames[:, 0]]
    distances = facts.once(nearest_points)[index[:, None], sets.objects]
    sets.values["nearest"] = distances[:, 0]
    sets.values["margin"] = distances[:, 1:].min(axis=1, initial=np.inf) - distances[:, 0]
    # Every moment in turn. By the objects, what is left of a thing that is always near would come as often as others.
    sets.strata = Strata.of_numbers(index)
    return sets


@kernel
def _drawn(
    states: Hashes, beyond: Bools, identities: Hashes, count: int, draws: int
) -> tuple[Indices, Indices, int]:
    """Of each row (N,) and draw the `count` objects, of those beyond (N, O), with the greatest hashes, in their places'
    order; (M,) whose they are, (M, count), and how many were the same as an earlier draw of their row."""
    rows = np.empty(len(states) * draws, np.int64)
    out = np.empty((len(rows), count), np.int64)
    best = np.zeros(count, np.uint64)
    chosen = np.zeros(count, np.int64)
    at, again = 0, 0
    for row in range(len(states)):
        first = at
        for draw in range(draws):
            begun = mix_pair(states[row], np.uint64(draw))
            held = 0
            for other in range(beyond.shape[1]):
                if not beyond[row, other]:
                    continue
                rank = mix_pair(begun, identities[other])
                if held < count:
                    slot = held
                    held += 1
                elif rank > best[count - 1]:
                    slot = count - 1
                else:
                    continue
                while slot > 0 and rank > best[slot - 1]:
                    best[slot], chosen[slot] = best[slot - 1], chosen[slot - 1]
                    slot -= 1
                best[slot], chosen[slot] = rank, other
            for place in range(count):
                # By insertion, as sorting takes numba a second to compile.
                slot = place
                while slot > 0 and out[at, slot - 1] > chosen[place]:
                    out[at, slot] = out[at, slot - 1]
                    slot -= 1
                out[at, slot] = chosen[place]
            new = True
            for earlier in range(first, at):
                same = True
                for place in range(count):
                    same = same and out[earlier, place] == out[at, place]
                new = new and not same
            if new:
                rows[at] = row
                at += 1
            else:
                again += 1
    return rows[:at], out[:at], again


def ask(
    facts: SceneFacts, parameters: RelativeParameters, candidate: Chosen, draw: Draw, *, version: Version
) -> Question:
    """The question names the options in the order of their letters, which is drawn."""
    if parameters.even:
        categories = [facts.objects.categories[place] for place in candidate.objects]
        keep_even(prior_of(SUITE, version.name).chances(hints(categories)), 0, draw)
    ordered = [candidate.objects[index] for index in letter_order(version.count, draw)]
    roles = [(f"option_{LETTERS[index].lower()}", place) for index, place in enumerate(ordered)]
    right, *wrong = (facts.objects.words[place] for place in candidate.objects)
    return Question(
        # The nearest stays so until it is as far away as the second.
        ObjectChoice(right, wrong, [candidate.values["nearest"]], candidate.values["margin"], METERS.unit),
        frames=frame_roles(facts, candidate.frames),
        objects=roles,
        slots={**facts.objects.named(roles), **moment_slots(facts, candidate.frames)},
        stems=stems(parameters, version.name, draw),
    )


def hints(options: Sequence[str]) -> list[list[str]]:
    """Of each option `lamp`, and `lamp|desk` by each of the others: a lamp on a desk is about as near as it."""
    return [[option, *(f"{option}|{other}" for other in options if other != option)] for option in options]


TASKS = tuple(
    Task(
        module=__name__,
        name=version.name,
        level="medium",
        images=IMAGES,
        summary=f"Which of {version.said} objects is the nearest to the camera at a moment of the video",
        needs={SELECT: NEEDS},
        kind=ObjectChoice.kind,
        parameters=RelativeParameters,
        find=partial(find, version=version),
        ask=partial(ask, version=version),
        recount=of_numbered,
        points=asked_frames,
        reasons={
            **MOMENT_REASONS,
            "near": "nearer to the camera than its distance can be told",
            "no_further": "too few objects that can be named are clearly farther away",
            REPEATED: "the same other options were drawn for it before",
            EXPECTED: PRIOR_REASONS[EXPECTED],
        },
        data=(prior_file(SUITE, version.name),),
    )
    for version in VERSIONS
)
