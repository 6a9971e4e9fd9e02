"""Carry the embedded cities, suites and baselines as package data."""
