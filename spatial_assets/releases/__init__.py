"""Releases: immutable, named snapshots of the questions, split by physical space, with what they were made from."""
