"""Find rows of controls, rules, shut-off valves and hydrants that point nowhere; kernels do not look."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.city.dependencies import supplier_of
from twin.kernels import water_codes as codes
from twin.models.water.inp_controls import WHEN
from twin.models.water.network import table_of

if TYPE_CHECKING:
    from twin.city import City
    from twin.models.water.network import Network

Array = np.ndarray[Any, Any]

_OF_NODES = (codes.HEAD, codes.LEVEL, codes.FILL_TIME, codes.DRAIN_TIME)
_OF_LINKS = (codes.FLOW, codes.STATUS, codes.SETTING)
_SPANS = (("premises", "premises"), ("actions", "actions"), ("elses", "actions"))
_FIRST = {"premises": "first_premise", "actions": "first_action", "elses": "first_else"}


def rows_elsewhere(network: Network, city: City) -> Iterator[str]:
    """Return every such row as a sentence that names table, row, column and value."""
    yield from _controls(network, city)
    yield from _rules(network, city)
    pipes, nodes = network.rows("pipes"), network.n_node
    yield from _within("shutoffs", "pipe", _whole(city, "shutoffs", "pipe"), 0, pipes)
    yield from _within("shutoffs", "node", _whole(city, "shutoffs", "node"), 0, nodes)
    if "hydrants" in city:
        at = supplier_of(city, "junctions", "hydrants", "junction")
        yield from _within("hydrants", "junction", at, 0, network.n_junction)


def _controls(network: Network, city: City) -> Iterator[str]:
    table, name = table_of(city, "water_controls"), "water_controls"
    when, node = np.asarray(table.get("when", []), np.str_), _whole(city, name, "node")
    yield from _within(name, "link", _whole(city, name, "link"), 0, network.n_link)
    yield from _within(name, "node", np.where(np.isin(when, WHEN[:2]), node, 0), 0, network.n_node)
    yield from _within(name, "status", _whole(city, name, "status"), codes.CLOSED, codes.ACTIVE + 1)
    for row in np.flatnonzero(~np.isin(when, WHEN)).tolist():
        yield f"{name} row {row}: when ({str(when[row])!r}) must be one of {', '.join(WHEN)}"
    limit = np.asarray(table.get("limit", []), np.float64)
    for row in np.flatnonzero(~np.isfinite(limit)).tolist():
        yield f"{name} row {row}: limit ({limit[row]:g}) is not a number"


def _rules(network: Network, city: City) -> Iterator[str]:
    rules = table_of(city, "water_rules")
    for column, target in _SPANS:
        first, count = _whole(city, "water_rules", _FIRST[column]), _whole(city, "water_rules", column)
        size = len(next(iter(table_of(city, f"water_{target}").values()), ()))
        for row in np.flatnonzero((first < 0) | (count < 0) | (first + count > size)).tolist():
            yield f"water_rules {rules['id'][row]}: its {column} leave the {size} rows of water_{target}"
    name = "water_premises"
    variable = _whole(city, name, "variable")
    node, link = _whole(city, name, "node"), _whole(city, name, "link")
    yield from _within(name, "variable", variable, 0, codes.DRAIN_TIME + 1)
    yield from _within(name, "relation", _whole(city, name, "relation"), 0, codes.ABOVE + 1)
    yield from _within(name, "node", np.where(np.isin(variable, _OF_NODES), node, 0), 0, network.n_node)
    yield from _within(name, "node", np.where(variable == codes.DEMAND, node, -1), -1, network.n_node)
    yield from _within(name, "link", np.where(np.isin(variable, _OF_LINKS), link, 0), 0, network.n_link)
    yield from _within("water_actions", "link", _whole(city, "water_actions", "link"), 0, network.n_link)


def _whole(city: City, table: str, column: str) -> Array:
    return np.asarray(table_of(city, table).get(column, []), np.int64)


def _within(table: str, column: str, rows: Array, low: int, high: int) -> Iterator[str]:
    """Tell of values that are not in [low, high)."""
    for row in np.flatnonzero((rows < low) | (rows >= high)).tolist():
        yield f"{table} row {row}: {column} ({rows[row]}) does not exist"
