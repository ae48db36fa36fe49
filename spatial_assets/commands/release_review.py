"""`spatial-assets release review`: a page on which a person reviews a benchmark's questions, and verdicts read back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from spatial_assets.commands.options import AS_JSON, HOME, plainly
from spatial_assets.commands.printing import DONE, print_json, say
from spatial_assets.scene.english import plural

if TYPE_CHECKING:
    from spatial_assets.exports.core.base import Question
    from spatial_assets.exports.spar_bench.cut import Cut
    from spatial_assets.releases.reviews import Verdict, Verdicts
    from spatial_assets.report.review import Item, Said


@click.command("review", epilog="Example: spatial-assets release review v1 --size tiny")
@click.argument("name")
@HOME
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), help="Default: <home>/reviews/NAME-SIZE."
)
@click.option("--size", default="full", show_default=True, help="full or tiny: which of the questions.")
@click.option(
    "--seed", type=int, default=0, show_default=True, help="Of the draw, as in `export spar-bench`."
)
@click.option("--split", help="The held-out split, where it is not test.")
@click.option("--task", "tasks", multiple=True, help="Only this task; may be given several times.")
@click.option(
    "--verdicts",
    "files",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="Take over what the page saved, instead of making the page; may be given several times.",
)
@AS_JSON
@plainly
def review(
    name: str,
    home: Path,
    out: Path | None,
    size: str,
    seed: int,
    split: str | None,
    tasks: tuple[str, ...],
    files: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Make a page to review the questions that `export spar-bench` draws from a release; or take over its verdicts.

    Rejected questions leave the benchmark with its next export, accepted ones stay. A verdict is on a question as it
    was shown: one that has changed since is asked again.
    """
    from spatial_assets.exports.core.base import Options
    from spatial_assets.exports.core.source import ReleaseRows
    from spatial_assets.exports.spar_bench.cut import FORM, cut
    from spatial_assets.releases import reviews as said
    from spatial_assets.report.review import write_review

    home = home.resolve()
    source = ReleaseRows(home, name, tasks, (split,) if split else ())
    known, new = said.load(home, FORM), 0
    if files:
        given = [verdict for file in files for verdict in said.read(file)]
        known, new = said.take_over(home, FORM, given)
    made = cut(source, Options(seed=seed, size=size))
    shown = _to_review(made)
    counts = {
        key: sum(own.review[key] for own in made.tasks)
        for key in ("accept", "reject", "changed", "unreviewed")
    }
    if files:
        told = {"new": new, "verdicts": len(known), "candidates": counts}
        if as_json:
            print_json(told)
            return
        say(f"took over {plural(new, 'new verdict')}: {said.store_path(home, FORM)}", DONE)
        click.echo(_told(counts))
        return
    items = [_item(number, question, known) for number, question in shown]
    target = out or home / "reviews" / f"{name}-{size}"
    # Verdicts in the browser are by question and content, so one key serves every release and size.
    page = write_review(target, f"{FORM} of {name}, {size}", said.FORMAT, said.FORMAT, said.REASONS, items)
    if as_json:
        print_json({"page": str(page), "questions": len(items), "candidates": counts})
        return
    click.echo(_told(counts))
    say(f"{plural(len(items), 'question')} to review: {page}", DONE)


def _told(counts: dict[str, int]) -> str:
    return (
        f"{counts['accept']:,} candidates accepted, {counts['reject']:,} rejected, {counts['changed']:,} changed, "
        f"{counts['unreviewed']:,} not looked at"
    )


def _to_review(made: Cut) -> list[tuple[int, Question]]:
    """Candidates with their ids, up to the last that a size keeps: no one need look at those beyond it."""
    found = []
    for own in made.tasks:
        last = max((number for number, _ in own.kept), default=own.task.id + len(own.candidates) - 1)
        found += [
            (own.task.id + place, question)
            for place, question in enumerate(own.candidates)
            if own.task.id + place <= last
        ]
    return found


def _item(number: int, question: Question, known: Verdicts) -> Item:
    from spatial_assets.exports.spar_bench.image_bytes import drawn
    from spatial_assets.releases.reviews import content_hash
    from spatial_assets.report.review import Item

    row = question.row
    content = content_hash(row)
    options = row["options"] or ()
    place = ord(row["answer"]) - ord("A") if options else -1
    answer = f"{row['answer']}. {options[place]}" if options else row["answer"]
    return Item(
        row["qa_id"],
        content,
        number,
        row["task"],
        f"{row['dataset']} {row['release']}, {row['scene']}",
        row["question"],
        answer,
        lambda: drawn(question),
        [f"image {place + 1} ({shot.role})" for place, shot in enumerate(question.shots)],
        _said(known.on(row["qa_id"], content)),
        _said(known.before(row["qa_id"], content)),
    )


def _said(verdict: Verdict | None) -> Said | None:
    from spatial_assets.report.review import Said

    return None if verdict is None else Said(verdict.verdict, verdict.reason)
