"""`compute_score` of verl: `custom_reward_function.path=.../spatial_assets/rewards/verl.py`, its name as it is.

verl calls it for each response with the row's `data_source`, its `reward_model.ground_truth` and its `extra_info`.
https://verl.readthedocs.io, verl 0.9.1
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spatial_assets.rewards.form import well_formed
from spatial_assets.scoring.kinds import Truth, score


def compute_score(
    data_source: str,
    solution_str: str,
    ground_truth: str,
    extra_info: Mapping[str, Any] | None = None,
    **_: Any,
) -> dict[str, float]:
    """`score` is what verl trains on; the parts go to its logs."""
    right = score(solution_str, Truth.of({**(extra_info or {}), "ground_truth": ground_truth}))
    return {"score": right, "accuracy": right, "format": well_formed(solution_str)}
