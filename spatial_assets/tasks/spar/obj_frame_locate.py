"""In which of some frames of a video an object of another one is seen again (SPAR, appendix 7.5, "Obj frame location").

The object stands in a red box in one frame. The question names a few others, some that show it and some that do not:
frames in which only a little of it shows are in neither group, so the answer holds wherever one draws the line. How
many of those named show it is drawn evenly.
"""

from __future__ import annotations

import numpy as np
from pydantic import Field

from spatial_assets.tasks.core.answers import Text
from spatial_assets.tasks.core.candidates import Bools, Candidates, Chosen, Strata
from spatial_assets.tasks.core.draws import Draw
from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.limits import REFERENT_REASONS, ReferentLimits, reject_unfit
from spatial_assets.tasks.core.marks import box_mark
from spatial_assets.tasks.core.rendering import SENTENCE
from spatial_assets.tasks.core.task import Question, Task
from spatial_assets.tasks.core.video.named_frames import of_pointed
from spatial_assets.tasks.core.video.shown import (
    IMAGES,
    NEEDS,
    REASONS,
    VERDICTS,
    WatchedParameters,
    codes_of,
    video_of,
)
from spatial_assets.tasks.spar.video import called_by, label

NAME = "obj_frame_locate"
FEW = "few_frames"


class LocateParameters(WatchedParameters):
    marked: ReferentLimits = ReferentLimits()
    """What the object must show of itself in the frame where it is boxed."""
    glimpse_area: float = Field(
        0.0001,
        gt=0,
        description="visible pixels, as a share of the image, that someone may notice: 31 of VGA",
    )
    named: int = Field(6, ge=2, description="frames that the question asks about: one line of text")


def shows(facts: SceneFacts, parameters: LocateParameters) -> tuple[Bools, Bools]:
    """(V, O) twice: which frames of the video show which object well, and which show next to nothing of it."""
    video = facts.once(video_of, parameters.limits)
    return video.shown_well, video.shares() < parameters.glimpse_area


def find(facts: SceneFacts, parameters: LocateParameters) -> Candidates:
    """Each word that names one object, in each frame of the video that shows it at all."""
    video = facts.once(video_of, parameters.limits)
    seen = facts.observed.visible[video.places][:, video.firsts]
    frames, words = np.nonzero(seen)
    things = video.firsts[words]
    found = Candidates(video.places[frames][:, None], things[:, None])
    found.reject_coded(codes_of(list(video.referents.values()))[words], VERDICTS)
    reject_unfit(facts, found, parameters.marked)
    well, absent = facts.once(shows, parameters)
    again = well.sum(axis=0)[things] - well[frames, things]
    without = absent.sum(axis=0)[things]
    found.reject(FEW, (again < 1) | (without < 1) | (again + without < parameters.named))
    found.strata = Strata.of_objects(things, facts.objects.identities)
    return found


def ask(facts: SceneFacts, parameters: LocateParameters, candidate: Chosen, draw: Draw) -> Question:
    """Which frames are named, and how many of them show the object, is drawn."""
    (frame,), (thing,) = candidate.frames, candidate.objects
    video = facts.once(video_of, parameters.limits)
    well, absent = facts.once(shows, parameters)
    reference = int(np.flatnonzero(video.places == frame)[0])
    again = [place for place in np.flatnonzero(well[:, thing]).tolist() if place != reference]
    without = np.flatnonzero(absent[:, thing]).tolist()
    least, most = max(1, parameters.named - len(without)), min(parameters.named - 1, len(again))
    count = least + draw.below("count", most - least + 1)
    right = sorted(again[place] for place in draw.sample("right", len(again), count))
    others = [without[place] for place in draw.sample("wrong", len(without), parameters.named - count)]
    shares = video.shares()[:, thing]
    margins = [
        *(shares[right] - parameters.glimpse_area).tolist(),
        *(parameters.glimpse_area - shares[others]).tolist(),
    ]
    return Question(
        Text(_listed(right), right, min(margins), "share of the image"),
        frames=video.frames,
        objects=[("red", thing)],
        slots={
            "red": facts.objects.words[thing],
            "reference": _listed([reference]),
            "frames": _listed(sorted([*right, *others])),
        },
        marks=[box_mark(frame, "red", thing)],
    )


def _listed(places: list[int]) -> str:
    return ", ".join(map(label, places))


TASKS = (
    Task(
        module=__name__,
        name=NAME,
        level="medium",
        images=IMAGES,
        summary="In which of some frames of a video a boxed object of another frame is seen again",
        needs={SENTENCE: NEEDS},
        kind=Text.kind,
        parameters=LocateParameters,
        find=find,
        ask=ask,
        recount=of_pointed,
        points=called_by(NAME),
        reasons={
            **REFERENT_REASONS,
            **REASONS,
            FEW: "too few other frames certainly show it, or certainly do not",
        },
    ),
)
