"""Say who in a city depends on whom: the rows of dependencies.csv, read, checked and looked up.

A row names a supplier, a dependent, what is supplied, what happens without it and after which delay.
Models that need it read it here; nothing else says what hangs on what.
"""

from __future__ import annotations

import csv
import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.errors import CityError

if TYPE_CHECKING:
    from twin.city.core import City

Array = np.ndarray[Any, Any]

COLUMNS = ("from_table", "from_id", "to_table", "to_id", "kind", "rule", "delay", "source")


@dataclass(frozen=True, slots=True)
class Rule:
    """One way of depending: what it means, and the column of the dependent that must name the same supplier.

    at_once  the rule has no delay
    """

    kind: str
    from_table: str
    to_table: str
    name: str
    meaning: str
    column: str = ""
    at_once: bool = False


RULES = (
    Rule("power", "buses", "signals", "dark", "goes dark at once and is passed as an all-way stop", at_once=True),
    Rule("power", "buses", "signals", "battery", "goes dark when its battery is empty, after `delay`"),
    Rule("power", "buses", "sites", "battery", "dies when its battery is empty, after `delay`", "bus"),
    Rule("power", "buses", "hospitals", "generator", "is dark when its fuel is used up, after `delay`", "bus"),
    Rule("power", "buses", "pumps", "dark", "stops at once", "bus", at_once=True),
    Rule("water", "junctions", "hydrants", "pressure", "is dry below 20 psi while used", "junction", at_once=True),
    Rule("water", "junctions", "hospitals", "store", "has no water when its tank is empty, after `delay`"),
    Rule("water", "junctions", "pumps", "cut_out", "is stopped `delay` after low pressure at the junction"),
    Rule("road", "nodes", "depots", "access", "its crews set out from this road node, `delay` away from the depot"),
    Rule("telecom", "sites", "nodes", "relay", "observations around the place pass this site", at_once=True),
)
"""Every kind of row. Signals: batteries of 2 to 6 h, an all-way stop then passes 1,000 to 1,400 veh/h."""


@dataclass(frozen=True)
class Supply:
    """Who supplies the rows of a table: one entry a dependency.

    row, supplier  rows of dependent and supplier
    rule           names
    delay          s
    """

    row: Array
    supplier: Array
    rule: Array
    delay: Array


def supply(city: City, from_table: str, to_table: str) -> Supply:
    """Return the dependencies of one table on another, in the order of the city's rows."""
    none = np.zeros(0, np.int64)
    if "dependencies" not in city:
        return Supply(none, none, np.zeros(0, "U1"), np.zeros(0))
    table = city["dependencies"]
    rows = np.flatnonzero((table["from_table"] == from_table) & (table["to_table"] == to_table))
    return Supply(
        _ends(city, "to", to_table, rows),
        _ends(city, "from", from_table, rows),
        np.asarray(table["rule"])[rows] if "rule" in table else np.full(len(rows), ""),
        np.asarray(table["delay"], np.float64)[rows],
    )


def supplier_of(city: City, from_table: str, to_table: str, column: str) -> Array:
    """Return the supplier of each row of a table: by its dependencies, else by its own column, else -1."""
    if to_table not in city:
        return np.zeros(0, np.int64)
    own = city[to_table]
    given = np.asarray(own[column], np.int64) if column in own else np.full(city.rows(to_table), -1)
    found, known = given.copy(), supply(city, from_table, to_table)
    found[known.row[known.rule != "cut_out"]] = known.supplier[known.rule != "cut_out"]
    return found


def _ends(city: City, end: str, table: str, rows: Array) -> Array:
    """Return the rows at one end of dependencies, from their row column or their ids."""
    dependencies = city["dependencies"]
    if f"{end}_row" in dependencies:
        return np.asarray(dependencies[f"{end}_row"], np.int64)[rows]
    return np.array([city.row(table, str(name)) for name in dependencies[f"{end}_id"][rows]], np.int64)


def read_dependencies(path: str | Path, tables: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the table of a dependencies.csv for a city in the making.

    Raises CityError that names file and line of every row with an unknown table, id, kind or rule, or a
    delay that is no time, with the nearest known name.
    """
    path = Path(path)
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            lines = list(reader)
            missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CityError(f"{path} cannot be read as dependencies: {error}") from None
    if missing:
        raise CityError(f"{path} lacks the columns {', '.join(missing)}; it needs {', '.join(COLUMNS)}")
    problems = [text for number, line in enumerate(lines, start=2) for text in _wrong_line(number, line, tables)]
    if problems:
        raise CityError(f"{path}:\n  " + "\n  ".join(problems[:20]))
    return table_of_rows([tuple(line[name] for name in COLUMNS) for line in lines], tables)


def table_of_rows(rows: Sequence[Sequence[Any]], tables: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return dependencies as a table; a row gives the values of COLUMNS."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(COLUMNS)
    table: dict[str, Any] = {
        name: np.array(values, dtype=np.float64 if name == "delay" else np.str_)
        for name, values in zip(COLUMNS, columns, strict=True)
    }
    places = {
        name: {str(key): row for row, key in enumerate(columns["id"])}
        for name, columns in tables.items()
        if "id" in columns
    }
    for end in ("from", "to"):
        pairs = zip(table[f"{end}_table"].tolist(), table[f"{end}_id"].tolist(), strict=True)
        table[f"{end}_row"] = np.array([places[name][key] for name, key in pairs], dtype=np.int32)
    return table


def _wrong_line(number: int, line: Mapping[str, Any], tables: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Find what is wrong with one line of a file."""
    here = f"line {number}"
    if any(line.get(name) is None for name in COLUMNS):
        yield f"{here}: {len(COLUMNS)} values are needed"
        return
    for end in ("from", "to"):
        name, key = line[f"{end}_table"], line[f"{end}_id"]
        if name not in tables:
            yield f"{here}: {end}_table {name!r} is no table of the city{_near(name, tables)}"
        elif key not in {str(found) for found in tables[name]["id"]}:
            yield f"{here}: {end}_id {key!r} is not in {name}{_near(key, [str(k) for k in tables[name]['id']])}"
    yield from _wrong_rule(here, line)
    try:
        delay = float(line["delay"])
    except ValueError:
        delay = -1.0
    if not 0 <= delay < np.inf:
        yield f"{here}: delay ({line['delay']}) must be a number of seconds, 0 or more"
    yield from _wrong_delay(here, line, delay)


def _wrong_delay(here: str, row: Mapping[str, Any], delay: float) -> Iterator[str]:
    """Find a delay of a rule that acts at once."""
    for known in RULES:
        same = (known.kind, known.name) == (row["kind"], row["rule"])
        same &= (known.from_table, known.to_table) == (row["from_table"], row["to_table"])
        if same and known.at_once and delay > 0:
            yield f"{here}: rule {known.name!r} acts at once, so delay ({delay:g}) must be 0"


def _wrong_rule(here: str, row: Mapping[str, Any]) -> Iterator[str]:
    """Find a kind, a pair of tables or a rule that no model knows."""
    kind, rule = str(row["kind"]), str(row["rule"])
    kinds = sorted({known.kind for known in RULES})
    pair = (str(row["from_table"]), str(row["to_table"]))
    if kind not in kinds:
        yield f"{here}: kind {kind!r} is unknown{_near(kind, kinds)}; kinds are {', '.join(kinds)}"
        return
    names = [known.name for known in RULES if (known.from_table, known.to_table) == pair and known.kind == kind]
    if not names:
        pairs = ", ".join(f"{k.from_table} -> {k.to_table}" for k in RULES if k.kind == kind)
        yield f"{here}: {kind} does not go from {pair[0]} to {pair[1]}; it goes {pairs}"
    elif rule not in names:
        yield f"{here}: rule {rule!r} is unknown{_near(rule, names)}; rules are {', '.join(names)}"


def _near(name: str, known: Any) -> str:
    near = difflib.get_close_matches(str(name), [str(k) for k in known], 1, 0.5)
    return f" (nearest: {near[0]})" if near else ""


def wrong_dependencies(city: City) -> Iterator[str]:
    """Find rows of a city's dependencies that name what does not exist, or contradict its tables."""
    if "dependencies" not in city or not set(COLUMNS[:6]) <= set(city["dependencies"]):
        return
    table = city["dependencies"]
    for row in range(table.rows):
        line = {name: str(table[name][row]) for name in COLUMNS[:6]}
        here = f"dependencies row {row} ({line['from_id']} -> {line['to_id']})"
        yield from _wrong_rule(here, line)
        yield from _wrong_delay(here, line, float(table["delay"][row]) if "delay" in table else 0.0)
        for end in ("from", "to"):
            name = line[f"{end}_table"]
            if name not in city:
                yield f"{here}: {end}_table {name!r} is no table of the city{_near(name, city.tables)}"
            elif f"{end}_row" in table and not _is(city, name, int(table[f"{end}_row"][row]), line[f"{end}_id"]):
                ids = city[name]["id"].astype(str).tolist()
                yield f"{here}: {end}_id and {end}_row name no row of {name}{_near(line[f'{end}_id'], ids)}"
    yield from _contradictions(city)


def _is(city: City, table: str, row: int, key: str) -> bool:
    return 0 <= row < city.rows(table) and str(city[table]["id"][row]) == key


def _contradictions(city: City) -> Iterator[str]:
    """Find dependents whose own column names another supplier than their dependency does."""
    for known in RULES:
        if not known.column or known.from_table not in city or known.to_table not in city:
            continue
        if known.column not in city[known.to_table]:
            continue
        found = supply(city, known.from_table, known.to_table)
        mine = found.rule == known.name
        row, supplier = found.row[mine], found.supplier[mine]
        inside = (row >= 0) & (row < city.rows(known.to_table))
        bad = row[inside][city[known.to_table][known.column][row[inside]] != supplier[inside]]
        for one in bad[:5].tolist():
            name = city[known.to_table]["id"][one]
            yield f"dependencies give {known.to_table} {name} another supplier than {known.to_table}.{known.column}"
