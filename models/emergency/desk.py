"""The dispatch desk: carry out the order to send a unit, if it still can be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from twin.models.emergency.tables import (
    ALERTED,
    DISPATCHED,
    NO_DISPATCHER,
    NO_PLACE,
    NOT_ABLE,
    NOT_FREE,
    RETURNING,
    TO_SCENE,
    WAITING,
)

if TYPE_CHECKING:
    from twin.contract import Event
    from twin.view import View


def carry_out(view: View, event: Event, dispatch_time: int, silence: int) -> None:
    """Send unit `event.value` to call `event.target`; the order fails when it cannot be.

    An order for a call that has a unit already is dropped: two decisions can
    cross while the first order is on its way. A unit on its way to a less urgent
    call is taken from it where the table of upgrades allows it.

    dispatch_time  us a dispatcher works on an order
    silence        event that silenced the area of the unit, -1 for none
    """
    call, unit = event.target, round(event.value)
    if int(view["call.stage"][call]) != WAITING:
        return
    idle = np.flatnonzero(view["dispatcher.idle"])
    why = NO_DISPATCHER if not idle.shape[0] else _refusal(view, call, unit)
    if why:
        view.raw("desk.failed_orders")[0] += 1
        view.emit("dispatch_failed", call, float(unit), why)
        return
    view.put("dispatcher.idle", int(idle[0]), False)
    view.schedule("dispatcher_free", dispatch_time, target=int(idle[0]))
    order = view.emit("unit_dispatched", call, float(unit), unit, [event.id, int(view["call.event"][call]), silence])
    view.because(order)
    if not view["unit.free"][unit]:
        _take_from(view, unit, order)
    view.put("unit.free", unit, False)
    view.put("unit.call", unit, call)
    view.put("unit.order", unit, order)
    view.put("unit.stage", unit, ALERTED)
    record(view, call, DISPATCHED, order, dispatched=view.now, unit=unit)
    job = int(view["unit.job"][unit])
    if job >= 0:
        view.interrupt(job, "alert")
    else:
        view.put("unit.job", unit, view.begin("mission", unit))


def _refusal(view: View, call: int, unit: int) -> int:
    """Return why a unit cannot be sent to a call, 0 when it can."""
    if not 0 <= unit < view.rows("unit"):
        return NOT_FREE
    need = int(view["call.need"][call])
    if int(view["unit.can"][unit]) & need != need:
        return NOT_ABLE
    return 0 if view["unit.free"][unit] or _may_take(view, call, unit) else NOT_FREE


def _may_take(view: View, call: int, unit: int) -> bool:
    """Tell whether a unit may leave the call it is under way to for another one."""
    if int(view["unit.stage"][unit]) not in (ALERTED, TO_SCENE):
        return False
    old, new = (int(view["call.priority"][c]) for c in (int(view["unit.call"][unit]), call))
    return bool(view["desk.upgrade"][0, old - 1, new - 1])


def _take_from(view: View, unit: int, order: int) -> None:
    """Let the call a unit is under way to wait for another one."""
    old = int(view["unit.call"][unit])
    event = view.emit("call_preempted", old, float(unit), unit, [order, int(view["call.event"][old])])
    view.raw("desk.preempted")[0] += 1
    view.put("call.preempted", old, int(view["call.preempted"][old]) + 1)
    record(view, old, WAITING, event, dispatched=-1, unit=-1)


def move(view: View, event: Event) -> bool:
    """Make station `event.value` the place unit `event.target` goes back to; set it off when it is idle.

    Return whether the unit has to be sent on its way now: it stands at a station. The order
    fails for a unit that is not free and for a station that does not exist.
    """
    unit, station = event.target, round(event.value)
    known = 0 <= station < view.city.rows("stations")
    if not known or not view["unit.free"][unit]:
        view.raw("desk.failed_orders")[0] += 1
        view.emit("move_failed", unit, float(station), NOT_FREE if known else NO_PLACE)
        return False
    if int(view["unit.station"][unit]) == station:
        return False
    view.because(view.emit("unit_moved", unit, float(station), unit))
    view.raw("desk.moves")[0] += 1
    view.put("unit.station", unit, station)
    job = int(view["unit.job"][unit])
    if job >= 0:
        view.interrupt(job, "back")
        return False
    view.put("unit.stage", unit, RETURNING)
    return True


def record(view: View, call: int, stage: int, event: int, **columns: int) -> None:
    """Write the stage of a call, the event behind it, and other columns of its row."""
    view.put("call.stage", call, stage)
    view.put("call.event", call, event)
    for column, value in columns.items():
        view.put(f"call.{column}", call, value)
    if view["call.scenario"][call] >= 0:
        view.put("call.help", call, stage, event)
