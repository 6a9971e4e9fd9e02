"""Where ambulances wait: at their stations, by a list, by a table, or where coverage gains most.

All rules see the desk's own lists only: who is on duty, who has a call, which station each was last
told to go to, and where the unit reports to be. A freed unit is one whose call was closed this second.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from twin.contract import SECOND, Command, Option, Policy, Setup
from twin.models.emergency.belief import believed_means, zone_times
from twin.models.emergency.service_kinds import bits
from twin.models.emergency.tables import SERVED
from twin.models.location.coverage import covering_matrix, marginal_coverage, maximal_expected_covering
from twin.models.policies.dispatch import PREPARATION, units_sent

if TYPE_CHECKING:
    from twin.city import City
    from twin.view import Observation

Array = np.ndarray[Any, Any]

_SEES = (
    "call.stage", "call.unit", "call.closed", "unit.station", "unit.duty", "unit.can", "observed_unit.node",
)  # fmt: skip
_CARRY = bits("carry")


class Static(Policy):
    """Let every ambulance go back to its own station."""

    name = "static"
    role = "relocation"
    source = "the baseline of the literature on relocation"

    def decide(self, observation: Observation) -> list[Command]:
        """Order nothing."""
        return []


class DmexclpRelocation(Policy):
    """Send a freed ambulance to the station where one more adds most expected coverage."""

    name = "dmexclp_relocation"
    role = "relocation"
    sees = _SEES
    requires = (*_SEES, "zones", "stations")
    commands = ("move",)
    on: ClassVar[tuple[str, ...]] = ("unit_free",)
    options: ClassVar[tuple[Option, ...]] = (
        PREPARATION,
        Option("busy_fraction", "share of time a unit is busy", default=0.5, low=0.01, high=0.99),
    )
    source = (
        "Jagtenberg, Bhulai, van der Mei, An efficient heuristic for real-time ambulance redeployment, Operations "
        "Research for Health Care 4 (2015) 27-35"
    )

    def setup(self, setup: Setup) -> dict[str, int]:
        """Compute which zones a unit at each station reaches in time at free speed."""
        city, self.busy = setup.city, float(setup.options["busy_fraction"])
        self.station = np.asarray(city["stations"]["node"], dtype=np.int64)
        self.covered, self.demand = _coverage(city, float(setup.options["preparation"]))
        return {}

    def decide(self, observation: Observation) -> list[Command]:
        """Give each freed ambulance its station."""
        idle = self.idle(observation)
        commands = []
        bound = observation["unit.station"].copy()
        for unit in np.intersect1d(idle, self.freed(observation)).tolist():
            others = np.bincount(bound[idle[idle != unit]], minlength=self.station.shape[0])
            station = self.place(others, int(bound[unit]))
            if station != bound[unit]:
                commands.append(Command("move", unit, float(station)))
                bound[unit] = station
        return commands

    def idle(self, observation: Observation) -> Array:
        """Return the ambulances on duty without a call."""
        free = observation["unit.duty"] & (observation["unit.can"] & _CARRY > 0)
        free[units_sent(observation)] = False
        return np.flatnonzero(free)

    def freed(self, observation: Observation) -> Array:
        """Return the units whose call was closed this second."""
        closed = observation["call.closed"]
        now = (observation["call.stage"] == SERVED) & (closed >= observation.now - SECOND)
        return np.asarray(observation["call.unit"][now])

    def place(self, others: Array, own: int) -> int:
        """Return the station for one more ambulance, given how many others are at each or bound for it."""
        from twin.kernels.standstill_moves import coverage_gains, most_gain

        gain = np.empty(others.shape[0])
        coverage_gains(self.covered, self.demand, others.astype(np.int64), self.busy, gain)
        return int(most_gain(gain, own))


class PriorityList(DmexclpRelocation):
    """Send a freed ambulance to the first place on a list that is not filled.

    The list is made once: each next place is where one more ambulance adds most expected coverage.
    """

    name = "priority_list"
    source = (
        "rules of thumb of services, as in the simulator JEMSS: Ridler, Mason, Raith, European Journal of Operational "
        "Research 298 (2022); list by greedy placement: Daskin, Transportation Science 17 (1983)"
    )

    def setup(self, setup: Setup) -> dict[str, int]:
        """Make the list for the units of the stations; a service plan with more makes it go on."""
        super().setup(setup)
        most = max(int(np.asarray(setup.city["stations"]["units"]).sum()), 1)
        self.listed = tuple(islice(self._list(), most))
        return {}

    def place(self, others: Array, own: int) -> int:
        """Return the first station of the list with fewer ambulances than places so far."""
        places = np.zeros(self.station.shape[0], dtype=np.int64)
        for station in self.listed if others.sum() < len(self.listed) else self._list():
            places[station] += 1
            if others[station] < places[station]:
                return station
        return own

    def _list(self) -> Iterator[int]:
        """Yield the list without end."""
        held = np.zeros(self.station.shape[0], dtype=np.int64)
        while True:
            station = int(np.argmax(marginal_coverage(self.covered, self.demand, held, self.busy)))
            held[station] += 1
            yield station


class ComplianceTable(DmexclpRelocation):
    """Hold, for each number of idle ambulances, the stations of a table; move those with the shortest ways.

    Row k of the table is the best placement of k ambulances by expected coverage.
    """

    name = "compliance_table"
    on = ("unit_free", "unit_dispatched")
    source = (
        "Gendreau, Laporte, Semet, The maximal expected coverage relocation problem for emergency vehicles, Journal of "
        "the Operational Research Society 57 (2006) 22-28; there an integer program for the whole table"
    )

    def setup(self, setup: Setup) -> dict[str, int]:
        """Place every number of ambulances of the stations; rows for more are made when a service plan has them."""
        super().setup(setup)
        most = max(int(np.asarray(setup.city["stations"]["units"]).sum()), 1)
        self.city, self.preparation = setup.city, float(setup.options["preparation"])
        self.table = tuple(_best_places(self.city, self.preparation, self.busy, k) for k in range(1, most + 1))
        self.drive = _station_times(setup, self.station)
        return {}

    def decide(self, observation: Observation) -> list[Command]:
        """Assign idle ambulances to the row's stations so that the ways are shortest in sum."""
        idle = self.idle(observation)
        if not idle.shape[0]:
            return []
        goal = self.row(idle.shape[0])
        place = _places_of(self.drive[goal][:, observation["observed_unit.node"][idle]])
        bound = observation["unit.station"]
        pairs = zip(idle[place >= 0].tolist(), goal[place[place >= 0]].tolist(), strict=True)
        return [Command("move", unit, float(station)) for unit, station in pairs if bound[unit] != station]

    def row(self, count: int) -> Array:
        """Return the stations of a number of ambulances, at least one."""
        if count <= len(self.table):
            return self.table[count - 1]
        return _best_places(self.city, self.preparation, self.busy, count)


def _places_of(reach: Array) -> Array:
    """Return the place of each unit so that the ways are shortest in sum, -1 for none; (n_unit,).

    reach  (n_place, n_unit)  s, inf where no way leads
    """
    from twin.kernels.assignment import COLUMN_OF
    from twin.kernels.standstill_moves import assign_places

    places, units = reach.shape
    cost = np.where(np.isfinite(reach), reach, 1e9)
    most = max(places, units)
    match = np.empty((5, most), np.int64)
    cost = np.ascontiguousarray(cost if places < units else cost.T)
    assign_places(cost, units, places, np.empty((3, most)), match)
    return match[COLUMN_OF, :units].copy()


@lru_cache(maxsize=8)
def _coverage(city: City, preparation: float) -> tuple[Array, Array]:
    """Return which zones a unit at each station reaches in time (n_zone, n_station), and what each zone weighs."""
    means = believed_means(city, preparation)
    stations = np.asarray(city["stations"]["node"], dtype=np.int64)
    before = min(means.talk + means.prepare, means.target)
    covered = covering_matrix(zone_times(city)[:, stations].T, means.target, before)
    return np.ascontiguousarray(covered), np.maximum(np.asarray(city["zones"]["population"], dtype=np.float64), 1e-9)


@lru_cache(maxsize=512)
def _best_places(city: City, preparation: float, busy: float, count: int) -> Array:
    """Return the stations of a number of ambulances; a city's row is made once per process."""
    covered, demand = _coverage(city, preparation)
    return maximal_expected_covering(covered, demand, count, busy).site


def _station_times(setup: Setup, stations: Array) -> Array:
    """Return the seconds at free speed from every node to every station; (n_station, n_node)."""
    from twin.models.streets import build_streets, shortest_tree

    streets = build_streets(setup.city)
    return np.array([shortest_tree(streets, streets.free_time, n, reverse=True).time for n in stations.tolist()])
