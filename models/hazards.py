"""Flood roads and substations, and close roads.

A flood is given by its area and a hydrograph: the water stands `peak` above the
lowest ground of the area at the crest, rises and falls in straight lines, and is
level over the area, as in a bathtub. So the same scenario works in a city with
another datum, and low places are deep. What this leaves out: flow, slopes of the
water surface, drains, pumping.

* depth at a node = max(0, water level - elevation) inside the area, 0 outside;
* depth on a link = the larger of its ends, for the deepest point closes a road;
* depth at a substation = with its own elevation, if its road node is in the area;
* several floods combine by the larger depth.

Depths are renewed every 5 minutes and at the corners of the hydrograph.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from twin.contract import Event, EventKind, Model, Option, Setup
from twin.fields import Field
from twin.models.hydrograph import CLOSING_DEPTH, Hydrograph, wet_speed
from twin.models.scenario_events import contributes, microseconds, numbers_of, targets_of

if TYPE_CHECKING:
    from twin.city import City
    from twin.view import View

Array = np.ndarray[Any, Any]

_FLOOD = (
    Option("peak", "water above the lowest ground of the area at the crest", "quantity", None, "m", low=0.0, high=100),
    Option("rise", "from first water to the crest", "quantity", None, "s", low=0.0),
    Option("hold", "time at the crest", "quantity", None, "s", low=0.0),
    Option("fall", "from the crest until the water is gone", "quantity", None, "s", low=0.0),
)
_DURATION = Option("duration", "until the road opens again", "quantity", None, "s", low=0.0)


class Hazards(Model):
    """Water on roads and in substations, and roads closed by order."""

    name = "hazards"
    owns = (
        Field("link.depth", "float64", "m", "depth of flood water on the road", traced=True),
        Field("link.wet_speed", "float64", "1", "share of the dry speed that water leaves", 1, traced=True),
        Field("link.max_depth", "float64", "m", "greatest depth of flood water so far"),
        Field("link.barred", "int16", "1", "road closures of the scenario in force"),
        Field("substation.depth", "float64", "m", "depth of flood water at the substation", traced=True),
        Field("flood.event", "int64", "1", "event of a flood that is going on, -1 for none", -1),
        Field("flood.start", "int64", "us", "when the flood began"),
    )
    adds = ("link.closure",)
    events = (
        EventKind("flood", "water rises over an area and falls again", "nodes", _FLOOD, scenario=True),
        EventKind("road_closure", "roads are closed for a while", "links", (_DURATION,), scenario=True),
        EventKind("flood_step", "depths of a flood are renewed"),
        EventKind("road_closure_end", "roads closed by order are open again"),
    )
    options = (
        Option("every", "time between renewals of flood depth", "quantity", 300.0, "s", low=1.0),
        Option(
            "closing_depth",
            "water that closes a road",
            "quantity",
            CLOSING_DEPTH,
            "m",
            low=0.01,
            parameter="hazard.road_closed_depth",
        ),
    )

    def setup(self, setup: Setup) -> dict[str, int]:
        """Build the ground of every flood of the scenario."""
        city = setup.city
        self.planned = setup.events
        self.every = microseconds(setup.options["every"])
        self.closing_depth = float(setup.options["closing_depth"])
        self.from_node = city["links"]["from_node"] if "links" in city else np.zeros(0, np.int64)
        self.to_node = city["links"]["to_node"] if "links" in city else np.zeros(0, np.int64)
        self.floods = [_Ground.of(city, self.planned[i]) for i in numbers_of("flood", self.planned)]
        self.flood_of_event = {n: row for row, n in enumerate(numbers_of("flood", self.planned))}
        return {"flood": len(self.floods), "link": city.rows("links"), "substation": city.rows("substations")}

    def on_event(self, view: View, event: Event) -> None:
        """Begin or continue a flood; close or open roads."""
        if event.kind == "flood":
            row = self.flood_of_event[event.data]
            view.put("flood.event", row, event.id)
            view.put("flood.start", row, view.now)
            self._renew(view, row, event)
        elif event.kind == "flood_step":
            self._renew(view, event.target, event)
        elif event.kind == "road_closure":
            self._bar(view, targets_of(event, self.planned), 1)
            delay = max(microseconds(event.params["duration"]), 1)
            view.schedule("road_closure_end", delay, event.target, data=event.data)
        else:
            self._bar(view, np.array(self.planned[event.data].targets, dtype=np.int64), -1)

    def _renew(self, view: View, row: int, event: Event) -> None:
        """Set all depths for now, and plan the next look at one flood."""
        ground = self.floods[row]
        elapsed = view.now - int(view["flood.start"][row])
        if elapsed < ground.water.end:
            wait = ground.water.next_look(elapsed, self.every) - elapsed
            view.schedule("flood_step", wait, row, cause=int(view["flood.event"][row]))
        self._flood(view)
        if elapsed >= ground.water.end:
            view.put("flood.event", row, -1)

    def _flood(self, view: View) -> None:
        """Set the depth of links and substations to the deepest of all floods."""
        node_depth, node_event = self._deepest(view, "node")
        station_depth, station_event = self._deepest(view, "substation")
        ends = np.stack([node_depth[self.from_node], node_depth[self.to_node]])
        events = np.stack([node_event[self.from_node], node_event[self.to_node]])
        link_event = np.where(ends[0] >= ends[1], events[0], events[1])
        depth = ends.max(axis=0)
        before = view["link.depth"] >= self.closing_depth
        changed = view.put("link.depth", slice(None), depth, link_event)
        np.maximum(view["link.max_depth"], depth, out=view.raw("link.max_depth"))
        view.put("link.wet_speed", changed, wet_speed(depth[changed]), link_event[changed])
        self._tell_roads(view, before, link_event)
        dry = view["substation.depth"] == 0.0
        for station in view.put("substation.depth", slice(None), station_depth, station_event).tolist():
            if dry[station] or station_depth[station] == 0.0:
                kind = "substation_wet" if dry[station] else "substation_dry"
                view.emit(kind, station, float(station_depth[station]), causes=[int(station_event[station])])

    def _deepest(self, view: View, place: str) -> tuple[Array, Array]:
        """Return depth and flood event at nodes or substations, over all floods."""
        size = view.rows("substation") if place == "substation" else len(view.city["nodes"]["id"])
        depth = np.zeros(size)
        event = np.full(size, view.cause_id)
        for row, ground in enumerate(self.floods):
            flood = int(view["flood.event"][row])
            if flood < 0:
                continue
            level = ground.lowest + ground.water.stage(view.now - int(view["flood.start"][row]))
            rows, elevation = ground.places[place]
            here = np.maximum(level - elevation, 0.0)
            deeper = here > depth[rows]
            depth[rows[deeper]] = here[deeper]
            event[rows[deeper]] = flood
        return depth, event

    def _tell_roads(self, view: View, before: Array, causes: Array) -> None:
        """Log each road that water closes or frees, and total the closures."""
        now = view["link.depth"] >= self.closing_depth
        told = causes.copy()
        for link in np.flatnonzero(now != before).tolist():
            kind = "road_flooded" if now[link] else "road_drained"
            told[link] = view.emit(kind, link, float(view["link.depth"][link]), causes=[int(causes[link])])
        self._close(view, told)

    def _bar(self, view: View, links: Array, change: int) -> None:
        """Count one more or one less closure by order on each link."""
        view.put("link.barred", links, view["link.barred"][links] + change)
        self._close(view, None)

    def _close(self, view: View, cause: Array | None) -> None:
        """Contribute all closures of this model to the roads."""
        if contributes(view, "link.closure"):
            wet = view["link.depth"] >= self.closing_depth
            view.add("link.closure", slice(None), view["link.barred"] + wet, cause)

    def tables(self, view: View) -> dict[str, dict[str, Array]]:
        """Return the greatest depth on every link."""
        return {"links/water": {"id": view.city["links"]["id"], "max_depth": view["link.max_depth"]}}

    def check(self, view: View) -> list[str]:
        """Return links and substations with impossible water."""
        broken = []
        if (view["link.depth"] < 0).any() or (view["substation.depth"] < 0).any():
            broken.append("a depth of water is negative")
        if (view["link.wet_speed"] <= 0).any() or (view["link.wet_speed"] > 1).any():
            broken.append("a wet speed is outside (0, 1]")
        if (view["link.barred"] < 0).any():
            broken.append("a road was opened more often than closed")
        return broken


class _Ground:
    """Hold the places one flood can reach, with their elevation, and its water."""

    def __init__(self, water: Hydrograph, lowest: float, places: dict[str, tuple[Array, Array]]) -> None:
        self.water = water
        self.lowest = lowest
        self.places = places

    @classmethod
    def of(cls, city: City, planned: Any) -> _Ground:
        """Read a flood of the scenario; its targets are the nodes of the area."""
        nodes = np.array(planned.targets, dtype=np.int64)
        elevation = city["nodes"]["elevation"][nodes]
        places = {"node": (nodes, elevation), "substation": (np.zeros(0, np.int64), np.zeros(0))}
        if "substations" in city:
            rows = np.flatnonzero(np.isin(city["substations"]["node"], nodes))
            places["substation"] = (rows, city["substations"]["elevation"][rows])
        times = (microseconds(planned.params[name]) for name in ("rise", "hold", "fall"))
        return cls(Hydrograph(float(planned.params["peak"]), *times), float(elevation.min(initial=np.inf)), places)
