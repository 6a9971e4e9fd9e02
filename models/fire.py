"""Fires, and the engines that put them out with water from hydrants.

An engine drives to the fire on the live network and draws from the hydrant nearest to it. Every second
without water, from the outbreak on, adds `growth` seconds to the time that the fire takes to put out with
water; every second with water takes one away (assumption: linear). What is not out `burns_out` after the
outbreak has burnt down. The hydrant gives water while the water model says that it works.

Where the service plan of the emergency model has units for fires, a fire is a call: the dispatch sends
engines, and the first one on scene begins. Else the engines of the city's fire stations go by themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from twin.contract import SECOND, Event, EventKind, Kpi, Model, Option, Setup
from twin.fields import Field
from twin.models.fire_calls import LAGS, CalledEngines
from twin.models.fire_engines import (
    COMING,
    ENGINE_FIELDS,
    FOUGHT,
    OUT,
    STALLED,
    TELLS,
    WAITING,
    WORKING,
    OwnEngines,
)
from twin.models.scenario_events import microseconds, numbers_of
from twin.models.streets import build_streets
from twin.models.travel import ROAD_NEEDS, ROAD_READS, Fleet

if TYPE_CHECKING:
    from twin.city import City
    from twin.view import View

Array = np.ndarray[Any, Any]

_FIRE = (
    Option("flow", "water drawn to put it out", "number", 0.0315, low=0.0, high=1.0),
    Option("fight", "time to put it out with water from the start", "quantity", 1200.0, "s", low=1.0),
)


class Fire(OwnEngines, CalledEngines, Model):
    """Fires of the scenario, fire engines and the hydrants they use."""

    name = "fire"
    owns = (
        Field("fire.stage", "int8", "1", "0 none, 1 waits, 2 engine comes, 3 fought, 4 no water, 5 out", traced=True),
        Field("fire.left", "int64", "us", "time it still takes with water, at the last change"),
        Field("fire.since", "int64", "us", "last change of the stage"),
        Field("fire.began", "int64", "us", "outbreak", -1),
        Field("fire.ended", "int64", "us", "put out", -1),
        Field("fire.dry", "int64", "us", "time an engine on scene has been without water"),
        Field("fire.pending", "int64", "1", "pending end, -1 for none", -1),
        Field("fire.burns", "int64", "1", "pending loss of the building, -1 for none", -1),
        Field("fire.lost", "bool", "1", "the building has burnt down"),
        Field("fire.called", "bool", "1", "the emergency service has been called"),
        *ENGINE_FIELDS,
    )
    reads = (*ROAD_READS, "hydrant.works")
    lags = LAGS
    adds = ("call.held",)
    requires = (*ROAD_NEEDS, "fire_stations")
    events = (
        EventKind("fire", "a building burns", "nodes", _FIRE, scenario=True),
        EventKind("fire_out", "a fire is out", "fire"),
        EventKind("building_lost", "a fire has burnt what there was", "fire"),
        EventKind("engine_look", "a fire engine looks at the roads ahead", quiet=True),
    )
    tells = TELLS
    procedures: ClassVar = {"fire_run": ("turn_out", "drive", "arrive", "leave", "home")}
    kpi_list = (
        Kpi("fire_hours", "h", "lower", "hours that fires have burnt", 0.1),
        Kpi("fires_lost", "1", "lower", "buildings that have burnt down", 1.0),
        Kpi("fire_dry_minutes", "min", "lower", "minutes that engines on scene had no water", 1.0),
    )
    options = (
        Option("turn_out", "from the call to the departure (NFPA 1710: 80 s)", "quantity", 80.0, "s", low=1.0),
        Option("growth", "seconds that one second without water adds (assumption)", "number", 1.0, low=0, high=10),
        Option(
            "burns_out", "from the outbreak until the building is lost (assumption)", "quantity", 7200.0, "s", low=60
        ),
        Option("siren_share", "share of congestion an engine feels (assumption)", "number", 0.3, low=0, high=1),
        Option("retime", "time between two timings of a drive", "quantity", 300.0, "s", low=1.0),
    )

    def setup(self, setup: Setup) -> dict[str, int]:
        """Find the place and the hydrant of each fire, and where engines stand."""
        city, options = setup.city, setup.options
        self.planned = tuple(setup.events)
        self.number = numbers_of("fire", setup.events)
        nodes = city["nodes"]
        self.node = np.array([_middle(nodes, setup.events[i].targets) for i in self.number], dtype=np.int64)
        self.hydrant = _nearest_hydrant(city, self.node)
        given = [setup.events[i].params for i in self.number]
        self.flow = [float(params.get("flow", 0.0315)) for params in given]
        self.fight = [microseconds(float(params.get("fight", 1200.0))) for params in given]
        stations = city["fire_stations"]
        self.home = np.repeat(np.asarray(stations["node"], np.int64), np.asarray(stations["engines"], np.int64))
        self.turn_out, self.growth = microseconds(float(options["turn_out"])), float(options["growth"])
        self.burns_out = microseconds(float(options["burns_out"]))
        share, retime = float(options["siren_share"]), microseconds(float(options["retime"]))
        self.fleet = Fleet("engine_unit", build_streets(city), share, retime)
        return {"fire": max(len(self.number), 1), "engine_unit": len(self.home), "fire_desk": 1}

    def start(self, view: View) -> None:
        """Park every engine at its station."""
        view.put("engine_unit.node", slice(None), self.home)

    def on_event(self, view: View, event: Event) -> None:
        """Begin or end a fire, or let an engine look at its road."""
        if event.kind == "engine_look":
            self._look(view, event)
        elif event.kind in ("fire_out", "building_lost"):
            view.put("fire.lost", event.target, event.kind == "building_lost")
            self._end(view, event.target)
        elif event.data in self.number:
            row = self.number.index(event.data)
            view.put("fire.began", row, view.now)
            view.put("fire.left", row, self.fight[row])
            view.put("fire.since", row, view.now)
            view.put("fire.stage", row, WAITING)
            view.put("fire.burns", row, view.schedule("building_lost", self.burns_out, row))
            if self.has_service(view):
                self.call(view, row)
            else:
                self.send(view, row)

    def _look(self, view: View, event: Event) -> None:
        """Let an engine look at its road, or at its fire: for water, or for the first time."""
        called = event.target < 0
        row = event.data if called else int(view["engine_unit.fire"][event.target])
        if called and view["fire.stage"][row] in (WAITING, COMING):
            self.look_at_fire(view, row)
        elif called or view["engine_unit.stage"][event.target] == WORKING:
            self._water(view, row, first=True)
        else:
            self.look(view, event.target)

    def arrive(self, view: View, row: int, event: int) -> None:
        """Open the hydrant; whether it gives water is known once the network is solved."""
        self.enter(view, row, STALLED, event)
        self._draw(view, row, event)

    def _draw(self, view: View, row: int, cause: int | None) -> None:
        """Draw from a fire's hydrant what all fires fought from it take."""
        hydrant, stage = int(self.hydrant[row]), view["fire.stage"]
        if hydrant >= 0 and "hydrant.works" in view:
            fought = (stage == FOUGHT) | (stage == STALLED)
            flow = sum(
                self.flow[other] for other in np.flatnonzero(fought[: len(self.flow)]) if self.hydrant[other] == hydrant
            )
            view.schedule("hydrant_draw", 0, hydrant, flow, cause=cause)

    def enter(self, view: View, row: int, stage: int, cause: int) -> None:
        """Bring a fire's time left up to date and let it enter a stage."""
        elapsed, before = view.now - int(view["fire.since"][row]), int(view["fire.stage"][row])
        gained = -elapsed if before == FOUGHT else round(self.growth * elapsed)
        view.put("fire.left", row, max(int(view["fire.left"][row]) + gained, 0))
        if before == STALLED:
            view.put("fire.dry", row, int(view["fire.dry"][row]) + elapsed)
        view.put("fire.since", row, view.now)
        view.put("fire.stage", row, stage, cause)

    def step(self, view: View) -> None:
        """Go on or stop with the water; look at calls, and at roads that closed or opened."""
        stage = view["fire.stage"]
        for row in np.flatnonzero((stage == FOUGHT) | (stage == STALLED)).tolist():
            self._water(view, row)
        self.follow_calls(view)
        self.look_at_roads(view)

    def _water(self, view: View, row: int, first: bool = False) -> None:
        """Let a fire be fought while its hydrant gives water; `first` is the first look after arrival."""
        hydrant, stage = int(self.hydrant[row]), int(view["fire.stage"][row])
        if stage not in (FOUGHT, STALLED):
            return
        fed = hydrant < 0 or "hydrant.works" not in view
        cause = -1 if fed else view.cause("hydrant.works", hydrant)
        works = fed or bool(view["hydrant.works"][hydrant])
        if works and stage == STALLED:
            event = view.emit("fire_fought", row, causes=[cause, view.cause("fire.stage", row)])
            self.enter(view, row, FOUGHT, event)
            left = max(int(view["fire.left"][row]), 1)
            view.put("fire.pending", row, view.schedule("fire_out", left, row, cause=event))
        elif not works and (stage == FOUGHT or first):
            event = view.emit("fire_stalls", row, causes=[cause, view.cause("fire.stage", row)])
            if stage == FOUGHT:
                view.cancel(int(view["fire.pending"][row]))
                view.put("fire.pending", row, -1)
                self.enter(view, row, STALLED, event)

    def _end(self, view: View, row: int) -> None:
        """Close the hydrant and let the engines go."""
        before = int(view["fire.stage"][row])
        self.enter(view, row, OUT, view.cause_id)
        for name in ("fire.pending", "fire.burns"):
            view.cancel(int(view[name][row]))
            view.put(name, row, -1)
        view.put("fire.ended", row, view.now)
        worked = self.send_home(view, row) or before in (FOUGHT, STALLED)
        self.let_go(view, row)
        if worked:
            self._draw(view, row, None)

    def kpis(self, view: View) -> dict[str, float]:
        """Return how long fires have burnt, and engines waited for water."""
        began, ended = view["fire.began"], view["fire.ended"]
        burnt = np.where(began >= 0, np.where(ended >= 0, ended, view.now) - began, 0)
        dry = view["fire.dry"] + np.where(view["fire.stage"] == STALLED, view.now - view["fire.since"], 0)
        lost = float(view["fire.lost"].sum())
        return {
            "fire_hours": float(burnt.sum() / 3600e6),
            "fires_lost": lost,
            "fire_dry_minutes": float(dry.sum() / 60e6),
        }

    def tables(self, view: View) -> dict[str, dict[str, Array]]:
        """Return the fires of the run."""
        count = len(self.number)
        return {
            "incidents/fires": {
                "node": self.node,
                "hydrant": self.hydrant,
                "began_time": view["fire.began"][:count],
                "ended_time": view["fire.ended"][:count],
                "dry_s": view["fire.dry"][:count] / SECOND,
            }
        }

    def check(self, view: View) -> list[str]:
        """Return fires that are fought without an end in sight, and engines at a fire that is out."""
        waits = view["fire.pending"] >= 0
        broken = [
            f"fire {row} has an end that its stage denies"
            for row in np.flatnonzero(waits != (view["fire.stage"] == FOUGHT))
        ]
        return broken + self.lost_engines(view)


def _middle(nodes: Any, targets: Any) -> int:
    """Return the node nearest to the middle of those an event names."""
    rows = np.asarray(targets, dtype=np.int64)
    x, y = nodes["x"][rows], nodes["y"][rows]
    return int(rows[np.argmin(np.hypot(x - x.mean(), y - y.mean()))])


def _nearest_hydrant(city: City, node: Array) -> Array:
    """Return the hydrant nearest to each road node, -1 in a city without."""
    if not city.rows("hydrants") or not len(node):
        return np.full(len(node), -1)
    at, nodes = np.asarray(city["hydrants"]["node"], np.int64), city["nodes"]
    apart = np.hypot(nodes["x"][node][:, None] - nodes["x"][at], nodes["y"][node][:, None] - nodes["y"][at])
    return np.asarray(apart.argmin(axis=1))
