"""What tasks about videos share whose wrong options follow from a law of their answers."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from spatial_assets.tasks.core.facts import SceneFacts
from spatial_assets.tasks.core.laws import law_of_origin
from spatial_assets.tasks.core.video.shown import WatchedParameters


class LawParameters(WatchedParameters):
    """What tasks have whose wrong options follow from a law of their answers."""

    law: Literal["by_origin", "studio", "scans"] = Field(
        "by_origin",
        description="whose answers wrong options are like: those of the studio's homes, or of the scanned rooms that "
        "VSI-Bench asks about; by_origin: the studio's where a scene's images say that they were made by it, "
        "else the scans'. With the wrong law options tell a little of which is right",
    )

    def law_for(self, facts: SceneFacts) -> str:
        """The kind of scenes whose law a scene's options follow from."""
        return law_of_origin(facts.made_by) if self.law == "by_origin" else self.law
