"""Refuse numbers that the arrays of the emergency kernel cannot hold or that mean nothing there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from twin.models.arguments import number, whole
from twin.models.emergency.region import Region, wrong_rows

if TYPE_CHECKING:
    import pandas as pd

    from twin.models.emergency.rules import Rules

Array = np.ndarray[Any, Any]

MOST_SECONDS = 1e9
"""The longest time, 32 years: the kernel counts microseconds in 63 bits and adds a few such times."""
MOST_METRES = 1e6
_MOST_PACE = 1e3
_TIMES = ("arrive", "answer", "mobilise", "scene", "handover", "patience")
_ROWS = ("node", "priority", "zone", "hospital")


def check_numbers(region: Region, calls: pd.DataFrame, rules: Rules) -> None:
    """Raise a ValueError that names every number of a service, its calls and its rules that cannot be used."""
    problems = _wrong_calls(calls) + _wrong_region(region)
    if region.demand is not None:
        problems += _wrong_demand(region.demand)
    if problems:
        raise ValueError("; ".join(problems))
    if rules.within is not None:
        number("within", rules.within, 0.0, MOST_SECONDS)
    if rules.queue_limit is not None:
        whole("queue_limit", rules.queue_limit, 0)
    for name in ("preference", "compliance"):
        for row, values in enumerate(() if getattr(rules, name) is None else getattr(rules, name)):
            _check_row(f"{name}[{row}]", values, name == "preference", len(region.units))
    if rules.station_list is not None:
        _check_row("station_list", rules.station_list, False, 0)


def _column(table: pd.DataFrame, name: str) -> Array:
    """Return a column as numbers, NaN where it holds something else."""
    import pandas as pd

    return np.asarray(pd.to_numeric(table[name], errors="coerce"), np.float64)


def _wrong_calls(calls: pd.DataFrame) -> list[str]:
    """Say which calls have times, ways or rows that cannot be used."""
    problems = []
    for name, most, unit in (*((name, MOST_SECONDS, "s") for name in _TIMES), ("walk", MOST_METRES, "m")):
        if name in calls:
            problems += wrong_rows("calls", f"{name} is more than {most:g} {unit}", _column(calls, name) > most)
    for name in _ROWS:
        if name in calls:
            values = _column(calls, name)
            wrong = ~np.isfinite(values) | (values != np.floor(np.nan_to_num(values)))
            problems += wrong_rows("calls", f"{name} must be a whole number", wrong)
    if "transport" in calls:
        wrong = ~np.isin(_column(calls, "transport"), (0.0, 1.0))
        problems += wrong_rows("calls", "transport must be true or false", wrong)
    return problems


def _wrong_region(region: Region) -> list[str]:
    """Say which targets, ways, paces and changes of pace cannot be used."""
    problems = []
    for name in ("stations", "hospitals"):
        far = _column(getattr(region, name), "walk") > MOST_METRES
        problems += wrong_rows(name, f"walk is more than {MOST_METRES:g} m", far)
    problems += wrong_rows(
        "priorities",
        f"target must be 0 .. {MOST_SECONDS:g} s",
        _outside(_column(region.priorities, "target"), MOST_SECONDS),
    )
    pace, switch = (np.asarray(values, np.float64) for values in (region.driving.pace, region.driving.switch))
    problems += wrong_rows("driving.pace", f"must be 0 .. {_MOST_PACE:g} s per m", _outside(pace, _MOST_PACE))
    problems += wrong_rows("driving.switch", f"must be 0 .. {MOST_SECONDS:g} s", _outside(switch, MOST_SECONDS))
    if switch[:1].any() or not (np.diff(switch) > 0).all():
        problems.append("driving.switch must begin with 0 and grow")
    return problems


def _wrong_demand(demand: pd.DataFrame) -> list[str]:
    """Say which places to cover have no position or a weight that cannot be used."""
    weight = _column(demand, "weight")
    problems = wrong_rows(
        "demand", "weight must be a finite number, not negative", _outside(weight, np.finfo(float).max)
    )
    for name in ("x", "y"):
        problems += wrong_rows("demand", f"{name} must be a finite number", ~np.isfinite(_column(demand, name)))
    if not problems and not weight.any():
        problems.append("demand: weight is 0 in every row; at least one place must count")
    return problems


def _outside(values: Array, most: float) -> Array:
    return np.asarray(~((values >= 0) & (values <= most)), np.bool_)


def _check_row(name: str, values: Any, units: bool, most: int) -> None:
    """Raise a ValueError for a list that is none of whole numbers, or of units with one twice or after the end."""
    listed = [whole(name, value, -1) for value in np.ravel(np.asarray(values, dtype=object))]
    if not units:
        return
    named = listed[: listed.index(-1)] if -1 in listed else listed
    if any(value >= 0 for value in listed[len(named) :]):
        raise ValueError(f"{name} names units after -1, which ends it")
    if len(set(named)) < len(named):
        raise ValueError(f"{name} names a unit twice")
    if len(listed) > most:
        raise ValueError(f"{name} has {len(listed)} entries, more than there are units ({most})")
