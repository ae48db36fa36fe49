"""Files of ScanQA's and SQA3D's form, made up: what each question says tells what its answers have to be."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

SCANQA = "ScanQA/ScanQA_v1.0_{split}.json"
SQA3D = "SQA3D/v1_balanced_questions_{split}_scannetv2.json"
SQA3D_ANSWERS = "SQA3D/v1_balanced_sqa_annotations_{split}_scannetv2.json"
PLACE = re.compile(r"place (\d+) of (\w+)\?")


def scanqa(scenes: Iterable[str], count: int = 4, split: str = "train") -> list[dict[str, Any]]:
    """Entries of its file."""
    return [
        {
            "answers": answers_of(number, scene),
            "object_ids": [number],
            "object_names": ["chair"],
            "question": f"what is at place {number} of {scene}?",
            "question_id": f"{split}-{scene}-{number}",
            "scene_id": scene,
        }
        for scene in scenes
        for number in range(count)
    ]


def sqa3d(
    scenes: Iterable[str], count: int = 3, start: int = 220_602_000_000
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Its two files: the questions, and their annotations in another order."""
    asked = [(scene, number) for scene in scenes for number in range(count)]
    questions = [
        {
            "scene_id": scene,
            "situation": f"I am standing by door {number}.",
            "alternative_situation": ["", ""],
            "question": f"What is  at place {number} of {scene}?",
            "question_id": start + place,
        }
        for place, (scene, number) in enumerate(asked)
    ]
    annotations = [
        {
            "scene_id": scene,
            "question_type": "N/A",
            "answer_type": "other",
            "question_id": start + place,
            "answers": [
                {"answer": text, "answer_confidence": "yes", "answer_id": 1}
                for text in answers_of(number, scene)
            ],
            "rotation": {"_x": 0, "_y": 0, "_z": 0, "_w": 1},
            "position": {"x": 0, "y": 0, "z": 0},
        }
        for place, (scene, number) in enumerate(asked)
    ]
    head = {"info": {"version": 1.0}, "license": {"name": "CC"}, "data_type": "scannetv2"}
    return {**head, "questions": questions}, {**head, "annotations": annotations[::-1]}


def answers_of(number: int, scene: str) -> list[str]:
    """Two, of which the second comes twice, for every other question one."""
    first = f"thing {number} of {scene}"
    return [first] if number % 2 else [first, f"a {first}", f"a {first}"]


def write(root: Path, scenes: Iterable[str], count: int = 4) -> None:
    """All of both collections, in folders of their own, with a split to test on beside that to train on."""
    scenes = list(scenes)
    for split in ("train", "val"):
        put(root, SCANQA.format(split=split), scanqa(scenes, count, split))
        questions, answers = sqa3d(scenes, count, 220_602_000_000 + 1000 * len(split))
        put(root, SQA3D.format(split=split), questions)
        put(root, SQA3D_ANSWERS.format(split=split), answers)


def put(root: Path, path: str, content: Any) -> Path:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(json.dumps(content))
    return root / path


def expected(row: dict[str, Any]) -> list[str]:
    """The answers that a row's question must have, each once, by its own words."""
    number, scene = PLACE.search(row["question"]).groups()
    assert scene == row["scene"]
    return list(dict.fromkeys(answers_of(int(number), scene)))
