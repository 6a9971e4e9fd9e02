"""The compiled emergency engine, set up as a hypercube, against the exact model.

`python -m benchmarks hypercube --store` keeps the figures of ten million calls in results/figures.
"""

from __future__ import annotations

import pytest

from benchmarks.hypercube import CASES, compare


@pytest.mark.parametrize(
    ("size", "nearest"), [(100_000, 0.01), pytest.param(10_000_000, 0.002, marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("name", CASES)
def test_workloads_and_losses_are_those_of_the_exact_model(name, size, nearest):
    gap, error = compare(CASES[name], size, seed=0)
    print(f"{size} calls: gap {gap.max():.6f}, {(gap / error).max():.2f} standard errors")
    assert (gap < 4 * error).all()
    assert gap.max() < nearest
