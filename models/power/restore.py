"""Choose ties that bring supply back: location, isolation and restoration after faults."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from twin.models.power.solver import Flow, FlowSolver

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Limits:
    """What a grid may not leave while supply is restored: least voltage (pu), greatest loading (share of rating)."""

    voltage: float = 0.0
    loading: float = np.inf


@dataclass(frozen=True)
class Tie:
    """A tie and what closing it does.

    edge      row of the tie
    restored  weight of the buses that come back
    voltage   pu  lowest voltage of a bus with supply afterwards
    """

    edge: int
    restored: float
    voltage: float


@dataclass(frozen=True)
class Fault:
    """A grid after faults, as `plan_ties` sees it.

    bus_works   (n_bus,)   False where nothing passes
    edge_works  (n_edge,)  closed and not failed
    active, reactive  (n_bus,)  W, var  demand of every bus, with supply or not
    weight      (n_bus,)   what bringing a bus back is worth: W, or customers
    """

    bus_works: Array
    edge_works: Array
    active: Array
    reactive: Array
    weight: Array


def best_tie(flows: FlowSolver, fault: Fault, ties: Array, limits: Limits | None = None) -> Tie | None:
    """Return the tie that restores most, None where none helps within limits.

    ties  (n_tie,)  edges that are open and could be closed

    Of ties that restore equally much the one that leaves the highest lowest voltage counts, then
    the first. Ties between two parts with supply, or two without, are passed over.
    """
    limits = limits or Limits()
    network = flows.network
    fed = flows.connect(fault.bus_works, fault.edge_works)[0]
    found: Tie | None = None
    for edge in np.asarray(ties).tolist():
        one, other = network.from_bus[edge], network.to_bus[edge]
        if fed[one] == fed[other] or not (fault.bus_works[one] and fault.bus_works[other]):
            continue
        works = fault.edge_works.copy()
        works[edge] = True
        now = flows.connect(fault.bus_works, works)[0]
        restored = float(fault.weight[now & ~fed].sum())
        if found is not None and restored < found.restored:
            continue
        flow = flows.solve(fault.bus_works, works, fault.active, fault.reactive)
        if flow is None or not _within(flow, now, limits):
            continue
        tie = Tie(edge, restored, float(flow.voltage[now].min()))
        if found is None or (tie.restored, tie.voltage) > (found.restored, found.voltage):
            found = tie
    return found


def _within(flow: Flow, fed: Array, limits: Limits) -> bool:
    return bool(flow.voltage[fed].min() >= limits.voltage and flow.loading.max(initial=0.0) <= limits.loading)


def plan_ties(flows: FlowSolver, fault: Fault, ties: Array, limits: Limits | None = None) -> list[Tie]:
    """Return ties to close one after the other, each the best next one, until none helps.

    Source: the greedy service restoration of Morelato, Monticelli, Heuristic search approach to
    distribution system restoration, IEEE Transactions on Power Delivery 4(4) (1989), without its
    search over load transfers between feeders with supply.
    """
    plan: list[Tie] = []
    works = fault.edge_works.copy()
    while True:
        left = Fault(fault.bus_works, works, fault.active, fault.reactive, fault.weight)
        tie = best_tie(flows, left, ties, limits)
        if tie is None:
            return plan
        plan.append(tie)
        works[tie.edge] = True
