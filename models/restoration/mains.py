"""Who has water while some pumps stand still: the graph of mains, as a planner sees it.

A junction has water while an open way of pipes, valves and working pumps leads to it from a reservoir. Tanks
do not count as sources: they last for hours, a repair may take longer (assumption of this plan only).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from twin.city import City

Array = np.ndarray[Any, Any]

_LINKS = ("pipes", "pumps", "valves")


class Mains:
    """Junctions, reservoirs and tanks of a city, and the links between them; none in a city without water."""

    def __init__(self, city: City) -> None:
        """List the links at each node."""
        from twin.kernels.islands import build_adjacency

        rows = {name: city.rows(name) for name in ("junctions", "reservoirs", "tanks", *_LINKS)}
        nodes = rows["junctions"] + rows["reservoirs"] + rows["tanks"]
        ends = [[np.asarray(city[n][f"{end}_node"], np.int64) for n in _LINKS if n in city] for end in ("from", "to")]
        begin, finish = (np.concatenate([np.zeros(0, np.int64), *columns]) for columns in ends)
        self._first = np.zeros(nodes + 1, np.int64)
        self._neighbour, self._edge = np.zeros(2 * len(begin), np.int64), np.zeros(2 * len(begin), np.int64)
        build_adjacency(begin, finish, self._first, self._neighbour, self._edge)
        self._passes = np.ones(len(begin), bool)
        if rows["pipes"] and "open" in city["pipes"]:
            self._passes[: rows["pipes"]] = city["pipes"]["open"]
        self._pumps = slice(rows["pipes"], rows["pipes"] + rows["pumps"])
        self._sources = np.arange(rows["junctions"], rows["junctions"] + rows["reservoirs"])
        counted = rows["junctions"] > 0 and "population" in city["junctions"]
        self._persons = np.asarray(city["junctions"]["population"], np.float64) if counted else np.zeros(0)
        self._known: dict[bytes, float] = {}

    def dry(self, stopped: Array) -> float:
        """Return persons without water while pumps are stopped.

        stopped  (n_pump,)
        """
        if not self._persons.shape[0] or not stopped.any():
            return 0.0
        key = np.packbits(stopped).tobytes()
        if key not in self._known:
            self._known[key] = self._without(stopped) - self._without(np.zeros_like(stopped))
        return self._known[key]

    def _without(self, stopped: Array) -> float:
        from twin.kernels.islands import spread

        passes, nodes = self._passes.copy(), self._first.shape[0] - 1
        passes[self._pumps] &= ~stopped
        joined = np.zeros(nodes, bool)
        scratch = [np.empty(nodes, np.int64) for _ in range(3)]
        graph = (self._first, self._neighbour, self._edge)
        spread(*graph, np.ones(nodes, bool), passes, self._sources, joined, *scratch)
        return float(self._persons[~joined[: self._persons.shape[0]]].sum())
