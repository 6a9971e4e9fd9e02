"""What a scenario does to roads for a while: lanes closed, speed limits."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.contract import Event, EventKind, Option, Setup
from twin.fields import Field
from twin.models.scenario_events import microseconds
from twin.models.standing import Standing

if TYPE_CHECKING:
    from twin.kernels.traffic_layout import Traffic
    from twin.view import View

Array = np.ndarray[Any, Any]

_LASTS = Option("duration", "until the road is as before", "quantity", None, "s", low=0.0)
_LEFT = Option("lanes_left", "lanes that stay open; 0.5: one lane for both directions in turn", low=0.1)
_SPEED = Option("speed", "nobody drives faster", "quantity", None, "m/s", low=0.5)

FIELDS = (
    Field("link.lanes", "float64", "1", "lanes open to traffic", traced=True),
    Field("link.speed", "float64", "m/s", "speed of free flow on a dry road", traced=True),
    Field("lane_closure.event", "int64", "1", "event of a lane closure that lasts, -1 for none", -1),
    Field("speed_limit.event", "int64", "1", "event of a speed limit that lasts, -1 for none", -1),
)
EVENTS = (
    EventKind("lane_closure", "lanes of roads are closed for a while", "links", (_LEFT, _LASTS), scenario=True),
    EventKind("speed_limit", "a speed limit holds on roads for a while", "links", (_SPEED, _LASTS), scenario=True),
    EventKind("lane_closure_end", "closed lanes are open again", "links"),
    EventKind("speed_limit_end", "the speed is as usual again", "links"),
)
KINDS = tuple(kind.name for kind in EVENTS)
_OF_KIND = {"lane_closure": ("link.lanes", "lanes", "lanes_left"), "speed_limit": ("link.speed", "speed", "speed")}
"""Field that an event lowers, column of the city with its usual value, and option with the lowest."""


class Works:
    """The lane closures and speed limits that a scenario plans; of several on a road the lowest holds.

    standing  kind -> its events
    usual     column of the city -> (n_link,)  lanes and speed (m/s) of links as built
    owner     (n_road,)  link of each link and, behind them, of each pocket
    """

    def __init__(self, setup: Setup, owner: Array) -> None:
        links = setup.city["links"]
        self.standing = {
            kind: Standing.of(kind, setup.events, itemgetter(option)) for kind, (_, _, option) in _OF_KIND.items()
        }
        self.usual = {name: np.asarray(links[name], np.float64) for name in ("lanes", "speed")}
        self.columns = {name: links[name] for name in ("length", "jam_density", "capacity")}
        self.owner = owner
        self.rows = {kind: len(standing.number) for kind, standing in self.standing.items()}

    def start(self, view: View) -> None:
        """Write lanes and speeds as built."""
        for field, column, _ in _OF_KIND.values():
            view.put(field, slice(None), self.usual[column])

    def begin_or_end(self, view: View, event: Event, traffic: Traffic, built: Traffic) -> None:
        """Lower or restore what an event acts on when it begins or ends; call `touch` afterwards.

        built  as the roads are without works
        """
        kind = event.kind.removesuffix("_end")
        standing, (field, column, _) = self.standing[kind], _OF_KIND[kind]
        begins = event.kind == kind
        view.put(f"{kind}.event", standing.row(event), event.id if begins else -1)
        if begins:
            view.schedule(f"{kind}_end", max(microseconds(event.params["duration"]), 1), event.target, data=event.data)
        lasting = view[f"{kind}.event"]
        value, behind = standing.lowest(lasting >= 0, self.usual[column])
        view.put(field, slice(None), value, np.where(behind < 0, event.id, np.append(lasting, -1)[behind]))
        self._write(view, traffic, built)

    def _write(self, view: View, traffic: Traffic, built: Traffic) -> None:
        """Give the kernel the headways and storages of present lanes and speeds."""
        from twin.models.traffic.changes import room_of, set_headways

        lanes, speed = view["link.lanes"], view["link.speed"]
        rows = np.flatnonzero((lanes < self.usual["lanes"]) | (speed < self.usual["speed"]))
        now = {name: values[rows] for name, values in self.columns.items()}
        now["capacity"] = now["capacity"] * lanes[rows] / self.usual["lanes"][rows]
        headway, storage = built.settings.headway.copy(), built.settings.storage.copy()
        headway[rows], storage[rows] = room_of({**now, "lanes": lanes[rows], "speed": speed[rows]})
        pocket = slice(lanes.size, None)
        headway[pocket] = headway[self.owner[pocket]]
        set_headways(traffic, headway)
        traffic.settings.storage[...] = storage

    def free_flow(self, view: View, dry: Array) -> Array:
        """Return the free-flow time (n_link,) of dry roads at their present speeds, us.

        dry  (n_link,)  at the speeds as built
        """
        limited = view["link.speed"] < self.usual["speed"]
        time = np.rint(self.columns["length"] / view["link.speed"] * 1e6).astype(np.int64)
        return np.where(limited, np.maximum(time, dry), dry)

    def behind(self, view: View, row: int) -> list[int]:
        """Return the events that have taken lanes or speed from a link."""
        lowered = [field for field, column, _ in _OF_KIND.values() if view[field][row] < self.usual[column][row]]
        return [view.cause(field, row) for field in lowered]


def without_effect(setup: Setup) -> list[str]:
    """Return a sentence for each planned event that takes no lane or speed from any road it names."""
    idle = [event for event in setup.events if event.kind in _OF_KIND and _idle(setup, event)]
    return [f"{event.label}: {event.kind} changes nothing: {_NONE[event.kind]}" for event in idle]


def _idle(setup: Setup, event: Any) -> bool:
    _, column, option = _OF_KIND[event.kind]
    return bool((setup.city["links"][column][list(event.targets)] <= event.params[option]).all())


_NONE = {
    "lane_closure": "no road it names has more lanes than those left",
    "speed_limit": "on no road it names is free flow faster",
}
