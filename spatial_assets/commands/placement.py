"""`spatial-assets score grounding` and `score bev`: answers that place objects, scored against a home's truth."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from spatial_assets.commands.printing import WARNING, percent, print_json, print_table, say, table, warn
from spatial_assets.scene.english import plural
from spatial_assets.scene.model import InputError

if TYPE_CHECKING:
    from spatial_assets.evaluation.grounding import Scored
    from spatial_assets.evaluation.placed_truths import Home
    from spatial_assets.scene.model import Box

GROUNDING, BEV = "grounding", "bev"
KINDS = (GROUNDING, BEV)
COMPARED = ("exact", "aligned")


@dataclass(frozen=True)
class Chosen:
    """What `score` was told that these two alone know."""

    home: Path
    boxes: str | None
    proposals: Path | None
    noise: float | None
    distinct: bool
    scanrefer: Path | None

    def check(self, kind: str) -> None:
        """Raises ValueError for what another kind of scoring does not know."""
        given = {
            "--boxes": self.boxes is not None,
            "--proposals": self.proposals is not None,
            "--noise": self.noise is not None,
            "--distinct": self.distinct,
            "--scanrefer": self.scanrefer is not None,
        }
        wrong = [name for name, is_given in given.items() if is_given]
        if kind != GROUNDING and wrong:
            raise ValueError(f"{', '.join(wrong)}: for `score {GROUNDING}` alone")
        if self.proposals is not None and self.noise is not None:
            raise ValueError("--proposals and --noise: give one of them")


def score_placements(
    kind: str, file: Path, chosen: Chosen, out: Path | None, summary_out: Path | None, as_json: bool
) -> None:
    """Score answers, a row {"qa_id", "prediction"} a line, and tell what came of them."""
    from spatial_assets.storage.atomic import replace_text

    chosen.check(kind)
    rows, summary = _grounding(file, chosen) if kind == GROUNDING else _bev(file, chosen)
    if out is not None:
        replace_text(out, "".join(f"{json.dumps(row)}\n" for row in rows))
    if summary_out is not None:
        replace_text(summary_out, json.dumps(summary, indent=2) + "\n")
    if as_json:
        print_json(summary)
        return
    if kind == GROUNDING:
        _print_grounding(summary)
    else:
        _print_bev(summary)
    for reason, count in summary["unread"].items():
        warn(f"{plural(count, 'answer')} could not be read and count as wrong: {reason}", WARNING)
    for path in (out, summary_out, chosen.scanrefer):
        if path is not None:
            say(f"written: {path}")


def _answers(file: Path) -> dict[str, object]:
    """Predictions by question. Raises InputError for a row without id or prediction, and for a second one."""
    from spatial_assets.scoring.run import read_objects

    found: dict[str, object] = {}
    for number, row in read_objects(file):
        own = row.get("qa_id", row.get("id"))
        if not isinstance(own, str):
            raise InputError(file, f"line {number}: no field qa_id")
        if "prediction" not in row:
            raise InputError(file, f"line {number}: no field prediction")
        if own in found:
            raise InputError(file, f"line {number}: question {own} was answered before")
        found[own] = row["prediction"]
    if not found:
        raise InputError(file, "no rows")
    return found


def _known(file: Path, wanted: Mapping[str, object], found: Mapping[str, Any], home: Path) -> None:
    unknown = [own for own in wanted if own not in found]
    if unknown:
        told = f"{unknown[0]} and {len(unknown) - 1} more" if len(unknown) > 1 else unknown[0]
        raise InputError(file, f"{home} has no question {told} that is scored so")


def _grounding(file: Path, chosen: Chosen) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    from spatial_assets.evaluation import grounding, placed_truths
    from spatial_assets.storage.atomic import replace_text

    home = placed_truths.Home(chosen.home.resolve())
    if placed_truths.is_scanrefer(file):
        boxes = chosen.boxes or grounding.ALIGNED
        scored = [
            grounding.compared(truth, box, boxes) for truth, box in placed_truths.read_scanrefer(file, home)
        ]
    else:
        boxes = chosen.boxes or grounding.EXACT
        answers = _answers(file)
        truths = placed_truths.grounding_truths(home, answers)
        _known(file, answers, truths, chosen.home)
        scored = grounding.score_texts([(truths[own], text) for own, text in answers.items()], boxes)
    offered = _proposals(chosen, home, scored)
    if offered is not None:
        grounding.refine(scored, offered, boxes, chosen.distinct)
    if chosen.scanrefer is not None:
        replace_text(chosen.scanrefer, placed_truths.scanrefer_results(scored))
    rows = [
        {
            "qa_id": item.truth.id,
            "task": item.truth.task,
            "iou": item.iou,
            **({} if item.refined is None else {"refined_iou": item.refined}),
            "center_error": item.error,
            "names": grounding.UNIQUE if item.truth.is_unique else grounding.MULTIPLE,
            **({} if item.unread is None else {"unread": item.unread}),
        }
        for item in scored
    ]
    return rows, {"scored": GROUNDING, "boxes": boxes, **grounding.summarize(scored)}


def _proposals(chosen: Chosen, home: Home, scored: Sequence[Scored]) -> dict[str, list[Box]] | None:
    from spatial_assets.evaluation import grounding, placed_truths

    scenes = list(dict.fromkeys(item.truth.scene for item in scored))
    if chosen.proposals is not None:
        return placed_truths.read_proposals(chosen.proposals, scenes)
    if chosen.noise is None:
        return None
    return {
        scene: grounding.noisy(boxes, scene, chosen.noise)
        for scene, boxes in placed_truths.all_boxes(home)
        if scene in scenes
    }


def _bev(file: Path, chosen: Chosen) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    from spatial_assets.evaluation import bev, placed_truths

    home = placed_truths.Home(chosen.home.resolve())
    answers = _answers(file)
    truths = placed_truths.layout_truths(home, answers)
    _known(file, answers, truths, chosen.home)
    layouts = [bev.score_layout(truths[own], text) for own, text in answers.items()]
    rows = [
        {
            "qa_id": layout.id,
            "objects": [
                {"name": item.name, "distance": item.distance, "error": item.error} for item in layout.objects
            ],
            "extra": layout.extra,
            **({} if layout.unread is None else {"unread": layout.unread}),
        }
        for layout in layouts
    ]
    return rows, {"scored": BEV, **bev.summarize(layouts)}


def _print_grounding(summary: Mapping[str, Any]) -> None:
    lines = {"overall": summary["overall"], **summary["names"], **summary["tasks"]}
    names = [name for name in summary["overall"] if name != "rows"]
    made = table(f"grounding, {summary['boxes']} boxes", "rows", *names)
    for name, line in lines.items():
        made.add_row(name, f"{line['rows']:,}", *(percent(line[column]) for column in names))
    print_table(made, indent=2)
    if summary["median center error"] is not None:
        say(f"median error of the center: {summary['median center error']:.2f} m")


def _print_bev(summary: Mapping[str, Any]) -> None:
    names = [name for name in summary["overall"] if name not in ("objects", "missing", "extra")]
    made = table(f"bev: {summary['rows']:,} rows", "objects", "missing", "extra", *names)
    parts = {
        "overall": summary["overall"],
        **summary["by distance"],
        **{f"{name} objects": line for name, line in summary["by number of objects"].items()},
    }
    for name, line in parts.items():
        extra = str(line["extra"]) if "extra" in line else ""
        made.add_row(
            name, f"{line['objects']:,}", f"{line['missing']:,}", extra, *(_shown(line, key) for key in names)
        )
    print_table(made, indent=2)


def _shown(line: Mapping[str, Any], key: str) -> str:
    value = line[key]
    if value is None:
        return "-"
    return percent(value) if key.startswith("within") else f"{value:.2f} m"


OPTIONS = (
    click.option(
        "--boxes", type=click.Choice(COMPARED), help="grounding: boxes as they are turned, or around them."
    ),
    click.option(
        "--proposals",
        type=click.Path(path_type=Path, dir_okay=False, exists=True),
        help="grounding: boxes by scene, one of which replaces each answer's.",
    ),
    click.option(
        "--noise",
        type=click.FloatRange(0),
        help="grounding: the true boxes as proposals, off by this share of each edge.",
    ),
    click.option("--distinct", is_flag=True, help="grounding: a proposal for one answer of a scene alone."),
    click.option(
        "--scanrefer", type=click.Path(path_type=Path), help="grounding: also write boxes as ScanRefer does."
    ),
)


def options(command: Any) -> Any:
    """What `score` takes for these two kinds."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command
