"""Figures of a run in the twin count who stands, on the road and in pockets."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.models.traffic.small_city import crossing, small_city, traffic_world
from tests.models.traffic.test_closures import PAIRS, world_with
from twin.models.traffic.standing import HeldUpWarning

TURNS = ((0, 5, 3.0), (0, 6, 3.0), (0, 7, 3.0))
"""Pockets of the link from the east, for all three ways on."""


def links_of(world):
    model = world.assembly.by_name["traffic"]
    return pd.DataFrame(model.tables(world.view("traffic"))["links"]).set_index("id")


def test_who_stands_when_the_run_ends_is_in_the_table_of_links():
    world = world_with(((300.0, "shut", 2),), PAIRS).run()
    said = r"^139 vehicles stand .*: on link l0 a vehicle to n2 waits before the closed link l2, 90 more behind it"
    with pytest.warns(HeldUpWarning, match=said):
        table = links_of(world)
    l0 = table.loc["l0"]
    # l0 leads to node 1, and on over the closed link to node 2: whoever goes there stands
    assert (l0["still_there"], l0["vehicles"]) == (8, 21)
    assert l0["delay_h"] == pytest.approx(21 * (l0["mean_time_s"] - 5) / 3600)
    assert l0["delay_h"] > 8 * 1000 / 3600
    assert l0["time_ratio"] > 100
    assert (l0["from_node"], l0["to_node"], l0["name"]) == ("n0", "n1", "")


def test_time_in_pockets_is_time_on_their_link():
    # few trips, so that nobody waits where he begins: all the time is on links
    world = traffic_world(crossing(turns=TURNS, trips=1000)).run()
    table = links_of(world)
    spent = (table["mean_time_s"] * table["vehicles"]).sum() / 3600
    assert spent == pytest.approx(world.kpis()["vehicle_hours"], rel=0.01)


def test_published_times_hold_the_time_in_pockets():
    # a red signal stops everybody in a pocket: without pockets the same time is spent on the link
    times = []
    for turns in ((), TURNS):
        world = traffic_world(crossing(turns=turns, trips=1000))
        seen = []
        for minute in range(1, 30):
            world.run((minute * 60 + 1) * 1_000_000)
            seen.append(world.state["link.time"][0])
        times.append(np.mean(seen))
    assert times[1] == pytest.approx(times[0], rel=0.25)


def test_the_mean_delay_of_trips_is_their_time_beyond_free_flow():
    # links of 5 s; from 1 to 0 directly, from 0 to 2 over both; nobody is delayed who meets nobody
    world = traffic_world(small_city(PAIRS, trips=100)).run()
    trips = world.assembly.by_name["traffic"].trips
    links_between = abs(trips.origin - trips.destination)
    free = 5_000_000 * links_between
    figures, arrival = world.kpis(), world.state["vehicle.arrival"]
    assert len(free) > 10
    assert set(links_between) == {0, 1, 2}
    late = np.maximum(np.where(arrival >= 0, arrival, world.now) - trips.depart - free, 0)
    assert figures["trip_delay"] == pytest.approx(late.mean() / 1e6)
    assert figures["vehicles_at_end"] == (arrival < 0).sum()
    # before anybody has departed there is no mean
    assert np.isnan(traffic_world(small_city(PAIRS, trips=100)).kpis()["trip_delay"])


def test_who_stands_is_late_and_under_way():
    world = world_with(((300.0, "shut", 2),), PAIRS).run()
    figures, free = world.kpis(), world_with((), PAIRS).run().kpis()
    assert figures["vehicles_at_end"] > 130 > free["vehicles_at_end"]
    assert figures["trip_delay"] > 100 > free["trip_delay"]


def test_a_banned_turn_is_part_of_the_way():
    # from 0 to 2 without the turn from l0 to l1: by 3
    pairs = [(0, 1), (1, 2), (1, 3), (3, 2), (2, 0)]
    banned = {"from_link": np.array([0]), "to_link": np.array([1])}
    model = traffic_world(small_city(pairs, trips=200, banned_turns=banned)).assembly.by_name["traffic"]
    way = (model.trips.origin == 0) & (model.trips.destination == 2)
    assert set(model.free_times[way]) == {15_000_000}
