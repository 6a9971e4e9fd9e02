"""Dispatch that tries each unit out on futures of its own belief."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from twin.contract import SECOND, Option, Setup
from twin.models.emergency.belief import (
    Future,
    believed_means,
    burden,
    follow,
    hospital_of_zones,
    imagine,
    zone_of_nodes,
    zone_times,
)
from twin.models.emergency.service_kinds import bits
from twin.models.emergency.tables import DISPATCHED, SERVED
from twin.models.policies.dispatch import PREPARATION, ClosestIdle, Settled, units_sent

if TYPE_CHECKING:
    from twin.view import Observation

Array = np.ndarray[Any, Any]
_MORE = ("call.dispatched", "unit.station")
_OFF_DUTY, _CARRY = 1e9, bits("carry")


class Rollout(ClosestIdle):
    """Branch the belief over the closest units, follow each branch with closest-idle, send the cheapest.

    The same imagined calls are used for every candidate. The truth is never branched: positions are as
    reported, durations mean, calls drawn from the city's published rate.
    """

    name = "rollout"
    sees = (*ClosestIdle.sees, *_MORE)
    requires = (*ClosestIdle.requires, *_MORE)
    options: ClassVar = (
        *ClosestIdle.options,
        PREPARATION,
        Option("horizon", "how far each future is followed", "quantity", 1800.0, "s", low=60),
        Option("futures", "futures imagined per decision", "integer", 24, low=1, high=1000),
        Option("candidates", "units tried, the closest ones", "integer", 4, low=1, high=100),
    )
    source = "rollout over a base heuristic: Bertsekas, Tsitsiklis, Wu, Journal of Heuristics 3 (1997) 245-262"

    def setup(self, setup: Setup) -> dict[str, int]:
        """Build the constants of the belief."""
        super().setup(setup)
        city, options, self.seed = setup.city, setup.options, setup.seed
        self.times, self.zone_of = zone_times(city), zone_of_nodes(city)
        self.means = believed_means(city, float(options["preparation"]))
        self.station, self.hospital = np.asarray(city["stations"]["node"], np.int64), hospital_of_zones(city)
        self.ahead, self.count, self.most = (options[name] for name in ("horizon", "futures", "candidates"))
        self.people = np.asarray(city["zones"]["population"], dtype=np.float64)
        return {}

    def choose_after(self, settled: Settled, observation: Observation, call: int, units: Array, reach: Array) -> int:
        """Return the candidate whose own response and futures cost clearly least, else the closest."""
        near = np.argsort(reach, kind="stable")[: int(np.isfinite(reach).sum())][: self.most]
        now, means = self._situation(observation, settled), self.means
        rate, ahead, keys = means.calls_per_second, self.ahead, [(call, draw) for draw in range(self.count)]
        drawn = [imagine(self.seed, key, rate, ahead, self.people) for key in keys]
        futures = [replace(now, time=time, zone=zone) for time, zone in drawn]
        gone = (observation.now - int(observation["call.rung"][call])) / SECOND
        zone, cost = int(self.zone_of[observation["call.node"][call]]), np.empty((near.shape[0], self.count))
        for row, (seconds, unit) in enumerate(zip(reach[near].tolist(), units[near].tolist(), strict=True)):
            ready, node = now.ready.copy(), now.node.copy()
            ready[unit], node[unit] = means.prepare + seconds + means.scene, self.hospital[zone]
            tried = (replace(future, ready=ready, node=node) for future in futures)
            cost[row] = [follow(future, self.times, means, self.hospital) for future in tried]
            cost[row] += burden(gone + means.prepare + seconds, means.target)
        return int(near[_clearly_best(cost)])

    def _situation(self, observation: Observation, settled: Settled) -> Future:
        """Return when and where units are free as believed: after what is left of the mean, all for one just sent."""
        ready, node = np.zeros(observation.rows("unit")), observation["observed_unit.node"].astype(np.int64)
        home = self.station[observation["unit.station"]]
        ready[~observation["unit.duty"] | (observation["unit.can"] & _CARRY == 0)] = _OFF_DUTY
        stage, unit = observation["call.stage"], units_sent(observation)
        busy = np.flatnonzero((stage >= DISPATCHED) & (stage < SERVED))
        gone = (observation.now - observation["call.dispatched"][busy]) / SECOND
        ready[unit] = np.maximum(self.means.service - gone, 60.0)
        node[unit] = self.hospital[self.zone_of[observation["call.node"][busy]]]
        for call, sent in settled.sent:
            ready[sent], node[sent] = self.means.service, self.hospital[self.zone_of[observation["call.node"][call]]]
        return Future(ready, node, home, np.empty(0), np.empty(0, dtype=np.int64))


def _clearly_best(cost: Array) -> int:
    """Return the row of least mean cost, but 0 unless it beats row 0 by two standard errors of the paired difference.

    cost  (n_candidate, n_future)  the same futures in every row

    Without that guard the least of several noisy means is mostly noise, and a farther unit goes for nothing.
    """
    gain = cost[0] - cost
    error = gain.std(axis=1, ddof=1) / np.sqrt(cost.shape[1]) if cost.shape[1] > 1 else np.zeros(cost.shape[0])
    clear = np.where(gain.mean(axis=1) > 2.0 * error, gain.mean(axis=1), 0.0)
    return int(np.argmax(clear))
