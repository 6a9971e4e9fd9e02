"""Damage assets by earthquake, wind and age; stop what attackers and planned work stop.

Each asset has its own luck, keyed by its kind, its row and the event: what breaks under one policy
breaks under every other. Damage is an event of the network's own model (`line_failure`, ...); where a
run has no such model it is counted instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from twin.contract import Event, Setup
from twin.errors import TwinError
from twin.models.assets import KINDS, LINE, LINK, PIPE, PUMP, SUBSTATION, nodes_of
from twin.models.hazards.fragility import Curves, failure_chance, of_several, pipe_break_rate
from twin.models.scenario_events import microseconds, targets_of

if TYPE_CHECKING:
    from twin.view import View

Array = np.ndarray[Any, Any]

_FAILURE = ("substation_failure", "line_failure", "pipe_burst", "pump_failure", "road_damage")
_TABLES = ("substations", "lines", "pipes", "pumps", "links")
_YEAR = 365.25 * 86400e6
_ROWS = 10_000_000
_LEAST = 1e-6


class Damage:
    """Draw what fails, and tell the models that own it."""

    def __init__(self, setup: Setup, curves: Curves) -> None:
        self._run = setup
        self._curves = curves

    def earthquake(self, view: View, event: Event) -> None:
        """Damage the assets of an area by the shaking there."""
        area = targets_of(event, self._run.events)
        pga, pgv = float(event.params["pga"]), float(event.params["pgv"])
        for kind in (SUBSTATION, LINE, PUMP):
            chance = failure_chance(self._curves.get(("earthquake", KINDS[kind]), ()), pga)
            rows = self._inside(kind, area)
            self._strike(view, event, kind, rows, np.full(rows.shape[0], chance))
        pipes = self._inside(PIPE, area)
        if pgv > 0 and pipes.shape[0]:
            length = np.asarray(self._run.city["pipes"]["length"], dtype=np.float64)[pipes]
            self._strike(view, event, PIPE, pipes, -np.expm1(-pipe_break_rate(pgv) * length / 1000.0))

    def windstorm(self, view: View, event: Event) -> None:
        """Break lines, pole by pole, and substations of an area."""
        area = targets_of(event, self._run.events)
        gust = float(event.params["gust"])
        pole = failure_chance(self._curves.get(("wind", "pole"), ()), gust)
        lines = self._inside(LINE, area)
        if lines.shape[0]:
            length = np.asarray(self._run.city["lines"]["length"], dtype=np.float64)[lines]
            poles = np.maximum(np.ceil(length / float(event.params["span"])), 1)
            self._strike(view, event, LINE, lines, of_several(pole, poles))
        stations = self._inside(SUBSTATION, area)
        chance = failure_chance(self._curves.get(("wind", "substation"), ()), gust)
        self._strike(view, event, SUBSTATION, stations, np.full(stations.shape[0], chance))

    def ageing(self, view: View, event: Event) -> None:
        """Let assets fail by themselves: exponential times to the first failure, one each."""
        kind = KINDS.index(str(event.params["asset"]))
        table = _TABLES[kind]
        rows = np.arange(self._run.city.rows(table))
        rate = np.full(rows.shape[0], float(event.params["per_year"]))
        if rows.shape[0] and kind in (LINE, PIPE, LINK):
            rate *= np.asarray(self._run.city[table]["length"], dtype=np.float64) / 1000.0
        with np.errstate(divide="ignore"):
            wait = -np.log(self._luck(event, kind, rows)) / rate * _YEAR
        due = np.flatnonzero(wait < microseconds(event.params["duration"]))
        for i in due[np.argsort(wait[due], kind="stable")].tolist():
            self._fail(view, kind, int(rows[i]), int(wait[i]))

    def attack(self, view: View, event: Event) -> None:
        """Stop pumps until the operators have them back, or give valves another setting."""
        rows = targets_of(event, self._run.events)
        for row in rows.tolist():
            if event.kind == "attack_pumps":
                send(view, "pump_failure", 0, row, max(float(event.params["duration"]), _LEAST))
            else:
                send(view, "valve_set", 0, row, float(event.params.get("value", event.value)))

    def silence(self, view: View, event: Event) -> None:
        """Let sites carry no observation until the operators have them back."""
        for row in targets_of(event, self._run.events).tolist():
            send(view, "site_failure", 0, row)
            send(view, "site_failure_end", max(microseconds(event.params["duration"]), 1), row)

    def work(self, view: View, event: Event) -> None:
        """Switch lines off for as long as the work takes."""
        lines = targets_of(event, self._run.events)
        fresh = lines[view["line.work"][lines] == 0]
        view.put("line.work_found", fresh, view["line.closed"][fresh] if "line.closed" in view else True)
        view.put("line.work", lines, view["line.work"][lines] + 1)
        for row in fresh.tolist():
            send(view, "switch", 0, row, 0.0)
        view.schedule("planned_work_end", microseconds(event.params["duration"]), event.target, data=event.data)

    def work_over(self, view: View, event: Event) -> None:
        """Switch on again the lines that were on, where no other work is left."""
        lines = targets_of(event, self._run.events)
        view.put("line.work", lines, view["line.work"][lines] - 1)
        for row in lines[(view["line.work"][lines] == 0) & view["line.work_found"][lines]].tolist():
            send(view, "switch", 0, row, 1.0)

    def _inside(self, kind: int, area: Array) -> Array:
        """Return the rows of assets whose street node lies in the area."""
        return np.flatnonzero(np.isin(nodes_of(self._run.city, kind), area))

    def _luck(self, event: Event, kind: int, rows: Array) -> Array:
        return self._run.uniform(f"{event.kind}.{KINDS[kind]}", event.data * _ROWS + rows)

    def _strike(self, view: View, event: Event, kind: int, rows: Array, chance: Array) -> None:
        """Fail those whose luck lies below their chance; spread them over the event's duration."""
        if not rows.shape[0]:
            return
        duration = microseconds(event.params.get("duration", 0.0))
        when = self._run.uniform(f"{event.kind}.{KINDS[kind]}", event.data * _ROWS + rows, draw=1) * duration
        for i in np.flatnonzero(self._luck(event, kind, rows) < chance).tolist():
            self._fail(view, kind, int(rows[i]), int(when[i]))

    def _fail(self, view: View, kind: int, row: int, delay: int) -> None:
        send(view, _FAILURE[kind], delay, row, 0.5 if kind == PIPE else 0.0)


def send(view: View, kind: str, delay: int, target: int, value: float = 0.0, data: int = -1) -> None:
    """Schedule an event of another model; count it where the run has nobody for it."""
    try:
        view.schedule(kind, delay, target, value, data)
    except TwinError:
        view.put("hazard_count.unheard", 0, int(view["hazard_count.unheard"][0]) + 1)
        return
    view.put("hazard_count.struck", 0, int(view["hazard_count.struck"][0]) + 1)
