"""The grown city of the traffic benchmark: its trips and their ways."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.grown_city import NEAREST, lay_out
from twin.city.loading import load_city
from twin.kernels.traffic import advance
from twin.kernels.traffic_arrays import CLASS_MASK, CLASS_SHIFT, CODE_SHIFT, DONE, new_log
from twin.models import demand
from twin.models.streets import build_streets
from twin.models.traffic.routes import trees_to


@pytest.fixture(scope="module")
def laid_out():
    city = load_city("nusantara")
    return city, lay_out(city, 1)


def routes_of(traffic):
    """Return the links of the route that each vehicle starts with, vehicles by origin."""
    routes = traffic.demand.routes
    ends = np.flatnonzero(routes < 0)
    start = traffic.demand.origin_word >> CODE_SHIFT
    return [routes[a : ends[np.searchsorted(ends, a)]] for a in start.tolist()]


def test_every_trip_takes_a_shortest_way(laid_out):
    city, traffic = laid_out
    streets = build_streets(city)
    routes = routes_of(traffic)[::997]
    assert len(routes) > 10
    for route in routes:
        goal = city["links"]["to_node"][route[-1]]
        least = trees_to(streets, streets.free_time, np.array([goal]))[0][0, city["links"]["from_node"][route[0]]]
        assert streets.free_time[route].sum() == pytest.approx(least, rel=0.02)


def test_trips_are_the_mornings_and_their_classes_the_citys(laid_out):
    city, traffic = laid_out
    profile = demand.day_profile(city)
    hours = (np.arange(profile.size) + 0.5) * 24 / profile.size
    wanted = demand.trips_per_day(city) * profile[(hours >= 7) & (hours < 9)].sum()
    assert len(traffic.state.arrival) == pytest.approx(wanted, abs=10)  # a few zones share their node
    kind = (traffic.demand.origin_word >> CLASS_SHIFT) & CLASS_MASK
    shares = city.parameters["demand"]["classes"]
    for row, name in enumerate(sorted(shares)):
        assert (kind == row).mean() == pytest.approx(shares[name], abs=0.02)
    assert city.rows("zones") > NEAREST - 2


def test_the_streets_carry_the_trips(laid_out):
    _, traffic = laid_out
    assert advance(*traffic, new_log(0), 3 * 3600 * 1_000_000) == DONE
    assert (traffic.state.arrival >= 0).mean() > 0.95
