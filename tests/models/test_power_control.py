"""Protection, restoration, shedding, storage and reliability indices on six buses."""

from __future__ import annotations

import numpy as np
import pytest

from tests.models.test_power import energised, world_of
from tests.models.utility_city import ancestors, order, planned, six_bus_city, times
from twin.contract import SECOND
from twin.models.power.profile import charging_factor, demand_factor, solar_factor

HOUR = 3600 * SECOND


def with_lines(**columns):
    """Return the lines of the six-bus city with more columns."""
    return {**dict(six_bus_city()["lines"]), **columns}


def last(world, kind):
    """Return number, target and value of the last event of a kind."""
    rows = world.events.rows()
    number = max(i for i, row in enumerate(rows) if row[1] == kind)
    return number, rows[number][2], rows[number][3]


def test_flisr_closes_the_tie_for_those_cut_off_and_opens_it_after_the_repair():
    world = world_of(planned("line_failure", 50, [0], duration=0.0))
    order(world, "flisr", 70, -1)
    order(world, "power_repair", 100, 0, data=1)
    order(world, "flisr", 130, -1)
    assert energised(world.run(60 * SECOND)) == [1, 1, 1, 0, 0, 1]
    assert energised(world.run(71 * SECOND)) == [1] * 6
    assert world.state["line.closed"].tolist() == [True, True, True, True]
    back = int(world.state["bus.energised@cause"][3])
    assert ancestors(world, back) == ["supply_back", "line_closed", "flisr"]
    world.run(131 * SECOND)
    assert world.state["line.closed"].tolist() == [True, True, False, True]
    assert times(world, "line_opened", 2) == [130.0]
    assert energised(world) == [1] * 6
    assert world.check() == []


def test_flisr_passes_over_a_tie_that_would_leave_the_voltage_limit():
    world = world_of(planned("line_failure", 50, [0], duration=0.0), options={"power": {"voltage_low": 1.0}})
    order(world, "flisr", 70, -1)
    assert energised(world.run(71 * SECOND)) == [1, 1, 1, 1, 1, 1]
    world = world_of(planned("line_failure", 50, [0], duration=0.0), options={"power": {"voltage_low": 1.03}})
    order(world, "flisr", 70, -1)
    assert energised(world.run(71 * SECOND)) == [1, 1, 1, 0, 0, 1]


def test_a_breaker_clears_a_fault_below_it_and_flisr_brings_back_what_is_whole():
    lines = with_lines(breaker=np.array([True, False, False, True]))
    world = world_of(planned("line_failure", 50, [1], duration=0.0), lines=lines)
    order(world, "flisr", 70, -1)
    assert energised(world.run(60 * SECOND)) == [1, 1, 1, 0, 0, 1]
    trip = last(world, "breaker_trip")[0]
    assert ancestors(world, trip) == ["breaker_trip", "line_failure"]
    world.run(71 * SECOND)
    assert energised(world) == [1] * 6
    assert world.state["line.tripped"].tolist() == [0] * 4


def test_a_breaker_closes_when_the_last_fault_below_it_is_mended():
    lines = with_lines(breaker=np.array([True, False, False, True]))
    world = world_of(planned("line_failure", 50, [0, 1], duration=0.0), lines=lines)
    order(world, "power_repair", 70, 0, data=1)
    order(world, "power_repair", 90, 1, data=1)
    assert energised(world.run(80 * SECOND)) == [1, 1, 1, 0, 0, 1]
    assert energised(world.run(91 * SECOND)) == [1] * 6


def test_a_relay_trips_after_its_delay_and_not_when_the_current_falls_in_time():
    amperes = 0.5 * six_bus_city()["buses"]["p"][5] / (np.sqrt(3) * 20e3)
    lines = with_lines(pickup=np.array([0, 0, 0, 0.1 * amperes]), delay=np.full(4, 20.0))
    world = world_of(lines=lines)
    assert energised(world.run(19 * SECOND)) == [1] * 6
    assert energised(world.run(21 * SECOND)) == [1, 1, 1, 1, 1, 0]
    assert times(world, "overcurrent_trip") == [20.0]
    order(world, "switch", 30, 3, 1.0)
    order(world, "switch", 40, 3, 0.0)
    order(world, "switch", 45, 3, 1.0)
    world.run(64 * SECOND)
    assert times(world, "overcurrent_trip") == [20.0]
    assert times(world.run(66 * SECOND), "overcurrent_trip") == [20.0, 65.0]


def test_the_inverse_curve_is_that_of_the_standard():
    """IEC 60255-151: at twice the pickup and TMS 0.1 a standard inverse relay takes 1.003 s."""
    world = world_of(options={"power": {"overcurrent": 0.3, "time_multiplier": 0.1}})
    relay = next(c for c in world.assembly.components if c.name == "power").protection
    assert relay.trip_delay(0, 0.6) / SECOND == pytest.approx(0.014 / (2**0.02 - 1), abs=1e-5)
    assert relay.trip_delay(0, 0.6) / SECOND == pytest.approx(1.003, abs=5e-4)


def test_shed_zones_go_dark_though_their_bus_passes_power():
    world = world_of(parts=None)
    order(world, "shed_load", 50, 0, 1.0)
    order(world, "shed_load", 110, 0, 0.0)
    world.run(60 * SECOND)
    assert energised(world) == [1, 1, 1, 0, 0, 0]
    assert world.state["line.loading"].max() < 0.02
    assert world.check() == []
    dark = int(world.state["bus.energised@cause"][4])
    assert ancestors(world, dark) == ["outage", "shed_load"]
    world.run(120 * SECOND)
    assert energised(world) == [1] * 6
    assert ancestors(world, int(world.state["bus.energised@cause"][4])) == ["supply_back", "shed_load"]
    assert world.kpis()["customer_minutes_lost"] == pytest.approx(350)


def test_people_who_leave_take_their_demand_with_them():
    world = world_of(planned("evacuate", 50, [0], value=0.75, duration=100.0))
    low, high = (world.run(t * SECOND).state["line.loading"][3] for t in (40, 60))
    assert high == pytest.approx(0.25 * low, rel=0.02)
    assert world.run(160 * SECOND).state["line.loading"][3] == pytest.approx(low)


def test_only_demand_that_is_there_goes_unserved():
    world = world_of(planned("evacuate", 0, [0], value=0.5, duration=0.0), planned("blackout", 10, [1], duration=0.0))
    world.run(110 * SECOND)
    factor = float(demand_factor(np.array([0.1]), 0.0)[0])
    assert world.kpis()["energy_not_supplied_kwh"] == pytest.approx(0.5 * factor * 3e6 * 100 / 3.6e6)


def test_a_cold_load_comes_back_higher_and_fades():
    options = {"power": {"cold_load": 2.0, "cold_build": 100.0, "cold_decay": 900.0, "load_every": 900.0}}
    world = world_of(planned("line_failure", 100, [3], duration=50.0), options=options)
    usual = world.run(90 * SECOND).state["line.loading"][3]
    world.run(151 * SECOND)
    assert world.state["bus.cold"].tolist() == [0, 0, 0, 0, 0, 0.5]
    assert world.state["line.loading"][3] == pytest.approx(1.5 * usual, rel=0.01)
    faded = world.run(901 * SECOND).state["line.loading"][3]
    expected = 1 + 0.5 * np.exp(-750 / 900)
    drift = demand_factor(np.array([0.1]), 0.25)[0] / demand_factor(np.array([0.1]), 0.0)[0]
    assert faded == pytest.approx(expected * drift * usual, rel=0.01)


def table(**columns):
    return {"id": np.array(["a"]), "bus": np.array([5]), **{k: np.array([v]) for k, v in columns.items()}}


def test_a_battery_gives_until_it_is_empty_and_takes_until_it_is_full():
    """1 MJ at 20 kW and 0.9 one way: 45 s of 20 kW empty it, 55.6 s of charging at 20 kW fill it again."""
    store = table(p=20e3, energy=1e6, charge=1.0, efficiency=0.81)
    world = world_of(storages=store)
    order(world, "dispatch_storage", 10, 0, 1e9)
    order(world, "dispatch_storage", 100, 0, -20e3)
    world.run(30 * SECOND)
    assert world.state["storage.power"][0] == 20e3
    with_it = world.state["line.loading"][3]
    world.run(56 * SECOND)
    assert (world.state["storage.power"][0], world.state["storage.energy"][0]) == (0, 0)
    assert world.state["line.loading"][3] > with_it
    world.run(155 * SECOND)
    assert world.state["storage.power"][0] == -20e3
    world.run(156 * SECOND)
    assert (world.state["storage.power"][0], world.state["storage.energy"][0]) == (0, 1e6)


def test_a_battery_and_a_generator_give_nothing_without_supply():
    world = world_of(storages=table(p=1e5, energy=1e9), generators=table(p=1e6, kind="steady"))
    order(world, "dispatch_storage", 10, 0, 1e5)
    order(world, "line_failure", 20, 3)
    assert world.run(15 * SECOND).state["storage.power"][0] == 1e5
    assert world.run(25 * SECOND).state["storage.power"][0] == 0
    assert energised(world) == [1, 1, 1, 1, 1, 0]


def test_generation_relieves_the_line_and_feeds_back():
    plain, given = (world_of(generators=g).run(SECOND).state for g in (None, table(p=1e6, kind="steady")))
    assert given["line.loading"][3] < plain["line.loading"][3]
    much = world_of(generators=table(p=30e6, kind="steady")).run(SECOND).state
    assert much["bus.voltage"][5] > much["bus.voltage"][2]
    assert (solar_factor(3.0), solar_factor(12.0), solar_factor(18.0)) == (0.0, 1.0, pytest.approx(0.0, abs=1e-12))


def test_chargers_add_to_demand():
    added = world_of(chargers=table(p=1e6)).run(SECOND).state["bus.load@power"]
    usual = world_of().run(SECOND).state["bus.load@power"]
    assert (added - usual).tolist() == pytest.approx([0, 0, 0, 0, 0, 1e6 * charging_factor(0.0)])


def test_limits_are_told_once_when_crossed_and_once_when_kept_again():
    options = {"power": {"voltage_low": 0.9, "loading_high": 0.1, "load_every": 3600.0}}
    world = world_of(planned("line_failure", 100, [3], duration=50.0), options=options).run(200 * SECOND)
    assert times(world, "line_overload", 3) == [0.0, 150.0]
    assert times(world, "line_relieved", 3) == [100.0]
    world = world_of(options={"power": {"voltage_low": 1.02}}).run(SECOND)
    assert len(times(world, "voltage_low")) == 6


def test_reliability_indices_by_hand():
    """Of 350 customers 200 are out for 10 min (counted) and 150 for 4 min (momentary, IEEE 1366)."""
    world = world_of(planned("line_failure", 0, [3], duration=600.0), planned("line_failure", 60, [0], duration=240.0))
    figures = world.run(900 * SECOND).kpis()
    assert figures["saidi"] == pytest.approx(200 * 10 / 350)
    assert figures["saifi"] == pytest.approx(200 / 350)
    assert figures["caidi"] == pytest.approx(10)
    assert figures["customer_minutes_lost"] == pytest.approx(200 * 10 + 150 * 4)


def test_an_interruption_that_goes_on_counts_after_five_minutes():
    world = world_of(planned("line_failure", 0, [3], duration=0.0))
    assert world.run(300 * SECOND).kpis()["saifi"] == 0
    assert world.run(301 * SECOND).kpis()["saifi"] == pytest.approx(200 / 350)


def test_nothing_is_solved_while_nothing_changes(monkeypatch):
    from twin.models.power.solver import GridSolver

    calls = []
    solve = GridSolver.solve
    monkeypatch.setattr(GridSolver, "solve", lambda *a: calls.append(1) or solve(*a))
    world = world_of(options={"power": {"load_every": 3600.0}}).run(10 * SECOND)
    done = len(calls)
    world.run(3599 * SECOND)
    assert len(calls) == done
    world.run(3601 * SECOND)
    assert len(calls) == done + 1


def test_a_run_in_the_middle_of_everything_branches_exactly():
    options = {"power": {"cold_load": 2.0, "overcurrent": 0.1, "overcurrent_delay": 200.0}}
    events = (planned("line_failure", 50, [0], duration=100.0), planned("evacuate", 60, [0], value=0.3, duration=60.0))
    world = world_of(*events, options=options, storages=table(p=1e5, energy=1e7))
    order(world, "dispatch_storage", 10, 0, 1e5)
    order(world, "flisr", 90, -1)
    world.run(100 * SECOND)
    assert world.branch().run(400 * SECOND).digest() == world.run(400 * SECOND).digest()


def test_the_end_of_one_evacuation_leaves_the_other():
    long, short = [planned("evacuate", 50, [0], value=v, duration=d) for v, d in ((0.5, 400.0), (0.75, 100.0))]
    world = world_of(long, short)
    buses = world.assembly.city["buses"]["zone"] == 0
    for instant, away in ((100, 0.75), (200, 0.5), (500, 0.0)):
        world.run(instant * SECOND)
        assert (world.state["bus.absence@power"][buses] == away).all()


def test_a_fault_on_a_line_without_voltage_opens_no_breaker():
    lines = with_lines(breaker=np.array([True, False, False, True]))
    world = world_of(planned("line_failure", 50, [1], duration=0.0), lines=lines)
    order(world, "switch", 40, 1, 0.0)
    assert energised(world.run(60 * SECOND))[3] == 1
    assert times(world, "breaker_trip") == []


def test_after_a_transfer_the_breaker_on_the_way_that_feeds_now_clears_the_fault():
    lines = with_lines(breaker=np.array([True, False, False, True]))
    world = world_of(planned("line_failure", 50, [1], duration=0.0), lines=lines)
    order(world, "switch", 20, 0, 0.0)
    order(world, "switch", 21, 2, 1.0)
    assert energised(world.run(40 * SECOND)) == [1] * 6
    world.run(60 * SECOND)
    assert times(world, "breaker_trip") == [50.0]
    assert not world.state["line.closed"][3]
