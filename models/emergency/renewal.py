"""What a future changes for the emergency model: hooks that what-if calls.

Calls that have rung keep all that was drawn for them, and so do incidents and surges that have
begun. The next call on the calendar is known to nobody yet: it goes as well, and the Poisson process
of the fresh seed goes on from now, which is exact because it has no memory. What comes
instead stands behind the last row; rows of what will not happen keep a time that never comes.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import fields, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.models.emergency.calls import CallList, joined
from twin.models.emergency.incidents import RINGS, Requests, draw_requests

if TYPE_CHECKING:
    from twin.contract import Setup
    from twin.models.emergency.service_plan import ServicePlan
    from twin.models.emergency.standstill import Standstill
    from twin.view import View
    from twin.whatif.future import Renewal
    from twin.world import World

Array = np.ndarray[Any, Any]

_RING = "call_rings"
_NEVER = 2**61
_TIMES = ("rung", "answered", "triaged", "dispatched", "on_scene", "at_hospital", "bay", "closed")
_COUNTS = ("call.preempted", "call.worsened")
_FUTURE = 0


class Futures:
    """Part of the emergency model that what-if asks."""

    plan: ServicePlan
    requests: Requests
    calls: CallList
    several: Array
    rings: Array
    daily: Array
    past: Mapping[str, Array] = MappingProxyType({})
    """What had been counted by call when the future began."""

    def take_requests(self, requests: Requests) -> None:
        """Make requests those of the run; those of every day ring in the order of their rows."""
        self.requests, self.calls = requests, requests.calls
        self.several = np.bincount(requests.lead[~requests.referred], minlength=requests.lead.shape[0]) > 1
        self.rings = requests.role == RINGS
        self.daily = np.flatnonzero((self.calls.surge < 0) & self.rings & (self.calls.time < _NEVER))

    def renewed(self, view: View, setup: Setup) -> Renewal:
        """Return the model with the calls of another seed from now on."""
        from twin.whatif.future import Renewal

        old, drawn, now = self.requests, draw_requests(setup, self.plan), view.now
        begun = np.array([event.time < now for event in setup.events], dtype=bool)
        gone, coming = ~_known(old, begun, now), ~_known(drawn, begun, now)
        merged = _merged(_voided(old, gone), drawn, np.flatnonzero(coming))
        made: Any = copy(self)
        made.take_requests(merged)
        made.past = {name: view[name].copy() for name in _COUNTS}
        count, surge = gone.shape[0], old.calls.surge
        behind = made.daily[made.daily >= count]

        def act(child: Any) -> None:
            _take_off(child, surge)
            if behind.size:
                first = int(behind[0])
                child.view("emergency").schedule(_RING, int(merged.calls.time[first]) - child.now, first, cause=-1)

        return Renewal(made, {"call": merged.lead.shape[0]}, act)

    def forget(self, view: View, at: int) -> None:
        """Blank what no policy can change after the instant (us) the future began.

        That is calls reached, or ended, before it, and how often calls had lost a unit or worsened by then.
        """
        reached = (view["call.on_scene"] >= 0) & (view["call.on_scene"] < at)
        closed = (view["call.closed"] >= 0) & (view["call.closed"] < at)
        rows = np.flatnonzero(reached | closed)
        for name in _TIMES:
            view.raw(f"call.{name}")[rows] = -1
        view.raw("call.stage")[rows] = _FUTURE
        for name, counted in self.past.items():
            view.raw(name)[: counted.shape[0]] -= counted

    def standstill(self, world: World, frozen: frozenset[str]) -> Standstill:
        """Return the compiled branches of a state in which all else stands still."""
        from twin.models.emergency.standstill import Standstill

        return Standstill(world, frozen)


def _known(requests: Requests, begun: Array, now: int) -> Array:
    """Tell which requests are known at an instant (us): their first call has rung, or their event has begun.

    begun  by scenario event
    """
    calls, lead = requests.calls, requests.lead
    event = calls.surge[lead]
    rung = calls.time[lead] < now
    if not begun.size:
        return np.asarray(rung)
    return np.asarray(np.where(event >= 0, begun[np.maximum(event, 0)], rung))


def _voided(requests: Requests, gone: Array) -> Requests:
    """Return requests of which some never happen."""
    calls = requests.calls
    time, surge = np.where(gone, _NEVER, calls.time), np.where(gone, -1, calls.surge)
    return replace(requests, calls=replace(calls, time=time, surge=surge))


def _merged(old: Requests, drawn: Requests, rows: Array) -> Requests:
    """Return requests with some of another draw behind them; incidents are drawn as a whole."""
    place = np.full(drawn.lead.shape[0], -1)
    place[rows] = old.lead.shape[0] + np.arange(rows.shape[0])
    columns: dict[str, Any] = {"calls": joined([old.calls, drawn.calls.taken(rows)])}
    for name in (column.name for column in fields(Requests)):
        if isinstance(getattr(old, name), np.ndarray):
            columns[name] = np.concatenate([getattr(old, name), getattr(drawn, name)[rows]])
    columns["lead"] = np.concatenate([old.lead, place[drawn.lead[rows]]])
    return replace(old, **columns)


def _take_off(child: Any, surge: Array) -> None:
    """Take the everyday calls of the present seed off the calendar.

    surge  of each request of the present seed
    """
    state = child.state
    pending = np.flatnonzero(state["pending.alive"] & (state["pending.kind"] == child.assembly.kind_number[_RING]))
    for row in pending[surge[state["pending.target"][pending]] < 0].tolist():
        child.cancel(child.pending_number(row))
