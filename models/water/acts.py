"""What people, failures and fires do to a water network."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.contract import Event
from twin.models.scenario_events import microseconds
from twin.models.water.backend import ACTIVE, CLOSED, OPEN
from twin.models.water.metrics import orifice

if TYPE_CHECKING:
    from twin.models.water.model import Water
    from twin.view import View

Array = np.ndarray[Any, Any]
_NEVER = 2**62


def ask(view: View) -> None:
    """Ask for a solution at this instant."""
    view.put("water.changes", 0, view["water.changes"][0] + 1)


def _value(event: Event) -> float:
    return float(event.params.get("value", event.value))


def _by_hand(view: View, links: Array, status: Any, setting: Any) -> None:
    """Leave links in a state that controls and rules do not touch."""
    view.put("water_link.status", links, status)
    view.put("water_link.closed", links, np.asarray(status) == CLOSED)
    view.put("water_link.held", links, True)
    view.put("water_link.order", links, view.cause_id)
    if setting is not None:
        view.put("water_link.setting", links, setting)


def _pump_switch(water: Water, view: View, event: Event, rows: Array) -> None:
    links = water.network.first_pump + rows
    on = _value(event) > 0
    rated = water.network.column("pumps", "speed")[rows]
    _by_hand(view, links, np.full(len(rows), OPEN if on else CLOSED), np.where(on, np.where(rated > 0, rated, 1), 0.0))


def _pump_speed(water: Water, view: View, event: Event, rows: Array) -> None:
    speed = _value(event)
    status = np.full(len(rows), OPEN if speed > 0 else CLOSED)
    _by_hand(view, water.network.first_pump + rows, status, np.full(len(rows), speed))


def _protect(water: Water, view: View, event: Event, rows: Array) -> None:
    """Let one more protection stop a pump, or one less; orders, controls and rules stay as they are."""
    links = water.network.first_pump + rows
    change = 1 if event.value > 0 else -1
    view.put("water_link.cut_out", links, np.maximum(view["water_link.cut_out"][links] + change, 0))


def _automatic(water: Water, view: View, event: Event, rows: Array) -> None:
    """Let pumps, valves or pipes obey controls and rules again, from the state they are in."""
    network = water.network
    first = {"pump_automatic": network.first_pump, "valve_automatic": network.first_valve, "pipe_automatic": 0}
    view.put("water_link.held", first[event.kind] + rows, False)


def _valve_set(water: Water, view: View, event: Event, rows: Array) -> None:
    """Give valves a setting; a GPV has none, and an order to set one is only logged."""
    general = water.network.column("valves", "kind")[rows].astype(str) == "GPV"
    for row in rows[general].tolist():
        view.emit("valve_refused", row, _value(event), causes=[event.id])
    rows = rows[~general]
    status = np.full(len(rows), ACTIVE)
    _by_hand(view, water.network.first_valve + rows, status, np.full(len(rows), _value(event)))


def _valve_switch(water: Water, view: View, event: Event, rows: Array) -> None:
    """Open valves fully or close them; neither keeps a setting."""
    status = np.full(len(rows), OPEN if _value(event) > 0 else CLOSED)
    _by_hand(view, water.network.first_valve + rows, status, np.full(len(rows), np.nan))


def _pipe_switch(water: Water, view: View, event: Event, rows: Array) -> None:
    _by_hand(view, rows, np.full(len(rows), OPEN if _value(event) > 0 else CLOSED), None)


def _fail(water: Water, view: View, event: Event, rows: Array) -> None:
    """Fail pumps or pipes; of several failures of one, the last to end counts."""
    links = rows + (water.network.first_pump if event.kind == "pump_failure" else 0)
    lasts = microseconds(float(event.params.get("duration", event.value if event.kind == "pump_failure" else 0.0)))
    ends = view.now + lasts if lasts else _NEVER
    view.put("water_link.failed", links, True)
    view.put("water_link.until", links, np.maximum(view["water_link.until"][links], ends))
    if event.kind == "pipe_burst":
        area = np.pi / 4 * water.network.column("pipes", "diameter")[rows] ** 2
        share = float(event.params.get("share", event.value))
        hole = np.array([orifice(a) for a in (share * area).tolist()])
        view.put("water_link.hole", links, np.maximum(view["water_link.hole"][links], hole))
        spill(water, view)
    if lasts:
        view.schedule(f"{event.kind}_end", lasts, event.target, data=event.data)


def _fail_end(water: Water, view: View, event: Event, rows: Array) -> None:
    """End failures whose time is over."""
    links = rows + (water.network.first_pump if event.kind == "pump_failure_end" else 0)
    _works_again(water, view, links[view["water_link.until"][links] <= view.now])


def _mend(water: Water, view: View, event: Event, rows: Array) -> None:
    """Repair pumps or pipes, whatever failed them."""
    _works_again(water, view, rows + (water.network.first_pump if event.kind == "pump_repair" else 0))


def _works_again(water: Water, view: View, links: Array) -> None:
    view.put("water_link.failed", links, False)
    view.put("water_link.until", links, 0)
    if len(view.put("water_link.hole", links, 0.0)):
        spill(water, view)


def _leak(water: Water, view: View, event: Event, rows: Array) -> None:
    """Open holes at junctions: those the scenario plans, or one more that an event of the run asks for."""
    if not water.plans.leaks.turn(view, event, True):
        more = np.bincount(rows, minlength=water.network.n_junction) * orifice(_value(event))
        view.put("junction.hole", slice(None), view["junction.hole"] + more)
    spill(water, view)


def _leak_end(water: Water, view: View, event: Event, rows: Array) -> None:
    water.plans.leaks.turn(view, event, False)
    spill(water, view)


def _leak_repair(water: Water, view: View, event: Event, rows: Array) -> None:
    """Close every hole at junctions; those in pipes stay."""
    view.put("junction.hole", rows, 0.0)
    water.plans.leaks.turn_at(view, rows, False)
    spill(water, view)


def spill(water: Water, view: View) -> None:
    """Add up the holes at each junction; one in a pipe that is shut off or closed spills nothing."""
    holes = view["water_link.hole"]
    leak = view["junction.hole"] + water.plans.leaks.total(view)
    if holes.any():
        passes = (view["water_link.shut"] == 0) & (view["water_link.status"] != CLOSED)
        np.add.at(leak, water.plans.spills_at, np.where(passes, holes, 0.0)[: len(water.plans.spills_at)])
    view.add("junction.leak", slice(None), leak)


def _isolate(water: Water, view: View, event: Event, rows: Array) -> None:
    change = 1 if event.kind == "isolate" else -1
    for pipe in rows.tolist():
        around = water.segments.around(pipe)
        view.put("water_link.shut", around, np.maximum(view["water_link.shut"][around] + change, 0))


def _hydrant(water: Water, view: View, event: Event, rows: Array) -> None:
    """Draw from hydrants; an event of the run says as its value how much all but the scenario draw, 0 for nothing."""
    if not water.plans.draws.turn(view, event, event.kind == "hydrant_draw"):
        view.put("hydrant.ordered", rows, event.value)
    flow = view["hydrant.ordered"] + water.plans.draws.total(view)
    view.put("hydrant.flow", slice(None), flow)
    view.add("junction.draw", slice(None), np.bincount(water.service.hydrant, flow, water.network.n_junction))


ACTS: dict[str, Callable[[Water, View, Event, Array], None]] = {
    "pump_switch": _pump_switch,
    "pump_speed": _pump_speed,
    "pump_protection": _protect,
    "pump_automatic": _automatic,
    "valve_automatic": _automatic,
    "pipe_automatic": _automatic,
    "pump_failure": _fail,
    "pump_failure_end": _fail_end,
    "pump_repair": _mend,
    "valve_set": _valve_set,
    "valve_switch": _valve_switch,
    "pipe_switch": _pipe_switch,
    "pipe_burst": _fail,
    "pipe_burst_end": _fail_end,
    "pipe_repair": _mend,
    "leak": _leak,
    "leak_end": _leak_end,
    "leak_repair": _leak_repair,
    "isolate": _isolate,
    "reopen": _isolate,
    "hydrant_draw": _hydrant,
    "hydrant_draw_end": _hydrant,
}
