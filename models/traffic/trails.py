"""New next links for drivers, of whom those under way meet no node a second time by them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.fields import Field
from twin.rows import list_fields

if TYPE_CHECKING:
    from twin.kernels.traffic_layout import Traffic
    from twin.kernels.trails import Memory
    from twin.view import View

Array = np.ndarray[Any, Any]

_PAGE = 1024
_STEPS_PER_TRIP = 2
"""Steps of records for which there is room at first; it grows by itself."""
TRAIL_FIELDS = (
    Field("vehicle.trail", "int32", "1", "place of its record among the steps of trails, -1: none yet", -1),
    Field("trail.steps", "int32", "1", "records of vehicles, see twin.kernels.trails, page by page", width=(_PAGE,)),
    *list_fields("trail"),
)


def first_pages(trips: int) -> int:
    """Return the pages of steps for which a run of so many trips has room at first."""
    return 1 + _STEPS_PER_TRIP * trips // _PAGE


def with_trails(view: View, traffic: Traffic) -> Traffic:
    """Return the kernel's arrays with the routes that the world holds."""
    return traffic._replace(demand=traffic.demand._replace(routes=view.raw("trail.steps").reshape(-1)))


def lead(view: View, traffic: Traffic, memory: Memory, tables: tuple[Array, Array], closed: Array) -> None:
    """Write new tables of next links into the world, and keep on their ways whom they would lead in a circle.

    traffic  as `with_trails` returns it
    tables   of habitual and informed drivers
    closed   (n_link,)  links that nobody may enter from now on
    """
    steps = _keep(traffic, memory._replace(start=view.raw("vehicle.trail")), *tables, closed)
    while view["trail_list.used"][0] * _PAGE < steps.size:
        view.take("trail")
    view.raw("trail.steps").reshape(-1)[: steps.size] = steps


@dataclass
class Drivers:
    """Hold the vehicles of a simulation, and what is remembered of those under way.

    traffic  whose routes are given ones and, behind them, records
    memory   see `twin.kernels.trails`
    """

    traffic: Traffic
    memory: Memory

    def lead(self, habitual: Array, informed: Array, closed: Array) -> None:
        """Give drivers new tables of next links, and keep on their ways whom they would lead in a circle.

        closed  (n_link,)  links that nobody may enter from now on

        Look up the next links of all first vehicles with `touch` afterwards.
        """
        steps = _keep(self.traffic, self.memory, habitual, informed, closed)
        demand, given = self.traffic.demand, self.memory.given
        if given + steps.size > demand.routes.size:
            routes = np.append(demand.routes[:given], np.full(2 * steps.size, -1, np.int32))
            self.traffic = self.traffic._replace(demand=demand._replace(routes=routes))
        self.traffic.demand.routes[given : given + steps.size] = steps


def _keep(traffic: Traffic, memory: Memory, habitual: Array, informed: Array, closed: Array) -> Array:
    """Write new tables and closed links, and return the records of drivers under way."""
    from twin.kernels.trails import keep_ways

    steps = keep_ways(traffic, habitual, informed, closed.astype(np.int8), memory)
    traffic.settings.habitual[...] = habitual
    traffic.settings.informed[...] = informed
    traffic.settings.closed[...] = closed
    return steps
