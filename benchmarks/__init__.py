"""Benchmarks: ratios measured in one run, printed as one JSON object."""
