"""What a hydraulic solver takes and gives: arrays, SI units, no memory.

A backend is the seam for other solvers (a batch solver for ensembles, say): it is made
from a Network and has one method. Equal inputs must give equal bits, whatever was
solved before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

Array = np.ndarray[Any, Any]

CLOSED, OPEN, ACTIVE = 0, 1, 2
"""Status of a link: shut, fixed open (a pump runs at its setting), or a valve that keeps its setting."""

SOLVED, ROUGH, UNBALANCED, SINGULAR = 0, 1, 2, 110
"""How a solve ended: as accurate as asked, as accurate as tolerated, or not at all (do not use its outputs)."""


@dataclass(frozen=True)
class Inputs:
    """All that one hydraulic solution depends on besides the constant Network.

    demand   (n_junction,)  m3/s            full demand, negative for inflow
    emitter  (n_junction,)  m3/s / m^e      outflow at 1 m pressure, 0 for none
    head     (n_reservoir,) m               water surface
    level    (n_tank,)      m               water above the tank's bottom
    status   (n_link,)      CLOSED, OPEN or ACTIVE
    setting  (n_link,)      pump speed (1 = rated), valve pressure (m), flow (m3/s), loss
                            coefficient; NaN where there is none
    """

    demand: Array
    emitter: Array
    head: Array
    level: Array
    status: Array
    setting: Array


@dataclass(frozen=True)
class Solution:
    """One hydraulic solution; node order: junctions, reservoirs, tanks; link order: pipes, pumps, valves.

    code        SOLVED, or why there is no solution
    head        (n_node,)      m
    inflow      (n_node,)      m3/s  leaves the network here: demand met and emitter flow at
                                     junctions, what tanks and reservoirs take
    delivered   (n_junction,)  m3/s  demand met
    flow        (n_link,)      m3/s  from the first node to the second
    closed      (n_link,)      bool  nothing passes, by command or by itself
    iterations  trials used
    error       flow change of the last trial over the sum of flows
    """

    code: int
    head: Array
    inflow: Array
    delivered: Array
    flow: Array
    closed: Array
    iterations: int
    error: float


class Backend(Protocol):
    """A hydraulic solver without memory."""

    def solve(self, inputs: Inputs) -> Solution:
        """Return the solution for the inputs; a network that does not balance is a code, not an error."""
        ...
