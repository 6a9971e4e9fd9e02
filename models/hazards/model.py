"""Flood roads and substations, close and damage roads, raise loads, and pass damage on.

A flood is given by its area and a hydrograph: the water stands `peak` above the
lowest ground of the area at the crest, rises and falls in straight lines, and is
level over the area, as in a bathtub. So the same scenario works in a city with
another datum, and low places are deep. What this leaves out: flow, slopes of the
water surface, drains, pumping.

* depth at a node = max(0, water level - elevation) inside the area, 0 outside;
* depth on a link = the larger of its ends, for the deepest point closes a road;
* depth at a substation = with its own elevation, if its road node is in the area;
* several floods combine by the larger depth, and so does rain water that stands (`node.water`).

Depths are renewed every 5 minutes and at the corners of the hydrograph.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.contract import Event, Model, Setup
from twin.models.hazards import kinds
from twin.models.hazards.damage import Damage
from twin.models.hazards.fragility import built_in, read_curves
from twin.models.hazards.ground import Ground
from twin.models.hydrograph import wet_speed
from twin.models.scenario_events import contributes, microseconds, numbers_of, targets_of
from twin.models.standing import Standing

if TYPE_CHECKING:
    from twin.view import View

Array = np.ndarray[Any, Any]


class Hazards(Model):
    """Water on roads and in substations, closed and damaged roads, and damage to networks."""

    name = "hazards"
    owns = kinds.FIELDS
    reads = ("node.water",)
    lags = ("line.closed",)
    adds = ("link.closure", "bus.load")
    events = kinds.EVENTS
    tells = kinds.TELLS
    options = kinds.OPTIONS

    def setup(self, setup: Setup) -> dict[str, int]:
        """Build the ground of every flood of the scenario."""
        city = setup.city
        self.planned = setup.events
        self.every = microseconds(setup.options["every"])
        self.closing_depth = float(setup.options["closing_depth"])
        self.from_node = city["links"]["from_node"] if "links" in city else np.zeros(0, np.int64)
        self.to_node = city["links"]["to_node"] if "links" in city else np.zeros(0, np.int64)
        self.floods = [Ground.of(city, self.planned[i]) for i in numbers_of("flood", self.planned)]
        self.flood_of_event = {n: row for row, n in enumerate(numbers_of("flood", self.planned))}
        self.heat = Standing.of("heat_wave", self.planned, lambda given: given["degrees"] * given["per_degree"])
        given = str(setup.options["fragility"])
        self.damage = Damage(setup, read_curves(Path(setup.folder) / given if given else built_in()))
        self.acts = {
            "earthquake": self.damage.earthquake,
            "windstorm": self.damage.windstorm,
            "ageing": self.damage.ageing,
            "attack_pumps": self.damage.attack,
            "attack_valves": self.damage.attack,
            "attack_sensors": self.damage.silence,
            "planned_work": self.damage.work,
            "planned_work_end": self.damage.work_over,
            "road_damage": self._break_roads,
            "road_repair": self._break_roads,
            "heat_wave": self._heat,
            "heat_wave_end": self._heat,
        }
        rows = {f"{name}": city.rows(f"{name}s") for name in ("link", "substation", "line")}
        return rows | {"flood": len(self.floods), "heat_wave": len(self.heat.number), "hazard_count": 1}

    def on_event(self, view: View, event: Event) -> None:
        """Begin or continue a flood; close or open roads; pass on other hazards."""
        if event.kind in self.acts:
            self.acts[event.kind](view, event)
        elif event.kind == "flood":
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
            self._bar(view, targets_of(event, self.planned), -1)

    def step(self, view: View) -> None:
        """Take up rain water that stands on streets, where a model of drainage tells it."""
        if "node.water" in view:
            self._flood(view)

    def _break_roads(self, view: View, event: Event) -> None:
        """Damage roads, or make them passable again."""
        view.put("link.broken", targets_of(event, self.planned), event.kind == "road_damage")
        self._close(view, None)

    def _heat(self, view: View, event: Event) -> None:
        """Raise the load of buses by a share of their peak, or let it be as usual again.

        Peak load rises by 0.45 to 4.6 % per degree. Source: Santamouris et al., On the impact of urban
        heat island and global warming on the power demand of buildings, Energy and Buildings 98 (2015).
        """
        if not contributes(view, "bus.load"):
            return
        begins = event.kind == "heat_wave"
        view.put("heat_wave.lasts", self.heat.row(event), begins)
        load = view.city["buses"]["p"]
        view.add("bus.load", slice(None), load * self.heat.total(view["heat_wave.lasts"], load.shape[0]))
        if begins:
            view.schedule("heat_wave_end", max(microseconds(event.params["duration"]), 1), data=event.data)

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
        self._wet_stations(view, station_depth, station_event)

    def _wet_stations(self, view: View, depth: Array, behind: Array) -> None:
        """Set the depth at substations; log where water comes, goes or comes from somewhere else."""
        wet = depth > 0.0
        told = np.where(wet, view["substation.wet_event"], behind)
        for station in np.flatnonzero(wet & (view["substation.wet_by"] != behind)).tolist():
            told[station] = view.emit("substation_wet", station, float(depth[station]), causes=[int(behind[station])])
        dried = np.flatnonzero(~wet & (view["substation.depth"] > 0.0))
        for station in dried.tolist():
            told[station] = view.emit("substation_dry", station, causes=[int(behind[station])])
        view.put("substation.wet_by", slice(None), np.where(wet, behind, -1))
        view.put("substation.wet_event", slice(None), np.where(wet, told, -1))
        view.put("substation.depth", slice(None), depth, told)

    def _deepest(self, view: View, place: str) -> tuple[Array, Array]:
        """Return depth and flood event at nodes or substations, over all floods."""
        size = view.rows("substation") if place == "substation" else len(view.city["nodes"]["id"])
        depth, event = self._rain(view, place, size)
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

    def _rain(self, view: View, place: str, size: int) -> tuple[Array, Array]:
        """Return depth of rain water and the event behind it, zero without a model of drainage."""
        if not size or "node.water" not in view:
            return np.zeros(size), np.full(size, view.cause_id)
        standing, events = view["node.water"], view["node.water@cause"]
        if place == "node":
            return standing.copy(), events.copy()
        stations, ground = view.city["substations"], view.city["nodes"]["elevation"]
        at = np.asarray(stations["node"], dtype=np.int64)
        surface = ground[at] + standing[at] - stations["elevation"]
        return np.where(standing[at] > 0, np.maximum(surface, 0.0), 0.0), events[at]

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
            view.add("link.closure", slice(None), view["link.barred"] + wet + view["link.broken"], cause)

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
