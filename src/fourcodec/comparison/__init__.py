"""Comparison of a picture with its .fnc file and with JPEG, WebP and AVIF files of the same size: numbers, error
maps, and an HTML page."""
