"""Rewards for reinforcement learning on exported questions, with the call signatures of the libraries that train so.

    form.py       whether a response is thinking and an answer in their tags
    trl.py        functions for TRL's GRPOTrainer
    verl.py       `compute_score` of verl
    ms_swift.py   an ORM class of ms-swift
    easyr1.py     `compute_score` of EasyR1

Here belongs how libraries hand over a response and a row of the export `grpo`. Nothing here imports the libraries; how
a response is scored stands in `scoring/kinds.py`.
"""
