"""Arrays of the kernel `standstill`: what each holds, its shape and unit.

Stages of calls and units are those of the model `emergency`; steps of a mission are the
places in its list of steps.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.kernels.calendar import NEVER, Calendar
from twin.kernels.routing import Graph, _Work

__all__ = ["NEVER", "Case", "State"]

Int = NDArray[np.int64]
Int32 = NDArray[np.int32]
Float = NDArray[np.float64]
Flag = NDArray[np.bool_]

DONE, CALENDAR_FULL, TIED = 0, 1, 2
"""Status of `serve`: TIED when an event met a change of what it reads at the same instant, in no known order."""

FUTURE, RINGING, TALKING, WAITING, DISPATCHED, ON_SCENE, TRANSPORT, AT_HOSPITAL, SERVED, ABANDONED = range(10)
"""Stages of a call."""

AT_STATION, ALERTED, TO_SCENE, AT_SCENE, TO_HOSPITAL, IN_HOSPITAL, RETURNING = range(7)
"""Stages of a unit."""

STEPS = (
    "alert", "mobilise", "depart", "drive", "scene", "leave", "carry", "door", "handover", "clear", "back", "home",
)  # fmt: skip
ALERT, MOBILISE, DEPART, DRIVE, SCENE, LEAVE, CARRY, DOOR, HANDOVER, CLEAR, BACK, HOME = range(12)
"""Steps of a mission, `U_STEP`: what a unit does when it wakes."""

DISPATCHER_FREE, ORDER, WAKE, TRACK, TRIAGED, SAMPLE, ARRIVAL, DECIDE, TIMER, MOVE, PLACE, LOOK, REROUTE = range(13)
"""Kinds of events: value of ORDER is the unit, of ARRIVAL the slot, of MOVE the station. DECIDE and TIMER
are decisions on dispatch, PLACE is one on relocation; LOOK comes after a road opened or closed."""

SERVICE, REPORT, DECISION, SETTLED = 0, 1, 2, 3
"""Order within an instant: events of models, of feeds, of policies; then models solve."""

NOW, IDLE, WAITS, SAMPLES, DECISIONS, ASKED, FAILED, PLACING, ROAD, BAY, SITE, SEEN = range(12)
CLOCKS = 12
"""Places of `State.clock`: us, dispatchers that are idle, 1 when a decision is due, samples and
decisions so far, requests for a bay so far, status, 1 when a decision on relocation is due, and how far
each reel has come."""

ORDER_DELAY, ORDER_WORK, RETIME, TRACK_EVERY, SAMPLE_EVERY, LATENCY, FIRST_SAMPLE, DECIDE_EVERY = range(8)
NUMBERS = 8
"""Places of `Case.number`, us: order to its effect, work of a dispatcher, between looks at a leg,
at positions, between samples, sample to arrival; number of the first row of `Case.lost`; between decisions."""

C_STAGE, C_UNIT, C_DISPATCHED, C_ON_SCENE, C_AT_HOSPITAL, C_BAY, C_CLOSED = range(7)
CALL_COLUMNS = 7
"""Columns of `State.call`: stage, unit, instants in us, -1 for not yet."""

U_STAGE, U_CALL, U_HOSPITAL, U_NODE, U_GOAL, U_COUNT, U_STUCK, U_FREE, U_STATION, U_SEEN_NODE, U_SEEN_FREE = range(11)
U_HANDLE, U_STEP, U_ASKED = 11, 12, 13
UNIT_COLUMNS = 14
"""Columns of `State.unit`: as the fields of the model; node and flag as observed; handle of its
event, next step, order of asking for the bay it waits for (-1: none)."""

CLOSEST, LEAST_LOSS, LISTED, TABLE, AWARE = range(5)
"""Rules of dispatch, `Rule.number`: closest idle, DMEXCLP, lists of stations, decision table, hospitals."""

STAY, MOST_GAIN, FILL_LIST, COMPLY = range(4)
"""Rules of relocation, `Moves.number`: own station, DMEXCLP, priority list, compliance table."""


class Reel(NamedTuple):
    """Tell when what is read changes; the first row holds from the start.

    at     (n,)  us
    order  (n,)  place within the instant, see `SERVICE`
    """

    at: Int
    order: Int


class Ways(NamedTuple):
    """Keep trees of shortest ways that have been grown.

    time   (n_node, n_node)  s, row per root
    link   (n_node, n_node)  last link of the way from the root, or one row of scratch where nobody asks for it
    stamp  (n_node,)         row of the reel for which a root's tree was grown, -1 for none
    work   of one tree
    """

    time: Float
    link: Int32
    stamp: Int
    work: _Work


def new_ways(n_node: int, n_link: int, kept: int) -> Ways:
    """Make room for trees, none grown yet; kept is n_node, or 1 where nobody asks for links."""
    heap = np.empty(n_link + 1), np.empty(n_link + 1, np.int32)
    work = _Work(*heap, np.empty(n_node, np.bool_), np.empty(n_node, np.int32))
    return Ways(np.empty((n_node, n_node)), np.empty((kept, n_node), np.int32), np.full(n_node, -1), work)


class Rule(NamedTuple):
    """Say how units are sent.

    number    see `CLOSEST`
    covered   (n_zone, n_node)  see `coverage`, of LEAST_LOSS
    population (n_zone,)
    busy, preparation, target  0 to estimate; s; s
    rank      (n_node, n_station)  place of each station in the list of each node, of LISTED
    zone      (n_node,)  of each node, of TABLE
    group, column  (n_zone,)  of each zone: its group, its column of the table
    member    (n_group, most)  units of each group, -1 behind the last
    table     (n_group, 2^most, n_zone)  member to send for each set of busy members, -1 for none
    handover, sooner  s, of AWARE: mean handover, time that waiting must save
    """

    number: int
    covered: Flag
    population: Float
    busy: float
    preparation: float
    target: float
    rank: Int
    zone: Int
    group: Int
    column: Int
    member: Int
    table: Int
    handover: float
    sooner: float


class Moves(NamedTuple):
    """Say where idle units wait.

    number    see `STAY`
    on_sent   1 when a dispatch asks for a decision, besides a unit that becomes free
    first     1 when relocation is decided before dispatch at one instant
    covered   (n_zone, n_station)  a unit there reaches the zone in time
    demand    (n_zone,)
    busy      share of time a unit is busy
    listed    (n,)  stations of FILL_LIST in order
    table     (n_row, n_unit)  row k: stations of k + 1 units, of COMPLY
    drive     (n_station, n_node)  s, from each node
    carries   (n_unit,)  units that are placed
    """

    number: int
    on_sent: int
    first: int
    covered: Flag
    demand: Float
    busy: float
    listed: Int
    table: Int
    drive: Float
    carries: Flag


class Case(NamedTuple):
    """Hold what does not depend on what units do: streets, service, calls, policy.

    streets   graph
    road      reel of the next three
    road_time (n_road, n_link)  s for a unit, inf for a closed link
    road_us   (n_road, n_link)  the same in us, of open links
    road_open (n_road, n_link)  not closed, though it may be flooded
    bay       reel of the next
    bay_factor (n_bay, n_hospital)  on the handover
    site      reel of the next
    heard     (n_site, n_node)  reports from there get through
    seen      reel of the next
    seen_time (n_seen, n_link)  s that the policy expects a unit to take
    hospital_node (n_hospital,)
    station_node  (n_station,)
    lost      (n_sample, n_unit)  reports lost besides; no row for none
    number    (NUMBERS,)  see `ORDER_DELAY`
    rung, known           (n_call,)  us, ring and end of triage
    node, priority, found (n_call,)  true priority, and as found by triage
    mobilise, scene, handover  (n_call,)  us
    transport (n_call,)
    rule, moves
    """

    streets: Graph
    road: Reel
    road_time: Float
    road_us: Int
    road_open: Flag
    bay: Reel
    bay_factor: Float
    site: Reel
    heard: Flag
    seen: Reel
    seen_time: Float
    hospital_node: Int
    station_node: Int
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
    rule: Rule
    moves: Moves


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
    work   see `Work`
    ways, beliefs                 trees from units on the roads, to calls as believed
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
    work: "Work"
    ways: Ways
    beliefs: Ways
    calendar: Calendar


class Work(NamedTuple):
    """Lend memory to decisions on relocation.

    held   (n_station,)          units at each or bound for it
    gain   (n_station,)
    cost   (n_unit, n_unit)      s of each unit to each place
    price  (3, n_unit)           see `assignment`
    match  (5, n_unit)           see `assignment`
    """

    held: Int
    gain: Float
    cost: Float
    price: Float
    match: Int
