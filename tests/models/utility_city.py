"""A city of six buses whose cascade can be worked out on paper, and stand-ins for other models."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from twin.assembly import Assembly
from twin.calendar import Plan
from twin.city import City
from twin.contract import EVENT, SECOND, EventKind, Model, Setup
from twin.fields import Field
from twin.models.backup import Backup
from twin.models.feeds import Avl, Probes, Scada
from twin.models.hazards import Hazards
from twin.models.power import Power
from twin.models.telecom import Telecom

MIDNIGHT = 0
HOME, LOW = 10.0, 5.0


def places(x):
    """Return the columns of places in a row along the x axis."""
    x = np.asarray(x, dtype=float)
    return {"x": x, "y": np.zeros(len(x)), "lon": x / 111e3, "lat": np.zeros(len(x))}


def ids(letter, count):
    """Return identifiers."""
    return np.array([f"{letter}{i}" for i in range(count)])


def six_bus_city(**replaced):
    """Return six junctions 1 km apart over a grid of six buses.

    Bus 0 (150 kV) has the source. Substation 0 (busbar 1, at the low node 2) feeds
    bus 3 (100 customers) and behind it bus 4 (50); substation 1 (busbar 2, node 4)
    feeds bus 5 (200). Line 2 (bus 4 to 5) is a normally-open tie. The signal and the
    hospital (generator 3600 s) hang on bus 3, site 0 (battery 600 s) on bus 4, site 1
    (battery 900 s) on bus 5. Nodes 2 and 3 lie at 5 m, all others at 10 m; substation 0
    stands at 5.25 m.
    """
    tables = {**_streets(), **_buses(), **_branches(), **_served(), **replaced}
    return City("six", "Six buses", "left", "UTC", 32750, {k: v for k, v in tables.items() if v is not None})


def _streets():
    begin = np.array([0, 1, 1, 2, 2, 3, 3, 4, 4, 5], dtype=np.int32)
    end = np.array([1, 0, 2, 1, 3, 2, 4, 3, 5, 4], dtype=np.int32)
    return {
        "nodes": {
            "id": ids("n", 6),
            **places(1000.0 * np.arange(6)),
            "elevation": np.array([HOME, HOME, LOW, LOW, HOME, HOME]),
        },
        "links": {
            "id": ids("l", 10),
            "from_node": begin,
            "to_node": end,
            "length": np.full(10, 1000.0),
            "speed": np.full(10, 10.0),
        },
        "signals": {"id": ids("s", 1), "node": np.array([1], dtype=np.int32)},
        "zones": {"id": ids("z", 1), **places([0.0]), "population": np.array([900]), "jobs": np.array([100])},
    }


def _buses():
    return {
        "buses": {
            "id": ids("b", 6),
            **places([0.0, 2000.0, 4000.0, 1000.0, 0.0, 5000.0]),
            "u_rated": np.array([150e3, 20e3, 20e3, 20e3, 20e3, 20e3]),
            "zone": np.array([-1, -1, -1, 0, 0, 0], dtype=np.int32),
            "customers": np.array([0, 0, 0, 100, 50, 200], dtype=np.int32),
            "p": np.array([0, 0, 0, 2e6, 1e6, 3e6]),
            "q": np.array([0, 0, 0, 5e5, 2e5, 9e5]),
        },
        "substations": {
            "id": ids("ss", 2),
            "bus": np.array([1, 2], dtype=np.int32),
            "node": np.array([2, 4], dtype=np.int32),
            **places([2000.0, 4000.0]),
            "elevation": np.array([5.25, HOME]),
        },
    }


def _branches():
    return {
        "transformers": {
            "id": ids("t", 2),
            "from_bus": np.array([0, 0], dtype=np.int32),
            "to_bus": np.array([1, 2], dtype=np.int32),
            "u1": np.full(2, 150e3),
            "u2": np.full(2, 20e3),
            "s_n": np.full(2, 30e6),
            "uk": np.full(2, 0.12),
            "pk": np.full(2, 150e3),
            "i0": np.full(2, 0.002),
            "p0": np.full(2, 20e3),
        },
        "sources": {
            "id": ids("g", 1),
            "bus": np.array([0], dtype=np.int32),
            "u_ref": np.array([1.02]),
            "sk": np.array([5e9]),
        },
        "lines": {
            "id": ids("w", 4),
            "from_bus": np.array([1, 3, 4, 2], dtype=np.int32),
            "to_bus": np.array([3, 4, 5, 5], dtype=np.int32),
            "r": np.full(4, 0.25),
            "x": np.full(4, 0.12),
            "c": np.full(4, 2e-7),
            "i_n": np.full(4, 300.0),
            "length": np.array([1000.0, 1000.0, 5000.0, 1000.0]),
            "closed": np.array([True, True, False, True]),
        },
    }


def _served():
    return {
        "hospitals": {"id": ids("h", 1), "node": np.array([1], dtype=np.int32), **places([1000.0])},
        "stations": {
            "id": ids("a", 1),
            "kind": np.array(["ambulance"]),
            "node": np.array([0], dtype=np.int32),
            "units": np.array([2], dtype=np.int32),
        },
        "sites": {"id": ids("c", 2), **places([1000.0, 5000.0]), "battery": np.array([600.0, 900.0])},
        "dependencies": {
            "from_table": np.full(4, "buses"),
            "from_id": np.array(["b3", "b4", "b5", "b3"]),
            "to_table": np.array(["signals", "sites", "sites", "hospitals"]),
            "to_id": np.array(["s0", "c0", "c1", "h0"]),
            "kind": np.full(4, "power"),
            "delay": np.array([0.0, 600.0, 900.0, 3600.0]),
        },
    }


class Roads(Model):
    """Stand in for traffic: every road takes 100 s, closures are counted."""

    name = "roads"
    owns = (
        Field("link.time", "float64", "s", "travel time", 100, traced=True),
        Field("link.open", "bool", "1", "road is open", 1, traced=True),
        Field("link.closure", "int16", "1", "closures", group=True, traced=True),
    )
    reads = ("link.wet_speed",)

    def step(self, view):
        """Close roads and slow them down."""
        view.put("link.open", slice(None), view.total("link.closure") == 0)
        if "link.wet_speed" in view:
            view.put("link.time", slice(None), 100 / view["link.wet_speed"])


class Units(Model):
    """Stand in for emergency: two units that a test moves."""

    name = "units"
    owns = (
        Field("unit.node", "int32", "1", "node"),
        Field("unit.free", "bool", "1", "free", 1),
    )
    events = (EventKind("unit_moves", "unit `target` is at node `data`"),)

    def setup(self, setup):
        """Two units."""
        return {"unit": 2}

    def on_event(self, view, event):
        """Move a unit."""
        view.put("unit.node", event.target, event.data)


def planned(kind, time, targets, **params):
    """Return an event of a scenario, time in seconds."""
    return SimpleNamespace(kind=kind, time=round(time * SECOND), targets=tuple(targets), params=params)


FLOOD = planned("flood", 600, [2, 3], peak=1.0, rise=3600.0, hold=7200.0, fall=3600.0)


def assemble(*events, city=None, parts=None, options=None, seed=1, hours=6):
    """Return an assembly of all models of this folder on the city of six buses."""
    if parts is None:
        parts = [Hazards(), Power(), Backup(), Telecom(), Probes(), Avl(), Scada(), Roads(), Units()]
    setup = Setup(city or six_bus_city(), {}, seed, MIDNIGHT, hours * 3600 * SECOND, events)
    return Assembly(setup.city, parts, [], setup, options)


def times(world, kind, target=None):
    """Return the seconds at which a kind of event was logged."""
    rows = world.events.rows()
    return [t / SECOND for t, k, aim, *_ in rows if k == kind and (target is None or aim == target)]


def ancestors(world, event):
    """Return the kinds of all events behind one event, itself included."""
    parents = {}
    for child, parent in world.parents.rows():
        parents.setdefault(child, []).append(parent)
    rows, found, waiting = world.events.rows(), [], [event] if event >= 0 else []
    while waiting:
        number = waiting.pop()
        found.append(rows[number][1])
        waiting += parents.get(number, [])
    return found


def order(world, kind, at, target, value=0.0, data=-1):
    """Let the run itself cause an event at a time in seconds."""
    world.add_row(round(at * SECOND) - world.now, Plan(kind, EVENT, target, value, data))
