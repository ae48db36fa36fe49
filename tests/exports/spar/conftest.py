"""The two homes whose questions these tests write as records."""

from asked_fixtures import asked, studio_asked, tiny_asked

__all__ = ["asked", "studio_asked", "tiny_asked"]
