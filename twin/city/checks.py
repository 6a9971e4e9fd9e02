"""Find what is wrong with a city: dangling rows, impossible values, unreachable places."""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from numpy.typing import NDArray

from twin.city.column_rules import ColumnRule
from twin.city.core import City
from twin.city.dependencies import wrong_dependencies
from twin.city.junctions import phases_in_conflict, wrong_greens
from twin.city.schema import SCHEMA
from twin.city.table import Table

POSITIVE = {
    "links": ("length", "speed", "lanes", "capacity", "jam_density"),
    "signals": ("cycle",),
    "phases": ("green",),
    "lines": ("length",),
    "buses": ("u_rated",),
    "transformers": ("s_n", "u1", "u2", "uk"),
    "fire_stations": ("engines",),
    "pockets": ("storage",),
}
NOT_NEGATIVE = {
    "signals": ("gap", "late_turn"),
    "links": ("rank",),
    "phases": ("order", "amber", "all_red"),
    "zones": ("population", "jobs"),
    "zone_nodes": ("weight",),
    "buses": ("customers", "p"),
    "lines": ("r", "c", "i_n"),
    "hospitals": ("bays",),
    "stations": ("units",),
    "depots": ("crews",),
    "sites": ("battery", "radius"),
    "dependencies": ("delay",),
    "river": ("width",),
}
NEEDED = ("nodes", "links", "points", "zones", "zone_nodes")
_SHOWN = 5
COMPANIONS = {"signals": ("phases", "phase_links"), "buses": ("lines", "transformers", "sources")}


def check(city: City) -> list[str]:
    """Return all problems as sentences that name the table, the column and an id.

    A city without streets, of an imported grid or water network alone, lacks nothing that its models need.
    """
    if is_network_alone(city):
        return faults(city)
    problems = [f"table {name} is missing" for name in NEEDED if name not in city]
    return problems + _problems(city, partial=False, deep=not problems)


def is_network_alone(city: City) -> bool:
    """Say whether a city is a power grid or a water network without streets and people."""
    return not any(city.rows(name) for name in NEEDED) and any(city.rows(name) for name in ("buses", "junctions"))


def faults(city: City) -> list[str]:
    """Return the problems of the tables a city has; one of a few tables, for own models, may be sound."""
    return _problems(city, partial=not all(name in city for name in NEEDED), deep=True)


def _problems(city: City, partial: bool, deep: bool) -> list[str]:
    """Find problems of the tables that are there.

    partial  whether the city has a few tables only, which may lack columns
    deep     whether to look at values where types and references hold
    """
    problems = [*_header(city), *_tables(city)]
    for name in city.tables:
        if name in SCHEMA:
            problems += _columns(city, city[name], SCHEMA[name], partial)
    if problems or not deep:
        return problems
    finders = (_values, _provenance) if partial else (_values, _streets, _signals, _turns, _reach, _provenance)
    problems += [text for finder in finders for text in finder(city)]
    problems += wrong_dependencies(city)
    if city.rows("buses") and not partial:
        problems += _supply(city)
    return problems


def _header(city: City) -> Iterator[str]:
    """Find facts of the city itself that no run can use."""
    for part in ("name", "title"):
        if not isinstance(getattr(city, part), str) or not getattr(city, part):
            yield f"{part} ({getattr(city, part)!r}) must be a text"
    try:
        ZoneInfo(city.timezone)
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError):
        yield f"timezone ({city.timezone!r}) must be an IANA name such as Asia/Makassar"
    if isinstance(city.crs, bool) or not isinstance(city.crs, int) or not 1024 <= city.crs < 999_000:
        yield f"crs ({city.crs!r}) must be an EPSG number"


def _tables(city: City) -> Iterator[str]:
    """Find tables that are empty where there must be a row, or miss beside another."""
    for name in NEEDED:
        if name in city and not city.rows(name):
            yield f"table {name} is empty"
    for name, others in COMPANIONS.items():
        if city.rows(name) and "links" in city:
            yield from (f"table {other} is missing beside {name}" for other in others if other not in city)


def _columns(city: City, table: Table, rules: dict[str, ColumnRule], partial: bool) -> Iterator[str]:
    """Find missing columns, wrong types, rows that point nowhere and repeated ids."""
    for name, rule in rules.items():
        if name not in table:
            if not partial and not rule.spare:
                yield f"{table.name}.{name} ({rule.meaning}) is missing"
            continue
        column = table[name]
        if column.dtype.kind != rule.kind:
            yield f"{table.name}.{name} is of type {column.dtype}, not of kind {rule.kind!r}"
        elif rule.target and rule.target in city:
            least = -1 if rule.optional else 0
            bad = np.flatnonzero((column < least) | (column >= city.rows(rule.target)))
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
    """Find values that must be positive, or not negative, and are not."""
    for columns, said in ((POSITIVE, "not positive"), (NOT_NEGATIVE, "negative")):
        for name, column in ((name, column) for name, listed in columns.items() for column in listed):
            if name in city and column in city[name]:
                values = city[name][column]
                bad = np.flatnonzero(values < 0 if columns is NOT_NEGATIVE else values <= 0)
                if len(bad):
                    yield f"{name}.{column} is {said} in {len(bad)} rows{_who(city[name], bad)}"


def _streets(city: City) -> Iterator[str]:
    """Find links without a shape or that lead nowhere, and zones off the streets."""
    links = city["links"]
    shapes = links["point_first"].astype(np.int64) + links["point_count"]
    lost = np.flatnonzero((links["point_first"] < 0) | (links["point_count"] < 1) | (shapes > city.rows("points")))
    if len(lost):
        yield f"links.point_first and point_count leave the points in {len(lost)} rows{_who(links, lost)}"
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
    taken = phases["green"] + sum(phases[name] for name in ("amber", "all_red") if name in phases)
    bad = np.flatnonzero(np.bincount(phases["signal"], taken, minlength=signals.rows) > signals["cycle"] + 1e-6)
    if len(bad):
        yield f"signals.cycle is shorter than its greens, amber and all-red in {len(bad)} rows{_who(signals, bad)}"
    wanted = np.flatnonzero(np.isin(city["links"]["to_node"], signals["node"]))
    whole = served["to_link"] < 0 if "to_link" in served else slice(None)
    missing = np.setdiff1d(wanted, served["link"][whole])
    if len(missing):
        yield f"approaches of signals without green: {len(missing)}{_who(city['links'], missing)}"
    twice = wrong_greens(city.tables)
    if twice:
        yield f"phase_links: {'; '.join(twice[:_SHOWN])}{', ...' * (len(twice) > _SHOWN)}"
    found = phases_in_conflict(city.tables, city.driving_side == "left")
    if found:
        shown = "; ".join(found[:_SHOWN]) + ", ..." * (len(found) > _SHOWN)
        yield f"approaches with green in one phase conflict: {len(found)} ({shown})"


def _turns(city: City) -> Iterator[str]:
    """Find turns between links that do not meet, and pockets or greens of turns that are there twice or not at all."""
    links = city["links"]
    for name in ("banned_turns", "pockets"):
        if name in city:
            turns = city[name]
            apart = np.flatnonzero(links["to_node"][turns["from_link"]] != links["from_node"][turns["to_link"]])
            if len(apart):
                names = f"{links['id'][turns['from_link'][apart[0]]]} to {links['id'][turns['to_link'][apart[0]]]}"
                yield f"{name} between links that do not meet: {len(apart)}{_who(turns, apart)}, {names}"
    if "pockets" in city:
        turns = city["pockets"]
        pairs = turns["from_link"].astype(np.int64) * links.rows + turns["to_link"]
        _, first = np.unique(pairs, return_index=True)
        again = np.setdiff1d(np.arange(turns.rows), first)
        if len(again):
            yield f"pockets of one movement are given twice: {len(again)}{_who(turns, again)}"


def _reach(city: City) -> Iterator[str]:
    """Find places that cannot reach, or be reached from, the largest connected part."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    links, count = city["links"], city.rows("nodes")
    pairs = (links["from_node"], links["to_node"])
    matrix = coo_matrix((np.ones(links.rows), pairs), shape=(count, count))
    _, part = connected_components(matrix, directed=True, connection="strong")
    largest = np.bincount(part).argmax()
    for name in ("zone_nodes", "hospitals", "stations", "fire_stations", "depots"):
        if name in city:
            rows = np.flatnonzero(part[city[name]["node"]] != largest)
            if len(rows):
                yield f"{name} outside the largest connected part: {len(rows)}{_who(city[name], rows)}"
    outside = np.flatnonzero(part != largest)
    if len(outside):
        yield f"nodes outside the largest connected part: {len(outside)}{_who(city['nodes'], outside)}"


def _supply(city: City) -> Iterator[str]:
    """Find buses without a source."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    lines, transformers, count = city["lines"], city["transformers"], city.rows("buses")
    closed = lines["closed"]
    start = np.concatenate([lines["from_bus"][closed], transformers["from_bus"]])
    end = np.concatenate([lines["to_bus"][closed], transformers["to_bus"]])
    matrix = coo_matrix((np.ones(len(start)), (start, end)), shape=(count, count))
    _, part = connected_components(matrix, directed=False)
    dead = np.flatnonzero(~np.isin(part, part[city["sources"]["bus"]]))
    if len(dead):
        yield f"buses without a source: {len(dead)}{_who(city['buses'], dead)}"


def _provenance(city: City) -> Iterator[str]:
    """Find provenance entries that lack a part."""
    for entry in city.provenance:
        missing = {"item", "value", "unit", "source"} - set(entry)
        if missing or not str(entry["source"]).strip():
            yield f"provenance of {entry.get('item', '?')} lacks {', '.join(sorted(missing)) or 'a source'}"
