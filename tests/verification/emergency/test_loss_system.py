"""The compiled service as a loss system: Erlang's B formula, whatever the distribution of service.

Twelve cases are judged at 3 standard errors of 24 independent runs, so a right simulation fails one of them about once
in twelve draws of seeds (Student's t with 23 degrees of freedom). The seeds were fixed before the first look: each
case has its own, numbered by its place in the list.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.kernels.emergency_cases import point_region
from twin.models.emergency.alone import Rules, Simulation
from twin.models.queues import erlang_b, erlang_c
from twin.random import uniform

MEAN = 600.0
PARTS, CALLS = 24, 20_000
KINDS = ("exponential", "deterministic", "lognormal", "weibull")
SYSTEMS = ((2, 3.0), (5, 8.0), (10, 15.0))


def service(kind, seed):
    """Draw times of mean MEAN."""
    draw = uniform(seed, "service", np.arange(CALLS))
    if kind == "exponential":
        return -MEAN * np.log(draw)
    if kind == "deterministic":
        return np.full(CALLS, MEAN)
    if kind == "weibull":
        return MEAN / 2 * np.log(draw) ** 2
    angle = 2 * np.pi * uniform(seed, "service", np.arange(CALLS), 1)
    normal = np.sqrt(-2 * np.log(draw)) * np.cos(angle)
    return MEAN * np.exp(normal - 0.5)


def lost_share(kind, units, load, seed):
    gaps = -np.log(uniform(seed, "gap", np.arange(CALLS))) * MEAN / load
    calls = pd.DataFrame({"arrive": np.cumsum(gaps), "node": 0, "priority": 0, "scene": service(kind, seed)})
    run = Simulation(point_region(units), calls, Rules(queue_limit=0, log=False)).run()
    status = run.state.call[CALLS // 20 :, 0]
    return (status == 9).mean()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("units", "load"), SYSTEMS)
def test_the_share_of_lost_calls_is_erlangs_for_every_service(kind, units, load):
    case = KINDS.index(kind) * len(SYSTEMS) + SYSTEMS.index((units, load))
    found = np.array([lost_share(kind, units, load, 1_000 * case + part) for part in range(PARTS)])
    error = found.std(ddof=1) / np.sqrt(PARTS)
    exact = erlang_b(load, units)
    assert 3 * error < abs(erlang_b(1.05 * load, units) - exact), "a load 5 % off would not be seen"
    assert abs(found.mean() - exact) < 3 * error


def test_calls_that_wait_are_those_of_erlang_c():
    units, load, count = 5, 4.0, 200_000
    gaps = -np.log(uniform(1, "gap", np.arange(count))) * MEAN / load
    scene = -np.log(uniform(1, "service", np.arange(count))) * MEAN
    calls = pd.DataFrame({"arrive": np.cumsum(gaps), "node": 0, "priority": 0, "scene": scene})
    run = Simulation(point_region(units), calls, Rules(log=False)).run()
    waited = (run.state.call[:, 2] > run.case.demand.call[:, 1]).mean()
    assert waited == pytest.approx(erlang_c(load, units), abs=0.012)
