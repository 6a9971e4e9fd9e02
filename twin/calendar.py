"""Pending events: rows are the truth, simpy is the clock.

Each row (due, priority, seq, kind, target, value, data, cause) has one simpy
event, made in the statement that writes the row. A restored or branched world
arms its rows in seq order on a fresh Environment, so it goes on exactly alike.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop
from math import inf
from typing import NamedTuple

import numpy as np
import simpy

from twin.fields import Field, State
from twin.rows import give_back, list_fields, take

PENDING = (
    Field("pending.due", "int64", "us", "when the event acts"),
    Field("pending.priority", "int64", "1", "order among events of one instant"),
    Field("pending.seq", "int64", "1", "order of writing, unique for ever"),
    Field("pending.kind", "int64", "1", "number of the kind of event"),
    Field("pending.target", "int64", "1", "row the event acts on"),
    Field("pending.value", "float64", "1", "a number in the unit of the kind"),
    Field("pending.data", "int64", "1", "a second integer"),
    Field("pending.cause", "int64", "1", "event behind this one, -1 for none"),
    *list_fields("pending"),
)

LATER = 2**62
"""In place of a priority: nothing is due now."""

# simpy grants resources at priority 1 (NORMAL); rows come after the grants of their instant.
_AFTER_GRANTS = 2


class Plan(NamedTuple):
    """What is to happen: the columns of a pending row that its writer chooses."""

    kind: str
    priority: int
    target: int = -1
    value: float = 0.0
    data: int = -1
    cause: int = -1


class _Due(simpy.Event):
    """The simpy event of a pending row."""


class Calendar:
    """The pending rows of one world and the simpy clock that wakes them."""

    def __init__(self, state: State, now: int, fire: Callable[[int], None]) -> None:
        self._state = state
        self._fire = fire
        self.env: simpy.Environment = simpy.Environment(initial_time=now)

    def arm_all(self) -> None:
        """Arm every living row in seq order."""
        state = self._state
        rows = np.flatnonzero(state["pending.alive"])
        rows = rows[np.argsort(state["pending.seq"][rows], kind="stable")]
        due, priority, seq = (state[f"pending.{c}"][rows].tolist() for c in ("due", "priority", "seq"))
        for row, at, order, number in zip(rows.tolist(), due, priority, seq, strict=True):
            self._arm(row, at, order, number)

    def _arm(self, row: int, due: int, priority: int, seq: int) -> None:
        event = _Due(self.env)
        event._ok = True
        event._value = (row, seq)
        event.callbacks.append(self._wake)
        self.env.schedule(event, priority + _AFTER_GRANTS, due - self.env.now)  # type: ignore[arg-type]

    def _lives(self, event: simpy.Event) -> bool:
        row, seq = event._value
        cells = self._state.cells
        lives: bool = cells["pending.seq"][row] == seq and cells["pending.alive"][row]
        return lives

    def _wake(self, event: simpy.Event) -> None:
        if self._lives(event):
            self._fire(event._value[0])

    def add(self, due: int, seq: int, kind: int, plan: Plan) -> int:
        """Write a row and arm it; return the row."""
        row = take(self._state, "pending")
        cells = self._state.cells
        cells["pending.due"][row] = due
        cells["pending.priority"][row] = plan.priority
        cells["pending.seq"][row] = seq
        cells["pending.kind"][row] = kind
        cells["pending.target"][row] = plan.target
        cells["pending.value"][row] = plan.value
        cells["pending.data"][row] = plan.data
        cells["pending.cause"][row] = plan.cause
        self._arm(row, due, plan.priority, seq)
        return row

    def drop(self, row: int) -> None:
        """Free a row; its simpy event finds it gone and does nothing."""
        give_back(self._state, "pending", row)

    def peek(self) -> float:
        """Return the time of the next event that will do something, inf when there is none.

        Events of dropped rows are thrown away first: a restored clock does not have them, and an
        instant at which nothing happens must not exist in one and not in the other.
        """
        queue = self.env._queue
        while queue:
            due, _, _, event = queue[0]
            if not isinstance(event, _Due) or self._lives(event):
                return due
            heappop(queue)
        return inf

    def due(self, time: int) -> int:
        """Return the priority of the next event if it is at `time`, else LATER; below 0 for a grant of simpy."""
        return int(self.env._queue[0][1]) - _AFTER_GRANTS if self.peek() == time else LATER
