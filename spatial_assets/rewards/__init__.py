"""Rewards for reinforcement learning on exported questions, with the call signatures of the libraries that train so.

Here belongs how libraries hand over a response and a row of the export `grpo`, one library a module, and in `form.py`
whether a response is thinking and an answer in their tags. Nothing here imports the libraries; how a response is scored
stands in `scoring/kinds.py`.
"""
