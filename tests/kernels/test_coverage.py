"""Coverage losses against the definition of MEXCLP, counted the long way."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.kernels.examples import examples
from twin.kernels.coverage import coverage_losses


def expected(covered, demand, nodes, busy):
    reach = covered[:, nodes].sum(axis=1)
    return float((demand * (1.0 - busy**reach)).sum())


@examples(100)
@given(seed=st.integers(0, 10_000), busy=st.floats(0.0, 1.0), units=st.integers(1, 6))
def test_the_loss_is_the_difference_of_coverage_with_and_without_a_unit(seed, busy, units):
    rng = np.random.default_rng(seed)
    covered = rng.random((7, 9)) < 0.4
    demand = rng.random(7)
    nodes = rng.integers(0, 9, units)
    loss = np.empty(units)
    coverage_losses(covered, demand, nodes, busy, loss)
    whole = expected(covered, demand, nodes, busy)
    for unit in range(units):
        less = whole - expected(covered, demand, np.delete(nodes, unit), busy)
        assert np.isclose(loss[unit], less, atol=1e-12)
