"""Arrays of the kernel `standstill`: what each holds, its shape and unit.

Stages of calls and units are those of the model `emergency`; steps of a mission are the
places in its list of steps.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.kernels.calendar import NEVER, Calendar
from twin.kernels.routing import Graph

__all__ = ["NEVER", "Case", "State"]

Int = NDArray[np.int64]
Int32 = NDArray[np.int32]
Float = NDArray[np.float64]
Flag = NDArray[np.bool_]

DONE, CALENDAR_FULL = 0, 1
"""Status of `serve`."""

FUTURE, RINGING, TALKING, WAITING, DISPATCHED, ON_SCENE, TRANSPORT, AT_HOSPITAL, SERVED, ABANDONED = range(10)
"""Stages of a call."""

AT_STATION, ALERTED, TO_SCENE, AT_SCENE, TO_HOSPITAL, IN_HOSPITAL, RETURNING = range(7)
"""Stages of a unit."""

STEPS = (
    "alert", "mobilise", "depart", "drive", "scene", "leave", "carry", "door", "handover", "clear", "back", "home",
)  # fmt: skip
ALERT, MOBILISE, DEPART, DRIVE, SCENE, LEAVE, CARRY, DOOR, HANDOVER, CLEAR, BACK, HOME = range(12)
"""Steps of a mission, `U_STEP`: what a unit does when it wakes."""

DISPATCHER_FREE, ORDER, WAKE, TRACK, TRIAGED, SAMPLE, ARRIVAL, DECIDE, TIMER = range(9)
"""Kinds of events: value of ORDER is the unit, of ARRIVAL the slot."""

NOW, IDLE, WAITS, SAMPLES, DECISIONS, ASKED, FAILED = range(7)
CLOCKS = 7
"""Places of `State.clock`: us, dispatchers that are idle, 1 when a decision is due, samples and
decisions so far, requests for a bay so far, 1 when the calendar was too small."""

ORDER_DELAY, ORDER_WORK, RETIME, TRACK_EVERY, SAMPLE_EVERY, LATENCY, FIRST_SAMPLE, DECIDE_EVERY = range(8)
NUMBERS = 8
"""Places of `Case.number`, us: order to its effect, work of a dispatcher, between looks at a leg,
at positions, between samples, sample to arrival; number of the first row of `Case.lost`; between decisions."""

C_STAGE, C_UNIT, C_DISPATCHED, C_ON_SCENE, C_AT_HOSPITAL, C_BAY, C_CLOSED = range(7)
CALL_COLUMNS = 7
"""Columns of `State.call`: stage, unit, instants in us, -1 for not yet."""

U_STAGE, U_CALL, U_HOSPITAL, U_NODE, U_GOAL, U_COUNT, U_STUCK, U_FREE, U_SEEN_NODE, U_SEEN_FREE = range(10)
U_HANDLE, U_STEP, U_ASKED = 10, 11, 12
UNIT_COLUMNS = 13
"""Columns of `State.unit`: as the fields of the model; node and flag as observed; handle of its
event, next step, order of asking for the bay it waits for (-1: none)."""


class Case(NamedTuple):
    """Hold what does not change: streets, service, calls, policy.

    streets   graph
    link_time (n_link,)   us for a unit, of open links
    passable  (n_link,)   open
    way_time, way_link    (n_node, n_node)  s from row to column, last link of the way
    hospital_node, bay_factor  (n_hospital,)  node; factor on the handover
    home      (n_unit,)   node of its station
    heard     (n_node,)   reports from there get through
    lost      (n_sample, n_unit)  reports lost besides; no row for none
    number    (NUMBERS,)  see `ORDER_DELAY`
    rung, known           (n_call,)  us, ring and end of triage
    node, priority, found (n_call,)  true priority, and as found by triage
    mobilise, scene, handover  (n_call,)  us
    transport (n_call,)
    belief    (n_node, n_node)  s the policy expects to row from column
    covered   (n_zone, n_node)  see `coverage`; no row for the closest idle unit
    population (n_zone,)
    busy, preparation, target  of DMEXCLP: 0 to estimate; s; s
    """

    streets: Graph
    link_time: Int
    passable: Flag
    way_time: Float
    way_link: Int32
    hospital_node: Int
    bay_factor: Float
    home: Int
    heard: Flag
    lost: Flag
    number: Int
    rung: Int
    known: Int
    node: Int
    priority: Int
    found: Int
    mobilise: Int
    scene: Int
    handover: Int
    transport: Flag
    belief: Float
    covered: Flag
    population: Float
    busy: float
    preparation: float
    target: float


class State(NamedTuple):
    """Hold all that changes.

    clock  (CLOCKS,)
    call   (n_call, CALL_COLUMNS)
    unit   (n_unit, UNIT_COLUMNS)
    path   (n_unit, longest)      links of each leg
    entry  (n_unit, longest + 1)  us, entry into each, exit from the last
    free_bays (n_hospital,)
    flight (n_slot, n_unit, 3)    samples on their way: node, free, heard
    looked (n_call,)              last decision that looked at a call
    links  (n_node,)              work: links of a way
    idle_unit, idle_node          (n_unit,)  work: units that may be sent
    reach, loss                   (n_unit,)  work: s until there, coverage lost
    calendar
    """

    clock: Int
    call: Int
    unit: Int
    path: Int32
    entry: Int
    free_bays: Int
    flight: Int
    looked: Int
    links: Int
    idle_unit: Int
    idle_node: Int
    reach: Float
    loss: Float
    calendar: Calendar
