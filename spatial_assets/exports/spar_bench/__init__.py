"""A benchmark as SPAR-Bench is published: cut from held-out scenes, checked question by question, told of in a report.

How its answers are scored is not here (see `scoring`), nor is the layout that SPAR trains on (see `spar`).
"""
