"""Dispatch by fixed lists: every place has its own order of stations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from twin.contract import Setup
from twin.models.location.districts import preference_lists
from twin.models.policies.dispatch import ClosestIdle
from twin.models.streets import shortest_tree

if TYPE_CHECKING:
    from twin.view import Observation

Array = np.ndarray[Any, Any]


class Districts(ClosestIdle):
    """Send a unit of the station that comes first on the list of the place, wherever the unit is now.

    The list of a place orders stations by travel time at free speed, so the first one's area is its
    district and the others back it up.
    """

    name = "districts"
    sees = (*ClosestIdle.sees, "unit.station")
    requires = (*ClosestIdle.requires, "unit.station")
    options: ClassVar = ClosestIdle.options
    source = (
        "fixed preference dispatching: Larson, A hypercube queuing model for facility location and redistricting in "
        "urban emergency services, Computers & Operations Research 1 (1974) 67-95"
    )

    def setup(self, setup: Setup) -> dict[str, int]:
        """Order the stations for each place."""
        super().setup(setup)
        nodes = np.asarray(setup.city["stations"]["node"]).tolist()
        times = np.array([shortest_tree(self.streets, self.streets.free_time, node).time for node in nodes])
        order = preference_lists(times)
        self.rank = np.empty_like(order)
        np.put_along_axis(self.rank, order, np.arange(order.shape[1])[None, :], axis=1)
        return {}

    def choose(self, observation: Observation, call: int, units: Array, reach: Array) -> int:
        """Return the unit whose station comes first, of several the closest."""
        rank = self.rank[observation["call.node"][call], observation["unit.station"][units]]
        return int(np.lexsort((reach, np.where(np.isfinite(reach), rank, np.inf)))[0])
