"""The traffic rules once more, slow and plain: one global heap of events.

Written from the rules in `kernels/traffic.py`, not from its code: vehicles are
objects, next links and signals are looked up at every glance, and the event of
least time in the whole city comes next.
"""

from __future__ import annotations

import heapq
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from twin.kernels.traffic_arrays import (
    ACTUATED,
    CLASS_MASK,
    CLASS_SHIFT,
    CODE_SHIFT,
    DARK,
    FIXED,
    NEVER,
    VEHICLE_MASK,
)

ARRIVE, LOST = "arrive", "lost"
UNIT = 720720


@dataclass
class Vehicle:
    row: int
    key: int
    depart: int
    kind: int
    route: deque[int] | None
    destination: int
    informed: bool
    entered: int = -1
    ready: int = 0


@dataclass
class Queue:
    """What vehicles leave at a node: a link or an origin."""

    node: int
    link: int | None
    vehicles: deque[Vehicle] = field(default_factory=deque)
    next_out: int = -(1 << 61)
    next_in: int = -(1 << 61)
    exits: deque[tuple[int, int]] = field(default_factory=deque)
    held: int = 0
    last_given: int | None = None


class Oracle:
    """Simulate what `build` laid out; read settings live, keep own state."""

    def __init__(self, traffic: Any) -> None:
        self.network, self.demand, self.settings, _ = traffic
        network, demand = self.network, self.demand
        self.n_link = len(network.from_node)
        n_node = len(network.group_of_node)
        self.queues = [Queue(int(network.to_node[i]), i) for i in range(self.n_link)]
        for origin in range(len(demand.origin_start) - 1):
            queue = Queue(int(network.queue_node[self.n_link + origin]), None)
            for place in range(demand.origin_start[origin], demand.origin_start[origin + 1]):
                queue.vehicles.append(self._vehicle(place))
            self.queues.append(queue)
        self.at_node: list[list[Queue]] = [[] for _ in range(n_node)]
        for queue in self.queues:
            self.at_node[queue.node].append(queue)
        self.now = 0
        self.log: list[tuple[int, int, int, int]] = []
        self.arrival: dict[int, int] = {}
        self.stranded: set[int] = set()
        self.cancelled: set[int] = set()
        self.tag: dict[tuple[int, int], int] = {}
        self.virtual = [0] * self.n_link
        self.phase = [0] * n_node
        self.phase_from = [0] * n_node
        self.phase_gap = [0] * n_node
        self.stop_free = [0] * n_node
        self.version = [0] * n_node
        self.heard = [0] * n_node
        self.heap: list[tuple[int, int, int]] = []
        self.pocket: dict[tuple[int, int], int] = {}
        self.owner: dict[int | None, int] = {}
        self.first: dict[tuple[int, int], list[int]] = {}
        self._read_turns()
        self.touch()

    def _read_turns(self) -> None:
        """List by link and next link its pocket, and the queues that go first."""
        network = self.network
        for link in range(self.n_link):
            node = int(network.to_node[link])
            for after in [i for i in range(self.n_link) if network.from_node[i] == node]:
                place = int(network.movement_start[node])
                place += int(network.in_position[link] * network.out_degree[node] + network.out_position[after])
                if len(network.pocket) and network.pocket[place] >= 0:
                    self.pocket[link, after] = int(network.pocket[place])
                    self.owner[self.pocket[link, after]] = link
                if len(network.yield_start):
                    bounds = network.yield_start[place : place + 2]
                    self.first[link, after] = network.yield_to[bounds[0] : bounds[1]].tolist()

    def _vehicle(self, place: int) -> Vehicle:
        demand = self.demand
        word = int(demand.origin_word[place])
        row, code = word & VEHICLE_MASK, word >> CODE_SHIFT
        route = None
        if code >= 0:
            route = deque()
            while demand.routes[code] >= 0:
                route.append(int(demand.routes[code]))
                code += 1
            code = -1
        destination, informed = divmod(-1 - code, 2)
        depart = int(demand.origin_depart[place])
        kind = (word >> CLASS_SHIFT) & CLASS_MASK
        key = int(demand.key[row]) if demand.key.size else row
        return Vehicle(row, key, depart, kind, route, destination, bool(informed), ready=depart)

    def target(self, queue: Queue) -> int | str:
        """Where the first vehicle of a queue goes."""
        vehicle = queue.vehicles[0]
        if vehicle.route is not None:
            return vehicle.route[0] if vehicle.route else ARRIVE
        if queue.link is not None and self._is_pocket(queue.link):
            after = int(self.network.pocket_target[queue.link])
            if not self.settings.closed[after]:
                return after
        if self.demand.destination_node[vehicle.destination] == queue.node:
            return ARRIVE
        table = self.settings.informed if vehicle.informed else self.settings.habitual
        column = queue.node if queue.link is None else int(self.network.hop_column[queue.link])
        link = int(table[vehicle.destination, column])
        if queue.link is not None and link >= 0:
            link = self.pocket.get((queue.link, link), link)
        return link if link >= 0 else LOST

    def entry_time(self, link: int) -> int:
        """Earliest entry: the headway and the wave of space given back."""
        queue = self.queues[link]
        if self.settings.closed[link]:
            return NEVER
        while queue.held >= self.settings.storage[link]:
            if not queue.exits:
                return NEVER
            queue.last_given, space = queue.exits.popleft()
            queue.held -= space
        if queue.last_given is None:
            return queue.next_in
        return max(queue.next_in, queue.last_given + int(self.settings.wave[link]))

    def head_ready(self, queue: Queue) -> int:
        return max(queue.vehicles[0].ready, queue.next_out)

    def _options(self, node: int) -> list[tuple[Any, ...]]:
        """List all moves and the switch that the node would make if left alone."""
        options: list[tuple[Any, ...]] = []
        conflict = NEVER
        for queue in self.at_node[node]:
            if not queue.vehicles:
                continue
            passing = self._passing(queue)
            if passing < NEVER:
                options.append((max(passing, self.now), -1, queue.link, queue))
            option = self._option(node, queue)
            if option[0] < NEVER:
                options.append(option)
            if self._waits_at_red(node, queue):
                conflict = min(conflict, self.head_ready(queue))
        if conflict < NEVER:
            options.append((self._end_of_green(node, conflict), 0))
        hold = int(self.settings.rescue[3])
        calls = [time for since, _, _ in self._calls(node) for time in (since, since + hold)]
        changes = [time for time in calls if time > self.heard[node] and time >= self.now]
        if changes and self.network.turning[node]:
            options.append((min(changes), -2))
        return options

    def _option(self, node: int, queue: Queue) -> tuple[Any, ...]:
        """When the first vehicle of a queue could move, and what decides a tie."""
        target, ready = self.target(queue), self.head_ready(queue)
        time, tag, rank = max(ready, self.now), 0, 0
        if isinstance(target, int):
            time = max(time, self.entry_time(target))
            if self._is_rescue(queue.vehicles[0]):
                tag, rank = -1, -1
            elif self.settings.control[node] != DARK and self.network.weighted[node]:
                tag = max(self.virtual[target], self.tag.get((id(queue), target), 0))
                rank = 0 if queue.link is None else int(self.network.rank[queue.link])
            if queue.link is not None and not self._is_pocket(target):
                time = self._passed(node, queue.link, time, target)
                yields = self._gives_way(queue.link, target) and time < NEVER
                if yields and self._is_in_the_way(queue.link, target, time):
                    time = NEVER
        return (time, 1, rank, tag, ready, queue.vehicles[0].key, queue)

    def _waits_at_red(self, node: int, queue: Queue) -> bool:
        target = self.target(queue)
        through = isinstance(target, int) and queue.link is not None and not self._is_pocket(target)
        return through and self._is_red(node, int(queue.link or 0))

    def _is_red(self, node: int, link: int) -> bool:
        """Whether another phase has the green of an actuated node."""
        phase = int(self.network.phase_of_link[link])
        return self.settings.control[node] == ACTUATED and phase not in (-1, self.phase[node])

    def _is_pocket(self, link: int) -> bool:
        return bool(self.network.pocket_target[link] >= 0)

    def _gives_way(self, link: int, target: int) -> bool:
        dark = self.settings.control[self.network.to_node[link]] == DARK
        vehicles = self.queues[link].vehicles
        return not dark and not (vehicles and self._is_rescue(vehicles[0])) and bool(self.first.get((link, target)))

    def _is_in_the_way(self, link: int, target: int, time: int) -> bool:
        """Whether somebody who goes first comes through before the gap is over."""
        node, settings = int(self.network.to_node[link]), self.settings
        for other in self.first[link, target]:
            queue = self.queues[other]
            if not queue.vehicles:
                continue
            ahead = self.target(queue)
            if not isinstance(ahead, int) or self._is_pocket(ahead) or self.first[other, ahead]:
                continue
            due = max(self.head_ready(queue), self.entry_time(ahead), self.now)
            if due < NEVER:
                due = self._passed(node, other, due, ahead, time)
            ways = [min(settings.free_flow[i], settings.wave[i]) // 2 for i in (other, ahead) if not self._is_pocket(i)]
            if due - time < min(int(settings.gap[node]), *(int(way) for way in ways)):
                return True
        return False

    def _passed(self, node: int, link: int, time: int, target: int, seen: int = NEVER) -> int:
        """When the control lets a vehicle pass that could pass at a time; calls begin by `seen`."""
        control = int(self.settings.control[node])
        if self.settings.node_headway[node] > 0:
            time = max(time, self.stop_free[node])
        if control in (FIXED, ACTUATED) and time < NEVER:
            late = int(self.settings.late_turn[node]) if self._gives_way(link, target) else 0
            if seen < NEVER:
                return self._as_called(node, link, time, seen)
            return self._with_calls(node, link, time, late)
        if control == DARK:
            return max(time, self.stop_free[node])
        return time

    def _by_plan(self, node: int, link: int, time: int, late: int) -> int:
        """When the signal gives green at or after a time."""
        if self.settings.control[node] == FIXED:
            return self._green(link, time, late)
        if self._is_red(node, link):
            return NEVER
        return max(time, self.phase_from[node]) if self.network.phase_of_link[link] >= 0 else time

    def _is_rescue(self, vehicle: Vehicle) -> bool:
        return bool(self.demand.class_rescue.size and self.demand.class_rescue[vehicle.kind])

    def _passing(self, queue: Queue) -> int:
        """When the first emergency vehicle with others ahead of it passes them."""
        others = [not self._is_rescue(vehicle) for vehicle in queue.vehicles]
        if queue.link is None or True not in others or False not in others[others.index(True) :]:
            return NEVER
        place = others.index(False, others.index(True))
        more = int(self.settings.free_flow[queue.link]) * (int(self.settings.rescue[0]) - 1000) // 1000
        return queue.vehicles[place].ready + more

    def _overtake(self, queue: Queue) -> None:
        others = [not self._is_rescue(vehicle) for vehicle in queue.vehicles]
        front = others.index(True)
        place = others.index(False, front)
        vehicle = queue.vehicles[place]
        del queue.vehicles[place]
        queue.vehicles.insert(front, vehicle)

    def _calls(self, node: int) -> list[tuple[int, int, int]]:
        """List the calls for green: since when, key, link."""
        lead, calls = int(self.settings.rescue[1]), []
        for queue in self.at_node[node]:
            for vehicle in queue.vehicles if queue.link is not None and lead else ():
                if self._is_rescue(vehicle):
                    owner = self.owner.get(queue.link, queue.link)
                    half = min(self.settings.free_flow[owner], self.settings.wave[owner]) // 2
                    calls.append((vehicle.ready - min(lead, int(half)), vehicle.key, int(queue.link or 0)))
        return sorted(calls)

    def _with_calls(self, node: int, link: int, time: int, late: int) -> int:
        """Go through the stretches of time between which no call begins or ends."""
        calls, clear, most = self._calls(node), *(int(value) for value in self.settings.rescue[2:])
        bounds = {time, *(since + more for since, _, _ in calls for more in (0, clear, most))}
        steps = sorted(bound for bound in bounds if bound >= time)
        for begin, end in zip(steps, [*steps[1:], NEVER + 1], strict=True):
            holders = [(since, at) for since, _, at in calls if since <= begin < since + most]
            green = self._by_plan(node, link, begin, late)
            if holders and holders[0][1] != link:
                continue
            if holders and begin >= holders[0][0] + clear:
                green = begin
            if green < end:
                return green
        return NEVER

    def _as_called(self, node: int, link: int, time: int, seen: int) -> int:
        """Take whoever has the green at the instant seen to keep it to the end, and the plan from then on."""
        clear, most = (int(value) for value in self.settings.rescue[2:])
        holders = [(since, at) for since, _, at in self._calls(node) if since <= seen < since + most]
        if not holders:
            return self._by_plan(node, link, time, 0)
        (since, holder), end = holders[0], holders[0][0] + most
        if holder == link:
            green = min(self._by_plan(node, link, time, 0), max(time, since + clear))
            if green < end:
                return green
        return self._by_plan(node, link, max(time, end), 0)

    def _end_of_green(self, node: int, conflict: int) -> int:
        settings = self.settings
        plan = int(self.network.phase_start[node]) + self.phase[node]
        least = self.phase_from[node] + int(settings.minimum_green[plan])
        most = self.phase_from[node] + int(settings.maximum_green[plan])
        time = max(conflict, least, min(self.phase_gap[node], most), self.now)
        hold = int(settings.rescue[3])
        for since, _, _ in self._calls(node):
            if since <= time < since + hold:
                time = since + hold
        return time

    def _green(self, link: int, time: int, late: int) -> int:
        cycle = int(self.settings.green_cycle[link])
        start = int(self.settings.green_start[link])
        length = int(self.settings.green_length[link])
        if length <= 0:
            return NEVER
        begin = start + ((time - start) // cycle) * cycle
        return time if time < begin + length + late else begin + cycle

    def touch(self) -> None:
        self.heard = [self.now] * len(self.at_node)
        for node in range(len(self.at_node)):
            self._look(node)

    def _look(self, node: int) -> None:
        self.version[node] += 1
        options = self._options(node)
        if options:
            heapq.heappush(self.heap, (min(options)[0], node, self.version[node]))

    def run(self, until: int) -> None:
        while self.heap and self.heap[0][0] < until:
            time, node, version = heapq.heappop(self.heap)
            if version != self.version[node]:
                continue
            option = min(self._options(node))
            assert option[0] == time >= self.now
            self.now = time
            if option[1] == -2:
                self.heard[node] = time
                self._look(node)
            elif option[1] == -1:
                self._overtake(option[3])
                self._look(node)
            elif option[1] == 0:
                self._switch(node, time)
                self._look(node)
            else:
                self._move(option[6], time, option[3])
        self.now = until

    def _switch(self, node: int, time: int) -> None:
        network = self.network
        n_phase = int(network.phase_start[node + 1] - network.phase_start[node])
        waiting = set()
        for queue in self.at_node[node]:
            if queue.link is None or not queue.vehicles or self.head_ready(queue) > time:
                continue
            target = self.target(queue)
            if isinstance(target, int) and not self._is_pocket(target):
                waiting.add(int(network.phase_of_link[queue.link]))
        for step in range(1, n_phase):
            phase = (self.phase[node] + step) % n_phase
            if phase in waiting:
                self.phase[node] = phase
                break
        self.phase_from[node] = time + int(self.settings.intergreen[node])
        self.phase_gap[node] = self.phase_from[node]

    def _gap(self, link: int, vehicle: Vehicle) -> int:
        factor = float(self.demand.class_factor[vehicle.kind])
        return max(1, int(int(self.settings.headway[link]) * factor))

    def _move(self, queue: Queue, time: int, tag: int) -> None:
        node, target = queue.node, self.target(queue)
        vehicle = queue.vehicles.popleft()
        dirty = {node}
        if queue.link is not None:
            self.log.append((vehicle.row, queue.link, vehicle.entered, time))
            queue.exits.append((time, int(self.demand.class_pcu[vehicle.kind])))
            queue.next_out = time + self._gap(queue.link, vehicle)
            dirty.add(int(self.network.from_node[queue.link]))
        else:
            queue.next_out = time
        if target == ARRIVE:
            self.arrival[vehicle.row] = time
        elif target == LOST:
            (self.cancelled if queue.link is None else self.stranded).add(vehicle.row)
        else:
            assert isinstance(target, int)
            self._enter(queue, vehicle, target, time, tag)
            dirty.add(self.queues[target].node)
        for other in dirty:
            self._look(other)

    def _enter(self, queue: Queue, vehicle: Vehicle, target: int, time: int, tag: int) -> None:
        node, settings = queue.node, self.settings
        control = int(settings.control[node])
        through = queue.link is not None and not self._is_pocket(target)
        if through and control == DARK:
            self.stop_free[node] = time + int(settings.stop_headway[node])
        elif through and settings.node_headway[node] > 0:
            self.stop_free[node] = time + int(settings.node_headway[node])
        served = through and control == ACTUATED
        if served and self.network.phase_of_link[queue.link] == self.phase[node]:
            gap = time + int(settings.extension[node])
            self.phase_gap[node] = max(self.phase_gap[node], gap)
        if self.network.weighted[node] and control != DARK and not self._is_rescue(vehicle):
            place = self.queues.index(queue)
            self.virtual[target] = tag
            self.tag[id(queue), target] = tag + UNIT // int(self.network.weight[place])
        if vehicle.route is not None:
            vehicle.route.popleft()
        vehicle.entered = time
        vehicle.ready = time + int(settings.free_flow[target])
        self.queues[target].vehicles.append(vehicle)
        self.queues[target].held += int(self.demand.class_pcu[vehicle.kind])
        self.queues[target].next_in = time + self._gap(target, vehicle)

    def rotate(self, cycle: list[int]) -> None:
        """Move the first vehicle of each link of a gridlock into the place left on the next."""
        vehicles = []
        for link in cycle:
            queue = self.queues[link]
            vehicle = queue.vehicles.popleft()
            vehicles.append(vehicle)
            self.log.append((vehicle.row, link, vehicle.entered, self.now))
            assert not queue.exits
            queue.held -= int(self.demand.class_pcu[vehicle.kind])
            queue.last_given = self.now
            queue.next_out = self.now + self._gap(link, vehicle)
        for vehicle, link in zip(vehicles, [*cycle[1:], cycle[0]], strict=True):
            if vehicle.route is not None:
                vehicle.route.popleft()
            vehicle.entered, vehicle.ready = self.now, self.now + int(self.settings.free_flow[link])
            queue = self.queues[link]
            queue.vehicles.append(vehicle)
            queue.held += int(self.demand.class_pcu[vehicle.kind])
            queue.next_in = self.now + self._gap(link, vehicle)

    def set_free_flow(self, link: int, free_flow: int) -> None:
        """Scale what is left of the time of those under way; set nothing else."""
        old = int(self.settings.free_flow[link])
        for vehicle in self.queues[link].vehicles:
            left = vehicle.ready - self.now
            if left > 0:
                vehicle.ready = self.now + max(1, int(left * (free_flow / old)))

    def set_control(self, node: int) -> None:
        """Start the present control afresh."""
        self.phase[node] = 0
        self.phase_from[node] = self.phase_gap[node] = self.stop_free[node] = self.now
