"""The command line: each command parses, calls one function, and says what was made and where.

A user's mistake is one line on stderr and exit status 1 or 2; a traceback is always an error of ours.
Imports stand inside the commands, so that `--help` does not wait for Dagster.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from functools import partial
from pathlib import Path
from typing import Any

import click

from spatial_assets.commands import placement
from spatial_assets.commands.audit import audit
from spatial_assets.commands.cluster import build_on_cluster, worker
from spatial_assets.commands.conformance import conformance
from spatial_assets.commands.evaluate import evaluate
from spatial_assets.commands.export import export
from spatial_assets.commands.facts import facts
from spatial_assets.commands.frames import frames
from spatial_assets.commands.history import history
from spatial_assets.commands.labels import labels
from spatial_assets.commands.lineage import lineage
from spatial_assets.commands.options import AS_JSON, HOME, plainly
from spatial_assets.commands.printing import show_log, tell_of_compiling
from spatial_assets.commands.probe import probe
from spatial_assets.commands.release import release
from spatial_assets.commands.release_review import review
from spatial_assets.commands.tasks import tasks as tasks_command
from spatial_assets.commands.uploading import upload_release
from spatial_assets.readers.registry import READERS
from spatial_assets.scene.english import plural
from spatial_assets.scoring.registry import BENCHMARKS
from spatial_assets.studio.layouts.registry import LAYOUTS
from spatial_assets.studio.picture_quality import DRAFT, FULL, QUALITIES

WORKERS = click.option(
    "--workers",
    type=click.IntRange(1),
    default=os.cpu_count() or 1,
    show_default="the number of cores",
    help="Threads and processes a step may use; never changes a result.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="spatial-assets")
@click.option(
    "--log-level",
    type=click.Choice(("debug", "info", "warning", "error")),
    default="warning",
    show_default=True,
    envvar="SPATIAL_ASSETS_LOG_LEVEL",
    help="What the package's own log tells on stderr.",
)
def main(log_level: str) -> None:
    """Spatial-reasoning question-answer datasets from 3D indoor scenes, as Dagster assets."""
    show_log(log_level)
    stream = sys.stderr
    # Not where another program, or a test, has put its own in its place.
    if stream is sys.__stderr__ and stream is not None:
        # A copy, which goes on leading to the terminal while Dagster sends the original to a file.
        with contextlib.suppress(OSError):
            tell_of_compiling(os.fdopen(os.dup(stream.fileno()), "w", 1, encoding="utf-8", errors="replace"))


@main.command(epilog="Example: spatial-assets demo --scenes 6")
@HOME
@WORKERS
@click.option("--scenes", type=click.IntRange(1), default=6, show_default=True, help="Scenes to make.")
@click.option(
    "--quality",
    type=click.Choice(QUALITIES),
    default=FULL,
    show_default=True,
    help="Of the pictures; draft ones are made in half the time.",
)
@plainly
def demo(home: Path, workers: int, scenes: int, quality: str) -> None:
    """Make procedural scenes, build every asset on them, and say where to look."""
    from spatial_assets.engine.workers import start_server

    if workers > 1:
        start_server()
    from spatial_assets.commands.demo import run_demo

    sys.exit(run_demo(home, scenes, workers, quality))


@main.command(epilog="Example: spatial-assets studio scenes --layout scannet --scenes 3 --seed 7")
@click.argument("out", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--layout", type=click.Choice(LAYOUTS), default="scannet", show_default=True, help="On-disk layout."
)
@click.option("--scenes", type=click.IntRange(1), default=1, show_default=True)
@click.option("--seed", type=int, default=0, show_default=True, help="The same seed makes the same bytes.")
@click.option(
    "--faces", type=click.IntRange(1000), default=150_000, show_default=True, help="A mesh's faces, about."
)
@click.option("--frames", type=click.IntRange(1), default=300, show_default=True, help="Frames a scene.")
@click.option("--size", default="640x480", show_default=True, metavar="WxH", help="Image size in pixels.")
@click.option(
    "--noise", type=click.FloatRange(0), default=0.0, help="Noise of the scan, meters; a phone has 0.005."
)
@click.option(
    "--holes", type=click.FloatRange(0, 0.9), default=0.0, help="Share of the mesh that the scan missed."
)
@click.option(
    "--quality",
    type=click.Choice(QUALITIES),
    default=DRAFT,
    show_default=True,
    help="Colors as a plain rendering or as photographs, two to three times slower; nothing else changes.",
)
@WORKERS
@plainly
def studio(
    out: Path,
    layout: str,
    scenes: int,
    seed: int,
    faces: int,
    frames: int,
    size: str,
    noise: float,
    holes: float,
    quality: str,
    workers: int,
) -> None:
    """Make furnished procedural scenes in a dataset's own on-disk layout.

    What is true of them is written beside them, to OUT/_truth/<scene>.json, which nothing but tests reads.
    """
    from spatial_assets.commands.terminal import Status
    from spatial_assets.engine.workers import in_processes
    from spatial_assets.studio.write import write_scenes

    with Status() as status:
        spread = partial(in_processes, workers) if workers > 1 else None
        names = write_scenes(
            out, layout, scenes, seed, faces, frames, _size(size), status.say, noise, holes, spread, quality
        )
    click.echo(f"made {plural(len(names), 'scene')} of {frames} frames in the layout of {layout}: {out}")


def _size(text: str) -> tuple[int, int]:
    try:
        width, height = (int(part) for part in text.lower().split("x"))
    except ValueError:
        raise ValueError(f"--size {text!r}: give WIDTHxHEIGHT, as in 640x480") from None
    if min(width, height) < 16:
        raise ValueError(f"--size {text!r}: at least 16 pixels each way")
    return width, height


@main.command("compile", epilog="Example: RUN spatial-assets compile, where the image of a container is made")
@WORKERS
@plainly
def compile_kernels(workers: int) -> None:
    """Compile what geometry is computed with now, which a build does otherwise where it first needs it."""
    from spatial_assets.commands.terminal import Status
    from spatial_assets.engine.compiling import compile_for
    from spatial_assets.geometry.kernels.cache import FOLDER

    with Status() as status:
        compile_for(workers, say=status.say)
    click.echo(f"kernels are compiled: {FOLDER}")


@main.command(epilog="Example: spatial-assets register scannet /data/scannet --release v2")
@click.argument("dataset", type=click.Choice(READERS))
@click.argument("root", type=click.Path())
@HOME
@click.option("--release", help="Name of the dataset's release; each reader has a default.")
@click.option("--license", help="Terms of the data; by default what ROOT's license file or the reader says.")
@click.option("--scenes-per-shard", type=click.IntRange(1), default=50, show_default=True)
@AS_JSON
@plainly
def register(
    dataset: str,
    root: str,
    home: Path,
    release: str | None,
    license: str | None,
    scenes_per_shard: int,
    as_json: bool,
) -> None:
    """Find the scenes of a DATASET under ROOT and open shards for those that are new.

    ROOT is a folder, or the address of one on object storage: s3://bucket/prefix, gs://bucket/prefix.
    """
    from spatial_assets.assets.datasets import check_given
    from spatial_assets.assets.datasets import register as register_dataset
    from spatial_assets.assets.instance import instance_of
    from spatial_assets.readers.registry import left_out
    from spatial_assets.storage.mirrors import root_of

    found = root_of(home, root)
    check_given(found)
    for line in left_out(dataset, found):
        click.echo(f"left out: {line}", err=True)
    with instance_of(home) as instance:
        done = register_dataset(instance, home.resolve(), dataset, found, release, license, scenes_per_shard)
    if as_json:
        facts = {
            "new_scenes": done.new_scenes,
            "known_scenes": done.known_scenes,
            "new_shards": done.new_shards,
        }
        click.echo(json.dumps(facts))
        return
    click.echo(
        f"registered {plural(done.new_scenes, 'new scene')} in {plural(len(done.new_shards), 'new shard')} "
        f"({done.known_scenes} known already); next: spatial-assets build"
    )


@main.command(epilog="Example: spatial-assets build --dataset scannet --scene scene0000_00")
@HOME
@WORKERS
@click.option("--dataset", help="Only this dataset.")
@click.option("--scene", "scenes", multiple=True, help="Only this scene; may be given several times.")
@click.option(
    "--task", "tasks", multiple=True, help="Only this task and what it needs; may be given several times."
)
@click.option("--seed", type=int, help="Seed of every draw of the tasks.")
@click.option(
    "--strict", is_flag=True, help="Exit with 1 if any scene was rejected, after finishing the others."
)
@click.option(
    "--rehash", is_flag=True, help="Hash every source file again, even if its size and times are unchanged."
)
@click.option(
    "--on",
    type=click.Choice(("here", "cluster")),
    default="here",
    show_default=True,
    help="By this process, or by the workers of a home that several machines share.",
)
@AS_JSON
@plainly
def build(
    home: Path,
    workers: int,
    dataset: str | None,
    scenes: tuple[str, ...],
    tasks: tuple[str, ...],
    seed: int | None,
    strict: bool,
    rehash: bool,
    on: str,
    as_json: bool,
) -> None:
    """Bring every asset up to date: only scenes whose inputs changed are computed.

    Rejected scenes are named on stderr, one line each, and do not stop the others.
    """
    from spatial_assets.assets.build import build as build_home
    from spatial_assets.commands.terminal import BuildDisplay, print_outcome, scenes_by_shard
    from spatial_assets.definitions import build_defs

    if on == "cluster":
        outcome = build_on_cluster(home, dataset, scenes, tasks, seed, rehash)
    else:
        with BuildDisplay(scenes_by_shard(home, scenes)) as display:
            outcome = build_home(build_defs, home, dataset, scenes, tasks, workers, seed, rehash, display)
    print_outcome(outcome, home, as_json)
    failed = bool(outcome.errors or outcome.failed_runs)
    sys.exit(1 if failed or (strict and outcome.rejected) else 0)


@main.command(
    epilog="Example: spatial-assets score sparbench predictions.jsonl --profile official --summary summary.json"
)
@click.argument("benchmark", type=click.Choice((*BENCHMARKS, *placement.KINDS)))
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--profile", default="official", show_default=True, help="Which evaluator's rules.")
@click.option("--out", type=click.Path(path_type=Path), help="Write each row back, in order, with its score.")
@click.option("--summary", "summary_out", type=click.Path(path_type=Path), help="Write the summary as JSON.")
@placement.options
@HOME
@AS_JSON
@plainly
def score(
    benchmark: str,
    file: Path,
    profile: str,
    out: Path | None,
    summary_out: Path | None,
    home: Path,
    as_json: bool,
    **chosen: Any,
) -> None:
    """Score predictions by a benchmark's own rules: per task, per level, overall.

    FILE has a JSON object a line: task or question_type, prediction, ground_truth, and what else the
    benchmark has. Logs of lmms-eval, VLMEvalKit and Spatial-MLLM are read as `evaluate add` reads them.

    Of grounding and bev a line has qa_id and prediction, and HOME the truth; results of ScanRefer are read too.
    """
    from spatial_assets.commands.terminal import print_scores
    from spatial_assets.evaluation.reading import log_rows
    from spatial_assets.scoring.run import save, score_file, score_rows

    placed = placement.Chosen(home, **chosen)
    if benchmark in placement.KINDS:
        placement.score_placements(benchmark, file, placed, out, summary_out, as_json)
        return
    placed.check(benchmark)
    log = log_rows(benchmark, file, profile)
    rows, summary = (
        score_file(benchmark, file, profile) if log is None else score_rows(benchmark, log, profile)
    )
    save(rows, summary, out, summary_out)
    if as_json:
        click.echo(json.dumps(summary))
    else:
        print_scores(benchmark, profile, summary, len(rows), [path for path in (out, summary_out) if path])


@main.command(epilog="Example: spatial-assets gallery --examples 6")
@HOME
@click.option(
    "--out", type=click.Path(path_type=Path), help="The page; <home>/reports/gallery.html by default."
)
@click.option(
    "--examples", type=click.IntRange(1, 64), default=4, show_default=True, help="Cards per task and format."
)
@plainly
def gallery(home: Path, out: Path | None, examples: int) -> None:
    """Write one page with real examples of every task, their marks drawn on the images."""
    from spatial_assets.report.gallery import write_gallery

    click.echo(f"written: {write_gallery(home, out or home / 'reports' / 'gallery.html', examples)}")


@main.command(epilog="Example: spatial-assets record scene0000_00 --out scene.rrd")
@click.argument("scene")
@HOME
@click.option("--dataset", help="Where several datasets have a scene of that name.")
@click.option("--out", type=click.Path(path_type=Path), help="The recording; SCENE.rrd by default.")
@plainly
def record(scene: str, home: Path, dataset: str | None, out: Path | None) -> None:
    """Write a 3D recording of a scene for the rerun viewer: mesh, boxes, cameras, what is asked about."""
    from spatial_assets.assets import partitions
    from spatial_assets.report.recording import write_recording

    shards = [
        shard
        for shard in partitions.registry(home).shards()
        if dataset in (None, shard.dataset) and any(ref.name == scene for ref in shard.scenes)
    ]
    if len(shards) != 1:
        found = ", ".join(sorted({shard.dataset for shard in shards})) or "none"
        raise ValueError(f"scene {scene!r}: {len(shards)} registered here ({found}); name one with --dataset")
    path = write_recording(home, shards[0].key, scene, out or Path(f"{scene}.rrd"))
    click.echo(f"written: {path}; open it with: rerun {path}")


@main.command(epilog="Example: spatial-assets ui --port 3000")
@HOME
@click.option("--port", type=click.IntRange(1, 65535), default=3000, show_default=True)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option(
    "--part",
    type=click.Choice(("both", "web", "daemon")),
    default="both",
    show_default=True,
    help="Where several machines share a home, one has the daemon; web servers are as many as one likes.",
)
@plainly
def ui(home: Path, port: int, host: str, part: str) -> None:
    """Open the Dagster UI and its daemon over a home."""
    from spatial_assets.assets.instance import instance_of

    instance_of(home).dispose()
    code = ["-m", "spatial_assets.definitions"]
    address = ["--port", str(port), "--host", host]
    command = {
        "both": ["-m", "dagster", "dev", *code, *address],
        "web": ["-m", "dagster_webserver", *code, *address],
        "daemon": ["-m", "dagster._daemon", "run", *code],
    }
    os.execv(sys.executable, [sys.executable, *command[part]])


for command in (
    audit, conformance, evaluate, export, facts, frames, history, labels, lineage, probe, release, tasks_command,
    worker,
):  # fmt: skip
    main.add_command(command)
release.add_command(review)
release.add_command(upload_release)
