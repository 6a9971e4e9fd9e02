"""Virtual detectors: what loops, travel-time pairs and floating cars would have seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.models.traffic.inputs import refuse_no_list, refuse_no_numbers

if TYPE_CHECKING:
    import pandas as pd

    from twin.models.traffic.outcome import Result

Array = np.ndarray[Any, Any]

VEHICLE_AND_LOOP = 5.0 + 2.0
"""m; length of a car and of a loop (Traffic Detector Handbook, FHWA 2006, chapter 2: loops of 1.8 m)."""


MOST_ROWS = 10_000_000
"""Rows of a table beyond which an interval is a slip, and would take the memory."""


def loops(
    result: Result, links: Sequence[Any], every: float = 300.0, until: float | None = None, begin: float = 0.0
) -> pd.DataFrame:
    """Count vehicles at the end of links: one row per link and interval, empty intervals included.

    link, begin (s), count, flow (veh/h), speed (m/s, mean over space of those
    counted on their way along the link, nan if none), occupancy (share of time
    that a loop in each lane is covered)

    every  s; until  s, by default the last exit from these links; begin  s, of
    the first interval

    Intervals are whole, as of a loop in a street: flow and occupancy of the one in
    which the run ends are means over all of it, with nobody after `result.end`.
    """
    import pandas as pd

    _check_links(result, links)
    _check_interval(every)
    refuse_no_numbers({"begin": begin} if until is None else {"begin": begin, "until": until})
    if not 0 <= begin < np.inf:
        raise ValueError(f"begin ({begin}) must be at least 0 s and finite")
    if until is not None and not until > begin:
        raise ValueError(f"until ({until}) must be greater than {begin:g} s")
    events = result.events[result.events["link"].isin(links) & (result.events["left"] >= begin)]
    last = float(events["left"].max()) if len(events) else begin
    count_of = (last - begin) // every + 1 if until is None else max(np.ceil((until - begin) / every), 1)
    bins = _rows("loops", count_of, len(links)) // len(links)
    if len(set(links)) < len(links):
        raise ValueError("links must be different from one another")
    place = pd.Index(links).get_indexer(events["link"])
    late = events["left"].to_numpy() - begin
    row = place * bins + (late // every).astype(np.int64)
    inside = late < bins * every
    own = result.links.loc[list(links)]
    pace = (events["left"] - events["entered"]).to_numpy() / own["length"].to_numpy(float)[place]
    count = np.bincount(row[inside], minlength=bins * len(links))
    paces = np.bincount(row[inside], pace[inside], bins * len(links))
    lanes = own["lanes"].to_numpy(float) if "lanes" in own else np.ones(len(own))
    return pd.DataFrame(
        {
            "link": np.repeat(np.asarray(own.index), bins),
            "begin": np.tile(begin + np.arange(bins) * every, len(links)),
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
    not tell where on the link it stood, but see `Result.drives` for those that
    had not left it when the run ended.
    """
    import pandas as pd

    from twin.models.traffic.order import keys_of
    from twin.random import uniform

    refuse_no_numbers({"share": share})
    if not 0 <= share <= 1:
        raise ValueError(f"share ({share}) must be between 0 and 1")
    _check_interval(every)
    chosen = result.trips.index[uniform(seed, "floating.car", keys_of(result.trips.index)) < share]
    trip = result.events["trip"].to_numpy()
    rows = np.flatnonzero(result.events["trip"].isin(chosen))
    drives = result.drives()
    entered, reached, left, place = (column[rows] for column in drives[1:])
    first = np.ceil(entered / every)
    count = np.maximum(np.ceil(left / every) - first, 0)
    _rows("floating_cars", count.sum())
    row = np.repeat(np.arange(len(rows)), count.astype(np.int64))
    nth = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count.astype(np.int64))
    time = (first[row] + nth) * every
    speed = place / np.maximum(reached - entered, 1e-9)
    reports = pd.DataFrame(
        {
            "trip": trip[rows][row],
            "time": time,
            "link": result.events["link"].to_numpy()[rows][row],
            "offset": np.minimum((time - entered[row]) * speed[row], place[row]),
            "speed": np.where(time < reached[row], speed[row], 0.0),
        }
    )
    return reports.sort_values(["time", "trip"], kind="stable", ignore_index=True)


def _check_links(result: Result, links: Sequence[Any]) -> None:
    refuse_no_list("links", links, "links")
    unknown = [link for link in links if link not in result.links.index]
    if unknown:
        raise ValueError(f"no link {', '.join(map(str, unknown))} in the result")


def _check_interval(every: float) -> None:
    refuse_no_numbers({"every": every})
    if not 0 < every < np.inf:
        raise ValueError(f"every ({every}) must be greater than 0 s and finite")


def _rows(table: str, count: float, links: int = 1) -> int:
    """Return the rows of a table of so many intervals, or raise ValueError if they are too many."""
    if count * links > MOST_ROWS:
        raise ValueError(
            f"{table} would have {count * links:,.0f} rows, more than {MOST_ROWS:,}; give a longer interval (every)"
            + (", a later begin or fewer links" if table == "loops" else " or a smaller share")
        )
    return int(count) * links
