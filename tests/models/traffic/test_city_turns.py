"""Pockets, turns that give way, greens of pockets and ambulances in a city, by hand and through snapshots."""

from __future__ import annotations

import numpy as np
import pytest

from tests.models.traffic.small_city import crossing, traffic_world
from twin.contract import SECOND
from twin.errors import CityError
from twin.kernels.traffic_arrays import ACTUATED
from twin.models import demand
from twin.models.policies.signals import Actuated
from twin.models.traffic.city_turns import DefaultedWarning
from twin.world import World

EAST, NORTH, WEST, SOUTH = 1, 2, 3, 4
RESCUE = {"passing": 1.5, "green_ahead": 15.0, "green_clear": 4.0, "green_most": 120.0}
AMBULANCES = {
    "classes": {"ambulance": 0.2, "car": 0.8},
    "parameters": {"demand": {"emergency": ["ambulance"], "pcu": {"car": 1.0, "ambulance": 1.0}}, "rescue": RESCUE},
}


@pytest.fixture
def arrivals(monkeypatch):
    """Return a function that drives given trips, and says when each arrives (s)."""

    def drive(city, rows, options=None):
        rows = sorted(rows, key=lambda row: row[2])
        start, goal, depart, *kind = (np.array(column) for column in zip(*rows, strict=True))
        number = np.arange(len(rows))
        kinds = kind[0] if kind else np.zeros(len(rows), np.int8)
        names = tuple(sorted(city.parameters["demand"]["classes"]))
        table = demand.TripTable((depart * SECOND).astype(np.int64), start, goal, kinds.astype(np.int8), number, names)
        monkeypatch.setattr(demand, "draw_trips", lambda *_: table)
        world = traffic_world(city, 600, informed_share=0.0, **(options or {})).run()
        return (world.state["vehicle.arrival"] / SECOND).tolist()

    return drive


# a car from the east turns to the north before one that goes on; two come from the west
OPPOSED = [(EAST, NORTH, 0.0), (WEST, EAST, 1.0), (EAST, WEST, 2.0), (WEST, EAST, 5.0)]


@pytest.mark.parametrize(
    ("side", "gap", "turns", "expected"),
    [
        ("left", None, (), [20.0, 21.0, 22.0, 25.0]),
        ("left", 0.0, (), [20.0, 21.0, 22.0, 25.0]),
        ("left", 4.5, (), [25.0, 21.0, 27.0, 25.0]),
        ("left", 4.5, [(0, 5, 2.0)], [25.0, 21.0, 22.0, 25.0]),
        ("right", 4.5, (), [20.0, 21.0, 22.0, 25.0]),
    ],
    ids=["no column", "no gap", "who turns waits", "in a pocket", "the near turn"],
)
def test_which_turn_waits_follows_from_the_driving_side_and_pockets_let_others_pass(
    arrivals, side, gap, turns, expected
):
    # 100 m at 10 m/s: due after 10 s; 4 s between those that come are less than the gap
    assert arrivals(crossing(gap=gap, turns=turns, side=side), OPPOSED) == pytest.approx(expected, abs=1e-5)


def with_three_phases(turns=(), served=(0, 1, 0, 1, 2), to_link=(-1, -1, -1, -1, 5)):
    """Return the crossing with phases from 7, 27 and 47 s on, the last for the turn from east to north alone."""
    phases = {"signal": np.zeros(3, int), "order": np.arange(3), "green": np.full(3, 15.0)}
    return crossing(turns=turns, served=served, to_link=to_link, phases=phases, gap=4.5)


def test_a_pocket_may_have_a_green_of_its_own(arrivals):
    city = with_three_phases(turns=[(0, 5, 2.0)])
    assert arrivals(city, OPPOSED) == pytest.approx([57.0, 21.0, 22.0, 25.0], abs=1e-5)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"turns": ()}, "phase_links of city small: l0 to l5 has a green of its own but no pocket"),
        ({"to_link": (-1,) * 5}, "l0 has green in two phases"),
        ({"served": (0, 1, 0, 1, 1)}, "conflicting movements have green at once: signal s0: l1 and l0; .* l3 and l0"),
    ],
)
def test_greens_that_no_pocket_can_have_are_refused(changes, said):
    with pytest.raises(CityError, match=said):
        traffic_world(with_three_phases(**{"turns": [(0, 5, 2.0)]} | changes))


# an ambulance comes from the north at 5 s, a car from the east is due before it and one after
RESCUED = [(EAST, WEST, 2.0, 1), (EAST, WEST, 4.0, 1), (NORTH, SOUTH, 5.0, 0)]


@pytest.mark.parametrize("gap", [None, 4.5], ids=["nobody gives way", "turns give way"])
def test_an_ambulance_calls_for_green_in_the_city(arrivals, gap):
    # it asks at 10 s, half of its way before 15 s: both cars have red from then until it has left
    assert arrivals(crossing(gap=gap, **AMBULANCES), RESCUED) == [25.0, 27.0, 25.0]
    # no class is marked: it waits for its green at 32 s
    plain = AMBULANCES | {"parameters": {"demand": {"pcu": {"car": 1.0, "ambulance": 1.0}}}}
    assert arrivals(crossing(gap=gap, **plain), RESCUED) == [22.0, 24.0, 42.0]


def test_an_ambulance_passes_the_queue_in_the_city(arrivals):
    # red from 27 s; it enters behind two cars at 20 s and is past them 15 s later, by when the second is gone too
    rows = [(EAST, WEST, 18.0, 1), (EAST, WEST, 19.0, 1), (EAST, WEST, 20.0, 0)]
    calm = {**AMBULANCES, "parameters": {**AMBULANCES["parameters"], "rescue": RESCUE | {"green_ahead": 0.0}}}
    # green again at 67 s: first the ambulance, then the cars, 2 s apart
    assert arrivals(crossing(**calm), rows) == [79.0, 81.0, 77.0]


def test_emergency_classes_are_classes_of_the_demand_and_drive_in_a_way_that_makes_sense():
    for given, said in ((["hearse"], r"demand.emergency of city small has hearse"), ("car", "must be a list")):
        with pytest.raises(CityError, match=said):
            traffic_world(crossing(parameters={"demand": {"emergency": given}}))
    wrong = {"demand": {"emergency": ["car"]}, "rescue": RESCUE | {"passing": 0.5}}
    with pytest.raises(CityError, match=r"rescue of city small: passing \(0.5\) must be .* passing at least 1"):
        traffic_world(crossing(parameters=wrong))


def test_values_that_a_city_leaves_out_are_counted():
    with pytest.warns(DefaultedWarning, match="own values for 3 of 4 parameters of rescue, .* green_ahead,"):
        traffic_world(crossing(parameters={"demand": {"emergency": ["car"]}, "rescue": {"passing": 2.0}}))
    city = crossing(gap=4.5)
    signal = {name: column for name, column in city["signals"].items() if name != "late_turn"}
    with pytest.warns(DefaultedWarning, match="late_turn of city small is left out: 1 signals take 3 s"):
        traffic_world(crossing(signals=signal))


def test_pockets_that_are_none_are_named():
    with pytest.raises(ValueError, match="pocket 0: the links do not meet"):
        traffic_world(crossing(turns=[(4, 5, 2.0)]))
    with pytest.raises(ValueError, match="pocket 0: pocket_room must be greater than 0"):
        traffic_world(crossing(turns=[(0, 5, 0.0)]))


@pytest.mark.parametrize(
    ("instant", "policies"), [(613.123457, ()), (61.000001, ()), (149.5, (Actuated(),)), (400.7, (Actuated(),))]
)
def test_a_city_with_all_of_it_saves_and_loads_exactly(instant, policies, tmp_path):
    turns = [(0, 5, 2.0), (2, 7, 1.0), (1, 6, 3.0)]
    city = crossing(gap=4.5, turns=turns, trips=12_000, **AMBULANCES)
    whole = traffic_world(city, 900, policies=policies, gridlock="relax", reroute_every=100.0).run()
    assert (whole.state["node.control"][0] == ACTUATED) == bool(policies)
    cut = World(whole.assembly).run(round(instant * SECOND))
    again = World.load(cut.save(tmp_path / "cut"), whole.assembly).run()
    assert again.digest() == whole.digest()
    assert whole.state["vehicle.outcome"].tolist().count(2) > 100
    parts = World(whole.assembly)
    for until in np.sort(np.random.default_rng(1).integers(1, 900 * SECOND, 30)).tolist():
        parts.run(until)
    assert parts.run().digest() == whole.digest()
