"""The comparison of models as one HTML file that needs nothing else: no script, no font, no network.

The plots are laid out by the browser, not drawn as pictures, so they are as wide as the screen and their
text stays readable on a phone. The bytes are a function of the scored tables alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from spatial_assets.evaluation.comparison import SHORT_HASH, compare, fingerprint
from spatial_assets.evaluation.scored_run import Result
from spatial_assets.report.html import asset, render
from spatial_assets.storage.atomic import replace_text

OPEN_MODELS = 8
"""With more models than these, a task's block shows them on one line until it is opened."""
TEMPLATES = Path(__file__).with_name("templates")
PAGE_MODULES = (__name__,)
PAGE_FILES = tuple(f"evaluation/templates/{path.name}" for path in sorted(TEMPLATES.iterdir()))
"""What the page's code version covers: modules, and data relative to the package."""
_FINGERPRINT = re.compile(r'<meta name="scored-runs" content="([0-9a-f]*)">')


def page_path(home: Path) -> Path:
    return Path(home) / "evaluation" / "comparison.html"


def write_page(home: Path, found: Sequence[Result]) -> Path:
    """Write the comparison of scored runs, whole or not at all."""
    path = page_path(home)
    replace_text(path, page(found))
    return path


def stated_fingerprint(path: Path) -> str | None:
    """Which runs a page says it was made of."""
    match = _FINGERPRINT.search(path.read_text(encoding="utf-8"))
    return None if match is None else match[1]


def page(found: Sequence[Result]) -> str:
    """The comparison as HTML."""
    sections = compare(found)
    return render(
        TEMPLATES,
        "comparison.html.jinja",
        style=asset(TEMPLATES, "comparison.css"),
        fingerprint=fingerprint(found),
        sections=sections,
        models=len({result.run["model"] for result in found}),
        benchmarks=len({section.benchmark for section in sections}),
        intervals=sorted({(result.run["confidence"], result.run["replicates"]) for result in found}),
        open_models=OPEN_MODELS,
        short_hash=SHORT_HASH,
    )
