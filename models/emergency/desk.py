"""The dispatch desk: carry out the order to send a unit, if it still can be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from twin.models.emergency.tables import ALERTED, DISPATCHED, NO_DISPATCHER, NOT_FREE, WAITING

if TYPE_CHECKING:
    from twin.contract import Event
    from twin.view import View


def carry_out(view: View, event: Event, dispatch_time: int, silence: int) -> None:
    """Send unit `event.value` to call `event.target`; the order fails when the unit is not free.

    An order for a call that has a unit already is dropped: two decisions can
    cross while the first order is on its way.

    dispatch_time  us a dispatcher works on an order
    silence        event that silenced the area of the unit, -1 for none
    """
    call, unit = event.target, round(event.value)
    if int(view["call.stage"][call]) != WAITING:
        return
    idle = np.flatnonzero(view["dispatcher.idle"])
    free = 0 <= unit < view.rows("unit") and view["unit.free"][unit]
    if not idle.shape[0] or not free:
        view.raw("desk.failed_orders")[0] += 1
        view.emit("dispatch_failed", call, float(unit), NOT_FREE if idle.shape[0] else NO_DISPATCHER)
        return
    view.put("dispatcher.idle", int(idle[0]), False)
    view.schedule("dispatcher_free", dispatch_time, target=int(idle[0]))
    order = view.emit("unit_dispatched", call, float(unit), unit, [event.id, int(view["call.event"][call]), silence])
    view.because(order)
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


def record(view: View, call: int, stage: int, event: int, **columns: int) -> None:
    """Write the stage of a call, the event behind it, and other columns of its row."""
    view.put("call.stage", call, stage)
    view.put("call.event", call, event)
    for column, value in columns.items():
        view.put(f"call.{column}", call, value)
