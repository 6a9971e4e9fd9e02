"""A street of four nodes with a way round, two units, a hospital: small enough to follow by hand."""

from __future__ import annotations

import numpy as np

from twin.kernels import standstill_arrays as kernel
from twin.kernels.calendar import new_calendar, schedule
from twin.kernels.routing import graph
from twin.kernels.standstill_arrays import Case, Moves, Reel, Rule, State, Work

SECOND = 1_000_000
PAIRS = [(0, 1), (1, 0), (1, 2), (2, 1), (2, 3), (3, 2), (1, 4), (4, 1), (4, 2), (2, 4)]
"""0 - 1 - 2 - 3 in a row, and 1 - 4 - 2 round the middle; ten seconds each, the way round fifteen."""
TIMES = np.array([10.0] * 6 + [15.0] * 4)
HOSPITAL, ROUND = 3, (6, 8)
N_NODE, N_STATION = 5, 2


def reel(*changes):
    """Return when something changes, (s, order) each, after the row that holds from the start."""
    at, order = zip((-1, 0), *((round(at * SECOND), order) for at, order in changes), strict=True)
    return Reel(np.array(at), np.array(order))


def streets():
    """Return the graph; ends of links cannot be written to, as those of a city."""
    made = graph(N_NODE, *np.array(PAIRS).T)
    for ends in (made.from_node, made.to_node):
        ends.flags.writeable = False
    return made


def rule(number=kernel.CLOSEST, **given):
    """Return a rule of dispatch; tables it does not need are empty."""
    empty = {
        "covered": np.zeros((0, 0), np.bool_),
        "population": np.zeros(0),
        "busy": 0.0,
        "preparation": 0.0,
        "target": 0.0,
        "rank": np.zeros((0, 0), np.int64),
        "zone": np.zeros(0, np.int64),
        "group": np.zeros(0, np.int64),
        "column": np.zeros(0, np.int64),
        "member": np.zeros((0, 0), np.int64),
        "table": np.zeros((0, 0, 0), np.int64),
        "handover": 0.0,
        "sooner": 0.0,
    }
    return Rule(number, **{**empty, **given})


def moves(number=kernel.STAY, n_unit=2, **given):
    """Return a rule of relocation; tables it does not need are empty."""
    empty = {
        "on_sent": 0,
        "first": 0,
        "covered": np.zeros((0, 0), np.bool_),
        "demand": np.zeros(0),
        "busy": 0.5,
        "listed": np.zeros(0, np.int64),
        "table": np.zeros((0, 0), np.int64),
        "drive": np.zeros((0, 0)),
        "carries": np.ones(n_unit, np.bool_),
    }
    return Moves(number, **{**empty, **given})


def case(calls, **given):
    """Return the constants of calls, (node, s when known) each; other constants by name replace plain ones."""
    node, known = (np.array(column) for column in zip(*calls, strict=True))
    count = node.shape[0]
    times = np.atleast_2d(given.pop("road_time", TIMES))
    number = np.zeros(kernel.NUMBERS, np.int64)
    number[[kernel.ORDER_DELAY, kernel.ORDER_WORK, kernel.RETIME, kernel.LATENCY]] = SECOND * np.array([1, 30, 5, 2])
    number[[kernel.TRACK_EVERY, kernel.SAMPLE_EVERY, kernel.DECIDE_EVERY]] = SECOND * np.array([4, 4, 30])
    plain = {
        "streets": streets(),
        "road": reel(),
        "road_time": times,
        "road_us": np.rint(np.where(np.isfinite(times), times, 1.0) * SECOND).astype(np.int64),
        "road_open": np.isfinite(times),
        "bay": reel(),
        "bay_factor": np.ones((1, 1)),
        "site": reel(),
        "heard": np.ones((1, N_NODE), np.bool_),
        "seen": reel(),
        "seen_time": np.atleast_2d(TIMES),
        "hospital_node": np.array([HOSPITAL]),
        "station_node": np.array([0, 3]),
        "lost": np.zeros((0, 0), np.bool_),
        "number": number,
        "rung": np.zeros(count, np.int64),
        "known": np.asarray(known * SECOND, np.int64),
        "node": np.asarray(node, np.int64),
        "priority": np.ones(count, np.int64),
        "found": np.ones(count, np.int64),
        "mobilise": np.full(count, 7 * SECOND),
        "scene": np.full(count, 100 * SECOND),
        "handover": np.full(count, 60 * SECOND),
        "transport": np.ones(count, np.bool_),
        "rule": rule(),
        "moves": moves(),
    }
    return Case(**{**plain, **given})


def state(the_case, stations=(0, 1), bays=1):
    """Return units at home, all calls still to come, and the calendar of what has to begin."""
    n_unit, n_call = len(stations), the_case.node.shape[0]
    unit = np.full((n_unit, kernel.UNIT_COLUMNS), -1, np.int64)
    unit[:, kernel.U_STATION] = stations
    unit[:, kernel.U_NODE] = unit[:, kernel.U_SEEN_NODE] = the_case.station_node[list(stations)]
    unit[:, [kernel.U_STAGE, kernel.U_COUNT, kernel.U_STUCK]] = 0
    unit[:, [kernel.U_FREE, kernel.U_SEEN_FREE]] = 1
    call = np.full((n_call, kernel.CALL_COLUMNS), -1, np.int64)
    call[:, kernel.C_STAGE] = kernel.FUTURE
    clock = np.zeros(kernel.CLOCKS, np.int64)
    clock[kernel.IDLE] = 2
    most = max(n_unit, 4)
    made = State(
        clock,
        call,
        unit,
        np.zeros((n_unit, 8), np.int32),
        np.zeros((n_unit, 9), np.int64),
        np.atleast_1d(np.array(bays)),
        np.zeros((2, n_unit, 3), np.int64),
        np.full(n_call, -1, np.int64),
        np.zeros(8, np.int64),
        np.zeros(n_unit, np.int64),
        np.zeros(n_unit, np.int64),
        np.zeros(n_unit),
        np.zeros(n_unit),
        Work(
            np.zeros(N_STATION, np.int64),
            np.zeros(N_STATION),
            np.zeros((most, most)),
            np.zeros((3, most)),
            np.zeros((5, most), np.int64),
        ),
        kernel.new_ways(N_NODE, len(PAIRS), N_NODE),
        kernel.new_ways(N_NODE, len(PAIRS), 1),
        new_calendar(200),
    )
    for number, known in enumerate(the_case.known.tolist()):
        schedule(made.calendar, known, kernel.SERVICE, kernel.TRIAGED, number, 0)
    schedule(made.calendar, 0, kernel.SERVICE, kernel.TRACK, 0, 0)
    schedule(made.calendar, 0, kernel.REPORT, kernel.SAMPLE, 0, 0)
    for at, before, after in zip(the_case.road.at[1:].tolist(), *_neighbours(the_case.road_open), strict=True):
        if (before != after).any():
            schedule(made.calendar, at, kernel.SETTLED, kernel.LOOK, 0, 0)
    return made


def _neighbours(rows):
    return rows[:-1], rows[1:]
