"""The language of tasks: candidates as arrays, quantities, answers, options, wording, draws.

Here belongs what any task of any suite may use. A rule of one task does not: it stands with that task.
"""
