"""Which sites live, which serve a place, and why one is dead."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.models.utility_city import ancestors, assemble, planned, six_bus_city, times
from twin.contract import SECOND
from twin.models.backup import Backup
from twin.models.power import Power
from twin.models.telecom import Telecom, site_of
from twin.world import World


def world_of(*events, parts=None):
    return World(assemble(*events, parts=parts or [Telecom()]))


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(-9000, 9000), st.integers(-9000, 9000)), min_size=1, max_size=20))
def test_the_nearest_site_serves(places):
    city = six_bus_city()
    x, y = np.array(places, dtype=float).T
    gaps = np.hypot(x[:, None] - city["sites"]["x"], y[:, None] - city["sites"]["y"])
    found = site_of(city, x, y)
    assert np.array_equal(gaps[np.arange(len(x)), found], gaps.min(axis=1))


def test_a_city_without_sites_has_none_to_serve():
    city = six_bus_city(sites=None, dependencies=None)
    assert site_of(city, np.zeros(3), np.zeros(3)).tolist() == [-1, -1, -1]
    assert World(assemble(city=city, parts=[Telecom()])).run(SECOND).check() == []


def test_failures_overlap_and_end():
    world = world_of(
        planned("site_failure", 10, [0, 1], duration=100.0), planned("site_failure", 50, [1], duration=0.0)
    )
    assert world.run(11 * SECOND).state["site.alive"].tolist() == [False, False]
    assert world.run(111 * SECOND).state["site.alive"].tolist() == [True, False]
    assert times(world, "site_dead") == [10.0, 10.0]
    assert times(world, "site_back") == [110.0]


def test_a_dead_site_names_what_cut_its_power():
    parts = [Power(), Backup(), Telecom()]
    world = world_of(planned("line_failure", 100, [1], duration=0.0), parts=parts).run(701 * SECOND)
    assert times(world, "site_dead", 0) == [700.0]
    cause = int(world.state["site.alive@cause"][0])
    assert ancestors(world, cause) == ["site_dead", "battery_empty", "outage", "line_failure"]
    assert world.check() == []


def test_power_does_not_revive_a_failed_site():
    events = planned("line_failure", 100, [1], duration=900.0), planned("site_failure", 200, [0], duration=0.0)
    world = world_of(*events, parts=[Power(), Backup(), Telecom()]).run(2000 * SECOND)
    assert not world.state["site.alive"][0]
    assert times(world, "site_back") == []


def test_a_broken_invariant_is_told():
    world = world_of().run(SECOND)
    world.state["site.alive"][1] = False
    assert world.check() == ["telecom: site 1 contradicts its power, failures and fibres"]
