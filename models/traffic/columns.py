"""Fields that hold the arrays of the traffic kernel, and the way back.

Each array of the kernel's State, and each Setting a run may change, is one
Field; `kernel_state` and `kernel_settings` hand them to the kernel as they lie.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twin.fields import Field
from twin.kernels.traffic_arrays import LINK_COLUMNS, RING_COLUMNS, Settings, State

if TYPE_CHECKING:
    from twin.view import View

_OF_STATE = {
    "clock": Field("traffic_clock.value", "int64", "us", "kernel clock and window"),
    "head_ready": Field("queue.head_ready", "int64", "us", "when the first vehicle is ready to leave"),
    "head_next": Field("queue.head_next", "int64", "1", "link the first vehicle goes to, or a sink"),
    "link_open": Field("entry.free", "int64", "us", "when a link or sink can take its next vehicle"),
    "link": Field("road.queue", "int64", "1", "counters of the queue: links, then pockets", width=(LINK_COLUMNS,)),
    "ring": Field("ring.row", "int64", "1", "vehicles of a link, first in first out", width=(RING_COLUMNS,)),
    "ring_ready": Field("ring.ready", "int64", "us", "when a vehicle is ready whose free-flow time has changed"),
    "origin_next": Field("origin.next", "int64", "1", "next vehicle to depart"),
    "group_next": Field("group.next", "int64", "us", "nothing happens in the group before this"),
    "movement_tag": Field("movement.tag", "int64", "1", "fair-queueing tag of the last vehicle"),
    "virtual_time": Field("road.virtual_time", "int64", "1", "fair-queueing time of the link"),
    "phase": Field("node.phase", "int32", "1", "actuated phase that has green"),
    "phase_from": Field("node.phase_from", "int64", "us", "start of its green"),
    "phase_gap": Field("node.phase_gap", "int64", "us", "end of its green if nobody comes"),
    "stop_free": Field("node.stop_free", "int64", "us", "next vehicle at a dark signal"),
    "tally": Field("outcome.vehicles", "int64", "1", "vehicles waiting, driving, arrived, stranded, cancelled"),
    "arrival": Field("vehicle.arrival", "int64", "us", "arrival, -1 until then", -1),
    "outcome": Field("vehicle.outcome", "int8", "1", "waiting, driving, arrived, stranded or cancelled"),
}
_OF_SETTINGS = {
    "free_flow": Field("road.free_flow", "int64", "us", "travel time without delay"),
    "headway": Field("road.headway", "int64", "us", "between cars, at the entry and the exit"),
    "storage": Field("road.storage", "int64", "1", "room for vehicles, 1/1000 PCU"),
    "closed": Field("road.closed", "int8", "1", "1 admits nobody"),
    "control": Field("node.control", "int8", "1", "none, fixed time, actuated or dark"),
    "informed": Field("next_hop.informed", "int32", "1", "next link of drivers who know the present times"),
    "habitual": Field("next_hop.habitual", "int32", "1", "next link of drivers who know free-flow times"),
}
KERNEL_FIELDS = (*_OF_STATE.values(), *_OF_SETTINGS.values())
TABLES = {"clock": "traffic_clock", "head_ready": "queue", "link_open": "entry", "link": "road", "ring": "ring"} | {
    "origin_next": "origin",
    "group_next": "group",
    "movement_tag": "movement",
    "tally": "outcome",
    "arrival": "vehicle",
}


def rows_of(settings: Settings, state: State) -> dict[str, int]:
    """Return the rows of every table that only the kernel knows."""
    rows = {table: getattr(state, name).shape[0] for name, table in TABLES.items()}
    return {**rows, "next_hop": settings.informed.size}


def kernel_state(view: View) -> State:
    """Return the kernel's State on the world's arrays."""
    return State(**{name: view.raw(field.name) for name, field in _OF_STATE.items()})


def kernel_settings(view: View, constant: Settings) -> Settings:
    """Return the kernel's Settings: constants, and the world's arrays for what changes."""
    arrays = {name: view.raw(field.name) for name, field in _OF_SETTINGS.items()}
    for name in ("informed", "habitual"):
        arrays[name] = arrays[name].reshape(constant.informed.shape)
    return constant._replace(**arrays)


def write_initial(view: View, settings: Settings, state: State) -> None:
    """Copy a freshly built simulation into the world's arrays."""
    for name, target in kernel_state(view)._asdict().items():
        target[...] = getattr(state, name)
    own = kernel_settings(view, settings)
    for name in _OF_SETTINGS:
        getattr(own, name)[...] = getattr(settings, name)
