"""Legs of travellers (ambulances, repair crews) on the live network.

A leg is a path of links with the exact instant at which each is entered, so
the position between two instants is known by interpolation and nothing has to
happen while a traveller drives. A leg is timed again at intervals, and planned
again from the exact position when a road ahead closes: the link a traveller is
on is finished at its new speed first. Without a path the traveller waits where
it is until the network changes.

Time on a link: free + share * (live - free), where free is the free-flow time on
the road as wet as it is. `share` is the part of the congestion that the traveller
feels: 1 for a crew in traffic, less with a siren. Water slows all alike.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.contract import SECOND
from twin.fields import Field
from twin.models.delays import Delayed, bar, book, book_detour, delay_fields, forget, worst_delays
from twin.models.streets import Streets, path_between, shortest_tree

if TYPE_CHECKING:
    from twin.view import View

Array = np.ndarray[Any, Any]

LONGEST = 192
ROAD_NEEDS = ("link.time", "link.open", "nodes", "links")
ROAD_READS = ("link.time", "link.open", "link.wet_speed")


def roads_changed(view: View, mark: str) -> bool:
    """Tell whether any road has opened or closed since this was last asked.

    mark  field of the caller, one row: checksum of the open roads of the last time
    """
    now = zlib.crc32(np.packbits(view["link.open"]).tobytes())
    if now == view[mark][0]:
        return False
    view.raw(mark)[0] = now
    return True


def leg_fields(table: str, *, observable: bool = False) -> tuple[Field, ...]:
    """Return the fields that the owner of a table of travellers declares.

    observable  the command centre knows the node without a sensor
    """
    return (
        Field(f"{table}.node", "int32", "1", "node it stands on or reaches next", observable=observable),
        Field(f"{table}.leg_goal", "int32", "1", "node the leg leads to, -1 for none", -1),
        Field(f"{table}.leg_count", "int32", "1", "links of the leg as planned, 0 when standing"),
        Field(f"{table}.leg_path", "int32", "1", "links of the leg in driving order", width=(LONGEST,)),
        Field(f"{table}.leg_entry", "int64", "us", "entry into each link, then exit of the last", width=(LONGEST + 1,)),
        Field(f"{table}.leg_stuck", "bool", "1", "no open road leads on; waits for a change"),
        Field(f"{table}.leg_tries", "int64", "1", "plans that found no road, over the whole run"),
        *delay_fields(table),
    )


@dataclass(frozen=True, slots=True)
class Place:
    """Exact position: on a link (-1 for none) at an offset from its start (m), x and y (m)."""

    link: int
    offset: float
    x: float
    y: float


@dataclass(frozen=True)
class Fleet:
    """The travellers of one table.

    share   part of congestion they feel, 0..1
    retime  us between two timings of a leg
    quiet   field that tells who feels all of it for now: without siren; "" for nobody
    """

    table: str
    streets: Streets
    share: float
    retime: int
    quiet: str = ""

    def link_times(self, view: View, row: int = -1) -> Array:
        """Return the seconds each link takes these travellers now, or one of them, inf when closed; (n_link,)."""
        share = 1.0 if self.is_quiet(view, row) else self.share
        live, wet = view["link.time"], np.ones(1)
        if "link.wet_speed" in view:
            wet = view["link.wet_speed"]
        passable = view["link.open"] & np.isfinite(live) & (wet > 0.0)
        free = self.streets.free_time / np.where(wet > 0.0, wet, 1.0)
        return np.asarray(np.where(passable, free + share * np.maximum(live - free, 0.0), np.inf))

    def is_quiet(self, view: View, row: int) -> bool:
        """Tell whether a traveller drives without siren now."""
        return bool(self.quiet) and row >= 0 and bool(view[self.quiet][row])

    def current(self, view: View) -> bool:
        """Tell whether `follow` may be called now; a fleet among vehicles waits until they stand as they do now."""
        return True

    def stand(self, view: View, row: int, node: int) -> None:
        """Put a traveller on a node, without a leg."""
        view.put(f"{self.table}.node", row, node)
        self._raw(view, "leg_count")[row] = 0
        self._raw(view, "leg_goal")[row] = -1
        self._raw(view, "leg_stuck")[row] = False

    def depart(self, view: View, row: int) -> None:
        """Forget the delays of earlier legs; a leg in progress goes on."""
        forget(view, self.table, row)

    def follow(self, view: View, row: int, goal: int) -> int | None:
        """Drive on towards a node; return the us until the next look at this leg.

        0 means arrived; None means that no open road leads there now. Call it to
        begin a leg, at the time it returned, and whenever the network changed.
        """
        book(view, self.table, row, self.streets.free_time)
        if self._arrived(view, row, goal):
            self.stand(view, row, goal)
            return 0
        same_goal = int(self._raw(view, "leg_goal")[row]) == goal and not self._raw(view, "leg_stuck")[row]
        if not (same_goal and self.moving(view, row) and self._retimed(view, row)) and not self._planned(
            view, row, goal
        ):
            return None
        end = int(self._raw(view, "leg_entry")[row, self._raw(view, "leg_count")[row]])
        self._raw(view, "leg_from")[row] = view.now
        return max(min(end - view.now, self.retime), 0)

    def moving(self, view: View, row: int) -> bool:
        """Return whether a traveller is between two nodes or has links ahead."""
        count = int(view[f"{self.table}.leg_count"][row])
        return count > 0 and view.now < int(view[f"{self.table}.leg_entry"][row, count])

    def where(self, view: View, row: int) -> Place:
        """Return the exact position now."""
        if not self.moving(view, row):
            x, y = self.streets.node_xy[view[f"{self.table}.node"][row]]
            return Place(-1, 0.0, float(x), float(y))
        index, fraction = self._progress(view, row)
        link = int(view[f"{self.table}.leg_path"][row, index])
        x, y = self.streets.point_on(link, fraction)
        return Place(link, fraction * float(self.streets.length[link]), x, y)

    def next_node(self, view: View, row: int) -> int:
        """Return the node a traveller stands on or can turn at next, exactly now."""
        if not self.moving(view, row):
            return int(view[f"{self.table}.node"][row])
        index, _ = self._progress(view, row)
        return int(self.streets.graph.to_node[view[f"{self.table}.leg_path"][row, index]])

    def refresh_nodes(self, view: View) -> None:
        """Write `node` of every traveller on a leg as it is now."""
        rows = np.flatnonzero(view[f"{self.table}.leg_count"])
        if rows.shape[0]:
            index = self._indices(view, rows)
            node = self.streets.graph.to_node[view[f"{self.table}.leg_path"][rows, index]]
            view.put(f"{self.table}.node", rows, node)

    def blocked(self, view: View) -> list[tuple[int, int]]:
        """Return (traveller, first closed link ahead) for every leg that cannot be driven as planned."""
        open_links = view["link.open"]
        if open_links.all():
            return []
        rows = np.flatnonzero(view[f"{self.table}.leg_count"])
        found = []
        for row, index in zip(rows.tolist(), self._indices(view, rows).tolist(), strict=True):
            ahead = view[f"{self.table}.leg_path"][row, index + 1 : view[f"{self.table}.leg_count"][row]]
            shut = ahead[~open_links[ahead]]
            if shut.shape[0]:
                found.append((row, int(shut[0])))
        return found

    def stuck(self, view: View) -> list[int]:
        """Return the travellers that wait for a way to open."""
        return [int(row) for row in np.flatnonzero(view[f"{self.table}.leg_stuck"])]

    def _indices(self, view: View, rows: Array) -> Array:
        """Return the index of the link being driven, the last one when the leg is over; (n,)."""
        entry, count = view[f"{self.table}.leg_entry"], view[f"{self.table}.leg_count"]
        now = view.now
        found = [int(entry[row, : count[row]].searchsorted(now, side="right")) for row in rows.tolist()]
        return np.maximum(np.array(found, dtype=np.int64) - 1, 0)

    def delays(self, view: View, row: int) -> list[Delayed]:
        """Return the driven links that cost most since `depart`, worst first."""
        return worst_delays(view, self.table, row)

    def times_from(self, view: View, row: int) -> Array:
        """Return the seconds from a traveller's next node to every node, inf where no road leads; (n_node,)."""
        return shortest_tree(self.streets, self.link_times(view, row), self.next_node(view, row)).time

    def _raw(self, view: View, column: str) -> Array:
        return view.raw(f"{self.table}.{column}")

    def _progress(self, view: View, row: int) -> tuple[int, float]:
        """Return the index of the link being driven and the fraction of it behind, of a moving traveller."""
        count = int(view[f"{self.table}.leg_count"][row])
        entry = view[f"{self.table}.leg_entry"][row]
        index = int(np.searchsorted(entry[: count + 1], view.now, side="right")) - 1
        index = min(max(index, 0), count - 1)
        return index, (view.now - int(entry[index])) / (int(entry[index + 1]) - int(entry[index]))

    def _arrived(self, view: View, row: int, goal: int) -> bool:
        if self.moving(view, row):
            return False
        count = int(self._raw(view, "leg_count")[row])
        if count:
            last = int(self._raw(view, "leg_path")[row, count - 1])
            self.stand(view, row, int(self.streets.graph.to_node[last]))
        return int(view[f"{self.table}.node"][row]) == goal

    def _retimed(self, view: View, row: int) -> bool:
        """Time the rest of a leg again; False when a road ahead is closed."""
        index, _ = self._progress(view, row)
        path = self._raw(view, "leg_path")[row, index + 1 : self._raw(view, "leg_count")[row]].copy()
        times = self.link_times(view, row)
        if not np.isfinite(times[path]).all():
            return False
        self._write(view, row, path, times)
        return True

    def _planned(self, view: View, row: int, goal: int) -> bool:
        """Find a new path from the exact position; False when there is none."""
        times = self.link_times(view, row)
        path = path_between(self.streets, times, self.next_node(view, row), goal)
        self._raw(view, "leg_goal")[row] = goal
        self._raw(view, "leg_stuck")[row] = path is None
        self._book_closure(view, row, goal, times, path)
        if path is None:
            self._raw(view, "leg_tries")[row] += 1
            self._finish_link(view, row, times)
            return False
        self._write(view, row, path, times)
        return True

    def _finish_link(self, view: View, row: int, times: Array) -> None:
        """Let a traveller without a path roll to the end of its link."""
        if self.moving(view, row):
            self._write(view, row, np.empty(0, dtype=np.int32), times)

    def _write(self, view: View, row: int, path: Array, times: Array) -> None:
        """Write links ahead with their times, behind the link being driven."""
        links, start = path, view.now
        durations = np.maximum(np.rint(times[path] * SECOND), 1.0).astype(np.int64)
        if self.moving(view, row):
            index, fraction = self._progress(view, row)
            current = int(self._raw(view, "leg_path")[row, index])
            entry = self._raw(view, "leg_entry")[row]
            takes = int(entry[index + 1] - entry[index])
            if np.isfinite(times[current]):
                takes = max(round(float(times[current]) * SECOND), 1)
            start = view.now + max(round((1.0 - fraction) * takes), 1) - takes
            links = np.concatenate([[current], path])
            durations = np.concatenate([[takes], durations])
        count = min(links.shape[0], LONGEST)
        self._raw(view, "leg_count")[row] = count
        self._raw(view, "leg_path")[row, :count] = links[:count]
        self._raw(view, "leg_entry")[row, 0] = start
        self._raw(view, "leg_entry")[row, 1 : count + 1] = start + np.cumsum(durations[:count])
        view.put(f"{self.table}.node", row, self.next_node(view, row))

    def _book_closure(self, view: View, row: int, goal: int, times: Array, path: Array | None) -> None:
        """Book what closed links cost: the detour just planned; or note which one keeps it waiting.

        times  (n_link,)  s, inf for closed links
        path   the way round them, None when there is none
        """
        bar(view, self.table, row, -1)
        if np.isfinite(times).all():
            return
        without = np.where(np.isfinite(times), times, self.streets.free_time)
        direct = path_between(self.streets, without, self.next_node(view, row), goal)
        shut = [] if direct is None else direct[~np.isfinite(times[direct])].tolist()
        if direct is None or not shut:
            return
        if path is None:
            bar(view, self.table, row, shut[0])
            return
        book_detour(view, self.table, row, shut[0], float(times[path].sum() - without[direct].sum()))
