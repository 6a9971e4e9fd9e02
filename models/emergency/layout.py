"""Lay a region, its calls and rules out in the arrays of the emergency kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from twin.models.emergency.region import Region, wrong_rows
from twin.models.emergency.rules import DISPATCH_RULES, MOVE_UP_RULES, Rules
from twin.models.emergency.soundness import check_numbers

if TYPE_CHECKING:
    import pandas as pd

    from twin.kernels.emergency_arrays import Case, Places, Settings, State

Array = np.ndarray[Any, Any]

SECOND = 1_000_000
LOG_ROWS = 1 << 16
_NEEDED = ("arrive", "node", "priority")
_DEFAULTS = {"walk": 0.0, "answer": 0.0, "mobilise": 0.0, "scene": 0.0, "handover": 0.0, "patience": np.nan}


def lay_out(region: Region, calls: pd.DataFrame, rules: Rules) -> tuple[Case, State]:
    """Return the constants and the state at the start; ValueError names every wrong row."""
    from twin.kernels.emergency_arrays import Case, Demand

    region.check()
    check_numbers(region, calls, rules)
    rows = call_rows(region, calls, rules)
    order = np.lexsort((np.arange(len(rows)), rows[:, 1]))
    places = _places(region)
    _check_ways(region, places, rows)
    settings = _settings(region, calls, rules, places)
    case = Case(region.network.roads, places, settings, Demand(rows, order.astype(np.int64)))
    return case, _state(region, case, rows, rules)


def call_rows(region: Region, calls: pd.DataFrame, rules: Rules) -> Array:
    """Return the calls as the kernel reads them, `Demand.call`."""
    from twin.kernels import emergency_arrays as kernel

    lacking = [name for name in _NEEDED if name not in calls]
    if lacking:
        raise ValueError(
            f"calls need the columns {', '.join(lacking)}; with x and y, Region.with_places gives the node"
        )
    problems = _wrong_calls(region, calls, rules)
    if problems:
        raise ValueError("; ".join(problems))
    rows = np.zeros((len(calls), kernel.CALL_COLUMNS), np.int64)
    rows[:, kernel.ARRIVE] = _micro(_column(calls, "arrive"))
    rows[:, kernel.KNOWN] = rows[:, kernel.ARRIVE] + _micro(_column(calls, "answer"))
    rows[:, kernel.NODE] = calls["node"].to_numpy(np.int64)
    rows[:, kernel.PRIORITY] = calls["priority"].to_numpy(np.int64)
    rows[:, kernel.WALK] = np.round(_column(calls, "walk") * 1000)
    rows[:, kernel.ZONE] = _whole(calls, "zone", 0)
    for place, name in ((kernel.MOBILISE, "mobilise"), (kernel.SCENE, "scene"), (kernel.HANDOVER, "handover")):
        rows[:, place] = _micro(_column(calls, name))
    rows[:, kernel.TRANSPORT] = calls["transport"].to_numpy(np.bool_) if "transport" in calls else 0
    rows[:, kernel.HOSPITAL] = _whole(calls, "hospital", -1)
    patience = _column(calls, "patience")
    rows[:, kernel.PATIENCE] = np.where(np.isnan(patience), -1, _micro(np.nan_to_num(patience)))
    return rows


def _column(calls: pd.DataFrame, name: str) -> Array:
    """Return a column of numbers; its default where it is not given."""
    given = calls[name].to_numpy(np.float64) if name in calls else np.full(len(calls), _DEFAULTS[name])
    return np.asarray(given, np.float64)


def _whole(calls: pd.DataFrame, name: str, default: int) -> Array:
    """Return a column of rows of another table; its default where it is not given."""
    return np.asarray(calls[name], np.int64) if name in calls else np.full(len(calls), default, np.int64)


def _wrong_calls(region: Region, calls: pd.DataFrame, rules: Rules) -> list[str]:
    """Name every row of the calls that cannot be."""
    node, priority = calls["node"].to_numpy(np.int64), calls["priority"].to_numpy(np.int64)
    problems = wrong_rows("calls", "node is not on the network", (node < 0) | (node >= len(region.network.x)))
    n_priority = len(region.priorities)
    problems += wrong_rows(
        "calls", f"priority must be in 0 .. {n_priority - 1}", (priority < 0) | (priority >= n_priority)
    )
    for name in ("arrive", "walk", "answer", "mobilise", "scene", "handover"):
        problems += wrong_rows("calls", f"{name} must be a number, not negative", ~(_column(calls, name) >= 0))
    arrive = _column(calls, "arrive")
    if len(arrive) > 1:
        problems += wrong_rows(
            "calls", "arrive is before that of the row above", np.diff(arrive, prepend=arrive[:1]) < 0
        )
    problems += wrong_rows("calls", "patience must not be negative", _column(calls, "patience") < 0)
    hospital = _whole(calls, "hospital", -1)
    problems += wrong_rows("calls", "unknown hospital", (hospital < -1) | (hospital >= len(region.hospitals)))
    if rules.dispatch == "preference":
        n_zone = len(rules.preference) if rules.preference is not None else 0
        zone = _whole(calls, "zone", 0)
        problems += wrong_rows("calls", f"zone must be in 0 .. {n_zone - 1}", (zone < 0) | (zone >= n_zone))
    return problems


def _micro(seconds: Any) -> Array:
    """Turn s into us."""
    return np.round(np.asarray(seconds, np.float64) * SECOND).astype(np.int64)


def _places(region: Region) -> Places:
    """Return stations and hospitals and the times between them and all nodes."""
    from twin.kernels.emergency_arrays import Places
    from twin.kernels.emergency_travel import fill_places

    roads = region.network.roads
    node = np.concatenate([region.stations["node"], region.hospitals["node"]]).astype(np.int64)
    walk = np.concatenate([region.stations["walk"], region.hospitals["walk"]]).astype(np.float64)
    shape = (roads.time.shape[0], len(region.network.x), len(node))
    places = Places(
        node,
        np.round(walk * 1000).astype(np.int64),
        np.maximum(1, _micro(region.driving.pace)),
        np.empty(shape, np.int32),
        np.empty(shape, np.int32),
        np.empty(shape[:2], np.int32),
    )
    fill_places(roads, places, len(region.stations))
    return places


def _check_ways(region: Region, places: Places, rows: Array) -> None:
    """Raise a ValueError that names calls and places which no way leads to or from."""
    from twin.kernels.emergency_arrays import FAR, NODE, TRANSPORT

    node, n_station = rows[:, NODE], len(region.stations)
    far_out = np.any(places.out[:, node] >= FAR, axis=0)
    far_back = np.any(places.back[:, node] >= FAR, axis=0)
    problems = wrong_rows("calls", "no way leads there from some station", far_out[:, :n_station].any(axis=1))
    problems += wrong_rows("calls", "no way leads from there to some station", far_back[:, :n_station].any(axis=1))
    if len(region.hospitals):
        cut = far_back[:, n_station:].any(axis=1) & (rows[:, TRANSPORT] > 0)
        problems += wrong_rows("calls", "no way leads from there to some hospital", cut)
    elif (rows[:, TRANSPORT] > 0).any():
        problems.append("calls are to be brought to a hospital, and there is none")
    between = np.any(places.back[:, places.node] >= FAR, axis=0)
    stuck = between[:, :n_station].any(axis=1)
    problems += wrong_rows("places (stations, then hospitals)", "no way leads from there to some station", stuck)
    if problems:
        raise ValueError("; ".join(problems))


def _settings(region: Region, calls: pd.DataFrame, rules: Rules, places: Places) -> Settings:
    """Return the rules as the kernel reads them."""
    from twin.kernels import emergency_arrays as kernel

    n_unit, n_priority = len(region.units), len(region.priorities)
    upgrades = np.asarray(region.upgrades, np.int64)
    number = np.zeros(kernel.NUMBERS, np.int64)
    number[kernel.N_STATION], number[kernel.N_HOSPITAL] = len(region.stations), len(region.hospitals)
    number[kernel.DISPATCH], number[kernel.MOVE_UP] = _rule_numbers(rules)
    number[kernel.QUEUE_LIMIT] = -1 if rules.queue_limit is None else rules.queue_limit
    number[kernel.LOGGING] = rules.log
    number[kernel.REDISPATCH] = rules.redispatch and upgrades.any()
    number[kernel.MARGIN] = 16 + 4 * n_unit * (n_priority + 2)
    covered, weight = _coverage(region, calls, rules, places)
    k = np.arange(n_unit + 2)
    return kernel.Settings(
        number,
        _micro(region.driving.switch),
        np.ascontiguousarray(region.driving.mode, np.int64),
        upgrades,
        _micro(region.priorities["target"]),
        _matrix("preference", rules.preference, n_unit, n_unit),
        covered,
        weight,
        np.asarray((1 - rules.busy) * rules.busy**k, np.float64),
        _compliance(rules, n_unit, len(region.stations)),
        _stations("station_list", rules.station_list, len(region.stations)),
    )


def _rule_numbers(rules: Rules) -> tuple[int, int]:
    """Return the kernel's numbers of the two rules; ValueError for one it does not know."""
    from twin.kernels import emergency_arrays as kernel

    found = []
    for name, rule, known in (("dispatch", rules.dispatch, DISPATCH_RULES), ("move_up", rules.move_up, MOVE_UP_RULES)):
        if isinstance(rule, str):
            if rule not in known:
                raise ValueError(f"{name} is {rule!r}, must be one of {', '.join(known)}, or an object")
            needed = {"preference": "preference", "priority_list": "station_list", "compliance": "compliance"}.get(rule)
            if needed and getattr(rules, needed) is None:
                raise ValueError(f"{name} {rule!r} needs Rules({needed}=...)")
            found.append(known.index(rule))
        elif name == "dispatch":
            found.append(kernel.PYTHON)
        else:
            found.append(kernel.PYTHON_MOVES if hasattr(rule, "moves") else kernel.PYTHON_RETURN)
    if not 0 <= rules.busy <= 1:
        raise ValueError(f"busy is {rules.busy}, must be in 0 .. 1")
    return found[0], found[1]


def _matrix(name: str, given: Any, n_column: int, n_value: int) -> Array:
    """Return a table of rows of units; shorter rows end by -1."""
    if given is None:
        return np.full((1, n_column), -1, np.int64)
    table = np.full((len(given), n_column), -1, np.int64)
    for row, values in enumerate(given):
        table[row, : len(values)] = values
    wrong = ((table < -1) | (table >= n_value)).any(axis=1)
    if wrong.any():
        raise ValueError("; ".join(wrong_rows(name, f"must name 0 .. {n_value - 1}", wrong)))
    return table


def _compliance(rules: Rules, n_unit: int, n_station: int) -> Array:
    """Return the compliance table, row k for k idle units."""
    table = np.zeros((n_unit + 1, n_unit), np.int64)
    if rules.compliance is None:
        return table
    if len(rules.compliance) != n_unit:
        raise ValueError(
            f"compliance has {len(rules.compliance)} rows, must have {n_unit}: for 1 .. {n_unit} idle units"
        )
    for count, row in enumerate(rules.compliance, start=1):
        if len(row) != count:
            raise ValueError(f"compliance for {count} idle units names {len(row)} stations")
        table[count, :count] = _stations("compliance", row, n_station)
    return table


def _stations(name: str, given: Any, n_station: int) -> Array:
    """Return a list of stations."""
    listed = np.asarray([] if given is None else given, np.int64)
    if ((listed < 0) | (listed >= n_station)).any():
        raise ValueError(f"{name} names station {int(listed.max())}, must be in 0 .. {n_station - 1}")
    return listed


def _coverage(region: Region, calls: pd.DataFrame, rules: Rules, places: Places) -> tuple[Array, Array]:
    """Return which station covers which places in time, alike places as one, and their demand."""
    from twin.kernels.emergency_arrays import TICK

    n_station = len(region.stations)
    named = any(part == "dmexclp" or not isinstance(part, str) for part in (rules.dispatch, rules.move_up))
    if region.demand is None or not named:
        if "dmexclp" in (rules.dispatch, rules.move_up):
            raise ValueError("dmexclp needs the places to cover: Region.demand is None")
        return np.zeros((n_station, 0), np.int8), np.zeros(0)
    within = rules.within
    if within is None:
        before = sum(float(calls[name].mean()) for name in ("answer", "mobilise") if name in calls and len(calls))
        within = float(region.priorities["target"].iloc[0]) - before
    node, _ = region.network.nearest(region.demand["x"], region.demand["y"])
    demand = np.bincount(node, region.demand["weight"].to_numpy(np.float64), len(region.network.x))
    used = np.flatnonzero(demand)
    mode = int(np.asarray(region.driving.mode)[0, 0])
    walk = places.walk[:n_station] * places.pace[mode] // 1000
    reach = places.out[mode][used, :n_station].astype(np.int64) * TICK + walk <= within * SECOND
    patterns, group = np.unique(reach, axis=0, return_inverse=True)
    weight = np.bincount(group.reshape(-1), demand[used], len(patterns))
    return np.ascontiguousarray(patterns.T, np.int8), weight / weight.sum()


def _state(region: Region, case: Case, rows: Array, rules: Rules) -> State:
    """Return the state at the start: every unit idle at its station."""
    from twin.kernels import emergency_arrays as kernel
    from twin.kernels.calendar import new_calendar

    station = region.units["station"].to_numpy(np.int64)
    n_unit, n_priority = len(station), len(region.priorities)
    clock = np.zeros(kernel.CLOCKS, np.int64)
    clock[[kernel.TRY, kernel.FREED, kernel.Q_CALL, kernel.Q_UNIT, kernel.ANSWER]] = -1
    clock[kernel.N_IDLE] = n_unit
    call = np.full((len(rows), kernel.PROGRESS_COLUMNS), -1, np.int64)
    call[:, kernel.STATUS] = kernel.FUTURE
    call[:, kernel.PREEMPTED] = 0
    unit = np.zeros((n_unit, kernel.UNIT_COLUMNS), np.int64)
    unit[:, [kernel.U_CALL, kernel.U_HANDLE]] = -1
    unit[:, kernel.U_HOME] = unit[:, kernel.U_STATION] = station
    node = case.places.node[station]
    unit[:, kernel.U_FROM], unit[:, kernel.U_TO] = node, node
    unit[:, kernel.U_OUT], unit[:, kernel.U_HEAD] = -1, kernel.ON_NODE
    impatient = int((rows[:, kernel.PATIENCE] >= 0).sum())
    idle = np.bincount(station, minlength=len(region.stations)).astype(np.int64)
    return kernel.State(
        clock,
        call,
        unit,
        np.zeros((n_unit, kernel.UNIT_STATES), np.int64),
        np.full((n_priority, 2), -1, np.int64),
        np.full(n_priority + 1, -1, np.int64),
        np.zeros(n_unit, np.int64),
        np.full(n_unit, -1, np.int64),
        idle,
        idle @ case.settings.covered.astype(np.int64),
        np.zeros(((LOG_ROWS + int(case.settings.number[kernel.MARGIN])) if rules.log else 1, 5), np.int64),
        new_calendar(n_unit + impatient + 1),
    )
