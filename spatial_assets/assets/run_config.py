"""What a step's run may be told, as a schema that Dagster checks before it makes a run.

A step takes `scenes`, `rehash` and `parameters`: those of its stage, by task where it is a suite, by dataset where
readers differ. The parameters' own models say what there is: a name that is none of theirs and a value of another
type are marked in the Launchpad, and a value out of range stops the launching. What is left out stays as the home
or the defaults have it, so no field here has a default of its own, which is why these are no `dg.Config` classes:
those would fill in a value, and would check ranges only when the step has begun.
https://docs.dagster.io/guides/operate/configuration/advanced-config-types
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from functools import cache
from typing import Annotated, Any, Literal, get_args, get_origin

import dagster as dg
from dagster._config import PostProcessingError
from dagster._config.config_type import ConfigScalar, ConfigScalarKind
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from spatial_assets.readers.registry import READERS
from spatial_assets.stages.stage import Stage

SCALARS = {
    bool: ConfigScalarKind.BOOL,
    int: ConfigScalarKind.INT,
    float: ConfigScalarKind.FLOAT,
    str: ConfigScalarKind.STRING,
}


LIMITS = {
    "minimum": "at least",
    "exclusiveMinimum": "more than",
    "maximum": "at most",
    "exclusiveMaximum": "less than",
    "multipleOf": "a multiple of",
    "pattern": "like",
}
"""Limits by their names in JSON Schema, in words."""


class Limited(ConfigScalar):
    """A number or text within the limits that its parameter declares."""

    def __init__(self, kind: type, limits: tuple[Hashable, ...]) -> None:
        limited: Any = Annotated[kind, *limits]
        self.adapter: TypeAdapter[Any] = TypeAdapter(limited)
        found = self.adapter.json_schema()
        told = ", ".join(f"{LIMITS.get(name, name)} {found[name]}" for name in found if name != "type")
        name = f"{kind.__name__}, {told}"
        super().__init__(name, name, SCALARS[kind], description=told)

    def post_process(self, value: Any) -> Any:
        try:
            return self.adapter.validate_python(value)
        except ValidationError as error:
            raise PostProcessingError(error.errors()[0]["msg"]) from None


def schema_of(stages: Sequence[Stage], suite: bool) -> dict[str, dg.Field]:
    """The configuration of the step that makes these stages, by stage where they are a suite."""
    if suite:
        parameters = dg.Shape({stage.name: _optional(_stage_shape(stage), "") for stage in stages})
    else:
        (stage,) = stages
        parameters = _stage_shape(stage)
    return {
        "scenes": dg.Field(
            [str], default_value=[], description="Only these scenes of the shard; empty for all."
        ),
        "rehash": dg.Field(
            bool, default_value=False, description="Hash every source file again, whatever its times say."
        ),
        "parameters": _optional(parameters, "Values in place of the home's or the defaults, for this run."),
    }


def overrides(config: Mapping[str, Any], stage: Stage, dataset: str, suite: bool) -> dict[str, Any]:
    """The parameters that a step's configuration gives for one of its stages on one dataset."""
    given = config.get("parameters", {})
    if suite:
        given = given.get(stage.name, {})
    return dict(given.get(dataset, {}) if _differs(stage) else given)


def _models(stage: Stage) -> dict[str, BaseModel]:
    return {dataset: stage.parameters(dataset) for dataset in READERS}


def _differs(stage: Stage) -> bool:
    """Whether the stage has other parameters for one dataset than for another, as reading has."""
    return len({type(model) for model in _models(stage).values()}) > 1


def _stage_shape(stage: Stage) -> dg.Shape:
    models = _models(stage)
    if _differs(stage):
        return dg.Shape({dataset: _optional(_shape([model]), "") for dataset, model in models.items()})
    return _shape(list(models.values()))


def _shape(defaults: Sequence[BaseModel]) -> dg.Shape:
    """The fields of one model, of which there are defaults that may differ by dataset."""
    fields = type(defaults[0]).model_fields
    return dg.Shape(
        {name: _field(info, [getattr(model, name) for model in defaults]) for name, info in fields.items()}
    )


def _field(info: FieldInfo, defaults: Sequence[Any]) -> dg.Field:
    kind = info.annotation
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return _optional(_shape(defaults), info.description or "")
    told = " or ".join(dict.fromkeys(repr(value) for value in defaults))
    return _optional(_type(kind, info.metadata), f"{info.description or ''} (default {told})".lstrip())


def _type(kind: Any, limits: Sequence[Any]) -> Any:
    if get_origin(kind) is Literal:
        values = get_args(kind)
        return dg.Enum(" or ".join(values), [dg.EnumValue(value) for value in values])
    if get_origin(kind) in (list, tuple):
        return dg.Array(_type(get_args(kind)[0], ()))
    return _limited(kind, tuple(limits)) if limits else kind


_limited = cache(Limited)
"""Tasks share most of their limits, and a checker takes long to make."""


def _optional(kind: Any, description: str) -> dg.Field:
    return dg.Field(kind, is_required=False, description=description or None)
