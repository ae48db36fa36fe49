"""What these tests build, and how."""

from __future__ import annotations

import lakes

TASKS = ("depth_prediction_oc", "object_counting", "view_change_infer")
STAGES = ("sources", "scenes", "keyframes", "visibility", "overlap", *TASKS)
"""What is built here: every kind of asset, of the tasks those about an image, a pair and a video."""


def build(home, stages=STAGES, **rest):
    return lakes.build(home, stages=stages, **rest)
