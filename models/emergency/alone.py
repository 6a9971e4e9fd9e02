"""The emergency service by itself: a region and calls in, data frames out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twin.models.emergency.jemss import Generator, read_jemss
from twin.models.emergency.network import Network, build_network
from twin.models.emergency.region import Driving, Region
from twin.models.emergency.response import Result
from twin.models.emergency.rules import Desk, Rules
from twin.models.emergency.simulation import Simulation

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Desk",
    "Driving",
    "Generator",
    "Network",
    "Region",
    "Result",
    "Rules",
    "Simulation",
    "build_network",
    "read_jemss",
    "simulate",
]


def simulate(region: Region, calls: pd.DataFrame, rules: Rules | None = None, until: float | None = None) -> Result:
    """Serve every call of a table and say what happened.

    calls  by arrival: arrive (s), node, priority (0 the most urgent); also, if wanted: walk (m off
           the road), answer (s from arrival until a unit may be sent), mobilise, scene, handover (s),
           transport (to hospital or not), hospital (row; -1 the nearest), patience (s of waiting
           for a unit; nan endless), zone (row of `Rules.preference`)
    until  s; by default until nothing is left to happen

    Raises ValueError that names every wrong row.
    """
    return Result(Simulation(region, calls, rules).run(until))
