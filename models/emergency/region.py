"""Where an emergency service works: network, stations, hospitals, units, priorities."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from twin.models.emergency.network import Network

Array = np.ndarray[Any, Any]

_HOUR = 3600.0


@dataclass(frozen=True)
class Driving:
    """How units drive: which table of the network when, and how fast off the road.

    pace    (n_mode,)  s per m off the road
    switch  s, when each row of `mode` begins; the first is 0
    mode    (n_period, n_priority + 2)  table for calls of each priority, with a patient, back
    """

    pace: Array
    switch: Array
    mode: Array

    @classmethod
    def by_hour(cls, pace: Any, hours: Any, length: float, start: float = 0.0) -> Driving:
        """Return tables by the hour of the day or week, again and again over a run.

        hours   (24 or 168, n_priority + 2)  rows of `mode` from midnight, or from Monday's
        length  s that the run may last
        start   s since that midnight when the run begins

        Raises ValueError for another number of rows.
        """
        rows = np.asarray(hours, np.int64)
        if rows.ndim != 2 or rows.shape[0] not in (24, 168):
            raise ValueError(f"hours is {rows.shape}, must be (24 or 168, priorities + 2)")
        first = int(start // _HOUR)
        edges = np.arange(first, first + int(np.ceil((length + start % _HOUR) / _HOUR)) + 1)
        wanted = rows[edges % rows.shape[0]]
        changes = np.flatnonzero(np.append(True, (wanted[1:] != wanted[:-1]).any(axis=1)))
        switch = np.maximum(edges[changes] * _HOUR - start, 0.0)
        return cls(np.asarray(pace, np.float64), switch, wanted[changes])


@dataclass(frozen=True)
class Region:
    """A service to simulate.

    network     roads with their shortest ways
    stations    node, walk (m off the road); further columns are kept
    hospitals   node, walk
    units       station: row of `stations`; one row a unit
    priorities  name, target (s from arrival to a unit on scene); the most urgent first
    driving     modes by priority and time
    upgrades    (n_priority, n_priority) bool: a unit on its way to a call of the first may be
                sent to one of the second instead; only to a more urgent one
    demand      x, y (m), weight: places that are to be covered, for the rules that ask for them
    """

    network: Network
    stations: pd.DataFrame
    hospitals: pd.DataFrame
    units: pd.DataFrame
    priorities: pd.DataFrame
    driving: Driving
    upgrades: Array
    demand: pd.DataFrame | None = field(default=None)

    def with_units(self, stations: Any) -> Region:
        """Return the same service with units at other stations (a row of `stations` for each)."""
        import pandas as pd

        return replace(self, units=pd.DataFrame({"station": np.asarray(stations, np.int64)}))

    def with_places(self, calls: pd.DataFrame) -> pd.DataFrame:
        """Give calls with x, y (m) their node and the way to it off the road (m)."""
        node, walk = self.network.nearest(calls["x"], calls["y"])
        return calls.assign(node=node, walk=walk)

    def check(self) -> None:
        """Raise a ValueError that names every wrong row of the tables."""
        n_node, n_mode = len(self.network.x), self.network.roads.time.shape[0]
        problems = []
        for name in ("stations", "hospitals"):
            table = getattr(self, name)
            node = table["node"].to_numpy(np.int64)
            problems += wrong_rows(name, "node is not on the network", (node < 0) | (node >= n_node))
            problems += wrong_rows(name, "walk must not be negative", ~(table["walk"].to_numpy(float) >= 0))
        station = self.units["station"].to_numpy(np.int64)
        none = (station < 0) | (station >= len(self.stations))
        problems += wrong_rows("units", f"station must be in 0 .. {len(self.stations) - 1}", none)
        modes, n_priority = np.asarray(self.driving.mode), len(self.priorities)
        if modes.shape != (len(self.driving.switch), n_priority + 2):
            problems.append(f"driving: mode is {modes.shape}, must be (periods, {n_priority} priorities + 2)")
        elif ((modes < 0) | (modes >= n_mode)).any() or len(self.driving.pace) != n_mode:
            problems.append(f"driving: the network has tables 0 .. {n_mode - 1}; mode or pace names others")
        if not len(self.units) or not len(self.stations):
            problems.append("a service needs at least one station and one unit")
        upgrades = np.asarray(self.upgrades, np.bool_)
        if upgrades.shape != (n_priority, n_priority):
            problems.append(f"upgrades is {upgrades.shape}, must be ({n_priority}, {n_priority})")
        elif np.triu(upgrades).any():
            problems.append("upgrades: a unit may only be sent on to a more urgent call")
        if problems:
            raise ValueError("; ".join(problems))


def wrong_rows(table: str, what: str, wrong: Any) -> list[str]:
    """Say what is wrong with which rows; nothing if none is."""
    rows = np.flatnonzero(np.asarray(wrong))
    if not len(rows):
        return []
    more = f" and {len(rows) - 5} more" if len(rows) > 5 else ""
    return [f"{table} {', '.join(map(str, rows[:5].tolist()))}{more}: {what}"]
