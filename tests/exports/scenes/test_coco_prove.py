"""pycocotools itself reads the boxes: truths found again score 1, and boxes moved away score 0."""

from __future__ import annotations

import json
import subprocess

import pytest
from tool_env import tool_python

from spatial_assets.exports.core.base import ImageMode, Options
from spatial_assets.exports.core.source import ReleaseRows
from spatial_assets.exports.run import export

pytestmark = pytest.mark.prove
SCRIPT = """
import json, sys
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
truth = COCO(sys.argv[1])
told = {"images": len(truth.getImgIds()), "boxes": len(truth.getAnnIds()), "ap": []}
for moved in (0, 10000):
    found = [
        {"image_id": box["image_id"], "category_id": box["category_id"], "score": 0.9,
         "bbox": [box["bbox"][0] + moved, *box["bbox"][1:]]}
        for box in truth.loadAnns(truth.getAnnIds())
    ]
    judge = COCOeval(truth, truth.loadRes(found), "bbox")
    judge.evaluate(); judge.accumulate(); judge.summarize()
    told["ap"].append(float(judge.stats[0]))
print("TOLD" + json.dumps(told))
"""


def test_it_reads_and_scores_the_boxes(released, tmp_path):
    python = tool_python("pycocotools", ["pycocotools"], ["numpy"], ["pycocotools.coco"])
    out = tmp_path / "out"
    made = export("coco", ReleaseRows(released.home, "v1"), out, Options(ImageMode.NONE))
    for split, images in made.splits.items():
        done = subprocess.run(
            [str(python), "-c", SCRIPT, str(out / f"{split}.json")],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        told = json.loads(done.stdout.rpartition("TOLD")[2])
        content = json.loads((out / f"{split}.json").read_text(encoding="utf-8"))
        assert told["images"] == images and told["boxes"] == len(content["annotations"])
        assert told["ap"] == [1.0, 0.0]
        print(f"\npycocotools, {split}: {told}")
