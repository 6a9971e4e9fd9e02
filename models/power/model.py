"""Distribution power: failures, switching, islands, voltages and lost supply.

Each time a part changes state the model searches the graph of closed and unfailed
lines, transformers and substations from the sources (what it does not reach is
dark), then solves the power flow of the rest. Both are functions of arrays: the
solver keeps nothing from one solution to the next.

A substation trips when flood water reaches `trip_depth`, which the city states.
Where it does not, 0.3 m is assumed: protection and control cubicles of a compact 20 kV substation
stand near the ground, and operators switch off before water reaches live parts.
FEMA's Hazus flood model (technical manual, utilities) is milder: a substation
works until the water stands 4 ft (1.2 m) deep and reaches the control room.

Every change of supply has a cause: a bus that goes dark names, through an event
`outage`, the break nearest the source on its normal path; one that comes back
names, through `supply_back`, the newest change on the path that now feeds it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from twin.contract import MINUTE, Event, Model, Setup
from twin.models.power.demand import Demand
from twin.models.power.failures import Failures, change
from twin.models.power.grid import Grid, Supply, feeding
from twin.models.power.kinds import EVENTS, FIELDS, KPIS, NEVER_MEASURED, OPTIONS, SERIES, TELLS
from twin.models.power.limits import LimitWatch
from twin.models.power.protection import OVERCURRENT, Protection
from twin.models.power.service import begin_or_end, indices, interruptions, lost
from twin.models.power.solver import GridSolver
from twin.models.power.storage import Storages
from twin.models.power.switching import Flisr
from twin.models.scenario_events import microseconds, targets_of
from twin.models.standing import Standing

if TYPE_CHECKING:
    from twin.view import View

Array = np.ndarray[Any, Any]


class Power(Model):
    """The medium-voltage grid of the city and its customers."""

    name = "power"
    owns = FIELDS
    reads = ("substation.depth", "grid.changes")
    adds = ("bus.load", "bus.absence")
    requires = ("buses", "sources")
    events = EVENTS
    tells = TELLS
    kpi_list = KPIS
    series = SERIES
    options = OPTIONS

    def setup(self, setup: Setup) -> dict[str, int]:
        """Build the graph, the solver and the load of every bus."""
        city = setup.city
        self.run = setup
        self.grid = Grid(city)
        self.solver = GridSolver(city)
        self.demand = Demand(setup)
        self.storages = Storages(setup)
        self.protection = Protection(setup, self.grid)
        self.failures = Failures(setup, self.protection)
        self.limits = LimitWatch(setup, self.protection)
        normal = city["lines"]["closed"].astype(bool) if "lines" in city else np.zeros(0, bool)
        self.flisr = Flisr(self.grid, self.solver, normal, self.limits)
        self.trip_depth = float(setup.options["trip_depth"])
        self.load_every = microseconds(setup.options["load_every"])
        self.evacuations = Standing.of("evacuate", setup.events, lambda given: given["value"])
        self.customers = city["buses"]["customers"].astype(np.int64)
        self.zone = np.asarray(city["buses"]["zone"], dtype=np.int64)
        rows = {"line": city.rows("lines"), "substation": city.rows("substations"), "storage": city.rows("storages")}
        return {"grid": 1, "zone": city.rows("zones"), "evacuation": len(self.evacuations.number), **rows}

    def start(self, view: View) -> None:
        """Put switches in their normal position, fill batteries and set the first loads."""
        if "lines" in view.city:
            view.put("line.closed", slice(None), view.city["lines"]["closed"])
        self.storages.start(view)
        self._load(view)

    def on_event(self, view: View, event: Event) -> None:
        """Change the state of lines, substations, loads or batteries."""
        handlers = {
            "load_tick": self._tick,
            "substation_failure": self.failures.fail,
            "line_failure": self.failures.fail,
            "power_repair": self.failures.mend,
            "failure_end": self.failures.mend,
            "blackout": self.failures.cut,
            "blackout_end": self.failures.cut,
            "switch": self._switch,
            "storm": self.failures.storm,
            "evacuate": self._evacuate,
            "evacuation_end": self._evacuate,
            "shed_load": self._shed,
            "dispatch_storage": self._dispatch,
            "storage_limit": self._again,
            "flisr": self._restore,
            "overcurrent_trip": self._overcurrent,
        }
        handlers[event.kind](view, event)

    def _tick(self, view: View, event: Event) -> None:
        self._load(view)

    def _load(self, view: View) -> None:
        """Set the demand of every bus by local time of day."""
        view.add("bus.load", slice(None), self.demand.usual(view.now))
        view.schedule("load_tick", self.load_every, cause=-1)

    def _again(self, view: View, event: Event | None = None) -> None:
        """Ask for a new search and flow."""
        view.put("grid.changes", 0, view["grid.changes"][0] + 1)

    def _switch(self, view: View, event: Event) -> None:
        """Close or open lines by hand; a breaker that had tripped counts as seen to."""
        lines = targets_of(event, self.run.events)
        change(view, "line", "closed", lines, bool(event.params.get("value", event.value)))
        view.put("line.tripped", lines, 0)

    def _evacuate(self, view: View, event: Event) -> None:
        """Take people away from zones, or let those of a scenario's event come back."""
        ends, row = event.kind == "evacuation_end", self.evacuations.row(event)
        if row >= 0:
            view.put("evacuation.lasts", row, not ends)
        else:
            view.put("zone.ordered_away", event.target, event.value)
        zones = np.maximum(
            view["zone.ordered_away"], self.evacuations.highest(view["evacuation.lasts"], view.rows("zone"))
        )
        view.add("bus.absence", slice(None), np.append(zones, 0.0)[self.zone])
        if not ends and event.params.get("duration", 0.0):
            view.schedule("evacuation_end", microseconds(event.params["duration"]), event.target, data=event.data)

    def _shed(self, view: View, event: Event) -> None:
        """Switch the loads of zones off or on."""
        zones = targets_of(event, self.run.events)
        off = bool(event.params.get("value", event.value))
        if len(view.put("bus.shed", np.isin(self.zone, zones), off)):
            self._again(view)

    def _dispatch(self, view: View, event: Event) -> None:
        """Tell batteries what to give."""
        rows = targets_of(event, self.run.events)
        if len(view.put("storage.wanted", rows, float(event.params.get("value", event.value)))):
            self._again(view)

    def _overcurrent(self, view: View, event: Event) -> None:
        """Open a line whose relay has run out; it stays open until somebody switches it."""
        view.put("line.relay", event.target, -1)
        view.put("line.tripped", event.target, OVERCURRENT)
        change(view, "line", "closed", event.target, False)

    def _restore(self, view: View, event: Event) -> None:
        """Isolate faults and close ties; each switch that moves is an event."""
        present = self.demand.present(view)
        wanted = self.flisr.plan(view, (present, self.demand.reactive(present)), self.customers)
        for line in np.flatnonzero(wanted != view["line.closed"]).tolist():
            moved = view.emit("line_closed" if wanted[line] else "line_opened", line)
            change(view, "line", "closed", line, bool(wanted[line]), moved)
            view.put("line.tripped", line, 0)

    def step(self, view: View) -> None:
        """Trip flooded substations, find what is fed, solve the flow and add up lost supply."""
        self._trip(view)
        supply = self._supply(view)
        supplied = supply.fed & ~view["bus.shed"]
        if (supplied != view["bus.energised"]).any():
            self._switch_supply(view, supply, supplied)
        demand = self.demand.present(view)
        self._add_up(view, ~supplied, demand)
        self._solve(view, supply, supplied, demand)

    def _trip(self, view: View) -> None:
        if "substation.depth" not in view:
            return
        depth = view["substation.depth"]
        for row in np.flatnonzero((depth >= self.trip_depth) & ~view["substation.failed"]).tolist():
            trip = view.emit("substation_trip", row, float(depth[row]), causes=[view.cause("substation.depth", row)])
            change(view, "substation", "failed", row, True, trip)
            view.put("substation.until", row, -1)

    def _supply(self, view: View) -> Supply:
        return self.grid.supply(
            feeding(view),
            view["line.closed"] & ~view["line.failed"],
            view["substation.event"],
            view["line.event"],
        )

    def _switch_supply(self, view: View, supply: Supply, now: Array) -> None:
        """Write which buses have power; log one event per cause."""
        differs, shed = view["bus.energised"] != now, view["bus.shed"]
        cause = supply.event.copy()
        told = view["bus.shed@cause"]
        cause[supply.fed] = np.where(shed, told, np.maximum(cause, told))[supply.fed]
        for kind, state in (("outage", False), ("supply_back", True)):
            changed = differs & (now == state)
            for event in np.unique(cause[changed]).tolist():
                rows = np.flatnonzero(changed & (cause == event))
                customers = int(self.customers[rows].sum())
                logged = view.emit(kind, int(rows[0]), float(customers), len(rows), causes=[event])
                view.put("bus.energised", rows, state, logged)
        rows = np.flatnonzero(differs)
        dark = np.where(now[rows], view.now - view["bus.dark_since"][rows], 0)
        back = rows[now[rows]]
        view.put("bus.back_since", back, view.now)
        view.put("bus.cold", back, self.demand.excess(dark[now[rows]]))
        begin_or_end(view, rows, now)

    def _add_up(self, view: View, dark: Array, load: Array) -> None:
        """Integrate lost supply up to now and note what is lost from here on."""
        minutes, energy = lost(view)
        some = dark.any()
        view.put("grid.customer_minutes", 0, minutes)
        view.put("grid.energy", 0, energy)
        view.put("grid.since", 0, view.now)
        view.put("grid.dark", 0, int(self.customers[dark].sum()) if some else 0)
        view.put("grid.unserved", 0, float(load[dark].sum()) if some else 0.0)

    def _solve(self, view: View, supply: Supply, supplied: Array, demand: Array) -> None:
        """Solve the flow; where there is none the last voltages of what has power stay."""
        active, reactive = self.demand.net(view, demand, supplied)
        active = self.storages.step(view, supplied, active)
        solution = self.solver.solve(supply.fed, supply.edge_works, active, reactive)
        if solution is None:
            view.put("grid.unsolved", 0, view["grid.unsolved"][0] + 1)
            worst = int(np.where(supply.fed, active, -np.inf).argmax())
            view.emit("power_unsolved", worst, float(active[supply.fed].sum()))
            view.put("bus.voltage", slice(None), np.where(supplied, view["bus.voltage"], 0.0))
            return
        voltage, loading = solution
        view.put("bus.voltage", slice(None), np.where(supplied, voltage, 0.0))
        view.put("line.loading", slice(None), loading)
        self.limits.step(view, (supply.fed, supplied), voltage, loading)

    def kpis(self, view: View) -> dict[str, float]:
        """Return lost supply and the lowest voltage so far."""
        minutes, energy = lost(view)
        least = float(view["grid.least_voltage"][0])
        return {
            "customer_minutes_lost": minutes,
            "energy_not_supplied_kwh": energy / 3.6e6,
            **indices(view, self.customers),
            "voltage_min": least if least < NEVER_MEASURED else float("nan"),
        }

    def measure(self, view: View) -> dict[str, float]:
        """Return how many customers are without power."""
        return {"customers_without_power": float(view["grid.dark"][0])}

    def tables(self, view: View) -> dict[str, dict[str, Array]]:
        """Return the buses with their time without power."""
        since = view["bus.dark_since"]
        dark = view["bus.dark_time"] + np.where(since >= 0, view.now - since, 0)
        return {
            "buses": {
                "id": view.city["buses"]["id"],
                "customers": self.customers,
                "minutes_without_power": dark / MINUTE,
                "interruptions": interruptions(view)[0],
                "voltage_pu": view["bus.voltage"],
            }
        }

    def check(self, view: View) -> list[str]:
        """Return contradictions between states, islands, voltages and counts."""
        broken = []
        fed = view["bus.energised"]
        if (fed != (self._supply(view).fed & ~view["bus.shed"])).any():
            broken.append("a bus has power without a path to a source, or none with one")
        if (view["bus.voltage"][~fed] != 0).any():
            broken.append("a bus without power has a voltage")
        if int(self.customers[~fed].sum()) != int(view["grid.dark"][0]):
            broken.append("the count of customers without power is not their sum")
        if (view["substation.cut"] < 0).any():
            broken.append("a blackout ended more often than it began")
        return broken
