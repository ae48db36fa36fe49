"""`spatial-assets export`: a release as a trainer or evaluator reads it, and files of such a format validated."""

from __future__ import annotations

import contextlib
import sys
from dataclasses import asdict
from pathlib import Path

import click

from spatial_assets.commands import uploading
from spatial_assets.commands.options import AS_JSON, HOME, plainly
from spatial_assets.commands.printing import print_json, print_lines
from spatial_assets.exports import registry
from spatial_assets.exports.core.base import ImageFormat, ImageMode, Options, Unreviewed
from spatial_assets.scene.english import plural
from spatial_assets.storage import uploads
from spatial_assets.storage.objects import is_address

MEGABYTE = 1_000_000
WIDTH = max(map(len, registry.FORMATS)) + 2
FORMATS = "\n".join(f"  {form:<{WIDTH}}{registry.summary(form)}" for form in registry.FORMATS)


@click.command(
    help="Write the questions of a RELEASE to the new folder OUT, as FORMAT has them. OUT may lie on object storage, "
    "s3://bucket/prefix or gs://bucket/prefix: what links lead to is put up, and _uploaded.json last.\n\n"
    f"With --validate, check what stands at a PATH instead: a line per error.\n\n\b\nFormats:\n{FORMATS}",
    epilog="Example: spatial-assets export llava v1 out/llava --split train --images draw",
    options_metavar="[OPTIONS] | --validate",
)
@click.argument("form", metavar="FORMAT", type=click.Choice(registry.FORMATS))
@click.argument("target", metavar="RELEASE|PATH")
@click.argument("out", required=False, type=click.Path(file_okay=False))
@HOME
@click.option("--task", "tasks", multiple=True, help="Only this task; may be given several times.")
@click.option("--split", "splits", multiple=True, help="Only this split; may be given several times.")
@click.option(
    "--images",
    type=click.Choice([str(mode) for mode in ImageMode]),
    show_default="link, or copy where a format holds its images",
    help="Symbolic links to the source's images, copies, copies with the marks drawn, or none.",
)
@click.option(
    "--image-format",
    type=click.Choice([str(form) for form in ImageFormat]),
    default=str(ImageFormat.JPEG),
    show_default=True,
    help="Of images that are made: with marks drawn, out of videos, turned; published layouts have JPEG alone.",
)
@click.option(
    "--image-store",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keep each image that is copied or made once, in this folder that exports share; they have hard links to it, "
    "or symbolic ones on another disk.",
)
@click.option("--limit", type=click.IntRange(1), help="At most so many rows, drawn by their ids.")
@click.option("--shards", type=click.IntRange(1), default=1, show_default=True, help="Files of each split.")
@click.option(
    "--shard-megabytes",
    type=click.IntRange(1),
    help="Files of about so many million bytes at most, in place of --shards; webdataset alone.",
)
@click.option(
    "--rgbd", is_flag=True, help="Depth images, poses and intrinsics too; spar has folders for them."
)
@click.option(
    "--general",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Mix in lines of this file of JSON records, as SPAR-mix does; spar alone.",
)
@click.option(
    "--general-share",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.6,
    show_default=True,
    help="Of the mix with --general.",
)
@click.option(
    "--seed",
    type=int,
    default=0,
    show_default=True,
    help="Of what is drawn from --general, and of the questions that a benchmark takes.",
)
@click.option(
    "--size",
    default="",
    help="full (default) or tiny, which is a part of full; benchmarks alone.",
    metavar="SIZE",
)
@click.option(
    "--unreviewed",
    type=click.Choice([str(policy) for policy in Unreviewed]),
    default=str(Unreviewed.KEEP),
    show_default=True,
    help="What becomes of questions that no one has accepted or rejected; spar-bench alone.",
)
@click.option(
    "--coordinates",
    default="",
    metavar="NAME",
    help="How texts print image coordinates: as-printed, 0-1000 (qwen3), qwen2.5, pixels or 0-1; formats of "
    "conversations alone, each with its own default.",
)
@click.option("--min-pixels", type=click.IntRange(1), help="Of images as Qwen2.5-VL resizes them.")
@click.option("--max-pixels", type=click.IntRange(1), help="The same at most.")
@click.option(
    "--validate", is_flag=True, help="Check files of the format; exit status 1 if anything is wrong."
)
@AS_JSON
@plainly
def export(
    form: str,
    target: str,
    out: str | None,
    home: Path,
    tasks: tuple[str, ...],
    splits: tuple[str, ...],
    images: str | None,
    image_format: str,
    image_store: Path | None,
    limit: int | None,
    shards: int,
    shard_megabytes: int | None,
    rgbd: bool,
    general: Path | None,
    general_share: float,
    seed: int,
    size: str,
    unreviewed: str,
    coordinates: str,
    min_pixels: int | None,
    max_pixels: int | None,
    validate: bool,
    as_json: bool,
) -> None:
    if validate:
        if out is not None:
            raise click.UsageError("--validate takes FORMAT and PATH alone")
        _validate(form, Path(target), as_json)
        return
    if out is None:
        raise click.UsageError("Missing argument 'OUT'.")
    from spatial_assets.commands.terminal import Pace
    from spatial_assets.exports.core.source import ReleaseRows
    from spatial_assets.exports.run import export as write

    source = ReleaseRows(home.resolve(), target, tasks, splits, limit)
    options = Options(
        ImageMode(images) if images else registry.default_images(form),
        shards,
        rgbd,
        general,
        general_share,
        seed,
        size,
        Unreviewed(unreviewed),
        coordinates,
        min_pixels,
        max_pixels,
        ImageFormat(image_format),
        image_store,
        None if shard_megabytes is None else shard_megabytes * MEGABYTE,
    )
    with contextlib.ExitStack() as held:
        address = uploads.check_destination(out) if is_address(out) else None
        folder = Path(out) if address is None else held.enter_context(uploading.staged(source.home, address))
        with Pace(sum(source.splits.values()), "rows") as pace:
            source.tell = pace.tell
            made = write(form, source, folder, options)
        done = None if address is None else uploading.put_export(folder, address)
    if as_json:
        facts = {
            "out": address or out,
            "rows": made.rows,
            "splits": made.splits,
            "revoked_rows": made.revoked,
        }
        print_json(facts if done is None else {**facts, "upload": asdict(done)})
        return
    if done is not None:
        click.echo(uploading.told(done))
    print_lines(made.told)
    left_out = f"; {plural(made.revoked, 'row')} of the release revoked since" if made.revoked else ""
    parts = ", ".join(f"{split} {count:,}" for split, count in made.splits.items())
    click.echo(f"exported {plural(made.rows, 'row')} of {target} ({parts}{left_out}): {address or out}")


def _validate(form: str, path: Path, as_json: bool) -> None:
    chosen = registry.export_format(form)
    if hasattr(chosen, "examine"):
        found = chosen.examine(path)
        errors, looked = found.problems, found.summary()
    else:
        errors, looked = chosen.validate(path), []
    # What a broken file says may hold line ends, and halves of characters that no terminal takes.
    errors = [error.encode("utf-8", "backslashreplace").decode().replace("\n", "\\n") for error in errors]
    if as_json:
        print_json({"ok": not errors, "errors": errors, **({"summary": looked} if looked else {})})
    else:
        print_lines(errors)
        for line in looked:
            click.echo(line, err=True)
        verdict = f"{plural(len(errors), 'error')} in {path}" if errors else f"{path} is valid {form}"
        click.echo(verdict, err=True)
    sys.exit(1 if errors else 0)
