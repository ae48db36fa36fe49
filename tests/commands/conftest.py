"""The small built home that the tests of lineage's commands read."""

from lineage_fixtures import built, copied

__all__ = ["built", "copied"]
