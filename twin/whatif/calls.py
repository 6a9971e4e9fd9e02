"""The emergency calls of a fresh future, and the figures of the calls that are still to be reached."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from twin.contract import Component
    from twin.engine import Engine
    from twin.fields import State

Array = np.ndarray[Any, Any]

_RING = "call_rings"
_NEVER = 2**61
_FUTURE = 0
_TIMES = ("rung", "triaged", "dispatched", "on_scene", "at_hospital", "bay", "closed")


def renewed_calls(
    world: Engine, component: Component, fresh: Component
) -> tuple[Component, dict[str, int], Callable[[Engine], None]]:
    """Return the model with other calls from now on, the rows of `call`, and what to reschedule.

    component, fresh  emergency models of the present seed and of the other one

    Calls that have rung keep all that was drawn for them, and so do those of a surge that has begun.
    The next call on the calendar is known to nobody yet: it goes as well, and the Poisson process of
    the fresh seed goes on from now, which is exact because it has no memory. Calls of the fresh future
    take the rows of those that will not happen; what is more stands behind the last row.
    """
    old, new, now = _calls(component), _calls(fresh), world.now
    daily = int(component.daily)  # type: ignore[attr-defined]
    first = int(np.searchsorted(old["time"][:daily], now))
    coming = np.flatnonzero((new["surge"] < 0) & (new["time"] >= now))
    inside, behind = coming[: daily - first], coming[daily - first :]
    count = old["time"].shape[0]
    void = (old["surge"] < 0) & (old["time"] >= now)
    pairs = _unbegun(world, old, new)
    merged = {}
    for name, column in old.items():
        values = np.concatenate([column, new[name][behind]])
        values[first : first + inside.shape[0]] = new[name][inside]
        for here, there in pairs:
            values[here] = new[name][there]
        merged[name] = values
    void[first : first + inside.shape[0]] = False
    merged["time"][np.flatnonzero(void)] = _NEVER
    made: Any = copy(component)
    made.calls = type(component.calls)(**merged)  # type: ignore[attr-defined]
    rows = list(range(count, count + behind.shape[0])) + ([first] if inside.shape[0] else [])
    surge = old["surge"]

    def act(child: Engine) -> None:
        _reschedule(child, surge, merged["time"], rows)

    return made, {"call": count + behind.shape[0]}, act


def _calls(component: Any) -> dict[str, Array]:
    return {f.name: getattr(component.calls, f.name) for f in fields(component.calls)}


def _unbegun(world: Engine, old: dict[str, Array], new: dict[str, Array]) -> list[tuple[Array, Array]]:
    """Return rows of each surge that has not begun, in the old and in the new list; a surge has as many in both."""
    later = [i for i, event in enumerate(world.assembly.events) if event.kind == "surge" and event.time >= world.now]
    return [(np.flatnonzero(old["surge"] == i), np.flatnonzero(new["surge"] == i)) for i in later]


def _reschedule(child: Engine, surge: Array, time: Array, rows: list[int]) -> None:
    """Take the everyday calls off the calendar and put others on it."""
    state = child.state
    kind = child.assembly.kind_number[_RING]
    pending = np.flatnonzero(state["pending.alive"] & (state["pending.kind"] == kind))
    for row in pending[surge[state["pending.target"][pending]] < 0].tolist():
        child.cancel(child.pending_number(row))
    view = child.view("emergency")
    for row in rows:
        view.schedule(_RING, int(time[row]) - child.now, target=row, cause=-1)


def forget_reached(state: State, at: int) -> None:
    """Blank the calls that were reached, or gave up, before an instant; the rest is what a policy could change.

    at  us
    """
    if "call.on_scene" not in state:
        return
    reached = (state["call.on_scene"] >= 0) & (state["call.on_scene"] < at)
    closed = (state["call.closed"] >= 0) & (state["call.closed"] < at)
    rows = np.flatnonzero(reached | closed)
    for column in _TIMES:
        state[f"call.{column}"][rows] = -1
    state["call.stage"][rows] = _FUTURE
