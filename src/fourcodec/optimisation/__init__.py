"""What the fits of all profiles share."""
