"""Profile 1, `fnet`: positions -> colour, and nothing else in the file."""
