"""Stores of running time: exact instants of running empty, charging, and causes."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.models.utility_city import ancestors, assemble, order, planned, six_bus_city, times
from twin.contract import SECOND, EventKind, Model
from twin.fields import Field
from twin.models.backup import Backup
from twin.models.power import Power
from twin.world import World


class Buses(Model):
    """Stand in for power: buses that a test switches."""

    name = "buses"
    owns = (Field("bus.energised", "bool", "1", "power", 1, traced=True),)
    events = (EventKind("bus_switches", "bus `target` has power if `data` is 1"),)

    def on_event(self, view, event):
        """Switch a bus."""
        view.put("bus.energised", event.target, bool(event.data))


def world_of(recharge=3.0, **tables):
    city = six_bus_city(**tables)
    return World(assemble(city=city, parts=[Buses(), Backup()], options={"backup": {"recharge": recharge}}))


def switch(world, at, bus, on):
    order(world, "bus_switches", at, bus, data=int(on))


def test_who_has_no_store_goes_dark_at_once():
    world = world_of()
    switch(world, 10, 3, False)
    assert world.run(10 * SECOND).state["signal.powered"][0]
    assert not world.run(10 * SECOND + 1).state["signal.powered"][0]
    cause = int(world.state["signal.powered@cause"][0])
    assert cause == int(world.state["bus.energised@cause"][3])


def test_a_site_lives_for_exactly_its_battery():
    world = world_of()
    switch(world, 10, 4, False)
    assert world.run(610 * SECOND).state["site.powered"].all()
    assert world.run(610 * SECOND + 1).state["site.powered"].tolist() == [False, True]
    assert ancestors(world, int(world.state["site.powered@cause"][0])) == ["battery_empty", "bus_switches"]


def test_power_that_returns_in_time_stops_the_clock():
    world = world_of()
    switch(world, 10, 4, False)
    switch(world, 609.999999, 4, True)
    assert world.run(3000 * SECOND).state["site.powered"].all()
    assert times(world, "battery_empty") == []


def test_power_that_returns_at_the_last_instant_keeps_a_site_alive():
    world = world_of()
    switch(world, 10, 4, False)
    switch(world, 610, 4, True)
    assert world.run(610 * SECOND + 1).state["site.powered"].all()
    assert world.check() == []


def test_a_used_store_charges_at_its_rate():
    world = world_of(recharge=3.0)
    for at, on in ((0, False), (300, True), (600, False)):
        switch(world, at, 4, on)
    world.run(2000 * SECOND)
    assert times(world, "battery_empty") == [600 + 300 + 300 / 3]


def test_a_store_never_holds_more_than_its_capacity():
    world = world_of(recharge=3.0)
    for at, on in ((0, False), (300, True), (5000, False)):
        switch(world, at, 4, on)
    world.run(7000 * SECOND)
    assert times(world, "battery_empty") == [5600.0]


def test_without_recharge_time_a_store_is_full_at_once():
    world = world_of(recharge=0.0)
    for at, on in ((0, False), (599, True), (600, False)):
        switch(world, at, 4, on)
    world.run(2000 * SECOND)
    assert times(world, "battery_empty") == [1200.0]


def test_an_empty_store_ends_with_the_next_outage_soon():
    world = world_of(recharge=3.0)
    for at, on in ((0, False), (1000, True), (1030, False)):
        switch(world, at, 4, on)
    world.run(2000 * SECOND)
    assert times(world, "battery_empty") == [600.0, 1040.0]


def test_a_consumer_of_two_buses_runs_while_one_has_power():
    table = {name: np.array(column) for name, column in dict(six_bus_city()["dependencies"]).items()}
    table["from_id"] = np.array(["b3", "b4", "b5", "b3", "b5"])
    table["to_table"] = np.append(table["to_table"], "signals")
    table["to_id"] = np.append(table["to_id"], "s0")
    for name, last in (("from_table", "buses"), ("kind", "power"), ("delay", 0.0)):
        table[name] = np.append(table[name], last)
    world = world_of(dependencies=table)
    switch(world, 10, 3, False)
    switch(world, 20, 5, False)
    assert world.run(20 * SECOND).state["signal.powered"][0]
    assert not world.run(21 * SECOND).state["signal.powered"][0]


def test_a_city_without_dependencies_is_always_on():
    world = world_of(dependencies=None)
    switch(world, 10, 3, False)
    assert world.run(60 * SECOND).state["signal.powered"].all()


changes = st.lists(st.tuples(st.integers(1, 2000), st.booleans()), max_size=12)


@settings(deadline=None, max_examples=30)
@given(changes)
def test_a_store_agrees_with_a_simulation_second_by_second(switches):
    world = world_of(recharge=1.0)
    for at, on in dict(switches).items():
        switch(world, at, 4, on)
    level, fed, powered = 600, True, []
    plan = dict(switches)
    for second in range(2002):
        fed = plan.get(second, fed)
        powered.append(fed or level > 0)
        level = min(level + 1, 600) if fed else max(level - 1, 0)
    for second in (500, 1000, 1500, 2000):
        state = world.run(second * SECOND + 1).state
        assert bool(state["site.powered"][0]) == powered[second]
        assert world.check() == []


def test_a_broken_invariant_is_told():
    world = World(assemble(planned("substation_failure", 5, [0], duration=0.0), parts=[Power(), Backup()]))
    world.run(60 * SECOND)
    assert world.check() == []
    world.state["hospital.powered"][0] = False
    world.state["store.level"][0] = -1
    assert len(world.check()) == 2
