"""Pictures, plots and pages made from the lake, for people to look at."""
