"""Describe streets, trips, classes and signals to the traffic kernel, in physical units."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True)
class Roads:
    """Describe directed links by columns; a scalar holds for all links.

    n_node              number of nodes, named 0 .. n_node - 1
    from_node, to_node  (n_link,)
    length              m, > 0
    speed               m/s, > 0, free-flow
    lanes               > 0
    jam_density         vehicle/m per lane (PCU), > 0
    reaction_time       s, > 0; wave speed w = 1 / (jam_density * reaction_time)
    capacity            vehicle/s of the whole link, > 0; the least of this and
                        lanes * u w k / (u + w) counts
    weight              merge priority, whole, 1 .. 16; by default the lanes:
                        saturated links share the next one in this ratio;
                        what begins at a node has weight 1
    rank                0 .. 15; where links merge, vehicles of a higher rank
                        let those of a lower one go first (1 at a yield sign)
    node_capacity       (n_node,)  vehicle/s from link to link through each
                        node, > 0; inf: only the links limit the flow
    banned_turns        (n_banned, 2)  pairs (link, next link) nobody may drive
    pockets             (n_pocket, 2)  pairs (link, next link) of movements with a
                        turn pocket; pocket i is link n_link + i of the arrays
    pocket_room         PCU, > 0, in each pocket
    yields              (n_yield, 3)  link, next link, and a link whose vehicles go
                        first unless they give way as well
    gap                 s, >= 0, who gives way wants to see the way free for so long
    late_turn           s, >= 0, after a fixed-time green in which he may still turn
    """

    n_node: int
    from_node: ArrayLike
    to_node: ArrayLike
    length: ArrayLike
    speed: ArrayLike
    lanes: ArrayLike = 1.0
    jam_density: ArrayLike = 0.2
    reaction_time: ArrayLike = 1.0
    capacity: ArrayLike = np.inf
    weight: ArrayLike | None = None
    rank: ArrayLike = 0
    node_capacity: ArrayLike = np.inf
    banned_turns: ArrayLike = ()
    pockets: ArrayLike = ()
    pocket_room: ArrayLike = 3.0
    yields: ArrayLike = ()
    gap: float = 4.5
    late_turn: float = 3.0


@dataclass(frozen=True)
class Trips:
    """Describe vehicles by columns; a scalar holds for all vehicles.

    depart         (n_vehicle,)  us, in any order
    origin         (n_vehicle,)  node
    destination    row in the `destinations` of `build`; not read for vehicles
                   with a given route
    first_link     the queue to wait in: the link that the vehicle is expected
                   to enter first, -1 if unknown. It is bound by the tables, not
                   by this; only vehicles of one queue delay each other
    vehicle_class  row in the classes
    informed       true: follows the informed table
    key            permanent identity, unique; by default the row
    route_start    (n_vehicle,)  place in `routes`, -1: follows the tables
    routes         links one after another, each route ended by -1
    """

    depart: ArrayLike
    origin: ArrayLike
    destination: ArrayLike = 0
    first_link: ArrayLike = -1
    vehicle_class: ArrayLike = 0
    informed: ArrayLike = True
    key: ArrayLike | None = None
    route_start: ArrayLike = -1
    routes: ArrayLike = field(default_factory=lambda: np.empty(0, np.int32))


@dataclass(frozen=True)
class Classes:
    """Describe vehicle classes.

    pcu              > 0, space on the road relative to a car
    headway_factor   > 0, headway relative to a car
    emergency        true: passes queues and asks for green
    passing          >= 1; an emergency vehicle passes all that are ahead of it this
                     multiple of the free-flow time after it has entered a link
    green_ahead      s before it is due at a fixed-time or actuated signal, at most
                     half of its way, from which on it asks for green; 0: never
    green_clear      s from then until it has green, if it has none by the plan
    green_most       s from then after which the plan goes on without it
    """

    pcu: ArrayLike = (1.0,)
    headway_factor: ArrayLike = (1.0,)
    emergency: ArrayLike = False
    passing: float = 1.5
    green_ahead: float = 15.0
    green_clear: float = 4.0
    green_most: float = 120.0


@dataclass(frozen=True)
class Signals:
    """Describe the control of nodes; a scalar holds for all.

    control        (n_node,)  UNCONTROLLED, FIXED, ACTUATED or DARK
    stop_headway   (n_node,)  s between vehicles at a dark node
    cycle, start, length  (n_link,)  s, green window of each link at its end; a
                   pocket has that of its link, or its own in rows behind the links
    phase          (n_link,)  rank of the phase that serves the link, -1: always
    minimum_green, maximum_green, extension, intergreen  (n_node,)  s
    """

    control: ArrayLike = 0
    stop_headway: ArrayLike = 3.0
    cycle: ArrayLike = 60.0
    start: ArrayLike = 0.0
    length: ArrayLike = 60.0
    phase: ArrayLike = -1
    minimum_green: ArrayLike = 7.0
    maximum_green: ArrayLike = 40.0
    extension: ArrayLike = 3.0
    intergreen: ArrayLike = 5.0
