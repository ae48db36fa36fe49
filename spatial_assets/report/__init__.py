"""What people look at: pictures for the event log, plots, plans, pages and recordings, made from the lake.

Here belongs how something looks. Nothing here counts or compares for its own sake (see `lineage`, `releases` and
`evaluation`) but `frames_shown.py`, which asks tasks of a scene once more; it and `known_tasks.py` alone know which
tasks there are. Pages are templates in `templates`, filled by the modules beside it.
"""
