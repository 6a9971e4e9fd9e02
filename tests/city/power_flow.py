"""Solve the grid of a city by power-grid-model, as an independent check of its tables."""

from __future__ import annotations

from itertools import pairwise

import numpy as np


def solve(city):
    """Return the results of one power flow at peak load."""
    from power_grid_model import PowerGridModel, initialize_array

    buses, lines, transformers, sources = (city[name] for name in ("buses", "lines", "transformers", "sources"))
    sizes = np.cumsum([0, buses.rows, lines.rows, transformers.rows, sources.rows, buses.rows])
    number = [np.arange(a, b) for a, b in pairwise(sizes)]
    columns = {
        "node": {"id": number[0], "u_rated": buses["u_rated"]},
        "line": {
            "id": number[1],
            "from_node": lines["from_bus"],
            "to_node": lines["to_bus"],
            "from_status": lines["closed"],
            "to_status": lines["closed"],
            "r1": lines["r"],
            "x1": lines["x"],
            "c1": lines["c"],
            "tan1": 0.0,
            "i_n": lines["i_n"],
        },
        "transformer": {
            "id": number[2],
            "from_node": transformers["from_bus"],
            "to_node": transformers["to_bus"],
            "from_status": 1,
            "to_status": 1,
            "sn": transformers["s_n"],
            "winding_from": 1,
            "winding_to": 1,
            "clock": 0,
            "tap_side": 0,
            "tap_pos": 0,
            "tap_min": 0,
            "tap_max": 0,
            "tap_size": 0.0,
            **{key: transformers[key] for key in ("u1", "u2", "uk", "pk", "i0", "p0")},
        },
        "source": {
            "id": number[3],
            "node": sources["bus"],
            "status": 1,
            "u_ref": sources["u_ref"],
            "sk": sources["sk"],
        },
        "sym_load": {
            "id": number[4],
            "node": number[0],
            "status": 1,
            "type": 0,
            "p_specified": buses["p"],
            "q_specified": buses["q"],
        },
    }
    data = {}
    for name, values in columns.items():
        data[name] = initialize_array("input", name, len(values["id"]))
        for key, value in values.items():
            data[name][key] = value
    return PowerGridModel(data).calculate_power_flow()
