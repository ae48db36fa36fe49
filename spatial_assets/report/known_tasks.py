"""What pages and pictures know of tasks: their order, what each asks, needs, can be told and rejects.

No other module of the report knows single tasks but `frames_shown`, which asks them. What all tasks share, as letters
of options, stands in `tasks.core`, and is taken from there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from spatial_assets.scene.parameters import Parameters
from spatial_assets.tasks.core.task import TaskParameters
from spatial_assets.tasks.registry import task, tasks

BOX: Final = "box"
LAYOUT: Final = "layout"
"""What answers tell that place objects, as tasks declare it."""


@dataclass(frozen=True)
class About:
    """A task in words; both are empty for a task that this version does not know."""

    summary: str = ""
    made_of: str = ""


@dataclass(frozen=True)
class Setting:
    """A parameter, or a group of them."""

    name: str
    default: Any
    """A group's is the name of its model."""
    reason: str
    group: tuple[Setting, ...] = ()
    """A group's parameters; empty for a single one."""
    usual: tuple[Setting, ...] = ()
    """The same with the model's own defaults, where a task may have others."""


@dataclass(frozen=True)
class InWords:
    """All that a task says of itself."""

    name: str
    suite: str
    level: str
    images: int
    kind: str
    summary: str
    formats: Mapping[str, Sequence[str]]
    """By format, the facts that a scene must know, sorted."""
    parameters: Sequence[Setting]
    """Without those that all tasks share."""
    reasons: Mapping[str, str]
    """Why it rejects a candidate, without the reasons that all tasks share."""


def in_order(names: Iterable[str]) -> list[str]:
    """Names of tasks as the pages show them: known ones in the order of their declarations, then the others."""
    found = list(names)
    known = tasks()
    return [*(name for name in known if name in found), *(name for name in found if name not in known)]


def about(name: str) -> About:
    """What a task asks, its level and its images."""
    try:
        found = task(name)
    except KeyError:
        return About()
    return About(found.summary, f"{found.level} level · {images(found.images)}")


def placing() -> dict[str, tuple[str, ...]]:
    """Tasks whose answers place objects, by what they tell: a box, or a layout seen from above."""
    return {
        kind: tuple(name for name, own in tasks().items() if own.places == kind) for kind in (BOX, LAYOUT)
    }


def images(count: int) -> str:
    """How many images a question shows."""
    return "1 image" if count == 1 else f"{count} images"


def in_words(name: str) -> InWords:
    """Raises KeyError for an unknown task."""
    found = task(name)
    shared = shared_parameters()
    return InWords(
        found.name,
        found.suite,
        found.level,
        found.images,
        found.kind,
        found.summary,
        {form: sorted(found.needs[form]) for form in found.formats},
        [setting for setting in _settings(found.parameters()) if setting not in shared],
        found.reasons,
    )


def shared_parameters() -> tuple[Setting, ...]:
    """What every task can be told."""
    return _settings(TaskParameters())


def _settings(parameters: Parameters) -> tuple[Setting, ...]:
    found = []
    for name, info in type(parameters).model_fields.items():
        value = getattr(parameters, name)
        if isinstance(value, Parameters):
            model = type(value)
            # What a group is for stands where it is declared.
            reason = (model.__doc__ or "").partition("\n")[0].rstrip(".")
            found.append(Setting(name, model.__name__, reason, _settings(value), _settings(model())))
        else:
            found.append(Setting(name, value, info.description or ""))
    return tuple(found)
