"""An order of links and trips that does not depend on how their tables are sorted.

Where two ways take the same time, or two vehicles could move at the same
instant, the rows of the kernel decide. So rows are sorted by what they say and
by their labels first, and results go back to the order of the tables given.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from twin.models.traffic.frames import Frames
    from twin.models.traffic.outcome import Result

Array = np.ndarray[Any, Any]


def rank_of(labels: Any) -> Array:
    """Return the place (n,) of each label among the sorted labels; those that do not compare go by type, then text."""
    import pandas as pd

    index = pd.Index(labels)
    if index.dtype != object:
        return np.asarray(pd.factorize(index, sort=True)[0], np.int64)
    flat = index.to_flat_index()
    try:
        ordered = sorted(set(flat))
    except TypeError:
        ordered = sorted(set(flat), key=lambda label: (type(label).__name__, str(label)))
    place = {label: row for row, label in enumerate(ordered)}
    return np.array([place[label] for label in flat], np.int64)


def keys_of(labels: Any) -> Array:
    """Return a whole number (n,) for each label that depends on nothing else, for its random numbers."""
    import pandas as pd

    index = pd.Index(labels)
    if index.dtype.kind in "iu":
        return np.asarray(index.to_numpy(np.int64, na_value=0))
    return np.asarray(pd.util.hash_pandas_object(index, index=False)).view(np.int64)


def in_order(frames: Frames) -> tuple[Frames, Array, Array]:
    """Sort links by label, trips by departure, ends and label; return also the rows (n,) of both as given."""
    from twin.models.traffic.frames import SECOND

    links = np.argsort(rank_of(frames.links.index), kind="stable")
    trips = frames.trips
    depart = np.rint(trips["depart"].to_numpy(float) * SECOND)
    columns = [rank_of(trips.index)]
    columns += [rank_of(trips[name]) for name in ("to", "from")]
    order = np.lexsort((*columns, depart))
    return replace(frames, links=frames.links.iloc[links], trips=trips.iloc[order]), links, order


def as_given(result: Result, links: Array, trips: Array) -> Result:
    """Return a result with its links and trips in the order of the tables given, see `in_order`."""
    return replace(result, links=result.links.iloc[np.argsort(links)], trips=result.trips.iloc[np.argsort(trips)])
