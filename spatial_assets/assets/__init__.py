"""The Dagster shell: every stage as a partitioned asset, and the few assets that are not partitioned.

Science lives elsewhere; an asset here says what it is, draws its small picture, and calls the runner.
"""
