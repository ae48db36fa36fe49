"""Recomputes published answers from published scene data: the proof that our definitions are the benchmarks'
own."""
