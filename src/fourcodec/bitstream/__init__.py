"""Bytes <-> integers: the container and the coders of its sections. FORMAT.md beside this file is the specification."""
