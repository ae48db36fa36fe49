"""SPAR-7M's published tree: its layout as data, records, folders, and the checks of any such tree, ours or another.

Its benchmark is not here (see `spar_bench`), nor its tasks (see `tasks/spar`).
"""
