"""What questions about a video share, whichever suite asks them."""
