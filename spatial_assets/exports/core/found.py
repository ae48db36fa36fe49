"""What a look at files of some layout came to: what is wrong with them, and how much was looked at."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from spatial_assets.scene.english import plural


@dataclass
class Found:
    """Of a tree, or of a file of one."""

    kind: str
    """What the layout calls a kind of question."""
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What could not be looked at or looks odd, and is no problem."""
    files: int = 0
    records: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    """Records of each kind."""

    def summary(self) -> list[str]:
        of = f"{plural(len(self.kinds), self.kind)} in {plural(self.files, 'file')}"
        return [f"{plural(self.records, 'record')} of {of}", *self.notes]
