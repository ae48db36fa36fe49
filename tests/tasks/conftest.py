"""The home of the studio's scenes that tests of questions about videos ask."""

from studio_fixtures import studio

__all__ = ["studio"]
