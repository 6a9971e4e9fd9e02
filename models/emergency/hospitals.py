"""Which hospital a patient is brought to, and when hospitals send ambulances elsewhere.

A hospital diverts by order, when too many ambulances wait for a bay, or without power
or water. Nobody is turned away from the door: diversion acts on units that have not
arrived. When every hospital diverts, or none that offers the specialty can be
reached, the next best is taken: a patient is always brought somewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.errors import CityError
from twin.models.emergency.examine import cut_off
from twin.models.emergency.tables import TO_HOSPITAL

if TYPE_CHECKING:
    from twin.city import City
    from twin.view import View

Array = np.ndarray[Any, Any]


def lacks(view: View) -> Array:
    """Tell which hospitals are without power or without water; (n_hospital,)."""
    dry = view.total("hospital.waterless") > 0
    return np.asarray(dry | ~view["hospital.powered"] if "hospital.powered" in view else dry)


@dataclass(frozen=True)
class Hospitals:
    """Constants of the hospitals.

    node    (n_hospital,)
    bays    (n_hospital,)
    offers  specialties of each
    limit   (n_hospital,)  ambulances waiting from which it diverts, 0 for never
    dark    a hospital without power or water diverts
    """

    node: Array
    bays: Array
    offers: tuple[tuple[str, ...], ...]
    limit: Array
    dark: bool

    @property
    def automatic(self) -> bool:
        """Whether a hospital can divert without an order."""
        return self.dark or bool(self.limit.any())


def check_access(city: City) -> None:
    """Raise CityError naming every hospital that no road leads to from any zone."""
    lost = cut_off(city)
    if lost:
        raise CityError(
            f"city {city.name}: no road leads from any zone to hospital {', '.join(lost)}; connect it or leave it out"
        )


def choose(view: View, hospitals: Hospitals, times: Array, specialty: str) -> int:
    """Return the hospital soonest reached that fits best.

    times  (n_hospital,)  s, inf where no road leads
    """
    fits = np.array([not specialty or specialty in offered for offered in hospitals.offers])
    takes = ~view["hospital.diverts"]
    for wanted in (fits & takes, fits, takes):
        if np.isfinite(times[wanted]).any():
            return int(np.argmin(np.where(wanted, times, np.inf)))
    return int(np.argmin(times))


def soonest(hospitals: Hospitals, times: Array, specialty: str) -> int:
    """Return the hospital that would be chosen if none diverted."""
    fits = np.array([not specialty or specialty in offered for offered in hospitals.offers])
    return int(np.argmin(np.where(fits, times, np.inf) if np.isfinite(times[fits]).any() else times))


def renew(view: View, hospitals: Hospitals) -> None:
    """Begin and end diversions; units on their way to a hospital that begins one choose again."""
    if not hospitals.automatic and (view["hospital.ordered"] == view["hospital.diverts"]).all():
        return
    wanted = view["hospital.ordered"] | ((hospitals.limit > 0) & (view["hospital.queue"] >= hospitals.limit))
    if hospitals.dark:
        wanted = wanted | lacks(view)
    changed = np.flatnonzero(wanted != view["hospital.diverts"]).tolist()
    for row in changed:
        on = bool(wanted[row])
        behind = [view.cause_id, _power_cause(view, row)]
        event = view.emit("diversion" if on else "diversion_ends", row, causes=behind)
        view.put("hospital.diverts", row, on, event)
        on_the_way = (view["unit.stage"] == TO_HOSPITAL) & (view["unit.hospital"] == row)
        for unit in np.flatnonzero(on_the_way).tolist() if on else ():
            view.schedule("unit_reroute", 1, target=unit, data=row, cause=event)


def _power_cause(view: View, row: int) -> int:
    """Return the event that took a hospital's power, -1 when it has some."""
    dark = "hospital.powered" in view and not view["hospital.powered"][row]
    return view.cause("hospital.powered", row) if dark else -1


def limits(queue: Sequence[int]) -> Array:
    """Return diversion limits as an array."""
    return np.array(queue, dtype=np.int64)
