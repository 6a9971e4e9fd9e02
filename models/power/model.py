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

from twin.contract import MINUTE, SECOND, Event, Model, Option, Setup
from twin.models.power.grid import Grid, Supply
from twin.models.power.kinds import EVENTS, FIELDS, KPIS, SERIES
from twin.models.power.profile import demand_factor, work_share
from twin.models.power.solver import GridSolver
from twin.models.power.storm import storm_failures
from twin.models.scenario_events import microseconds, targets_of

if TYPE_CHECKING:
    from twin.view import View

Array = np.ndarray[Any, Any]

_TABLES = ("substation", "line")


class Power(Model):
    """The medium-voltage grid of the city and its customers."""

    name = "power"
    owns = FIELDS
    reads = ("substation.depth", "grid.changes")
    adds = ("bus.load",)
    requires = ("buses", "sources")
    events = EVENTS
    kpi_list = KPIS
    series = SERIES
    options = (
        Option(
            "trip_depth",
            "flood water at which a substation trips",
            "quantity",
            0.3,
            "m",
            low=0.0,
            parameter="hazard.substation_trip_depth",
        ),
        Option("load_every", "time between steps of the daily load profile", "quantity", 900.0, "s", low=1.0),
        Option("power_factor", "of demand that other models add to a bus", "number", 0.9, low=0.1, high=1.0),
    )

    def setup(self, setup: Setup) -> dict[str, int]:
        """Build the graph, the solver and the load of every bus."""
        city = setup.city
        self.run = setup
        self.grid = Grid(city)
        self.solver = GridSolver(city)
        self.trip_depth = float(setup.options["trip_depth"])
        self.load_every = microseconds(setup.options["load_every"])
        buses = city["buses"]
        self.peak = buses["p"].astype(np.float64)
        self.customers = buses["customers"].astype(np.int64)
        self.work_share = work_share(city)
        added = np.tan(np.arccos(setup.options["power_factor"]))
        self.reactive_ratio = np.where(self.peak > 0, buses["q"] / np.where(self.peak > 0, self.peak, 1.0), added)
        return {"grid": 1, "line": city.rows("lines"), "substation": city.rows("substations")}

    def start(self, view: View) -> None:
        """Put switches in their normal position and set the first loads."""
        if "lines" in view.city:
            view.put("line.closed", slice(None), view.city["lines"]["closed"])
        self._load(view)

    def on_event(self, view: View, event: Event) -> None:
        """Change the state of lines, substations or loads."""
        if event.kind == "load_tick":
            self._load(view)
        elif event.kind in ("substation_failure", "line_failure"):
            self._fail(view, event)
        elif event.kind in ("power_repair", "failure_end"):
            self._mend(view, event)
        elif event.kind in ("blackout", "blackout_end"):
            self._cut(view, event)
        elif event.kind == "switch":
            closed = bool(event.params.get("value", event.value))
            self._change(view, "line", "closed", targets_of(event, self.run.events), closed)
        else:
            self._storm(view, event)

    def _load(self, view: View) -> None:
        """Set the demand of every bus by local time of day."""
        factor = demand_factor(self.work_share, self.run.local_hour(view.now))
        view.add("bus.load", slice(None), self.peak * factor)
        view.schedule("load_tick", self.load_every, cause=-1)

    def _change(self, view: View, table: str, column: str, rows: Any, value: Any, cause: int | None = None) -> Array:
        """Write a state of lines or substations and ask for a new search; return the rows that changed."""
        changed = view.put(f"{table}.{column}", rows, value, cause)
        if len(changed):
            view.put(f"{table}.event", changed, view.cause_id if cause is None else cause)
            view.put("grid.changes", 0, view["grid.changes"][0] + 1)
        return changed

    def _fail(self, view: View, event: Event) -> None:
        """Fail parts; of two failures at once the one that lasts longer counts."""
        table = event.kind.removesuffix("_failure")
        rows = targets_of(event, self.run.events)
        already = view[f"{table}.failed"][rows]
        self._change(view, table, "failed", rows, True)
        duration = microseconds(event.params.get("duration", 0.0))
        end = view.now + duration if duration else -1
        before = view[f"{table}.until"][rows]
        until = np.where(already & ((before < 0) | (end < 0)), -1, np.where(already, np.maximum(before, end), end))
        view.put(f"{table}.until", rows, until)
        for row in rows.tolist() if duration else []:
            view.schedule("failure_end", duration, row, data=_TABLES.index(table))

    def _mend(self, view: View, event: Event) -> None:
        """Put a failed part back in service; a planned end holds only for its own failure."""
        table = _TABLES[event.data]
        if event.kind == "power_repair" or view[f"{table}.until"][event.target] == view.now:
            self._change(view, table, "failed", event.target, False)
            view.put(f"{table}.until", event.target, -1)

    def _cut(self, view: View, event: Event) -> None:
        begins = event.kind == "blackout"
        rows = np.array(self.run.events[event.data].targets, dtype=np.int64)
        self._change(view, "substation", "cut", rows, view["substation.cut"][rows] + (1 if begins else -1))
        if begins and event.params.get("duration", 0.0):
            view.schedule("blackout_end", microseconds(event.params["duration"]), event.target, data=event.data)

    def _storm(self, view: View, event: Event) -> None:
        """Let lines fail one by one over the storm, each by its own random numbers."""
        lines = targets_of(event, self.run.events)
        length = view.city["lines"]["length"][lines]
        for line, delay in storm_failures(self.run, event, lines, length):
            view.schedule("line_failure", delay, line)

    def step(self, view: View) -> None:
        """Trip flooded substations, find what is fed, solve the flow and add up lost supply."""
        self._trip(view)
        supply = self._supply(view)
        self._switch_supply(view, supply)
        load = view.total("bus.load")
        self._add_up(view, supply.fed, load)
        self._solve(view, supply, load)

    def _trip(self, view: View) -> None:
        if "substation.depth" not in view:
            return
        depth = view["substation.depth"]
        for row in np.flatnonzero((depth >= self.trip_depth) & ~view["substation.failed"]).tolist():
            trip = view.emit("substation_trip", row, float(depth[row]), causes=[view.cause("substation.depth", row)])
            self._change(view, "substation", "failed", row, True, trip)
            view.put("substation.until", row, -1)

    def _supply(self, view: View) -> Supply:
        return self.grid.supply(
            ~view["substation.failed"] & (view["substation.cut"] == 0),
            view["line.closed"] & ~view["line.failed"],
            view["substation.event"],
            view["line.event"],
        )

    def _switch_supply(self, view: View, supply: Supply) -> None:
        """Write which buses have power; log one event per cause."""
        before = view["bus.energised"].copy()
        cause = supply.event.copy()
        for kind, now in (("outage", False), ("supply_back", True)):
            changed = (before != supply.fed) & (supply.fed == now)
            for event in np.unique(supply.event[changed]).tolist():
                rows = np.flatnonzero(changed & (supply.event == event))
                customers = int(self.customers[rows].sum())
                cause[rows] = view.emit(kind, int(rows[0]), float(customers), len(rows), causes=[event])
        for row in view.put("bus.energised", slice(None), supply.fed, cause).tolist():
            since, back = view.raw("bus.dark_since"), bool(supply.fed[row])
            if back and since[row] >= 0:
                view.raw("bus.dark_time")[row] += view.now - since[row]
            since[row] = -1 if back else view.now

    def _add_up(self, view: View, fed: Array, load: Array) -> None:
        """Integrate lost supply up to now and note what is lost from here on."""
        minutes, energy = self._lost(view)
        view.put("grid.customer_minutes", 0, minutes)
        view.put("grid.energy", 0, energy)
        view.put("grid.since", 0, view.now)
        view.put("grid.dark", 0, int(self.customers[~fed].sum()))
        view.put("grid.unserved", 0, float(load[~fed].sum()))

    def _lost(self, view: View) -> tuple[float, float]:
        """Return customer minutes and energy (J) lost up to now."""
        elapsed = view.now - int(view["grid.since"][0])
        minutes = float(view["grid.customer_minutes"][0]) + int(view["grid.dark"][0]) * elapsed / MINUTE
        energy = float(view["grid.energy"][0]) + float(view["grid.unserved"][0]) * elapsed / SECOND
        return minutes, energy

    def _solve(self, view: View, supply: Supply, load: Array) -> None:
        solution = self.solver.solve(supply.fed, supply.edge_works, load, load * self.reactive_ratio)
        if solution is None:
            view.put("grid.unsolved", 0, view["grid.unsolved"][0] + 1)
            view.emit("power_unsolved", value=float(load[supply.fed].sum()))
            view.put("bus.voltage", slice(None), np.where(supply.fed, view["bus.voltage"], 0.0))
            return
        voltage, loading = solution
        view.put("bus.voltage", slice(None), voltage)
        view.put("line.loading", slice(None), loading)
        least = voltage[supply.fed].min(initial=float(view["grid.least_voltage"][0]))
        view.put("grid.least_voltage", 0, least)

    def kpis(self, view: View) -> dict[str, float]:
        """Return lost supply and the lowest voltage so far."""
        minutes, energy = self._lost(view)
        return {
            "customer_minutes_lost": minutes,
            "energy_not_supplied_kwh": energy / 3.6e6,
            "voltage_min": float(view["grid.least_voltage"][0]),
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
                "voltage_pu": view["bus.voltage"],
            }
        }

    def check(self, view: View) -> list[str]:
        """Return contradictions between states, islands, voltages and counts."""
        broken = []
        fed = view["bus.energised"]
        if (fed != self._supply(view).fed).any():
            broken.append("a bus has power without a path to a source, or none with one")
        if (view["bus.voltage"][~fed] != 0).any():
            broken.append("a bus without power has a voltage")
        if int(self.customers[~fed].sum()) != int(view["grid.dark"][0]):
            broken.append("the count of customers without power is not their sum")
        if (view["substation.cut"] < 0).any():
            broken.append("a blackout ended more often than it began")
        return broken
