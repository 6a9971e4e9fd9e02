"""Read grids that pandapower wrote as JSON, of its format 2.x and 3.x, without pandapower."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from twin.city.grid_tables import STIFF, GridParts, unique_names
from twin.errors import CityError

Row = dict[str, Any]

_AT_A_BUS = ("load", "motor", "shunt", "ext_grid", "sgen", "gen")
_SWITCH_RX = 2.0
"""R over X of a switch with impedance, as pandapower's `runpp` has it where it is not told otherwise."""
_UNKNOWN = ("trafo3w", "impedance", "dcline", "ward", "xward", "asymmetric_load", "asymmetric_sgen", "storage")


def read_pandapower(path: Path, content: Any) -> GridParts:
    """Return the parts of a pandapower net.

    content  the parsed JSON

    Switches between buses become lines without impedance; those at lines set `closed`; a
    transformer behind an open switch is left out, as is one out of service. External grids hold their
    voltage exactly, as pandapower's power flow has it, and so do generators that are slack. Left out and
    counted: what stands at a bus out of service, three-winding transformers, impedances, DC lines, wards,
    asymmetric parts, storages, phase shifts, shares of voltage dependence that differ between active and
    reactive load.
    """
    tables = {name: _rows(path, name, value) for name, value in content["_object"].items() if _is_table(value)}
    parts = GridParts(path.name)
    hertz = float(content["_object"].get("f_hz") or 50.0)
    _leave_out_dead(parts, tables)
    _buses(parts, tables)
    opened = {(s["et"], s["element"]) for s in tables.get("switch", []) if not s["closed"]}
    _lines(parts, tables, hertz, opened)
    _transformers(parts, tables, opened)
    _loads(parts, tables)
    _supplies(parts, tables)
    for name in _UNKNOWN:
        parts.dropped[name] += sum(bool(row.get("in_service", True)) for row in tables.get(name, []))
    return parts


def _is_table(value: Any) -> bool:
    return isinstance(value, dict) and value.get("_class") == "DataFrame"


def _rows(path: Path, name: str, value: Row) -> list[Row]:
    """Return the rows of a table, with their number in the file as `row`."""
    body = value["_object"]
    try:
        table = json.loads(body) if isinstance(body, str) else body
        names = [str(column) for column in table["columns"]]
        return [
            {"row": i, **dict(zip(names, row, strict=True))}
            for i, row in zip(table["index"], table["data"], strict=True)
        ]
    except (ValueError, KeyError, TypeError) as error:
        if name.startswith("res_") or name.endswith(("_geodata", "_characteristic")):
            return []
        raise CityError(f"{path}: table {name} is not one that pandapower wrote ({error!r})") from None


def _leave_out_dead(parts: GridParts, tables: dict[str, list[Row]]) -> None:
    """Drop and count what stands at buses that are out of service."""
    out = {row["row"] for row in tables.get("bus", []) if not _works(row)}
    for name, ends in (*((name, ("bus",)) for name in _AT_A_BUS), ("trafo", ("hv_bus", "lv_bus"))):
        kept = [row for row in tables.get(name, []) if not out.intersection(row[end] for end in ends)]
        parts.dropped[f"{name} at a dead bus"] += len(tables.get(name, [])) - len(kept)
        tables[name] = kept


def _number(row: Row, name: str, otherwise: float = 0.0) -> float:
    value = row.get(name)
    return otherwise if value is None or (isinstance(value, float) and math.isnan(value)) else float(value)


def _label(kind: str, row: Row) -> str:
    return str(row.get("name") if row.get("name") not in (None, "") else f"{kind}{row['row']}")


def _works(row: Row) -> bool:
    return bool(row.get("in_service", True))


def _buses(parts: GridParts, tables: dict[str, list[Row]]) -> None:
    places = {row["row"]: (row.get("x"), row.get("y")) for row in tables.get("bus_geodata", [])}
    rows = [row for row in tables.get("bus", []) if _works(row)]
    names = unique_names([_label("bus", row) for row in rows])
    for row, name in zip(rows, names, strict=True):
        x, y = places.get(row["row"], (None, None))
        if isinstance(row.get("geo"), str) and row["geo"]:
            x, y = json.loads(row["geo"])["coordinates"][:2]
        parts.bus(row["row"], name, 1e3 * _number(row, "vn_kv"), float(x or 0.0), float(y or 0.0))
    parts.dropped["bus"] += len(tables.get("bus", [])) - len(rows)


def _lines(parts: GridParts, tables: dict[str, list[Row]], hertz: float, opened: set[Any]) -> None:
    out = {row["row"] for row in tables.get("bus", []) if not _works(row)}
    kept = [r for r in tables.get("line", []) if not {r["from_bus"], r["to_bus"]} & out]
    ties = [s for s in tables.get("switch", []) if s["et"] == "b" and not {s["bus"], s["element"]} & out]
    names = unique_names([*(_label("line", r) for r in kept), *(_label("switch", s) for s in ties)])
    for row, name in zip(kept, names, strict=False):
        length, count = _number(row, "length_km", 1.0), _number(row, "parallel", 1.0)
        part = f"line {name}"
        parts.add(
            "lines",
            id=name,
            from_bus=parts.at(part, row["from_bus"]),
            to_bus=parts.at(part, row["to_bus"]),
            r=_number(row, "r_ohm_per_km") * length / count,
            x=_number(row, "x_ohm_per_km") * length / count,
            c=1e-9 * _number(row, "c_nf_per_km") * length * count * hertz / 50.0,
            i_n=1e3 * _number(row, "max_i_ka") * _number(row, "df", 1.0) * count,
            length=max(1e3 * length, 1.0),
            closed=_works(row) and ("l", row["row"]) not in opened,
        )
        parts.dropped["line conductance"] += _number(row, "g_us_per_km") != 0
    for row, name in zip(ties, names[len(kept) :], strict=True):
        part = f"switch {name}"
        ends = {"from_bus": parts.at(part, row["bus"]), "to_bus": parts.at(part, row["element"])}
        reactance = _number(row, "z_ohm") / math.hypot(1.0, _SWITCH_RX)
        zero = {"r": _SWITCH_RX * reactance, "x": reactance, "c": 0.0, "i_n": 0.0, "length": 1.0}
        parts.add("lines", id=name, **ends, **zero, closed=bool(row["closed"]))


def _transformers(parts: GridParts, tables: dict[str, list[Row]], opened: set[Any]) -> None:
    rows = [row for row in tables.get("trafo", []) if _works(row) and ("t", row["row"]) not in opened]
    parts.dropped["trafo"] += len(tables.get("trafo", [])) - len(rows)
    for row, name in zip(rows, unique_names([_label("trafo", r) for r in rows]), strict=True):
        part, power = f"transformer {name}", 1e6 * _number(row, "sn_mva") * _number(row, "parallel", 1.0)
        step, lower = _tap(row), row.get("tap_side") == "lv"
        square = (1 + step) ** 2 if lower else 1.0
        parts.add(
            "transformers",
            id=name,
            from_bus=parts.at(part, row["hv_bus"]),
            to_bus=parts.at(part, row["lv_bus"]),
            u1=1e3 * _number(row, "vn_hv_kv"),
            u2=1e3 * _number(row, "vn_lv_kv"),
            s_n=power,
            uk=square * _number(row, "vk_percent") / 100,
            pk=square * power * _number(row, "vkr_percent") / 100,
            i0=_number(row, "i0_percent") / 100 / square,
            p0=1e3 * _number(row, "pfe_kw") * _number(row, "parallel", 1.0) / square,
            tap=1 / (1 + step) if lower else 1 + step,
        )
        parts.dropped["phase shift"] += _number(row, "shift_degree") != 0


def _tap(row: Row) -> float:
    """Return by which share the tap raises the voltage of its side.

    pandapower 3 moves no tap whose `tap_changer_type` is empty; formats before it have no such column.
    Impedances are those of the tapped lower voltage, so a tap on that side changes them with its square.
    """
    if "tap_changer_type" in row and row["tap_changer_type"] in (None, "", "None"):
        return 0.0
    return (_number(row, "tap_pos") - _number(row, "tap_neutral")) * _number(row, "tap_step_percent") / 100


def _loads(parts: GridParts, tables: dict[str, list[Row]]) -> None:
    for row in filter(_works, tables.get("load", [])):
        power = 1e6 * complex(_number(row, "p_mw"), _number(row, "q_mvar")) * _number(row, "scaling", 1.0)
        shares = [_number(row, f"const_{k}_p_percent", _number(row, f"const_{k}_percent")) / 100 for k in "iz"]
        parts.load(f"load {_label('load', row)}", row["bus"], power, *shares)
        uneven = any(_number(row, f"const_{k}_p_percent") != _number(row, f"const_{k}_q_percent") for k in "iz")
        parts.dropped["own voltage shares of reactive load"] += uneven
    for row in filter(_works, tables.get("motor", [])):
        drawn = 1e6 * _number(row, "pn_mech_mw") * _number(row, "loading_percent", 100.0) / 100
        drawn *= _number(row, "scaling", 1.0) / (_number(row, "efficiency_percent", 100.0) / 100)
        reactive = drawn * math.tan(math.acos(_number(row, "cos_phi", 1.0)))
        parts.load(f"motor {_label('motor', row)}", row["bus"], complex(drawn, reactive))
    for row in filter(_works, tables.get("shunt", [])):
        bus = parts.at(f"shunt {_label('shunt', row)}", row["bus"])
        if bus >= 0:
            volt = 1e3 * _number(row, "vn_kv", parts.rows["buses"][bus]["u_rated"] / 1e3)
            parts.rows["buses"][bus]["g"] += 1e6 * _number(row, "p_mw") * _number(row, "step", 1.0) / volt**2
            parts.rows["buses"][bus]["b"] -= 1e6 * _number(row, "q_mvar") * _number(row, "step", 1.0) / volt**2


def _supplies(parts: GridParts, tables: dict[str, list[Row]]) -> None:
    for row in filter(_works, tables.get("ext_grid", [])):
        name = _label("ext_grid", row)
        bus = parts.at(f"external grid {name}", row["bus"])
        parts.add("sources", id=name, bus=bus, u_ref=_number(row, "vm_pu", 1.0), sk=STIFF)
    for kind in ("sgen", "gen"):
        for row in filter(_works, tables.get(kind, [])):
            name, bus = _label(kind, row), parts.at(f"{kind} {_label(kind, row)}", row["bus"])
            power = 1e6 * _number(row, "p_mw") * _number(row, "scaling", 1.0)
            if kind == "gen" and row.get("slack"):
                parts.add("sources", id=name, bus=bus, u_ref=_number(row, "vm_pu", 1.0), sk=STIFF)
                continue
            reactive = 1e6 * _number(row, "q_mvar") * _number(row, "scaling", 1.0) if kind == "sgen" else 0.0
            parts.add("generators", id=name, bus=bus, p=power, q=reactive, kind="steady")
            if kind == "gen":
                limits = [None if row.get(q) is None else 1e6 * float(row[q]) for q in ("min_q_mvar", "max_q_mvar")]
                parts.machine(name, bus, _number(row, "vm_pu", 1.0), (limits[0], limits[1]))
