"""Drivers who follow present travel times, everywhere or at guided nodes, and never in circles: see `trails`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.models.traffic.changes import where_there_is_a_way
from twin.models.traffic.publish import present_time

if TYPE_CHECKING:
    from twin.kernels.traffic_layout import Traffic
    from twin.models.traffic.trails import Drivers
    from twin.models.traffic.turns import Ways

Array = np.ndarray[Any, Any]


@dataclass
class Guide:
    """Renew the table of informed drivers while a simulation runs.

    ways          streets and banned turns
    owner         (n_road,)  link that each link, and behind them each pocket, belongs to
    usual         (n_link,)  s, times at the start, by which all others choose their ways
    destinations  (n_destination,)  nodes
    guided        (n_node,)  whether informed drivers hear of present times there;
                  elsewhere they drive as the others do
    free          (n_link,)  s, free-flow times at present
    heard         (n_link,)  s, times at the last renewal: all that informed drivers know until the next
    shut          (n_link,)  whether nobody may enter
    seen          (n_road, 2)  vehicles that had left, and their time (us), at the last renewal
    """

    ways: Ways
    owner: Array
    usual: Array
    destinations: Array
    guided: Array
    free: Array
    heard: Array
    shut: Array
    seen: Array

    def hops(self, heard: Array | None = None) -> Array:
        """Return the next links of informed drivers by what they have heard, around roads that are closed now."""
        times = [np.where(self.shut, np.inf, t) for t in (self.usual, self.heard if heard is None else heard)]
        return guided_hops(self.ways, (times[0], times[1]), self.destinations, self.guided)

    def renew(self, drivers: Drivers) -> None:
        """Give informed drivers the travel times since the last renewal."""
        from twin.kernels.traffic import touch
        from twin.kernels.traffic_arrays import EXITS, NOW, TRAVEL

        settings, state = drivers.traffic.settings, drivers.traffic.state
        self.heard = self._present(drivers.traffic, int(state.clock[NOW]))
        self.seen[:] = state.link[:, [EXITS, TRAVEL]]
        drivers.lead(settings.habitual, where_there_is_a_way(self.hops(), settings.informed), settings.closed)
        touch(*drivers.traffic)

    def same_until(self, traffic: Traffic, idle: int, step: int) -> int:
        """Return the time up to which the news stay what they are, if nobody moves before `idle` (us).

        As long as all times grow steadily, so do those of all ways: a way that is
        the quickest now and later is so in between. Of ever shorter times the first
        for which this holds is taken, or none that is not longer than a step.
        """
        from twin.kernels.traffic_arrays import NOW

        now, hops = int(traffic.state.clock[NOW]), self.hops()
        rest = idle - now
        while rest > step:
            half, later = (self._present(traffic, now + ahead) for ahead in (rest // 2, rest))
            if np.allclose(half, (self.heard + later) / 2, 1e-12, 1e-6) and np.array_equal(self.hops(later), hops):
                return now + rest
            rest //= 2
        return now

    def _present(self, traffic: Traffic, now: int) -> Array:
        """Return the times (n_link,) that are heard at an instant (us) if nobody moves before, s."""
        seen = self.seen[:, 0], self.seen[:, 1]
        return present_time(traffic.state.link, traffic.state.ring, now, seen, (self.free, self.owner))


def new_guide(ways: Ways, usual: Array, owner: Array, destinations: Array, guided: Array) -> Guide:
    """Return a guide that has told nothing yet; see `Guide`."""
    shut, seen = np.zeros(len(usual), bool), np.zeros((len(owner), 2), np.int64)
    return Guide(ways, owner, usual, destinations, guided, usual.copy(), usual, shut, seen)


def guided_hops(ways: Ways, times: tuple[Array, Array], destinations: Array, guided: Array) -> Array:
    """Return the next link (n_destination, n_column) on the quickest way, -1 for none.

    times   usual and present time of each link, s; inf: closed
    guided  (n_node,)  elsewhere the way is that of usual times
    """
    from twin.kernels.routing import next_hop_table
    from twin.models.traffic.turns import links_of, next_hops, steps_to

    if guided.all():
        return next_hops(ways, times[1], destinations)
    net, link_of_step, roots = steps_to(ways, destinations)
    usual, present = (np.append(t, 0.0)[link_of_step] for t in times)
    n_place = len(net.in_start) - 1
    before = np.empty((len(roots), n_place), np.int32)
    none = np.empty((0, n_place))
    next_hop_table(net.in_start, net.in_link, net.from_node, usual, roots, before, none)
    told = np.append(guided, np.ones(n_place - len(guided), bool))
    told[ways.column] = guided[ways.to_node]
    table = np.full((len(roots), n_place), -1, np.int32)
    for row in range(len(roots)):
        used = before[row, net.from_node] == np.arange(len(link_of_step))
        weight = np.where(told[net.from_node] | used, present, np.inf)
        one = slice(row, row + 1)
        next_hop_table(net.in_start, net.in_link, net.from_node, weight, roots[one], table[one], none)
    return links_of(ways, link_of_step, table)
