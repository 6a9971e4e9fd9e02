"""Emergency response: calls are answered, triaged, served and brought to hospital.

A call is a staged procedure (ring, answer, triage) that ends when it waits for
a unit. The order `dispatch` of a policy starts the mission of a unit: alert,
mobilise, drive, scene, transport, bay, handover, return. A unit may be sent to
the next call as soon as it is free, from wherever it is on its way back.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from twin.contract import SECOND, Delay, Event, Model, Setup, StepResult
from twin.errors import DataError
from twin.models.emergency import desk, duty, metrics, tables
from twin.models.emergency.call_steps import CallSteps
from twin.models.emergency.calls import DEFAULTS, target_times
from twin.models.emergency.convoy import LOOK, VEHICLE_READS, Convoy
from twin.models.emergency.examine import faults
from twin.models.emergency.hospitals import Hospitals, check_access, limits, renew
from twin.models.emergency.incidents import draw_requests, fights_fires
from twin.models.emergency.lateness import SILENCE, silence_of_unit
from twin.models.emergency.mission_steps import MissionSteps
from twin.models.emergency.renewal import Futures
from twin.models.emergency.service_kinds import bits
from twin.models.emergency.service_plan import plan_of
from twin.models.emergency.tables import (
    ALERTED,
    AT_SCENE,
    GOING_OFF,
    RETURNING,
    TO_HOSPITAL,
    TO_SCENE,
    URGENT,
    VEHICLES,
)
from twin.models.plan_file import locate
from twin.models.scenario_events import targets_of
from twin.models.streets import build_streets
from twin.models.travel import ROAD_NEEDS, ROAD_READS, Fleet, roads_changed

if TYPE_CHECKING:
    from twin.procedure import Job
    from twin.view import View

_STEP_OF_STAGE = {TO_SCENE: "drive", TO_HOSPITAL: "carry", RETURNING: "back", GOING_OFF: "back"}


class Emergency(CallSteps, MissionSteps, Futures, Model):
    """Calls, units and hospital bays of a city."""

    name = "emergency"
    owns = tables.FIELDS
    reads = (*ROAD_READS, *VEHICLE_READS, "hospital.powered")
    listens = (LOOK,)
    lags = SILENCE
    requires = (*ROAD_NEEDS, "zones", "zone_nodes", "stations", "hospitals")
    city_defaults: ClassVar = {"emergency": DEFAULTS}
    waits_for: ClassVar = {"dispatch": "no call is served"}
    events = tables.EVENTS
    tells = tables.TELLS
    options = tables.OPTIONS
    procedures: ClassVar = tables.PROCEDURES
    resources = tables.RESOURCES
    deciders = ("dispatcher",)
    kpi_list = tables.KPIS
    series = tables.SERIES

    def examine(self, setup: Setup) -> list[str]:
        """Return what is wrong with the plan, the table of calls and the hospitals."""
        return faults(setup)

    def setup(self, setup: Setup) -> dict[str, int]:
        """Draw the calls and place the units."""
        city, options = setup.city, setup.options
        self.plan = plan_of(city, locate(str(options["service"]), setup.folder))
        self.station_nodes = np.asarray(city["stations"]["node"], dtype=np.int64)
        desks = duty.staff_of(self.plan.desks, int(options["call_takers"]))
        self.call_takers = np.array([desk.most for desk in desks])
        self.absences = duty.taker_absences(setup, desks)
        self.shifts = duty.unit_shifts(setup, self.plan.units)
        self.dispatch_time = round(float(options["dispatch_time"]) * SECOND)
        self.track = round(float(options["track"]) * SECOND)
        self.transfer = round(self.plan.transfer * SECOND)
        self.worsens = round(float(options["worsens_after"]) * SECOND)
        self.dark_factor, self.answer_target = float(options["dark_factor"]), float(options["answer_target"])
        self.aid_stay = round(float(options["aid_hours"]) * SECOND)
        self.take_requests(draw_requests(setup, self.plan))
        self.target = target_times(city)
        self.planned = tuple(setup.events)
        self.hospitals = Hospitals(
            np.asarray(city["hospitals"]["node"], dtype=np.int64),
            np.asarray(city["hospitals"]["bays"], dtype=np.int64),
            self.plan.specialties,
            limits(self.plan.divert_queue),
            bool(options["divert_dark"]),
        )
        streets = build_streets(city)
        check_access(city)
        share, retime = float(options["siren_share"]), round(float(options["retime"]) * SECOND)
        self.among = options["drive"] == VEHICLES
        self.fleet = (Convoy if self.among else Fleet)("unit", streets, share, retime, "unit.quiet")
        self.sparing = options["siren"] == URGENT
        return {
            "call": self.calls.number.shape[0],
            "unit": self.plan.units.node.shape[0],
            "dispatcher": int(options["dispatchers"]),
            "desk": len(desks),
            "taker": self.absences.desk.shape[0],
        }

    def start(self, view: View) -> None:
        """Park every unit at its station and wait for the first call.

        Raises DataError when units are to drive among vehicles and the run has none.
        """
        if self.among and any(name not in view for name in VEHICLE_READS):
            raise DataError("emergency: drive (vehicles) needs the model traffic in this run; add it, or set times")
        units = self.plan.units
        view.put("unit.node", slice(None), units.node)
        view.put("unit.station", slice(None), units.station)
        view.put("unit.can", slice(None), units.can)
        view.put("desk.upgrade", 0, self.plan.upgrades)
        view.put("desk.fires", 0, fights_fires(self.plan))
        duty.begin_duty(view, self.shifts)
        view.begin("tracking", -1)
        for taker in np.flatnonzero([len(spans) > 0 for spans in self.absences.spans]).tolist():
            view.begin("absence", taker)
        self._await_call(view, 0)

    def _await_call(self, view: View, nth: int) -> None:
        if nth < self.daily.shape[0]:
            call = int(self.daily[nth])
            view.schedule("call_rings", int(self.calls.time[call]) - view.now, target=call, cause=-1)

    def on_event(self, view: View, event: Event) -> None:
        """Act on calls, orders, shifts and roads that changed."""
        getattr(self, f"_on_{event.kind}")(view, event)

    def _on_call_rings(self, view: View, event: Event) -> None:
        view.begin("call", event.target)
        if self.calls.surge[event.target] < 0:
            self._await_call(view, int(np.searchsorted(self.daily, event.target)) + 1)

    def _on_surge(self, view: View, event: Event) -> None:
        for call in np.flatnonzero((self.calls.surge == event.data) & self.rings).tolist():
            view.schedule("call_rings", int(self.calls.time[call]) - view.now, target=call)

    _on_mass_casualty = _on_surge

    def _on_alarm(self, view: View, event: Event) -> None:
        """Let somebody call about a fire, and publish how it goes with the requests of its incident."""
        rows = np.flatnonzero(self.calls.surge == event.data)
        view.put("call.scenario", rows, event.data)
        view.put("call.fights", rows, self.requests.need[rows] & bits("pump") > 0)
        self._on_surge(view, event)

    def _on_casualty_found(self, view: View, event: Event) -> None:
        self.open_request(view, event.target)

    def _on_patient_waits(self, view: View, event: Event) -> None:
        self.worsen(view, event.target)

    def _on_incident_declared(self, view: View, event: Event) -> None:
        """Leave it to those who listen: procedures."""

    _on_incident_closed = _on_mass_casualty_declared = _on_incident_declared

    def _on_dispatch(self, view: View, event: Event) -> None:
        order = _whole(event)
        desk.carry_out(view, order, self.dispatch_time, silence_of_unit(view, int(order.value)))

    def _on_dispatcher_free(self, view: View, event: Event) -> None:
        view.put("dispatcher.idle", event.target, True)

    def _on_unit_reroute(self, view: View, event: Event) -> None:
        self._reroute(view, event.target)

    def _on_road_look(self, view: View, event: Event) -> None:
        """Let a unit among the vehicles go on, unless it has turned to something else since it asked."""
        unit = event.target
        stage = int(view["unit.stage"][unit])
        if event.data == view["unit.looks"][unit] and stage in _STEP_OF_STAGE:
            view.interrupt(int(view["unit.job"][unit]), _STEP_OF_STAGE[stage])

    def _on_move(self, view: View, event: Event) -> None:
        if desk.move(view, _whole(event)):
            view.put("unit.job", event.target, view.begin("mission", event.target))

    def _on_shift_change(self, view: View, event: Event) -> None:
        duty.change(view, event.target)
        if event.data == duty.AID_COMES:
            view.schedule("shift_change", self.aid_stay, target=event.target)
        else:
            duty.await_change(view, event.target, self.shifts)

    def _on_request_aid(self, view: View, event: Event) -> None:
        """Ask for `units` of the scenario, else for the value of the order; it fails for none or part of a unit."""
        count = int(event.params.get("units", 0)) or int(_whole(event).value)
        if count < 1:
            view.raw("desk.failed_orders")[0] += 1
            view.emit("aid_failed", -1, event.value)
            return
        coming = duty.ask_neighbours(view, self.plan.units.aid, count)
        view.emit("aid_promised", -1, float(coming))

    def _on_divert(self, view: View, event: Event) -> None:
        view.put("hospital.ordered", targets_of(event, self.planned), event.kind == "divert")
        renew(view, self.hospitals)

    _on_accept = _on_divert

    def step(self, view: View) -> None:
        """Send units another way when a road ahead closed, or any road changed and they wait, or a hospital diverts."""
        renew(view, self.hospitals)
        for unit, link in self.fleet.blocked(view):
            view.schedule("unit_reroute", 1, target=unit, data=link, cause=view.cause("link.open", link))
        for unit in np.flatnonzero(view["unit.held"]).tolist():
            call = int(view["unit.call"][unit])
            if view.total("call.held")[call] == 0:
                view.schedule("unit_reroute", 1, target=unit, cause=view.cause("call.held", call))
        if roads_changed(view, "desk.roads"):
            for unit in self.fleet.stuck(view):
                view.schedule("unit_reroute", 1, target=unit, cause=-1)

    def _reroute(self, view: View, unit: int) -> None:
        stage = int(view["unit.stage"][unit])
        if stage == ALERTED and self.fleet.moving(view, unit) and not self.among:
            self.fleet.follow(view, unit, int(view["unit.leg_goal"][unit]))
        elif stage == AT_SCENE:
            view.resume(int(view["unit.job"][unit]))
        elif stage in _STEP_OF_STAGE:
            lost = stage == TO_HOSPITAL and self._must_choose(view, unit)
            view.interrupt(int(view["unit.job"][unit]), "leave" if lost else _STEP_OF_STAGE[stage])

    def _must_choose(self, view: View, unit: int) -> bool:
        """Tell whether a unit with a patient has to look for another hospital."""
        return bool(view["unit.leg_stuck"][unit] or view["hospital.diverts"][view["unit.hospital"][unit]])

    def tracking_look(self, view: View, job: Job) -> StepResult:
        """Report the node of every unit on the road."""
        self.fleet.refresh_nodes(view)
        return Delay(self.track, "look")

    def kpis(self, view: View) -> dict[str, float]:
        """Return the figures the response is judged by."""
        return metrics.figures(view, self.requests, self.target, self.answer_target)

    def measure(self, view: View) -> dict[str, float]:
        """Return calls waiting and units busy now."""
        return metrics.present(view)

    def tables(self, view: View) -> dict[str, dict[str, Any]]:
        """Return the calls and the units of the run, and the calls of a table that were left out."""
        found = {
            "incidents/calls": metrics.call_table(view, self.requests, self.target),
            "units/units": metrics.unit_table(view, self.plan.units),
        }
        if self.requests.left_out:
            line, reason = zip(*self.requests.left_out, strict=True)
            found["incidents/left_out"] = {"line": np.array(line), "reason": np.array(reason, dtype=np.str_)}
        return found

    def check(self, view: View) -> list[str]:
        """Return calls that are lost and units that are in two places."""
        return metrics.broken(view, self.requests)


def _whole(order: Event) -> Event:
    """Return an order whose value names a row or a count; one that is no whole number becomes -1, which none has."""
    whole = float(order.value).is_integer() and abs(order.value) < 1 << 31
    return order if whole else replace(order, value=-1.0)
