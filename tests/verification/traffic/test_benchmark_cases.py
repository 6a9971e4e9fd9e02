"""The cases of the larger benchmarks are what they say, and what is on is on."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import traffic_full, traffic_million
from benchmarks.peers import chicago
from benchmarks.peers.grid import grid_case
from twin.kernels.traffic_arrays import CLASS_MASK, CLASS_SHIFT, FIXED

DATA = pytest.mark.skipif(chicago.found() is None, reason="TWIN_DATA names no folder with tntp/Chicago-Sketch")


def test_the_two_directions_of_the_full_grid_are_never_green_together() -> None:
    case = grid_case(1, 0.02)
    traffic, _ = traffic_full._lay_out(case, 1)
    settings = traffic.settings
    assert (settings.control == FIXED).all()
    across = np.abs(case.from_node - case.to_node) == 1
    for instant in np.arange(0, 60_000_000, 500_000):
        green = (instant - settings.green_start) % settings.green_cycle < settings.green_length
        both = np.bincount(case.to_node[green & across], minlength=121) * np.bincount(
            case.to_node[green & ~across], minlength=121
        )
        assert (both == 0).all()
    assert settings.green_length.sum() / settings.green_cycle.sum() == pytest.approx(25 / 60)


def test_the_full_grid_has_its_classes_and_informed_drivers_and_all_arrive() -> None:
    case = grid_case(1, 0.1)
    _, traffic, traversals = traffic_full._full(case, 1)
    assert np.bincount((traffic.demand.origin_word >> CLASS_SHIFT) & CLASS_MASK) / len(case.depart) == pytest.approx(
        [0.6, 0.3, 0.1], abs=0.03
    )
    assert (traffic.demand.origin_word < 0).mean() == pytest.approx(0.3, abs=0.03)
    assert (traffic.state.arrival >= 0).all()
    assert traversals >= case.traversals


@DATA
@pytest.mark.data
def test_chicago_has_whole_platoons_on_ways_that_join() -> None:
    case = chicago.chicago_case(3, 0.3)
    assert (np.bincount(case.start)[np.unique(case.start)] % chicago.PLATOON == 0).all()
    assert (np.diff(case.depart) >= 0).all()
    assert case.depart.min() >= 0
    assert case.depart.max() < chicago.DURATION * 1e6
    for vehicle in range(0, len(case.depart), 997):
        way = case.route(vehicle)
        assert case.links["from_node"][way[0]] == case.origin[vehicle]
        assert case.links["to_node"][way[-1]] == case.destination[vehicle]
        assert (case.links["to_node"][way[:-1]] == case.links["from_node"][way[1:]]).all()


@DATA
@pytest.mark.data
@pytest.mark.jit
def test_every_vehicle_of_chicago_arrives() -> None:
    case = chicago.chicago_case(1, 0.1)
    _, traffic, log = traffic_million.run(case)
    assert (traffic.state.arrival >= 0).all()
    assert int(log.written[0]) == case.traversals
