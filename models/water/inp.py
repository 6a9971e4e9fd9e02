"""Read an EPANET input file into the tables of a city, once, when a city is built.

wntr reads the elements; controls and rules are read here, from their text. Whatever the twin
cannot express is counted and named in the report, never dropped silently.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from twin.city import City
from twin.errors import CityError
from twin.models.water.inp_controls import controls_table
from twin.models.water.inp_rules import rule_tables
from twin.models.water.units import Units, units_of

Tables = dict[str, dict[str, np.ndarray[Any, Any]]]


@dataclass
class Reading:
    """What the parts of the reader share.

    nodes, links  name in the file -> water node, water link
    kinds         name of a link -> "pipe", "pump" or a kind of valve
    report        what was left out: sentence -> how often
    """

    model: Any
    units: Units
    nodes: dict[str, int] = field(default_factory=dict)
    links: dict[str, int] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    patterns: dict[str, int] = field(default_factory=dict)
    curves: dict[str, int] = field(default_factory=dict)
    sections: dict[str, list[str]] = field(default_factory=dict)
    report: dict[str, int] = field(default_factory=dict)

    def leave_out(self, sentence: str) -> None:
        """Count something the twin cannot express."""
        self.report[sentence] = self.report.get(sentence, 0) + 1


def read_inp(path: str | Path, title: str = "", crs: int = 32633) -> City:
    """Return a city with the water tables of an .inp file alone, for own models and tests."""
    tables, settings, report = inp_tables(path)
    name = Path(path).stem.lower()
    parameters = {"water": settings}
    return City(name, title or Path(path).stem, "right", "UTC", crs, tables, parameters, report={"water": report})


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
    import warnings

    import wntr

    if not path.is_file():
        raise CityError(f"there is no file {path}")
    reader = wntr.epanet.io.InpFile()
    reader._read_controls = reader._read_rules = lambda: None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = reader.read(str(path))
    except Exception as error:
        cause = f": {error.__cause__}" if error.__cause__ else ""
        raise CityError(f"{path.name} cannot be read as an EPANET network: {error}{cause}") from error
    reading = Reading(model, units_of(model.options.hydraulic.inpfile_units))
    for name in ("[CONTROLS]", "[RULES]"):
        lines = (line for _, line in reader.sections.get(name, ()))
        reading.sections[name] = [line.split(";")[0].strip() for line in lines]
    names = [*model.junction_name_list, *model.reservoir_name_list, *model.tank_name_list]
    reading.nodes = {name: row for row, name in enumerate(names)}
    links = [*model.pipe_name_list, *model.pump_name_list, *model.valve_name_list]
    reading.links = {name: row for row, name in enumerate(links)}
    reading.kinds = {name: _kind(model.get_link(name)) for name in links}
    reading.patterns = {name: row for row, name in enumerate(model.pattern_name_list)}
    reading.curves = {name: row for row, name in enumerate(model.curve_name_list)}
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
    return {
        "junctions": _places(junctions)
        | {
            "elevation": _real(n.elevation for n in junctions),
            "emitter": _real(n.emitter_coefficient or 0.0 for n in junctions),
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
    return {
        "pipes": _ends(reading, pipes)
        | {
            "length": _real(k.length for k in pipes),
            "diameter": _real(k.diameter for k in pipes),
            "roughness": _real(k.roughness for k in pipes),
            "minor_loss": _real(k.minor_loss for k in pipes),
            "open": _flag(k.initial_status.name != "Closed" for k in pipes),
            "check_valve": _flag(k.check_valve for k in pipes),
        },
        "pumps": _ends(reading, pumps)
        | {
            "curve": _rows(reading.curves.get(str(getattr(k, "pump_curve_name", None)), -1) for k in pumps),
            "power": _real(getattr(k, "power", 0.0) if k.pump_type == "POWER" else 0.0 for k in pumps),
            "speed": _real(1.0 if k.base_speed is None else k.base_speed for k in pumps),
            "pattern": _rows(reading.patterns.get(str(k.speed_pattern_name), -1) for k in pumps),
            "open": _flag(k.initial_status.name != "Closed" for k in pumps),
        },
        "valves": _ends(reading, valves)
        | {
            "kind": _text(k.valve_type for k in valves),
            "diameter": _real(k.diameter for k in valves),
            "minor_loss": _real(k.minor_loss for k in valves),
            "setting": _real(0.0 if k.valve_type == "GPV" else k.initial_setting for k in valves),
            "curve": _rows(reading.curves.get(str(getattr(k, "headloss_curve_name", None)), -1) for k in valves),
            "state": _text({"Closed": "closed", "Open": "open"}.get(k.initial_status.name, "active") for k in valves),
        },
    }


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
    hydraulic, time = reading.model.options.hydraulic, reading.model.options.time
    driven = str(hydraulic.demand_model).upper() in ("PDA", "PDD")
    limits = {
        "least_pressure": float(hydraulic.minimum_pressure),
        "required_pressure": float(hydraulic.required_pressure),
        "pressure_exponent": float(hydraulic.pressure_exponent),
    }
    return (limits if driven else {}) | {
        "units": str(hydraulic.inpfile_units),
        "headloss": str(hydraulic.headloss),
        "viscosity": float(hydraulic.viscosity),
        "gravity": float(hydraulic.specific_gravity),
        "check_every": int(hydraulic.checkfreq),
        "check_until": int(hydraulic.maxcheck),
        "damp_limit": float(hydraulic.damplimit),
        "emitter_exponent": float(hydraulic.emitter_exponent),
        "demand_multiplier": float(hydraulic.demand_multiplier),
        "pressure_driven": driven,
        "hydraulic_step": int(min(time.hydraulic_timestep, time.report_timestep)),
        "pattern_step": int(time.pattern_timestep),
        "pattern_start": int(time.pattern_start),
        "report_step": int(time.report_timestep),
        "report_start": int(time.report_start),
        "rule_step": int(time.rule_timestep),
        "start_clock": int(time.start_clocktime),
    }
