"""Formats of tools that run and score models: scored questions alone, each with what its answer is scored by.

How answers are scored is not here (see `scoring`); published benchmarks' own layouts are in folders of their own.
"""
