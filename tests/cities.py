"""Small cities made by hand, so that a test can work out exact times on paper."""

from __future__ import annotations

import numpy as np

from twin.city import City

_EMERGENCY = {
    "calls_per_day": 24.0,
    "profile": [1.0] * 24,
    "call_taking": [60.0, 60.0, 60.0],
    "mobilisation": 60.0,
    "scene": [600.0, 600.0, 600.0],
    "handover": 900.0,
    "transport_share": [1.0, 1.0, 1.0],
    "target_response": [480.0, 900.0, 1800.0],
}


def line_city(**tables):
    """Return five nodes in a row, 1 km apart, two-way streets of 10 m/s.

    Link 2k leads from node k to k+1 and link 2k+1 back, so each takes 100 s.
    Station (two units) at node 0, hospital (one bay) at node 4, depot (one crew)
    at node 0, a zone at nodes 1 and 3 each. Keyword tables replace or add tables.
    """
    return City(
        name="line",
        title="Five nodes in a row",
        driving_side="left",
        timezone="Asia/Makassar",
        crs=32750,
        tables={**_line_roads(), **_line_services(), **tables},
        parameters={"emergency": dict(_EMERGENCY)},
    )


def _line_roads():
    x = 1000.0 * np.arange(5)
    begin = np.array([0, 1, 1, 2, 2, 3, 3, 4], dtype=np.int32)
    end = np.array([1, 0, 2, 1, 3, 2, 4, 3], dtype=np.int32)
    return {
        "nodes": _placed(x) | {"elevation": np.zeros(5), "signal": np.zeros(5, dtype=bool)},
        "links": {
            "id": np.array([f"l{i}" for i in range(8)]),
            "from_node": begin,
            "to_node": end,
            "length": np.full(8, 1000.0),
            "speed": np.full(8, 10.0),
            "lanes": np.ones(8, dtype=np.int32),
            "capacity": np.full(8, 0.5),
            "jam_density": np.full(8, 0.15),
        },
    }


def _line_services():
    x = 1000.0 * np.arange(5)
    return {
        "zones": _placed(x[[1, 3]])
        | {
            "population": np.array([1000, 3000], dtype=np.int32),
            "jobs": np.array([0, 0], dtype=np.int32),
            "node": np.array([1, 3], dtype=np.int32),
        },
        "zone_nodes": {
            "zone": np.array([0, 1], dtype=np.int32),
            "node": np.array([1, 3], dtype=np.int32),
            "weight": np.ones(2),
        },
        "stations": _placed(x[[0]])
        | {
            "node": np.array([0], dtype=np.int32),
            "kind": np.array(["ambulance"]),
            "units": np.array([2], dtype=np.int32),
        },
        "hospitals": _placed(x[[4]]) | {"node": np.array([4], dtype=np.int32), "bays": np.array([1], dtype=np.int32)},
        "depots": _placed(x[[0]])
        | {
            "node": np.array([0], dtype=np.int32),
            "kind": np.array(["power"]),
            "crews": np.array([1], dtype=np.int32),
        },
    }


def _placed(x):
    """Return ids and positions of things along a line, x in metres."""
    return {
        "id": np.array([f"i{k}" for k in range(len(x))]),
        "name": np.array([f"place {k}" for k in range(len(x))]),
        "x": np.asarray(x),
        "y": np.zeros(len(x)),
        "lon": np.asarray(x) / 111_000.0,
        "lat": np.zeros(len(x)),
    }


def line_grid():
    """Return tables of a small grid along the line, to be given to `line_city`.

    Bus 0 (source, node 0) feeds substation 0 (bus 1, node 2) and substation 1
    (bus 2, node 4); line 0 joins bus 0 and 1, line 1 bus 0 and 2. Line 2 leads
    from bus 1 to load bus 3 (node 3), line 3 is an open tie from bus 2 to bus 3.
    The hospital hangs on bus 3.
    """
    x = np.array([0.0, 2000.0, 4000.0, 3000.0])
    node = np.array([0, 2, 4, 3], dtype=np.int32)
    return {
        "buses": _placed(x)
        | {
            "node": node,
            "customers": np.array([0, 100, 900, 50], dtype=np.int32),
            "substation": np.array([-1, 0, 1, 0], dtype=np.int32),
        },
        "substations": _placed(x[[1, 2]]) | {"node": node[[1, 2]], "bus": np.array([1, 2], dtype=np.int32)},
        "sources": {"id": np.array(["s0"]), "bus": np.array([0], dtype=np.int32)},
        "lines": {
            "id": np.array([f"w{i}" for i in range(4)]),
            "from_bus": np.array([0, 0, 1, 2], dtype=np.int32),
            "to_bus": np.array([1, 2, 3, 3], dtype=np.int32),
            "closed": np.array([True, True, True, False]),
            "link": np.array([-1, -1, 4, -1], dtype=np.int32),
        },
        "hospitals": _placed(np.array([4000.0]))
        | {
            "node": np.array([4], dtype=np.int32),
            "bays": np.array([1], dtype=np.int32),
            "bus": np.array([3], dtype=np.int32),
        },
    }
