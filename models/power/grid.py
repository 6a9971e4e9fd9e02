"""Search a power grid for what is fed, what is cut off, and which event did it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from twin.city import City
    from twin.view import View

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Supply:
    """Tell which buses are fed, and the event behind it.

    fed         (n_bus,)   connected to a source through working parts
    edge_works  (n_edge,)  closed, not failed and fed: it carries power
    event       (n_bus,)   fed: newest event on the path; cut off: event of the break
                           nearest the source on the normal path; -1 for none

    All are read-only.
    """

    fed: Array
    edge_works: Array
    event: Array


def feeding(view: View) -> Array:
    """Return which substations feed: not failed and not cut off."""
    return np.asarray(~view["substation.failed"] & (view["substation.cut"] == 0))


class Grid:
    """The graph of buses, lines and transformers; edges are lines, then transformers.

    A substation is its medium-voltage busbar: when it fails, nothing passes it.
    """

    def __init__(self, city: City) -> None:
        from twin.kernels.islands import build_adjacency

        self.buses = city.rows("buses")
        self.lines = city.rows("lines")
        ends = [[city[t][f"{end}_bus"] for t in ("lines", "transformers") if t in city] for end in ("from", "to")]
        self.from_bus, self.to_bus = (np.concatenate([*e, np.zeros(0, np.int64)]).astype(np.int64) for e in ends)
        self.roots = np.unique(city["sources"]["bus"].astype(np.int64))
        self.busbar = (city["substations"]["bus"] if "substations" in city else np.zeros(0)).astype(np.int64)
        self.first = np.zeros(self.buses + 1, np.int64)
        self.neighbour = np.zeros(2 * len(self.from_bus), np.int64)
        self.edge = np.zeros(2 * len(self.from_bus), np.int64)
        build_adjacency(self.from_bus, self.to_bus, self.first, self.neighbour, self.edge)
        closed = city["lines"]["closed"].astype(bool) if "lines" in city else np.zeros(0, bool)
        self._last: tuple[bytes, Supply] | None = None
        self._normal = self._search(np.ones(self.buses, bool), self._edges(closed, True))

    def tree(self, station_works: Array, line_works: Array) -> tuple[Array, Array, Array, Array]:
        """Return fed, order, parent and parent edge of every bus; arguments as for `connected`."""
        return self._search(self._buses(station_works, True), self._edges(line_works, True))

    def all_edges(self, line_works: Array) -> Array:
        """Return a state per edge from one per line; transformers work."""
        return self._edges(line_works, True)

    def bus_states(self, station_works: Array) -> Array:
        """Return which buses let power pass, from the states of substations."""
        return self._buses(station_works, True)

    def _edges(self, lines: Array, others: Any) -> Array:
        """Return a value per edge from one per line; transformers take `others`."""
        return np.concatenate([lines, np.full(len(self.from_bus) - self.lines, others, lines.dtype)])

    def _search(self, bus_works: Array, edge_works: Array) -> tuple[Array, Array, Array, Array]:
        """Return fed, order, parent and parent edge of every bus."""
        from twin.kernels.islands import spread

        fed = np.zeros(self.buses, bool)
        parent, parent_edge, order = (np.zeros(self.buses, np.int64) for _ in range(3))
        graph = (self.first, self.neighbour, self.edge)
        spread(*graph, bus_works, edge_works, self.roots, fed, parent, parent_edge, order)
        return fed, order, parent, parent_edge

    def connected(self, station_works: Array, line_works: Array) -> Array:
        """Return which buses are connected to a source.

        station_works  (n_substation,)  not failed and not blacked out
        line_works     (n_line,)        closed and not failed
        """
        return self.tree(station_works, line_works)[0]

    def supply(self, station_works: Array, line_works: Array, station_event: Array, line_event: Array) -> Supply:
        """Return what is fed and the events behind it.

        station_works, line_works  as for `connected`
        station_event  (n_substation,)  event that last changed its state, -1 for none
        line_event     (n_line,)        likewise

        The last answer is kept beside its question: loads change far more often than switches.
        """
        asked = (station_works, line_works, station_event, line_event)
        key = b"".join(part.tobytes() for part in asked)
        last = self._last
        if last is None or last[0] != key:
            last = self._last = (key, self._supply(*asked))
        return last[1]

    def _supply(self, station_works: Array, line_works: Array, station_event: Array, line_event: Array) -> Supply:
        from twin.kernels.islands import first_break_on_path, latest_on_path

        bus_works = self._buses(station_works, True)
        bus_event = self._buses(station_event, -1)
        edge_works, edge_event = self._edges(line_works, True), self._edges(line_event, -1)
        fed, order, parent, parent_edge = self._search(bus_works, edge_works)
        newest, blame = np.empty(self.buses, np.int64), np.empty(self.buses, np.int64)
        latest_on_path(order, parent, parent_edge, bus_event, edge_event, newest)
        broken = np.zeros(self.buses, bool)
        normal_order = self._normal[1:]
        first_break_on_path(*normal_order, bus_works, edge_works, bus_event, edge_event, broken, blame)
        carries = edge_works & fed[self.from_bus] & fed[self.to_bus]
        event = np.where(fed, newest, blame)
        fed.flags.writeable = carries.flags.writeable = event.flags.writeable = False
        return Supply(fed, carries, event)

    def _buses(self, stations: Array, others: Any) -> Array:
        """Return a value per bus from one per substation; where two share a busbar the smaller holds."""
        values = np.full(self.buses, others, stations.dtype)
        if stations.dtype == bool:
            np.logical_and.at(values, self.busbar, stations)
        else:
            np.maximum.at(values, self.busbar, stations)
        return values
