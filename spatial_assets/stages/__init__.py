"""From the inputs of one scene to its rows, a module per stage, from the sources to the questions and their budgets.

Here belongs what a stage reads and writes, its parameters, and a few lines that load, make one call, and lay out rows.
The maths is not here (see `geometry`), nor when a stage runs (see `engine`).
"""
