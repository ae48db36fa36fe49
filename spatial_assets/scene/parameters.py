"""The base of all parameter models: named, documented defaults whose values are recorded with what they made."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Parameters(BaseModel):
    """Unknown names are errors, so that a misspelled setting is not silently a default."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class NoParameters(Parameters):
    """Of what has nothing to choose."""
