"""How long, wide and high a boxed object is, in centimeters (SPAR, appendix 7.5, "Spatial volume infer").

Length and width are the longer and the shorter side of the upright box's footprint, so that it does not matter from
where one looks; height is along the world's z. The object stands in a red box. Where it ends must be seen, so that of
hidden and cut objects fewer are asked about than elsewhere.
"""

from __future__ import annotations

import numpy as np
from pydantic import Field

from spatial_assets.scene.model import Fact, Float
from spatial_assets.tasks.core.answers import Size
from spatial_assets.tasks.core.candidates import Candidates, Chosen, Strata, objects_in_frames
from spatial_assets.tasks.core.draws import Draw
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.limits import REFERENT_REASONS, ReferentLimits, reject_unfit, shown
from spatial_assets.tasks.core.marks import box_mark
from spatial_assets.tasks.core.quantities import CENTIMETERS
from spatial_assets.tasks.core.rejections import ROUNDING
from spatial_assets.tasks.core.rendering import FILL, SENTENCE
from spatial_assets.tasks.core.task import Question, Task, TaskParameters

NEEDS = frozenset({Fact.IMAGES, Fact.POSES, Fact.OBJECTS, Fact.VISIBILITY})
"""What is hidden of an object need not be known: what shows of its box stands in for it (see ReferentLimits)."""
PER_METER = 100.0
SEPARATOR = ", "


class VolumeParameters(TaskParameters):
    limits: ReferentLimits = ReferentLimits(max_truncation=0.1, max_occlusion=0.3)
    """Nobody measures what does not show: a tenth outside the image is an edge, three tenths hidden a cushion."""
    max_tilt: float = Field(
        1.0,
        ge=0,
        le=45,
        description="degrees from the box's axis to the world's z: of more, height means two things",
    )
    min_side: float = Field(
        3.0, ge=0, description="centimeters; of less, as of a picture's depth, the mesh says nothing reliable"
    )


def sides(facts: SceneFacts) -> Float:
    """(O, 3), centimeters: length, width and height."""
    objects = facts.objects
    upright = np.abs(objects.rotations[:, 2, :])
    vertical = upright.argmax(axis=1)[:, None]
    heights = np.take_along_axis(objects.sizes, vertical, axis=1)
    ground = objects.sizes.copy()
    np.put_along_axis(ground, vertical, -1.0, axis=1)
    ordered = np.sort(ground, axis=1)[:, :0:-1]
    found: Float = PER_METER * np.concatenate([ordered, heights], axis=1)
    return found


def tilts(facts: SceneFacts) -> Float:
    """(O,), degrees between the world's z and the nearest axis of each box."""
    upright = np.abs(facts.objects.rotations[:, 2, :]).max(axis=1, initial=0.0)
    found: Float = np.degrees(np.arccos(np.clip(upright, 0.0, 1.0)))
    return found


def find(facts: SceneFacts, parameters: VolumeParameters) -> Candidates:
    """Each object in each keyframe that shows it."""
    found = objects_in_frames(shown(facts), facts.frames.keyframes)
    objects = found.objects[:, 0]
    lengths = facts.once(sides)[objects]
    reject_unfit(facts, found, parameters.limits)
    found.reject("tilted", facts.once(tilts)[objects] > parameters.max_tilt)
    found.reject("thin", lengths.min(axis=1, initial=np.inf) < parameters.min_side)
    found.reject(ROUNDING, CENTIMETERS.near_rounding_boundary(lengths).any(axis=1))
    found.values["sides"] = lengths
    # An object is equally large in every image: each once before any twice.
    found.strata = Strata.of_objects(objects, facts.objects.identities)
    return found


def ask(facts: SceneFacts, parameters: VolumeParameters, candidate: Chosen, draw: Draw) -> Question:
    (frame,), (thing,) = candidate.frames, candidate.objects
    lengths: list[float] = candidate.values["sides"].tolist()
    texts = list(map(CENTIMETERS.text, lengths))
    return Question(
        Size([(CENTIMETERS, length) for length in lengths], SEPARATOR.join(texts)),
        frames=[("image", frame)],
        objects=[("red", thing)],
        slots={
            "red": facts.objects.words[thing],
            **dict(zip(("length", "width", "height"), texts, strict=True)),
        },
        marks=[box_mark(frame, "red", thing)],
    )


TASKS = (
    Task(
        module=__name__,
        name="spatial_volume_infer",
        level="low",
        images=1,
        summary="Length, width and height of a boxed object, in centimeters",
        needs={FILL: NEEDS, SENTENCE: NEEDS},
        kind=Size.kind,
        parameters=VolumeParameters,
        find=find,
        ask=ask,
        reasons={
            **REFERENT_REASONS,
            "tilted": "its box does not stand upright",
            "thin": "a side is too short to be measured in the scan",
        },
    ),
)
