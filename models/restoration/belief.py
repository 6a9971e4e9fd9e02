"""A small future of what the command centre believes, to compare orders of repair.

The truth is not looked at. The belief holds the assets on the desk's list, crews where they report to
be, reported travel times and mean durations. `cost` lets the crews work off an order and searches
the real graph of the grid after each repair for who has power, and which pumps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.city.dependencies import supplier_of
from twin.models.assets import KINDS, LINE, PIPE, PUMP, SUBSTATION, Assets, household_of
from twin.models.power.grid import Grid
from twin.models.restoration.kinds import INSPECTING, ISOLATING, REPAIRING, TESTING, WAITING
from twin.models.restoration.mains import Mains
from twin.models.restoration.work import STEPS, Durations

if TYPE_CHECKING:
    from twin.city import City

Array = np.ndarray[Any, Any]

_REPAIR = STEPS.index("repair")
_STEP_OF_STAGE = {INSPECTING: 0, ISOLATING: 1, WAITING: _REPAIR, REPAIRING: _REPAIR, TESTING: 3}
"""Place in STEPS; STEPS are inspect, isolate, repair, test."""


@dataclass(frozen=True)
class Situation:
    """What is believed at one instant.

    failed   (n_asset,)       on the list, with a crew or without
    ready    (n_crew,)     s  until a crew sets out for something new, prepared
    again    s  preparation before each further trip
    reach    (n_crew, n_waiting)     s  from each crew's place to each waiting asset
    between  (n_waiting, n_waiting)  s  from one waiting asset to another
    waiting  (n_waiting,)     assets without a crew
    under    asset with a crew -> s until it should be back
    """

    failed: Array
    ready: Array
    again: float
    reach: Array
    between: Array
    waiting: Array
    under: dict[int, float]


class Belief:
    """The constants of a city that a future of belief needs.

    durations  of each step, by kind of asset, as the planner believes them
    """

    def __init__(self, city: City, assets: Assets, skill: Array, durations: Durations) -> None:
        self._means = np.array([[durations[kind, step].mean for step in STEPS] for kind in KINDS])
        self.takes = self._means.sum(axis=1)[assets.kind]
        self._assets, self._skill, self._needs = assets, skill, assets.skill
        self._grid = Grid(city)
        self._closed = np.asarray(city["lines"]["closed"], dtype=bool)
        self._stations = city.rows("substations")
        self._persons = np.asarray(city["buses"]["customers"], dtype=np.float64) * household_of(city)
        self._bus = supplier_of(city, "buses", "pumps", "bus")
        self._mains = Mains(city)
        self._tables = {kind: assets.kind == kind for kind in (SUBSTATION, LINE, PIPE, PUMP)}

    def left(self, asset: int, stage: int, begun: bool) -> float:
        """Return how long the work on an asset is expected to take from here (s), half of a step that has begun.

        stage  what its crew does; all of the work is left while it is still on the way
        begun  the repair itself has, by this crew or one that went off; one that waits for water may not have
        """
        left, step = self._means[self._assets.kind[asset]].copy(), _STEP_OF_STAGE.get(stage, -1)
        left[: max(step, 0)] = 0.0
        halved = {step} - {-1, _REPAIR} | ({_REPAIR} if begun else set())
        left[list(halved)] /= 2.0
        return float(left.sum())

    def dark(self, failed: Array) -> float:
        """Return persons without power plus persons without water while these assets are out."""
        fed = self._grid.connected(~self._of(failed, SUBSTATION, self._stations), self._line_states(failed))
        out = self._of(failed, PUMP, self._bus.shape[0]) | ((self._bus >= 0) & ~fed[np.maximum(self._bus, 0)])
        burst = self._assets.customers[failed & self._tables[PIPE]].sum()
        return float(self._persons[~fed].sum() + self._mains.dry(out) + burst)

    def _line_states(self, failed: Array) -> Array:
        return self._closed & ~self._of(failed, LINE, self._closed.shape[0])

    def _of(self, failed: Array, kind: int, size: int) -> Array:
        out = np.zeros(size, dtype=bool)
        ours = self._tables[kind]
        out[self._assets.row[ours]] = failed[ours]
        return out

    def cost(self, now: Situation, order: Sequence[int], horizon: float) -> float:
        """Return person-seconds without power or water within the horizon under an order.

        order  positions in `now.waiting`, each for the crew of its skill that is there first
        """
        back = dict(now.under)
        at = np.full(now.ready.shape[0], -1)
        ready = now.ready.copy()
        for place in order:
            asset = int(now.waiting[place])
            moves = np.where(at < 0, now.reach[:, place], now.between[at, place] + now.again)
            arrival = np.where(self._skill == self._needs[asset], ready + moves, np.inf)
            if arrival.shape[0] and np.isfinite(arrival.min()):
                crew = int(np.argmin(arrival))
                ready[crew] = back[asset] = float(arrival[crew] + self.takes[asset])
                at[crew] = place
        return self._lost(now.failed, back, horizon)

    def _lost(self, failed: Array, back: dict[int, float], horizon: float) -> float:
        """Integrate who is cut off, from one repair to the next."""
        out, since, total = failed.copy(), 0.0, 0.0
        for asset, time in sorted(back.items(), key=lambda item: (item[1], item[0])):
            end = min(time, horizon)
            total += self.dark(out) * (end - since)
            since = end
            out[asset] = False
        return total + self.dark(out) * max(horizon - since, 0.0)

    def best(self, now: Situation, start: Sequence[int], horizon: float, budget: int) -> list[int]:
        """Return a cheap order: the given one improved by moves of one asset to the front of another.

        budget  orders that may be looked at; the same belief always gives the same answer
        """
        found = list(start)
        least, spent, better = self.cost(now, found, horizon), 1, True
        while better and spent < budget:
            better = False
            for i in range(len(found) - 1, 0, -1):
                for j in range(i):
                    other = [*found[:j], found[i], *found[j:i], *found[i + 1 :]]
                    cost = self.cost(now, other, horizon)
                    spent += 1
                    if cost < least - 1e-9 * max(least, 1.0):
                        found, least, better = other, cost, True
                    if spent >= budget:
                        return found
        return found
