"""Formats of conversations for trainers, one a module, and what they share: JSON lines (`jsonl.py`) and their checks.

Published layouts with a tree of their own are not here, though they have turns too (see `spar`, `spatialmosaic`).
"""
