"""What the names of two objects say of the side on which one lies, and how it is kept from telling the answer.

A lamp is higher than a carpet, wherever one looks from, and a curtain is mostly farther away than a table. So each
category has a score of how high, and how far, it mostly is (`<axis>.prior.json` of the types of existence, measured on
made homes), and the difference of two scores is the log of the odds of their sides. What is asked is thinned by it, so
that in what is kept the likelier side is right no more often than the other. Left and right follow from no name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from pydantic import Field

from spatial_assets.scene.model import Float
from spatial_assets.tasks.core.candidates import Bools, Candidates, Indices, draw_key
from spatial_assets.tasks.core.draws import Hashes, mix_columns, units
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.priors import EXPECTED, PRIOR_REASONS, prior_file, prior_of
from spatial_assets.tasks.spatialmosaic.sets import HIDDEN, SUITE
from spatial_assets.tasks.spatialmosaic.sides import AB, FB, SideParameters

LAWS: Mapping[str, str] = {axis: f"obj_existence_occ_{axis}" for axis in (AB, FB)}
"""The type that an axis' scores were measured on."""
UNEVEN = "uneven"
FORESEEN_REASONS: Mapping[str, str] = {
    EXPECTED: PRIOR_REASONS[EXPECTED],
    UNEVEN: "left out by lot, so that no side is right more often than another",
}


class ForeseenParameters(SideParameters):
    """What tasks have whose answers names may suggest."""

    even: bool = Field(
        True,
        description="leave out by lot what the names suggest, so that it is right no more often than the rest",
    )


def law_files(axis: str) -> tuple[str, ...]:
    """The data file of an axis' scores, relative to the package, where it has one."""
    return (prior_file(SUITE, LAWS[axis]),) if axis in LAWS else ()


def hints(target: str, reference: str) -> list[list[str]]:
    """What speaks for the target's being higher, or farther, and what for the reference's."""
    return [[target], [reference]]


def scores(facts: SceneFacts, axis: str) -> Float:
    """(O,), how high, or how far, each object's category mostly is; zeros for what no name says anything of."""
    if axis not in LAWS:
        return np.zeros(len(facts.objects))
    law = prior_of(SUITE, LAWS[axis])
    return np.array([law.score(word) for word in facts.objects.categories], np.float64)


def thin_out(
    facts: SceneFacts, parameters: ForeseenParameters, task: str, found: Candidates, odds: Float
) -> None:
    """Reject so many for what is expected of them that each option is right equally often.

    odds : (N, k), of each option the log of how likely it is, but for what is the same for all; the right one first.
    """
    if not parameters.even or not len(found):
        return
    states = lots(facts, parameters.seed, task, "expected", found)
    found.reject(EXPECTED, _expected(units(states), odds))


def lots(facts: SceneFacts, seed: int, task: str, purpose: str, found: Candidates) -> Hashes:
    """(N,), hashes of the frame and the objects alone: what several sets ask of one frame draws the same.

    Else, of what is asked once of each frame, that which is in many sets would have so many lots.
    """
    columns = (facts.objects.identities[column] for column in found.objects.T)
    return mix_columns(
        draw_key(facts.which, seed, task, purpose), facts.frames.identities[found.frames[:, 0]], *columns
    )


def even_out(
    facts: SceneFacts,
    parameters: ForeseenParameters,
    task: str,
    found: Candidates,
    answers: Indices,
    count: int,
) -> None:
    """Reject so many of each answer, (N,), that all `count` answers of a kind are right equally often, among what the
    asked frame shows and among what it does not.

    What a frame does not show is mostly closer than what it shows, since it is beside the camera or behind it. Answers
    are numbered by kinds: of the same kind are those between two multiples of `count`.
    """
    if not parameters.even or not len(found):
        return
    drawn = lots(facts, parameters.seed, task, UNEVEN, found)
    cells = answers * 2 + found.values[HIDDEN]
    # Each question of a frame once, however many sets ask it; what one lot decides goes or stays together.
    order = np.lexsort((drawn, cells))
    new = np.ones(len(order), np.bool_)
    new[1:] = (np.diff(cells[order]) != 0) | (drawn[order][1:] != drawn[order][:-1])
    sizes = np.bincount(cells[order][new], minlength=2 * count * (int(answers.max()) // count + 1))
    least = sizes.reshape(-1, count, 2).min(axis=1)
    begins = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    turn = np.empty(len(order), np.int64)
    turn[order] = np.cumsum(new) - 1
    turn -= begins[cells]
    found.reject(UNEVEN, turn >= least[answers // count, cells % 2])


def turns(axes: Iterable[str], things: Indices) -> Indices:
    """(N,), which objects take turns in filling a quota: none where names are thinned out for one of the axes.

    Of what is left of a lamp's questions, few as they are, all say that it is higher: were its turn as frequent as that
    of others, names would tell again.
    """
    return things * 0 if set(axes) & set(LAWS) else things


def _expected(units: Float, odds: Float) -> Bools:
    # A keeps its chance against the least likely: min(p) / p of the right one.
    less: Float = np.exp(odds.min(axis=1) - odds[:, 0])
    found: Bools = units >= less
    return found


def side_odds(facts: SceneFacts, axis: str, found: Candidates, sides: Indices) -> Float:
    """(N, 2), what the names say of the side, (N,) signs, on which the first object lies, and of the other."""
    own = facts.once(scores, axis)
    first, second = found.objects[:, 0], found.objects[:, 1]
    towards = sides * (own[first] - own[second])
    odds: Float = np.stack([towards, np.zeros(len(towards))], axis=1)
    return odds
