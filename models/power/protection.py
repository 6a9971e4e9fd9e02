"""Trip breakers on overcurrent and on faults below them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from twin.contract import SECOND, Setup

if TYPE_CHECKING:
    from twin.models.power.grid import Grid
    from twin.view import View

Array = np.ndarray[Any, Any]

FAULT, OVERCURRENT = 1, 2


class Protection:
    """Relays of lines, and the breaker that clears a fault on each line.

    Columns of the table `lines` that a city may add: pickup (A; 0 for no relay), delay (s,
    definite time; 0 takes the inverse curve), breaker (True where a fault further on is cleared).
    """

    def __init__(self, setup: Setup, grid: Grid) -> None:
        lines = dict(setup.city["lines"]) if setup.city.rows("lines") else {}
        rows = grid.lines
        rated = np.asarray(lines.get("i_n", np.zeros(rows)), dtype=np.float64)
        share = float(setup.options["overcurrent"])
        amperes = np.asarray(lines.get("pickup", share * rated), dtype=np.float64)
        self.pickup = np.where((amperes > 0) & (rated > 0), amperes / np.where(rated > 0, rated, 1.0), np.inf)
        self.delay = np.asarray(lines.get("delay", np.full(rows, setup.options["overcurrent_delay"])), dtype=np.float64)
        self.time_multiplier = float(setup.options["time_multiplier"])
        self.breaker = np.asarray(lines.get("breaker", np.zeros(rows)), dtype=bool)
        self._grid = grid

    def trip_delay(self, line: int, loading: float) -> int:
        """Return the time (us) after which the relay of a line trips at a loading above its pickup.

        Source of the inverse curve: IEC 60255-151 (2009), standard inverse: t = 0.14 TMS / (M^0.02 - 1),
        M the current over the pickup, taken as 1.01 at least so that the time stays finite.
        """
        if self.delay[line] > 0:
            return int(self.delay[line] * SECOND)
        multiple = max(loading / float(self.pickup[line]), 1.01)
        return max(int(0.14 * self.time_multiplier / (multiple**0.02 - 1.0) * SECOND), 1)

    def watch(self, view: View, loading: Array) -> None:
        """Start the relays of lines that carry too much; reset those that no longer do.

        The delay of the inverse curve is that of the current at pickup (simplification: a relay
        sums up a current that varies).
        """
        over = loading > self.pickup
        waiting = view["line.relay"]
        for line in np.flatnonzero(over != (waiting >= 0)).tolist():
            if over[line]:
                number = view.schedule("overcurrent_trip", self.trip_delay(line, float(loading[line])), line)
                view.put("line.relay", line, number)
            else:
                view.cancel(int(waiting[line]))
                view.put("line.relay", line, -1)

    def clearing(self, stations: Array, works: Array, lines: Array) -> Array:
        """Return the breakers that clear faults on lines, each once; none for a line without voltage.

        stations  (n_substation,)  those that feed
        works     (n_line,)        lines that conduct, faulted ones included
        lines     (n,)             rows of the faulted lines
        """
        if not self.breaker.any():
            return np.empty(0, np.int64)
        breakers = np.unique(self._feeding(stations, works)[lines])
        return np.asarray(breakers[breakers >= 0])

    def _feeding(self, stations: Array, works: Array) -> Array:
        """Return the breakers nearest to each line on the ways that feed it now, (n_line, 2); -1 for none."""
        grid = self._grid
        fed, order, parent, parent_edge = grid.tree(stations, works)
        at_bus = np.full(grid.buses, -1)
        for bus in order[order >= 0].tolist():
            edge = int(parent_edge[bus])
            if parent[bus] >= 0:
                own = edge < grid.lines and self.breaker[edge]
                at_bus[bus] = edge if own else at_bus[parent[bus]]
        ends = np.stack([grid.from_bus[: grid.lines], grid.to_bus[: grid.lines]], axis=1)
        # A line of the tree is fed from one side, so its far end names the same breaker or the line itself.
        found = np.where(fed[ends], at_bus[ends], -1)
        tree = parent_edge[(parent >= 0) & (parent_edge < grid.lines)]
        below = np.flatnonzero((parent >= 0) & (parent_edge < grid.lines))
        found[tree] = at_bus[below][:, None]
        found[self.breaker] = np.flatnonzero(self.breaker)[:, None]
        found[~works | ~fed[ends].any(axis=1)] = -1
        return found
