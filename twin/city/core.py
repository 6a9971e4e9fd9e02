"""Define the city: frozen tables, parameters and where each value comes from."""

from __future__ import annotations

import difflib
import hashlib
import html
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from twin.city.table import Column, Table
from twin.errors import CityError


@dataclass(frozen=True, eq=False, repr=False)
class City:
    """Freeze all that does not change during a run.

    name, title    short key and human name
    driving_side   "left" or "right"
    timezone       IANA name, for example "Asia/Makassar"
    crs            EPSG number of the projected metre grid of x and y
    tables         name -> column name -> read-only array; see `twin.city.schema`
    parameters     demand, emergency and hazard settings, plain JSON values
    provenance     {"item", "value", "unit", "source"} per value; assumptions say so
    report         counts made while the city was imported or generated
    """

    name: str
    title: str
    driving_side: str
    timezone: str
    crs: int
    tables: Mapping[str, Mapping[str, Column]]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    provenance: tuple[Mapping[str, Any], ...] = ()
    report: Mapping[str, Any] = field(default_factory=dict)
    _frozen: dict[str, Table] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Freeze plain mappings given as tables; refuse an unknown driving side."""
        if self.driving_side not in ("left", "right"):
            raise CityError(f"driving_side must be 'left' or 'right', not {self.driving_side!r}")
        frozen = {name: Table(name, columns) for name, columns in self.tables.items()}
        object.__setattr__(self, "_frozen", frozen)
        object.__setattr__(self, "tables", MappingProxyType(frozen))
        if not all(isinstance(entry, Mapping) for entry in self.provenance):
            raise CityError("provenance of a city must be mappings of item, value, unit and source")
        object.__setattr__(self, "provenance", tuple(_plain(list(self.provenance), "provenance")))
        for part in ("parameters", "report"):
            object.__setattr__(self, part, _plain(getattr(self, part), part))

    def __getitem__(self, table: str) -> Table:
        try:
            return self._frozen[table]
        except KeyError:
            near = difflib.get_close_matches(table, self.tables, 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise CityError(
                f"city {self.name} has no table {table!r}{hint} (it has {', '.join(self.tables)})"
            ) from None

    def __contains__(self, table: object) -> bool:
        return table in self.tables

    def __eq__(self, other: object) -> bool:
        return isinstance(other, City) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __reduce__(self) -> tuple[Any, ...]:
        content = (self.name, self.title, self.driving_side, self.timezone, self.crs)
        tables = {name: dict(table) for name, table in self.tables.items()}
        return City, (*content, tables, self.parameters, self.provenance, self.report)

    def __repr__(self) -> str:
        return f"City({self.name}: {self.rows('nodes')} nodes, {self.rows('links')} links, {self.digest[:12]})"

    def rows(self, table: str) -> int:
        """Return the number of rows of a table, 0 for a table that the city lacks."""
        return self._frozen[table].rows if table in self._frozen else 0

    def row(self, table: str, identifier: str) -> int:
        """Return the row of an id; the error names the nearest id that exists."""
        index = self._index(table)
        if identifier in index:
            return index[identifier]
        near = difflib.get_close_matches(str(identifier), index, 1, cutoff=0.3)
        hint = f"; the nearest id is {near[0]!r}" if near else ""
        raise CityError(f"table {table} of city {self.name} has no id {identifier!r}{hint}")

    def settings(self, group: str, defaults: Mapping[str, Any]) -> dict[str, Any]:
        """Return the named parameters of a group: as the city gives them, else the default."""
        given = self.parameters.get(group, {})
        return {name: given.get(name, default) for name, default in defaults.items()}

    def _index(self, table: str) -> dict[str, int]:
        """Build the id index of a table once."""
        if table not in self._indexes:
            ids = self[table]["id"].tolist()
            self._indexes[table] = {identifier: row for row, identifier in enumerate(ids)}
        return self._indexes[table]

    @cached_property
    def _indexes(self) -> dict[str, dict[str, int]]:
        return {}

    @cached_property
    def digest(self) -> str:
        """Identify the content by a SHA-256 that is the same in every process."""
        total = hashlib.sha256(json.dumps(self.header(), sort_keys=True).encode())
        for name in sorted(self.tables):
            for key in sorted(self.tables[name]):
                column = self.tables[name][key]
                total.update(f"{name}.{key} {column.dtype.str} {len(column)}\n".encode())
                total.update(np.ascontiguousarray(column).view(np.uint8).data if column.size else b"")
        return total.hexdigest()

    def header(self) -> dict[str, Any]:
        """Return all of the city but its tables, as plain JSON values."""
        return {
            "name": self.name,
            "title": self.title,
            "driving_side": self.driving_side,
            "timezone": self.timezone,
            "crs": self.crs,
            "parameters": self.parameters,
            "provenance": [dict(entry) for entry in self.provenance],
            "report": self.report,
        }

    def save(self, folder: str | Path) -> Path:
        """Write the city to a folder, all or nothing; see `twin.city.storage`."""
        from twin.city.storage import save

        return save(self, Path(folder))

    @classmethod
    def load(cls, folder: str | Path) -> City:
        """Read a city that `save` wrote; a damaged one is a CityError."""
        from twin.city.storage import load

        return load(Path(folder))

    def frame(self, table: str) -> Any:
        """Return a table as a data frame, with EPSG:4326 geometry where it has a place."""
        from twin.city.views import frame

        return frame(self, table)

    def graph(self) -> Any:
        """Return the streets as a networkx MultiDiGraph keyed by node id and link row."""
        from twin.city.views import graph

        return graph(self)

    def check(self) -> list[str]:
        """Return every problem found in the city, as sentences; none is an empty list."""
        from twin.city.checks import check

        return check(self)

    def gives(self, path: str) -> bool:
        """Tell whether the city has a parameter `group.name`."""
        group, _, name = path.partition(".")
        return name in self.parameters.get(group, {})

    def summary(self) -> dict[str, int | str]:
        """Return the facts a reader wants first: places, sizes, digest."""
        facts: dict[str, int | str] = {
            "name": self.name,
            "title": self.title,
            "driving side": self.driving_side,
            "time zone": self.timezone,
            "grid": f"EPSG:{self.crs}",
        }
        facts.update({name: table.rows for name, table in sorted(self._frozen.items()) if name != "points"})
        if "zones" in self:
            facts.update({key: f"{round(float(self['zones'][key].sum())):,}" for key in ("population", "jobs")})
        morning = self.parameters.get("demand", {}).get("trips_morning")
        if morning is not None:
            facts["trips 06-10 local"] = f"{round(morning):,}"
        facts["assumptions"] = sum(str(e["source"]).startswith("assumption") for e in self.provenance)
        facts["digest"] = self.digest[:12]
        return facts

    def _repr_html_(self) -> str:
        cells = "".join(
            f"<tr><th style='text-align:left'>{html.escape(key)}</th><td>{html.escape(str(value))}</td></tr>"
            for key, value in self.summary().items()
        )
        return f"<table>{cells}</table>"


def _plain(value: Any, part: str) -> Any:
    """Return a deep copy as plain JSON values, so that a reload compares equal."""
    try:
        return json.loads(json.dumps(value, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise CityError(f"{part} of a city must hold plain JSON values: {error}") from None
