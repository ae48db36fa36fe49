"""How long the longest side of an object's box is (VSI-Bench, "Object size")."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from spatial_assets.scene.model import Float
from spatial_assets.tasks.core.answers import Number
from spatial_assets.tasks.core.candidates import TIER, Bools, Candidates, Chosen, Indices, Strata, about_video
from spatial_assets.tasks.core.draws import Draw
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.laws import ORIGINS, laws
from spatial_assets.tasks.core.options import NO_OPTIONS, OPTION_REASONS, OPTIONS, Spacing
from spatial_assets.tasks.core.peers import wrong_of
from spatial_assets.tasks.core.quantities import CENTIMETERS
from spatial_assets.tasks.core.recount import Asked, Held
from spatial_assets.tasks.core.rejections import ROUNDING
from spatial_assets.tasks.core.rendering import FILL, SELECT
from spatial_assets.tasks.core.task import Question, Task
from spatial_assets.tasks.core.video.by_law import LawParameters
from spatial_assets.tasks.core.video.recounts import of_objects
from spatial_assets.tasks.core.video.shown import IMAGES, NEEDS, REASONS, VERDICTS, codes_of, video_of
from spatial_assets.tasks.vsi.video import VideoParameters, stems

NAME = "object_size_estimation"
PER_METER = 100.0
LAWS = "tasks/vsi/object_size_laws.json"


class ObjectSizeParameters(VideoParameters, LawParameters):
    max_frame_truncation: float = Field(
        0.5,
        ge=0,
        le=1,
        description="share of its surface outside the image in the frame that shows most: ends must be seen",
    )
    usual: float = Field(
        0.5,
        ge=0,
        le=1,
        description="share of a category's sizes, the middle ones, that a name suggests: asked about only where the "
        "quota is not full without them, since whoever knows the name alone comes close",
    )
    options: Spacing = Spacing(least_difference=2.0, least_share=0.05)
    """Closer than lengths of 15 % apart, which a person tells at a glance: most things of one name are alike."""


def find(facts: SceneFacts, parameters: ObjectSizeParameters) -> Candidates:
    """Every word that names one object."""
    video = facts.once(video_of, parameters.limits)
    found = about_video(video.firsts[:, None])
    found.reject_coded(codes_of(list(video.referents.values())), VERDICTS)
    found.reject("truncated", ends_unseen(facts, parameters, video.firsts))
    sizes = PER_METER * facts.objects.sizes[video.firsts].max(axis=1, initial=0.0)
    found.reject(ROUNDING, CENTIMETERS.near_rounding_boundary(sizes))
    found.values["size"] = sizes
    found.values[TIER] = 1 - is_unusual(facts, parameters, video.firsts, sizes).astype(np.int64)
    found.strata = Strata(np.arange(len(sizes)), video.identities)
    return found


def ends_unseen(facts: SceneFacts, parameters: ObjectSizeParameters, things: Indices) -> Bools:
    """(N,): of things (N,), whether no frame shows enough of each to see where it ends. One that would show it if
    nothing stood before it shows nothing."""
    video = facts.once(video_of, parameters.limits)
    outside = facts.observed.column("truncation")[video.places][:, things]
    shown = facts.observed.visible[video.places][:, things]
    least = np.where(shown & (outside == outside), outside, np.inf).min(axis=0, initial=np.inf)
    unseen: Bools = least > parameters.max_frame_truncation
    return unseen


def recount(facts: SceneFacts, parameters: ObjectSizeParameters, asked: Asked) -> Held:
    """An object is as long in any frames that show where it ends."""
    held = of_objects(facts, parameters, asked)
    held.reject("truncated", ends_unseen(facts, parameters, asked.objects[:, 0]))
    return held


def is_unusual(facts: SceneFacts, parameters: ObjectSizeParameters, things: Indices, sizes: Float) -> Bools:
    """(N,): whether objects are of another size than their names suggest, which only the images can show.

    Of the lengths (N,) of things (N,) those outside the middle of what their category's law has; where there is none,
    a name suggests nothing.
    """
    held = laws(LAWS, parameters.law_for(facts))
    out = np.ones(len(things), np.bool_)
    for row, thing in enumerate(things.tolist()):
        law = held.get(facts.objects.categories[thing])
        if law is not None and sizes[row] > 0:
            level = float(law.level(sizes[row : row + 1])[0])
            out[row] = not abs(level - 0.5) < parameters.usual / 2
    return out


def find_with_options(facts: SceneFacts, parameters: ObjectSizeParameters) -> Candidates:
    """Wrong options are as long as other objects of that name are."""
    found = facts.once(find, parameters).settle().fresh()
    held = laws(LAWS, parameters.law_for(facts))
    sizes = found.values["size"]
    wrong = np.full((len(found), OPTIONS - 1), np.nan)
    for row, thing in enumerate(found.objects[:, 0].tolist()):
        law = held.get(facts.objects.categories[thing])
        if law is not None:
            wrong[row] = law.wrong(sizes[row : row + 1])[0]
    known = ~np.isnan(wrong).any(axis=1)
    sets = CENTIMETERS.steps_of(np.nan_to_num(np.concatenate([sizes[:, None], wrong], axis=1)))
    found.reject(NO_OPTIONS, ~(known & parameters.options.holds(CENTIMETERS, sets)))
    found.values["wrong"] = sets[:, 1:]
    return found


def ask(facts: SceneFacts, parameters: ObjectSizeParameters, candidate: Chosen, draw: Draw) -> Question:
    (thing,) = candidate.objects
    return Question(
        Number(CENTIMETERS, float(candidate.values["size"]), wrong_of(candidate)),
        frames=facts.once(video_of, parameters.limits).frames,
        objects=[("object", thing)],
        slots={"category": facts.objects.words[thing]},
        stems=stems(parameters, NAME, draw),
    )


TASKS = (
    Task(
        module=__name__,
        name=NAME,
        level="low",
        images=IMAGES,
        summary="Length of an object's longest side, in centimeters",
        needs={FILL: NEEDS, SELECT: NEEDS},
        kind=Number.kind,
        parameters=ObjectSizeParameters,
        find=find,
        find_for={SELECT: find_with_options},
        data=(LAWS, ORIGINS),
        ask=ask,
        recount=recount,
        reasons={
            **REASONS,
            **OPTION_REASONS,
            "truncated": "no frame shows enough of it to see where it ends",
        },
    ),
)
