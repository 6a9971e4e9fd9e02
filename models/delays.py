"""What a traveller lost on its way, and to which events: the worst few links.

Delay of a driven link is its time beyond free flow; a closed link costs the
detour planned round it, or the time spent waiting before it. The estimate of a
detour is made when it is planned: a second closure on the same way may count
part of the first again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.contract import SECOND
from twin.fields import Field

if TYPE_CHECKING:
    from twin.view import View

Array = np.ndarray[Any, Any]

WORST = 3


@dataclass(frozen=True, slots=True)
class Delayed:
    """A link with its delay (s) and the event that made it slow or closed it (-1 unknown)."""

    link: int
    excess: float
    cause: int


def delay_fields(table: str) -> tuple[Field, ...]:
    """Return the fields that remember the delays of the travellers of a table."""
    return (
        Field(f"{table}.leg_from", "int64", "us", "time up to which delays are booked"),
        Field(f"{table}.leg_worst", "int32", "1", "links that cost most", -1, width=(WORST,)),
        Field(f"{table}.leg_excess", "float64", "s", "delay on those links", width=(WORST,)),
        Field(f"{table}.leg_cause", "int64", "1", "events behind those delays", -1, width=(WORST,)),
        Field(f"{table}.leg_barred", "int32", "1", "closed link that keeps it waiting, -1 for none", -1),
        Field(f"{table}.leg_barrier", "int64", "1", "event that closed that link, -1 unknown", -1),
    )


def forget(view: View, table: str, row: int) -> None:
    """Forget the delays so far."""
    view.raw(f"{table}.leg_worst")[row] = -1
    view.raw(f"{table}.leg_excess")[row] = 0.0
    view.raw(f"{table}.leg_cause")[row] = -1
    view.raw(f"{table}.leg_from")[row] = view.now


def worst_delays(view: View, table: str, row: int) -> list[Delayed]:
    """Return the delays that cost most since `forget`, worst first."""
    links = view[f"{table}.leg_worst"][row].tolist()
    excess = view[f"{table}.leg_excess"][row].tolist()
    causes = view[f"{table}.leg_cause"][row].tolist()
    known = [Delayed(*parts) for parts in zip(links, excess, causes, strict=True) if parts[0] >= 0]
    return sorted(known, key=lambda d: (-d.excess, d.link))


def book(view: View, table: str, row: int, free_time: Array) -> None:
    """Book what was lost since the last booking, driving and waiting.

    free_time  (n_link,)  s
    """
    since, now = int(view[f"{table}.leg_from"][row]), view.now
    view.raw(f"{table}.leg_from")[row] = now
    count = int(view[f"{table}.leg_count"][row])
    entry = view[f"{table}.leg_entry"][row, : count + 1]
    if view[f"{table}.leg_stuck"][row]:
        _book_waiting(view, table, row, max(since, int(entry[-1])) if count else since)
    if count == 0 or now <= since:
        return
    path = view[f"{table}.leg_path"][row, :count]
    takes = np.diff(entry)
    driven = np.clip(np.minimum(entry[1:], now) - np.maximum(entry[:-1], since), 0, None) / takes
    excess = driven * (takes / SECOND - free_time[path])
    for index in np.argsort(-excess, kind="stable")[:WORST].tolist():
        link = int(path[index])
        if excess[index] > 0.0:
            _remember(view, table, row, Delayed(link, float(excess[index]), view.cause("link.time", link)))


def bar(view: View, table: str, row: int, link: int) -> None:
    """Note the closed link that keeps a traveller waiting, -1 for none."""
    view.raw(f"{table}.leg_barred")[row] = link
    view.raw(f"{table}.leg_barrier")[row] = view.cause("link.open", link) if link >= 0 else -1


def book_detour(view: View, table: str, row: int, link: int, seconds: float) -> None:
    """Book the way round a closed link."""
    _remember(view, table, row, Delayed(link, seconds, view.cause("link.open", link)))


def book_link(view: View, table: str, row: int, link: int, seconds: float) -> None:
    """Book what a driven link has cost beyond free flow, and go on from now."""
    view.raw(f"{table}.leg_from")[row] = view.now
    if seconds > 0.0:
        _remember(view, table, row, Delayed(link, seconds, view.cause("link.time", link)))


def _book_waiting(view: View, table: str, row: int, since: int) -> None:
    link = int(view[f"{table}.leg_barred"][row])
    if link >= 0 and view.now > since:
        stood = (view.now - since) / SECOND
        _remember(view, table, row, Delayed(link, stood, int(view[f"{table}.leg_barrier"][row])))


def _remember(view: View, table: str, row: int, delay: Delayed) -> None:
    """Keep a delay if it is among the worst so far."""
    worst, cost = view.raw(f"{table}.leg_worst")[row], view.raw(f"{table}.leg_excess")[row]
    same = np.flatnonzero(worst == delay.link)
    place = int(same[0]) if same.shape[0] else int(np.argmin(cost))
    if not same.shape[0]:
        if delay.excess <= cost[place] and worst[place] >= 0:
            return
        worst[place], cost[place] = delay.link, 0.0
    cost[place] += delay.excess
    view.raw(f"{table}.leg_cause")[row, place] = delay.cause
