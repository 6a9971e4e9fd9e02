"""Draw calls of a fitted process, every number keyed by the call.

Call k rings where the expected number of calls since the beginning reaches the sum of its
first k exponential gaps, which needs no thinning: a rate that rises by a little moves each
call a little earlier, so that two scenarios stay paired. A hazard brings calls of its own and
leaves the others as they are.

Source: Cinlar, Introduction to Stochastic Processes (1975), section 4.7 (time change);
superposition: Kingman, Poisson Processes (1993), section 2.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from twin.models.arguments import number, vector
from twin.models.emergency.process import NO_FACTORS, CallProcess, Factors, cut_hours
from twin.random import uniform

Array = np.ndarray[Any, Any]

_MICROSECONDS = 1_000_000
_HAZARD_NUMBERS = 1_000_000_000


@dataclass(frozen=True)
class Hazard:
    """Calls that a hazard adds for some time.

    first, last  s after Monday 0:00
    extra        calls added, as a multiple of the process's own rate; 0.5 is half as many again
    where        (n_cell,) weight of each cell of the process's grid; None for where calls are anyway
    """

    first: float
    last: float
    extra: float
    where: Array | None = None


@dataclass(frozen=True)
class DrawnCalls:
    """Calls, sorted by time.

    number  (n_call,)    permanent number, which keys whatever else is drawn for the call
    time    (n_call,)    us after Monday 0:00, int64
    xy      (n_call, 2)  m
    hazard  (n_call,)    which hazard brought it, -1 for none
    """

    number: Array
    time: Array
    xy: Array
    hazard: Array


def draw_calls(
    process: CallProcess,
    seed: int,
    span: tuple[float, float],
    factors: Factors = NO_FACTORS,
    hazards: Sequence[Hazard] = (),
) -> DrawnCalls:
    """Draw the calls of a stretch of time.

    seed  seed of the run; the same call has the same luck in every scenario
    span  s after Monday 0:00, first and last instant

    Raises ValueError for a stretch that ends before it begins, and for a bad hazard, by its row.
    """
    parts = [_draw(process, seed, span, factors, -1)]
    for row, hazard in enumerate(hazards):
        extra = _hazard_process(process, hazard, row)
        first, last = max(hazard.first, span[0]), min(hazard.last, span[1])
        if extra is not None and first < last:
            parts.append(_draw(extra, seed, (first, last), factors, row))
    joined = [np.concatenate([getattr(part, name) for part in parts]) for name in ("number", "time", "xy", "hazard")]
    order = np.lexsort((joined[0], joined[1]))
    return DrawnCalls(*(column[order] for column in joined))


def _draw(process: CallProcess, seed: int, span: tuple[float, float], factors: Factors, row: int) -> DrawnCalls:
    pieces = cut_hours([span])
    total = np.r_[0.0, np.cumsum(process.expected(pieces, factors))]
    expected = float(total[-1])
    calls = np.arange(int(expected + 10.0 * np.sqrt(expected) + 50.0)) + _HAZARD_NUMBERS * (row + 1)
    reached = np.cumsum(-np.log(uniform(seed, "call_process.gap", calls)))
    kept = reached < expected
    calls, reached = calls[kept], reached[kept]
    edges = np.r_[pieces.first, pieces.last[-1]]
    seconds = np.interp(reached, total, edges)
    cell, across, along = (uniform(seed, f"call_process.{name}", calls) for name in ("cell", "across", "along"))
    time = np.rint(seconds * _MICROSECONDS).astype(np.int64)
    return DrawnCalls(calls, time, process.space.place(cell, across, along), np.full(calls.shape, row))


def _hazard_process(process: CallProcess, hazard: Hazard, row: int) -> CallProcess | None:
    """Return the process of the calls that a hazard adds, None when it adds none."""
    name = f"hazards[{row}]"
    extra = number(f"{name}.extra", hazard.extra)
    if hazard.last <= hazard.first:
        raise ValueError(f"{name}.last ({hazard.last:g}) must be greater than its first ({hazard.first:g})")
    space = process.space
    if hazard.where is not None:
        weight = vector(f"{name}.where", hazard.where, space.share.shape[0])
        if weight.sum() <= 0:
            raise ValueError(f"{name}.where is 0 in every cell; at least one must be greater than 0")
        space = replace(space, share=weight / weight.sum())
    return replace(process, base=process.base * extra, space=space) if extra > 0 else None
