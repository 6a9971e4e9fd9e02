"""Tables of what traffic by itself did, by trip, by link and by traversal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from twin.models.traffic.frames import SECOND, Frames, departures, rows_of
from twin.models.traffic.gridlock import say
from twin.models.traffic.pockets import movements
from twin.models.traffic.standing import Names, on_links, places, warn_of_waits

if TYPE_CHECKING:
    import pandas as pd

    from twin.kernels.traffic_arrays import State
    from twin.kernels.traffic_layout import Traffic
    from twin.plot.traffic import Pictures

Array = np.ndarray[Any, Any]

_OUTCOMES = np.array(["waiting", "driving", "arrived", "no way", "no way", "not departed"], dtype=object)
"""By the kernel's number of each; the last is of those it counts as waiting before their time has come."""


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


@dataclass(frozen=True, repr=False)
class Result:
    """What happened, by trip, by link and by traversal; times in s.

    trips      the trips given, with wait (departure to entry, to the end of the
               run for those that still wait), arrive, time (departure to arrival)
               and outcome: arrived, driving, waiting, no way, or not departed
               where the run ended before
    links      the links given, with vehicles that entered, free_time (at the speed
               in the table given), mean_time, and delay (of all vehicles
               together, beyond free_time). Those still there when the run ended
               count with their time so far, at least free_time
    events     trip, link, entered, left: one row a traversal, by time of exit; then
               those still under way when the run ended, whose left is nan
    gridlocks  links of each cycle in which every queue waits for the next, at the end
    relaxed    how often a gridlock was moved on by one vehicle
    end        when the last vehicle had left, or the end of the run if some had not
    standing   of those still under way, in the order of events: share of the link
               driven when the run ended, and since when (s)
    nodes      x, y (m) of the nodes, if they were given
    driving_side  as given
    """

    trips: pd.DataFrame
    links: pd.DataFrame
    events: pd.DataFrame
    gridlocks: list[list[Any]]
    relaxed: int
    end: float
    standing: tuple[Array, Array]
    nodes: pd.DataFrame | None = None
    driving_side: str = "right"

    def __repr__(self) -> str:
        """Say in a line what happened."""
        outcomes = ", ".join(f"{count} {name}" for name, count in self.trips["outcome"].value_counts().items())
        jams = f", {len(self.gridlocks)} gridlocks" if self.gridlocks else ""
        moved = f", {self.relaxed} moved on" if self.relaxed else ""
        trips = f"{len(self.trips)} trips" + (f": {outcomes}" if outcomes else "")
        return f"Result({trips}; {len(self.links)} links{jams}{moved}; ended at {self.end:g} s)"

    @property
    def plot(self) -> Pictures:
        """Draw link maps, a space-time diagram or the fundamental diagram: see `twin.plot.traffic`."""
        from twin.plot.traffic import Pictures

        return Pictures(self)

    def drives(self) -> Drives:
        """Return where vehicles were on their links.

        The log says when, not where. Who had not left a link drove steadily to
        where he was when the run ended, or up to the queue of those ahead of
        him, each as long as his class is, see `twin.models.traffic.standing`.
        """
        length = self.links["length"].to_numpy(float)
        link = rows_of(self.events["link"], self.links.index)
        entered, left = (self.events[name].to_numpy(float) for name in ("entered", "left"))
        reached, place = left.copy(), length[link]
        still = np.flatnonzero(np.isnan(left))
        place[still] *= self.standing[0]
        reached[still] = np.maximum(self.standing[1], entered[still])
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
    for rows, cycle in zip(stuck, cycles, strict=True):
        say(cycle, _since(state, rows, relaxed))
    warn_of_waits(_names(frames), traffic)
    place, since = places(traffic, np.append(np.arange(n_link), movements(frames)[:, 0]))
    return Result(
        _trips(frames, traffic, events),
        _links(frames, traffic, events, free[:n_link]),
        _table(frames, events),
        cycles,
        relaxed,
        float(state.clock[NOW] if under_way else last) / SECOND,
        (place, since / SECOND),
        frames.positions,
        "left" if frames.left else "right",
    )


def _since(state: State, cycle: list[int], relaxed: int) -> str:
    """Say when the last of its first vehicles began to wait, how many are on it, and how many others were moved on."""
    from twin.kernels.traffic_arrays import ENTRIES, EXITS, NOW

    there = int((state.link[cycle, ENTRIES] - state.link[cycle, EXITS]).sum())
    begin, now = state.head_ready[cycle].max() / SECOND, state.clock[NOW] / SECOND
    moved = f" (others were moved on {relaxed} times)" if relaxed else ""
    return f" from {begin:.0f} s to the end at {now:.0f} s with {there} vehicles{moved}"


def _names(frames: Frames) -> Names:
    """Return the labels that the user gave, with pockets as their links."""
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

    vehicle, link, entered, *_ = on_links(traffic)
    there = (vehicle, link, entered, np.full(len(vehicle), NEVER))
    events = join([np.append(*columns) for columns in zip(log, there, strict=True)], len(frames.links))
    order = np.lexsort((events[0], events[3]))
    return [column[order] for column in events]


def _trips(frames: Frames, traffic: Traffic, events: list[Array]) -> pd.DataFrame:
    """Return the trips with what became of them; waits and times are between whole us, so none is below 0."""
    from twin.kernels.traffic_arrays import ARRIVED, NEVER, NOW, WAITING

    state, now = traffic.state, traffic.state.clock[NOW]
    depart = departures(frames)
    outcome = np.where((state.outcome == WAITING) & (depart > now), len(_OUTCOMES) - 1, state.outcome)
    started = np.where(outcome == ARRIVED, depart, NEVER)
    started[outcome == WAITING] = now
    first = np.lexsort((-events[2], events[0]))
    started[events[0][first]] = events[2][first]
    times = {"wait": (started, started < NEVER), "time": (state.arrival, state.arrival >= 0)}
    columns = {name: np.where(known, (end - depart) / SECOND, np.nan) for name, (end, known) in times.items()}
    arrive = np.where(state.arrival >= 0, state.arrival / SECOND, np.nan)
    said = {"wait": columns["wait"], "arrive": arrive, "time": columns["time"]}
    return frames.trips.assign(**said, outcome=_OUTCOMES[outcome])


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
