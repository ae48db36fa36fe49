"""VSTI-style questions about moments of a 32-frame video: VLM-3R's second benchmark, nine of its tasks and one of ours.

The tasks, their wording and their options are those of VSTI-Bench (Fan et al., VLM-3R, 2025); what its released code
computes otherwise than its text says is right here, every threshold has a margin on both sides, and only what the asked
frame shows is named. `camera_movement_direction_two_axis` asks about what `camera_movement_direction` leaves out.
Answers are not scored here (see `scoring`).
"""
