"""Scores of model predictions on spatial benchmarks, one module per benchmark, equal to the released evaluators.

Here belongs what turns an answer and its truth into a number, and numbers into a benchmark's summary, with what such
numbers are held against: chance, intervals, answers to twins. A benchmark is a module that defines `PROFILES`; nothing
lists them. Predictions are read here out of the logs of other evaluators too. Nothing here keeps runs (see
`evaluation`), knows how questions are made (see `tasks`) or how a trainer asks for a reward (see `rewards`).
"""
