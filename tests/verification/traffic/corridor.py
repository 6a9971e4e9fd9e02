"""Small streets for the theory cases: links in a row, merges, diverges."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from twin.kernels.traffic import advance
from twin.kernels.traffic_arrays import Log, new_log
from twin.kernels.traffic_layout import MICROSECONDS, Roads, Signals, Traffic, Trips, build

END = 100_000.0
"""s; later than the last arrival of every case."""


def every(flow: float, duration: float, start: float = 0.0) -> Any:
    """Departures at equal gaps, in seconds."""
    return start + np.arange(round(flow * duration)) / flow


@dataclass
class Streets:
    """Collect links and trips with given routes; run; ask in seconds."""

    links: list[dict[str, float]] = field(default_factory=list)
    departs: list[float] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    routes: list[int] = field(default_factory=list)
    origins: list[int] = field(default_factory=list)

    def link(self, tail: int, head: int, length: float = 1000.0, **other: float) -> int:
        properties = {"speed": 20.0, "lanes": 1.0, "capacity": np.inf, "rank": 0.0} | other
        self.links.append({"from_node": tail, "to_node": head, "length": length} | properties)
        return len(self.links) - 1

    def drive(self, departs: Any, *route: int) -> Any:
        """Send a vehicle along a route at each instant; return their rows."""
        first = len(self.departs)
        for depart in departs:
            self.departs.append(float(depart))
            self.starts.append(len(self.routes))
            self.routes += [*route, -1]
            self.origins.append(int(self.links[route[0]]["from_node"]))
        return np.arange(first, len(self.departs))

    def build(self, signals: Signals | None = None) -> Traffic:
        columns = {name: np.array([link[name] for link in self.links]) for name in self.links[0]}
        n_node = int(max(columns["from_node"].max(), columns["to_node"].max())) + 1
        depart = np.rint(np.array(self.departs) * MICROSECONDS).astype(np.int64)
        trips = Trips(depart, self.origins, route_start=self.starts, routes=np.array(self.routes, np.int32))
        return build(Roads(n_node, **columns), trips, signals=signals)


@dataclass
class Run:
    """Hold a simulation and its log; times in seconds."""

    traffic: Traffic
    log: Log = field(default_factory=lambda: new_log(500_000))

    def until(self, time: float) -> "Run":
        advance(*self.traffic, self.log, round(time * MICROSECONDS))
        return self

    def times(self, link: int, column: str = "left") -> Any:
        """Entry or exit times of a link, in order."""
        n_row = int(self.log.written[0])
        on_link = self.log.link[:n_row] == link
        return np.sort(getattr(self.log, column)[:n_row][on_link]) / MICROSECONDS

    def flow(self, link: int, begin: float, end: float) -> float:
        """Exits of a link per second between two instants."""
        left = self.times(link)
        return float(((left >= begin) & (left < end)).sum() / (end - begin))

    def arrival(self) -> Any:
        return self.traffic.state.arrival / MICROSECONDS
