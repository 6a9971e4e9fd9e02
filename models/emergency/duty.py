"""Shifts: who is on duty when, of units and of call-takers, and help from neighbours.

Hours are of the local clock as it stands when the run begins. A unit that is busy
when its shift ends finishes its call and goes home; that is overtime.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.contract import SECOND
from twin.errors import DataError
from twin.models.emergency.rosters import DAY, Desk
from twin.models.emergency.service_plan import Units
from twin.models.emergency.tables import AT_STATION, GOING_OFF, OFF_DUTY, RETURNING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from twin.contract import Setup
    from twin.view import View

Array = np.ndarray[Any, Any]

LEAST_BREAK_EVERY = 60.0
"""s between the breaks of a call-taker, at least; a run keeps a row for each."""

AID_COMES = 1
"""`data` of the shift change of a neighbour's unit that has been asked for."""


@dataclass(frozen=True)
class Shifts:
    """Who is there at the start of a run, and when that changes (us), by unit."""

    first: Array
    changes: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Absences:
    """Stretches (us) in which call-takers are not at their desk.

    desk   (n_taker,)
    spans  begin and end of each absence, by taker, in order
    """

    desk: Array
    spans: tuple[tuple[tuple[int, int], ...], ...]


def unit_shifts(setup: Setup, units: Units) -> Shifts:
    """Return the shift changes of every unit during a run; neighbours' units come when asked."""
    first, changes = [], []
    for windows, aid in zip(units.windows, units.aid.tolist(), strict=True):
        spans = [] if aid >= 0 else _spans(setup, windows)
        first.append(any(begin <= 0 < end for begin, end in spans))
        edges = [edge for span in spans for edge in span]
        changes.append(tuple(edge for edge in edges if 0 < edge < setup.duration))
    return Shifts(np.array(first, dtype=bool), tuple(changes))


def _spans(setup: Setup, windows: Sequence[tuple[float, float]]) -> list[tuple[int, int]]:
    """Return stretches of the run, in us since its start, that windows of the local day cover; joined."""
    midnight = -setup.local_hour() * 3600.0
    days = int(setup.duration / SECOND / DAY) + 3
    pieces = sorted((midnight + d * DAY + b, midnight + d * DAY + e) for d in range(-1, days) for b, e in windows)
    joined: list[list[float]] = []
    for begin, end in pieces:
        if joined and begin <= joined[-1][1] + 1e-6:
            joined[-1][1] = max(joined[-1][1], end)
        else:
            joined.append([begin, end])
    return [(round(begin * SECOND), round(end * SECOND)) for begin, end in joined]


def taker_absences(setup: Setup, desks: Sequence[Desk]) -> Absences:
    """Return when each call-taker is away: outside the hours in which so many are wanted, and on breaks."""
    owner, spans = [], []
    for row, desk in enumerate(desks):
        edges = sorted({0.0, DAY, *(e for stretch in desk.staff for e in stretch[:2])})
        pairs = list(itertools.pairwise(edges))
        for slot in range(desk.most):
            away = _spans(setup, [pair for pair in pairs if desk.at(pair[0]) <= slot])
            on = _spans(setup, [pair for pair in pairs if desk.at(pair[0]) > slot])
            away += [pause for stretch in on for pause in _breaks(desk, slot, stretch)]
            owner.append(row)
            spans.append(tuple(sorted(span for span in away if span[1] > 0 and span[0] < setup.duration)))
    return Absences(np.array(owner, dtype=np.int64), tuple(spans))


def _breaks(desk: Desk, slot: int, stretch: tuple[int, int]) -> list[tuple[int, int]]:
    """Return the breaks of one call-taker in a stretch on duty, staggered so that not all go at once.

    Raises DataError where they would come more often than every minute.
    """
    if desk.break_every <= 0.0:
        return []
    if desk.break_every < LEAST_BREAK_EVERY:
        raise DataError(f"desks: break_every ({desk.break_every:g} s) must be {LEAST_BREAK_EVERY:g} s or more, or 0")
    every, length = desk.break_every * SECOND, desk.break_length * SECOND
    shift = every * (slot + 1) / (desk.most + 1)
    count = max(int((stretch[1] - stretch[0] - shift) // every) + 1, 0)
    begins = [round(stretch[0] + shift + i * every) for i in range(count)]
    return [(begin, round(begin + length)) for begin in begins if begin + length < stretch[1]]


def begin_duty(view: View, shifts: Shifts) -> None:
    """Set who is on duty at the start and await the first change of each unit."""
    off = ~shifts.first
    view.put("unit.duty", slice(None), shifts.first)
    view.put("unit.free", off, False)
    view.put("unit.stage", off, OFF_DUTY)
    for unit in range(off.shape[0]):
        await_change(view, unit, shifts)


def await_change(view: View, unit: int, shifts: Shifts) -> None:
    """Schedule the next shift change of a unit, if there is one."""
    done, times = int(view["unit.shift"][unit]), shifts.changes[unit]
    if done < len(times):
        view.schedule("shift_change", times[done] - view.now, target=unit, cause=-1)


def change(view: View, unit: int) -> None:
    """Take a unit on duty, or off it as soon as it has no call."""
    stage = int(view["unit.stage"][unit])
    view.put("unit.shift", unit, int(view["unit.shift"][unit]) + 1)
    if view["unit.duty"][unit]:
        view.put("unit.duty", unit, False)
        view.put("unit.ended", unit, view.now)
        if view["unit.free"][unit]:
            view.put("unit.free", unit, False)
            view.put("unit.stage", unit, OFF_DUTY if stage == AT_STATION else GOING_OFF)
            if stage == AT_STATION:
                _leave(view, unit)
        return
    view.put("unit.duty", unit, True)
    _count_overtime(view, unit)
    if stage in (OFF_DUTY, GOING_OFF):
        view.put("unit.stage", unit, AT_STATION if stage == OFF_DUTY else RETURNING)
        view.put("unit.free", unit, True)
        view.emit("unit_free", unit)


def go_home(view: View, unit: int) -> None:
    """End a mission at the station, and the shift if it is over."""
    off = not view["unit.duty"][unit]
    view.put("unit.stage", unit, OFF_DUTY if off else AT_STATION)
    view.put("unit.job", unit, -1)
    if off:
        _leave(view, unit)


def _leave(view: View, unit: int) -> None:
    """Let a crew go: its overtime ends, and a neighbour's unit can be asked for again."""
    _count_overtime(view, unit)
    view.put("unit.asked", unit, False)


def _count_overtime(view: View, unit: int) -> None:
    """Add the time since the end of the last shift to the overtime of a unit that is still out then."""
    ended = int(view["unit.ended"][unit])
    if ended >= 0:
        view.raw("unit.overtime")[unit] += view.now - ended
        view.put("unit.ended", unit, -1)


def ask_neighbours(view: View, aid: Array, count: int) -> int:
    """Ask for units of neighbours that are neither here nor on their way, the nearest first; return how many come.

    aid  (n_unit,)  s until each is there, -1 for own units
    """
    waiting = np.flatnonzero((aid >= 0) & ~view["unit.asked"])
    rows = waiting[np.argsort(aid[waiting], kind="stable")][:count]
    view.put("unit.asked", rows, True)
    for unit in rows.tolist():
        view.schedule("shift_change", round(float(aid[unit]) * SECOND), target=unit, data=AID_COMES)
    return int(rows.shape[0])


def staff_of(desks: Mapping[str, Desk], people: int) -> list[Desk]:
    """Return the desks of a plan, or one desk with so many people day and night."""
    return list(desks.values()) or [Desk(((0.0, DAY, people),))]
