"""`compute_score` of EasyR1: `worker.reward.reward_function=.../spatial_assets/rewards/easyr1.py:compute_score`.

EasyR1 hands over a batch, each response with the text of its row's `answer`, and nothing else of the row. So the export
`grpo` writes there the fields of the truth as JSON; any other text is taken for the truth itself.
https://github.com/hiyouga/EasyR1, verl/workers/reward
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from spatial_assets.rewards.form import well_formed
from spatial_assets.scoring.kinds import Truth, score

REWARD_NAME, REWARD_TYPE = "spatial", "batch"


def compute_score(
    reward_inputs: Sequence[Mapping[str, Any]], format_weight: float = 0.1
) -> list[dict[str, float]]:
    """`overall` is what EasyR1 trains on; the parts go to its logs."""
    found = []
    for item in reward_inputs:
        right = score(item["response"], truth_of(item["ground_truth"]))
        formed = well_formed(item["response"])
        overall = (1 - format_weight) * right + format_weight * formed
        found.append({"overall": overall, "format": formed, "accuracy": right})
    return found


def truth_of(answer: str) -> Truth:
    """What an `answer` says."""
    try:
        fields = json.loads(answer)
    except ValueError:
        return Truth(answer)
    return Truth.of(fields) if isinstance(fields, dict) and "ground_truth" in fields else Truth(answer)
