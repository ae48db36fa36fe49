"""Seeds of the studio's scenes: what laws and priors are fitted on is never what is audited.

A law that is a little off tells a little of the right answer, and on the scenes that it was fitted on it is not off.
The data files say which seeds they come from; what is audited here is checked against that before it is made.
"""

from __future__ import annotations

import json
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1] / "spatial_assets"
AUDITED, AUDITED_MORE, AUDITED_UNFILMED, AUDITED_MOST, AUDITED_RAREST = range(140_911, 140_916)
"""Of the scenes of all tasks, of those for tasks with few rows a scene, of those without images, of those for the tasks
with fewest, and of those for the one that four of five homes have none of."""
ALL_AUDITED = (AUDITED, AUDITED_MORE, AUDITED_UNFILMED, AUDITED_MOST, AUDITED_RAREST)
OF_LAWS, OF_PRIORS = 7001, (7101, 7102, 7103, 7104)
"""What the data files are fitted on."""
OF_MORE_PRIORS = (*OF_PRIORS, *range(7105, 7117))
"""Where scores are of pairs of names, of which each is in few scenes."""
OF_MOST_PRIORS = (*OF_MORE_PRIORS, *range(7117, 7133))
"""And where a scene asks of the same few things at many moments or from many sides, and says little of others."""
OF_RAREST_PRIORS = (*OF_MOST_PRIORS, *range(7133, 7193))
"""And where most scenes ask nothing at all."""
OF_ALL_PRIORS = (*OF_RAREST_PRIORS, *range(7193, 7253))
"""And where of these a law of three things alone is wanted, which no law of four helps out."""


def fitted() -> dict[str, list[int]]:
    """By data file, relative to the package, the seeds that it says it was fitted on.

    Raises ValueError for a file that does not say.
    """
    found = {}
    for pattern in ("tasks/*/*_laws.json", "tasks/*/*.prior.json"):
        for path in sorted(PACKAGE.glob(pattern)):
            name = path.relative_to(PACKAGE).as_posix()
            held = json.loads(path.read_text(encoding="utf-8"))
            if "seeds" not in held:
                raise ValueError(
                    f"{name}: states no `seeds`; expected those of the scenes that it was fitted on"
                )
            found[name] = list(held["seeds"])
    return found


def check_apart(audited: tuple[int, ...]) -> None:
    """Raises ValueError, naming the file, where scenes of these seeds were fitted on."""
    for name, seeds in fitted().items():
        shared = sorted(set(seeds) & set(audited))
        if shared:
            raise ValueError(
                f"{name}: was fitted on seed {shared[0]}, which is to be audited; choose another seed"
            )
