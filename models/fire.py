"""Fires, and the engines that put them out with water from hydrants.

A fire engine of the nearest station with a free one drives to the fire on the live network and draws
from the hydrant nearest to it. Every second without water, from the outbreak on, adds `growth` seconds
to the time that the fire takes to put out with water; every second with water takes one away
(assumption: linear). What is not out `burns_out` after the outbreak has burnt down. The hydrant gives
water while the water model says that it works. Engines are not shared with the service plan of
the emergency model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from twin.contract import SECOND, Delay, Done, Event, EventKind, Kpi, Model, Option, Park, Setup, StepResult
from twin.fields import Field
from twin.models.scenario_events import microseconds, numbers_of
from twin.models.streets import build_streets, shortest_tree
from twin.models.travel import ROAD_NEEDS, ROAD_READS, Fleet, leg_fields, road_mark

if TYPE_CHECKING:
    from twin.city import City
    from twin.procedure import Job
    from twin.view import View

Array = np.ndarray[Any, Any]

NONE, WAITING, COMING, FOUGHT, STALLED, OUT = range(6)
"""Stages of a fire; `STALLED` is an engine on scene whose hydrant is dry."""
_AT_HOME, _TURNING_OUT, _DRIVING, _WORKING, _RETURNING = range(5)

_FIRE = (
    Option("flow", "water drawn to put it out", "number", 0.0315, low=0.0, high=1.0),
    Option("fight", "time to put it out with water from the start", "quantity", 1200.0, "s", low=1.0),
)


class Fire(Model):
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
        Field("engine_unit.fire", "int32", "1", "fire it is sent to, -1 for none", -1),
        Field("engine_unit.stage", "int8", "1", "at home, turning out, driving, working, returning"),
        Field("engine_unit.job", "int64", "1", "ticket of its job, -1 for none", -1),
        *leg_fields("engine_unit"),
        Field("fire_desk.roads", "int64", "1", "checksum of open roads when waiting fires were last looked at"),
    )
    reads = (*ROAD_READS, "hydrant.works")
    requires = (*ROAD_NEEDS, "fire_stations")
    events = (
        EventKind("fire", "a building burns", "nodes", _FIRE, scenario=True),
        EventKind("fire_out", "a fire is out"),
        EventKind("building_lost", "a fire has burnt what there was"),
        EventKind("engine_look", "a fire engine looks at the roads ahead", quiet=True),
    )
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
            self._look(view, event.target)
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
            self._send(view, row)

    def _look(self, view: View, engine: int) -> None:
        stage = int(view["engine_unit.stage"][engine])
        if stage == _WORKING:
            self._water(view, int(view["engine_unit.fire"][engine]), first=True)
        elif stage in (_DRIVING, _RETURNING):
            view.interrupt(int(view["engine_unit.job"][engine]), "drive" if stage == _DRIVING else "leave")

    def _send(self, view: View, row: int) -> None:
        """Send the free engine that is there first; without one the fire waits."""
        free = np.flatnonzero(view["engine_unit.stage"] == _AT_HOME)
        times = self.fleet.link_times(view)
        tree = shortest_tree(self.fleet.streets, times, int(self.node[row]), reverse=True).time
        reach = tree[view["engine_unit.node"][free]]
        if not np.isfinite(reach).any():
            return
        engine = int(free[int(np.argmin(reach))])
        event = view.emit("engine_sent", engine, float(reach.min()), row)
        self._enter(view, row, COMING, event)
        view.put("engine_unit.fire", engine, row)
        view.put("engine_unit.stage", engine, _TURNING_OUT)
        self.fleet.depart(view, engine)
        view.put("engine_unit.job", engine, view.begin("fire_run", engine, cause=event))

    def _enter(self, view: View, row: int, stage: int, cause: int) -> None:
        """Bring a fire's time left up to date and let it enter a stage."""
        elapsed, before = view.now - int(view["fire.since"][row]), int(view["fire.stage"][row])
        gained = -elapsed if before == FOUGHT else round(self.growth * elapsed)
        view.put("fire.left", row, max(int(view["fire.left"][row]) + gained, 0))
        if before == STALLED:
            view.put("fire.dry", row, int(view["fire.dry"][row]) + elapsed)
        view.put("fire.since", row, view.now)
        view.put("fire.stage", row, stage, cause)

    def fire_run_turn_out(self, view: View, job: Job) -> StepResult:
        """Leave the station."""
        return Delay(self.turn_out, "drive")

    def fire_run_drive(self, view: View, job: Job) -> StepResult:
        """Drive to the fire; wait where no open road leads on."""
        engine = job.entity
        view.put("engine_unit.stage", engine, _DRIVING)
        left = self.fleet.follow(view, engine, int(self.node[view["engine_unit.fire"][engine]]))
        if left is None:
            return Park("drive")
        return Delay(left, "drive" if left else "arrive")

    def fire_run_arrive(self, view: View, job: Job) -> StepResult:
        """Open the hydrant; whether it gives water is known once the network is solved."""
        engine, row = job.entity, int(view["engine_unit.fire"][job.entity])
        view.put("engine_unit.stage", engine, _WORKING)
        event = view.emit("engine_on_scene", engine, (view.now - int(view["fire.began"][row])) / SECOND, row)
        self._enter(view, row, STALLED, event)
        if self.hydrant[row] >= 0 and "hydrant.works" in view:
            view.schedule("hydrant_draw", 0, int(self.hydrant[row]), self.flow[row], cause=event)
        view.schedule("engine_look", 1, engine, cause=event)
        return Park("leave")

    def fire_run_leave(self, view: View, job: Job) -> StepResult:
        """Drive home."""
        view.put("engine_unit.stage", job.entity, _RETURNING)
        left = self.fleet.follow(view, job.entity, int(self.home[job.entity]))
        if left is None:
            return Park("leave")
        return Delay(left, "leave" if left else "home")

    def fire_run_home(self, view: View, job: Job) -> StepResult:
        """Be ready again; go to the next fire that waits."""
        view.put("engine_unit.stage", job.entity, _AT_HOME)
        view.put("engine_unit.fire", job.entity, -1)
        view.put("engine_unit.job", job.entity, -1)
        for row in np.flatnonzero(view["fire.stage"] == WAITING).tolist():
            self._send(view, row)
        return Done()

    def step(self, view: View) -> None:
        """Go on or stop with the water; look at roads that closed or opened."""
        for engine in np.flatnonzero(view["engine_unit.stage"] == _WORKING).tolist():
            self._water(view, int(view["engine_unit.fire"][engine]))
        for engine, link in self.fleet.blocked(view):
            view.schedule("engine_look", 1, target=engine, cause=view.cause("link.open", link))
        mark = road_mark(view)
        if mark != view["fire_desk.roads"][0]:
            view.put("fire_desk.roads", 0, mark)
            for engine in np.flatnonzero(view["engine_unit.leg_stuck"]).tolist():
                view.schedule("engine_look", 1, target=engine, cause=-1)
            for row in np.flatnonzero(view["fire.stage"] == WAITING).tolist():
                self._send(view, row)

    def _water(self, view: View, row: int, first: bool = False) -> None:
        """Let a fire be fought while its hydrant gives water; `first` is the first look after arrival."""
        hydrant, stage = int(self.hydrant[row]), int(view["fire.stage"][row])
        fed = hydrant < 0 or "hydrant.works" not in view
        cause = -1 if fed else view.cause("hydrant.works", hydrant)
        works = fed or bool(view["hydrant.works"][hydrant])
        if works and stage == STALLED:
            event = view.emit("fire_fought", row, causes=[cause, view.cause("fire.stage", row)])
            self._enter(view, row, FOUGHT, event)
            left = max(int(view["fire.left"][row]), 1)
            view.put("fire.pending", row, view.schedule("fire_out", left, row, cause=event))
        elif not works and (stage == FOUGHT or first):
            event = view.emit("fire_stalls", row, causes=[cause, view.cause("fire.stage", row)])
            if stage == FOUGHT:
                view.cancel(int(view["fire.pending"][row]))
                view.put("fire.pending", row, -1)
                self._enter(view, row, STALLED, event)

    def _end(self, view: View, row: int) -> None:
        """Close the hydrant and let the engine go."""
        self._enter(view, row, OUT, view.cause_id)
        for name in ("fire.pending", "fire.burns"):
            view.cancel(int(view[name][row]))
            view.put(name, row, -1)
        view.put("fire.ended", row, view.now)
        engines = np.flatnonzero((view["engine_unit.fire"] == row) & (view["engine_unit.stage"] != _RETURNING))
        for engine in engines.tolist():
            if view["engine_unit.stage"][engine] == _WORKING and self.hydrant[row] >= 0 and "hydrant.works" in view:
                view.schedule("hydrant_draw", 0, int(self.hydrant[row]), 0.0)
            view.put("engine_unit.stage", engine, _RETURNING)
            view.interrupt(int(view["engine_unit.job"][engine]), "leave")

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
        working = np.flatnonzero(view["engine_unit.stage"] == _WORKING)
        at = view["fire.stage"][view["engine_unit.fire"][working]]
        return broken + [f"engine {row} works at no fire" for row in working[(at != FOUGHT) & (at != STALLED)].tolist()]


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
