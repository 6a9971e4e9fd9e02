"""Hours of the day: on which units are on duty and desks are staffed, as a plan writes them."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from twin.models.plan_file import NOTHING, Entry, Plan

DAY = 86_400.0
NIGHT_AND_DAY = ((0.0, DAY),)

Windows = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Desk:
    """Call-takers of a desk: (begin, end, people) of each stretch of the day, s; breaks each takes."""

    staff: tuple[tuple[float, float, int], ...]
    break_every: float = 0.0
    break_length: float = 0.0

    @property
    def most(self) -> int:
        """People at the busiest hour."""
        edges = sorted({begin for begin, _, _ in self.staff})
        return max((self.at(edge) for edge in edges), default=0)

    def at(self, second: float) -> int:
        """Return the people on duty at a second of the day."""
        return sum(people for begin, end, people in self.staff if begin <= second < end)


def read_roster(plan: Plan, entry: Entry) -> Windows:
    """Return the hours of a roster, `07:00-19:00` or a list of such, in order."""
    before = len(plan.problems)
    found = [window for item in entry.items for window in _window(plan, item, item.text)]
    if not found and len(plan.problems) == before:
        plan.tell(entry, "a roster is a list of hours such as 07:00-19:00")
    ordered = sorted(found)
    for (_, end), (begin, _) in itertools.pairwise(ordered):
        if begin < end:
            plan.tell(entry, f"two stretches of a roster overlap at {clock(begin)}")
    return tuple(ordered)


def _window(plan: Plan, entry: Entry, text: str) -> list[tuple[float, float]]:
    """Return the seconds of the day that `07:00-19:00` stands for, in two pieces over midnight."""
    begin, _, end = text.partition("-")
    first, last = _second(begin), _second(end)
    if first is None or last is None or first == last:
        plan.tell(entry, f"{text!r} is not a stretch of the day such as 07:00-19:00")
        return []
    return [(first, last)] if first < last else [(first, DAY)] + [(0.0, last)] * (last > 0)


def _second(text: str) -> float | None:
    hours, colon, minutes = text.strip().partition(":")
    if not (colon and hours.isdigit() and minutes.isdigit() and len(minutes) == 2):
        return None
    second = int(hours) * 3600.0 + int(minutes) * 60.0
    return second if second <= DAY and int(minutes) < 60 else None


def clock(second: float) -> str:
    """Return a second of the day as hours and minutes.

    >>> clock(27000.0)
    '07:30'
    """
    return f"{int(second // 3600):02d}:{int(second % 3600 // 60):02d}"


def read_desk(plan: Plan, entry: Entry) -> Desk:
    """Return the staff of a desk, written `07:00-19:00 x4`; its gaps are told where all of it can be read."""
    before = len(plan.problems)
    parts = plan.keys(entry, ("takers", "break_every", "break"), ("takers",))
    staff = []
    for item in parts.get("takers", NOTHING).items:
        hours, _, people = item.text.partition(" x")
        if not people.isdigit():
            plan.tell(item, f"{item.text!r} is not hours and people such as 07:00-19:00 x4")
            continue
        staff += [(begin, end, int(people)) for begin, end in _window(plan, item, hours)]
    desk = Desk(
        tuple(staff),
        plan.quantity(parts.get("break_every"), "s", 0.0),
        plan.quantity(parts.get("break"), "s", 0.0),
    )
    empty = [edge for edge in edges_of(staff) if desk.at(edge) < 1]
    if empty and len(plan.problems) == before:
        plan.tell(entry, f"roster gap: nobody answers from {clock(empty[0])}")
    if desk.break_every and desk.break_length >= desk.break_every:
        plan.tell(entry, "a break must be shorter than the time between breaks")
    return desk


def edges_of(windows: Iterable[Sequence[float]]) -> list[float]:
    """Return midnight and the seconds of the day at which a window begins or ends, in order."""
    pairs = list(windows)
    return sorted({0.0, *(w[0] for w in pairs), *(w[1] for w in pairs if w[1] < DAY)})
