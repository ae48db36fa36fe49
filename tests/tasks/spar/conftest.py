"""The two homes with questions of SPAR's tasks that these tests look at."""

from asked_fixtures import asked, studio_asked, tiny_asked

__all__ = ["asked", "studio_asked", "tiny_asked"]
