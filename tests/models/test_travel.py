"""Legs: exact times and positions on five nodes in a row, 100 s a link."""

import numpy as np
import pytest

from tests.cities import line_city
from tests.models.roads import Planned, assemble
from twin.contract import SECOND, Delay, Done, Model
from twin.fields import Field
from twin.models.streets import build_streets, path_between, shortest_tree
from twin.models.travel import ROAD_NEEDS, ROAD_READS, Fleet, leg_fields
from twin.world import World


class Drivers(Model):
    """One driver from node 0 to node 4, share and retime as the test sets them."""

    name = "drivers"
    owns = (
        *leg_fields("driver"),
        Field("trip.end", "int64", "us", "arrival", -1),
        Field("trip.mark", "int64", "1", ""),
    )
    reads = ROAD_READS
    requires = ROAD_NEEDS
    procedures = {"trip": ("drive", "arrive")}
    share, retime, goal = 1.0, 300, 4
    events = ()

    def setup(self, setup):
        self.fleet = Fleet("driver", build_streets(setup.city), self.share, self.retime * SECOND)
        return {"driver": 1, "trip": 1}

    def start(self, view):
        self.fleet.depart(view, 0)
        view.begin("trip", 0)

    def trip_drive(self, view, job):
        left = self.fleet.follow(view, 0, self.goal)
        if left is None:
            return Delay(10 * SECOND, "drive")
        return Delay(left, "drive" if left else "arrive")

    def trip_arrive(self, view, job):
        view.put("trip.end", 0, view.now)
        return Done()


def drive(events=(), **settings):
    driver = type("Drivers", (Drivers,), settings)()
    world = World(assemble(line_city(), [driver], events=events, duration=3000))
    return world, driver


def test_a_leg_takes_the_sum_of_its_links():
    world, _ = drive()
    world.run()
    assert world.state["trip.end"][0] == 400 * SECOND
    assert world.state["driver.node"][0] == 4


@pytest.mark.parametrize(
    ("at", "link", "offset", "x"), [(0, 0, 0.0, 0.0), (150, 2, 500.0, 1500.0), (399, 6, 990.0, 3990.0)]
)
def test_the_position_is_exact_at_any_instant(at, link, offset, x):
    world, driver = drive()
    world.run(at * SECOND or 1)
    place = driver.fleet.where(world.view("drivers"), 0)
    assert (place.link, place.x, place.y) == (link, pytest.approx(x, abs=1e-4), 0.0)
    assert place.offset == pytest.approx(offset, abs=1e-4)


def test_a_slow_down_acts_from_the_exact_position_at_the_next_timing():
    events = [Planned("slow", 120 * SECOND, tuple(range(8)), {"factor": 3.0})]
    world, _ = drive(events, retime=150)
    world.run()
    # 150 s: half of link 2 driven; its rest and two links at 300 s each: 150 + 150 + 600.
    assert world.state["trip.end"][0] == 900 * SECOND


def test_a_siren_feels_its_share_of_the_congestion():
    world, _ = drive([Planned("slow", 0, tuple(range(8)), {"factor": 3.0})], share=0.5, retime=1)
    world.run()
    end = world.state["trip.end"][0] / SECOND
    # 1 s at free speed before the first new timing, then 200 s a link.
    assert end == pytest.approx(800.0, abs=1.01)


def test_delays_name_the_links_and_the_event_behind_them():
    world, driver = drive([Planned("slow", 0, (4,), {"factor": 6.0})], retime=50)
    world.run()
    delays = driver.fleet.delays(world.view("drivers"), 0)
    kinds = world.events.arrays()["kind"]
    assert [(d.link, d.excess) for d in delays] == [(4, pytest.approx(500.0))]
    assert kinds[delays[0].cause] == "slow"


def test_a_closed_goal_is_waited_for_and_no_traveller_is_lost():
    events = [Planned("shut", 150 * SECOND, (4,)), Planned("reopen", 995 * SECOND, (4,))]
    world, driver = drive(events, retime=10)
    world.run(900 * SECOND)
    assert world.state["driver.node"][0] == 2
    assert world.state["driver.leg_stuck"][0]
    world.run()
    # Tries every 10 s; at 1000 s the road is open: two links.
    assert world.state["trip.end"][0] == 1200 * SECOND
    assert world.state["driver.leg_tries"][0] > 50
    # It stood at node 2 from 200 s to 1000 s, before link 4.
    worst = driver.fleet.delays(world.view("drivers"), 0)
    kinds = world.events.arrays()["kind"]
    assert [(d.link, d.excess, kinds[d.cause]) for d in worst] == [(4, pytest.approx(800.0), "shut")]


def test_long_legs_are_driven_in_pieces(monkeypatch):
    from twin.models import travel

    monkeypatch.setattr(travel, "LONGEST", 2)
    world, _ = drive(owns=(*Drivers.owns,))
    world.run()
    assert world.state["trip.end"][0] == 400 * SECOND


def test_a_detour_is_taken_from_the_exact_position():
    city = line_city()
    links = {name: np.asarray(column) for name, column in city["links"].items()}
    around = {
        "id": np.array(["d0"]),
        "from_node": [1],
        "to_node": [4],
        "length": [5000.0],
        "speed": [10.0],
        "lanes": [1],
        "capacity": [0.5],
        "jam_density": [0.15],
    }
    city = line_city(
        links={
            n: np.concatenate([c, np.asarray(around[n], dtype=c.dtype if n != "id" else None)])
            for n, c in links.items()
        }
    )
    driver = type("Drivers", (Drivers,), {"retime": 10})()
    world = World(assemble(city, [driver], events=[Planned("shut", 45 * SECOND, (2,))], duration=3000))
    world.run()
    assert world.state["trip.end"][0] == 600 * SECOND
    # The way round takes 500 s from node 1 instead of 300 s.
    worst = driver.fleet.delays(world.view("drivers"), 0)
    assert [(d.link, d.excess) for d in worst] == [(2, pytest.approx(200.0))]


def test_paths_agree_with_networkx_on_random_networks():
    import networkx as nx

    rng = np.random.default_rng(4)
    city = line_city()
    nodes, links = 5, 30
    begin, end = rng.integers(0, nodes, links), rng.integers(0, nodes, links)
    speed = rng.uniform(1, 20, links)
    table = {
        "id": np.arange(links).astype(str),
        "from_node": begin,
        "to_node": end,
        "length": np.full(links, 100.0),
        "speed": speed,
    }
    streets = build_streets(line_city(links=table))
    times = streets.free_time.copy()
    times[rng.random(links) < 0.2] = np.inf
    graph = nx.MultiDiGraph()
    graph.add_nodes_from(range(nodes))
    graph.add_weighted_edges_from((a, b, t) for a, b, t in zip(begin, end, times, strict=True) if np.isfinite(t))
    for start in range(nodes):
        known = nx.single_source_dijkstra_path_length(graph, start)
        tree = shortest_tree(streets, times, start)
        for goal in range(nodes):
            assert tree.time[goal] == pytest.approx(known.get(goal, np.inf))
            path = path_between(streets, times, start, goal)
            assert (path is None) == (goal not in known)
            if path is not None:
                assert times[path].sum() == pytest.approx(known[goal])
                assert shortest_tree(streets, times, goal, reverse=True).time[start] == pytest.approx(known[goal])
    assert city.rows("links") == 8
