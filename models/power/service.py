"""Count interruptions and lost supply as utilities report them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from twin.contract import MINUTE, SECOND

if TYPE_CHECKING:
    from twin.view import View

Array = np.ndarray[Any, Any]

SUSTAINED = 5 * MINUTE
"""An interruption that lasts longer counts in the indices; IEEE 1366-2022, definitions."""


def begin_or_end(view: View, rows: Array, supplied: Array) -> None:
    """Note interruptions that begin or end now.

    rows      buses whose supply has changed
    supplied  (n_bus,)  has supply now
    """
    since = view["bus.dark_since"][rows]
    dark = np.where(supplied[rows] & (since >= 0), view.now - since, 0)
    counted = dark > SUSTAINED
    view.put("bus.dark_time", rows, view["bus.dark_time"][rows] + dark)
    view.put("bus.interruptions", rows, view["bus.interruptions"][rows] + counted)
    view.put("bus.interrupted_time", rows, view["bus.interrupted_time"][rows] + np.where(counted, dark, 0))
    view.put("bus.dark_since", rows, np.where(supplied[rows], -1, view.now))


def lost(view: View) -> tuple[float, float]:
    """Return customer minutes and energy (J) lost up to now."""
    elapsed = view.now - int(view["grid.since"][0])
    minutes = float(view["grid.customer_minutes"][0]) + int(view["grid.dark"][0]) * elapsed / MINUTE
    energy = float(view["grid.energy"][0]) + float(view["grid.unserved"][0]) * elapsed / SECOND
    return minutes, energy


def interruptions(view: View) -> tuple[Array, Array]:
    """Return per bus the sustained interruptions and their time (us), those that go on included."""
    since = view["bus.dark_since"]
    dark = np.where(since >= 0, view.now - since, 0)
    counted = dark > SUSTAINED
    return view["bus.interruptions"] + counted, view["bus.interrupted_time"] + np.where(counted, dark, 0)


def indices(view: View, customers: Array) -> dict[str, float]:
    """Return SAIDI (min), SAIFI and CAIDI (min) of the run so far; 0 without interruptions.

    customers  (n_bus,)

    Source: IEEE 1366-2022, clause 3: minutes and number of sustained interruptions per customer
    served, and minutes per interruption.
    """
    count, time = interruptions(view)
    served = max(float(customers.sum()), 1.0)
    minutes, number = float((customers * time).sum() / MINUTE), float((customers * count).sum())
    return {"saidi": minutes / served, "saifi": number / served, "caidi": minutes / number if number else 0.0}
