"""Scenario events that last, and what stands on each row while several of them overlap."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from twin.contract import Event
from twin.models.scenario_events import numbers_of

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Standing:
    """The events of one kind that a scenario plans.

    The model that owns the kind keeps one flag an event, set while it lasts. The end of one then
    leaves what the others do, whichever began first.

    number   their numbers among all events of the scenario
    targets  rows each acts on
    share    (n_event,)  how strongly
    """

    number: list[int]
    targets: list[Array]
    share: Array

    @classmethod
    def of(cls, kind: str, planned: Sequence[Any], strength: Callable[[Any], float]) -> Standing:
        """Read the events of a kind; `strength` gives the share from an event's options."""
        number = numbers_of(kind, planned)
        targets = [np.array(planned[i].targets, dtype=np.int64) for i in number]
        return cls(number, targets, np.array([strength(planned[i].params) for i in number], dtype=np.float64))

    def row(self, event: Event) -> int:
        """Return which of them an event or its end belongs to, -1 for none: an order."""
        return self.number.index(event.data) if event.data in self.number else -1

    def highest(self, lasting: Array, rows: int) -> Array:
        """Return the largest share of those that last, on each of a number of rows."""
        out = np.zeros(rows)
        for i in np.flatnonzero(lasting).tolist():
            out[self.targets[i]] = np.maximum(out[self.targets[i]], self.share[i])
        return out

    def lowest(self, lasting: Array, usual: Array) -> tuple[Array, Array]:
        """Return the least share of those that last, where less than usual, and which of them it is or -1."""
        out, which = usual.copy(), np.full(len(usual), -1)
        for i in np.flatnonzero(lasting).tolist():
            lower = self.targets[i][out[self.targets[i]] > self.share[i]]
            out[lower], which[lower] = self.share[i], i
        return out, which

    def total(self, lasting: Array, rows: int) -> Array:
        """Return the sum of the shares of those that last, on each of a number of rows."""
        out = np.zeros(rows)
        for i in np.flatnonzero(lasting).tolist():
            out[self.targets[i]] += self.share[i]
        return out
