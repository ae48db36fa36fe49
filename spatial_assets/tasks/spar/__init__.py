"""The suite of SPAR-7M: one module per task or pair of twins, its wording as data beside it, and what several share.

Definitions are those of the SPAR paper (appendix 7.5); thresholds that it does not publish are named defaults.
Nothing that knows SPAR's files belongs here (see `exports/spar`).
"""
