"""What people, failures and fires do to a water network."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.contract import Event
from twin.models.water.backend import ACTIVE, CLOSED, OPEN
from twin.models.water.metrics import orifice

if TYPE_CHECKING:
    from twin.models.water.model import Water
    from twin.view import View

Array = np.ndarray[Any, Any]


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


def _pump_automatic(water: Water, view: View, event: Event, rows: Array) -> None:
    view.put("water_link.held", water.network.first_pump + rows, False)


def _fail(water: Water, view: View, event: Event, rows: Array) -> None:
    view.put("water_link.failed", water.network.first_pump + rows, event.kind == "pump_failure")


def _valve_set(water: Water, view: View, event: Event, rows: Array) -> None:
    status = np.full(len(rows), ACTIVE)
    _by_hand(view, water.network.first_valve + rows, status, np.full(len(rows), _value(event)))


def _pipe_switch(water: Water, view: View, event: Event, rows: Array) -> None:
    _by_hand(view, rows, np.full(len(rows), OPEN if _value(event) > 0 else CLOSED), None)


def _leak_at(view: View, junctions: Array, coefficient: Array) -> None:
    """Add outflow at junctions; several holes at one of them add up."""
    leak = view.total("junction.leak")
    np.add.at(leak, junctions, coefficient)
    view.add("junction.leak", slice(None), np.maximum(leak, 0.0))


def _burst(water: Water, view: View, event: Event, rows: Array) -> None:
    """Open a hole at the first end that is a junction; mending closes the whole hole there."""
    network = water.network
    ends = np.stack([network.from_node[rows], network.to_node[rows]])
    junctions = np.where(ends[0] < network.n_junction, ends[0], ends[1])
    kept = junctions < network.n_junction
    area = np.pi / 4 * network.column("pipes", "diameter")[rows] ** 2
    share = float(event.params.get("share", event.value or 0.5))
    coefficient = np.array([orifice(a) for a in (share * area).tolist()])
    if event.kind == "pipe_burst":
        view.put("water_link.failed", rows, True)
        _leak_at(view, junctions[kept], coefficient[kept])
    else:
        view.put("water_link.failed", rows, False)
        view.add("junction.leak", np.unique(junctions[kept]), 0.0)


def _leak(water: Water, view: View, event: Event, rows: Array) -> None:
    _leak_at(view, rows, np.full(len(rows), orifice(float(event.params.get("area", event.value)))))


def _isolate(water: Water, view: View, event: Event, rows: Array) -> None:
    change = 1 if event.kind == "isolate" else -1
    for pipe in rows.tolist():
        around = water.segments.around(pipe)
        view.put("water_link.shut", around, np.maximum(view["water_link.shut"][around] + change, 0))


def _hydrant(water: Water, view: View, event: Event, rows: Array) -> None:
    """Draw from hydrants; an event of the run gives the flow as its value, 0 to stop."""
    view.put("hydrant.flow", rows, float(event.params.get("flow", event.value)))
    draw = np.bincount(water.hydrant, view["hydrant.flow"], water.network.n_junction)
    view.add("junction.draw", slice(None), draw)


def _end(water: Water, view: View, event: Event, rows: Array) -> None:
    """Undo what was to last for a while: `data` is the place of its kind in ENDS."""
    kind, row = ENDS[event.data], np.array([event.target])
    if kind == "pump_failure":
        view.put("water_link.failed", water.network.first_pump + row, False)
    elif kind == "hydrant_draw":
        view.put("hydrant.flow", row, 0.0)
        draw = np.bincount(water.hydrant, view["hydrant.flow"], water.network.n_junction)
        view.add("junction.draw", slice(None), draw)
    elif kind == "leak":
        view.add("junction.leak", row, 0.0)
    else:
        _burst(water, view, event, row)


ENDS = ("pump_failure", "pipe_burst", "leak", "hydrant_draw")
ACTS: dict[str, Callable[[Water, View, Event, Array], None]] = {
    "pump_switch": _pump_switch,
    "pump_speed": _pump_speed,
    "pump_automatic": _pump_automatic,
    "pump_failure": _fail,
    "pump_repair": _fail,
    "valve_set": _valve_set,
    "pipe_switch": _pipe_switch,
    "pipe_burst": _burst,
    "pipe_repair": _burst,
    "leak": _leak,
    "isolate": _isolate,
    "reopen": _isolate,
    "hydrant_draw": _hydrant,
    "water_end": _end,
}
