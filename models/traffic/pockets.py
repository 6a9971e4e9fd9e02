"""Turn pockets from a data frame: checked, and their traversals joined to those of their links."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from twin.kernels.traffic_layout import Traffic
    from twin.models.traffic.frames import Frames

Array = np.ndarray[Any, Any]

_MOST_STORAGE = 1e4
"""PCU; a pocket beyond it is a slip, and would take the memory."""


def wrong(frames: Frames) -> list[str]:
    """Name every wrong row of the pockets."""
    from twin.models.traffic.frames import wrong_rows, wrong_turns
    from twin.models.traffic.inputs import numbers

    table = frames.pockets
    storage = numbers(table, "storage")
    problems = wrong_turns(frames.links, "pockets", table)
    bad = ~((storage > 0) & (storage <= _MOST_STORAGE))
    problems += wrong_rows("pockets", table, "storage", bad, f"must be greater than 0, at most {_MOST_STORAGE:g} PCU")
    again = table.duplicated(["from_link", "to_link"]).to_numpy()
    return problems + wrong_rows("pockets", table, "to_link", again, "has a pocket from this link already")


def movements(frames: Frames) -> Array:
    """Return the pairs (n_pocket, 2) of link and next link that have a pocket."""
    from twin.models.traffic.frames import rows_of

    ends = [rows_of(frames.pockets[end], frames.links.index) for end in ("from_link", "to_link")]
    return np.stack(ends, axis=1)


def join(events: list[Array], n_link: int, traffic: Traffic) -> list[Array]:
    """Count the time in a pocket as time on the link it belongs to.

    events  vehicle, link, entered, left (n_event,): the kernel's log, where
            pockets are links from n_link on; returned without these. Vehicles
            still in a pocket have not left its link
    """
    if len(traffic.state.link) == n_link:
        return events
    vehicle, link, entered, left = events
    order = np.lexsort((entered, vehicle))
    turned = link >= n_link
    place = np.flatnonzero(turned[order])
    left = left.copy()
    left[order[place - 1]] = left[order[place]]
    last = order[np.append(vehicle[order][1:] != vehicle[order][:-1], True)] if len(order) else order
    kept = ~turned
    kept[last[np.isin(vehicle[last], inside(n_link, traffic))]] = False
    again = np.lexsort((vehicle[kept], left[kept]))
    return [column[kept][again] for column in (vehicle, link, entered, left)]


def inside(n_link: int, traffic: Traffic) -> Array:
    """Return the vehicles that are in a pocket."""
    from twin.kernels.traffic_arrays import ENTRIES, EXITS, OUT_SLOT, ROW_WORD, VEHICLE_MASK

    state, bounds = traffic.state, traffic.network.ring_start
    found = [np.empty(0, np.int64)]
    for link in range(n_link, len(state.link)):
        slots = np.arange(state.link[link, ENTRIES] - state.link[link, EXITS]) + state.link[link, OUT_SLOT]
        slots = bounds[link] + (slots - bounds[link]) % (bounds[link + 1] - bounds[link])
        found.append(state.ring[slots, ROW_WORD] & VEHICLE_MASK)
    return np.concatenate(found)
