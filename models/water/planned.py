"""Leaks and draws that a scenario plans; several may last at one place, and each ends by itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.contract import Event
from twin.errors import ScenarioError
from twin.models.scenario_events import microseconds, numbers_of
from twin.models.water.metrics import orifice

if TYPE_CHECKING:
    from twin.models.water.network import Network
    from twin.view import View

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Planned:
    """The events of one kind, one entry for each row they act on.

    field   bool field with one value an entry: it lasts
    number  (n,) of the event among all of the scenario
    row     (n,) it acts on
    size    (n,) of the hole or the draw
    rows    of the table
    """

    field: str
    number: Array
    row: Array
    size: Array
    rows: int

    @classmethod
    def of(cls, kind: str, planned: Sequence[Any], field: str, size: Callable[[Any], float], rows: int) -> Planned:
        """Read the events of a kind; `size` gives the size from an event's options."""
        number = numbers_of(kind, planned)
        count = [len(planned[i].targets) for i in number]
        row = [target for i in number for target in planned[i].targets]
        sizes = np.repeat([size(planned[i].params) for i in number], count).astype(np.float64)
        return cls(field, np.repeat(number, count).astype(np.int64), np.array(row, np.int64), sizes, rows)

    @property
    def entries(self) -> int:
        """Rows that the field's table needs."""
        return max(len(self.row), 1)

    def turn(self, view: View, event: Event, lasts: bool) -> bool:
        """Begin or end an event of the scenario, and plan its end; return False for an event of the run."""
        mine = np.flatnonzero(self.number == event.data)
        if event.data < 0 or not mine.size:
            return False
        view.put(self.field, mine, lasts)
        duration = microseconds(float(event.params.get("duration", 0.0))) if lasts else 0
        if duration:
            view.schedule(f"{event.kind}_end", duration, event.target, data=event.data)
        return True

    def turn_at(self, view: View, rows: Array, lasts: bool) -> None:
        """Begin or end what acts on some rows."""
        view.put(self.field, np.flatnonzero(np.isin(self.row, rows)), lasts)

    def total(self, view: View) -> Array:
        """Return the sum of what lasts on each row."""
        return np.bincount(self.row, self.size * view[self.field][: len(self.row)], self.rows)


@dataclass(frozen=True)
class Plans:
    """What a scenario plans for a network; `spills_at` (n_pipe,) is the junction at which a burst pipe spills."""

    leaks: Planned
    draws: Planned
    spills_at: Array


def plans_of(network: Network, events: Sequence[Any], hydrants: int) -> Plans:
    """Read a scenario; raises ScenarioError for the setting of a valve that has none."""
    general = network.column("valves", "kind").astype(str) == "GPV"
    for row in [row for event in events if event.kind == "valve_set" for row in event.targets]:
        if general[row]:
            name = network.identifiers["valves"][row]
            raise ScenarioError(f"valve_set: valve {name} is a GPV, which has a curve and no setting")
    size = network.n_junction
    leaks = Planned.of("leak", events, "water_leak.lasts", lambda given: orifice(float(given["area"])), size)
    draws = Planned.of("hydrant_draw", events, "water_draw.lasts", lambda given: float(given["flow"]), hydrants)
    begin, end = network.from_node[: network.first_pump], network.to_node[: network.first_pump]
    return Plans(leaks, draws, np.where(begin < size, begin, end))
