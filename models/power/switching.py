"""Switch a grid after faults: clear, isolate, close ties."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from twin.models.power.grid import feeding
from twin.models.power.limits import LimitWatch
from twin.models.power.protection import FAULT
from twin.models.power.restore import Fault, Limits, plan_ties

if TYPE_CHECKING:
    from twin.models.power.grid import Grid
    from twin.models.power.solver import GridSolver
    from twin.view import View

Array = np.ndarray[Any, Any]


class Flisr:
    """Fault location, isolation and restoration: what to switch, worked out from the state.

    A failed line is located and isolated by its own switches. Breakers that opened for it close
    again, then normally-open ties are chosen by `plan_ties` for the customers cut off. Called
    again after a repair, it opens ties that are no longer needed and closes those that now are.
    """

    def __init__(self, grid: Grid, solver: GridSolver, normally_closed: Array, limits: LimitWatch) -> None:
        self._grid, self._solver = grid, solver
        self._normal = normally_closed
        self._limits = Limits(limits.low, limits.loading)

    def plan(self, view: View, demand: tuple[Array, Array], customers: Array) -> Array:
        """Return which lines should be closed, (n_line,).

        demand     (n_bus,) each, W and var  of every bus, with supply or not
        customers  (n_bus,)
        """
        closed = view["line.closed"] | (view["line.tripped"] == FAULT)
        closed = np.where(self._normal, closed, False)
        usable = ~view["line.failed"]
        works = self._grid.all_edges(closed & usable)
        station_works = feeding(view)
        fault = Fault(self._grid.bus_states(station_works), works, *demand, customers.astype(np.float64))
        ties = np.flatnonzero(~self._normal & usable)
        for tie in plan_ties(self._solver.flows, fault, ties, self._limits):
            closed[tie.edge] = True
        return closed
