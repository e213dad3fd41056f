"""Benchmarks: `python -m benchmarks.NAME` prints its figures and ends with one line of JSON."""
