"""What export formats are given and what several families share: rows, images, coordinates, licenses, truths.

`base.py` says what a format's module offers and what it is given; what both benchmarks share begins with `bench_`. No
format stands here, nothing that one family alone needs, and nothing here imports from a family.
"""
