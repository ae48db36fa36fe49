"""`spatial-assets lineage`: where rows come from, what depends on them, and whether they are right."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from spatial_assets.commands.options import AS_JSON, HOME, plainly
from spatial_assets.commands.printing import print_json, print_lines, warn, write
from spatial_assets.scene.suggestions import LISTED_BY, instead

if TYPE_CHECKING:
    from spatial_assets.lineage.cache import Lineage
    from spatial_assets.lineage.impact import Question

DEFAULT_SAMPLE = 20
"""Rows that `verify` draws where none are named: a minute at most, and twenty scenes' files hashed."""
OUT = click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write to this file.")
ONE_DATASET = click.option("--dataset", help="Only this dataset.")


@click.group()
def lineage() -> None:
    """Where each row comes from, what depends on a file, what is stale, and proof that rows are right."""


@lineage.command(epilog="Example: spatial-assets lineage explain 00808a38d6ad7798cda210beb0d30a7d")
@click.argument("qa_id")
@HOME
@AS_JSON
@plainly
def explain(qa_id: str, home: Path, as_json: bool) -> None:
    """Show the whole chain of a question, from its row to the bytes of its source files."""
    from spatial_assets.commands import lineage_text as text
    from spatial_assets.lineage.explain import explain as explain_row

    found = explain_row(home.resolve(), qa_id)
    if as_json:
        print_json(found)
    else:
        print_lines(text.explained(found))


@lineage.command(epilog="Example: spatial-assets lineage impact --object scene0000_00/12")
@HOME
@click.option("--scene", help="A scene, by its source's own name.")
@click.option(
    "--file", "file_", help="A source file, relative to its dataset's root, absolute, or its address."
)
@click.option("--object", "object_", metavar="SCENE/INSTANCE", help="An object, by its source's own number.")
@click.option("--frame", metavar="SCENE/FRAME", help="A frame, by its source's own name.")
@click.option("--label", metavar="WORD", help="All objects of a category or with a label.")
@ONE_DATASET
@click.option("--ids", "with_ids", is_flag=True, help="List the rows' qa_ids, too.")
@AS_JSON
@plainly
def impact(
    home: Path,
    scene: str | None,
    file_: str | None,
    object_: str | None,
    frame: str | None,
    label: str | None,
    dataset: str | None,
    with_ids: bool,
    as_json: bool,
) -> None:
    """Count the rows, shards and releases that depend on a scene, file, object, frame or word."""
    from spatial_assets.commands import lineage_text as text
    from spatial_assets.lineage.cache import Lineage
    from spatial_assets.lineage.impact import ids
    from spatial_assets.lineage.impact import impact as count

    given = {"scene": scene, "file": file_, "object": object_, "frame": frame, "label": label}
    chosen = [(name, value) for name, value in given.items() if value is not None]
    if len(chosen) != 1:
        raise click.UsageError("give one of --scene, --file, --object, --frame, --label")
    with Lineage(home.resolve()) as opened:
        question = _question(opened, *chosen[0], dataset)
        found = count(opened, question)
        if with_ids:
            found["qa_ids"] = ids(opened, question)
    if as_json:
        print_json(found)
    else:
        print_lines(text.touched(found))
        print_lines(found.get("qa_ids", []))


def _question(opened: Lineage, name: str, value: str, dataset: str | None) -> Question:
    from spatial_assets.lineage import impact as asked

    if name == "file":
        return asked.of_file(opened, value, dataset)
    if name == "label":
        return asked.of_label(value)
    ask = {"scene": asked.of_scene, "object": asked.of_object, "frame": asked.of_frame}[name]
    return ask(opened.home, value, dataset)


@lineage.command(epilog="Example: spatial-assets lineage stale --dataset scannet")
@HOME
@ONE_DATASET
@click.option("--scene", "scenes", multiple=True, help="Only this scene; may be given several times.")
@click.option(
    "--task", "tasks", multiple=True, help="Only this task and what it needs; may be given several times."
)
@click.option("--seed", type=int, help="As it would be given to the build.")
@click.option(
    "--rehash", is_flag=True, help="Hash every source file again, even if its size and times are unchanged."
)
@AS_JSON
@plainly
def stale(
    home: Path,
    dataset: str | None,
    scenes: tuple[str, ...],
    tasks: tuple[str, ...],
    seed: int | None,
    rehash: bool,
    as_json: bool,
) -> None:
    """Say what a build would do and why, without computing or writing anything."""
    from dataclasses import asdict

    from spatial_assets.commands import lineage_text as text
    from spatial_assets.lineage.stale import find_stale
    from spatial_assets.stages import pipeline

    unknown = sorted(set(tasks) - set(pipeline.STAGES))
    if unknown:
        raise ValueError(f"no task named {unknown[0]!r}; {instead(unknown[0], pipeline.STAGES, LISTED_BY)}")
    report = find_stale(home.resolve(), dataset, scenes, tasks, seed, rehash)
    if as_json:
        items = [asdict(item) for item in report.items]
        print_json(
            {
                "stale": items,
                "summary": report.summary(),
                "shards": report.shards(),
                "checked": report.checked,
                "absent": report.absent,
            }
        )
    else:
        print_lines(text.stale(report))
    for line in report.absent:
        warn(f"error: {line}")
    sys.exit(1 if report.absent else 0)


@lineage.command(epilog="Example: spatial-assets lineage verify --sample 100")
@click.argument("qa_ids", nargs=-1)
@HOME
@click.option(
    "--sample", type=click.IntRange(1), help=f"So many rows; {DEFAULT_SAMPLE} where nothing is named."
)
@click.option("--all", "everything", is_flag=True, help="Every row of every scene.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the sample.")
@click.option(
    "--as-recorded", is_flag=True, help="With the recorded parameters, not those of the present settings."
)
@click.option(
    "--workers", type=click.IntRange(1), default=1, show_default=True, help="Threads and processes."
)
@AS_JSON
@plainly
def verify(
    qa_ids: tuple[str, ...],
    home: Path,
    sample: int | None,
    everything: bool,
    seed: int,
    as_recorded: bool,
    workers: int,
    as_json: bool,
) -> None:
    """Compute rows again from their source files and compare them with the lake. Exit status 1 if any differs.

    Source files are always hashed. A scene is computed again from its files, in a temporary home, with the present code
    and settings. Naming one row compares all rows of its scene and task.
    """
    from spatial_assets.commands import lineage_text as text
    from spatial_assets.engine.verify import verify as verify_rows

    if everything and (qa_ids or sample):
        raise click.UsageError("--all leaves nothing to name or to sample")
    if not (qa_ids or sample or everything):
        sample = DEFAULT_SAMPLE
    found = verify_rows(home.resolve(), qa_ids, sample, everything, workers, as_recorded, seed)
    if as_json:
        print_json(found.as_json())
    else:
        print_lines(text.verified(found))
        click.echo(text.checked(found), err=not found.ok)
    sys.exit(0 if found.ok else 1)


@lineage.command(epilog="Example: spatial-assets lineage diff v1 v2")
@click.argument("former")
@click.argument("latter")
@HOME
@click.option(
    "--examples", type=click.IntRange(0), default=3, show_default=True, help="Of each task and kind."
)
@AS_JSON
@plainly
def diff(former: str, latter: str, home: Path, examples: int, as_json: bool) -> None:
    """Show which rows were added, removed, changed or moved between two releases.

    `lake` stands for the rows as they are now, in place of a release.
    """
    from spatial_assets.commands import lineage_text as text
    from spatial_assets.releases.diff import diff as compare

    found = compare(home.resolve(), former, latter, examples)
    if as_json:
        print_json(found)
    else:
        print_lines(text.compared(found))


@lineage.command(epilog="Example: spatial-assets lineage graph --format html --out lineage.html")
@click.option(
    "--format", "format_", type=click.Choice(("mermaid", "html")), default="mermaid", show_default=True
)
@click.option("--columns", is_flag=True, help="Mermaid of columns, not of assets; the HTML always has them.")
@click.option(
    "--table", help="Only this table and what it is made from, as in questions/depth_prediction_oc."
)
@OUT
@AS_JSON
@plainly
def graph(format_: str, columns: bool, table: str | None, out: Path | None, as_json: bool) -> None:
    """Draw what is made from what: assets, tables and columns."""
    from spatial_assets.lineage import graph as drawing
    from spatial_assets.report.column_page import column_page

    if as_json:
        rows = {"assets": drawing.asset_inputs(), "columns": drawing.column_sources()}
        write(json.dumps(rows, indent=1) + "\n", out)
    else:
        write(column_page(table) if format_ == "html" else drawing.mermaid(table, columns), out)


@lineage.command(epilog="Example: duckdb \"$(spatial-assets lineage rebuild --home data)\" -c 'from about'")
@HOME
@plainly
def rebuild(home: Path) -> None:
    """Rebuild lineage.duckdb from the lake and the records, and print its path, without disturbing readers."""
    from spatial_assets.lineage.cache import rebuild as rebuild_cache
    from spatial_assets.releases import revocations

    revocations.keep_current(home.resolve())
    click.echo(str(rebuild_cache(home.resolve())))


@lineage.command(epilog="Example: spatial-assets lineage openlineage --out events.jsonl")
@HOME
@OUT
@plainly
def openlineage(home: Path, out: Path | None) -> None:
    """Print what made the lake as OpenLineage events, a JSON object a line."""
    from spatial_assets.lineage.cache import Lineage
    from spatial_assets.lineage.openlineage import to_lines

    with Lineage(home.resolve()) as opened:
        write("".join(to_lines(opened)), out)


@lineage.command(epilog="Example: spatial-assets lineage croissant v1 --out croissant.json")
@click.argument("release_name", metavar="RELEASE")
@HOME
@click.option("--url", help="Where the release can be had.")
@click.option("--creator", help="Who publishes it.")
@click.option(
    "--date", "published", help="When it was published, YYYY-MM-DD; by default the newest row's day."
)
@OUT
@plainly
def croissant(
    release_name: str,
    home: Path,
    url: str | None,
    creator: str | None,
    published: str | None,
    out: Path | None,
) -> None:
    """Describe a release as Croissant 1.1 JSON-LD, with its provenance in PROV-O."""
    from spatial_assets.releases.croissant import croissant as describe

    found = describe(home.resolve(), release_name, url, creator, published)
    write(json.dumps(found, indent=1, ensure_ascii=False) + "\n", out)
