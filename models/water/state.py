"""What a water network remembers between solutions: arrays, nothing else."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.models.water.backend import CLOSED

if TYPE_CHECKING:
    from twin.models.water.network import Network

Array = np.ndarray[Any, Any]

SINCE, NEXT, STEP_END, EVALUATED = range(4)
"""Places in `clock`: volumes hold for, next thing to do, end of the hydraulic step, rules last looked at (us)."""

SOLVES, UNSOLVED, SWITCHES, OSCILLATIONS, IMPRECISE = range(5)
"""Places in `count`."""


_SHAPES = (
    dict.fromkeys(("setting", "flow"), ("_link", "float64"))
    | {"status": ("_link", "int8")}
    | dict.fromkeys(("closed", "held", "works"), ("_link", "bool"))
    | dict.fromkeys(("head", "inflow"), ("_node", "float64"))
    | {"connected": ("_node", "bool")}
    | dict.fromkeys(("demand", "delivered", "draw", "leak"), ("_junction", "float64"))
    | dict.fromkeys(("volume", "level", "corrected"), ("_tank", "float64"))
    | {"clock": ("_clock", "int64"), "count": ("_count", "int64")}
)


@dataclass
class WaterState:
    """Arrays of one network; a World keeps the same arrays in its Fields.

    status, setting, closed  (n_link,)   as controls and people left them; shut, by itself or not
    held, works              (n_link,)   obeys nobody but its operator; has power and is not broken
    flow                     (n_link,)   m3/s
    head, inflow             (n_node,)   m, m3/s
    connected                (n_node,)   joined to a source
    demand, delivered        (n_junction,) m3/s
    draw, leak               (n_junction,) m3/s drawn in addition; m3/s / m^e of leaks in addition
    volume, level, corrected (n_tank,)   m3, m, m3 (see `fill`)
    clock (4,) us; count (5,)
    """

    status: Array
    setting: Array
    closed: Array
    held: Array
    works: Array
    flow: Array
    head: Array
    inflow: Array
    connected: Array
    demand: Array
    delivered: Array
    draw: Array
    leak: Array
    volume: Array
    level: Array
    corrected: Array
    clock: Array
    count: Array

    @classmethod
    def start_of(cls, network: Network) -> WaterState:
        """Return the state in which a run of the network starts."""
        rows = {"_link": network.n_link, "_node": network.n_node, "_tank": network.rows("tanks")}
        sizes = rows | {"_junction": network.n_junction, "_clock": 4, "_count": 5}
        state = cls(**{name: np.zeros(sizes[kind[0]], kind[1]) for name, kind in _SHAPES.items()})
        state.begin(network)
        return state

    def begin(self, network: Network) -> None:
        """Write initial values into the arrays."""
        from twin.kernels.water_tanks import volume_at
        from twin.models.water.constants import tanks_of

        self.status[:] = network.initial_status
        self.setting[:] = network.initial_setting
        self.closed[:] = network.initial_status == CLOSED
        self.works[:] = True
        self.connected[:] = True
        self.head[:] = network.elevation
        self.level[:] = network.column("tanks", "initial_level")
        tanks = tanks_of(network)
        for i in range(len(self.level)):
            self.volume[i] = volume_at(tanks, i, self.level[i])
        self.head[network.first_tank :] += self.level
        self.clock[:] = 0

    def copy(self) -> WaterState:
        """Return a branch."""
        return WaterState(*(getattr(self, f.name).copy() for f in fields(self)))

    def bytes(self) -> bytes:
        """Return all of it, for comparison."""
        return b"".join(getattr(self, f.name).tobytes() for f in fields(self))
