"""Emergency response: calls are answered, triaged, served and brought to hospital.

A call is a staged procedure (ring, answer, triage) that ends when it waits for
a unit. The order `dispatch` of a policy starts the mission of a unit: alert,
mobilise, drive, scene, transport, bay, handover, return. A unit may be sent to
the next call as soon as it is free, from wherever it is on its way back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from twin.contract import SECOND, Acquire, Delay, Done, Event, Model, Park, Setup, StepResult
from twin.models.emergency import desk, metrics, tables
from twin.models.emergency.calls import DEFAULTS, draw_calls, target_times
from twin.models.emergency.lateness import SILENCE, reasons, silence_of_unit
from twin.models.emergency.tables import (
    ABANDONED,
    ALERTED,
    AT_HOSPITAL,
    AT_SCENE,
    AT_STATION,
    IN_HOSPITAL,
    ON_SCENE,
    RETURNING,
    RINGING,
    SERVED,
    TALKING,
    TO_HOSPITAL,
    TO_SCENE,
    TRANSPORT,
    WAITING,
)
from twin.models.streets import build_streets
from twin.models.travel import ROAD_NEEDS, ROAD_READS, Fleet, road_mark

if TYPE_CHECKING:
    from twin.procedure import Job
    from twin.view import View

_STEP_OF_STAGE = {TO_SCENE: "drive", TO_HOSPITAL: "carry", RETURNING: "back"}


class Emergency(Model):
    """Calls, ambulances and hospital bays of a city."""

    name = "emergency"
    owns = tables.FIELDS
    reads = (*ROAD_READS, "hospital.powered")
    lags = SILENCE
    requires = (*ROAD_NEEDS, "zones", "zone_nodes", "stations", "hospitals")
    city_defaults: ClassVar = {"emergency": DEFAULTS}
    events = tables.EVENTS
    options = tables.OPTIONS
    procedures: ClassVar = tables.PROCEDURES
    resources = tables.RESOURCES
    deciders = ("dispatcher",)
    kpi_list = tables.KPIS
    series = tables.SERIES

    def setup(self, setup: Setup) -> dict[str, int]:
        """Draw the calls and place the units."""
        city, options = setup.city, setup.options
        stations = city["stations"]
        ambulance = np.asarray(stations["kind"]) == "ambulance"
        count = np.where(ambulance, stations["units"], 0)
        self.station_node = np.repeat(np.asarray(stations["node"], dtype=np.int64), count)
        self.hospital_node = np.asarray(city["hospitals"]["node"], dtype=np.int64)
        self.call_takers = np.array([int(options["call_takers"])])
        self.dispatch_time = round(float(options["dispatch_time"]) * SECOND)
        self.patience = round(float(options["patience"]) * SECOND)
        self.track = round(float(options["track"]) * SECOND)
        self.dark_factor = float(options["dark_factor"])
        self.calls = draw_calls(setup)
        self.daily = int((self.calls.surge < 0).sum())
        self.target = target_times(city)
        share, retime = float(options["siren_share"]), round(float(options["retime"]) * SECOND)
        self.fleet = Fleet("unit", build_streets(city), share, retime)
        return {
            "call": self.calls.number.shape[0],
            "unit": self.station_node.shape[0],
            "dispatcher": int(options["dispatchers"]),
            "desk": 1,
        }

    def start(self, view: View) -> None:
        """Park every unit at its station and wait for the first call."""
        view.put("unit.node", slice(None), self.station_node)
        view.begin("tracking", -1)
        self._await_call(view, 0)

    def _await_call(self, view: View, call: int) -> None:
        if call < self.daily:
            view.schedule("call_rings", int(self.calls.time[call]) - view.now, target=call, cause=-1)

    def on_event(self, view: View, event: Event) -> None:
        """Act on calls, orders and roads that changed."""
        if event.kind == "call_rings":
            view.begin("call", event.target)
            if event.target < self.daily:
                self._await_call(view, event.target + 1)
        elif event.kind == "surge":
            for call in np.flatnonzero(self.calls.surge == event.data).tolist():
                view.schedule("call_rings", int(self.calls.time[call]) - view.now, target=call)
        elif event.kind == "dispatch":
            silence = silence_of_unit(view, round(event.value))
            desk.carry_out(view, event, self.dispatch_time, silence)
        elif event.kind == "dispatcher_free":
            view.put("dispatcher.idle", event.target, True)
        elif event.kind == "unit_reroute":
            self._reroute(view, event.target)

    def step(self, view: View) -> None:
        """Send units another way when a road ahead closed, or when any road changed and they wait."""
        for unit, link in self.fleet.blocked(view):
            view.schedule("unit_reroute", 1, target=unit, data=link, cause=view.cause("link.open", link))
        mark = road_mark(view)
        if mark != view["desk.roads"][0]:
            view.raw("desk.roads")[0] = mark
            for unit in np.flatnonzero(view["unit.leg_stuck"]).tolist():
                view.schedule("unit_reroute", 1, target=unit, cause=-1)

    def _reroute(self, view: View, unit: int) -> None:
        stage = int(view["unit.stage"][unit])
        if stage == ALERTED and self.fleet.moving(view, unit):
            self.fleet.follow(view, unit, int(view["unit.leg_goal"][unit]))
        elif stage in _STEP_OF_STAGE:
            lost = stage == TO_HOSPITAL and bool(view["unit.leg_stuck"][unit])
            view.interrupt(int(view["unit.job"][unit]), "leave" if lost else _STEP_OF_STAGE[stage])

    # -- a call, from the ring to triage

    def call_answer(self, view: View, job: Job) -> StepResult:
        """Ring until a call-taker is free; hang up when patience ends."""
        desk.record(view, job.entity, RINGING, view.cause_id, rung=view.now)
        return Acquire("call_taker", 0, then="talk", patience=self.patience, otherwise="hung_up")

    def call_talk(self, view: View, job: Job) -> StepResult:
        """Talk to the caller."""
        view.put("call.stage", job.entity, TALKING)
        return Delay(int(self.calls.talk[job.entity]))

    def call_triaged(self, view: View, job: Job) -> StepResult:
        """Hand the call over to the dispatchers."""
        call = job.entity
        view.put("call.node", call, self.calls.node[call])
        view.put("call.priority", call, self.calls.triaged[call])
        event = view.emit("call_triaged", call, float(self.calls.triaged[call]))
        desk.record(view, call, WAITING, event, triaged=view.now)
        return Done()

    def call_hung_up(self, view: View, job: Job) -> StepResult:
        """Lose a caller nobody answered."""
        event = view.emit("call_closed", job.entity, 0.0)
        desk.record(view, job.entity, ABANDONED, event, closed=view.now)
        return Done()

    # -- a mission, from the order to the station

    def mission_alert(self, view: View, job: Job) -> StepResult:
        """Wait until the dispatcher has passed on the order; a unit under way keeps moving."""
        return Delay(self.dispatch_time)

    def mission_mobilise(self, view: View, job: Job) -> StepResult:
        """Get the crew into the vehicle, when it is not on the road already."""
        unit = job.entity
        at_home = not self.fleet.moving(view, unit) and view["unit.node"][unit] == self.station_node[unit]
        return Delay(int(self.calls.mobilise[view["unit.call"][unit]]) if at_home else 0)

    def mission_depart(self, view: View, job: Job) -> StepResult:
        """Set off for the call."""
        view.put("unit.stage", job.entity, TO_SCENE)
        self.fleet.depart(view, job.entity)
        return self.mission_drive(view, job)

    def mission_drive(self, view: View, job: Job) -> StepResult:
        """Drive towards the call."""
        goal = int(self.calls.node[view["unit.call"][job.entity]])
        return self._drive(view, job.entity, goal, ("drive", "drive", "scene"))

    def _drive(self, view: View, unit: int, goal: int, steps: tuple[str, str, str]) -> StepResult:
        """Follow a leg; steps to take at the next look, when stuck and on arrival."""
        again, stuck, arrived = steps
        left = self.fleet.follow(view, unit, goal)
        if left is None:
            return Park(stuck)
        return Delay(left, again if left else arrived)

    def mission_scene(self, view: View, job: Job) -> StepResult:
        """Arrive and treat the patient."""
        unit, call = job.entity, int(view["unit.call"][job.entity])
        response = (view.now - int(view["call.rung"][call])) / SECOND
        over = response - float(self.target[self.calls.priority[call] - 1])
        why = reasons(view, self.fleet, call, unit, over) if over > 0 else []
        parents = [view.cause_id, int(view["unit.order"][unit]), int(view["call.event"][call]), *why]
        event = view.emit("unit_on_scene", call, response, unit, parents)
        if over > 0:
            view.emit("call_late", call, response, unit, [event, *why])
        view.because(event)
        view.put("unit.stage", unit, AT_SCENE)
        desk.record(view, call, ON_SCENE, event, on_scene=view.now)
        return Delay(int(self.calls.scene[call]))

    def mission_leave(self, view: View, job: Job) -> StepResult:
        """Choose the hospital soonest reached, or finish on the scene."""
        unit, call = job.entity, int(view["unit.call"][job.entity])
        if not self.calls.transport[call]:
            return self._close(view, unit)
        times = self.fleet.times_from(view, unit)[self.hospital_node]
        view.put("unit.hospital", unit, int(np.argmin(times)))
        view.put("unit.stage", unit, TO_HOSPITAL)
        view.put("call.stage", call, TRANSPORT)
        return self.mission_carry(view, job)

    def mission_carry(self, view: View, job: Job) -> StepResult:
        """Drive the patient to hospital."""
        goal = int(self.hospital_node[view["unit.hospital"][job.entity]])
        return self._drive(view, job.entity, goal, ("carry", "leave", "door"))

    def mission_door(self, view: View, job: Job) -> StepResult:
        """Queue for a bay of the hospital, the most urgent first."""
        unit, call = job.entity, int(view["unit.call"][job.entity])
        hospital = int(view["unit.hospital"][unit])
        event = view.emit("unit_at_hospital", call, float(hospital), unit)
        view.because(event)
        view.put("unit.stage", unit, IN_HOSPITAL)
        desk.record(view, call, AT_HOSPITAL, event, at_hospital=view.now)
        return Acquire("hospital_bay", hospital, int(self.calls.priority[call]))

    def mission_handover(self, view: View, job: Job) -> StepResult:
        """Hand the patient over; slower in a hospital without power."""
        call, hospital = int(view["unit.call"][job.entity]), int(view["unit.hospital"][job.entity])
        view.put("call.bay", call, view.now)
        dark = "hospital.powered" in view and not view["hospital.powered"][hospital]
        factor = self.dark_factor if dark else 1.0
        return Delay(round(int(self.calls.handover[call]) * factor))

    def mission_clear(self, view: View, job: Job) -> StepResult:
        """Leave the bay and the call."""
        view.release(job.ticket, "hospital_bay")
        return self._close(view, job.entity)

    def _close(self, view: View, unit: int) -> StepResult:
        call = int(view["unit.call"][unit])
        event = view.emit("call_closed", call, 1.0, unit)
        desk.record(view, call, SERVED, event, closed=view.now)
        view.put("unit.call", unit, -1)
        view.put("unit.hospital", unit, -1)
        view.put("unit.stage", unit, RETURNING)
        view.put("unit.free", unit, True)
        view.because(view.emit("unit_free", unit, causes=[event]))
        return Delay(0, "back")

    def mission_back(self, view: View, job: Job) -> StepResult:
        """Drive back to the station, ready for the next call."""
        goal = int(self.station_node[job.entity])
        return self._drive(view, job.entity, goal, ("back", "back", "home"))

    def mission_home(self, view: View, job: Job) -> StepResult:
        """End the mission at the station."""
        view.put("unit.stage", job.entity, AT_STATION)
        view.put("unit.job", job.entity, -1)
        return Done()

    def tracking_look(self, view: View, job: Job) -> StepResult:
        """Report the node of every unit on the road."""
        self.fleet.refresh_nodes(view)
        return Delay(self.track, "look")

    def kpis(self, view: View) -> dict[str, float]:
        """Return the figures the response is judged by."""
        return metrics.figures(view, self.calls, self.target)

    def measure(self, view: View) -> dict[str, float]:
        """Return calls waiting and units busy now."""
        return metrics.present(view)

    def tables(self, view: View) -> dict[str, dict[str, Any]]:
        """Return the calls of the run."""
        return {"incidents/calls": metrics.call_table(view, self.calls, self.target)}

    def check(self, view: View) -> list[str]:
        """Return calls that are lost and units that are in two places."""
        return metrics.broken(view, self.calls)
