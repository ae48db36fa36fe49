"""What a task is: its declaration, its parameters, and what it makes of a candidate."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

from pydantic import Field

from spatial_assets.scene.frames import VIDEO, FrameSet
from spatial_assets.scene.model import Fact
from spatial_assets.scene.parameters import Parameters
from spatial_assets.scene.tables import Table
from spatial_assets.tasks.core.answers import Answer
from spatial_assets.tasks.core.candidates import Candidates, Chosen
from spatial_assets.tasks.core.draws import Draw
from spatial_assets.tasks.core.facts import MADE_BY_OVERLAP, READ_FOR, READS, SceneFacts
from spatial_assets.tasks.core.limits import ReferentLimits
from spatial_assets.tasks.core.marks import Mark
from spatial_assets.tasks.core.options import Spacing
from spatial_assets.tasks.core.printed import Printed

if TYPE_CHECKING:
    # Few tasks count again: the questions of the others are not computed from it.
    from spatial_assets.tasks.core.recount import Points, Recount


class TaskParameters(Parameters):
    """What every task has."""

    seed: int = Field(0, description="changes which candidates fill a quota, their wording and options")
    quota: int = Field(
        100, ge=0, description="questions per scene, task and format; SPAR's counts cluster at a hundred"
    )
    names: Literal["category", "label"] = Field(
        "category",
        description="what objects are called: one word for a kind in all data sets, or the source's own label",
    )
    twins: int = Field(
        0,
        ge=0,
        description="questions per scene, task and format that are asked once more under each law that ties a question "
        "to its twin",
    )
    data: ClassVar[tuple[str, ...]] = ()
    """Data files that `said` comes from, relative to the package."""

    @property
    def said(self) -> str:
        """What every question says besides, after its stem."""
        return ""

    @property
    def frame_set(self) -> FrameSet:
        """Whose frames stand for the scene's video."""
        return VIDEO


class ShownParameters(TaskParameters):
    """What all tasks about a video have."""

    frames: FrameSet = Field(
        VIDEO,
        description="the frames that stand for the video: 32 spread evenly over it, or a set of `frame_sets`",
    )

    @property
    def frame_set(self) -> FrameSet:
        return self.frames


UNDER_A_DISC = ReferentLimits(min_area=0.004, min_marker_radius=0.012)
"""SPAR's discs have a radius of 20 px on images 1296 px wide, 0.0154 of the width. Of an object whose visible pixels
are four times that, 0.004 of an image of 4 to 3, the disc leaves three quarters to see. Where a clear square of half
side 0.78 radii, 0.012 of the width, lies around the point, three quarters of the disc lie on one piece of the object,
so that it points at nothing else."""


class MarkedParameters(TaskParameters):
    """What tasks about objects marked with points have."""

    limits: ReferentLimits = UNDER_A_DISC
    options: Spacing = Spacing()
    min_mark_gap: float = Field(
        0.04, ge=0, description="between two points, as a share of the width: SPAR's discs are 0.031 wide"
    )


class PairParameters(TaskParameters):
    """What tasks about two images have."""

    limits: ReferentLimits = ReferentLimits()
    min_overlap: float = Field(
        0.1, ge=0, le=1, description="share of the surface seen in both images; less shows no link"
    )
    max_overlap: float = Field(0.9, ge=0, le=1, description="more, and the images are nearly the same")


Roles = Sequence[tuple[str, int]]
"""(role, place among the scene's frames or objects), in order."""


class Question(NamedTuple):
    """What a candidate asks, before it is worded."""

    answer: Answer
    frames: Roles
    """The images shown, in order."""
    objects: Roles
    slots: Mapping[str, str] = MappingProxyType({})
    """What the templates' placeholders stand for."""
    marks: Sequence[Mark] = ()
    given: Sequence[float] = ()
    """Numbers that the question states."""
    stems: Sequence[str] | None = None
    """Ids of the stems to draw from; None for all."""
    noted: Sequence[str] = ()
    """Names of the wording's notes that hold for this question and not for all."""
    views: Sequence[str] | None = None
    """Names that the frames' places stand for, where they are views along a path; None for the scene's own frames."""
    quoted: str = ""
    """The id of words that the question quotes, which tells it apart beside what it shows."""
    quoted_license: str | None = None
    """Their terms, which hold beside the scene's own."""
    diagnostics: tuple[Any, ...] | None = None
    """Of a question about a view set, in the order of the table's column."""
    printed: Printed | None = None
    """Places in images that its texts print; None where they print none."""
    answers: Sequence[str] | None = None
    """Of words that are quoted, all that their source takes for right; None where the answer alone is."""


Find = Callable[[SceneFacts, Any], Candidates]
"""(facts, parameters) to candidates; the same for all formats."""
Ask = Callable[[SceneFacts, Any, Chosen, Draw], Question]
"""(facts, parameters, candidate, the row's draws) to its question. Raises Rejection."""


Change = Callable[[SceneFacts, Any, Question], Question | None]
"""(facts, parameters, question): a question turned into its twin's; None where it has none."""


@dataclass(frozen=True)
class Twin:
    """One way to ask a candidate once more so that a law ties the two answers."""

    law: str
    """Its name in `twin_laws.json`."""
    turned: str = ""
    """The purpose of the draw that falls otherwise."""
    mirrored: bool = False
    """Of an order: the opposite one and not the next."""
    change: Change | None = None
    """What is done to the question besides."""
    formats: tuple[str, ...] | None = None
    """None for all."""


@dataclass(frozen=True)
class Task:
    """One kind of question. It stands as TASKS in a module of its suite's folder, its wording as JSON beside it."""

    module: str
    """The module that declares it: `__name__`."""
    name: str
    level: str
    """low, medium or high, in SPAR's terms."""
    images: int
    summary: str
    needs: Mapping[str, frozenset[Fact]]
    """By answer format, the smallest set of facts that makes the answer true and the question fair."""
    kind: str
    """Of its answers."""
    parameters: type[TaskParameters]
    find: Find
    ask: Ask
    reasons: Mapping[str, str]
    """What each reason for rejecting means."""
    data: tuple[str, ...] = ()
    """Data files beside the wording that rows depend on, relative to the package."""
    reads: tuple[Table, ...] = ()
    """Tables beyond those that follow from its needs."""
    recount: Recount | None = None
    """Of a task about a video: what holds of its questions where other frames of it are shown."""
    points: Points | None = None
    """Of one whose questions point at frames of the video by their numbers: at which."""
    find_for: Mapping[str, Find] = field(default_factory=dict)
    """By format, in place of `find`, where a format shows more than others."""
    ask_for: Mapping[str, Ask] = field(default_factory=dict)
    twins: tuple[Twin, ...] = ()
    """Beside those that every task of a format has."""
    places: Literal["box", "layout"] | None = None
    """What its answers place in space: an object's box, or where objects lie seen from above; None where they place
    nothing."""

    @property
    def suite(self) -> str:
        """The folder that its module stands in."""
        return self.module.split(".")[-2]

    @property
    def formats(self) -> tuple[str, ...]:
        return tuple(sorted(self.needs))

    @property
    def tables(self) -> tuple[Table, ...]:
        """All that it may read, but for those that a set of frames comes from."""
        needed = frozenset().union(*self.needs.values())
        if MADE_BY_OVERLAP in self.reads:
            needed -= {Fact.OVERLAP}
        return (*READS, *(table for fact, table in READ_FOR.items() if fact in needed), *self.reads)

    @property
    def wording_file(self) -> str:
        """Relative to the package."""
        return f"tasks/{self.suite}/{self.name}.json"
