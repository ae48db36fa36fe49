"""What SPAR's own questions say of 3D centers, for tasks that measure between them.

Every such question says so in words of ours already; the published sentence can stand behind them, for training and
evaluation beside SPAR's own data.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from spatial_assets.tasks.core.task import TaskParameters

PUBLISHED = Path(__file__).with_name("published_sentences.json")


@cache
def published(name: str) -> str:
    """A sentence of SPAR's questions, word for word."""
    found: str = json.loads(PUBLISHED.read_text(encoding="utf-8"))["sentences"][name]
    return found


class CenterParameters(TaskParameters):
    """What tasks have that measure between 3D centers."""

    center_sentence: bool = Field(
        False,
        description="every question also says so in SPAR's own sentence, which stands there in its release",
    )
    data: ClassVar[tuple[str, ...]] = (f"tasks/spar/{PUBLISHED.name}",)

    @property
    def said(self) -> str:
        return published("3D centers") if self.center_sentence else ""
