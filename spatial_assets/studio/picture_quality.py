"""The qualities of pictures, by name: commands ask for them before anything that renders is imported."""

from __future__ import annotations

DRAFT, FULL = "draft", "full"
QUALITIES = (DRAFT, FULL)
"""Plainly rendered, and photographed (`photo`). Nothing that is written but the colors of images depends on it."""
