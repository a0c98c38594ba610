"""The instruments behind the numbers of docs/results.md: `python -m benchmarks.NAME` from the repository's root."""
