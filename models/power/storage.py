"""Charge and discharge batteries of the grid, exactly between changes of power."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from twin.contract import SECOND, Setup

if TYPE_CHECKING:
    from twin.view import View

Array = np.ndarray[Any, Any]

_NEVER = 2**60
"""us, later than any run ends."""


class Storages:
    """Batteries of the table `storages`: bus, p (W, most power), energy (J, capacity).

    Optional columns: charge (share of the capacity at the start, 0.5) and efficiency (of one
    round trip, 0.9, half of the loss each way). A battery gives or takes the power it was told
    while its bus has supply and it is neither empty nor full.
    """

    def __init__(self, setup: Setup) -> None:
        table = dict(setup.city["storages"]) if setup.city.rows("storages") else {}
        none = np.zeros(0)
        self.bus = np.asarray(table.get("bus", none), dtype=np.int64)
        self.most = np.asarray(table.get("p", none), dtype=np.float64)
        self.capacity = np.asarray(table.get("energy", none), dtype=np.float64)
        self.charge = np.asarray(table.get("charge", np.full(len(self.bus), 0.5)))
        self.way = np.sqrt(np.asarray(table.get("efficiency", np.full(len(self.bus), 0.9))))

    def start(self, view: View) -> None:
        """Fill the batteries to their first charge."""
        if len(self.bus):
            view.put("storage.energy", slice(None), self.charge * self.capacity)

    def _flow(self, power: Array) -> Array:
        """Return the change of energy (W) at a power given to the grid, losses included."""
        return np.asarray(np.where(power > 0, -power / self.way, -power * self.way))

    def energy(self, view: View) -> Array:
        """Return the energy (J) in store now."""
        elapsed = (view.now - view["storage.since"]) / SECOND
        return np.asarray(
            np.clip(view["storage.energy"] + self._flow(view["storage.power"]) * elapsed, 0.0, self.capacity)
        )

    def step(self, view: View, supplied: Array, active: Array) -> Array:
        """Settle energies up to now, choose powers, and return loads (W) with the batteries.

        supplied  (n_bus,)  has supply and is not shed
        active    (n_bus,)  W  drawn without batteries
        """
        if not len(self.bus):
            return active
        energy = self.energy(view)
        wanted = np.clip(view["storage.wanted"], -self.most, self.most)
        can = np.where(wanted > 0, energy > 0, energy < self.capacity)
        power = np.where(supplied[self.bus] & can, wanted, 0.0)
        view.put("storage.energy", slice(None), energy)
        view.put("storage.since", slice(None), view.now)
        view.put("storage.power", slice(None), power)
        self._wait(view, energy, power)
        total = active.copy()
        np.subtract.at(total, self.bus, power)
        return total

    def _wait(self, view: View, energy: Array, power: Array) -> None:
        """Schedule when each battery will be empty or full, in place of what was scheduled before."""
        flow = self._flow(power)
        for row in range(len(self.bus)):
            if view["storage.pending"][row] >= 0:
                view.cancel(int(view["storage.pending"][row]))
                view.put("storage.pending", row, -1)
            if flow[row]:
                left = energy[row] if flow[row] < 0 else self.capacity[row] - energy[row]
                delay = int(min(np.ceil(left / abs(flow[row]) * SECOND), _NEVER))
                view.put("storage.pending", row, view.schedule("storage_limit", max(delay, 1), row))
