"""Units among the vehicles, told by hand: five nodes in a row, 100 s a link, one unit in the west, a call at node 3.

It leaves at 252 s, see tests/models/test_emergency.py. Vehicles drive between the zones, nodes 1 and 3.
"""

from dataclasses import replace

import numpy as np
import pytest

from tests.cities import line_city
from tests.models.emergency.service_world import PLAIN, Orders, Watch
from tests.models.roads import Planned, Roads
from twin.assembly import Assembly
from twin.contract import SECOND, EventKind, Model, Setup
from twin.errors import DataError
from twin.fields import Field
from twin.models.emergency.model import Emergency
from twin.models.traffic import Traffic
from twin.world import World

START = 1_768_467_600 * SECOND
LEAVES = 252


class Gate(Model):
    """Closes the links of an event from its instant on, and opens them by another."""

    name = "gate"
    owns = (Field("gate.shut", "bool", "1", "the gate is shut"),)
    adds = ("link.closure",)
    events = (
        EventKind("shut", "links close", target="links", scenario=True),
        EventKind("reopen", "links open", target="links", scenario=True),
    )

    def setup(self, setup):
        self.planned = tuple(setup.events)
        return {"gate": 1}

    def on_event(self, view, event):
        view.add("link.closure", np.asarray(self.planned[event.data].targets), int(event.kind == "shut"))


def town(trips=0, capacity=None, **tables):
    """Return the line with vehicles between its zones; capacity (veh/s) of the link from node 2 to 3."""
    city = line_city(**tables)
    links = dict(city["links"].items())
    if capacity is not None:
        links["capacity"] = np.where(np.arange(8) == 4, capacity, links["capacity"])
    zones = dict(city["zones"].items()) | {"jobs": np.array([0, 9000], np.int32)}
    demand = {"trips_morning": trips, "profile": [1.0] * 24, "gravity_beta": 1 / 600, "classes": {"car": 1.0}}
    none = {"signals": {"id": np.empty(0, "U1"), "node": np.empty(0, np.int32)}}
    city = line_city(**{"links": links, "zones": zones, **none, **tables})
    return replace(city, parameters={**city.parameters, "demand": demand})


def world_of(city, events=(), drive="vehicles", orders=((160, "dispatch", 0, 0),), duration=3600):
    call = Planned("surge", 100 * SECOND, (1,), {"calls": 1, "duration": 0})
    setup = Setup(city, {}, 1, START, duration * SECOND, events=(call, *events))
    options = {"emergency": {**PLAIN, "drive": drive, "siren_share": 1.0}}
    return World(Assembly(city, [Traffic(), Emergency(), Watch(2), Gate()], [Orders(*orders)], setup, options))


def seconds(world, column):
    return int(world.state[f"call.{column}"][0]) / SECOND


def test_on_an_empty_road_a_link_takes_its_free_flow_time():
    world = world_of(town()).run()
    assert seconds(world, "on_scene") == LEAVES + 300
    assert seconds(world, "at_hospital") == LEAVES + 300 + 600 + 100
    assert world.state["unit.node"][0] == 0
    assert world.check() == []


def test_it_passes_a_queue_and_does_not_stand_in_it():
    # Link 4 takes a vehicle every 20 s, and one wants to every 3 s: there is a queue on link 2.
    city = town(trips=20_000, capacity=0.05)
    world = world_of(city).run((LEAVES + 103) * SECOND)
    assert world.state["unit.leg_path"][0, 0] == 2
    world.run()
    behind = world.state["vehicle.arrival"]
    # 150 s for the link with the queue; at most 2 s until it may enter that, and 20 s for the next one.
    assert LEAVES + 350 <= seconds(world, "on_scene") <= LEAVES + 372
    assert (behind > (LEAVES + 372) * SECOND).sum() > 20


def test_it_stands_at_the_end_of_a_link_while_it_waits_and_never_goes_back():
    world = world_of(town(trips=20_000, capacity=0.05))
    fleet = world.assembly.by_name["emergency"].fleet
    along = []
    for second in range(LEAVES, LEAVES + 380, 3):
        world.run(second * SECOND + 1)
        place = fleet.where(world.view("emergency"), 0)
        assert place.offset <= 1000.0
        along.append(place.x)
    assert along[0] == pytest.approx(0.0, abs=0.1)
    assert (np.diff(along) >= 0).all()
    assert along.count(2000.0) >= 10
    assert along[-1] == 3000.0


def test_a_road_that_closes_ahead_is_waited_for_at_its_node():
    shut = [Planned("shut", 300 * SECOND, (4,)), Planned("reopen", 1000 * SECOND, (4,))]
    world = world_of(town(), shut)
    fleet = world.assembly.by_name["emergency"].fleet
    world.run(900 * SECOND)
    place = fleet.where(world.view("emergency"), 0)
    assert (place.link, place.x) == (-1, 1000.0)
    world.run()
    # From 1000 s the road is open; the unit learns it at the next instant and drives the last 200 s.
    assert 1200 <= seconds(world, "on_scene") <= 1201.1


def test_at_a_signal_it_has_green_before_it_is_due():
    signal = {"id": np.array(["s0"]), "node": np.array([1]), "cycle": np.array([60.0]), "offset": np.array([0.0])}
    tables = {
        "signals": signal,
        "phases": {"signal": np.array([0]), "order": np.array([0]), "green": np.array([10.0])},
        "phase_links": {"phase": np.array([0]), "link": np.array([0])},
    }
    assert seconds(world_of(town(**tables)).run(), "on_scene") == LEAVES + 300


def test_a_new_order_turns_it_at_the_next_node():
    orders = [(160, "dispatch", 0, 0), (400, "move", 0, 0)]
    world = world_of(town(), orders=orders).run()
    assert seconds(world, "on_scene") == LEAVES + 300


@pytest.mark.parametrize("at", [LEAVES, 300, 352, 470, 520, 600])
def test_units_among_vehicles_keep_the_law(tmp_path, at):
    city = town(trips=20_000, capacity=0.05)
    shut = [Planned("shut", 500 * SECOND, (4,)), Planned("reopen", 700 * SECOND, (4,))]
    whole, world = world_of(city, shut).run(), world_of(city, shut)
    world.run(at * SECOND + 7)
    again = World.load(world.save(tmp_path / "kept"), world.assembly).run()
    assert again.digest() == whole.digest() == world.branch().run().digest()
    assert again.events.rows() == whole.events.rows()


def test_without_vehicles_it_is_refused():
    setup = Setup(line_city(), {}, 1, START, 600 * SECOND)
    options = {"emergency": {**PLAIN, "drive": "vehicles"}}
    with pytest.raises(DataError, match="needs the model traffic"):
        World(Assembly(line_city(), [Roads(), Emergency(), Watch(2)], [], setup, options)).run()
