"""Which export formats there are, found in the folders of their families, each imported only when asked for."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from spatial_assets.exports.core.base import Export, ImageMode
from spatial_assets.scene import discovery
from spatial_assets.scene.suggestions import instead

HERE = Path(__file__).resolve().parent
PACKAGE = "spatial_assets.exports"
CORE = "core"
DECLARATION = "read_back"


def families() -> tuple[str, ...]:
    """Names, sorted, of the folders here that hold formats."""
    folders = (path.parent.name for path in HERE.glob("*/__init__.py"))
    return tuple(sorted(name for name in folders if name != CORE))


def _found() -> dict[str, str]:
    """The package of each format's module, by the module's name; sorted.

    Raises ValueError where two have one name: names are unique over families.
    """
    found: dict[str, str] = {}
    for family in families():
        package = f"{PACKAGE}.{family}"
        for name in discovery.modules(package, DECLARATION):
            if name in found:
                raise ValueError(f"two export formats are named {name!r}: in {found[name]} and {package}")
            found[name] = package
    return dict(sorted(found.items()))


_PACKAGES = _found()
FORMATS = tuple(name.replace("_", "-") for name in _PACKAGES)
"""Of the modules that define `read_back`; a module's name cannot have the dashes of its format's."""


def module_name(form: str) -> str:
    """Raises ValueError for an unknown format."""
    if form not in FORMATS:
        raise ValueError(f"no export format {form!r}; {instead(form, FORMATS)}")
    return form.replace("-", "_")


def export_format(form: str) -> Export:
    """Raises ValueError for an unknown one, TypeError for a module that lacks a part of `Export`."""
    name = module_name(form)
    return cast("Export", discovery.module(_PACKAGES[name], name, Export))


def default_images(form: str) -> ImageMode:
    """What becomes of images where nobody says it: links, or what the format has in its `DEFAULT_IMAGES`."""
    return getattr(export_format(form), "DEFAULT_IMAGES", ImageMode.LINK)


def summary(form: str) -> str:
    """What it is and what reads it, in one line."""
    name = module_name(form)
    return discovery.summary(_PACKAGES[name], name)
