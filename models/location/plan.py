"""What a location model answers, and how it is solved: exactly, or by exchange."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from twin.models.arguments import vector, whole

Array = np.ndarray[Any, Any]
Method = Literal["auto", "exact", "search"]

MOST_EXACT = 60_000
"""Entries of the demand x site matrix up to which `auto` solves exactly: a rough choice, not measured."""

_LEAST_GAIN = 1e-12

_LARGEST_COST = 1e3
"""Costs are scaled to this before they are solved: HiGHS stops at absolute gaps of 1e-6, whatever the unit."""


@dataclass(frozen=True)
class Plan:
    """Where units are based.

    site   (n_unit,)  site of each unit, rising; a site may hold several where the model allows it
    value  the model's objective: weighted travel time, or demand covered
    bound  what no plan beats: the value itself where it is exact, infinite (or -infinite) after a search
    exact  the plan is optimal, to HiGHS's relative gap of 1e-9 and to 1e-9 of the largest term of the objective
    """

    site: Array
    value: float
    bound: float
    exact: bool


def choose_method(method: Method, size: int) -> bool:
    """Return whether to solve exactly; `auto` does so for small problems."""
    if method not in ("auto", "exact", "search"):
        raise ValueError(f"method ({method!r}) must be auto, exact or search")
    return method == "exact" or (method == "auto" and size <= MOST_EXACT)


def checked_demand(demand: Any, rows: int) -> Array:
    """Return the weight of each demand point; one must be greater than 0."""
    weight = vector("demand", demand, rows)
    if weight.sum() <= 0:
        raise ValueError("demand is 0 in every row; at least one must be greater than 0")
    return weight


def checked_capacity(capacity: Any, sites: int, units: Any, most: int) -> tuple[Array, int]:
    """Return how many of the units each site may hold, and the number of units; there must be room for them."""
    count = whole("units", units, 1)
    given = vector("capacity", most if capacity is None else capacity, sites)
    room = np.floor(np.minimum(given, count)).astype(np.int64)
    if count > room.sum():
        raise ValueError(f"units ({count}) must be {room.sum()} or less: the {sites} sites have no more room")
    return room, count


def solve_integer(cost: Array, rows: Any, limits: tuple[Array, Array], upper: Array, whole_columns: int) -> Array:
    """Minimise a linear cost; the first columns are integers, the others lie between 0 and `upper`.

    cost    (n_column,)
    rows    sparse (n_row, n_column)
    limits  lower and upper limit of each row

    Source: Huangfu and Hall, Parallelizing the dual revised simplex method, Mathematical
    Programming Computation 10 (2018), the HiGHS solver, through scipy.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp

    largest = float(np.abs(cost).max())
    integral = (np.arange(cost.shape[0]) < whole_columns).astype(np.int64)
    found = milp(
        cost * (_LARGEST_COST / largest) if largest > 0.0 else cost,
        constraints=LinearConstraint(rows, *limits),
        bounds=Bounds(0.0, upper),
        integrality=integral,
        options={"mip_rel_gap": 1e-9},
    )
    if found.x is None:
        raise ValueError(f"HiGHS found no plan: {found.message}")
    return np.asarray(np.rint(found.x[:whole_columns]), dtype=np.int64)


def exchange(start: Array, gains: Callable[[Array], Array], room: Array) -> Array:
    """Improve a plan by moving one unit at a time, the best move first, until none helps.

    start  (n_site,)  units at each site
    gains  (units with one removed) -> (n_site,) improvement by adding one unit there; the model's objective
    room   (n_site,)  units a site may hold

    Ties go to the lowest rows. Source: Teitz and Bart, Heuristic methods for estimating
    the generalized vertex median of a weighted graph, Operations Research 16 (1968).
    """
    units = start.copy()
    while True:
        best, move = 0.0, (-1, -1)
        for leave in np.flatnonzero(units):
            units[leave] -= 1
            gain = np.where(units < room, gains(units), -np.inf)
            enter = int(np.argmax(gain))
            units[leave] += 1
            step = float(gain[enter] - gain[leave])
            if step > max(best * (1.0 + _LEAST_GAIN), _LEAST_GAIN * float(gain[enter])):
                best, move = step, (int(leave), enter)
        if move[0] < 0:
            return units
        units[move[0]] -= 1
        units[move[1]] += 1


def greedy(count: int, gains: Callable[[Array], Array], room: Array) -> Array:
    """Place units one by one where each helps most; (n_site,) units at each site."""
    units = np.zeros(room.shape[0], np.int64)
    for _ in range(count):
        units[int(np.argmax(np.where(units < room, gains(units), -np.inf)))] += 1
    return units


def listed(units: Array) -> Array:
    """Return the site of each unit, rising."""
    return np.repeat(np.arange(units.shape[0]), units)
