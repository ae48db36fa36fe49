"""`spatial-assets conformance`: published answers against published geometry, a command for each benchmark."""

from __future__ import annotations

import json
from pathlib import Path

import click

from spatial_assets.commands.options import AS_JSON, HOME, plainly
from spatial_assets.commands.printing import print_json, print_table, word_table
from spatial_assets.conformance import registry
from spatial_assets.scene.frames import FRAME_SET_NAMES


@click.group()
def conformance() -> None:
    """Check published answers against published geometry."""


def _command(benchmark: str) -> click.Command:
    @click.option(
        "--meta",
        "metas",
        multiple=True,
        required=True,
        type=click.Path(path_type=Path),
        help="Meta information; may be given several times.",
    )
    @click.option(
        "--questions",
        required=True,
        type=click.Path(path_type=Path),
        help="Published questions, a JSON object a line.",
    )
    @click.option("--out", type=click.Path(path_type=Path), help="Write the result as JSON.")
    @plainly
    def recompute(metas: tuple[Path, ...], questions: Path, out: Path | None) -> None:
        result = json.dumps(registry.conformance(benchmark).run(list(metas), questions), indent=1)
        if out is not None:
            out.write_text(result + "\n", encoding="utf-8")
        click.echo(result)

    return click.command(
        benchmark,
        help=f"{registry.summary(benchmark)}\n\nPrints JSON: per question type how many match, of how many that can "
        "be answered.",
        epilog=f"Example: spatial-assets conformance {benchmark} --meta meta.json --questions questions.jsonl",
    )(recompute)


@conformance.command(
    epilog="Example: spatial-assets conformance frames --dataset scannet",
)
@HOME
@click.option("--dataset", help="Only this dataset.")
@click.option("--scene", "scenes", multiple=True, help="Only this scene; may be given several times.")
@AS_JSON
@plainly
def frames(home: Path, dataset: str | None, scenes: tuple[str, ...], as_json: bool) -> None:
    """Of a dataset with images, what share of published-style answers holds for the frames that a model is shown.

    Questions are asked as VSI-Bench does, about whatever some frame shows at all; an answer holds where the frames of a
    set show all that it rests on, and no other one is right for them.
    """
    from spatial_assets.report.frames_shown import Shares, shares

    found = shares(home.resolve(), dataset, scenes)
    if as_json:
        print_json(
            {
                name: {
                    "questions": own.questions,
                    "holds": {held: own.held[held] for held in FRAME_SET_NAMES},
                    "reasons": {
                        held: {why: n for (of, why), n in sorted(own.why.items()) if of == held}
                        for held in FRAME_SET_NAMES
                    },
                }
                for name, own in found.items()
            }
        )
        return
    together = Shares(sum(own.questions for own in found.values()))
    for own in found.values():
        together.held += own.held
    lines = []
    for name, own in [*found.items(), ("together", together)]:
        told = [own.share(held) for held in FRAME_SET_NAMES]
        lines.append(
            (name, f"{own.questions:,}", *("-" if share is None else f"{share:.1%}" for share in told))
        )
    print_table(word_table(lines, ("task", "questions", *FRAME_SET_NAMES)))


for name in registry.BENCHMARKS:
    conformance.add_command(_command(name))
