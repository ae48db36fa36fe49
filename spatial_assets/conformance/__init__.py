"""Recomputes published answers from published scene data: the proof that our definitions are the benchmarks' own.

A module that defines `run` is a benchmark's; nothing lists them. Here belong a benchmark's own rules as it published
them, one group of modules per benchmark. Nothing that makes or scores questions stands here or imports them: a
generator does not borrow from its auditor.
"""
