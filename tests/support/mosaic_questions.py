"""Questions of each of SpatialMosaic's 17 types made by hand, and its two published samples."""

from __future__ import annotations

import hashlib
from typing import Any

from spatial_assets.exports.spatialmosaic import layout

FLAT: dict[str, Any] = {
    "dataset": "scannetpp",
    "scene_name": "2ab7bea148",
    "question_type": "obj_count_occ_na",
    "frames": ["frame_009170", "frame_016110", "frame_001790", "frame_016000", "frame_007270"],
    "question": "How many mouse(s) are visible across these frames?",
    "options": ["A. 4", "B. 3", "C. 2", "D. 1"],
    "ground_truth": "1",
    "mc_answer": "D",
    "overlap_avg": 3.9537576000000003,
    "occlusion_avg": 0.0,
    "occ_level": "low",
    "overlap_level": "high",
    "vis_level": "Fully Visible",
    "GT Scenario": "Full Coverage",
    "id": 0,
    "bbox_2d": [],
    "bbox_2d_diag": "0",
}
"""The published test sample, of the README of Kanghee-Lee/SpatialMosaic-project."""
ASKED = (
    "<image>\nThese are frames of a video.\n\n"
    "In frame_009770, where does the heater appear in this view relative to the cardboard box(217,122)?"
    "\n\nOptions:\nA. Lower than the cardboard box.\nB. Farther from the camera than the cardboard box.\n"
    "C. To the left of the cardboard box.\nD. Closer to the camera than the cardboard box.\n"
    "Answer with the option's letter from the given choices directly."
)
CONVERSATION: dict[str, Any] = {
    "id": "97c9a5ce-f377-4029-9e14-d54181cd5e2e",
    "data_source": "scannetpp",
    "scene_name": "35f2120068",
    "question_type": "obj_spatial_occ_fb",
    "frames": ["frame_009770", "frame_007960", "frame_008450", "frame_003460", "frame_008240"],
    "conversations": [{"from": "human", "value": ASKED}, {"from": "gpt", "value": "D"}],
}
"""The published training sample, of an earlier revision of the same README."""
BOX = [10.0, 8.0, 40.0, 32.0]
FILLS = {
    "obj_count_occ_na": "3",
    "obj_distance_occ_na": "2.4",
    "obj_obj_distance_occ_na": "0.7",
    "obj_size_occ_na": "85",
    layout.POINT: "(25,20)",
}


def mosaic_row(task: str, number: int, scene: str = "scene0001_00", **changed: Any) -> dict[str, Any]:
    frames = [str(7 * index + number % 3) for index in range(2 + number % 4)]
    options = None if task in FILLS else ["Yes", "No"] if task in layout.YES_NO else ["2", "3", "5", "4"]
    if task == "obj_localization_occ":
        options = ["Yes; (25, 20)", "No", "Yes; (50, 9)", "Yes; (3, 40)"]
    pairs = [5.0 + number] * (len(frames) * (len(frames) - 1) // 2)
    return {
        "qa_id": hashlib.blake2b(f"{task}{number}{scene}".encode(), digest_size=16).hexdigest(),
        "dataset": "scannet",
        "release": "v2",
        "license": "terms",
        "scene": scene,
        "task": task,
        "format": "fill" if options is None else "select",
        "question": "What of it? A. 2; B. 3; C. 5; D. 4. Answer with A, B, C or D.",
        "stem": f"What of it, for the {number}th time?",
        "instruction": None,
        "answer": FILLS[task] if options is None else "ABCD"[number % len(options)],
        "options": options,
        "frames": [{"role": f"frame-{place + 1}", "frame": frame} for place, frame in enumerate(frames)],
        "marks": [],
        "diagnostics": {
            "view_set": f"{number:032x}",
            "asked": 1,
            "answer_is": "shown",
            "overlap_avg": 5.0 + number,
            "overlap_pairs": pairs,
            "occlusion_avg": None if number == 1 else 0.05 * number,
            "visibility": "full" if number % 2 else "partial",
            "coverage": 0.1 * number,
            "box": BOX if "localization" in task else None,
        },
        **changed,
    }


def mosaic_rows(each: int = 4, scene: str = "scene0001_00") -> list[dict[str, Any]]:
    """Some of every type."""
    return [mosaic_row(task, number, scene) for task in sorted(layout.TYPES) for number in range(each)]
