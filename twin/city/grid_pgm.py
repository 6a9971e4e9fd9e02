"""Read grids in power-grid-model's JSON, input data of one case."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from twin.city.grid_tables import GridParts
from twin.errors import CityError

Row = dict[str, Any]

_KNOWN = {"node", "line", "link", "transformer", "source", "sym_load", "sym_gen", "shunt"}
_SHARES = {0: (0.0, 0.0), 1: (0.0, 1.0), 2: (1.0, 0.0)}


def read_pgm(path: Path, content: Any) -> GridParts:
    """Return the parts of a power-grid-model file.

    content  the parsed JSON

    Links become lines without impedance. A transformer that is open at an end is left out.
    Left out and counted: asymmetric and measuring parts, regulators, three-winding transformers, generic
    branches, dielectric losses, clocks.
    """
    if content.get("is_batch") or content.get("type") != "input":
        raise CityError(f"{path}: type {content.get('type')!r} holds no grid; give an input dataset that is no batch")
    data = content["data"]
    parts = GridParts(path.name)
    for row in data.get("node", []):
        parts.bus(row["id"], f"n{row['id']}", float(row["u_rated"]))
    for kind in ("line", "link"):
        for row in data.get(kind, []):
            _line(parts, kind, row)
    for row in data.get("transformer", []):
        _transformer(parts, row)
    for kind in ("source", "sym_load", "sym_gen", "shunt"):
        for row in data.get(kind, []):
            if row.get("status", 1):
                _appliance(parts, kind, row)
    for name in set(data) - _KNOWN:
        parts.dropped[name] += len(data[name])
    return parts


def _line(parts: GridParts, kind: str, row: Row) -> None:
    part = f"{kind} {row['id']}"
    ends = {"from_bus": parts.at(part, row["from_node"]), "to_bus": parts.at(part, row["to_node"])}
    closed = bool(row.get("from_status", 1) and row.get("to_status", 1))
    values = {name: float(row.get(key, 0.0)) for name, key in (("r", "r1"), ("x", "x1"), ("c", "c1"))}
    rated = float(row.get("i_n", 0.0))
    rated = rated if math.isfinite(rated) else 0.0
    parts.add("lines", id=f"{kind}{row['id']}", **ends, **values, i_n=rated, length=1.0, closed=closed)
    parts.dropped["dielectric loss"] += float(row.get("tan1", 0.0)) != 0


def _transformer(parts: GridParts, row: Row) -> None:
    part = f"transformer {row['id']}"
    ends = {"from_bus": parts.at(part, row["from_node"]), "to_bus": parts.at(part, row["to_node"])}
    if not (row.get("from_status", 1) and row.get("to_status", 1)):
        parts.dropped["transformer"] += 1
        return
    step = (row.get("tap_pos", 0) - row.get("tap_nom", 0)) * float(row.get("tap_size", 0.0))
    first = row.get("tap_side", 0) == 0
    tap = 1 + step / float(row["u1"]) if first else 1 / (1 + step / float(row["u2"]))
    values = {name: float(row[name]) for name in ("u1", "u2", "uk", "pk", "i0", "p0")}
    parts.add("transformers", id=f"transformer{row['id']}", **ends, **values, s_n=float(row["sn"]), tap=tap)
    parts.dropped["clock"] += bool(row.get("clock", 0))


def _appliance(parts: GridParts, kind: str, row: Row) -> None:
    part, node = f"{kind} {row['id']}", row["node"]
    if kind == "sym_load":
        power = complex(row.get("p_specified", 0.0), row.get("q_specified", 0.0))
        parts.load(part, node, power, *_SHARES[int(row.get("type", 0))])
        return
    bus = parts.at(part, node)
    if kind == "source":
        parts.add("sources", id=f"source{row['id']}", bus=bus, u_ref=float(row["u_ref"]), sk=float(row.get("sk", 1e10)))
        parts.dropped["ratio of a source's impedance"] += float(row.get("rx_ratio", 0.1)) != 0.1
    elif kind == "sym_gen":
        given = {name: float(row.get(f"{name}_specified", 0.0)) for name in "pq"}
        parts.add("generators", id=f"gen{row['id']}", bus=bus, **given, kind="steady")
    elif bus >= 0:
        parts.rows["buses"][bus]["g"] += float(row.get("g1", 0.0))
        parts.rows["buses"][bus]["b"] += float(row.get("b1", 0.0))
