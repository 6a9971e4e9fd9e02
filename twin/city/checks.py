"""Find what is wrong with a city: dangling rows, impossible values, unreachable places."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from twin.city.core import City
from twin.city.schema import SCHEMA, ColumnRule
from twin.city.table import Table

POSITIVE = {
    "links": ("length", "speed", "lanes", "capacity", "jam_density"),
    "signals": ("cycle",),
    "phases": ("green",),
    "lines": ("length",),
    "buses": ("u_rated",),
    "transformers": ("s_n", "u1", "u2", "uk"),
}
NEEDED = ("nodes", "links", "points", "zones", "zone_nodes")


def check(city: City) -> list[str]:
    """Return all problems as sentences that name the table, the column and an id."""
    problems = [f"table {name} is missing" for name in NEEDED if name not in city]
    for name in city.tables:
        if name in SCHEMA:
            problems += _columns(city, city[name], SCHEMA[name])
    if problems:
        return problems
    problems += [text for finder in (_values, _signals, _reach, _provenance) for text in finder(city)]
    if city.rows("buses"):
        problems += _supply(city)
    return problems


def _columns(city: City, table: Table, rules: dict[str, ColumnRule]) -> Iterator[str]:
    """Find missing columns, wrong types, rows that point nowhere and repeated ids."""
    for name, rule in rules.items():
        if name not in table:
            yield f"{table.name}.{name} ({rule.meaning}) is missing"
            continue
        column = table[name]
        if column.dtype.kind != rule.kind:
            yield f"{table.name}.{name} is of type {column.dtype}, not of kind {rule.kind!r}"
        elif rule.target:
            bad = np.flatnonzero((column < -1) | (column >= city.rows(rule.target)))
            if len(bad):
                yield f"{table.name}.{name} points to no row of {rule.target} in {len(bad)} rows{_who(table, bad)}"
        elif rule.kind == "f" and not np.isfinite(column).all():
            yield f"{table.name}.{name} is not finite{_who(table, np.flatnonzero(~np.isfinite(column)))}"
    if "id" in table and len(np.unique(table["id"])) < table.rows:
        yield f"{table.name}.id is not unique"


def _who(table: Table, rows: NDArray[np.intp]) -> str:
    """Name the first row concerned."""
    return f" (first: {table['id'][rows[0]]})" if "id" in table else f" (first: row {rows[0]})"


def _values(city: City) -> Iterator[str]:
    """Find values that must be positive and are not, and links that lead nowhere."""
    for name, columns in POSITIVE.items():
        for column in columns if name in city else ():
            bad = np.flatnonzero(~(city[name][column].astype(np.float64) > 0))
            if len(bad):
                yield f"{name}.{column} is not positive in {len(bad)} rows{_who(city[name], bad)}"
    links = city["links"]
    loops = np.flatnonzero(links["from_node"] == links["to_node"])
    if len(loops):
        yield f"links start and end at one node in {len(loops)} rows{_who(links, loops)}"
    unused = np.setdiff1d(np.arange(city.rows("zones")), city["zone_nodes"]["zone"])
    if len(unused):
        yield f"zones without a road node: {len(unused)}{_who(city['zones'], unused)}"


def _signals(city: City) -> Iterator[str]:
    """Find signals whose greens do not fit, and approaches that no phase serves."""
    if not city.rows("signals"):
        return
    signals, phases, served = city["signals"], city["phases"], city["phase_links"]
    green = np.bincount(phases["signal"], phases["green"], minlength=signals.rows)
    bad = np.flatnonzero(green > signals["cycle"])
    if len(bad):
        yield f"signals.cycle is shorter than its greens in {len(bad)} rows{_who(signals, bad)}"
    wanted = np.flatnonzero(np.isin(city["links"]["to_node"], signals["node"]))
    missing = np.setdiff1d(wanted, served["link"])
    if len(missing):
        yield f"approaches of signals without green: {len(missing)}{_who(city['links'], missing)}"


def _reach(city: City) -> Iterator[str]:
    """Find places that cannot reach, or be reached from, the largest connected part."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    links, count = city["links"], city.rows("nodes")
    pairs = (links["from_node"], links["to_node"])
    matrix = coo_matrix((np.ones(links.rows), pairs), shape=(count, count))
    _, part = connected_components(matrix, directed=True, connection="strong")
    largest = np.bincount(part).argmax()
    for name in ("zone_nodes", "hospitals", "stations", "depots"):
        if name in city:
            rows = np.flatnonzero(part[city[name]["node"]] != largest)
            if len(rows):
                yield f"{name} outside the largest connected part: {len(rows)}{_who(city[name], rows)}"
    outside = np.flatnonzero(part != largest)
    if len(outside):
        yield f"nodes outside the largest connected part: {len(outside)}{_who(city['nodes'], outside)}"


def _supply(city: City) -> Iterator[str]:
    """Find buses without a source and rings among closed lines."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    lines, transformers, count = city["lines"], city["transformers"], city.rows("buses")
    closed = lines["closed"]
    start = np.concatenate([lines["from_bus"][closed], transformers["from_bus"]])
    end = np.concatenate([lines["to_bus"][closed], transformers["to_bus"]])
    matrix = coo_matrix((np.ones(len(start)), (start, end)), shape=(count, count))
    parts, part = connected_components(matrix, directed=False)
    dead = np.flatnonzero(~np.isin(part, part[city["sources"]["bus"]]))
    if len(dead):
        yield f"buses without a source: {len(dead)}{_who(city['buses'], dead)}"
    if len(start) != count - parts:
        yield f"closed lines form {len(start) - count + parts} rings: the grid is not radial"


def _provenance(city: City) -> Iterator[str]:
    """Find provenance entries that lack a part."""
    for entry in city.provenance:
        missing = {"item", "value", "unit", "source"} - set(entry)
        if missing or not str(entry["source"]).strip():
            yield f"provenance of {entry.get('item', '?')} lacks {', '.join(sorted(missing)) or 'a source'}"
