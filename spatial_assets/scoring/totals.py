"""Scores of rows into a benchmark's summary, as its profile makes it. Here is what becomes of rows without a score."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from spatial_assets.scoring.profile import Profile, Scores, Summary, TaskIndex


def totals(
    profile: Profile, scores: Scores, tasks: TaskIndex, names: Sequence[str], stopped: str | None
) -> Summary:
    """`tasks`, `levels` and `overall`, and what else the profile tells.

    Parameters
    ----------
    scores, tasks : (N,) arrays
        Of the rows, NaN where one has no score, and the place of each one's task in `names`.
    stopped : str or None
        What the released evaluation would have said at the first row that has no score. Where the profile ends there,
        `overall` is None, `error` says so, and `overall_of_scored_rows` has the mean of the others.
    """
    scored = ~np.isnan(scores)
    found = profile.aggregate(scores[scored], tasks[scored], names)
    if stopped is not None and profile.stops_on_error:
        if "error" not in found:
            found["overall_of_scored_rows"] = found["overall"]
        found["overall"] = None
        found["error"] = stopped
    return found
