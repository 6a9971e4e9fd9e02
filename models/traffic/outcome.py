"""Tables of what traffic by itself did, by trip, by link and by traversal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from twin.models.traffic.frames import JAM_DENSITY, SECOND, Frames, rows_of
from twin.models.traffic.gridlock import say
from twin.models.traffic.standing import Names, on_links, warn_of_waits

if TYPE_CHECKING:
    import pandas as pd

    from twin.kernels.traffic_layout import Traffic
    from twin.plot.traffic import Pictures

Array = np.ndarray[Any, Any]

_OUTCOMES = np.array(["waiting", "driving", "arrived", "no way", "no way"], dtype=object)


class Drives(NamedTuple):
    """Say where vehicles were on links, one row an event: steady from entry until `reached`, then standing.

    link     row of the link
    entered, reached, left  s; left is the end of the run for those still there
    place    m from the start of the link, reached by then
    """

    link: Array
    entered: Array
    reached: Array
    left: Array
    place: Array


@dataclass(frozen=True)
class Result:
    """What happened, by trip, by link and by traversal; times in s.

    trips      the trips given, with wait (departure to entry, to the end of the
               run for those that still wait), arrive, time (departure to arrival)
               and outcome: arrived, driving, waiting, no way
    links      the links given, with vehicles that entered, free_time (at the speed
               in the table given), mean_time, and delay (of all vehicles
               together, beyond free_time). Those still there when the run ended
               count with their time so far, at least free_time
    events     trip, link, entered, left: one row a traversal, by time of exit; then
               those still under way when the run ended, whose left is nan
    gridlocks  links of each cycle in which every queue waits for the next, at the end
    relaxed    how often a gridlock was moved on by one vehicle
    end        when the last vehicle had left, or the end of the run if some had not
    nodes      x, y (m) of the nodes, if they were given
    driving_side  as given
    """

    trips: pd.DataFrame
    links: pd.DataFrame
    events: pd.DataFrame
    gridlocks: list[list[Any]]
    relaxed: int
    end: float
    nodes: pd.DataFrame | None = None
    driving_side: str = "right"

    @property
    def plot(self) -> Pictures:
        """Draw link maps, a space-time diagram or the fundamental diagram: see `twin.plot.traffic`."""
        from twin.plot.traffic import Pictures

        return Pictures(self)

    def drives(self) -> Drives:
        """Return where vehicles were on their links.

        The log says when, not where. Who had not left a link drove at free speed
        up to the queue of those ahead of him that had not left it either, each
        as long as a car: Newell, A simplified theory of kinematic waves, part
        II, Transp. Res. B 27 (1993).
        """
        links = self.links
        link = rows_of(self.events["link"], links.index)
        length, speed = (links[name].to_numpy(float) for name in ("length", "speed"))
        lanes, density = (
            links[name].to_numpy(float) if name in links else np.full(len(links), value)
            for name, value in (("lanes", 1.0), ("jam_density", JAM_DENSITY))
        )
        entered, left = (self.events[name].to_numpy(float) for name in ("entered", "left"))
        reached, place = left.copy(), length[link]
        still = np.flatnonzero(np.isnan(left))
        still = still[np.lexsort((entered[still], link[still]))]
        on = link[still]
        ahead = np.arange(len(still)) - np.searchsorted(on, on)
        queue_end = np.maximum(length[on] - ahead / (lanes * density)[on], 0.0)
        place[still] = np.minimum(queue_end, speed[on] * (self.end - entered[still]))
        reached[still] = entered[still] + place[still] / speed[on]
        return Drives(link, entered, reached, np.where(np.isnan(left), self.end, left), place)


def result_of(frames: Frames, traffic: Traffic, log: list[Array], relaxed: int, free: Array) -> Result:
    """Make the tables of a run, and warn of vehicles that nothing will let go.

    log   vehicle, link, entered, left (n_event,): of the kernel, pockets as links
    free  (n_link,)  us, free-flow times at the beginning
    """
    from twin.kernels.traffic_arrays import DRIVING, NOW, WAITING
    from twin.kernels.traffic_probe import gridlocks

    events = _events(frames, traffic, log)
    state = traffic.state
    under_way = state.tally[[WAITING, DRIVING]].any()
    last = max(events[3][events[3] <= state.clock[NOW]].max(initial=0), state.arrival.max(initial=0))
    n_link = len(frames.links)
    stuck = gridlocks(traffic.network, traffic.settings, state)
    cycles = [[frames.links.index[row] for row in cycle if row < n_link] for cycle in stuck]
    for cycle in cycles:
        say(cycle)
    warn_of_waits(_names(frames), traffic)
    return Result(
        _trips(frames, traffic, events),
        _links(frames, traffic, events, free[:n_link]),
        _table(frames, events),
        cycles,
        relaxed,
        float(state.clock[NOW] if under_way else last) / SECOND,
        frames.positions,
        "left" if frames.left else "right",
    )


def _names(frames: Frames) -> Names:
    """Return the labels that the user gave, with pockets as their links."""
    from twin.models.traffic.pockets import movements

    links = np.asarray(frames.links.index, object)
    trips, to = frames.trips.index, frames.trips["to"]
    return Names(
        np.append(links, links[movements(frames)[:, 0]]),
        frames.nodes(),
        lambda row: f"trip {trips[row]} to {to.iloc[row]}",
    )


def _events(frames: Frames, traffic: Traffic, log: list[Array]) -> list[Array]:
    """Return vehicle, link, entered and left (n_event,), by time of exit: NEVER for those still on a link."""
    from twin.kernels.traffic_arrays import NEVER
    from twin.models.traffic.pockets import join

    vehicle, link, entered = on_links(traffic)
    there = (vehicle, link, entered, np.full(len(vehicle), NEVER))
    events = join([np.append(*columns) for columns in zip(log, there, strict=True)], len(frames.links))
    order = np.lexsort((events[0], events[3]))
    return [column[order] for column in events]


def _trips(frames: Frames, traffic: Traffic, events: list[Array]) -> pd.DataFrame:
    from twin.kernels.traffic_arrays import ARRIVED, NOW, WAITING

    state = traffic.state
    depart = frames.trips["depart"].to_numpy(float)
    started = np.where(state.outcome == ARRIVED, depart, np.nan)
    started[state.outcome == WAITING] = np.maximum(depart, state.clock[NOW] / SECOND)[state.outcome == WAITING]
    first = np.lexsort((-events[2], events[0]))
    started[events[0][first]] = events[2][first] / SECOND
    arrive = np.where(state.arrival >= 0, state.arrival / SECOND, np.nan)
    times = {"wait": started - depart, "arrive": arrive, "time": arrive - depart}
    return frames.trips.assign(**times, outcome=_OUTCOMES[state.outcome])


def _links(frames: Frames, traffic: Traffic, events: list[Array], free: Array) -> pd.DataFrame:
    from twin.kernels.traffic_arrays import NEVER, NOW

    _, link, entered, left = events
    so_far = np.maximum(traffic.state.clock[NOW] - entered, free[link])
    vehicles, ticks = np.bincount(link, minlength=len(free)), np.zeros(len(free), np.int64)
    np.add.at(ticks, link, np.where(left == NEVER, so_far, left - entered))
    free_time, travel = free / SECOND, ticks / SECOND
    mean = np.divide(travel, vehicles, out=free_time.copy(), where=vehicles > 0)
    delay = (ticks - vehicles * free) / SECOND
    return frames.links.assign(vehicles=vehicles, mean_time=mean, free_time=free_time, delay=delay)


def _table(frames: Frames, events: list[Array]) -> pd.DataFrame:
    import pandas as pd

    from twin.kernels.traffic_arrays import NEVER

    trip, link, entered, left = events
    return pd.DataFrame(
        {
            "trip": frames.trips.index[trip],
            "link": frames.links.index[link],
            "entered": entered / SECOND,
            "left": np.where(left == NEVER, np.nan, left / SECOND),
        }
    )
