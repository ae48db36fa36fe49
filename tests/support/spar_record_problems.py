"""What the export to SPAR's layout says of rows as its records."""

from __future__ import annotations

from typing import Any

from spatial_assets.exports.core.base import Question, Shot
from spatial_assets.exports.spar import layout as spar_layout
from spatial_assets.exports.spar import problems as spar_problems
from spatial_assets.exports.spar import records as spar_records
from spatial_assets.scene.frames import VIDEO_FRAMES


def problems_of(rows: list[dict[str, Any]]) -> list[str]:
    """What the export's check says of rows as records, images aside."""
    found = []
    for number, row in enumerate(rows):
        shots = tuple(Shot(item["role"], item["frame"], None, None, ()) for item in row["frames"])
        images = [f"{row['scene']}/{shot.frame}.jpg" for shot in shots]
        record = spar_records.record(Question(row, "train", shots), number, images, ())
        layout = spar_layout.task(row["task"])
        assert layout.published and layout.folder == row["task"]
        # A sequence that is shorter than a video is shown whole; SPAR has none.
        short = f"image has {len(images)} paths, and {layout.type} shows {VIDEO_FRAMES}"
        problems = spar_problems.problems(record, layout, row["format"], lambda image: None)
        found += [problem for problem in problems if problem != short or len(images) > VIDEO_FRAMES]
        back = spar_records.columns(record)
        assert back == {**{name: row.get(name) for name in back}, "split": "train"}
    return found
