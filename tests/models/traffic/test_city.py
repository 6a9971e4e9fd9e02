"""Traffic in the twin: gridlocks named and let go, banned turns, classes, trips without a way."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from tests.models.traffic.small_city import ring, small_city, traffic_world
from twin.errors import CityError
from twin.kernels.traffic_arrays import EXITS
from twin.models.traffic.gridlock import GridlockWarning
from twin.models.traffic.routes import NoWayWarning
from twin.world import World


def kinds(world):
    return [row[1] for row in world.events.rows()]


def test_a_gridlock_is_an_event_that_names_the_cycle_and_a_warning():
    world = traffic_world(small_city(ring()))
    with pytest.warns(GridlockWarning, match="l0 -> l1 -> l2 -> l3 -> l4 -> l5 -> l0"):
        world.run()
    (found,) = [row for row in world.events.rows() if row[1] == "gridlock"]
    assert found[2:4] == (0, 6.0)
    cycle = [(row[2], row[4]) for row in world.events.rows() if row[1] == "gridlock_link"]
    assert cycle == [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 0)]
    assert world.state["link.gridlocked"].all()
    assert "gridlock_relaxed" not in kinds(world)


@pytest.mark.filterwarnings("ignore::twin.models.traffic.gridlock.GridlockWarning")
def test_a_gridlock_that_may_go_lets_more_arrive():
    stuck = traffic_world(small_city(ring())).run()
    freed = traffic_world(small_city(ring()), gridlock="relax", gridlock_wait=120.0).run()
    assert kinds(freed).count("gridlock_relaxed") > 3
    assert freed.kpis()["trips_arrived"] > stuck.kpis()["trips_arrived"] + 10
    times = [row[0] for row in freed.events.rows() if row[1] in ("gridlock", "gridlock_relaxed")]
    assert times[1] - times[0] >= 60_000_000


@pytest.mark.filterwarnings("ignore::twin.models.traffic.gridlock.GridlockWarning")
@pytest.mark.parametrize("instant", [611, 997, 1201])
def test_a_run_with_gridlocks_let_go_saves_and_loads_exactly(instant, tmp_path):
    whole = traffic_world(small_city(ring()), gridlock="relax", gridlock_wait=120.0).run()
    cut = World(whole.assembly).run(instant * 1_000_000)
    again = World.load(cut.save(tmp_path / "cut"), whole.assembly).run()
    assert again.digest() == whole.digest()


def test_traffic_that_flows_has_no_gridlock():
    with warnings.catch_warnings():
        warnings.simplefilter("error", GridlockWarning)
        world = traffic_world(small_city(ring(), trips=400)).run()
    assert "gridlock" not in kinds(world)
    assert world.kpis()["trips_arrived"] > 20


def test_a_city_may_ban_turns():
    # 0 -> 1 -> 2, and 1 -> 3 -> 1: the turn from 0-1 into 1-2 is banned
    pairs = [(0, 1), (1, 2), (1, 3), (3, 1), (2, 0)]
    used = []
    for banned in ([], [(0, 1)]):
        table = {"from_link": np.array([a for a, _ in banned], int), "to_link": np.array([b for _, b in banned], int)}
        world = traffic_world(small_city(pairs, trips=1000, banned_turns=table)).run()
        state = world.state
        assert (state["vehicle.arrival"] >= 0).sum() > 50
        used.append(state["road.queue"][:, EXITS])
    assert used[1][2] > used[0][2]
    assert used[1][1] > 0


def test_a_banned_turn_holds_after_a_closure_and_a_reroute():
    pairs = [(0, 1), (1, 2), (1, 3), (3, 1), (2, 0), (3, 2)]
    table = {"from_link": np.array([0]), "to_link": np.array([1])}
    world = traffic_world(small_city(pairs, trips=1000, banned_turns=table), reroute_every=60.0).run()
    # whoever comes by link 0 and goes to 2 must pass 3; column 4 is that of link 0
    model = world.assembly.components[0]
    for name in ("next_hop.informed", "next_hop.habitual"):
        assert 1 not in world.state[name].reshape(len(model.destinations), -1)[:, 4]


def test_a_class_without_pcu_is_named():
    with pytest.raises(CityError, match=r"no PCU for hovercraft"):
        traffic_world(small_city(ring(), classes={"car": 0.9, "hovercraft": 0.1}))


def test_trips_without_a_way_are_counted_in_a_warning_and_the_others_drive():
    # from the dead end 2 nobody comes back
    with pytest.warns(NoWayWarning, match=r"\d+ of \d+ trips have no way, the first from node 2"):
        world = traffic_world(small_city([(0, 1), (1, 0), (1, 2)], trips=400))
    world.run()
    tally = world.state["outcome.vehicles"]
    assert tally[4] > 0
    assert tally[2] > 0
    assert tally.sum() == len(world.state["vehicle.arrival"])
