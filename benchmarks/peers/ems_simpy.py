"""A straightforward simpy version of the ambulance case, on the same tables, with the same statistics.

One process per call, one for each unit's way back, which a new call interrupts.
Nearest dispatch, returns to the home station, hospitals by time, a queue by priority
and age, exact positions of units on their way back. The tables are the arrays as they are
or, tuned, Python lists where they are small, which plain Python reads faster.
"""

from __future__ import annotations

import bisect
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import simpy

_SMALL = (
    "chain_of",
    "place_of",
    "out_row",
    "in_row",
    "chain_start",
    "chain_node",
    "chain_time",
    "chain_total",
    "chain_to",
    "out_start",
)
TICK = 100
FAR = 1 << 30


@dataclass
class Unit:
    """An ambulance: where it is bound for and what it does."""

    number: int
    station: int
    status: str = "station"
    since: int = 0
    leg: tuple[int, ...] = ()
    back: simpy.Process | None = None
    spent: dict[str, int] = field(default_factory=dict)


class Roads:
    """Shortest ways and positions, read from the tables of `twin.models.emergency.network`."""

    def __init__(self, case: Any, tuned: bool) -> None:
        roads, places = case.roads, case.places
        self.time, self.hop = roads.time, roads.hop
        for name in _SMALL:
            table = getattr(roads, name)
            setattr(self, name, table.tolist() if tuned else table)
        self.out, self.back, self.hospital = places.out, places.back, places.hospital
        self.place, self.walk, self.pace = places.node.tolist(), places.walk.tolist(), places.pace.tolist()

    def off_road(self, mode: int, walk: int) -> int:
        """Return the us of a way off the road (mm)."""
        return walk * self.pace[mode] // 1000

    def tail(self, mode: int, node: int, way: int) -> int:
        """Return the ticks to a node from the start of one of its chains."""
        chain = self.chain_of[node][way]
        return 0 if chain < 0 else int(self.chain_time[mode][self.chain_start[chain] + self.place_of[node][way]])

    def lead(self, mode: int, node: int, way: int) -> int:
        """Return the ticks from a node to the end of one of its chains."""
        chain = self.chain_of[node][way]
        return 0 if chain < 0 else int(self.chain_total[mode][chain]) - self.tail(mode, node, way)

    def way(self, mode: int, start: int, end: int) -> tuple[int, int, int]:
        """Return ticks, way out and way in of the quickest way between two nodes."""
        if start == end:
            return 0, -1, -1
        best = (FAR, -1, -1)
        for i in (0, 1):
            chain = self.chain_of[start][i]
            for j in (0, 1):
                if chain >= 0 and self.chain_of[end][j] == chain and self.place_of[end][j] > self.place_of[start][i]:
                    ticks = self.tail(mode, end, j) - self.tail(mode, start, i)
                    best = (ticks, 2 + i, j) if ticks < best[0] else best
        for i in (0, 1):
            row = self.out_row[start][i]
            for j in (0, 1):
                goal = self.in_row[end][j]
                if row >= 0 and goal >= 0:
                    ticks = self.lead(mode, start, i) + int(self.time[mode, goal, row]) + self.tail(mode, end, j)
                    best = (ticks, i, j) if ticks < best[0] else best
        return best

    def leg(self, mode: int, start: int, begin: int, end: int) -> tuple[int, ...]:
        """Return mode, nodes, instants and ways of a drive that leaves a node at an instant."""
        ticks, i, j = self.way(mode, start, end)
        return mode, start, end, begin, begin + ticks * TICK, i, j

    def next_node(self, leg: tuple[int, ...], now: int, mode: int) -> tuple[int, int]:
        """Return the node a unit comes to next and the us until there by a mode."""
        own, start, end, begin, finish, i, j = leg
        if now <= begin:
            return start, self._paced(begin - now, own, mode)
        if now >= finish:
            return end, self._paced(now - finish, own, mode)
        if i >= 2 or now < begin + self.lead(own, start, i) * TICK:
            offset = self.tail(own, start, i & 1) * TICK + now - begin
            return self._on_chain(self.chain_of[start][i & 1], offset, own, mode)
        last = finish - self.tail(own, end, j) * TICK
        if now >= last:
            return self._on_chain(self.chain_of[end][j], now - last, own, mode)
        goal, row = self.in_row[end][j], self.out_row[start][i]
        passed = begin + self.lead(own, start, i) * TICK
        hops = self.hop[own, goal]
        while True:
            chain = int(self.out_start[row]) + int(hops[row])
            after = passed + int(self.chain_total[own][chain]) * TICK
            if after > now:
                return self._on_chain(chain, now - passed, own, mode)
            row, passed = int(self.chain_to[chain]), after

    def _paced(self, left: int, own: int, mode: int) -> int:
        if own == mode:
            return left
        return (left * self.pace[mode] + self.pace[own] - 1) // self.pace[own]

    def _on_chain(self, chain: int, offset: int, own: int, mode: int) -> tuple[int, int]:
        step = int(self.chain_start[chain])
        times, others = self.chain_time[own], self.chain_time[mode]
        while int(times[step]) * TICK < offset:
            step += 1
        left = int(times[step]) * TICK - offset
        if left and own != mode:
            ticks = int(times[step] - times[step - 1])
            left = (left * int(others[step] - others[step - 1]) + ticks - 1) // ticks
        return int(self.chain_node[step]), left


class Service:
    """The simpy model."""

    def __init__(self, case: Any, stations: list[int], n_station: int, tuned: bool = False) -> None:
        self.environment = simpy.Environment()
        self.roads = Roads(case, tuned)
        self.calls = case.demand.call.tolist()
        self.mode = case.settings.mode[0].tolist()
        self.n_station = n_station
        self.units = [Unit(i, station) for i, station in enumerate(stations)]
        self.waiting: list[tuple[int, int]] = []
        self.times = [[-1] * 6 for _ in self.calls]
        self.unit_of = [-1] * len(self.calls)
        self.log: list[tuple[int, str, int, int]] = []
        self.queue_integral = self.queue_since = self.queue_most = 0

    def run(self) -> None:
        """Serve all calls."""
        self.environment.process(self.arrivals())
        self.environment.run()

    def arrivals(self) -> Any:
        """Let calls arrive."""
        for number, call in enumerate(self.calls):
            yield self.environment.timeout(call[0] - self.environment.now)
            self.note("arrives", number, -1)
            self.environment.process(self.answer(number))

    def answer(self, number: int) -> Any:
        """Answer a call, then find a unit or let it wait."""
        yield self.environment.timeout(self.calls[number][1] - self.calls[number][0])
        unit = self.nearest(number)
        if unit is None:
            self.count_queue()
            bisect.insort(self.waiting, (self.calls[number][4], number))
            self.queue_most = max(self.queue_most, len(self.waiting))
            self.note("waits", number, -1)
        else:
            self.send(unit, number)

    def count_queue(self) -> None:
        """Integrate the length of the queue."""
        self.queue_integral += len(self.waiting) * (self.environment.now - self.queue_since)
        self.queue_since = self.environment.now

    def note(self, what: str, call: int, unit: int) -> None:
        """Write a row of the log."""
        self.log.append((self.environment.now, what, call, unit))

    def become(self, unit: Unit, status: str) -> None:
        """Change a unit's status and count the time in the last."""
        unit.spent[unit.status] = unit.spent.get(unit.status, 0) + self.environment.now - unit.since
        unit.since, unit.status = self.environment.now, status

    def eta(self, unit: Unit, number: int) -> int:
        """Return the us until an idle unit would be on the scene."""
        call, roads, now = self.calls[number], self.roads, self.environment.now
        mode = self.mode[call[4]]
        walk = roads.off_road(mode, call[3])
        if unit.status == "station":
            ticks = int(roads.out[mode, call[2], unit.station])
            return ticks * TICK + walk + call[6] + roads.off_road(mode, roads.walk[unit.station])
        node, left = roads.next_node(unit.leg, now, mode)
        return roads.way(mode, node, call[2])[0] * TICK + walk + left

    def nearest(self, number: int) -> Unit | None:
        """Return the idle unit soonest on scene."""
        idle = [unit for unit in self.units if unit.status in ("station", "back")]
        return min(idle, key=lambda unit: self.eta(unit, number)) if idle else None

    def send(self, unit: Unit, number: int) -> None:
        """Send a unit to a call, from its way back if need be."""
        if unit.back is not None:
            unit.back.interrupt()
            unit.back = None
        self.times[number][0] = self.environment.now
        self.unit_of[number] = unit.number
        self.note("dispatched", number, unit.number)
        self.environment.process(self.mission(unit, number))

    def mission(self, unit: Unit, number: int) -> Any:
        """Mobilise, drive, treat, bring to hospital, hand over."""
        environment, roads, call, times = self.environment, self.roads, self.calls[number], self.times[number]
        mode = self.mode[call[4]]
        if unit.status == "station":
            self.become(unit, "mobilising")
            yield environment.timeout(call[6])
            node, left = roads.place[unit.station], roads.off_road(mode, roads.walk[unit.station])
        else:
            node, left = roads.next_node(unit.leg, environment.now, mode)
        self.become(unit, "to scene")
        times[1] = environment.now
        self.note("mobilised", number, unit.number)
        unit.leg = roads.leg(mode, node, environment.now + left, call[2])
        yield environment.timeout(unit.leg[4] + roads.off_road(mode, call[3]) - environment.now)
        self.become(unit, "scene")
        times[2] = environment.now
        self.note("scene", number, unit.number)
        yield environment.timeout(call[7])
        mode = self.mode[-2]
        node, walk = call[2], roads.off_road(mode, call[3])
        if call[8]:
            place = self.n_station + int(roads.hospital[mode, node])
            self.become(unit, "to hospital")
            times[3] = environment.now
            self.note("to hospital", number, unit.number)
            unit.leg = roads.leg(mode, node, environment.now + walk, roads.place[place])
            yield environment.timeout(unit.leg[4] + roads.off_road(mode, roads.walk[place]) - environment.now)
            self.become(unit, "hospital")
            times[4] = environment.now
            self.note("hospital", number, unit.number)
            yield environment.timeout(call[10])
            mode = self.mode[-1]
            node, walk = roads.place[place], roads.off_road(mode, roads.walk[place])
        self.become(unit, "back")
        times[5] = environment.now
        self.note("free", number, unit.number)
        unit.leg = roads.leg(mode, node, environment.now + walk, node)
        self.next_task(unit)

    def next_task(self, unit: Unit) -> None:
        """Give a free unit the most urgent, oldest waiting call, or send it back."""
        if self.waiting:
            self.count_queue()
            self.send(unit, self.waiting.pop(0)[1])
        else:
            unit.back = self.environment.process(self.drive_back(unit))

    def drive_back(self, unit: Unit) -> Any:
        """Drive home unless a call comes."""
        roads, mode, now = self.roads, self.mode[-1], self.environment.now
        node, left = roads.next_node(unit.leg, now, mode)
        unit.leg = roads.leg(mode, node, now + left, roads.place[unit.station])
        self.note("returns", -1, unit.number)
        try:
            yield self.environment.timeout(unit.leg[4] + roads.off_road(mode, roads.walk[unit.station]) - now)
        except simpy.Interrupt:
            return
        unit.back = None
        self.become(unit, "station")
        self.note("station", -1, unit.number)

    def figures(self) -> dict[str, float]:
        """Return the statistics of the run."""
        times, calls = np.array(self.times), np.array(self.calls)
        response = (times[:, 2] - calls[:, 0]) / 1e6
        found = {"response_mean": float(response.mean())}
        for priority in range(len(self.mode) - 2):
            own = response[calls[:, 4] == priority]
            if len(own):
                found |= {f"p{q}_{priority}": float(np.percentile(own, q)) for q in (50, 90, 95)}
        busy = [sum(v for k, v in u.spent.items() if k not in ("station", "back")) for u in self.units]
        total = [sum(u.spent.values()) for u in self.units]
        found["utilisation"] = sum(b / t for b, t in zip(busy, total, strict=True)) / len(busy)
        found["queue_mean"] = self.queue_integral / max(1, self.environment.now)
        return found
