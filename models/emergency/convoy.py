"""Units that drive among the vehicles of the traffic model, link by link.

The rule is that by which the traffic kernel lets an emergency vehicle drive
(`kernels/traffic_rescue.py`): it is due a free-flow time after its entry; where others are
still ahead of it then, it is past them a stated multiple of that time after its entry; at a
signal it asks for green before it is due and has it a stated time later; it gives way to
nobody, and enters a link as soon as that admits a vehicle. Queues, room, signals and
speeds are read from the vehicles as they stand at that instant.

What it leaves out, see docs/adr/0009-units-among-vehicles.md: a unit takes no room and delays nobody.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.contract import NEVER, SECOND
from twin.fields import Field
from twin.models.delays import book, book_link
from twin.models.streets import path_between
from twin.models.travel import LONGEST, Fleet

if TYPE_CHECKING:
    from twin.view import View

Array = np.ndarray[Any, Any]

LOOK = "road_look"
"""Event of the traffic model after which vehicles stand as they do now."""
VEHICLE_READS = ("traffic_clock.value", "road.queue", "road.free_flow", "entry.free", "node.control")
POLL = SECOND
"""us between two looks of a unit that is held up."""

_SIGNALLED = (1, 2)
"""`node.control` of fixed-time and actuated signals."""


def convoy_fields(table: str) -> tuple[Field, ...]:
    """Return the fields of travellers that drive among the vehicles, beside those of their legs."""
    return (
        Field(f"{table}.leg_drive", "int64", "us", "free-flow time of the link it is on, among vehicles"),
        Field(f"{table}.leg_ahead", "int64", "1", "vehicles that had entered that link before it"),
        Field(f"{table}.looks", "int64", "1", "looks at the road ahead asked for so far"),
    )


@dataclass(frozen=True)
class Convoy(Fleet):
    """The travellers of one table among the vehicles.

    passing  past those ahead this multiple of the free-flow time after its entry
    ahead    us before it is due at a signal from which on it asks for green, at most half of its way
    clear    us from then until it has green
    """

    passing: float = 1.5
    ahead: int = 15 * SECOND
    clear: int = 4 * SECOND

    def current(self, view: View) -> bool:
        """Tell whether the vehicles stand as they do now, so that a unit may look."""
        return int(view["traffic_clock.value"][0]) >= view.now

    def follow(self, view: View, row: int, goal: int) -> int | None:
        """Drive on towards a node; return the us until the next look, 0 on arrival, None without a road.

        To be called only when the vehicles are `current`.
        """
        count = int(self._raw(view, "leg_count")[row])
        if count == 0:
            return self._set_off(view, row, goal)
        path = self._raw(view, "leg_path")[row, 1:count].copy()
        link = int(self._raw(view, "leg_path")[row, 0])
        free_at = self._free_at(view, row, link)
        if free_at > view.now:
            return free_at - view.now
        return self._go_on(view, row, goal, self._ahead(view, row, goal, path))

    def moving(self, view: View, row: int) -> bool:
        """Return whether a traveller is on a link."""
        return int(view[f"{self.table}.leg_count"][row]) > 0

    def _ahead(self, view: View, row: int, goal: int, path: Array) -> Array | None:
        """Return the links ahead: those planned while they lead to the goal, else planned anew; None for none."""
        times = self.link_times(view, row)
        same = int(self._raw(view, "leg_goal")[row]) == goal and path.size and np.isfinite(times[path]).all()
        if same and int(self.streets.graph.to_node[path[-1]]) == goal:
            return path
        self._raw(view, "leg_goal")[row] = goal
        found = path_between(self.streets, times, self.next_node(view, row), goal)
        self._book_closure(view, row, goal, times, found)
        return found

    def _set_off(self, view: View, row: int, goal: int) -> int | None:
        """Enter the first link of a leg, or wait at the node until that admits a vehicle."""
        book(view, self.table, row, self.streets.free_time)
        if int(view[f"{self.table}.node"][row]) == goal:
            self.stand(view, row, goal)
            return 0
        return self._enter(view, row, self._ahead(view, row, goal, np.empty(0, np.int32)))

    def _go_on(self, view: View, row: int, goal: int, path: Array | None) -> int | None:
        """Leave a link at its end: for the next one, or because the way ends here."""
        node = self.next_node(view, row)
        if node == goal or path is None:
            self._leave(view, row)
            self.stand(view, row, node)
            return 0 if node == goal else self._enter(view, row, None)
        return self._enter(view, row, path)

    def _enter(self, view: View, row: int, path: Array | None) -> int | None:
        """Enter the first of some links as soon as it admits a vehicle; without links be stuck."""
        self._raw(view, "leg_stuck")[row] = path is None
        if path is None:
            self._raw(view, "leg_tries")[row] += 1
            return None
        link = int(path[0])
        open_at = int(view["entry.free"][link])
        if open_at > view.now:
            return min(open_at - view.now, POLL)
        if self.moving(view, row):
            self._leave(view, row)
        drive = int(view["road.free_flow"][link])
        count = min(path.shape[0], LONGEST)
        takes = np.maximum(np.rint(self.link_times(view, row)[path[:count]] * SECOND), 1.0).astype(np.int64)
        takes[0] = drive
        self._raw(view, "leg_count")[row] = count
        self._raw(view, "leg_path")[row, :count] = path[:count]
        self._raw(view, "leg_entry")[row, 0] = view.now
        self._raw(view, "leg_entry")[row, 1 : count + 1] = view.now + np.cumsum(takes)
        self._raw(view, "leg_drive")[row] = drive
        self._raw(view, "leg_ahead")[row] = self._counted(view, link, entries=True)
        self._raw(view, "leg_from")[row] = view.now
        view.put(f"{self.table}.node", row, self.next_node(view, row))
        return max(self._free_at(view, row, link) - view.now, 1)

    def _free_at(self, view: View, row: int, link: int) -> int:
        """Return when a unit may leave its link, as far as is known now."""
        entered = int(self._raw(view, "leg_entry")[row, 0])
        drive = int(self._raw(view, "leg_drive")[row])
        earliest = entered + drive
        siren = not self.is_quiet(view, row)
        if siren and int(view["node.control"][self.streets.graph.to_node[link]]) in _SIGNALLED:
            earliest = max(earliest, entered + drive - min(self.ahead, drive // 2) + self.clear)
        if view.now < earliest:
            return earliest
        past = entered + round(drive * self.passing) if siren else NEVER
        held = self._counted(view, link, entries=False) < int(self._raw(view, "leg_ahead")[row])
        return min(past, view.now + POLL) if held and view.now < past else view.now

    def _counted(self, view: View, link: int, *, entries: bool) -> int:
        """Return how many vehicles have entered or left a link so far."""
        from twin.kernels.traffic_arrays import ENTRIES, EXITS

        return int(view["road.queue"][link, ENTRIES if entries else EXITS])

    def _leave(self, view: View, row: int) -> None:
        """Book what the link just driven has cost beyond free flow."""
        link, entered = int(self._raw(view, "leg_path")[row, 0]), int(self._raw(view, "leg_entry")[row, 0])
        book_link(view, self.table, row, link, (view.now - entered) / SECOND - float(self.streets.free_time[link]))

    def _indices(self, view: View, rows: Array) -> Array:
        return np.zeros(rows.shape[0], dtype=np.int64)

    def _progress(self, view: View, row: int) -> tuple[int, float]:
        """Return the first link of the leg and the part of it behind at free speed; a unit waits at its end."""
        entered, drive = int(view[f"{self.table}.leg_entry"][row, 0]), int(view[f"{self.table}.leg_drive"][row])
        return 0, min((view.now - entered) / max(drive, 1), 1.0)
