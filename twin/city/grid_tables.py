"""Collect the parts of an imported grid, refuse what cannot be, and make city tables of the rest."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.errors import CityError

Array = NDArray[Any]

STIFF = 1e16
"""Short-circuit power (VA) of a source that holds its voltage exactly."""

UNLIMITED = 1e12
"""Reactive power (var) of a machine without a limit."""

_SHOWN = 5


@dataclass
class GridParts:
    """Rows of a grid as they are read, by name of the part, and what was wrong or left out.

    source    file they come from
    buses     key in the file -> row; the columns are filled in the same order
    rows      table -> list of rows, each column -> value in SI units
    problems  sentences, each naming part and place
    dropped   kind of part or property that the twin has no place for -> how often
    """

    source: str
    buses: dict[Any, int] = field(default_factory=dict)
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)

    def bus(self, key: Any, name: str, u_rated: float, x: float = 0.0, y: float = 0.0) -> None:
        """Add a bus; its rated voltage (V) must be positive, its key new."""
        if key in self.buses:
            self.problems.append(f"bus {key} occurs twice")
        if not u_rated > 0:
            self.problems.append(f"bus {key} has a rated voltage of {u_rated:g} V; it must be positive")
        self.buses[key] = len(self.buses)
        row = {"id": str(name), "u_rated": u_rated, "x": x, "y": y}
        self.rows.setdefault("buses", []).append(row | dict.fromkeys(("p", "q", "g", "b", "steady", "resistive"), 0.0))

    def at(self, part: str, key: Any) -> int:
        """Return the row of a bus that a part names, -1 with a problem noted where there is none."""
        if key not in self.buses:
            near = min(self.buses, key=lambda k: abs(k - key), default=None) if isinstance(key, int) else None
            hint = f"; the nearest is {near}" if near is not None else ""
            self.problems.append(f"{part} is at bus {key}, which does not exist{hint}")
        return self.buses.get(key, -1)

    def add(self, table: str, **columns: Any) -> None:
        """Add a row to a table other than the buses."""
        self.rows.setdefault(table, []).append(columns)

    def machine(self, name: str, bus: int, u: float, q: tuple[float | None, float | None]) -> None:
        """Add a generator that holds a voltage (pu), with its limits of reactive power (var), None for none."""
        given = [np.nan if limit is None else limit for limit in q]
        low, high = float(np.fmax(given[0], -UNLIMITED)), float(np.fmin(given[1], UNLIMITED))
        if low > high:
            self.problems.append(f"{name} must give {low:g} var or more, and {high:g} or less")
        self.add("machines", id=name, bus=bus, u=u, q_min=low, q_max=high)

    def unlimited(self) -> None:
        """Leave out limits of reactive power, and count the machines that had one."""
        for row in self.rows.get("machines", []):
            self.dropped["reactive limit"] += int(max(row["q_min"], -row["q_max"]) > -UNLIMITED)
            row |= {"q_min": -UNLIMITED, "q_max": UNLIMITED}

    def load(self, part: str, key: Any, power: complex, steady: float = 0.0, resistive: float = 0.0) -> None:
        """Add a load (W, var) to its bus; parts of it may keep their current or impedance.

        A negative active load is a problem: what gives power is a generator.
        """
        bus = self.at(part, key)
        if power.real < 0:
            self.problems.append(
                f"{part} at bus {key} has a negative load of {power.real:g} W; state it as a generator"
            )
        if bus >= 0:
            row = self.rows["buses"][bus]
            row["p"] += power.real
            row["q"] += power.imag
            row["steady"] += steady * abs(power)
            row["resistive"] += resistive * abs(power)

    def tables(self) -> dict[str, dict[str, Array]]:
        """Return the tables of a city; raise CityError that lists all problems."""
        if not self.problems:
            self._find_islands()
        if self.problems:
            more = len(self.problems) - _SHOWN
            shown = "; ".join(self.problems[:_SHOWN]) + (f"; and {more} more" if more > 0 else "")
            raise CityError(f"{self.source}: {shown}")
        tables = {name: _columns(rows) for name, rows in self.rows.items() if rows}
        tables["buses"] = _bus_table(tables["buses"])
        for name in ("lines", "transformers"):
            tables.setdefault(name, _columns([]))
        return {name: table for name, table in tables.items() if table}

    def _find_islands(self) -> None:
        """Note each part with load, of closed lines and transformers, that no source feeds."""
        from scipy.sparse import coo_matrix
        from scipy.sparse.csgraph import connected_components

        edges = [r for r in self.rows.get("lines", []) if r["closed"]] + self.rows.get("transformers", [])
        ends = np.array([(row["from_bus"], row["to_bus"]) for row in edges], dtype=np.int64).reshape(-1, 2)
        count, buses = len(self.buses), self.rows.get("buses", [])
        matrix = coo_matrix((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=(count, count))
        islands, island = connected_components(matrix, directed=False)
        fed = {int(island[row["bus"]]) for row in self.rows.get("sources", [])}
        loaded = np.array([row["p"] != 0 for row in buses], dtype=bool)
        for number in range(islands):
            members = np.flatnonzero(island == number)
            if number not in fed and loaded[members].any():
                first = buses[int(members[0])]["id"]
                self.problems.append(f"an island of {len(members)} buses with load has no source (first bus: {first})")


def _columns(rows: list[dict[str, Any]]) -> dict[str, Array]:
    return {name: np.array([row[name] for row in rows]) for name in rows[0]} if rows else {}


def _bus_table(table: dict[str, Array]) -> dict[str, Array]:
    """Return the table of buses with customers, shares and unique ids."""
    size = np.hypot(table["p"], table["q"])
    size = np.where(size > 0, size, 1.0)
    count = len(table["id"])
    made = {name: table[name] for name in ("id", "u_rated", "x", "y", "p", "q")}
    made["customers"] = (table["p"] > 0).astype(np.int32)
    made["zone"] = np.full(count, -1, dtype=np.int32)
    extra = {"current_share": table["steady"] / size, "impedance_share": table["resistive"] / size}
    extra |= {"g": table["g"], "b": table["b"]}
    return made | {name: column for name, column in extra.items() if column.any()}


def unique_names(names: list[str]) -> list[str]:
    """Return names made unique by a number behind those that occur again."""
    seen: Counter[str] = Counter()
    found = []
    for name in names:
        seen[name] += 1
        found.append(name if seen[name] == 1 else f"{name}#{seen[name]}")
    return found


def read_text(path: Path) -> str:
    """Return the text of a file; raise CityError where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CityError(f"{path}: cannot be read ({error})") from None
