"""Water networks for tests: a small one that can be worked out, and one under any city."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.models.utility_city import ids
from twin.assembly import Assembly
from twin.city import City
from twin.contract import HOUR, Setup
from twin.models.water import Water
from twin.world import World


def network_file(name):
    """Return the path of a network that comes with wntr."""
    import wntr

    return Path(wntr.__file__).parent / "library" / "networks" / name


def water_tables(bus=-1):
    """Return a line of four junctions 500 m apart between a pumped lake and a tank on a hill.

    Lake at 0 m, pump to junction 0 (hydrant 0), then 1, 2 (hydrant 1) and 3; tank 10 m wide, bottom
    at 40 m, behind junction 3. Junctions lie at 10 m; 1 and 2 ask 5 L/s each. A rule-like control starts
    the pump below 2 m and stops it above 4 m.
    """
    return {**_nodes(), **_links(bus), **_demands()}


def _nodes():
    return {
        "junctions": {
            "id": ids("j", 4),
            "x": 500.0 * np.arange(4),
            "y": np.zeros(4),
            "elevation": np.full(4, 10.0),
            "emitter": np.zeros(4),
            "population": np.array([0, 300, 200, 0]),
        },
        "reservoirs": {
            "id": ids("lake", 1),
            "x": np.array([-500.0]),
            "y": np.zeros(1),
            "head": np.zeros(1),
            "pattern": np.array([-1]),
        },
        "tanks": {
            "id": ids("tank", 1),
            "x": np.array([2000.0]),
            "y": np.zeros(1),
            "elevation": np.array([40.0]),
            "initial_level": np.array([3.0]),
            "min_level": np.zeros(1),
            "max_level": np.array([5.0]),
            "diameter": np.array([10.0]),
            "min_volume": np.zeros(1),
            "curve": np.array([-1]),
            "overflow": np.array([False]),
        },
    }


def _links(bus):
    return {
        "pipes": {
            "id": ids("p", 4),
            "from_node": np.array([0, 1, 2, 3]),
            "to_node": np.array([1, 2, 3, 5]),
            "length": np.full(4, 500.0),
            "diameter": np.full(4, 0.3),
            "roughness": np.full(4, 120.0),
            "minor_loss": np.zeros(4),
            "open": np.ones(4, bool),
            "check_valve": np.zeros(4, bool),
        },
        "pumps": {
            "id": ids("u", 1),
            "from_node": np.array([4]),
            "to_node": np.array([0]),
            "curve": np.array([0]),
            "power": np.zeros(1),
            "speed": np.ones(1),
            "pattern": np.array([-1]),
            "open": np.ones(1, bool),
            "bus": np.array([bus]),
        },
    }


def _demands():
    return {
        "water_demands": {
            "junction": np.array([1, 2]),
            "base": np.array([5e-3, 5e-3]),
            "pattern": np.array([0, 0]),
        },
        "water_patterns": {"id": ids("day", 1), "first": np.array([0]), "count": np.array([2])},
        "water_pattern_values": {"value": np.array([1.0, 1.2])},
        "water_curves": {"id": ids("c", 1), "first": np.array([0]), "count": np.array([1])},
        "water_curve_points": {"x": np.array([0.02]), "y": np.array([50.0])},
        "water_controls": {
            "link": np.array([4, 4]),
            "when": np.array(["below", "above"]),
            "node": np.array([5, 5]),
            "limit": np.array([2.0, 4.0]),
            "status": np.array([1, 0], np.int8),
            "setting": np.array([1.0, 0.0]),
        },
        "hydrants": {"id": ids("h", 2), "junction": np.array([0, 2]), "node": np.array([0, 0], np.int32)},
    }


def small_city(bus=-1, **replaced):
    """Return a city with nothing but the line of four junctions."""
    tables = {k: v for k, v in (water_tables(bus) | replaced).items() if v is not None}
    return City("line", "A line of pipes", "left", "UTC", 32750, tables)


def water_world(city, *events, hours=24, options=None, parts=()):
    """Return a world of the water model alone, or with others."""
    setup = Setup(city, {}, 1, 0, hours * HOUR, events)
    return World(Assembly(city, [*parts, Water()], [], setup, {"water": options or {}}))
