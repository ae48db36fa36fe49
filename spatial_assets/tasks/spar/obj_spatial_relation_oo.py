"""How a marked object lies to another as the camera sees them (SPAR, appendix 7.5, "Obj spatial relation").

The red object is described relative to the blue one. Both are marked with boxes, as SPAR's drawing program has them.
"""

from __future__ import annotations

from collections.abc import Mapping

from spatial_assets.scene.model import Fact
from spatial_assets.tasks.core.answers import Answer, Relation
from spatial_assets.tasks.core.candidates import Candidates, Chosen, pairs_in_frames
from spatial_assets.tasks.core.draws import Draw
from spatial_assets.tasks.core.even import in_name_order
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.limits import REFERENT_REASONS, reject_unfit, shown
from spatial_assets.tasks.core.marks import box_mark, marker_gaps
from spatial_assets.tasks.core.rendering import JUDGE, SELECT, SENTENCE
from spatial_assets.tasks.core.task import MarkedParameters, Question, Task, Twin
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
from spatial_assets.tasks.spar.relations import BETWEEN, RelationLimits, said, signs_of_one

SUITE, NAME = "spar", "obj_spatial_relation_oo"
NEEDS = frozenset({Fact.IMAGES, Fact.POSES, Fact.OBJECTS, Fact.VISIBILITY})


class ObjectRelationParameters(MarkedParameters, CenterParameters):
    relation: RelationLimits = RelationLimits()


def find(facts: SceneFacts, parameters: ObjectRelationParameters) -> Candidates:
    """Pairs of objects in a keyframe, that of the earlier name first; values say how it lies to the other."""
    pairs = pairs_in_frames(shown(facts), facts.frames.keyframes)
    reject_unfit(facts, pairs, parameters.limits)
    pairs = pairs.settle()
    pairs.objects = in_name_order(facts, pairs.objects)
    frames, (a, b) = pairs.frames[:, 0], pairs.objects.T
    pairs.reject("boxes_overlap", facts.objects.overlap[a, b])
    relate(facts, parameters.relation, pairs, frames, BETWEEN)
    pairs.reject("marks_touch", marker_gaps(facts, frames, a, b) < parameters.min_mark_gap)
    pairs = pairs.settle()
    pairs.strata = answer_cells(facts, parameters.relation, parameters.seed, NAME, pairs)[0].strata
    return pairs


def find_with_options(facts: SceneFacts, parameters: ObjectRelationParameters) -> Candidates:
    found = facts.once(find, parameters).settle()
    return with_options(facts, parameters.relation, parameters.seed, NAME, found)


def find_statements(facts: SceneFacts, parameters: ObjectRelationParameters) -> Candidates:
    found = facts.once(find, parameters).settle()
    return with_statements(facts, parameters.relation, parameters.seed, NAME, found)


def ask(facts: SceneFacts, parameters: ObjectRelationParameters, candidate: Chosen, draw: Draw) -> Question:
    """Which of the two is red is drawn."""
    told, limits = related(candidate, draw), parameters.relation
    relation = said(BETWEEN, signs_of_one(limits, told.values), phrases(SUITE, NAME))
    right = answer(limits, BETWEEN, candidate, told, draw)
    return question(facts, candidate.frames[0], told, right, {"relation": relation, **limits.stated})


def ask_statement(
    facts: SceneFacts, parameters: ObjectRelationParameters, candidate: Chosen, draw: Draw
) -> Question:
    told = related(candidate, draw)
    right = statement(parameters.relation, candidate, told, phrases(SUITE, NAME))
    return question(facts, candidate.frames[0], told, right, parameters.relation.stated)


def question(
    facts: SceneFacts, frame: int, told: Related, right: Answer, slots: Mapping[str, str]
) -> Question:
    """The same in all formats."""
    roles = list(zip(("red", "blue"), told.objects, strict=True))
    return Question(
        right,
        frames=[("image", frame)],
        objects=roles,
        slots={**facts.objects.named(roles), **slots},
        marks=[box_mark(frame, role, thing) for role, thing in roles],
    )


TASKS = (
    Task(
        module=__name__,
        name=NAME,
        level="high",
        images=1,
        summary="Whether a marked object lies left or right, above or below, farther or closer than another",
        needs={SELECT: NEEDS, JUDGE: NEEDS, SENTENCE: NEEDS},
        kind=Relation.kind,
        parameters=ObjectRelationParameters,
        find=find,
        find_for={SELECT: find_with_options, JUDGE: find_statements},
        ask=ask,
        ask_for={JUDGE: ask_statement},
        reasons={
            **REFERENT_REASONS,
            **RELATION_REASONS,
            "boxes_overlap": "the two objects' boxes touch or overlap",
            "marks_touch": "the two objects are nearly at one place of the image",
        },
        twins=(Twin("relation_turned", "order"),),
    ),
)
