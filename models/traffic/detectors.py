"""Virtual detectors: what loops, travel-time pairs and floating cars would have seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from twin.models.traffic.alone import Result

Array = np.ndarray[Any, Any]

VEHICLE_AND_LOOP = 5.0 + 2.0
"""m; length of a car and of a loop (Traffic Detector Handbook, FHWA 2006, chapter 2: loops of 1.8 m)."""


def loops(result: Result, links: Sequence[Any], every: float = 300.0, until: float | None = None) -> pd.DataFrame:
    """Count vehicles at the end of links: one row per link and interval, empty intervals included.

    link, begin (s), count, flow (veh/h), speed (m/s, mean over space of those
    counted on their way along the link, nan if none), occupancy (share of time
    that a loop in each lane is covered)

    every  s; until  s, by default the last exit from these links
    """
    import pandas as pd

    _check_links(result, links)
    _check_interval(every)
    if until is not None and not until > 0:
        raise ValueError(f"until ({until}) must be greater than 0 s")
    events = result.events[result.events["link"].isin(links)]
    last = float(events["left"].max()) if len(events) else 0.0
    bins = int(last // every) + 1 if until is None else max(int(np.ceil(until / every)), 1)
    if len(set(links)) < len(links):
        raise ValueError("links must be different from one another")
    place = pd.Index(links).get_indexer(events["link"])
    row = place * bins + (events["left"].to_numpy() // every).astype(np.int64)
    inside = events["left"].to_numpy() < bins * every
    own = result.links.loc[list(links)]
    pace = (events["left"] - events["entered"]).to_numpy() / own["length"].to_numpy(float)[place]
    count = np.bincount(row[inside], minlength=bins * len(links))
    paces = np.bincount(row[inside], pace[inside], bins * len(links))
    lanes = own["lanes"].to_numpy(float) if "lanes" in own else np.ones(len(own))
    return pd.DataFrame(
        {
            "link": np.repeat(np.asarray(own.index), bins),
            "begin": np.tile(np.arange(bins) * every, len(links)),
            "count": count,
            "flow": count * 3600 / every,
            "speed": np.divide(count, paces, out=np.full(len(count), np.nan), where=count > 0),
            "occupancy": np.minimum(paces * VEHICLE_AND_LOOP / every / np.repeat(lanes, bins), 1.0),
        }
    )


def travel_times(result: Result, first: Any, last: Any) -> pd.DataFrame:
    """Time vehicles from the start of one link to the end of another: trip, entered, left, time (s).

    A vehicle that leaves the second before it enters the first is not timed.
    """
    _check_links(result, [first, last])
    events = result.events
    begin = events[events["link"] == first].groupby("trip")["entered"].min()
    end = events[events["link"] == last].groupby("trip")["left"].max()
    pairs = begin.to_frame().join(end, how="inner")
    pairs = pairs[pairs["left"] > pairs["entered"]]
    timed: pd.DataFrame = pairs.assign(time=pairs["left"] - pairs["entered"])
    return timed.sort_values("left", kind="stable").reset_index()


def floating_cars(result: Result, share: float, every: float = 10.0, seed: int = 1) -> pd.DataFrame:
    """Follow a share of the vehicles: trip, time (s), link, offset (m from its start), speed (m/s).

    share  of all trips; the same trips for the same seed, whatever they do
    every  s between two reports of a vehicle; reports fall on its multiples

    A vehicle reports the mean speed of its way along the link; the log does
    not tell where on the link it stood.
    """
    import pandas as pd

    from twin.models.traffic.order import keys_of
    from twin.random import uniform

    if not 0 <= share <= 1:
        raise ValueError(f"share ({share}) must be between 0 and 1")
    _check_interval(every)
    chosen = result.trips.index[uniform(seed, "floating.car", keys_of(result.trips.index)) < share]
    events = result.events[result.events["trip"].isin(chosen)]
    entered, left = events["entered"].to_numpy(), events["left"].to_numpy()
    first = np.ceil(entered / every).astype(np.int64)
    count = np.maximum(np.ceil(left / every).astype(np.int64) - first, 0)
    row = np.repeat(np.arange(len(events)), count)
    time = (first[row] + np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)) * every
    length = result.links["length"].loc[events["link"]].to_numpy(float)
    speed = length / (left - entered)
    reports = pd.DataFrame(
        {
            "trip": events["trip"].to_numpy()[row],
            "time": time,
            "link": events["link"].to_numpy()[row],
            "offset": (time - entered[row]) * speed[row],
            "speed": speed[row],
        }
    )
    return reports.sort_values(["time", "trip"], kind="stable", ignore_index=True)


def _check_links(result: Result, links: Sequence[Any]) -> None:
    if isinstance(links, str):
        raise TypeError(f"links ({links!r}) must be a list of links")
    unknown = [link for link in links if link not in result.links.index]
    if unknown:
        raise ValueError(f"no link {', '.join(map(str, unknown))} in the result")


def _check_interval(every: float) -> None:
    if not 0 < every < np.inf:
        raise ValueError(f"every ({every}) must be greater than 0 s and finite")
