"""Random small cities for the traffic kernel: streets, trips, signals, changes."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from twin.kernels.traffic import advance, set_control, set_free_flow, touch
from twin.kernels.traffic_arrays import LOG_FULL, Log, new_log
from twin.kernels.traffic_layout import Classes, Roads, Signals, Traffic, Trips, build

SECOND = 1_000_000
HORIZON = 1_500 * SECOND
PCU = (1.0, 0.3, 2.0)
FACTOR = (1.0, 0.45, 1.8)


@dataclass(frozen=True)
class Case:
    """Hold the columns of a random city, so that it can be renumbered."""

    n_node: int
    links: dict[str, Any]
    trips: dict[str, Any]
    destinations: Any
    tables: Any
    signals: dict[str, Any]
    node_capacity: Any
    group_limit: int
    turns: dict[str, Any]
    rescue: dict[str, Any]

    def build(self) -> Traffic:
        traffic = build(
            Roads(self.n_node, **self.links, node_capacity=self.node_capacity, **self.turns),
            Trips(**self.trips),
            self.destinations,
            Classes(PCU, FACTOR, **self.rescue),
            Signals(**self.signals),
            self.group_limit,
        )
        traffic.settings.informed[:] = self.tables[0]
        traffic.settings.habitual[:] = self.tables[1]
        touch(*traffic)
        return traffic


def random_case(seed: int, n_node: int = 5, n_link: int = 11, n_vehicle: int = 90, longer: float = 1.0) -> Case:
    """Draw a city: parallel links, loops, dead ends and cyclic tables included."""
    rng = np.random.default_rng(seed)
    from_node = rng.integers(0, n_node, n_link)
    links = {
        "from_node": from_node,
        "to_node": rng.integers(0, n_node, n_link),
        "length": longer * rng.choice([3.0, 8.0, 20.0, 60.0, 200.0], n_link),
        "speed": rng.choice([5.0, 10.0, 20.0], n_link),
        "lanes": rng.choice([1.0, 1.0, 2.0, 3.0], n_link),
        "capacity": rng.choice([np.inf, np.inf, 0.2], n_link),
        "rank": rng.integers(0, 3, n_link) * (rng.random() < 0.5),
    }
    if rng.random() < 0.5:
        links["lanes"] = 1.0
    destinations = rng.integers(0, n_node, 3)
    tables = [_random_table(rng, from_node, len(destinations), n_node) for _ in range(2)]
    trips = _random_trips(rng, links, tables[0], n_vehicle)
    return Case(
        n_node,
        links,
        trips,
        destinations,
        tables,
        _random_signals(rng, n_node, n_link),
        rng.choice([np.inf, 0.1, 0.4], n_node),
        int(rng.choice([1, 4, 1000])),
        _random_turns(rng, links) if rng.random() < 0.6 else {},
        _random_rescue(rng) if rng.random() < 0.5 else {},
    )


def _random_table(rng: Any, from_node: Any, n_destination: int, n_node: int) -> Any:
    table = np.full((n_destination, n_node), -1)
    for node in range(n_node):
        out = np.flatnonzero(from_node == node)
        if len(out):
            table[:, node] = rng.choice(out, n_destination)
    table[rng.random(table.shape) < 0.03] = -1
    return table


def _random_trips(rng: Any, links: dict[str, Any], table: Any, n_vehicle: int) -> dict[str, Any]:
    routes: list[int] = []
    starts = np.full(n_vehicle, -1)
    origins = rng.choice(links["from_node"], n_vehicle)
    destination = rng.integers(0, table.shape[0], n_vehicle)
    for vehicle in range(n_vehicle):
        if rng.random() < 0.4:
            starts[vehicle] = len(routes)
            node = origins[vehicle]
            for _ in range(rng.integers(0, 8)):
                out = np.flatnonzero(links["from_node"] == node)
                if not len(out):
                    break
                routes.append(int(rng.choice(out)))
                node = links["to_node"][routes[-1]]
            routes.append(-1)
    return {
        "depart": rng.integers(0, 300, n_vehicle) * SECOND,
        "origin": origins,
        "destination": destination,
        "first_link": table[destination, origins],
        "vehicle_class": rng.integers(0, len(PCU), n_vehicle),
        "informed": rng.random(n_vehicle) < 0.5,
        "key": rng.permutation(n_vehicle) + 1000,
        "route_start": starts,
        "routes": np.array(routes, np.int32),
    }


def _random_turns(rng: Any, links: dict[str, Any]) -> dict[str, Any]:
    """Draw pockets, and turns that give way."""
    meet = links["to_node"][:, None] == links["from_node"]
    turns = np.argwhere(meet)
    turns = turns[rng.random(len(turns)) < 0.4]
    yields = [
        (link, after, other)
        for link, after in turns.tolist()
        for other in np.flatnonzero(links["to_node"] == links["to_node"][link]).tolist()
        if other != link and rng.random() < 0.6
    ]
    pockets = turns[rng.random(len(turns)) < 0.5]
    room = rng.choice([1.0, 3.0], len(pockets))
    return {"pockets": pockets, "pocket_room": room, "yields": yields, "gap": float(rng.choice([1.0, 4.5]))}


def _random_rescue(rng: Any) -> dict[str, Any]:
    """Make the trucks emergency vehicles."""
    return {
        "emergency": [False, False, True],
        "passing": float(rng.choice([1.0, 1.25, 2.0])),
        "green_ahead": float(rng.choice([0.0, 5.0, 20.0])),
        "green_clear": float(rng.choice([0.0, 4.0])),
        "green_most": float(rng.choice([10.0, 60.0])),
    }


def _random_signals(rng: Any, n_node: int, n_link: int) -> dict[str, Any]:
    return {
        "control": rng.integers(0, 4, n_node) * (rng.random() < 0.7),
        "stop_headway": 3.0,
        "cycle": rng.choice([30.0, 60.0], n_link),
        "start": rng.choice([0.0, 10.0, 25.5], n_link),
        "length": rng.choice([10.0, 20.0, 40.0], n_link),
        "phase": rng.integers(-1, 3, n_link),
        "minimum_green": 5.0,
        "maximum_green": 20.0,
        "extension": 2.5,
        "intergreen": 3.0,
    }


def change(rng: Any, traffic: Traffic, oracle: Any = None) -> None:
    """Change a few settings at the present instant, for the oracle as well."""
    network, _, settings, state = traffic
    n_link = len(network.from_node)
    link = int(rng.integers(n_link))
    settings.closed[link] ^= 1
    link = int(rng.integers(n_link))
    settings.headway[link] = int(rng.integers(1, 6 * SECOND))
    settings.wave[link] = int(rng.integers(10_000, 60 * SECOND))
    settings.storage[link] = max(1, int(settings.storage[link] * rng.choice([0.5, 1.0])))
    for table in (settings.informed, settings.habitual):
        if rng.random() < 0.5:
            streets = network.from_node[network.pocket_target < 0]
            table[:] = _random_table(rng, streets, *table.shape)
    settings.node_headway[rng.integers(len(settings.control))] = int(rng.choice([0, SECOND, 7 * SECOND]))
    free_flow = int(rng.integers(10_000, 60 * SECOND))
    node = int(rng.integers(len(settings.control)))
    if oracle is not None:
        oracle.set_free_flow(link, free_flow)
    set_free_flow(network, settings, state, link, free_flow)
    set_control(settings, state, node, int(rng.integers(4)))
    touch(*traffic)
    if oracle is not None:
        oracle.set_control(node)
        oracle.touch()


def run(traffic: Traffic, until: int, rows: list[tuple[int, ...]], log: Log | None = None) -> None:
    """Advance to a time, collecting the log through however short a buffer."""
    log = log or new_log(64)
    status = LOG_FULL
    while status == LOG_FULL:
        status = advance(*traffic, log, until)
        n_row = int(log.written[0])
        columns = (log.vehicle, log.link, log.entered, log.left)
        rows.extend(zip(*(column[:n_row].tolist() for column in columns), strict=True))
        log.written[0] = 0
