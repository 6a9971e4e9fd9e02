"""Arrays of the traffic kernel: what each holds, its shape and unit.

Times are int64 microseconds, the time of the twin's calendar. Lengths of
vehicles are int64 thousandths of a passenger car unit (PCU). A *queue* is what
a vehicle leaves when it moves: queue l < n_link is link l, the others are the
vertical queues of vehicles that wait to depart. A vehicle is named by its row
in the caller's trip table. A *sink* is a next link that is no link: n_link
means that the vehicle has arrived, n_link + 1 that it cannot go on.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Int = NDArray[np.int64]
Int32 = NDArray[np.int32]
Byte = NDArray[np.int8]

NEVER = 1 << 62
"""Time that does not come: head of an empty queue, entry of a full link."""

UNCONTROLLED, FIXED, ACTUATED, DARK = 0, 1, 2, 3
"""Control of a node: none, fixed time, vehicle-actuated, all-way stop."""

DONE, LOG_FULL = 0, 1
"""Status of `advance`."""

WAITING, DRIVING, ARRIVED, STRANDED, CANCELLED = 0, 1, 2, 3, 4
"""Outcome of a vehicle; also the columns of `State.tally`."""

NOW, WINDOW = 0, 1
"""Columns of `State.clock`."""

EXITS, TRAVEL, NEXT_OUT, OUT_SLOT, SHIFTED, FREE_FLOW, GAP_OUT, RING_END = 0, 1, 2, 3, 4, 5, 6, 7
ENTRIES, RELEASED, OCCUPIED, NEXT_IN, LAST_RELEASE, IN_SLOT, FREE_SLOT, ROOM = 8, 9, 10, 11, 12, 13, 14, 15
WAVE, GAP_IN, RING_STOP, RING_START, BEHIND, AHEAD, RESCUE_IN, RESCUE_OUT = 16, 17, 18, 19, 20, 21, 22, 23
LINK_COLUMNS = 24
"""Columns of `State.link`, see there: a cache line of what the node at the exit
reads and writes, one for the node at the entry, and one that both read."""

RESCUE_PASSING, RESCUE_LEAD, RESCUE_CLEAR, RESCUE_HOLD = 0, 1, 2, 3
"""Rows of `Settings.rescue`, see there."""

ROW_TIME, ROW_WORD = 0, 1
RING_COLUMNS = 2
"""Columns of `State.ring`, see there."""

VEHICLE_MASK = (1 << 27) - 1
CLASS_SHIFT, CLASS_MASK = 27, 127
CODE_SHIFT = 34
"""A vehicle on its way is one word: code << CODE_SHIFT | class << CLASS_SHIFT |
vehicle. Its code says where it goes next: >= 0: the place of that link in
`Demand.routes`; < 0: -1 - (2 * destination + informed), and the tables say.
`word >> CODE_SHIFT` gives the code, whatever its sign."""


class Network(NamedTuple):
    """Hold what never changes of the streets.

    from_node, to_node  (n_link,)   ends of each link
    weight              (n_queue,)  merge weight (lanes of the link, 1 for origins)
    rank                (n_queue,)  those of lower rank go first, see Roads.rank
    queue_node          (n_queue,)  node at the head of each queue
    hop_column          (n_queue,)  column of the next-hop tables that drivers of
                        the queue read: its node, or one of its own where turns
                        are banned
    group_of_node       (n_node,)   nodes joined by short links share a group
    group_start         (n_group + 1,)  bounds in group_queue
    group_queue         (n_queue,)  queues by group
    inner               (n_group,)  1 where a link leads from the group back to it
    ring_start          (n_link + 1,)  bounds of the rows of a link in the ring
    weighted            (n_node,)   1 where queues of unequal weight or rank meet
    movement_start      (n_node,)   first movement (in-queue, out-link) of a node
    first_movement      (n_queue,)  first movement from a queue
    in_position         (n_queue,)  rank of a queue among those of its node
    out_position        (n_link,)   rank of a link among those that leave its node
    out_degree          (n_node,)   number of links that leave the node
    phase_of_link       (n_link,)   rank of the phase that serves the link
    phase_start         (n_node + 1,)  bounds of the phases of a node
    pocket              (n_movement,)  link that is the pocket of a movement, -1:
                        none; empty where no movement of the city has one
    pocket_target       (n_link,)   where the vehicles of a pocket go; -1: no pocket. While it is closed they go
                        by the tables, as from the link that the pocket belongs to
    approach            (n_link,)   the link a pocket belongs to; itself: no pocket
    turning             (n_node,)   1 where a movement has a pocket or gives way
    yield_start         (n_movement + 1,)  bounds in `yield_to`; empty where no
                        movement gives way
    yield_to            queues at whose head a vehicle may be to which one gives way
    """

    from_node: Int32
    to_node: Int32
    weight: Int32
    rank: Int32
    queue_node: Int32
    hop_column: Int32
    group_of_node: Int32
    group_start: Int32
    group_queue: Int32
    inner: Byte
    ring_start: Int
    weighted: Byte
    movement_start: Int
    first_movement: Int
    in_position: Int32
    out_position: Int32
    out_degree: Int32
    phase_of_link: Int32
    phase_start: Int32
    pocket: Int32
    pocket_target: Int32
    approach: Int32
    turning: Byte
    yield_start: Int
    yield_to: Int32


class Demand(NamedTuple):
    """Hold the vehicles: all but the end of `routes` never changes.

    key               (n_vehicle,)  permanent identity, decides ties; empty if it
                      rises with the vehicle's number, which then decides
    origin_start      (n_origin + 1,)  bounds of the origin queues
    origin_vehicle    (n_vehicle,)  vehicles by queue, departure and key
    origin_depart     (n_vehicle,)  us, their departures
    origin_word       (n_vehicle,)  their words, see CODE_SHIFT
    routes            (n_step,)     links of the given routes, each ended by -1; behind
                      them the records of those under way, anew at each change of the
                      tables, see `trails`
    destination_node  (n_destination,)  node of each destination
    class_pcu         (n_class,)    1/1000 PCU, space on the road
    class_factor      (n_class,)    headway relative to a car's
    class_rescue      (n_class,)    1: emergency vehicles; empty if there are none
    """

    key: Int
    origin_start: Int
    origin_vehicle: Int32
    origin_depart: Int
    origin_word: Int
    routes: Int32
    destination_node: Int32
    class_pcu: Int
    class_factor: NDArray[np.float64]
    class_rescue: Byte


class Settings(NamedTuple):
    """Hold what the caller may change between two calls of `advance`.

    After any change call `traffic.touch`; free-flow times are changed with
    `traffic.set_free_flow`, controls with `traffic.set_control`.

    free_flow      (n_link,)  us, >= MINIMUM_TIME
    headway        (n_link,)  us, >= 1, between cars, at the entry and the exit;
                   counts from the next vehicle on
    wave           (n_link,)  us, >= MINIMUM_TIME, until space freed at the exit
                   is free at the entry; holds at once for space not yet taken
    storage        (n_link,)  1/1000 PCU, 1 <= storage <= value given to `build`;
                   a link that holds more admits nobody until it holds less
    closed         (n_link,)  1: admits nobody; those on it may leave
    control        (n_node,)  UNCONTROLLED, FIXED, ACTUATED or DARK
    stop_headway   (n_node,)  us between two vehicles at a dark node
    node_headway   (n_node,)  us between two vehicles from link to link at any
                   other node; 0: no limit but those of the links
    green_cycle    (n_link,)  us, fixed time: cycle of the signal, >= 1
    green_start    (n_link,)  us, offset plus start of green in the cycle
    green_length   (n_link,)  us, 0: never green; >= cycle: always
    minimum_green  (n_phase,) us, vehicle-actuated
    maximum_green  (n_phase,) us
    extension      (n_node,)  us, gap after which an actuated green ends
    intergreen     (n_node,)  us, amber and all-red between two phases
    gap            (n_node,)  us, who gives way wants to see the way free for so long
    late_turn      (n_node,)  us after a fixed-time green in which who gives way may
                   still turn
    rescue         (4,)       of emergency vehicles: RESCUE_PASSING, 1/1000 of the
                   free-flow time after which they pass others, >= 1000;
                   RESCUE_LEAD us, how long before they are due they ask for green,
                   0: never; RESCUE_CLEAR us, others have red so long before;
                   RESCUE_HOLD us, they keep it no longer than this
    informed       (n_destination, n_column)  next link of informed drivers, -1: none
    habitual       (n_destination, n_column)  next link of the others, -1: none
    """

    free_flow: Int
    headway: Int
    wave: Int
    storage: Int
    closed: Byte
    control: Byte
    stop_headway: Int
    node_headway: Int
    green_cycle: Int
    green_start: Int
    green_length: Int
    minimum_green: Int
    maximum_green: Int
    extension: Int
    intergreen: Int
    gap: Int
    late_turn: Int
    rescue: Int
    informed: Int32
    habitual: Int32


class State(NamedTuple):
    """Hold what the kernel changes: copy these arrays and a run is copied.

    clock         (2,)        NOW us, all before it is done; WINDOW us, see `advance`
    head_ready    (n_queue,)  us, first come first served by it; NEVER if empty
    head_next     (n_queue,)  the link it goes to, or a sink
    link_open     (n_link + 2,)  us, next possible entry; NEVER while full or
                  closed; sinks always admit
    link          (n_link, LINK_COLUMNS)
                  ENTRIES, EXITS  vehicles since the start
                  RELEASED        vehicles whose space has been given on
                  OCCUPIED        1/1000 PCU entered and not released
                  NEXT_IN, NEXT_OUT  us, last entry / exit plus headway
                  TRAVEL          us, total time on the link of those that left
                  LAST_RELEASE    us, exit of the last vehicle released
                  IN_SLOT, OUT_SLOT, FREE_SLOT  rows of the ring: next entry,
                                  head, oldest not released
                  RESCUE_IN, RESCUE_OUT  emergency vehicles among ENTRIES and EXITS
                  FREE_FLOW, WAVE, ROOM, GAP_IN, GAP_OUT  as `touch` found them in
                                  `Settings`; ROOM 0 while closed, the gaps: headways
                  RING_START, RING_STOP, RING_END  as in `Network`: first row of the
                                  ring, and the row behind its last, twice
                  BEHIND, AHEAD   groups of the nodes at entry and exit
                  SHIFTED         the first SHIFTED vehicles find in `ring_ready`
                                  when they are ready, for the free-flow time has
                                  changed since they entered
    ring          (n_row, RING_COLUMNS)  vehicles of a link, first in first out
                  ROW_TIME     us, entry; exit once it has left
                  ROW_WORD     the vehicle, see CODE_SHIFT
    ring_ready    (n_row,)     us, when the vehicle is ready, if it is SHIFTED;
                  else at entry plus free-flow time
    origin_next   (n_origin,)  place in `origin_vehicle` of each origin's head
    group_next    (n_group,)   us, nothing happens in the group before this
    movement_tag  (n_movement,)  finish tag of the last vehicle of a movement
    virtual_time  (n_link,)    start tag of the last vehicle into a link
    phase         (n_node,)    rank of the actuated phase that has green
    phase_from    (n_node,)    us, start of its green
    phase_gap     (n_node,)    us, last vehicle of that green plus extension
    stop_free     (n_node,)    us, next vehicle at a dark node or one with a headway
    tally         (5,)         vehicles by outcome
    arrival       (n_vehicle,) us, -1 until the vehicle has arrived
    outcome       (n_vehicle,) WAITING, DRIVING, ARRIVED, STRANDED or CANCELLED
    """

    clock: Int
    head_ready: Int
    head_next: Int
    link_open: Int
    link: Int
    ring: Int
    ring_ready: Int
    origin_next: Int
    group_next: Int
    movement_tag: Int
    virtual_time: Int
    phase: Int32
    phase_from: Int
    phase_gap: Int
    stop_free: Int
    tally: Int
    arrival: Int
    outcome: Byte


class Log(NamedTuple):
    """Hold the traversals written at exit, in the order of the simulation.

    vehicle, link  (n_row,)
    entered, left  (n_row,)  us
    written        (1,)      rows written; the caller sets it to 0 to drain

    A log of no rows switches logging off.
    """

    vehicle: Int32
    link: Int32
    entered: Int
    left: Int
    written: Int


class Cut(NamedTuple):
    """Tell where the city is cut in two for two threads.

    group_end  (2,)       the first thread has the groups below the first, the
                          second those up to the second
    split      (n_link,)  1: the ends of the link belong to two threads
    links      (n_split,) those links
    entries, exits  (n_link,)  vehicles that have entered and left a split link,
                          as the thread at the other end last saw them
    """

    group_end: Int
    split: Byte
    links: Int
    entries: Int
    exits: Int


def new_log(n_row: int) -> Log:
    """Make an empty log of n_row rows (0: no log is kept)."""
    return Log(
        np.empty(n_row, np.int32),
        np.empty(n_row, np.int32),
        np.empty(n_row, np.int64),
        np.empty(n_row, np.int64),
        np.zeros(1, np.int64),
    )
