"""Name gridlocks of a run, and let them go where the scenario says so."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.contract import SECOND
from twin.models.traffic.publish import blockers as events_behind

if TYPE_CHECKING:
    from twin.kernels.traffic_layout import Traffic as Arrays
    from twin.models.traffic.model import Traffic
    from twin.view import View

Array = np.ndarray[Any, Any]

REPORT, RELAX = "report", "relax"
_SHOWN = 12


class GridlockWarning(UserWarning):
    """Links of a cycle wait for each other; nobody on them moves."""


def watch(model: Traffic, view: View, arrays: Arrays) -> None:
    """Report every new gridlock, and move on those that have lasted, if the option says so.

    A gridlock is an event `gridlock` (target: a link of the cycle, value: its
    links) with one event `gridlock_link` per link, in driving direction.
    """
    held = view["link.gridlocked"]
    cycles = [[row for row in cycle if row < held.size] for cycle in find(arrays)]
    now = np.zeros(held.shape[0], dtype=bool)
    for cycle in cycles:
        now[cycle] = True
        if not held[cycle].all():
            _report(model, view, cycle)
    if cycles or held.any():
        view.raw("link.gridlocked")[...] = now
    if cycles and model.run_options["gridlock"] == RELAX:
        _relax(model, view, arrays)


def find(arrays: Arrays) -> list[list[int]]:
    """Return the cycles of full links each of whose first vehicles waits for the next.

    Most instants have none: links that wait for one that does not are struck
    out, over and over, before any cycle is looked for.
    """
    from twin.kernels.traffic_probe import blockers, gridlocks

    target = blockers(arrays.network, arrays.state)
    waits = target >= 0
    while waits.any():
        left = waits & waits[target]
        if (left == waits).all():
            return gridlocks(arrays.network, arrays.settings, arrays.state)
        waits = left
    return []


def say(names: Sequence[Any], when: str = "") -> None:
    """Warn of a gridlock, name its links, and say when it was."""
    shown = " -> ".join(map(str, names[:_SHOWN])) + (f" -> ({len(names) - _SHOWN} more)" if len(names) > _SHOWN else "")
    warnings.warn(f"gridlock{when}: {shown} -> {names[0]}", GridlockWarning, stacklevel=4)


def _report(model: Traffic, view: View, cycle: list[int]) -> None:
    causes = list(dict.fromkeys(event for row in cycle for event in events_behind(model, view, row)))
    event = view.emit("gridlock", cycle[0], len(cycle), causes=causes)
    for row, following in zip(cycle, [*cycle[1:], cycle[0]], strict=True):
        view.emit("gridlock_link", row, data=following, causes=[event])
    links = view.city["links"]
    say([links["id"][row] for row in cycle], f" {view.now / SECOND:.0f} s after the start")


def _relax(model: Traffic, view: View, arrays: Arrays) -> None:
    from twin.kernels.traffic_arrays import new_log
    from twin.kernels.traffic_relax import relax

    wait = round(float(model.run_options["gridlock_wait"]) * SECOND)
    for cycle in relax(arrays, new_log(0), wait):
        view.emit("gridlock_relaxed", cycle[0], len(cycle), causes=[])
