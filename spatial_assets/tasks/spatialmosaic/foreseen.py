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
from spatial_assets.tasks.core.draws import mix_columns
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.priors import EXPECTED, PRIOR_REASONS, prior_file, prior_of
from spatial_assets.tasks.spatialmosaic.sets import SUITE
from spatial_assets.tasks.spatialmosaic.sides import AB, FB, SideParameters

LAWS: Mapping[str, str] = {axis: f"obj_existence_occ_{axis}" for axis in (AB, FB)}
"""The type that an axis' scores were measured on."""
FORESEEN_REASONS: Mapping[str, str] = {EXPECTED: PRIOR_REASONS[EXPECTED]}


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
    # Not of the set: what several sets ask of one frame goes or stays together. Else, of what is asked once of each
    # frame, that which is in many sets would have so many lots.
    columns = (facts.objects.identities[column] for column in found.objects.T)
    states = mix_columns(
        draw_key(facts.which, parameters.seed, task, "expected"),
        facts.frames.identities[found.frames[:, 0]],
        *columns,
    )
    units = (states >> np.uint64(11)).astype(np.float64) / float(1 << 53)
    found.reject(EXPECTED, _expected(units, odds))


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
