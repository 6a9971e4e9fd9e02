"""The water network of a city: pumps, tanks, pressures, and who is without water.

Tanks, patterns, controls, rules and the clock are the twin's own state; each solution is a
function of them (see `backend`). Customers get what pressure allows. A pump whose bus is dark stops.
A network that does not balance is reported and keeps its last good flows until the next step, except where closed
links cut off every source: nothing flows there from that instant.

Every loss of pressure has a cause: `pressure_lost` names the newest event that changed the network.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from twin.city.dependencies import supplier_of
from twin.contract import Event, Model, Option, Setup
from twin.models.scenario_events import targets_of
from twin.models.water import acts
from twin.models.water.backend import ROUGH, SOLVED
from twin.models.water.engine import Outcome, WaterEngine
from twin.models.water.hydraulics import local_day
from twin.models.water.inp import read_inp
from twin.models.water.kinds import EVENTS, FIELDS, KPIS, SERIES, TELLS
from twin.models.water.metrics import TWENTY_PSI, persons_of, resilience, service_availability
from twin.models.water.network import Network
from twin.models.water.planned import plans_of
from twin.models.water.segments import Segments
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
_HOUR = 3600e6
_SOME = 1e-6
"""m of pressure without which nobody is served, also where no service pressure is asked for."""


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
        self.service = max(float(setup.options["service_pressure"]), _SOME)
        self.hydrant_pressure = float(setup.options["hydrant_pressure"])
        junctions = city["junctions"]
        mean = np.bincount(self.network.demand_junction, self.network.demand_base, self.network.n_junction)
        counted = dict(junctions).get("population")
        self.persons = persons_of(counted, mean, float(setup.options["litres_per_person"]))
        self.bus = supplier_of(city, "buses", "pumps", "bus")
        self.hydrant = supplier_of(city, "junctions", "hydrants", "junction")
        self.plans = plans_of(self.network, setup.events, city.rows("hydrants"))
        pieces = {"water_link": self.network.n_link, "water_node": self.network.n_node, "water": 1, "water_rate": 1}
        rows = {"junction": "junctions", "hydrant": "hydrants", "tank": "tanks"}
        pieces |= {"water_leak": self.plans.leaks.entries, "water_draw": self.plans.draws.entries}
        return pieces | {k: city.rows(v) for k, v in rows.items()} | {"water_clock": 4, "water_count": 5}

    def state(self, view: View) -> WaterState:
        """Return the arrays of the run; they hold until an event is scheduled."""
        arrays = {name: view.raw(field) for name, field in _STATE.items()}
        return WaterState(draw=view.total("junction.draw"), leak=view.total("junction.leak"), **arrays)

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
        acts.spill(self, view)
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
        self._add_up(view)
        self._tell(view, outcome)
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
        first, last = self.network.first_pump, self.network.first_valve
        before, works = view["water_link.works"], view["water_link.shut"] == 0
        powered = np.ones(last - first, bool)
        if "bus.energised" in view:
            powered = view["bus.energised"][self.bus] | (self.bus < 0)
        allowed = ~view["water_link.failed"][first:last] & (view["water_link.cut_out"][first:last] == 0)
        works[first:last] &= powered & allowed
        if (works == before).all():
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

    def _tell(self, view: View, outcome: Outcome) -> None:
        """Log what the solution did and write the pressures it gives."""
        for control in outcome.controls:
            self._changed(view, view.emit("water_control", control, causes=[]))
        if outcome.turning >= 0:
            view.emit("water_oscillates", outcome.turning, causes=[int(view["water.event"][0])])
        if outcome.code not in (SOLVED, ROUGH):
            view.emit("water_unsolved", self._worst(view), outcome.code, causes=[int(view["water.event"][0])])
        n_junction, cause = self.network.n_junction, int(view["water.event"][0])
        pressure = view["water_node.head"][:n_junction] - self.network.elevation[:n_junction]
        view.put("junction.pressure", slice(None), pressure, cause)
        low = pressure < self.service
        if (low != view["junction.low"]).any():
            self._tell_low(view, low, cause)
        self._hydrants(view, pressure)

    def _tell_low(self, view: View, low: Array, cause: int) -> None:
        """Log who lost pressure and who has it back."""
        changed = np.flatnonzero(low != view["junction.low"])
        for kind, now in (("pressure_lost", True), ("pressure_back", False)):
            rows = changed[low[changed] == now]
            if rows.size and view.now:
                persons = float(self.persons[rows].sum())
                view.put("junction.low", rows, now, view.emit(kind, int(rows[0]), persons, rows.size, causes=[cause]))
        view.put("junction.low", slice(None), low, cause)

    def _hydrants(self, view: View, pressure: Array) -> None:
        works = (view["hydrant.flow"] <= 0) | (pressure[self.hydrant] >= self.hydrant_pressure)
        turned = works != view["hydrant.works"]
        for row in np.flatnonzero(turned).tolist() if turned.any() else ():
            kind = "hydrant_back" if works[row] else "hydrant_dry"
            at = int(self.hydrant[row])
            causes = [
                view.cause("junction.pressure", at),
                *([view.cause("junction.low", at)] * bool(view["junction.low"][at])),
            ]
            event = view.emit(kind, row, float(pressure[self.hydrant[row]]), causes=causes)
            view.put("hydrant.works", row, works[row], event)

    def _worst(self, view: View) -> int:
        """Return the joined junction whose demand the last good flows meet worst: where to look first."""
        joined = view["water_node.connected"][: self.network.n_junction]
        return int(np.argmax(np.where(joined, view["junction.demand"] - view["junction.delivered"], -np.inf)))

    def _sums(self, view: View) -> tuple[float, float, float]:
        """Return demand, demand met (m3) and persons times hours lost up to now."""
        elapsed = view.now - int(view["water.since"][0])
        asked, given = view["water_rate.asked"][0], view["water_rate.given"][0]
        dry = view["water_rate.dry"][0]
        return (
            float(view["water.asked"][0] + asked * elapsed / 1e6),
            float(view["water.given"][0] + given * elapsed / 1e6),
            float(view["water.dry"][0] + dry * elapsed / _HOUR),
        )

    def _add_up(self, view: View) -> None:
        """Integrate what was asked and met until now, and note the rates from here on."""
        for name, value in zip(("asked", "given", "dry"), self._sums(view), strict=True):
            view.put(f"water.{name}", 0, value)
        view.put("water.since", 0, view.now)
        for name, rate in zip(("asked", "given", "dry"), self._rates(view), strict=True):
            view.put(f"water_rate.{name}", 0, rate)
        heads, flows = view["water_node.head"], view["water_link.flow"]
        index = resilience(self.network, heads, view["junction.demand"], view["water_node.inflow"], flows)
        view.put("water.least_todini", 0, np.fmin(index, view["water.least_todini"][0]))

    def _rates(self, view: View) -> list[float]:
        """Return m3/s asked and given, and persons without water."""
        from twin.kernels.water_service import rates

        found = np.empty(3)
        asked = (view["junction.demand"], view.total("junction.draw"), view["junction.delivered"])
        heads = (view["water_node.head"], self.network.elevation)
        rates(*asked, *heads, self.persons, self.service, found)
        numbers: list[float] = found.tolist()
        return numbers

    def kpis(self, view: View) -> dict[str, float]:
        """Return service so far."""
        asked, given, dry = self._sums(view)
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
