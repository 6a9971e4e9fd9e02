"""Hold what a flood of the scenario can reach, and its water."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from twin.models.hydrograph import Hydrograph
from twin.models.scenario_events import microseconds

if TYPE_CHECKING:
    from twin.city import City

Array = np.ndarray[Any, Any]


class Ground:
    """Hold the places one flood can reach, with their elevation, and its water."""

    def __init__(self, water: Hydrograph, lowest: float, places: dict[str, tuple[Array, Array]]) -> None:
        self.water = water
        self.lowest = lowest
        self.places = places

    @classmethod
    def of(cls, city: City, planned: Any) -> Ground:
        """Read a flood of the scenario; its targets are the nodes of the area."""
        nodes = np.array(planned.targets, dtype=np.int64)
        elevation = city["nodes"]["elevation"][nodes]
        places = {"node": (nodes, elevation), "substation": (np.zeros(0, np.int64), np.zeros(0))}
        if "substations" in city:
            rows = np.flatnonzero(np.isin(city["substations"]["node"], nodes))
            places["substation"] = (rows, city["substations"]["elevation"][rows])
        times = (microseconds(planned.params[name]) for name in ("rise", "hold", "fall"))
        return cls(Hydrograph(float(planned.params["peak"]), *times), float(elevation.min(initial=np.inf)), places)
