"""Arrays of the emergency kernel: what each holds, its shape and unit.

Times are int64 microseconds, the time of the twin's calendar. Travel tables
hold int32 ticks of 100 us, which last 59 hours. Columns of one entity lie side by
side in one matrix: a call or a unit is one or two cache lines, and a call of
the kernel from Python unpacks a third of the arrays.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.kernels.calendar import Calendar

Int = NDArray[np.int64]
Int32 = NDArray[np.int32]
Float = NDArray[np.float64]

TICK = 100
"""Microseconds of a tick of the travel tables."""

FAR = 1 << 30
"""Ticks between places that no way joins."""

DONE, LOG_FULL, ASK, BAD_ANSWER = 0, 1, 2, 3
"""Status of `advance`: nothing left before the instant; drain the log; answer a
decision; the answer is no unit or station that can be taken."""

NO_QUESTION, ASK_DISPATCH, ASK_RETURN, ASK_MOVES = 0, 1, 2, 3
"""What `advance` waits for, in `State.clock[QUESTION]`."""

NEAREST, PREFERENCE, COVERAGE, PYTHON = 0, 1, 2, 3
"""Rules of dispatch, in `Settings.number[DISPATCH]`."""

HOME_STATION, BEST_COVERAGE, PRIORITY_LIST, COMPLIANCE, PYTHON_RETURN, PYTHON_MOVES = 0, 1, 2, 3, 4, 5
"""Rules of return and move-up, in `Settings.number[MOVE_UP]`."""

N_STATION, N_HOSPITAL, DISPATCH, MOVE_UP, QUEUE_LIMIT, LOGGING, MARGIN, REDISPATCH = 0, 1, 2, 3, 4, 5, 6, 7
NUMBERS = 8
"""Places of `Settings.number`. QUEUE_LIMIT: calls beyond it are transferred, -1 for
none; MARGIN: rows one event may write to the log."""

ARRIVE, KNOWN, NODE, WALK, PRIORITY, ZONE = 0, 1, 2, 3, 4, 5
MOBILISE, SCENE, TRANSPORT, HOSPITAL, HANDOVER, PATIENCE = 6, 7, 8, 9, 10, 11
CALL_COLUMNS = 12
"""Columns of `Demand.call`, see there."""

FUTURE, ARRIVED, WAITING, DISPATCHED, UNDER_WAY, ON_SCENE, TRANSPORTED, HANDED_OVER = 0, 1, 2, 3, 4, 5, 6, 7
SERVED, TRANSFERRED, ABANDONED = 8, 9, 10
"""Status of a call; the last three are ends."""

STATUS, UNIT, SENT, LEFT, AT_SCENE, LEFT_SCENE, AT_HOSPITAL, CLOSED = 0, 1, 2, 3, 4, 5, 6, 7
CHOSEN, PREVIOUS, FOLLOWING, GIVE_UP, PREEMPTED = 8, 9, 10, 11, 12
PROGRESS_COLUMNS = 13
"""Columns of `State.call`, see there."""

AT_STATION, MOBILISING, TO_SCENE, TREATING, TO_HOSPITAL, AT_DOOR, RETURNING = 0, 1, 2, 3, 4, 5, 6
UNIT_STATES = 7
"""Status of a unit; columns of `State.spent`."""

U_STATUS, U_CALL, U_HOME, U_STATION, U_HANDLE, U_SINCE, U_READY, U_MODE = 0, 1, 2, 3, 4, 5, 6, 7
U_FROM, U_TO, U_START, U_END, U_OUT, U_IN, U_HEAD, U_AT, U_AT_TIME, U_CALLS = 8, 9, 10, 11, 12, 13, 14, 15, 16, 17
UNIT_COLUMNS = 18
"""Columns of `State.unit`, see there."""

ON_NODE, OFF_ROAD = -2, -1
"""Values of `U_HEAD`: the leg starts at a node, or on the way from a place to its node."""

UNKNOWN = -2
"""Value of `U_OUT`: nobody has looked yet which way the unit goes."""

NOW, NEXT_ARRIVAL, NEXT_KNOWN, PERIOD, N_WAITING, MOST_WAITING, WAITED, WAIT_SINCE = 0, 1, 2, 3, 4, 5, 6, 7
QUESTION, Q_CALL, Q_UNIT, ANSWER, TRY, FREED, MOVES, N_STACK, LOG_ROWS, N_IDLE, N_EVENT = (
    8,
    9,
    10,
    11,
    12,
    13,
    14,
    15,
    16,
    17,
    18,
)
CLOCKS = 19
"""Places of `State.clock`, see there."""

L_TIME, L_KIND, L_CALL, L_UNIT, L_VALUE = 0, 1, 2, 3, 4
LOG_COLUMNS = 5
"""Columns of `State.log`."""

(
    CALL_ARRIVES,
    CALL_WAITS,
    UNIT_DISPATCHED,
    UNIT_MOBILISED,
    UNIT_REACHES_SCENE,
    UNIT_TO_HOSPITAL,
    UNIT_REACHES_HOSPITAL,
    UNIT_FREE,
    UNIT_RETURNS,
    UNIT_REACHES_STATION,
    UNIT_MOVES_UP,
    CALL_PREEMPTED,
    CALL_TRANSFERRED,
    CALL_ABANDONED,
) = range(14)
"""Kinds of log rows and, where something is pending, of events in the calendar."""


class Roads(NamedTuple):
    """Hold a road graph as decision nodes and the chains of arcs between them.

    chain_of     (n_node, 2)  int32  chains a node lies inside of; -1: none
    place_of     (n_node, 2)  int32  its place in each
    out_row      (n_node, 2)  int32  decision nodes reached first; -1: none. A
                 decision node has itself in column 0 and no chain
    in_row       (n_node, 2)  int32  decision nodes last left
    chain_start  (n_chain + 1,) int32  bounds in the three arrays that follow
    chain_node   (n_step,)    int32  nodes of each chain, both ends included
    chain_arc    (n_step,)    int32  arc that leads to the node; -1 at the start
    chain_time   (n_mode, n_step)  int32  ticks since the start of the chain
    chain_total  (n_mode, n_chain)  int32  ticks of each chain
    chain_from, chain_to  (n_chain,)  int32  rows of the decision nodes at the ends
    out_start    (n_row + 1,) int32  chains that leave each decision node: they
                 are sorted by it
    time         (n_mode, n_row, n_row)  int32  ticks to the first row from the second
    hop          (n_mode, n_row, n_row)  uint8  which of its chains leads there; 255: none
    """

    chain_of: Int32
    place_of: Int32
    out_row: Int32
    in_row: Int32
    chain_start: Int32
    chain_node: Int32
    chain_arc: Int32
    chain_time: Int32
    chain_total: Int32
    chain_from: Int32
    chain_to: Int32
    out_start: Int32
    time: Int32
    hop: NDArray[np.uint8]


class Places(NamedTuple):
    """Hold stations, then hospitals, and the times between them and all nodes.

    node      (n_place,)  int64
    walk      (n_place,)  int64  mm off the road, from the place to its node
    pace      (n_mode,)   int64  us per m off the road
    out       (n_mode, n_node, n_place)  int32  ticks from the place's node to the node
    back      (n_mode, n_node, n_place)  int32  ticks from the node to the place's node
    hospital  (n_mode, n_node)  int32  hospital soonest reached, off-road ways included
    """

    node: Int
    walk: Int
    pace: Int
    out: Int32
    back: Int32
    hospital: Int32


class Settings(NamedTuple):
    """Hold the rules.

    number       (NUMBERS,)  int64
    switch       (n_period,) int64  us, when each period of the day or week starts; first 0
    mode         (n_period, n_priority + 2)  int64  table to drive by: to calls of each
                 priority, with a patient, and back to a station
    upgrade      (n_priority, n_priority)  int64  1: a unit on its way to a call of
                 the first priority may be sent to one of the second
    target       (n_priority,)  int64  us, from arrival to a unit on scene
    preference   (n_zone, n_unit)  int64  units in the order they are tried
    covered      (n_station, n_pattern)  int8  a unit of the station reaches the places in time
    weight       (n_pattern,)  float64  demand of the places that are covered alike
    gain         (n_unit + 2,)  float64  worth of one more unit where k reach, (1 - q) q^k
    compliance   (n_unit + 1, n_unit)  int64  stations to hold with k idle units
    station_list (n_slot,)  int64  stations in the order they are filled
    """

    number: Int
    switch: Int
    mode: Int
    upgrade: Int
    target: Int
    preference: Int
    covered: NDArray[np.int8]
    weight: Float
    gain: Float
    compliance: Int
    station_list: Int


class Demand(NamedTuple):
    """Hold the calls.

    call   (n_call, CALL_COLUMNS)  int64, by arrival: ARRIVE and KNOWN (us), when the phone
           rings and when a unit may be sent; NODE; WALK (mm off the road); PRIORITY,
           0 the most urgent; ZONE; MOBILISE and SCENE (us); TRANSPORT (0, 1); HOSPITAL,
           -1 for the nearest; HANDOVER (us); PATIENCE (us after KNOWN), -1 for endless
    order  (n_call,)  int64  calls by KNOWN, then by row
    """

    call: Int
    order: Int


class State(NamedTuple):
    """Hold all that changes during a run.

    clock  (CLOCKS,)  int64  NOW is the instant of the last event; NEXT_ARRIVAL and NEXT_KNOWN
           are places in the demand; WAITED is the integral of calls waiting (us) until
           WAIT_SINCE; TRY the waiting call looked at next, FREED the unit without a
           destination, MOVES 1 when idle units may move: work left of one event
    call   (n_call, PROGRESS_COLUMNS)  int64  STATUS; UNIT; instants (us, -1: not yet)
           from SENT to CLOSED; CHOSEN hospital; PREVIOUS and FOLLOWING call in the
           queue; GIVE_UP, handle of its event; PREEMPTED, how often
    unit   (n_unit, UNIT_COLUMNS)  int64  status, call, home, station (at or bound for; -1),
           handle of its event, since when it has its status, when it can leave; the
           leg: mode, nodes, START and END on the road (us), ways out of the first and
           into the last node, what was driven at the start (`U_HEAD`), decision
           node passed last and when; calls attended
    spent  (n_unit, UNIT_STATES)  int64  us in each status until U_SINCE
    queue  (n_priority, 2)  int64  first and last call waiting
    stack  (n_priority + 1,) int64  calls to decide at once
    eta    (n_unit,)  int64  us until each unit would be on scene; NEVER: not to be sent
    goal   (n_unit,)  int64  station each idle unit is to move to; -1: stay
    idle   (n_station,)  int64  idle units at or bound for each station
    reach  (n_pattern,)  int64  idle units that cover the places of a pattern
    log    (capacity, LOG_COLUMNS)  int64  what happened; LOG_ROWS are written
    """

    clock: Int
    call: Int
    unit: Int
    spent: Int
    queue: Int
    stack: Int
    eta: Int
    goal: Int
    idle: Int
    reach: Int
    log: Int
    calendar: Calendar


class Case(NamedTuple):
    """Hold what `advance` reads, in one argument."""

    roads: Roads
    places: Places
    settings: Settings
    demand: Demand
