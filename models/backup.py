"""Keep signals, telecom sites and hospitals going on batteries and generators.

One model serves them all: a store of running time. While no bus feeds a
consumer its store falls by one second a second; when it is empty the consumer is
without power until a bus feeds it again. On return the store is charged at
1 / `recharge` seconds of running time per second (0: full at once) up to its
capacity, which is what it holds at the start. Levels are whole microseconds,
worked out exactly when supply changes and never in between. The default of 3 is
an assumption: a battery that a load of 0.25 C10 has used is charged at 0.1 C10
with 1.2 times what was taken, C10 being its capacity over ten hours.

A consumer that depends on several buses runs while any of them has power. The
gap of some seconds until a generator has started is bridged by its UPS
(assumption).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from twin.city.dependencies import supply
from twin.contract import Event, EventKind, Model, Option, Setup
from twin.fields import Field

if TYPE_CHECKING:
    from twin.city import City
    from twin.view import View

Array = np.ndarray[Any, Any]

_CONSUMERS = ("signal", "site", "hospital")
_TABLES = "|".join(name + "s" for name in _CONSUMERS)


class Backup(Model):
    """Stores of running time between the grid and those who need power."""

    name = "backup"
    owns = (
        Field("signal.powered", "bool", "1", "traffic signal has power", 1, traced=True),
        Field("site.powered", "bool", "1", "telecom site has power", 1, traced=True),
        Field("hospital.powered", "bool", "1", "hospital has power", 1, traced=True),
        Field("store.fed", "bool", "1", "a bus feeds the consumer", 1),
        Field("store.level", "int64", "us", "running time in store at the last change of supply"),
        Field("store.since", "int64", "us", "when supply last changed"),
        Field("store.pending", "int64", "1", "pending event of running empty, -1 for none", -1),
    )
    reads = ("bus.energised",)
    requires = ("bus.energised",)
    events = (EventKind("battery_empty", "a consumer without power has used up its store", _TABLES),)
    options = (Option("recharge", "seconds of charging per second of running time", "number", 3.0, low=0, high=1000),)

    def setup(self, setup: Setup) -> dict[str, int]:
        """Build who depends on which bus, and the capacity of each store."""
        city = setup.city
        self.recharge = float(setup.options["recharge"])
        self.store_of_link, self.bus_of_link, self.consumer, self.row, capacity = _stores(city)
        self.capacity = np.round(capacity * 1e6).astype(np.int64)
        consumers = zip(self.consumer.tolist(), self.row.tolist(), strict=True)
        self.store_of = {consumer: store for store, consumer in enumerate(consumers)}
        rows = {name: city.rows(name + "s") for name in _CONSUMERS}
        return {**rows, "store": len(self.row)}

    def start(self, view: View) -> None:
        """Begin with full stores."""
        view.put("store.level", slice(None), self.capacity)

    def step(self, view: View) -> None:
        """Begin to use up or to charge the stores whose supply has changed."""
        energised = view["bus.energised"][self.bus_of_link]
        fed = np.bincount(self.store_of_link, energised, minlength=len(self.row)) > 0
        for store in np.flatnonzero(fed != view["store.fed"]).tolist():
            cause = self._cause(view, store)
            if fed[store]:
                self._supplied(view, store, cause)
            else:
                self._cut_off(view, store, cause)
        view.put("store.fed", slice(None), fed)

    def _cause(self, view: View, store: int) -> int:
        """Return the newest event that changed a bus of the consumer."""
        buses = self.bus_of_link[self.store_of_link == store]
        return max(view.cause("bus.energised", int(bus)) for bus in buses)

    def _cut_off(self, view: View, store: int, cause: int) -> None:
        level = self._charged(view, store)
        view.put("store.level", store, level)
        view.put("store.since", store, view.now)
        if level == 0:
            self._power(view, store, False, cause)
        else:
            kind, row = int(self.consumer[store]), int(self.row[store])
            empty = view.schedule("battery_empty", level, row, data=kind, cause=cause)
            view.put("store.pending", store, empty)

    def _supplied(self, view: View, store: int, cause: int) -> None:
        used = view.now - int(view["store.since"][store])
        view.cancel(int(view["store.pending"][store]))
        view.put("store.pending", store, -1)
        view.put("store.level", store, max(int(view["store.level"][store]) - used, 0))
        view.put("store.since", store, view.now)
        self._power(view, store, True, cause)

    def _charged(self, view: View, store: int) -> int:
        """Return the running time (us) in store after charging since supply returned."""
        capacity, level = int(self.capacity[store]), int(view["store.level"][store])
        if self.recharge == 0.0:
            return capacity
        gained = int((view.now - int(view["store.since"][store])) / self.recharge)
        return min(level + gained, capacity)

    def _power(self, view: View, store: int, powered: bool, cause: int) -> None:
        view.put(f"{_CONSUMERS[self.consumer[store]]}.powered", int(self.row[store]), powered, cause)

    def on_event(self, view: View, event: Event) -> None:
        """Switch off a consumer whose store is empty."""
        store = self.store_of[event.data, event.target]
        view.put("store.pending", store, -1)
        view.put("store.level", store, 0)
        view.put("store.since", store, view.now)
        self._power(view, store, False, event.id)

    def check(self, view: View) -> list[str]:
        """Return stores whose level, supply or switch contradict each other."""
        broken = []
        level, fed, pending = view["store.level"], view["store.fed"], view["store.pending"]
        if (level < 0).any() or (level > self.capacity).any():
            broken.append("a store holds less than nothing or more than its capacity")
        if (fed & (pending >= 0)).any():
            broken.append("a store with supply waits to run empty")
        for store, row in enumerate(self.row.tolist()):
            powered = bool(view[f"{_CONSUMERS[self.consumer[store]]}.powered"][row])
            if powered != bool(fed[store] or pending[store] >= 0):
                broken.append(f"store {store}: powered is {powered}, which its supply and level do not explain")
        return broken


def _stores(city: City) -> tuple[Array, Array, Array, Array, Array]:
    """Read the dependencies on power of the city.

    Returns store and bus of each dependency; consumer kind, row and capacity (s)
    of each store. A store's capacity is the longest delay of its dependencies; `dark` is none.
    """
    found = [supply(city, "buses", name + "s") for name in _CONSUMERS]
    to = [(kind, row) for kind, part in enumerate(found) for row in part.row.tolist()]
    keys = sorted(set(to))
    number = {key: store for store, key in enumerate(keys)}
    store = np.array([number[key] for key in to], dtype=np.int64)
    bus = np.concatenate([part.supplier for part in found]).astype(np.int64)
    capacity = np.zeros(len(keys))
    delays = [np.where(part.rule == "dark", 0.0, part.delay) for part in found]
    np.maximum.at(capacity, store, np.concatenate(delays))
    consumer, row = (np.array([key[i] for key in keys], dtype=np.int64) for i in (0, 1))
    return store, bus, consumer, row, capacity
