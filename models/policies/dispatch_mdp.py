"""Dispatch by a table made of a Markov decision process over who is busy."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from twin.contract import SECOND, Option, Setup
from twin.models.emergency.belief import Means, believed_means, zone_of_nodes, zone_times
from twin.models.emergency.dispatch_table import MOST_UNITS, DispatchTable, solve_dispatch
from twin.models.policies.dispatch import PREPARATION, ClosestIdle

if TYPE_CHECKING:
    from twin.city import City
    from twin.view import Observation

Array = np.ndarray[Any, Any]
Group = tuple[Array, Array, DispatchTable]


class MdpHeuristic(ClosestIdle):
    """Send the unit that a decision process over busy units finds best, as if each answered from its base.

    More units than the process can hold are split into neighbouring groups, each with the zones that
    its bases are closest to. The closest is sent where the table knows no idle unit for a call, or one that, from
    where it is now, should come late: the process knows neither the way back to base nor that long ways keep
    units busy longer.
    """

    name = "mdp_heuristic"
    options: ClassVar = (
        *ClosestIdle.options,
        PREPARATION,
        Option("group", "most units in one decision process", "integer", 8, low=1, high=MOST_UNITS),
    )
    source = (
        "Jagtenberg, Bhulai, van der Mei, Dynamic ambulance dispatching: is the closest-idle policy always optimal?, "
        "Health Care Management Science 20 (2017) 517-531, section 4"
    )

    def setup(self, setup: Setup) -> dict[str, int]:
        """Solve the process of each group of units."""
        super().setup(setup)
        stations = setup.city["stations"]
        owned = np.where(np.asarray(stations["kind"]) == "ambulance", stations["units"], 0)
        self.bases = np.repeat(np.asarray(stations["node"], dtype=np.int64), owned)
        self.zone_of = zone_of_nodes(setup.city)
        self.means = believed_means(setup.city, float(setup.options["preparation"]))
        self.groups = _groups(setup.city, tuple(self.bases.tolist()), int(setup.options["group"]), self.means)
        self.group_of = np.full(setup.city.rows("zones"), -1)
        for number, (_, zones, _) in enumerate(self.groups):
            self.group_of[zones] = number
        return {}

    def choose(self, observation: Observation, call: int, units: Array, reach: Array) -> int:
        """Return the unit of the table for the units that are idle now."""
        zone = int(self.zone_of[observation["call.node"][call]])
        members, zones, table = self.groups[self.group_of[zone]]
        sent = table.send(~np.isin(members, units), int(np.searchsorted(zones, zone)))
        found = np.flatnonzero(units == members[sent]) if sent >= 0 else units[:0]
        gone = (observation.now - int(observation["call.rung"][call])) / SECOND
        in_time = found[gone + self.means.prepare + reach[found] <= self.means.target]
        return int(in_time[0]) if in_time.size else int(np.argmin(reach))


@lru_cache(maxsize=8)
def _groups(city: City, bases: tuple[int, ...], most: int, means: Means) -> tuple[Group, ...]:
    """Return units, zones and table of each group; the same city is solved once per process."""
    travel = zone_times(city)[:, list(bases)].T
    xy = np.column_stack([city["nodes"]["x"], city["nodes"]["y"]])[list(bases)]
    along = np.argsort(xy[:, int(np.argmax(np.ptp(xy, axis=0)))], kind="stable")
    parts = [np.sort(part) for part in np.array_split(along, -(-along.shape[0] // most))]
    owner = np.array([travel[part].min(axis=0) for part in parts]).argmin(axis=0)
    people = np.maximum(np.asarray(city["zones"]["population"], dtype=np.float64), 1e-9)
    rate = means.calls_per_second * people / people.sum()
    found = []
    for number, part in enumerate(parts):
        zones = np.flatnonzero(owner == number)
        found.append((part, zones, _solved(travel[part][:, zones], rate[zones], means)))
    return tuple(found)


def _solved(travel: Array, rate: Array, means: Means) -> DispatchTable:
    late = (means.talk + means.prepare + travel > means.target).astype(np.float64)
    if not rate.size:
        rate, late = np.ones(1), np.zeros((travel.shape[0], 1))
    return solve_dispatch(rate, 1.0 / means.service, late, 1.0)
