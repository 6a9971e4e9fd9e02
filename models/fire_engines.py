"""Fire engines of the city's fire stations, for runs whose emergency service has none.

The free engine that is there first turns out, drives on the live network, works at the fire until it
is out, and drives home. Without a free engine the fire waits for the next one that comes home.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from twin.contract import SECOND, Delay, Done, EventKind, Park, StepResult
from twin.fields import Field
from twin.models.streets import shortest_tree
from twin.models.travel import Fleet, leg_fields, roads_changed

if TYPE_CHECKING:
    from twin.procedure import Job
    from twin.view import View

Array = np.ndarray[Any, Any]

NONE, WAITING, COMING, FOUGHT, STALLED, OUT = range(6)
"""Stages of a fire; `STALLED` is an engine on scene whose hydrant is dry."""
_AT_HOME, _TURNING_OUT, _DRIVING, WORKING, _RETURNING = range(5)

ENGINE_FIELDS = (
    Field("engine_unit.fire", "int32", "1", "fire it is sent to, -1 for none", -1),
    Field("engine_unit.stage", "int8", "1", "at home, turning out, driving, working, returning"),
    Field("engine_unit.job", "int64", "1", "ticket of its job, -1 for none", -1),
    *leg_fields("engine_unit"),
    Field("fire_desk.roads", "int64", "1", "checksum of open roads when waiting fires were last looked at"),
)

TELLS = (
    EventKind("engine_sent", "an engine is sent; its drive takes so long", "engine_unit", unit="s"),
    EventKind("engine_on_scene", "the first engine is there, so long after the outbreak", "engine_unit", unit="s"),
    EventKind("fire_fought", "an engine has water and fights the fire", "fire"),
    EventKind("fire_stalls", "an engine at the fire is without water", "fire"),
)


class OwnEngines:
    """Engines of the table `fire_stations`; part of the model of fires."""

    fleet: Fleet
    home: Array
    node: Array
    turn_out: int

    if TYPE_CHECKING:

        def arrive(self, view: View, row: int, event: int) -> None:
            """Open the hydrant of a fire; see Fire."""

        def enter(self, view: View, row: int, stage: int, cause: int) -> None:
            """Let a fire enter a stage; see Fire."""

    def send(self, view: View, row: int) -> None:
        """Send the free engine that is there first; without one the fire waits."""
        free = np.flatnonzero(view["engine_unit.stage"] == _AT_HOME)
        times = self.fleet.link_times(view)
        tree = shortest_tree(self.fleet.streets, times, int(self.node[row]), reverse=True).time
        reach = tree[view["engine_unit.node"][free]]
        if not np.isfinite(reach).any():
            return
        engine = int(free[int(np.argmin(reach))])
        event = view.emit("engine_sent", engine, float(reach.min()), row)
        self.enter(view, row, COMING, event)
        view.put("engine_unit.fire", engine, row)
        view.put("engine_unit.stage", engine, _TURNING_OUT)
        self.fleet.depart(view, engine)
        view.put("engine_unit.job", engine, view.begin("fire_run", engine, cause=event))

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
        view.put("engine_unit.stage", engine, WORKING)
        event = view.emit("engine_on_scene", engine, (view.now - int(view["fire.began"][row])) / SECOND, row)
        self.arrive(view, row, event)
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
        self.send_waiting(view)
        return Done()

    def look_at_roads(self, view: View) -> None:
        """Let engines look up when a road ahead closed, or any road changed for those that wait."""
        for engine, link in self.fleet.blocked(view):
            view.schedule("engine_look", 1, target=engine, cause=view.cause("link.open", link))
        if roads_changed(view, "fire_desk.roads"):
            for engine in self.fleet.stuck(view):
                view.schedule("engine_look", 1, target=engine, cause=-1)
            self.send_waiting(view)

    def look(self, view: View, engine: int) -> None:
        """Let a driving engine look at its road."""
        stage = int(view["engine_unit.stage"][engine])
        if stage in (_DRIVING, _RETURNING):
            view.interrupt(int(view["engine_unit.job"][engine]), "drive" if stage == _DRIVING else "leave")

    def send_waiting(self, view: View) -> None:
        """Send engines to the fires that wait for one, as long as engines are free."""
        for row in np.flatnonzero((view["fire.stage"] == WAITING) & ~view["fire.called"]).tolist():
            self.send(view, row)

    def send_home(self, view: View, row: int) -> bool:
        """Let the engines of a fire go; tell whether one was at work there."""
        mine = (view["engine_unit.fire"] == row) & (view["engine_unit.stage"] != _RETURNING)
        worked = False
        for engine in np.flatnonzero(mine).tolist():
            worked |= bool(view["engine_unit.stage"][engine] == WORKING)
            view.put("engine_unit.stage", engine, _RETURNING)
            view.interrupt(int(view["engine_unit.job"][engine]), "leave")
        return worked

    def lost_engines(self, view: View) -> list[str]:
        """Return engines at a fire that is out."""
        working = np.flatnonzero(view["engine_unit.stage"] == WORKING)
        at = view["fire.stage"][view["engine_unit.fire"][working]]
        return [f"engine {row} works at no fire" for row in working[(at != FOUGHT) & (at != STALLED)].tolist()]
