"""Runs stages over shards: only what changed, safe against being killed, by one process or several.

Here belongs when something is computed, how it is committed, what errors are kept, and whether what was committed is
right (`verify`, `lake_quality`). Nothing here says what is computed (see `stages`) or answers questions about the
records (see `lineage`), and nothing knows Dagster (see `assets`).
"""
