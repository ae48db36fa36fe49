"""Measurements, and what fits the package's data files by them.

`python -m benchmarks` compares speed and size with named alternatives, `python -m benchmarks.prove` holds every bar at
full size, and `laws`, `heights`, `priors` and `forests` write what tasks know of answers, words and boxes beforehand.
"""
