"""Many machines over one home: the history they share, how runs are handed out, what a worker is.

Here belongs what needs the extra `cluster`. Nothing here computes or decides what is stale, and nothing that runs on one
machine alone imports it.
"""
