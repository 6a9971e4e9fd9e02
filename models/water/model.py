"""The water network of a city: pumps, tanks, pressures, and who is without water.

Tanks, patterns, controls, rules and the clock are the twin's own state; each solution is a
function of them (see `backend`). Customers get what pressure allows. A pump whose bus is dark stops.
A network that does not balance is reported and keeps its last good flows until the next step, except where closed
links cut off every source: nothing flows there from that instant.

Every loss of pressure has its causes: `pressure_lost` names the newest event that changed the network since it was
last solved, and what works against pressure then: failures, dark buses, shut valves, orders by hand, draws and leaks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from twin.city.dependencies import supplier_of
from twin.contract import Event, Model, Option, Setup
from twin.models.scenario_events import targets_of
from twin.models.water import acts
from twin.models.water.backend import OPEN, ROUGH, SOLVED
from twin.models.water.engine import Outcome, WaterEngine
from twin.models.water.hydraulics import local_day
from twin.models.water.inp import read_inp
from twin.models.water.kinds import EVENTS, FIELDS, KPIS, SERIES, TELLS
from twin.models.water.metrics import TWENTY_PSI, service_availability
from twin.models.water.network import Network
from twin.models.water.planned import plans_of
from twin.models.water.segments import Segments
from twin.models.water.service import Seen, Service
from twin.models.water.state import NEXT, SINCE, UNSOLVED, WaterState

if TYPE_CHECKING:
    from twin.view import View

Array = np.ndarray[Any, Any]

_STATE = {
    "status": "water_link.status",
    "setting": "water_link.setting",
    "closed": "water_link.closed",
    "held": "water_link.held",
    "works": "water_link.works",
    "flow": "water_link.flow",
    "head": "water_node.head",
    "inflow": "water_node.inflow",
    "connected": "water_node.connected",
    "demand": "junction.demand",
    "delivered": "junction.delivered",
    "volume": "tank.volume",
    "level": "tank.level",
    "corrected": "tank.corrected",
    "clock": "water_clock.time",
    "count": "water_count.number",
}

_HINDERS = (
    *("water_link.failed", "water_link.cut_out", "water_link.shut"),
    *("hydrant.flow", "junction.hole", "water_leak.lasts"),
)
"""Traced fields that are not zero where something works against pressure."""


def _state_of(view: View) -> WaterState:
    """Return the arrays of a run with no draws and no leaks."""
    arrays = {name: view.raw(field) for name, field in _STATE.items()}
    none = np.zeros(len(arrays["demand"]))
    return WaterState(draw=none, leak=none, **arrays)


class Water(Model):
    """Drinking water: sources, pumps, tanks, mains, customers and hydrants."""

    name = "water"
    read = staticmethod(read_inp)
    owns = FIELDS
    reads = ("bus.energised", "water.changes")
    adds = ("junction.draw", "junction.leak")
    requires = ("junctions", "pipes")
    events = EVENTS
    tells = TELLS
    kpi_list = KPIS
    series = SERIES
    options = (
        Option("service_pressure", "pressure below which a customer counts as without water", "number", 7.0, low=0.0),
        Option("hydrant_pressure", "pressure that must remain while a hydrant is used", "number", TWENTY_PSI, low=0.0),
        Option("pressure_driven", "low pressure lowers what customers get", "flag", True),
        Option("litres_per_person", "a day, where the city counts no persons (assumption)", "number", 150.0, low=1.0),
    )

    def setup(self, setup: Setup) -> dict[str, int]:
        """Open the solver; read the network, its controls and what pumps hang on."""
        city = setup.city
        self.run = setup
        driven = bool(setup.options["pressure_driven"])
        self.network = Network(city, {"pressure_driven": driven, **local_day(city, setup.local_hour())})
        self.engine = WaterEngine(self.network, city)
        self.segments = Segments(self.network, city)
        self.service = Service(self.network, setup)
        self.bus = supplier_of(city, "buses", "pumps", "bus")
        self.plans = plans_of(self.network, setup.events, city.rows("hydrants"))
        pieces = {"water_link": self.network.n_link, "water_node": self.network.n_node, "water": 1, "water_rate": 1}
        rows = {"junction": "junctions", "hydrant": "hydrants", "tank": "tanks"}
        pieces |= {"water_leak": self.plans.leaks.entries, "water_draw": self.plans.draws.entries}
        return pieces | {k: city.rows(v) for k, v in rows.items()} | {"water_clock": 4, "water_count": 5}

    def state(self, view: View) -> WaterState:
        """Return the arrays of the run; they hold until an event is scheduled."""
        state = view.keep("water", _state_of)
        state.draw, state.leak = view.total("junction.draw"), view.total("junction.leak")
        return state

    def start(self, view: View) -> None:
        """Write what the network starts with."""
        self.state(view).begin(self.network)

    def on_event(self, view: View, event: Event) -> None:
        """Act on the network; the solution follows in `step`."""
        if event.kind == "water_tick":
            view.put("water.pending", 0, -1)
            due, fired = self.engine.look(self.state(view), view.now)
            for rule in fired:
                self._changed(view, view.emit("water_rule", rule, causes=[]))
            if due:
                acts.ask(view)
            else:
                self._wait(view)
            return
        acts.ACTS[event.kind](self, view, event, targets_of(event, self.run.events))
        self._changed(view, event.id)
        acts.ask(view)

    def _changed(self, view: View, event: int) -> None:
        view.put("water.event", 0, event)

    def step(self, view: View) -> None:
        """Let tanks run up to now, solve, and tell what came of it; a bus on which no pump hangs changes nothing."""
        asked = int(view["water.changes"][0])
        if not self._power(view) and asked == view["water.answered"][0]:
            return
        view.put("water.answered", 0, asked)
        if view["water_link.hole"].any():
            acts.spill(self, view)
        state = self.state(view)
        self.engine.fill(state, view.now)
        outcome = self.engine.solve(state, view.now)
        seen = self.service.look(view, state)
        self.service.add_up(view, seen)
        self._tell(view, outcome, seen)
        for name in ("water_link.flow", "water_node.head", "junction.delivered", "tank.level"):
            view.touch(name)
        self._wait(view)

    def _wait(self, view: View) -> None:
        """Schedule the next tick in place of the one that waits."""
        pending = int(view["water.pending"][0])
        if pending >= 0:
            view.cancel(pending)
        delay = max(int(view["water_clock.time"][NEXT]) - view.now, 1)
        view.put("water.pending", 0, view.schedule("water_tick", delay, cause=-1))

    def _power(self, view: View) -> bool:
        """Stop pumps that lack power, are failed or cut out, and let the others work; return whether any changed."""
        from twin.kernels.water_service import powered_links

        first, last = self.network.first_pump, self.network.first_valve
        before = view["water_link.works"]
        works, powered = np.empty(self.network.n_link, bool), np.empty(last - first, bool)
        energised = view["bus.energised"] if "bus.energised" in view else np.empty(0, bool)
        stopped = (view["water_link.failed"], view["water_link.shut"], view["water_link.cut_out"])
        if not powered_links(self.bus, energised, *stopped, first, before, powered, works):
            return False
        before = before.copy()
        changed = view.put("water_link.works", slice(None), works)
        for link in changed[(changed >= first) & (changed < last)].tolist():
            bus = int(self.bus[link - first])
            cause = view.cause("bus.energised", bus) if bus >= 0 and "bus.energised" in view else -1
            kind = "pump_stopped" if before[link] else "pump_started"
            if bus >= 0 and bool(powered[link - first]) != bool(before[link]):
                self._changed(view, view.emit(kind, link - first, causes=[cause]))
        return True

    def _tell(self, view: View, outcome: Outcome, seen: Seen) -> None:
        """Log what the solution did and write the pressures it gives."""
        for control in outcome.controls:
            self._changed(view, view.emit("water_control", control, causes=[]))
        newest = int(view["water.event"][0])
        if outcome.turning >= 0:
            view.emit("water_oscillates", outcome.turning, causes=[newest])
        if outcome.code not in (SOLVED, ROUGH):
            view.emit("water_unsolved", self._worst(view), outcome.code, causes=[newest])
        self.service.tell(view, seen, newest, self._standing(view) if newest < 0 or seen.turned else [])
        self._changed(view, -1)

    def _standing(self, view: View) -> list[int]:
        """Return the events behind what is out of service, shut or held back by hand, dark, drawn or spilt."""
        causes = [view.cause(name, row) for name in _HINDERS for row in np.flatnonzero(view[name]).tolist()]
        slowed = (view["water_link.status"] != OPEN) | (view["water_link.setting"] < 1.0)
        causes += view["water_link.order"][view["water_link.held"] & slowed].tolist()
        if "bus.energised" in view:
            dark = self.bus[(self.bus >= 0) & ~view["bus.energised"][np.maximum(self.bus, 0)]]
            causes += [view.cause("bus.energised", bus) for bus in dark.tolist()]
        return list(dict.fromkeys(causes))

    def _worst(self, view: View) -> int:
        """Return the joined junction whose demand the last good flows meet worst: where to look first."""
        joined = view["water_node.connected"][: self.network.n_junction]
        return int(np.argmax(np.where(joined, view["junction.demand"] - view["junction.delivered"], -np.inf)))

    def kpis(self, view: View) -> dict[str, float]:
        """Return service so far."""
        asked, given, dry = self.service.sums(view)
        return {
            "water_service_availability": service_availability(given, asked),
            "water_person_hours_lost": dry,
            "water_todini_min": float(view["water.least_todini"][0]),
        }

    def measure(self, view: View) -> dict[str, float]:
        """Return service now."""
        return {
            "persons_without_water": float(view["water_rate.dry"][0]),
            "water_unserved": float(view["water_rate.asked"][0] - view["water_rate.given"][0]),
            "tank_storage": sum(view["tank.volume"].tolist()) + self._running_in(view),
        }

    def _running_in(self, view: View) -> float:
        """Return what has run into tanks since their volumes were last brought up to date, m3."""
        elapsed = (view.now - int(view["water_clock.time"][SINCE])) / 1e6
        running: list[float] = view["water_node.inflow"][self.network.first_tank :].tolist()
        return sum(running) * elapsed

    def tables(self, view: View) -> dict[str, dict[str, Array]]:
        """Return junctions and links as they are at the end."""
        n_junction, network = self.network.n_junction, self.network
        return {
            "junctions": {
                "id": network.node_identifier[:n_junction],
                "pressure_m": view["junction.pressure"],
                "demand_m3_s": view["junction.demand"],
                "delivered_m3_s": view["junction.delivered"],
                "persons": self.service.persons,
            },
            "water_links": {
                "id": network.link_identifier,
                "flow_m3_s": view["water_link.flow"],
                "closed": view["water_link.closed"],
            },
        }

    def check(self, view: View) -> list[str]:
        """Return contradictions of levels, volumes and cut-off parts."""
        broken = []
        tanks, level = self.engine.tanks, view["tank.level"]
        if (level < tanks.low - 1e-9).any() or (level > tanks.high + 1e-9).any():
            broken.append("a tank's level lies beyond its limits")
        cut = ~view["water_node.connected"][: self.network.n_junction]
        if (view["junction.delivered"][cut] != 0).any() or (view["junction.pressure"][cut] != 0).any():
            broken.append("a junction that no source reaches has pressure or water")
        solved = view["water_count.number"][UNSOLVED] == 0
        if solved and not np.isfinite(view["water_node.head"]).all():
            broken.append("a head is not a number")
        if solved and (view["water_link.flow"][~view["water_link.works"]] != 0).any():
            broken.append("water flows through a link that is shut, failed or without power")
        return broken
