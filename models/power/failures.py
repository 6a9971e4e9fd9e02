"""Fail, cut off and mend parts of the grid, and clear faults by breakers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from twin.contract import Event, Setup
from twin.models.power.grid import feeding
from twin.models.power.protection import FAULT, Protection
from twin.models.power.storm import storm_failures
from twin.models.scenario_events import microseconds, targets_of

if TYPE_CHECKING:
    from twin.view import View

Array = np.ndarray[Any, Any]

_TABLES = ("substation", "line")


def change(view: View, table: str, column: str, rows: Any, value: Any, cause: int | None = None) -> Array:
    """Write a state of lines or substations and ask for a new search; return the rows that changed."""
    changed = view.put(f"{table}.{column}", rows, value, cause)
    if len(changed):
        view.put(f"{table}.event", changed, view.cause_id if cause is None else cause)
        view.put("grid.changes", 0, view["grid.changes"][0] + 1)
    return changed


class Failures:
    """What happens to substations and lines: failures, blackouts, storms, repairs."""

    def __init__(self, setup: Setup, protection: Protection) -> None:
        self._run, self._protection = setup, protection

    def fail(self, view: View, event: Event) -> None:
        """Fail parts; of two failures at once the one that lasts longer counts."""
        table = event.kind.removesuffix("_failure")
        rows = targets_of(event, self._run.events)
        already = view[f"{table}.failed"][rows]
        clearing = self._clearing(view, rows[~already]) if table == "line" else []
        change(view, table, "failed", rows, True)
        for breaker in clearing:
            trip = view.emit("breaker_trip", breaker)
            change(view, "line", "closed", breaker, False, trip)
            view.put("line.tripped", breaker, FAULT)
        duration = microseconds(event.params.get("duration", 0.0))
        end = view.now + duration if duration else -1
        before = view[f"{table}.until"][rows]
        until = np.where(already & ((before < 0) | (end < 0)), -1, np.where(already, np.maximum(before, end), end))
        view.put(f"{table}.until", rows, until)
        for row in rows.tolist() if duration else []:
            view.schedule("failure_end", duration, row, data=_TABLES.index(table))

    def _clearing(self, view: View, lines: Array) -> list[int]:
        """Return the breakers that open for faults on lines that are not failed yet."""
        works = view["line.closed"] & ~view["line.failed"]
        return [int(row) for row in self._protection.clearing(feeding(view), works, lines)]

    def _reclose(self, view: View) -> None:
        """Close breakers that opened for faults of which none is left below them."""
        opened = view["line.tripped"] == FAULT
        failed = np.flatnonzero(view["line.failed"])
        needed = self._protection.clearing(feeding(view), view["line.closed"] | opened, failed) if opened.any() else ()
        for breaker in np.flatnonzero(opened).tolist():
            if breaker not in needed:
                change(view, "line", "closed", breaker, True)
                view.put("line.tripped", breaker, 0)

    def mend(self, view: View, event: Event) -> None:
        """Put a failed part back in service; a planned end holds only for its own failure."""
        table = _TABLES[event.data]
        if event.kind == "power_repair" or view[f"{table}.until"][event.target] == view.now:
            change(view, table, "failed", event.target, False)
            view.put(f"{table}.until", event.target, -1)
            self._reclose(view)

    def cut(self, view: View, event: Event) -> None:
        begins = event.kind == "blackout"
        rows = targets_of(event, self._run.events)
        change(view, "substation", "cut", rows, view["substation.cut"][rows] + (1 if begins else -1))
        if begins and event.params.get("duration", 0.0):
            view.schedule("blackout_end", microseconds(event.params["duration"]), event.target, data=event.data)

    def storm(self, view: View, event: Event) -> None:
        """Let lines fail one by one over the storm, each by its own random numbers."""
        lines = targets_of(event, self._run.events)
        length = view.city["lines"]["length"][lines]
        for line, delay in storm_failures(self._run, event, lines, length):
            view.schedule("line_failure", delay, line)
