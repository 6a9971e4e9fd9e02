"""The constants of a water network, read from the tables of a city.

City tables (SI units; a row number points into the table named in brackets):

    junctions        id, x, y, elevation (m), emitter (m3/s per m^exponent of pressure, 0 for none),
                     zone [zones] or -1 and population (persons), both optional
    reservoirs       id, x, y, head (m), pattern [water_patterns] or -1
    tanks            id, x, y, elevation (m), initial_level, min_level, max_level (m over the bottom),
                     diameter (m), min_volume (m3), curve [water_curves] or -1 (level m -> volume m3),
                     overflow (bool: spills when full)
    pipes            id, from_node, to_node, length (m), diameter (m), roughness (Hazen-Williams C, or m,
                     or Manning's n), minor_loss (of velocity head), open (bool), check_valve (bool)
    pumps            id, from_node, to_node, curve [water_curves] or -1 (flow m3/s -> head m), power (W),
                     speed (of rated), pattern [water_patterns] or -1, open (bool); optional bus [buses] or -1
    valves           id, from_node, to_node, kind (PRV, PSV, PBV, FCV, TCV, GPV), diameter (m), minor_loss,
                     setting (pressure m, flow m3/s or loss coefficient), curve [water_curves] or -1 (GPV:
                     flow m3/s -> loss m), state (active, open, closed)
    water_demands    junction [junctions], base (m3/s), pattern [water_patterns] or -1
    water_patterns   id, first, count: rows of water_pattern_values: value
    water_curves     id, first, count: rows of water_curve_points: x, y
    water_controls   see `controls`;  water_rules, water_premises, water_actions: see `rules`
    shutoffs         pipe [pipes], node (water node at the end where the shut-off valve is), optional table
    hydrants         id, junction [junctions], node [nodes], optional table

A water node is a row of junctions, then reservoirs, then tanks; a water link of pipes, then pumps, then
valves. The group "water" of the city's parameters gives what `Hydraulics` lists.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.errors import CityError
from twin.models.water.backend import ACTIVE, CLOSED, OPEN
from twin.models.water.hydraulics import Hydraulics
from twin.models.water.units import Units, units_of

if TYPE_CHECKING:
    from twin.city import City

Array = np.ndarray[Any, Any]

NODE_TABLES = ("junctions", "reservoirs", "tanks")
LINK_TABLES = ("pipes", "pumps", "valves")
VALVE_KINDS = ("PRV", "PSV", "PBV", "FCV", "TCV", "GPV")
_STATES = {"active": ACTIVE, "open": OPEN, "closed": CLOSED}


@dataclass(frozen=True)
class Series:
    """Rows of values of different lengths: row `i` is `x[first[i]:first[i] + count[i]]`."""

    identifier: Array
    first: Array
    count: Array
    x: Array
    y: Array


class Network:
    """Elements of a water network as arrays; see the module for tables and orders."""

    def __init__(self, city: City, settings: Mapping[str, Any] | None = None) -> None:
        """Read the tables; `settings` come before those of the city."""
        self.hydraulics = Hydraulics.of({**city.parameters.get("water", {}), **(settings or {})})
        self.units: Units = units_of(self.hydraulics.units)
        self.tables: dict[str, dict[str, Array]] = {
            name: dict(city[name]) for name in (*NODE_TABLES, *LINK_TABLES) if name in city
        }
        self.identifiers = {name: self.column(name, "id") for name in (*NODE_TABLES, *LINK_TABLES)}
        self.patterns = _series(city, "water_patterns", "water_pattern_values", ("value",))
        self.curves = _series(city, "water_curves", "water_curve_points", ("x", "y"))
        demands = table_of(city, "water_demands")
        self.demand_junction = np.asarray(demands.get("junction", []), dtype=np.int64)
        self.demand_base = np.asarray(demands.get("base", []), dtype=np.float64)
        self.demand_pattern = np.asarray(demands.get("pattern", []), dtype=np.int64)
        self._check(city)

    def rows(self, table: str) -> int:
        """Return the number of elements of a kind."""
        return len(self.identifiers[table])

    def column(self, table: str, name: str, missing: Any = None) -> Array:
        """Return a column; of a table that is not there an empty one."""
        columns = self.tables.get(table)
        if columns is None:
            return np.zeros(0)
        if name not in columns:
            if missing is None:
                raise CityError(f"table {table} has no column {name!r}, which the water model needs")
            return np.full(len(columns["id"]), missing)
        return columns[name]

    @cached_property
    def n_junction(self) -> int:
        """Junctions."""
        return self.rows("junctions")

    @cached_property
    def n_node(self) -> int:
        """Junctions, reservoirs and tanks."""
        return sum(self.rows(table) for table in NODE_TABLES)

    @cached_property
    def n_link(self) -> int:
        """Pipes, pumps and valves."""
        return sum(self.rows(table) for table in LINK_TABLES)

    @cached_property
    def first_tank(self) -> int:
        """Water node of the first tank."""
        return self.n_junction + self.rows("reservoirs")

    @cached_property
    def first_pump(self) -> int:
        """Water link of the first pump."""
        return self.rows("pipes")

    @cached_property
    def first_valve(self) -> int:
        """Water link of the first valve."""
        return self.rows("pipes") + self.rows("pumps")

    @cached_property
    def elevation(self) -> Array:
        """(n_node,) m: ground at junctions, bottom of tanks, head of reservoirs."""
        parts = (("junctions", "elevation"), ("reservoirs", "head"), ("tanks", "elevation"))
        return np.concatenate([self.column(*part) for part in parts]).astype(np.float64)

    @cached_property
    def from_node(self) -> Array:
        """(n_link,) water node at which each link starts."""
        return np.concatenate([self.column(t, "from_node") for t in LINK_TABLES]).astype(np.int64)

    @cached_property
    def to_node(self) -> Array:
        """(n_link,) water node at which each link ends."""
        return np.concatenate([self.column(t, "to_node") for t in LINK_TABLES]).astype(np.int64)

    @cached_property
    def check_valve(self) -> Array:
        """(n_link,) True for pipes that let water pass in one direction only; shut, they let none pass."""
        found = np.zeros(self.n_link, dtype=bool)
        found[: self.rows("pipes")] = self.column("pipes", "check_valve", False)
        return found

    @cached_property
    def initial_status(self) -> Array:
        """(n_link,) CLOSED, OPEN or ACTIVE when a run starts."""
        valves = [_STATES[str(state)] for state in self.column("valves", "state")]
        opened = [self.column(table, "open").astype(bool) for table in ("pipes", "pumps")]
        return np.concatenate([*(np.where(o, OPEN, CLOSED) for o in opened), np.array(valves, np.int64)]).astype(
            np.int8
        )

    @cached_property
    def initial_setting(self) -> Array:
        """(n_link,) speed of pumps, 0 at rest; setting of active valves; NaN elsewhere, and for a GPV."""
        setting = np.full(self.n_link, np.nan)
        speed = np.asarray(self.column("pumps", "speed"), dtype=np.float64)
        pumps, valves = slice(self.first_pump, self.first_valve), slice(self.first_valve, None)
        setting[pumps] = np.where(self.initial_status[pumps] == CLOSED, 0.0, speed)
        general = self.column("valves", "kind").astype(str) == "GPV"
        active = (self.initial_status[valves] == ACTIVE) & ~general
        setting[valves] = np.where(active, self.column("valves", "setting"), np.nan)
        return setting

    @cached_property
    def node_identifier(self) -> Array:
        """(n_node,) identifiers."""
        return np.concatenate([self.identifiers[t].astype(str) for t in NODE_TABLES])

    @cached_property
    def link_identifier(self) -> Array:
        """(n_link,) identifiers."""
        return np.concatenate([self.identifiers[t].astype(str) for t in LINK_TABLES])

    def place_of_link(self, link: int) -> str:
        """Name a water link for people: `pump 335`."""
        for table in LINK_TABLES:
            if link < self.rows(table):
                return f"{table[:-1]} {self.identifiers[table][link]}"
            link -= self.rows(table)
        return "no link"

    def place_of_node(self, node: int) -> str:
        """Name a water node for people: `tank T1`."""
        for table in NODE_TABLES:
            if node < self.rows(table):
                return f"{table[:-1]} {self.identifiers[table][node]}"
            node -= self.rows(table)
        return "no node"

    def _check(self, city: City) -> None:
        from twin.models.water.faults import faults

        found = faults(self, city)
        if found:
            more = f"\n  ... and {len(found) - 20} more" if len(found) > 20 else ""
            raise CityError("the water network cannot be solved:\n  " + "\n  ".join(found[:20]) + more)


def table_of(city: City, name: str) -> Mapping[str, Array]:
    """Return a table of a city, one without columns where the city lacks it."""
    if name in city:
        return city[name]
    return {}


def _series(city: City, table: str, values: str, columns: tuple[str, ...]) -> Series:
    """Read a table of rows of different lengths and its values."""
    if table not in city:
        none = np.zeros(0, np.int64)
        return Series(np.zeros(0, "U1"), none, none, np.zeros(0), np.zeros(0))
    x, y = (np.asarray(city[values][name], dtype=np.float64) for name in (columns[0], columns[-1]))
    first, count = (np.asarray(city[table][name], dtype=np.int64) for name in ("first", "count"))
    return Series(city[table]["id"], first, count, x, y)
