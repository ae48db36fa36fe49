"""Views that somebody has who walks along viewpoints are named, and names are read, in one way alone."""

from __future__ import annotations

from spatial_assets.scene import view_names


def test_names_of_views_are_read_as_written() -> None:
    for degrees, expected in (
        (0.0, "0.0"),
        (359.97, "0.0"),
        (-30.0, "330.0"),
        (725.04, "5.0"),
        (89.96, "90.0"),
    ):
        assert view_names.name_of("a@b", degrees) == f"a@b@{expected}"
        assert view_names.heading_of(f"a@b@{expected}") == ("a@b", float(expected))
    for other in ("frame-1", "a@", "a@90", "a@090.0", "@1.0", "a@1.25"):
        assert view_names.heading_of(other) is None
