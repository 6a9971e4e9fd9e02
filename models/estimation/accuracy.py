"""Say how well flows agree with counts that were kept back, beside two simple guesses.

Approaches are split by the order of a hash of their ids, so the halves do not
depend on the order in a file or on the counts. The guesses know the training
half only:

* network mean: in each interval the mean of all training approaches;
* geographic kNN5: the mean of the five nearest training approaches, weighted by
  the inverse of the distance (at least 10 m), Shepard (1968), "A two-dimensional
  interpolation function for irregularly-spaced data", power 1.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from twin.errors import DataError

Array = np.ndarray[Any, Any]

GEH_GOOD = 5.0
"""GEH below 5 counts as a good fit of an hourly flow. Source: Design Manual for Roads and Bridges,
vol. 12, section 2, part 1 (Highways Agency, 1996), table 4.2."""

_NEIGHBOURS = 5
_LEAST_DISTANCE = 10.0
_LEAST_HALF = 3


@dataclass(frozen=True)
class Score:
    """How one method does on the approaches kept back.

    geh_share   share of approach-hours with GEH below 5
    geh_median  median GEH
    wape        sum of |flow - count| / sum of counts, over intervals
    wape_hour   the same over hours
    bias        sum of flows / sum of counts - 1
    approaches, hours  approaches, and approach-hours compared
    """

    geh_share: float
    geh_median: float
    wape: float
    wape_hour: float
    bias: float
    approaches: int
    hours: int

    def as_dict(self) -> dict[str, float]:
        """Return the figures by name."""
        return {name: float(value) for name, value in asdict(self).items()}


def training_half(ids: Sequence[str]) -> Array:
    """Return which approaches are for training, (n,) bool; the others are kept back.

    Raises DataError when a half has fewer than three approaches.
    """
    luck = [hashlib.sha256(name.encode()).hexdigest() for name in ids]
    half = np.zeros(len(luck), dtype=bool)
    half[np.argsort(luck, kind="stable")[: len(luck) // 2]] = True
    if min(half.sum(), (~half).sum()) < _LEAST_HALF:
        raise DataError(
            f"{half.size} approaches with a link split into {int(half.sum())} for training and {int((~half).sum())} "
            f"kept back; each half needs {_LEAST_HALF}: give more counters"
        )
    return half


def geh(flow: Array, count: Array) -> Array:
    """Return the GEH statistic of hourly flows, sqrt(2 (m - c)^2 / (m + c)); 0 where both are 0.

    flow, count  veh/h
    Source: G. E. Havers, Greater London Council; Design Manual for Roads and Bridges, vol. 12,
    section 2, part 1 (Highways Agency, 1996).
    """
    total = np.asarray(flow + count, dtype=float)
    squared = np.divide(2 * (flow - count) ** 2, total, out=np.zeros_like(total), where=total > 0)
    return np.asarray(np.sqrt(squared))


def hourly(volume: Array, per_hour: int) -> Array:
    """Return sums over whole hours, (n, n_hour); an hour with a gap is NaN, a rest is dropped.

    volume    (n, n_slot)  vehicles per interval, from a full hour on
    per_hour  intervals in an hour
    """
    hours = volume.shape[1] // per_hour
    return np.asarray(volume[:, : hours * per_hour].reshape(volume.shape[0], hours, per_hour).sum(axis=2))


def score(flow: Array, count: Array, per_hour: int) -> Score:
    """Compare vehicles per interval with counts, (n, n_slot); NaN in either is left out."""
    flow = np.where(np.isnan(count), np.nan, flow)
    count = np.where(np.isnan(flow), np.nan, count)
    flow_hour, count_hour = hourly(flow, per_hour), hourly(count, per_hour)
    known = ~np.isnan(count_hour)
    fit = geh(flow_hour[known], count_hour[known])
    return Score(
        geh_share=float((fit < GEH_GOOD).mean()) if fit.size else float("nan"),
        geh_median=float(np.median(fit)) if fit.size else float("nan"),
        wape=_wape(flow, count),
        wape_hour=_wape(flow_hour, count_hour),
        bias=float(np.nansum(flow) / max(np.nansum(count), 1e-9) - 1),
        approaches=int((~np.isnan(count)).any(axis=1).sum()),
        hours=int(known.sum()),
    )


def _wape(flow: Array, count: Array) -> float:
    total = float(np.nansum(count))
    return float(np.nansum(np.abs(flow - count)) / total) if total > 0 else float("nan")


def network_mean(volume: Array, rows: int) -> Array:
    """Return the mean of all training approaches in each interval, for some rows, (rows, n_slot)."""
    return np.broadcast_to(_mean(volume, np.ones(volume.shape)), (rows, volume.shape[1])).copy()


def nearest_mean(xy: Array, volume: Array, wanted: Array, neighbours: int = _NEIGHBOURS) -> Array:
    """Return the distance-weighted mean of the nearest training approaches, (n_wanted, n_slot).

    xy      (n, 2) m       training approaches
    volume  (n, n_slot)    their vehicles per interval
    wanted  (n_wanted, 2)  places to guess for
    """
    apart = np.hypot(*(wanted[:, None, :] - xy[None, :, :]).transpose(2, 0, 1))
    near = np.argsort(apart, axis=1, kind="stable")[:, :neighbours]
    weight = 1 / np.maximum(np.take_along_axis(apart, near, axis=1), _LEAST_DISTANCE)
    slots = volume.shape[1]
    return np.array(
        [_mean(volume[rows], np.repeat(w[:, None], slots, 1)) for rows, w in zip(near, weight, strict=True)]
    )


def _mean(volume: Array, weight: Array) -> Array:
    """Return the weighted mean over rows, leaving out gaps."""
    weight = np.where(np.isnan(volume), 0.0, weight)
    total = weight.sum(axis=0)
    summed = (np.nan_to_num(volume) * weight).sum(axis=0)
    return np.asarray(np.divide(summed, total, out=np.full(total.shape, np.nan), where=total > 0))


def compare(flow: Array, count: Array, xy: Array, training: Array, per_hour: int) -> dict[str, Score]:
    """Score flows and the two guesses on the approaches kept back.

    flow, count  (n, n_slot)  vehicles per interval, all approaches
    xy           (n, 2)       m
    training     (n,)         True in the training half
    """
    held = ~training
    known = count[training]
    guesses = {
        "simulation": flow[held],
        "network mean": network_mean(known, int(held.sum())),
        "geographic kNN5": nearest_mean(xy[training], known, xy[held]),
    }
    return {name: score(guess, count[held], per_hour) for name, guess in guesses.items()}


def verdict(scores: Mapping[str, Score]) -> str:
    """Say in plain words who is closest to the counts kept back."""
    figures = "; ".join(
        f"{name}: GEH < 5 in {100 * s.geh_share:.0f} % of hours, WAPE {100 * s.wape:.0f} %"
        for name, s in scores.items()
    )
    by_wape = min(scores, key=lambda name: scores[name].wape)
    by_geh = max(scores, key=lambda name: scores[name].geh_share)
    first = next(iter(scores.values()))
    where = f"On {first.approaches} approaches kept back ({first.hours} hours)"
    if by_wape == by_geh:
        return f"{where} the {by_wape} is closest by both measures. {figures}."
    return f"{where} the {by_wape} is closest by WAPE, the {by_geh} by GEH. {figures}."
