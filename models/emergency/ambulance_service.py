"""The compiled emergency service as a model of its own: suites, branches and results for long studies.

Ambulances, calls and hospitals of a city on free streets, run by the kernel of `twin.models.emergency.alone`
alone: no call-takers, no reports, no traffic. A year of calls takes a second, and it frees Python's lock.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from twin.contract import SECOND, Kpi, Model, Option, Setup
from twin.fields import Field
from twin.models.emergency import tables
from twin.models.emergency.calls import DEFAULTS, draw_calls, target_times

if TYPE_CHECKING:
    import pandas as pd

    from twin.city import City
    from twin.kernels.emergency_arrays import State
    from twin.models.emergency.region import Region
    from twin.view import View

Array = np.ndarray[Any, Any]

_WALK = 0.72
_STATE = {
    "clock": ("ambulance_clock.value", "int64", (), "clock and counters of the kernel"),
    "call": ("ambulance_call.progress", "int64", (13,), "stage, unit and instants of a call"),
    "unit": ("ambulance_unit.state", "int64", (18,), "status, call, station and leg of a unit"),
    "spent": ("ambulance_unit.spent", "int64", (7,), "time spent in each status"),
    "queue": ("ambulance_queue.ends", "int64", (2,), "first and last call that waits"),
    "stack": ("ambulance_stack.call", "int64", (), "call to decide at once"),
    "eta": ("ambulance_unit.eta", "int64", (), "time until it would be on scene"),
    "goal": ("ambulance_unit.goal", "int64", (), "station it is to move to"),
    "idle": ("ambulance_station.idle", "int64", (), "idle units at a station or bound for it"),
    "reach": ("ambulance_pattern.reach", "int64", (), "idle units that cover places alike"),
}
_CALENDAR = {
    "heap": ("ambulance_heap.key", "int64", (3,), "time, order and row of a pending event"),
    "place": ("ambulance_heap.place", "int32", (), "place of a row in the heap"),
    "entry": ("ambulance_heap.entry", "int64", (3,), "kind, target and value of an event"),
    "tally": ("ambulance_tally.value", "int64", (), "counters of the calendar"),
}
_DRAWN = ("calls_factor", "spread", "triage_error", "talk_law", "patience", "patience_law")


class AmbulanceService(Model):
    """Calls, ambulances and hospitals on free streets, compiled."""

    name = "ambulance_service"
    owns = tuple(Field(name, kind, "1", text, width=width) for name, kind, width, text in (_STATE | _CALENDAR).values())
    requires = ("nodes", "links", "zones", "zone_nodes", "stations", "hospitals")
    city_defaults: ClassVar = {"emergency": DEFAULTS}
    options = (
        *(option for option in tables.OPTIONS if option.name in _DRAWN),
        Option("units_factor", "multiplies the ambulances of every station", "integer", 1, low=1, high=1000),
        Option("dispatch", "who is sent", "choice", "nearest", choices=("nearest", "dmexclp")),
        Option("move_up", "where a free unit goes", "choice", "home", choices=("home", "dmexclp")),
    )
    kpi_list = (
        Kpi("ambulance_response_mean", "s", "lower", "mean time from ring to unit on scene, calls reached", 15.0),
        Kpi("ambulance_response_p90", "s", "lower", "90th percentile of the same", 30.0),
        Kpi("ambulance_late_share", "1", "lower", "calls late or overdue, of these and all reached", 0.02),
        Kpi("ambulance_calls", "1", "higher", "calls that rang", 1.0),
        Kpi("ambulance_served", "1", "higher", "calls closed with help given", 1.0),
        Kpi("ambulance_utilisation", "1", "lower", "share of time a unit has a call", 0.02),
    )

    def setup(self, setup: Setup) -> dict[str, int]:
        """Draw the calls and lay region, calls and rules out for the kernel."""
        from twin.models.emergency.layout import lay_out
        from twin.models.emergency.rules import Rules

        rules = Rules(dispatch=str(setup.options["dispatch"]), move_up=str(setup.options["move_up"]), log=False)
        self.region = region_of(setup.city, int(setup.options["units_factor"]))
        self.case, self.initial = lay_out(self.region, _calls(setup), rules)
        rows = {}
        for part, fields in ((self.initial, _STATE), (self.initial.calendar, _CALENDAR)):
            for name, (field, *_) in fields.items():
                rows[field.partition(".")[0]] = getattr(part, name).shape[0]
        return rows

    def start(self, view: View) -> None:
        """Put every unit at its station."""
        for name, (field, *_) in _STATE.items():
            view.raw(field)[...] = getattr(self.initial, name)
        for name, (field, *_) in _CALENDAR.items():
            view.raw(field)[...] = getattr(self.initial.calendar, name)

    def advance(self, view: View, until: int) -> None:
        """Let the kernel handle its events strictly before `until` (us)."""
        from twin.kernels.emergency import advance

        advance(self.case, self._state(view), until)

    def kpis(self, view: View) -> dict[str, float]:
        """Return the figures of the calls so far."""
        from twin.models.emergency.response import figures_of

        found = figures_of(self._run(view))
        names = ("response_mean", "response_p90", "late_share", "calls", "served", "utilisation")
        return {f"ambulance_{name}": found.get(name, float("nan")) for name in names}

    def check(self, view: View) -> list[str]:
        """Return calls and units that are lost."""
        from twin.models.emergency.response import broken

        return broken(self._run(view))

    def _run(self, view: View) -> Any:
        return SimpleNamespace(region=self.region, case=self.case, state=self._state(view))

    def _state(self, view: View) -> State:
        """Return the arrays of the kernel, which are those of the world."""
        from twin.kernels.calendar import Calendar
        from twin.kernels.emergency_arrays import State

        parts: dict[str, Any] = {name: view.raw(field) for name, (field, *_) in _STATE.items()}
        calendar: dict[str, Any] = {name: view.raw(field) for name, (field, *_) in _CALENDAR.items()}
        return State(**parts, log=self.initial.log, calendar=Calendar(**calendar))


def region_of(city: City, factor: int = 1) -> Region:
    """Return the service of a city: its streets at free speed, ambulances, hospitals, people.

    factor  multiplies the ambulances of every station
    """
    import pandas as pd

    from twin.models.emergency.network import build_network
    from twin.models.emergency.region import Driving, Region

    nodes, links, stations, zones = (city[name] for name in ("nodes", "links", "stations", "zones"))
    xy = np.column_stack([nodes["x"], nodes["y"]]).astype(np.float64)
    network = build_network(xy, links["from_node"], links["to_node"], links["length"] / links["speed"])
    ambulances = np.where(np.asarray(stations["kind"]) == "ambulance", stations["units"], 0) * factor
    people = np.asarray(zones["node"], np.int64)
    target = target_times(city)
    return Region(
        network=network,
        stations=pd.DataFrame({"node": np.asarray(stations["node"], np.int64), "walk": 0.0}),
        hospitals=pd.DataFrame({"node": np.asarray(city["hospitals"]["node"], np.int64), "walk": 0.0}),
        units=pd.DataFrame({"station": np.repeat(np.arange(ambulances.shape[0]), ambulances)}),
        priorities=pd.DataFrame({"name": [str(level + 1) for level in range(target.shape[0])], "target": target}),
        driving=Driving(np.array([_WALK]), np.zeros(1), np.zeros((1, target.shape[0] + 2), np.int64)),
        upgrades=np.zeros((target.shape[0],) * 2, np.bool_),
        demand=pd.DataFrame({"x": xy[people, 0], "y": xy[people, 1], "weight": zones["population"]}),
    )


def _calls(setup: Setup) -> pd.DataFrame:
    """Return the calls of a run as the kernel's layout takes them, by arrival."""
    import pandas as pd

    drawn = draw_calls(setup)
    drawn = drawn.taken(np.argsort(drawn.time, kind="stable"))
    times = {"arrive": drawn.time, "answer": drawn.talk, "mobilise": drawn.mobilise}
    times |= {"scene": drawn.scene, "handover": drawn.handover}
    return pd.DataFrame(
        {name: value / SECOND for name, value in times.items()}
        | {"node": drawn.node, "priority": drawn.triaged - 1, "transport": drawn.transport}
    )
