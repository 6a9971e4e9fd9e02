"""Turn pockets from a data frame: checked, and their traversals joined to those of their links."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
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


def join(events: list[Array], n_link: int) -> list[Array]:
    """Count the time in a pocket as time on the link it belongs to.

    events  vehicle, link, entered, left (n_event,): pockets are links from
            n_link on, and are returned without these
    """
    vehicle, link, entered, left = events
    order = np.lexsort((entered, vehicle))
    turned = link >= n_link
    place = np.flatnonzero(turned[order])
    left = left.copy()
    left[order[place - 1]] = left[order[place]]
    return [column[~turned] for column in (vehicle, link, entered, left)]
