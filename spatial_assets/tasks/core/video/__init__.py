"""What questions about a video share, whichever suite asks them.

A rule that one suite alone has does not belong here (see its folder).
"""
