"""Publish travel times, and say why a link is slow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from twin.contract import SECOND, EventKind
from twin.kernels.traffic_arrays import DARK, ENTRIES, EXITS, NEVER, OUT_SLOT, ROW_TIME, TRAVEL

if TYPE_CHECKING:
    from twin.models.traffic.model import Traffic
    from twin.view import View

Array = np.ndarray[Any, Any]

TELLS = (
    EventKind("gridlock", "vehicles block each other in a circle of links", "links", unit="links"),
    EventKind("gridlock_link", "a link of such a circle; `data` is the next", "links"),
    EventKind("gridlock_relaxed", "a circle is let go", "links", unit="links"),
    EventKind("link_flows", "a link is no longer slow", "links", unit="s"),
    EventKind("link_slow", "a link takes far longer than when it is free", "links", unit="s"),
    EventKind("signal_dark", "a signal has no power", "signals"),
    EventKind("signal_lit", "a signal works again", "signals"),
)

_LONGEST_WALK = 40
_SLOW_BY = 60.0
"""s beyond the multiple of free flow: about one signal cycle, so that a red light is not slow traffic."""


def publish(model: Traffic, view: View) -> None:
    """Write link.time, link.flow and link.vehicles, with the cause of what is slow."""
    queue, seen = view["road.queue"], (view["road.exits_seen"], view["road.travel_seen"])
    free = view["road.free_flow"][: view["link.time"].size] / SECOND
    time = present_time(queue, view["ring.row"], view.now, seen, (free, model.link_of_queue))
    exits = queue[: time.size, EXITS] - seen[0][: time.size]
    view.raw("link.flow")[...] = exits / float(model.run_options["publish_every"])
    view.raw("road.exits_seen")[...] = queue[:, EXITS]
    view.raw("road.travel_seen")[...] = queue[:, TRAVEL]
    view.raw("link.vehicles")[...] = np.bincount(model.link_of_queue, queue[:, ENTRIES] - queue[:, EXITS])
    causes = _causes(model, view, time)
    view.put("link.time", slice(None), time, cause=causes)


def present_time(road: Array, ring: Array, now: int, seen: tuple[Array, Array], links: tuple[Array, Array]) -> Array:
    """Return the mean time (n_link,) of those that left a link since the last look, or the wait of its first, s.

    Time in the pockets of a link comes on top, shared by all that left it, or by
    those that left the pockets where these are more.

    road, ring  see `State.link` and `State.ring` of the kernel: links, and behind them their pockets
    now    us
    seen   EXITS and TRAVEL of `road` at the last look
    links  free-flow time (n_link,), s, the least; link (n_road,) that each belongs to
    """
    free, owner = links
    n_link = len(free)
    exits, travel = road[:, EXITS] - seen[0], (road[:, TRAVEL] - seen[1]) / SECOND
    time = np.divide(travel[:n_link], exits[:n_link], out=free.copy(), where=exits[:n_link] > 0)
    there = np.flatnonzero(road[:n_link, ENTRIES] > road[:n_link, EXITS])
    time[there] = np.maximum(time[there], (now - ring[road[there, OUT_SLOT], ROW_TIME]) / SECOND)
    left, turned = (np.bincount(owner[n_link:], values[n_link:], n_link) for values in (exits, travel))
    return np.asarray(np.maximum(time, free) + turned / np.maximum(np.maximum(exits[:n_link], left), 1))


def _causes(model: Traffic, view: View, time: Array) -> Array:
    """Return per link the event behind its travel time, -1 where it is not slow.

    Emits link_slow when a link becomes slow and link_flows when it is over.
    """
    free = model.built.settings.free_flow[: time.size] / SECOND
    slow = time > float(model.run_options["slow_factor"]) * free + _SLOW_BY
    before = view["link.slow"].copy()
    held = np.array(view["link.time@cause"])
    causes = np.where(slow & before, held, -1)
    for row in np.flatnonzero(slow & ~before).tolist():
        causes[row] = view.emit("link_slow", row, time[row], causes=blockers(model, view, row))
    for row in np.flatnonzero(before & ~slow).tolist():
        view.emit("link_flows", row, time[row], causes=[int(held[row])])
    view.raw("link.slow")[...] = slow
    return causes


def blockers(model: Traffic, view: View, row: int) -> list[int]:
    """Return events that hold a link's first vehicle up: walk along the queue it stands in.

    The walk goes from a link to the one its first vehicle wants to enter, as
    long as that one is full; on the way it notes dark signals, wet or closed
    roads, closed lanes and speed limits. It is empty for ordinary congestion.
    """
    found: list[int] = []
    seen: set[int] = set()
    for _ in range(_LONGEST_WALK):
        if row in seen:
            break
        seen.add(row)
        found += _here(model, view, row)
        following = int(view["queue.head_next"][row])
        if following >= view["road.queue"].shape[0] or view["queue.head_ready"][row] == NEVER:
            break
        if view["entry.free"][following] <= view.now:
            break
        row = following
    return list(dict.fromkeys(found))


def _here(model: Traffic, view: View, row: int) -> list[int]:
    found = []
    node = model.built.network.to_node[row]
    if view["node.control"][node] == DARK:
        found.append(view.cause("signal.dark", int(model.signal_of_node[node])))
    if row >= view["link.open"].size:
        return found
    if not view["link.open"][row]:
        found.append(view.cause("link.open", row))
    found += model.works.behind(view, row)
    if "link.wet_speed" in view and view["link.wet_speed"][row] < 1:
        found.append(view.cause("link.wet_speed", row))
    return [event for event in found if event >= 0]
