"""Vehicles that are still under way when a run ends, and what holds them up for good."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from twin.kernels.traffic_layout import Traffic

Array = np.ndarray[Any, Any]

_SHOWN = 5


class HeldUpWarning(UserWarning):
    """Vehicles stand before a closed road, or a signal that is always red, when the run ends."""


class Names(NamedTuple):
    """Say what links, nodes and vehicles are called.

    links    (n_link,)  of the kernel's links; that of a pocket is the link it belongs to
    nodes    (n_node,)
    vehicle  returns the words for a vehicle, by its row
    """

    links: Array
    nodes: Array
    vehicle: Callable[[int], str]


class There(NamedTuple):
    """List the vehicles on links (n_vehicle,), by link, first in first.

    vehicle, link   rows of the kernel's, pockets behind the links
    entered, ready  us; when it had, or would have, driven to the end
    space           1/1000 PCU
    """

    vehicle: Array
    link: Array
    entered: Array
    ready: Array
    space: Array


def on_links(traffic: Traffic) -> There:
    """Return all vehicles on links and in pockets."""
    from twin.kernels.traffic_arrays import (
        CLASS_MASK,
        CLASS_SHIFT,
        ENTRIES,
        EXITS,
        OUT_SLOT,
        ROW_TIME,
        ROW_WORD,
        SHIFTED,
        VEHICLE_MASK,
    )

    state, bounds = traffic.state, traffic.network.ring_start
    count = state.link[:, ENTRIES] - state.link[:, EXITS]
    link = np.repeat(np.arange(len(count)), count)
    place = np.arange(len(link)) - np.repeat(np.cumsum(count) - count, count)
    first = bounds[link]
    slot = first + (state.link[link, OUT_SLOT] - first + place) % (bounds[link + 1] - first)
    word, entered = state.ring[slot, ROW_WORD], state.ring[slot, ROW_TIME]
    shifted = state.link[link, EXITS] + place < state.link[link, SHIFTED]
    ready = np.where(shifted, state.ring_ready[slot], entered + traffic.settings.free_flow[link])
    space = traffic.demand.class_pcu[word >> CLASS_SHIFT & CLASS_MASK]
    return There(word & VEHICLE_MASK, link, entered, ready, space)


def places(traffic: Traffic, owner: Array) -> tuple[Array, Array]:
    """Return where vehicles on links are, as a share of the length, and since when (us); by vehicle.

    Who has not driven to the end is under way, or stands at the end of the queue
    of those ahead of him, each of whom takes his space: Newell, A simplified
    theory of kinematic waves, part II, Transp. Res. B 27 (1993).

    owner  (n_link,)  link that each of the kernel's links is or belongs to
    """
    settings, now = traffic.settings, traffic.state.clock[0]
    there = on_links(traffic)
    own = owner[there.link]
    left = np.maximum(there.ready - now, 0) / settings.free_flow[there.link]
    driven = np.where(there.link == own, 1 - left, 1.0)
    order = np.lexsort((there.entered, own))
    before = np.cumsum(there.space[order]) - there.space[order]
    ahead = np.empty(len(order))
    ahead[order] = before - before[np.searchsorted(own[order], own[order])]
    queue_end = np.maximum(1 - ahead / settings.storage[own], 0.0)
    place = np.minimum(driven, queue_end)
    # Who is in a pocket had left the link when he entered it.
    reached = np.where(there.link == own, there.entered + (there.ready - there.entered) * place, there.entered)
    since = np.where(driven < queue_end, now, reached)
    by_vehicle = np.argsort(there.vehicle)
    return place[by_vehicle], np.minimum(since, now)[by_vehicle]


def warn_of_waits(names: Names, traffic: Traffic) -> None:
    """Warn of queues whose first vehicle waits for a closed road or has no green, with all those behind it."""
    from twin.kernels.traffic_arrays import FIXED

    network, settings, state = traffic.network, traffic.settings, traffic.state
    n_link, target = len(network.from_node), state.head_next
    real = (state.head_ready <= state.clock[0]) & (target < n_link)
    wanted = np.minimum(target, n_link - 1)
    closed = real & (settings.closed[wanted] > 0)
    red = np.zeros(len(target), bool)
    at_signal = settings.control[network.to_node] == FIXED
    red[:n_link] = (settings.green_length <= 0) & at_signal
    red &= real & (network.pocket_target[wanted] < 0)
    held = _held(traffic, closed | red, np.where(real & (state.link_open[target] > state.clock[0]), target, -1))
    causes = np.flatnonzero(held)
    causes = causes[np.argsort(-held[causes], kind="stable")]
    if not len(causes):
        return
    shown = [_say(names, traffic, queue, int(held[queue]), bool(closed[queue])) for queue in causes[:_SHOWN].tolist()]
    more = [f"{len(causes) - _SHOWN} more such queues"] if len(causes) > _SHOWN else []
    said = f"{held.sum()} vehicles stand at the end where nothing lets them go: {'; '.join(shown + more)}"
    warnings.warn(said, HeldUpWarning, stacklevel=4)


def _held(traffic: Traffic, cause: Array, target: Array) -> Array:
    """Count the vehicles (n_queue,) that each cause holds up: its own queue, and all that wait for it in turn.

    target  (n_queue,)  the link that the first vehicle waits for, -1: none
    """
    from twin.kernels.traffic_arrays import ENTRIES, EXITS

    n_link, n_queue = len(traffic.state.link), len(target)
    count = np.zeros(n_queue, np.int64)
    count[:n_link] = traffic.state.link[:, ENTRIES] - traffic.state.link[:, EXITS]
    for queue in (n_link + np.flatnonzero((target >= 0)[n_link:])).tolist():
        count[queue] = _due(traffic, queue - n_link)
    root = np.where((target >= 0) & ~cause, target, np.arange(n_queue))
    for _ in range(n_queue.bit_length()):
        root = root[root]
    held = np.zeros(n_queue, np.int64)
    np.add.at(held, root, count)
    return np.where(cause, held, 0)


def _due(traffic: Traffic, origin: int) -> int:
    """Count the vehicles of an origin whose time to depart has come."""
    demand, state = traffic.demand, traffic.state
    waiting = demand.origin_depart[state.origin_next[origin] : demand.origin_start[origin + 1]]
    return int(np.searchsorted(waiting, state.clock[0], side="right"))


def _say(names: Names, traffic: Traffic, queue: int, count: int, closed: bool) -> str:
    """Say where a queue stands, who is its first, and what he waits for."""
    from twin.kernels.traffic_arrays import OUT_SLOT, ROW_WORD, VEHICLE_MASK

    demand, state = traffic.demand, traffic.state
    n_link = len(state.link)
    if queue < n_link:
        where, word = f"on link {names.links[queue]}", state.ring[state.link[queue, OUT_SLOT], ROW_WORD]
    else:
        where = f"at node {names.nodes[traffic.network.queue_node[queue]]}"
        word = demand.origin_word[state.origin_next[queue - n_link]]
    vehicle = names.vehicle(int(word & VEHICLE_MASK))
    reason = f"before the closed link {names.links[state.head_next[queue]]}" if closed else "at a signal without green"
    behind = f", {count - 1} more behind it" if count > 1 else ""
    return f"{where} {vehicle} waits {reason}{behind}"
