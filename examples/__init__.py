"""Demonstrations: `make demo` and `make generate-demo`."""
