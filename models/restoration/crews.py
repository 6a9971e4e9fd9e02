"""Crews of a city: skill, depot and shifts, as constants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.city.dependencies import supplier_of, supply
from twin.contract import HOUR, SECOND
from twin.errors import CityError
from twin.models.assets import SKILLS

if TYPE_CHECKING:
    from twin.city import City

Array = np.ndarray[Any, Any]

_DAY = 24 * HOUR


@dataclass(frozen=True)
class Crews:
    """Who can be sent; one row a crew, by depot.

    depot  row of its depot
    node   road node from which it sets out
    lead   us from the depot to that node
    skill  place in SKILLS
    hours  (n, 2)  local hours at which it goes on and off duty
    """

    depot: Array
    node: Array
    lead: Array
    skill: Array
    hours: Array

    @property
    def count(self) -> int:
        """Number of crews."""
        return int(self.node.shape[0])

    def always(self, crew: int) -> bool:
        """Tell whether a crew works day and night."""
        begin, end = self.hours[crew]
        return bool(abs(end - begin) >= 24.0 or begin == end)

    def on_duty(self, crew: int, hour: float) -> bool:
        """Tell whether a crew is on duty at a local hour; a shift may pass midnight."""
        begin, end = self.hours[crew]
        if self.always(crew):
            return True
        return bool(begin <= hour < end) if begin < end else bool(hour >= begin or hour < end)

    def next_change(self, crew: int, hour: float) -> int:
        """Return the us from a local hour to the crew's next change of duty."""
        waits = (np.round((self.hours[crew] - hour) * HOUR).astype(np.int64) - 1) % _DAY + 1
        return int(waits.min())


def build_crews(city: City, shift: tuple[float, float] = (0.0, 24.0)) -> Crews:
    """Return the crews of a city; depots may give `shift_from` and `shift_to` of their own.

    A dependency of the rule `access` names the road node a depot's crews set out from, and how far it is.

    Raises CityError naming the depot: unknown kind, negative crews, hours outside 0 to 24.
    """
    depots = city["depots"]
    kinds, counts = np.asarray(depots["kind"]), np.asarray(depots["crews"], dtype=np.int64)
    rows = city.rows("depots")
    given = [depots[name] if name in depots else np.full(rows, shift[i]) for i, name in enumerate(_HOURS)]
    hours = np.column_stack([np.asarray(column, dtype=np.float64) for column in given]).reshape(rows, 2)
    for row in range(rows):
        place = f"depots {depots['id'][row]}"
        if counts[row] < 0:
            raise CityError(f"{place}: crews ({counts[row]}) must be 0 or more")
        if not ((hours[row] >= 0) & (hours[row] <= 24)).all():
            raise CityError(f"{place}: shift ({hours[row, 0]:g} to {hours[row, 1]:g}) must lie between 0 and 24 h")
    known = np.isin(kinds, SKILLS)
    each = np.repeat(np.arange(rows), np.where(known, counts, 0))
    skill = np.array([SKILLS.index(str(kinds[row])) for row in each.tolist()], dtype=np.int64)
    node, access = supplier_of(city, "nodes", "depots", "node"), supply(city, "nodes", "depots")
    lead = np.zeros(rows, dtype=np.int64)
    lead[access.row] = np.rint(access.delay * SECOND)
    return Crews(each, node[each], lead[each], skill, hours[each])


_HOURS = ("shift_from", "shift_to")
