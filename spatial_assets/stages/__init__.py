"""The stages in the order in which data flows: each a few lines of load, one call, and what is written."""
