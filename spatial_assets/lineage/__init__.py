"""What produced what: the records of every computation, and the questions asked of them."""
