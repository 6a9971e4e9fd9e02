"""Work out demand, heads and diameters of a city's water mains."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from twin.city.places import Floats, Integers, Places
from twin.city.water_zones import Mains, tree_from

LITRES_PER_DAY = 1 / 86400e3
NOMINAL = np.array([0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2, 1.4, 1.6, 2.0, 2.4, 3.0])
FIRE_LOSS, FIRE_GRADIENT = 9.0, 0.005
"""Head (m) that a fire may cost within a zone, and the most per m of main (assumption)."""


@dataclass(frozen=True)
class Design:
    """Work out demand, heads and diameters of the mains of a city."""

    places: Places
    mains: Mains
    settings: Mapping[str, Any]

    @cached_property
    def persons(self) -> Floats:
        """Return (j,) persons served."""
        return np.asarray(np.bincount(self.mains.cell, self.places.population, len(self.mains.node)), np.float64)

    @cached_property
    def mean(self) -> Floats:
        """Return (j,) m3/s, demand over a day."""
        jobs = np.bincount(self.mains.cell, self.places.jobs, len(self.mains.node))
        litres = self.persons * self.settings["litres_per_person"] + jobs * self.settings["litres_per_job"]
        return np.asarray(np.round(litres * LITRES_PER_DAY, 9))

    @cached_property
    def ground(self) -> Floats:
        """Return (j,) m."""
        return np.asarray(self.places.nodes["elevation"], np.float64)[self.mains.node]

    @cached_property
    def entry(self) -> Integers:
        """Return (z,) junction at which each zone is fed."""
        return np.where(self.mains.parent < 0, self.mains.works, self.mains.feed[:, 1]).astype(np.int32)

    @cached_property
    def tree(self) -> tuple[Floats, Any]:
        """Return distance from the entry of the own zone, and the junction before."""
        return tree_from(self.mains, self.entry)

    @cached_property
    def stations(self) -> Any:
        """Return the zones that hang on another one, in feeding order."""
        return self.mains.order[1:]

    @cached_property
    def at(self) -> Any:
        """Return the junction of the parent beside each station."""
        return self.mains.feed[self.stations, 0]

    @cached_property
    def head(self) -> Floats:
        """Return (z,) m: head that leaves enough pressure at the highest and farthest junction of each zone."""
        needed = self.ground + self.settings["pressure"] + 0.5 * self.settings["gradient"] * self.tree[0]
        head = np.full(len(self.mains.parent), -np.inf)
        np.maximum.at(head, self.mains.zone, needed)
        return np.asarray(np.ceil(head))

    @cached_property
    def own(self) -> Floats:
        """Return (z,) m3/s: mean demand of each zone."""
        return np.asarray(np.bincount(self.mains.zone, self.mean, len(self.mains.parent)), np.float64)

    @cached_property
    def through(self) -> Floats:
        """Return (z,) m3/s: mean demand of each zone and all it feeds."""
        total = self.own.copy()
        for zone in self.mains.order[:0:-1].tolist():
            total[self.mains.parent[zone]] += total[zone]
        return total

    @cached_property
    def tanked(self) -> Any:
        """Return the zones with a tank: that of the works, and all of many people."""
        persons = np.bincount(self.mains.zone, self.persons, len(self.mains.parent))
        found = (persons >= self.settings["tank_persons"]) & self.raised
        return np.flatnonzero(found | (self.mains.parent < 0))

    @cached_property
    def raised(self) -> Any:
        """Return (z,) whether a zone is pumped to, not let down to."""
        above = np.ones(len(self.mains.parent), dtype=bool)
        above[self.stations] = self.head[self.stations] > self.suction - 2.0
        return above

    @cached_property
    def suction(self) -> Floats:
        """Return (s,) m: head before each station, with losses of half the design gradient."""
        before = self.head[self.mains.parent[self.stations]]
        return np.asarray(before - 0.5 * self.settings["gradient"] * self.tree[0][self.at])

    @cached_property
    def tank_at(self) -> Any:
        """Return the highest junction of each zone with a tank."""
        return np.array([self._highest(zone) for zone in self.tanked.tolist()], dtype=np.int64)

    def _highest(self, zone: int) -> int:
        rows = np.flatnonzero(self.mains.zone == zone)
        return int(rows[np.argmax(self.ground[rows])])

    @cached_property
    def busiest(self) -> float:
        """Return the largest hourly demand over the mean."""
        return float(max(self.settings["profile"]))

    @cached_property
    def fire_slope(self) -> Floats:
        """Return (z,) m/m that the flow to a fire may take in each zone."""
        far = np.ones(len(self.mains.parent))
        np.maximum.at(far, self.mains.zone, self.tree[0])
        return np.minimum(FIRE_GRADIENT, FIRE_LOSS / far)

    def diameter(self, flow: Any, zone: Any) -> Floats:
        """Return nominal diameters (m) for mean flows in pressure zones, with a fire in the busiest hour.

        Source: Hazen-Williams formula in SI units, h = 10.67 L Q^1.852 / (C^1.852 d^4.871).
        """
        peak, rough = self.busiest * np.asarray(flow), float(self.settings["roughness"])

        def wanted(q: Any, slope: Any) -> Any:
            return (10.67 * q**1.852 / (rough**1.852 * slope)) ** (1 / 4.871)

        least = np.maximum(
            wanted(peak, self.settings["gradient"]), wanted(peak + self.settings["fire_flow"], self.fire_slope[zone])
        )
        return np.asarray(NOMINAL[np.minimum(np.searchsorted(NOMINAL, least), len(NOMINAL) - 1)])

    @cached_property
    def flows(self) -> Floats:
        """Return (m,) m3/s: mean flow of each main, fed from the entries or from tanks, whichever is more."""
        load = self.mean.copy()
        np.add.at(load, self.at, self.through[self.stations])
        flow = self._carried(*self.tree, load)
        return np.maximum(flow, self._carried(*tree_from(self.mains, self.tank_at), load))

    def _carried(self, far: Floats, before: Any, load: Floats) -> Floats:
        total = load.copy()
        reached = np.isfinite(far)
        for row in np.argsort(np.where(reached, -far, np.inf), kind="stable")[: int(reached.sum())].tolist():
            if before[row] >= 0:
                total[before[row]] += total[row]
        a, b = self.mains.ends.T
        up, down = before[a] == b, before[b] == a
        return np.asarray(np.where(up, total[a], np.where(down, total[b], 0.0)))
