"""Say what every bus draws and gives: daily profiles, absence, cold loads, generators, batteries, chargers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from twin.contract import SECOND, Setup
from twin.models.power.profile import charging_factor, demand_factor, solar_factor, work_share

if TYPE_CHECKING:
    from twin.view import View

Array = np.ndarray[Any, Any]


class Demand:
    """Constants of loads and local generation, and what they make of the state.

    The reactive power of a load follows its active power; that of a bus without active load, as of a
    capacitor, is constant.

    Tables that a city may add, all with `bus` and `p` (W): `generators` (`kind` "solar" or
    "steady"; `q` (var) scales with `p`, none if the column is missing; off while their bus has no
    supply, IEEE 1547-2018 clause 8.1), `storages` (see `twin.models.power.storage`), `chargers` (of
    electric cars, with the profile of `charging_factor`).
    """

    def __init__(self, setup: Setup) -> None:
        city, options = setup.city, setup.options
        buses = city["buses"]
        self._hour = setup.local_hour
        self.peak = buses["p"].astype(np.float64)
        self.work_share = work_share(city)
        added = np.tan(np.arccos(options["power_factor"]))
        loaded = self.peak > 0
        self.reactive_ratio = np.where(loaded, buses["q"] / np.where(loaded, self.peak, 1.0), added)
        self._constant = np.where(loaded, 0.0, buses["q"])
        self._cold = (float(options["cold_load"]) - 1.0, options["cold_build"], options["cold_decay"])
        parts = {name: city[name] if city.rows(name) else None for name in ("generators", "chargers")}
        self._at = {name: _rows(part, "bus", np.int64) for name, part in parts.items()}
        self._power = {name: _rows(part, "p", np.float64) for name, part in parts.items()}
        made = parts["generators"]
        self._given = np.zeros(0) if made is None or "q" not in made else np.asarray(made["q"], dtype=np.float64)
        self._solar = np.zeros(0, bool) if made is None else np.asarray(made["kind"]) == "solar"

    def usual(self, now: int) -> Array:
        """Return the demand (W) of every bus by local time of day."""
        hour = self._hour(now)
        load = self.peak * demand_factor(self.work_share, hour)
        if len(self._at["chargers"]):
            np.add.at(load, self._at["chargers"], self._power["chargers"] * charging_factor(hour))
        return load

    def present(self, view: View) -> Array:
        """Return the demand (W) of every bus: contributions of all, this model's less that of people away."""
        load, absence = view.total("bus.load"), view.total("bus.absence")
        return load - np.clip(absence, 0.0, 1.0) * view["bus.load@power"] if absence.any() else load

    def reactive(self, active: Array) -> Array:
        """Return the reactive demand (var) of every bus at an active one (W)."""
        return np.asarray(active * self.reactive_ratio + self._constant)

    def excess(self, dark: Array) -> Array:
        """Return by how much a cold load exceeds the usual one at its return.

        dark  (n,)  us  time without power

        Source: the delayed exponential of Lang, Anderson, Fagan, An analytical method for quantifying the
        electrical space heating component of a cold load pick up, IEEE Transactions on Power Apparatus
        and Systems 101 (1982), without the delay: loss of diversity grows with the outage up to a limit.
        """
        most, build, _ = self._cold
        return np.asarray(most * np.minimum(dark / SECOND / build, 1.0))

    def net(self, view: View, demand: Array, supplied: Array) -> tuple[Array, Array]:
        """Return what every bus draws from the grid (W, var), negative where it gives.

        demand    (n_bus,)  W  from `present`
        supplied  (n_bus,)  has supply and is not shed
        """
        active = demand
        if self._cold[0] > 0:
            since = np.maximum(view["bus.back_since"], 0)
            fade = np.exp(-(view.now - since) / SECOND / self._cold[2])
            active = active * (1.0 + view["bus.cold"] * fade)
        reactive = self.reactive(active)
        if len(self._at["generators"]):
            share = np.where(self._solar, solar_factor(self._hour(view.now)), 1.0)
            active = active.copy()
            np.subtract.at(active, self._at["generators"], self._power["generators"] * share)
            if len(self._given):
                np.subtract.at(reactive, self._at["generators"], self._given * share)
        return np.where(supplied, active, 0.0), np.where(supplied, reactive, 0.0)


def _rows(table: Any, column: str, dtype: Any) -> Array:
    return np.zeros(0, dtype) if table is None else np.asarray(table[column], dtype=dtype)
