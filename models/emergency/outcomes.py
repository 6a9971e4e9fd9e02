"""What response times mean for patients, and how evenly they fall: survival and equity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from twin.models.arguments import vector

Array = np.ndarray[Any, Any]

_MINUTE = 60.0
_CONSTANT, _SLOPE = 0.679, 0.262


@dataclass(frozen=True)
class Equity:
    """How evenly a burden falls on groups.

    mean         (n_group,)  mean of each group, NaN for a group without calls
    gap          the largest group mean less the smallest
    worst_ratio  the largest group mean over the mean of all
    gini         Gini coefficient of group means, weighted by calls: 0 where all are equal
    """

    mean: Array
    gap: float
    worst_ratio: float
    gini: float


def survival(response: Any) -> Array:
    """Return the chance to survive a cardiac arrest until discharge, by response time (s).

    1 / (1 + exp(0.679 + 0.262 t)), t in minutes from call to arrival. It is a proxy: it was estimated on
    cardiac arrests in Ontario, and says nothing about other patients.

    Source: De Maio, Stiell, Wells, Spaite, Optimal defibrillation response intervals for maximum
    out-of-hospital cardiac arrest survival rates, Annals of Emergency Medicine 42 (2003), in the form
    used by Erkut, Ingolfsson, Erdogan, Ambulance location for maximum survival, Naval Research
    Logistics 55 (2008).

    >>> survival([0.0, 480.0]).round(3).tolist()
    [0.336, 0.059]
    """
    minutes = vector("response", response) / _MINUTE
    return np.asarray(1.0 / (1.0 + np.exp(_CONSTANT + _SLOPE * minutes)))


def gini(burden: Any, weight: Any = 1.0) -> float:
    """Return the Gini coefficient of a burden: 0 if all bear the same, towards 1 if one bears all.

    burden  (n,)  0 or more
    weight  (n,)  people or calls behind each row

    Half the mean absolute difference of two picked at random, over the mean. Source: Marsh and
    Schilling, Equity measurement in facility location analysis, European Journal of
    Operational Research 74 (1994).
    """
    value = vector("burden", burden)
    share = vector("weight", weight, value.shape[0])
    if share.sum() <= 0:
        raise ValueError("weight is 0 in every row; at least one must be greater than 0")
    order = np.argsort(value)
    value, share = value[order], share[order] / share.sum()
    mean = float(share @ value)
    if mean == 0.0:
        return 0.0
    below = np.cumsum(share) - share
    above = 1.0 - below - share
    return float(share @ (value * (below - above))) / mean


def equity(response: Any, group: Any, groups: int) -> Equity:
    """Describe how evenly response times fall on groups, such as zones.

    response  (n_call,)  s
    group     (n_call,)  row of each call's group
    groups    number of groups
    """
    time = vector("response", response)
    row = np.asarray(group, dtype=np.int64)
    bad = (row < 0) | (row >= groups)
    if row.shape != time.shape or bad.any() or not time.size:
        first = f"; group[{int(np.argmax(bad))}] is {row[np.argmax(bad)]}" if bad.any() else ""
        raise ValueError(f"group must hold one row from 0 to {groups - 1} for each of 1 or more calls{first}")
    calls = np.bincount(row, minlength=groups)
    with np.errstate(invalid="ignore"):
        mean = np.bincount(row, time, groups) / calls
    seen = calls > 0
    overall = float(time.mean())
    worst = float(mean[seen].max())
    ratio = worst / overall if overall > 0 else 1.0
    return Equity(mean, worst - float(mean[seen].min()), ratio, gini(mean[seen], calls[seen]))
