"""Read an EPANET input file into the tables of a city, once, when a city is built.

wntr reads the elements; controls, rules, states, emitters and times are read here, from their text. Whatever
the twin cannot express is counted and named in the report, never dropped silently.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from twin.city import City
from twin.errors import CityError
from twin.models.water.inp_controls import controls_table, status_and_setting
from twin.models.water.inp_model import model_of, refuse_unknown, unit_of_pressure
from twin.models.water.inp_rules import rule_tables
from twin.models.water.inp_text import (
    emitters_of,
    left_out,
    option,
    statuses_of,
    text_of,
    times_of,
    words_in,
)
from twin.models.water.units import Units, units_of

Tables = dict[str, dict[str, np.ndarray[Any, Any]]]


@dataclass
class Reading:
    """What the parts of the reader share.

    nodes, links  name in the file -> water node, water link
    kinds         name of a link -> "pipe", "pump" or a kind of valve
    sections      name -> lines as lists of words
    units         of the file; its pressures may be in another unit than EPANET takes by default
    report        what was left out: sentence -> how often
    """

    model: Any
    units: Units
    sections: dict[str, list[list[str]]]
    nodes: dict[str, int] = field(default_factory=dict)
    links: dict[str, int] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    patterns: dict[str, int] = field(default_factory=dict)
    curves: dict[str, int] = field(default_factory=dict)
    report: dict[str, int] = field(default_factory=dict)

    @property
    def pressure_ratio(self) -> float:
        """What one unit of pressure of the file is in the unit wntr takes it for."""
        return self.units.pressure / units_of(self.units.name).pressure

    def leave_out(self, sentence: str) -> None:
        """Count something the twin cannot express."""
        self.report[sentence] = self.report.get(sentence, 0) + 1


def read_inp(path: str | Path, title: str | None = None, crs: int = 3857, **options: Any) -> City:
    """Return a city with the water tables of an .inp file alone.

    crs      EPSG number of x and y, such as 4326 of degrees, which are laid on a grid of metres
    options  name, timezone ("Etc/UTC") and driving_side ("right") of the city
    Raises CityError, with the reader's own words, for a file that is not a network.
    """
    tables, settings, report = inp_tables(path)
    crs = _lay_out(tables, crs)
    stem = Path(path).stem
    source = f"imported from {Path(path).name}"
    return City(
        name=options.get("name") or stem.lower(),
        title=title or stem,
        driving_side=options.get("driving_side", "right"),
        timezone=options.get("timezone", "Etc/UTC"),
        crs=crs,
        tables=tables,
        parameters={"water": settings},
        provenance=({"item": "water network", "value": Path(path).name, "unit": "", "source": source},),
        report={"water": report},
    )


def _lay_out(tables: Tables, crs: int) -> int:
    """Put the nodes on a metre grid, in place, and return its EPSG number."""
    from twin.city.regions import on_metre_grid

    nodes = [tables[name] for name in ("junctions", "reservoirs", "tanks")]
    xy = np.concatenate([np.stack([table["x"], table["y"]], axis=1).astype(np.float64) for table in nodes])
    placed, grid = on_metre_grid(xy, crs)
    parts = np.split(placed, np.cumsum([len(table["x"]) for table in nodes])[:-1])
    for table, part in zip(nodes, parts, strict=True):
        table["x"], table["y"] = part[:, 0], part[:, 1]
    return grid


def inp_tables(path: str | Path) -> tuple[Tables, dict[str, Any], dict[str, int]]:
    """Return the water tables, the settings for parameters.water, and what was left out.

    Raises CityError, with the reader's own words, for a file that is not a network.
    """
    reading = _read(Path(path))
    tables = _nodes(reading) | _links(reading) | _series(reading) | _demands(reading)
    tables["water_controls"] = controls_table(reading)
    tables |= rule_tables(reading)
    return tables, _settings(reading), reading.report


def _read(path: Path) -> Reading:
    if not path.is_file():
        raise CityError(f"there is no file {path}")
    text = text_of(path)
    sections = words_in(text)
    name = option(sections, "UNITS") or "GPM"
    units = replace(units_of(name), pressure=unit_of_pressure(sections, name))
    refuse_unknown(path.name, sections)
    reading = Reading(model_of(path.name, text, name), units, sections)
    model = reading.model
    names = [*model.junction_name_list, *model.reservoir_name_list, *model.tank_name_list]
    reading.nodes = {name: row for row, name in enumerate(names)}
    links = [*model.pipe_name_list, *model.pump_name_list, *model.valve_name_list]
    reading.links = {name: row for row, name in enumerate(links)}
    reading.kinds = {name: _kind(model.get_link(name)) for name in links}
    reading.patterns = {name: row for row, name in enumerate(model.pattern_name_list)}
    reading.curves = {name: row for row, name in enumerate(model.curve_name_list)}
    reading.report |= left_out(sections)
    return reading


def _kind(link: Any) -> str:
    if link.link_type == "Pipe":
        return "cv" if link.check_valve else "pipe"
    return "pump" if link.link_type == "Pump" else str(link.valve_type)


def _text(values: Iterable[Any]) -> np.ndarray[Any, Any]:
    return np.array(list(values) or np.zeros(0, "U1"), dtype=np.str_)


def _real(values: Iterable[Any]) -> np.ndarray[Any, Any]:
    return np.array([np.nan if v is None else float(v) for v in values], dtype=np.float64)


def _flag(values: Iterable[Any]) -> np.ndarray[Any, Any]:
    return np.array([bool(v) for v in values], dtype=bool)


def _rows(values: Iterable[Any]) -> np.ndarray[Any, Any]:
    return np.array(list(values), dtype=np.int32)


def _nodes(reading: Reading) -> Tables:
    model = reading.model
    junctions, reservoirs, tanks = (
        [model.get_node(name) for name in names]
        for names in (model.junction_name_list, model.reservoir_name_list, model.tank_name_list)
    )
    emitters = emitters_of(reading.sections["EMITTERS"], model.junction_name_list)
    one = reading.units.flow / units_of(reading.units.name).pressure ** model.options.hydraulic.emitter_exponent
    return {
        "junctions": _places(junctions)
        | {
            "elevation": _real(n.elevation for n in junctions),
            "emitter": _real(emitters.get(n.name, 0.0) * one for n in junctions),
        },
        "reservoirs": _places(reservoirs)
        | {
            "head": _real(n.base_head for n in reservoirs),
            "pattern": _rows(reading.patterns.get(str(n.head_pattern_name), -1) for n in reservoirs),
        },
        "tanks": _places(tanks)
        | {
            "elevation": _real(n.elevation for n in tanks),
            "initial_level": _real(n.init_level for n in tanks),
            "min_level": _real(n.min_level for n in tanks),
            "max_level": _real(n.max_level for n in tanks),
            "diameter": _real(n.diameter for n in tanks),
            "min_volume": _real(n.min_vol or 0.0 for n in tanks),
            "curve": _rows(reading.curves.get(str(n.vol_curve_name), -1) for n in tanks),
            "overflow": _flag(n.overflow for n in tanks),
        },
    }


def _places(nodes: list[Any]) -> dict[str, np.ndarray[Any, Any]]:
    places = np.array([n.coordinates or (0.0, 0.0) for n in nodes], dtype=np.float64).reshape(-1, 2)
    return {"id": _text(n.name for n in nodes), "x": places[:, 0], "y": places[:, 1]}


def _links(reading: Reading) -> Tables:
    model = reading.model
    pipes, pumps, valves = (
        [model.get_link(name) for name in names]
        for names in (model.pipe_name_list, model.pump_name_list, model.valve_name_list)
    )
    told = statuses_of(reading.sections["STATUS"], reading.kinds)
    return {
        "pipes": _ends(reading, pipes)
        | {
            "length": _real(k.length for k in pipes),
            "diameter": _real(k.diameter for k in pipes),
            "roughness": _real(k.roughness for k in pipes),
            "minor_loss": _real(k.minor_loss for k in pipes),
            "open": _flag(_opens(k, told) for k in pipes),
            "check_valve": _flag(k.check_valve for k in pipes),
        },
        "pumps": _ends(reading, pumps)
        | {
            "curve": _rows(reading.curves.get(str(getattr(k, "pump_curve_name", None)), -1) for k in pumps),
            "power": _real(getattr(k, "power", 0.0) if k.pump_type == "POWER" else 0.0 for k in pumps),
            "speed": _real(told.get(k.name, ("", k.base_speed))[1] for k in pumps),
            "pattern": _rows(reading.patterns.get(str(k.speed_pattern_name), -1) for k in pumps),
            "open": _flag(_opens(k, told) for k in pumps),
        },
        "valves": _ends(reading, valves)
        | {
            "kind": _text(k.valve_type for k in valves),
            "diameter": _real(k.diameter for k in valves),
            "minor_loss": _real(k.minor_loss for k in valves),
            "setting": _real(_setting(reading, k, told) for k in valves),
            "curve": _rows(reading.curves.get(str(getattr(k, "headloss_curve_name", None)), -1) for k in valves),
            "state": _text(told.get(k.name, ("ACTIVE", 0.0))[0].lower() for k in valves),
        },
    }


def _opens(link: Any, told: dict[str, tuple[str, float]]) -> bool:
    """Tell whether a link starts open: what [STATUS] says comes before what its own line says."""
    return told[link.name][0] != "CLOSED" if link.name in told else link.initial_status.name != "Closed"


def _setting(reading: Reading, valve: Any, told: dict[str, tuple[str, float]]) -> float:
    """Return the setting of a valve in SI units; what it does is said by a GPV's curve instead."""
    kind = str(valve.valve_type)
    if kind == "GPV":
        return 0.0
    state, value = told.get(valve.name, ("", 0.0))
    if state == "ACTIVE":
        return status_and_setting(str(value), kind, reading.units)[1]
    return float(valve.initial_setting) * (reading.pressure_ratio if kind in ("PRV", "PSV", "PBV") else 1.0)


def _ends(reading: Reading, links: list[Any]) -> dict[str, np.ndarray[Any, Any]]:
    return {
        "id": _text(k.name for k in links),
        "from_node": _rows(reading.nodes[k.start_node_name] for k in links),
        "to_node": _rows(reading.nodes[k.end_node_name] for k in links),
    }


def _series(reading: Reading) -> Tables:
    model = reading.model
    multipliers = [np.atleast_1d(model.get_pattern(name).multipliers) for name in reading.patterns]
    points = [np.array(model.get_curve(name).points, dtype=np.float64).reshape(-1, 2) for name in reading.curves]
    both = np.concatenate([*points, np.zeros((0, 2))])
    return {
        "water_patterns": {"id": _text(reading.patterns), **_spans(multipliers)},
        "water_pattern_values": {"value": np.concatenate([*multipliers, np.zeros(0)]).astype(np.float64)},
        "water_curves": {"id": _text(reading.curves), **_spans(points)},
        "water_curve_points": {"x": both[:, 0], "y": both[:, 1]},
    }


def _spans(parts: list[np.ndarray[Any, Any]]) -> dict[str, np.ndarray[Any, Any]]:
    count = np.array([len(part) for part in parts], dtype=np.int32)
    return {"first": (np.cumsum(count) - count).astype(np.int32), "count": count}


def _demands(reading: Reading) -> Tables:
    rows = []
    default = reading.patterns.get(str(reading.model.options.hydraulic.pattern), -1)
    for name in reading.model.junction_name_list:
        for category in reading.model.get_node(name).demand_timeseries_list:
            pattern = reading.patterns.get(str(category.pattern_name), default)
            rows.append((reading.nodes[name], float(category.base_value or 0.0), pattern))
    kept = [row for row in rows if row[1] != 0.0]
    return {
        "water_demands": {
            "junction": _rows(row[0] for row in kept),
            "base": _real(row[1] for row in kept),
            "pattern": _rows(row[2] for row in kept),
        }
    }


def _settings(reading: Reading) -> dict[str, Any]:
    """Return the settings; limits of pressure only from a pressure-driven file, else EPANET's are meaningless."""
    hydraulic = reading.model.options.hydraulic
    driven = str(hydraulic.demand_model).upper() in ("PDA", "PDD")
    limits = {
        "least_pressure": float(hydraulic.minimum_pressure) * reading.pressure_ratio,
        "required_pressure": float(hydraulic.required_pressure) * reading.pressure_ratio,
        "pressure_exponent": float(hydraulic.pressure_exponent),
    }
    settings = {
        "units": reading.units.name,
        "headloss": str(hydraulic.headloss),
        "viscosity": float(hydraulic.viscosity),
        "gravity": float(hydraulic.specific_gravity),
        "check_every": int(hydraulic.checkfreq),
        "check_until": int(hydraulic.maxcheck),
        "damp_limit": float(hydraulic.damplimit),
        "emitter_exponent": float(hydraulic.emitter_exponent),
        "emitter_backflow": option(reading.sections, "BACKFLOW") != "NO",
        "demand_multiplier": float(hydraulic.demand_multiplier),
        "pressure_driven": driven,
    }
    return (limits if driven else {}) | settings | times_of(reading.sections["TIMES"])
