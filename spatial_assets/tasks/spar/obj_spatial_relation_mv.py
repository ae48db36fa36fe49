"""How marked objects lie to the viewer of the first of three images, or to each other as that viewer sees them
(SPAR, appendix 7.5, "Obj spatial relation").

Of one object the mark, a box, stands in the second or third image; of two in the images that show them best. What is
not in the main view must be found by putting the views together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from spatial_assets.tasks.core.answers import Answer, Relation
from spatial_assets.tasks.core.candidates import Candidates, Chosen
from spatial_assets.tasks.core.draws import Draw
from spatial_assets.tasks.core.even import in_name_order
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.limits import ReferentLimits
from spatial_assets.tasks.core.rendering import JUDGE, SELECT, SENTENCE
from spatial_assets.tasks.core.task import Question, Task, Twin
from spatial_assets.tasks.core.wording import phrases
from spatial_assets.tasks.spar.centers import CenterParameters
from spatial_assets.tasks.spar.related import (
    RELATION_REASONS,
    Related,
    answer,
    answer_cells,
    relate,
    related,
    statement,
    with_options,
    with_statements,
)
from spatial_assets.tasks.spar.relations import (
    BETWEEN_AND_TO_VIEWER,
    TO_VIEWER,
    RelationLimits,
    said,
    signs_of_one,
)
from spatial_assets.tasks.spar.views import (
    NEEDS,
    OTHER_VIEWS,
    VIEW_REASONS,
    VIEWS,
    ViewLimits,
    boxes_in,
    objects_in_views,
    pairs_in_views,
    shown_views,
)

SUITE = "spar"
OC, OO = "obj_spatial_relation_oc_mv", "obj_spatial_relation_oo_mv"
SLOTS = {OC: TO_VIEWER, OO: BETWEEN_AND_TO_VIEWER}


class RelationInViewsParameters(CenterParameters):
    limits: ReferentLimits = ReferentLimits()
    views: ViewLimits = ViewLimits()
    relation: RelationLimits = RelationLimits()


def find_objects(facts: SceneFacts, parameters: RelationInViewsParameters) -> Candidates:
    """Objects that the second or third image shows well."""
    found = objects_in_views(facts, parameters, OTHER_VIEWS)
    return _related(facts, parameters, OC, found)


def find_pairs(facts: SceneFacts, parameters: RelationInViewsParameters) -> Candidates:
    """Pairs of objects in three views, that of the earlier name first."""
    found = pairs_in_views(facts, parameters)
    ordered = in_name_order(facts, found.objects)
    turned = (ordered != found.objects).any(axis=1)[:, None]
    found.values[VIEWS] = np.where(turned, found.values[VIEWS][:, ::-1], found.values[VIEWS])
    found.objects = ordered
    found.reject("boxes_overlap", facts.objects.overlap[found.objects[:, 0], found.objects[:, 1]])
    return _related(facts, parameters, OO, found.settle())


def _related(
    facts: SceneFacts, parameters: RelationInViewsParameters, name: str, found: Candidates
) -> Candidates:
    relate(facts, parameters.relation, found, found.frames[:, 0], SLOTS[name])
    found = found.settle()
    found.strata = answer_cells(facts, parameters.relation, parameters.seed, name, found)[0].strata
    return found


FIND = {OC: find_objects, OO: find_pairs}


def find_with_options(facts: SceneFacts, parameters: RelationInViewsParameters, *, name: str) -> Candidates:
    found = facts.once(FIND[name], parameters).settle()
    return with_options(facts, parameters.relation, parameters.seed, name, found)


def find_statements(facts: SceneFacts, parameters: RelationInViewsParameters) -> Candidates:
    found = facts.once(find_pairs, parameters).settle()
    return with_statements(facts, parameters.relation, parameters.seed, OO, found)


def ask(
    facts: SceneFacts, parameters: RelationInViewsParameters, candidate: Chosen, draw: Draw, *, name: str
) -> Question:
    """Which of two is red is drawn."""
    told, limits, slots = related(candidate, draw), parameters.relation, SLOTS[name]
    relation = said(slots, signs_of_one(limits, told.values), phrases(SUITE, name))
    right = answer(limits, slots, candidate, told, draw)
    return question(facts, candidate.frames, told, right, {"relation": relation, **limits.stated})


def ask_statement(
    facts: SceneFacts, parameters: RelationInViewsParameters, candidate: Chosen, draw: Draw
) -> Question:
    told = related(candidate, draw)
    right = statement(parameters.relation, candidate, told, phrases(SUITE, OO))
    return question(facts, candidate.frames, told, right, parameters.relation.stated)


def question(
    facts: SceneFacts, frames: Sequence[int], told: Related, right: Answer, slots: Mapping[str, str]
) -> Question:
    """The same in all formats."""
    roles = list(zip(("red", "blue"), told.objects, strict=False))
    return Question(
        right,
        frames=shown_views(frames),
        objects=roles,
        slots={**facts.objects.named(roles), **slots},
        marks=boxes_in(facts, frames, roles, told.views),
    )


REASONS = {**VIEW_REASONS, **RELATION_REASONS, "boxes_overlap": "the two objects' boxes touch or overlap"}
TASKS = (
    Task(
        module=__name__,
        name=OC,
        level="high",
        images=3,
        summary="On which side of the first image's viewer an object is that is marked in another image",
        needs={SELECT: NEEDS, SENTENCE: NEEDS},
        kind=Relation.kind,
        parameters=RelationInViewsParameters,
        find=find_objects,
        find_for={SELECT: partial(find_with_options, name=OC)},
        ask=partial(ask, name=OC),
        reasons=REASONS,
    ),
    Task(
        module=__name__,
        name=OO,
        level="high",
        images=3,
        summary="How an object lies to another as the first image's viewer sees them, marked in three images",
        needs={SELECT: NEEDS, JUDGE: NEEDS, SENTENCE: NEEDS},
        kind=Relation.kind,
        parameters=RelationInViewsParameters,
        find=find_pairs,
        find_for={SELECT: partial(find_with_options, name=OO), JUDGE: find_statements},
        ask=partial(ask, name=OO),
        ask_for={JUDGE: ask_statement},
        reasons=REASONS,
        twins=(Twin("relation_turned", "order"),),
    ),
)
