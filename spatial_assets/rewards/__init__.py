"""Rewards for reinforcement learning on exported questions, with the call signatures of the libraries that train so.

    score.py      one response to one question: a number from 0 to 1, by the benchmarks' own scorers
    trl.py        functions for TRL's GRPOTrainer
    verl.py       `compute_score` of verl
    ms_swift.py   an ORM class of ms-swift
    easyr1.py     `compute_score` of EasyR1

Here belongs what turns a response and a row of the export `grpo` into a reward. Nothing here imports the libraries;
how a benchmark scores stands in `scoring`.
"""
