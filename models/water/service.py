"""What customers and hydrants get of the water: pressures, who is without, and sums over time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from twin.city.dependencies import supplier_of
from twin.contract import Setup
from twin.models.water.metrics import persons_of

if TYPE_CHECKING:
    from twin.kernels.water_service import Customers
    from twin.models.water.network import Network
    from twin.models.water.state import WaterState
    from twin.view import View

Array = np.ndarray[Any, Any]

_HOUR = 3600e6
_SUMS = ("water.asked", "water.given", "water.dry")
_RATES = ("water_rate.asked", "water_rate.given", "water_rate.dry")
_SOME = 1e-6
"""m of pressure without which nobody is served, also where no service pressure is asked for."""


class Seen(NamedTuple):
    """What customers have of a solution.

    pressure, low      (n_junction,)  m; below the service pressure
    works              (n_hydrant,)   unused, or enough pressure remains
    rates              m3/s asked and given, persons without water
    resilience         index of Todini
    turned, switched   customers are served, or hydrants work, otherwise than before
    """

    pressure: Array
    low: Array
    works: Array
    rates: list[float]
    resilience: float
    turned: bool
    switched: bool


class Service:
    """Persons and hydrants at the junctions of a network, and the pressure they need."""

    def __init__(self, network: Network, setup: Setup) -> None:
        city, options = setup.city, setup.options
        mean = np.bincount(network.demand_junction, network.demand_base, network.n_junction)
        counted = dict(city["junctions"]).get("population")
        self.persons = persons_of(counted, mean, float(options["litres_per_person"]))
        self.hydrant = supplier_of(city, "junctions", "hydrants", "junction")
        self._customers = self._customers_of(network, options["service_pressure"], options["hydrant_pressure"])

    def _customers_of(self, network: Network, service: float, remaining: float) -> Customers:
        from twin.kernels.water_service import Customers

        pumps = slice(network.first_pump, network.first_valve)
        lifts = (network.from_node[pumps], network.to_node[pumps], network.first_pump)
        limits = (network.hydraulics.required_pressure, max(float(service), _SOME), float(remaining))
        return Customers(network.elevation, self.persons, self.hydrant, *lifts, *limits)

    def look(self, view: View, state: WaterState) -> Seen:
        """Return what customers have of the solution that stands in the state."""
        from twin.kernels.water_service import look_round

        n_junction, hydrants = len(self.persons), len(self.hydrant)
        pressure, low, works = np.empty(n_junction), np.empty(n_junction, bool), np.empty(hydrants, bool)
        found = np.empty(4)
        solved = (state.demand, state.draw, state.delivered, state.head, state.inflow, state.flow)
        before = (view["hydrant.flow"], view["junction.low"], view["hydrant.works"])
        changes = look_round(self._customers, *solved, *before, pressure, low, works, found)
        *rates, index = found.tolist()
        return Seen(pressure, low, works, rates, index, *changes)

    def sums(self, view: View) -> tuple[float, float, float]:
        """Return demand, demand met (m3) and persons times hours lost up to now."""
        elapsed = view.now - int(view["water.since"][0])
        asked, given = view["water_rate.asked"][0], view["water_rate.given"][0]
        dry = view["water_rate.dry"][0]
        return (
            float(view["water.asked"][0] + asked * elapsed / 1e6),
            float(view["water.given"][0] + given * elapsed / 1e6),
            float(view["water.dry"][0] + dry * elapsed / _HOUR),
        )

    def add_up(self, view: View, seen: Seen) -> None:
        """Integrate what was asked and met until now, and note the rates from here on."""
        for name, value in zip(_SUMS, self.sums(view), strict=True):
            view.put(name, 0, value)
        view.put("water.since", 0, view.now)
        for name, rate in zip(_RATES, seen.rates, strict=True):
            view.put(name, 0, rate)
        view.put("water.least_todini", 0, np.fmin(seen.resilience, view["water.least_todini"][0]))

    def tell(self, view: View, seen: Seen, cause: int, standing: Sequence[int] = ()) -> None:
        """Write pressures, and log whose service changed.

        cause     newest event that changed the network since it was last solved, -1 if time alone has passed
        standing  events behind what works against pressure: without them what is lost might not be
        """
        behind = cause if cause >= 0 else max(standing, default=-1)
        view.put("junction.pressure", slice(None), seen.pressure, behind)
        if seen.turned:
            self._tell_low(view, seen.low, cause, standing)
        if seen.switched:
            self._tell_hydrants(view, seen)

    def _tell_low(self, view: View, low: Array, cause: int, standing: Sequence[int]) -> None:
        """Log who lost pressure and who has it back."""
        changed = np.flatnonzero(low != view["junction.low"])
        for kind, now in (("pressure_lost", True), ("pressure_back", False)):
            rows = changed[low[changed] == now]
            if rows.size and view.now:
                persons, causes = float(self.persons[rows].sum()), [cause, *(standing if now else ())]
                view.put("junction.low", rows, now, view.emit(kind, int(rows[0]), persons, rows.size, causes=causes))
        view.put("junction.low", slice(None), low, cause)

    def _tell_hydrants(self, view: View, seen: Seen) -> None:
        for row in np.flatnonzero(seen.works != view["hydrant.works"]).tolist():
            kind = "hydrant_back" if seen.works[row] else "hydrant_dry"
            at = int(self.hydrant[row])
            causes = [
                view.cause("junction.pressure", at),
                *([view.cause("junction.low", at)] * bool(view["junction.low"][at])),
            ]
            event = view.emit(kind, row, float(seen.pressure[at]), causes=causes)
            view.put("hydrant.works", row, seen.works[row], event)
