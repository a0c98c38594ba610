"""Comparison of a picture with its .fnc file and with a JPEG of the same size: numbers, error maps, and an HTML
page."""
