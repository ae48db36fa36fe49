"""`spatial-assets release`: immutable snapshots of the questions, and scenes withdrawn from them."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

import click

from spatial_assets.commands.options import AS_JSON, HOME, plainly
from spatial_assets.commands.printing import DONE, ERROR, print_json, print_lines, print_table, say, table
from spatial_assets.scene.english import plural
from spatial_assets.scene.frames import FRAME_SET_NAMES

SHOWN_DIGITS = 12
"""Of a release's id: enough to recognize it."""
ONE_DATASET = click.option("--dataset", help="Only this dataset.")


@click.group()
def release() -> None:
    """Immutable snapshots of the questions: made, checked, listed; scenes withdrawn from them."""


@release.command(
    "create", epilog="Example: spatial-assets release create v1 --split train:0.9,val:0.1 --balance"
)
@click.argument("name")
@HOME
@click.option(
    "--split",
    "splits",
    metavar="NAME:SHARE,...|official|spatialmosaic",
    help="By physical place; official: as the datasets' own lists have it; spatialmosaic: train and test as 679:170. "
    "Without, the mix's own, or all in one.",
)
@click.option(
    "--seed", type=int, help="Of the splits, the balance and the mix; without, the mix's own, or 0."
)
@click.option(
    "--balance", is_flag=True, help="As many rows of every letter, and of yes and no, by dropping rows."
)
@click.option(
    "--mix",
    metavar="NAME|FILE.toml|FORMAT:SHARE,...",
    help="Which questions are kept and how many of each kind, drawn: a recipe by its name (see `release mixes`) or "
    "file, or shares of answer formats.",
)
@click.option(
    "--scale",
    type=float,
    default=1.0,
    show_default=True,
    help="Multiplies the mix's counts, to try it on a few scenes.",
)
@click.option("--fewer", is_flag=True, help="Take what there is where it is fewer than the mix's counts.")
@click.option(
    "--budget",
    type=click.Choice(FRAME_SET_NAMES),
    help="Video questions alone, those whose answers hold for this set of frames, with its frames as their images.",
)
@click.option(
    "--no-evidence",
    is_flag=True,
    help="With --budget: each question that has options once more, over frames that show nothing of it; both offer "
    "that it cannot be determined.",
)
@click.option("--dataset", "datasets", multiple=True, help="Only this dataset; may be given several times.")
@click.option("--task", "tasks", multiple=True, help="Only this task; may be given several times.")
@click.option("--allow-leaks", is_flag=True, help="Keep scenes of places that known benchmarks ask about.")
@click.option(
    "--names-only",
    is_flag=True,
    help="Tell places apart by the scenes' names alone, not by what stands in them.",
)
@click.option("--fresh", is_flag=True, help="Fail where a build would have something to do.")
@click.option(
    "--out", metavar="ADDRESS", help="Put it up there too, as `release upload` does: s3://bucket/prefix."
)
@AS_JSON
@plainly
def create_release(
    name: str,
    home: Path,
    splits: str | None,
    seed: int | None,
    balance: bool,
    mix: str | None,
    scale: float,
    fewer: bool,
    budget: str | None,
    no_evidence: bool,
    datasets: tuple[str, ...],
    tasks: tuple[str, ...],
    allow_leaks: bool,
    names_only: bool,
    fresh: bool,
    out: str | None,
    as_json: bool,
) -> None:
    """Make a release of what is in the lake; it never changes afterwards.

    Scans of one physical place go to one split, also where no name says so but what stands in them. Scenes that were
    withdrawn or have disappeared are left out, and so are those of places that known benchmarks ask about. Equal lakes
    give equal bytes.
    """
    from spatial_assets.assets.instance import instance_of
    from spatial_assets.assets.releases import report
    from spatial_assets.commands import lineage_text as text
    from spatial_assets.commands.uploading import put_release, told
    from spatial_assets.releases.create import Request, create
    from spatial_assets.releases.recipe import parse_mix, settled
    from spatial_assets.storage.release_manifest import folder
    from spatial_assets.storage.uploads import check_destination

    if out is not None:
        out = check_destination(out)
    asked = None if mix is None else parse_mix(mix)
    shares, chosen = settled(splits or "", seed, asked)
    request = Request(
        shares,
        chosen,
        balance,
        allow_leaks,
        datasets,
        tasks,
        names_only,
        asked,
        scale,
        fewer,
        budget or "",
        no_evidence,
    )
    home = home.resolve()
    if fresh:
        _require_current(home, tasks)
    held = create(home, name, request)
    with instance_of(home) as instance:
        report(instance, home, held)
    done = None if out is None else put_release(home, name, out)
    if as_json:
        print_json(held if done is None else {**held, "upload": {"address": out, **asdict(done)}})
        return
    print_lines(text.released(held))
    what = f"{plural(held['rows'], 'row')} of {plural(held['scenes'], 'scene')} as {name} ({held['id'][:SHOWN_DIGITS]})"
    say(f"released {what}: {folder(home, name)}", DONE)
    if done is not None:
        say(f"{told(done)}: {out}", DONE)


def _require_current(home: Path, tasks: tuple[str, ...]) -> None:
    from spatial_assets.lineage.stale import find_stale

    report = find_stale(home, tasks=tasks)
    if report.absent:
        raise ValueError(next(iter(report.absent)))
    if report.items:
        raise ValueError(
            f"{plural(len(report.scenes()), 'scene is', 'scenes are')} stale; build first, "
            "or see `spatial-assets lineage stale`"
        )


@release.command("mixes", epilog="Example: spatial-assets release mixes --json")
@AS_JSON
@plainly
def list_mixes(as_json: bool) -> None:
    """List the recipes of mixes that ship with the package, what they are and where their files stand."""
    from spatial_assets.releases.recipe import load, named

    found = {name: (path, load(path)) for name, path in named().items()}
    if as_json:
        print_json(
            [{"name": name, "path": str(path), **recipe.told()} for name, (path, recipe) in found.items()]
        )
        return
    made = table("mix", "what", "file")
    for name, (path, recipe) in found.items():
        made.add_row(name, recipe.about, str(path))
    print_table(made)


@release.command("verify", epilog="Example: spatial-assets release verify v1")
@click.argument("name")
@HOME
@AS_JSON
@plainly
def verify_release(name: str, home: Path, as_json: bool) -> None:
    """Check a release's hashes, counts, splits, balance, mix and leaks, and whether scenes were withdrawn since.

    Exit status 1 if anything is wrong.
    """
    from spatial_assets.releases.verify import verify_release as check

    problems = check(home.resolve(), name)
    if as_json:
        print_json({"ok": not problems, "problems": problems})
    else:
        for problem in problems:
            say(problem, ERROR, err=True)
        if not problems:
            say(f"{name} is intact", DONE)
    sys.exit(1 if problems else 0)


@release.command("list", epilog="Example: spatial-assets release list")
@HOME
@AS_JSON
@plainly
def list_releases(home: Path, as_json: bool) -> None:
    """List the releases of a home, with their sizes and what is revoked of them."""
    from spatial_assets.releases import revocations
    from spatial_assets.storage import release_manifest as manifest

    revoked = revocations.revoked(home)
    rows = []
    for name in manifest.names(home):
        held = manifest.load(home, name)
        count = sum(entry["rows"] for entry in revoked.get(name, []))
        rows.append({**{key: held[key] for key in ("name", "id", "rows", "scenes")}, "revoked_rows": count})
    if as_json:
        print_json(rows)
        return
    made = table("release", "rows", "scenes", "id", "rows revoked")
    for row in rows:
        counts = (f"{row[what]:,}" for what in ("rows", "scenes"))
        made.add_row(row["name"], *counts, row["id"][:SHOWN_DIGITS], f"{row['revoked_rows']:,}")
    if rows:
        print_table(made)
    else:
        click.echo("no releases yet; see `spatial-assets release create --help`", err=True)


@release.command(epilog="Example: spatial-assets release withdraw scene0012_01 --reason 'consent taken back'")
@click.argument("scene")
@HOME
@click.option("--reason", default="", help="Goes on the revocation list.")
@ONE_DATASET
@click.option("--lift", is_flag=True, help="End the withdrawal instead.")
@AS_JSON
@plainly
def withdraw(scene: str, home: Path, reason: str, dataset: str | None, lift: bool, as_json: bool) -> None:
    """Withdraw a scene: later releases leave it out, and it is put on the revocation list of earlier ones."""
    from spatial_assets.releases import revocations

    home = home.resolve()
    if lift:
        if not revocations.lift(home, scene, dataset):
            raise ValueError(f"{scene} was not withdrawn")
        found = revocations.revoked(home)
    else:
        found = revocations.withdraw(home, scene, reason, dataset)
    if as_json:
        print_json(found)
        return
    click.echo(f"{scene} {'may be released again' if lift else 'is withdrawn'}")
    for name, entries in found.items():
        rows = sum(entry["rows"] for entry in entries)
        click.echo(
            f"  {name}: {rows:,} rows of {len(entries)} scenes are revoked; see {home / 'releases' / revocations.LIST}"
        )
