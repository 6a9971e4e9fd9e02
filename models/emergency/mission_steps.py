"""A mission of a unit, from the order to the station."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from twin.contract import SECOND, Acquire, Delay, Done, Park, StepResult
from twin.models.emergency import desk
from twin.models.emergency.convoy import LOOK
from twin.models.emergency.duty import go_home
from twin.models.emergency.hospitals import Hospitals, choose, lacks, renew, soonest
from twin.models.emergency.lateness import reasons
from twin.models.emergency.tables import (
    AT_HOSPITAL,
    AT_SCENE,
    CLOSED_SERVED,
    GOING_OFF,
    IN_HOSPITAL,
    ON_SCENE,
    RETURNING,
    SERVED,
    TO_HOSPITAL,
    TO_SCENE,
    TRANSPORT,
)

if TYPE_CHECKING:
    from twin.models.emergency.calls import CallList
    from twin.models.emergency.incidents import Requests
    from twin.models.emergency.service_plan import ServicePlan
    from twin.models.travel import Fleet
    from twin.procedure import Job
    from twin.view import View

Array = np.ndarray[Any, Any]

_SIREN_TO_SCENE, _SIREN_TO_HOSPITAL = 2, 1
"""Least urgent priority with siren, where it is spared (assumption)."""


class MissionSteps:
    """Steps of a mission; part of the emergency model."""

    calls: CallList
    requests: Requests
    plan: ServicePlan
    fleet: Fleet
    among: bool
    sparing: bool
    hospitals: Hospitals
    station_nodes: Array
    target: Array
    dispatch_time: int
    dark_factor: float

    if TYPE_CHECKING:

        def sort_casualties(self, view: View, call: int) -> None:
            """Find casualties; see CallSteps."""

        def note_closed(self, view: View, call: int) -> None:
            """Note that a request has ended; see CallSteps."""

    def mission_alert(self, view: View, job: Job) -> StepResult:
        """Wait until the dispatcher has passed on the order; a unit under way keeps moving.

        A unit without a call is on its way to another station.
        """
        return Delay(self.dispatch_time) if int(view["unit.call"][job.entity]) >= 0 else Delay(0, "back")

    def mission_mobilise(self, view: View, job: Job) -> StepResult:
        """Get the crew into the vehicle, when it is not on the road already."""
        unit = job.entity
        at_home = not self.fleet.moving(view, unit) and int(view["unit.node"][unit]) == self._base(view, unit)
        if not at_home:
            return Delay(0)
        return Delay(round(int(self.calls.mobilise[view["unit.call"][unit]]) * float(self.plan.units.turnout[unit])))

    def mission_depart(self, view: View, job: Job) -> StepResult:
        """Set off for the call."""
        view.put("unit.stage", job.entity, TO_SCENE)
        self.fleet.depart(view, job.entity)
        return self.mission_drive(view, job)

    def mission_drive(self, view: View, job: Job) -> StepResult:
        """Drive towards the call."""
        call = int(view["unit.call"][job.entity])
        goal = int(self.calls.node[call])
        self._sound(view, job.entity, int(view["call.priority"][call]) <= _SIREN_TO_SCENE)
        return self._drive(view, job.entity, goal, ("drive", "drive", "scene"))

    def _drive(self, view: View, unit: int, goal: int, steps: tuple[str, str, str]) -> StepResult:
        """Follow a leg; steps to take at the next look, when stuck and on arrival."""
        again, stuck, arrived = steps
        if not self.fleet.current(view):
            return self._look(view, unit, 0, again)
        left = self.fleet.follow(view, unit, goal)
        if left is None:
            return Park(stuck)
        if left and self.among:
            return self._look(view, unit, left, again)
        return Delay(left, again if left else arrived)

    def _sound(self, view: View, unit: int, siren: bool) -> None:
        """Drive with siren, or without where it is used for urgent calls only."""
        view.put("unit.quiet", unit, self.sparing and not siren)

    def _look(self, view: View, unit: int, delay: int, step: str) -> StepResult:
        """Go on with a step when the vehicles stand as they do after a delay."""
        asked = int(view["unit.looks"][unit]) + 1
        view.raw("unit.looks")[unit] = asked
        view.schedule(LOOK, delay, target=unit, data=asked, cause=view.cause_id)
        return Park(step)

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
        self.sort_casualties(view, call)
        return Delay(int(self.calls.scene[call]))

    def mission_leave(self, view: View, job: Job) -> StepResult:
        """Go on while the work has grown, stay while held; then choose a hospital, or finish on the scene."""
        unit, call = job.entity, int(view["unit.call"][job.entity])
        grown = int(view.total("call.work")[call]) - int(view["call.worked"][call])
        if grown > 0 and int(view["unit.stage"][unit]) == AT_SCENE:
            view.put("call.worked", call, int(view["call.worked"][call]) + grown)
            return Delay(grown, "leave")
        held = int(view.total("call.held")[call]) > 0 and int(view["unit.stage"][unit]) == AT_SCENE
        view.put("unit.held", unit, held)
        if held:
            return Park("leave")
        if not self.calls.transport[call]:
            return self._close(view, unit)
        self._choose_hospital(view, unit, call)
        view.put("unit.stage", unit, TO_HOSPITAL)
        view.put("call.stage", call, TRANSPORT)
        return self.mission_carry(view, job)

    def _choose_hospital(self, view: View, unit: int, call: int) -> None:
        """Choose where to; a patient brought elsewhere because of a diversion is counted once a change."""
        times = self.fleet.times_from(view, unit)[self.hospitals.node]
        kind = int(self.requests.kind[call])
        specialty = self.plan.incidents[self.requests.kinds[kind]].specialty if kind >= 0 else ""
        chosen, direct = choose(view, self.hospitals, times, specialty), soonest(self.hospitals, times, specialty)
        if chosen != direct and int(view["unit.hospital"][unit]) != chosen:
            view.raw("hospital.diverted")[direct] += 1
            behind = [view.cause_id, view.cause("hospital.diverts", direct)]
            view.because(view.emit("unit_diverted", call, float(chosen), unit, behind))
        view.put("unit.hospital", unit, chosen)

    def mission_carry(self, view: View, job: Job) -> StepResult:
        """Drive the patient to hospital."""
        goal = int(self.hospitals.node[view["unit.hospital"][job.entity]])
        self._sound(view, job.entity, int(self.calls.priority[view["unit.call"][job.entity]]) <= _SIREN_TO_HOSPITAL)
        return self._drive(view, job.entity, goal, ("carry", "leave", "door"))

    def mission_door(self, view: View, job: Job) -> StepResult:
        """Queue for a bay of the hospital, the most urgent first."""
        unit, call = job.entity, int(view["unit.call"][job.entity])
        hospital = int(view["unit.hospital"][unit])
        event = view.emit("unit_at_hospital", call, float(hospital), unit)
        view.because(event)
        view.put("unit.stage", unit, IN_HOSPITAL)
        desk.record(view, call, AT_HOSPITAL, event, at_hospital=view.now)
        self._queue(view, hospital, 1)
        return Acquire("hospital_bay", hospital, int(self.calls.priority[call]))

    def mission_handover(self, view: View, job: Job) -> StepResult:
        """Hand the patient over; slower in a hospital without power or water."""
        call, hospital = int(view["unit.call"][job.entity]), int(view["unit.hospital"][job.entity])
        view.put("call.bay", call, view.now)
        dark = bool(lacks(view)[hospital])
        factor = self.dark_factor if dark else 1.0
        return Delay(round(int(self.calls.handover[call]) * factor))

    def _queue(self, view: View, hospital: int, change: int) -> None:
        present = int(view["hospital.present"][hospital]) + change
        view.put("hospital.present", hospital, present)
        view.put("hospital.queue", hospital, max(present - int(self.hospitals.bays[hospital]), 0))
        renew(view, self.hospitals)

    def mission_clear(self, view: View, job: Job) -> StepResult:
        """Leave the bay and the call."""
        view.release(job.ticket, "hospital_bay")
        self._queue(view, int(view["unit.hospital"][job.entity]), -1)
        return self._close(view, job.entity)

    def _close(self, view: View, unit: int) -> StepResult:
        call = int(view["unit.call"][unit])
        event = view.emit("call_closed", call, CLOSED_SERVED, unit)
        desk.record(view, call, SERVED, event, closed=view.now)
        self.note_closed(view, call)
        view.put("unit.call", unit, -1)
        view.put("unit.hospital", unit, -1)
        if not view["unit.duty"][unit]:
            view.put("unit.stage", unit, GOING_OFF)
            return Delay(0, "back")
        view.put("unit.stage", unit, RETURNING)
        view.put("unit.free", unit, True)
        view.because(view.emit("unit_free", unit, causes=[event]))
        return Delay(0, "back")

    def mission_back(self, view: View, job: Job) -> StepResult:
        """Drive back to the station, ready for the next call."""
        self._sound(view, job.entity, False)
        return self._drive(view, job.entity, self._base(view, job.entity), ("back", "back", "home"))

    def mission_home(self, view: View, job: Job) -> StepResult:
        """End the mission at the station, and the shift if it is over."""
        go_home(view, job.entity)
        return Done()

    def _base(self, view: View, unit: int) -> int:
        """Return the node of the station a unit goes back to."""
        return int(self.station_nodes[view["unit.station"][unit]])
