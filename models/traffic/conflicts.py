"""Which approaches of a junction must not have green together.

Vehicles enter and leave a junction on their side of each arm, so the ends of a
movement are points of a circle around it, and two movements cross where their
chords do: whether a turn crosses oncoming traffic follows from the driving
side. Two movements into one link merge. Both are conflicts. Approaches that
face each other may still have green together: whoever turns across the other
gives way, as at any signal of two phases (Traffic Signal Timing Manual, FHWA
2008, section 4.3.1, permitted turns).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

_FACING = np.deg2rad(135.0)
"""Arms at least this far apart face each other."""
_SIDE = 0.02
"""rad between the two directions of one arm; only its sign matters."""


@dataclass(frozen=True)
class Junctions:
    """Hold streets as conflicts see them.

    from_node, to_node  (n_link,)
    position    (n_node, 2)  m, x east and y north; None: unknown
    left        vehicles keep to the left
    banned      pairs (link, next link) that nobody may drive
    """

    from_node: Array
    to_node: Array
    position: Array | None
    left: bool
    banned: frozenset[tuple[int, int]] = frozenset()

    def exits(self, link: int) -> list[int]:
        """Return the links that vehicles may go to, turning back excepted."""
        after = np.flatnonzero((self.from_node == self.to_node[link]) & (self.to_node != self.from_node[link]))
        return [int(exit_) for exit_ in after if (link, int(exit_)) not in self.banned]

    def cross(self, one: tuple[int, int], two: tuple[int, int]) -> bool:
        """Say whether two movements (link, next link) into different links cross."""
        begin, end, a, b = *self._ends(*one), *self._ends(*two)
        reach = (end - begin) % (2 * np.pi)
        return bool(((a - begin) % (2 * np.pi) < reach) != ((b - begin) % (2 * np.pi) < reach))

    def clash(self, one: int, two: int) -> bool:
        """Say whether two approaches of a junction must not have green together.

        Without positions only those are known to clash that can go nowhere but into one and the same link.
        """
        first, second = self.exits(one), self.exits(two)
        if len(set(first) | set(second)) == 1 and first and second:
            return True
        if self.position is None or self.facing(one, two):
            return False
        return any(a == b or self.cross((one, a), (two, b)) for a in first for b in second)

    def gives_way(self, one: tuple[int, int], two: tuple[int, int]) -> bool:
        """Say whether a movement meets one from the approach it faces and turns farther across the road."""
        meet = one[1] == two[1] or self.cross(one, two)
        return meet and self._across(*one) > self._across(*two) + _SIDE

    def facing(self, one: int, two: int) -> bool:
        apart = abs(self._arm(one, self.from_node[one]) - self._arm(two, self.from_node[two])) % (2 * np.pi)
        return bool(min(apart, 2 * np.pi - apart) >= _FACING)

    def _across(self, link: int, exit_: int) -> float:
        """Return how far a movement turns across oncoming traffic: pi straight on, less to its own side, rad."""
        angle = self._arm(link, self.to_node[exit_]) - self._arm(link, self.from_node[link])
        return float((-angle if self.left else angle) % (2 * np.pi))

    def _ends(self, link: int, exit_: int) -> tuple[float, float]:
        """Return the angles at which a movement enters and leaves its junction, seen from its middle."""
        side = _SIDE if self.left else -_SIDE
        return self._arm(link, self.from_node[link]) - side, self._arm(link, self.to_node[exit_]) + side

    def _arm(self, link: int, far: int) -> float:
        """Return the angle at which an arm leads from the end of a link to a node."""
        assert self.position is not None
        east, north = self.position[far] - self.position[self.to_node[link]]
        return float(np.arctan2(north, east))


@dataclass(frozen=True)
class Windows:
    """Hold the greens of some links, one row a link; times in s.

    clear  from the end of green until others may have theirs: amber and all-red
    """

    link: Array
    cycle: Array
    start: Array
    green: Array
    clear: Array


def overlaps(junctions: Junctions, windows: Windows) -> list[tuple[int, int]]:
    """Return the pairs of rows at one junction whose greens overlap though their movements conflict.

    A green also overlaps what another needs to clear. Greens of different
    cycles drift through each other.
    """
    return [
        (a, b)
        for a, b in _pairs(junctions, windows)
        if _together(windows, a, b) and junctions.clash(int(windows.link[a]), int(windows.link[b]))
    ]


def permitted_turns(junctions: Junctions, windows: Windows) -> list[tuple[int, int, int]]:
    """Return link, next link and other link wherever a turn gives way to the approach it faces.

    Both have green at once, or one still clears. The turn crosses a movement of
    the other, or merges with it, that turns less far across the road.
    """
    found = set()
    for pair in _pairs(junctions, windows):
        one, two = (int(link) for link in windows.link[list(pair)])
        if not _together(windows, *pair) or not junctions.facing(one, two):
            continue
        for link, other in ((one, two), (two, one)):
            found |= {
                (link, turn, other)
                for turn in junctions.exits(link)
                for way in junctions.exits(other)
                if junctions.gives_way((link, turn), (other, way))
            }
    return sorted(found)


def _pairs(junctions: Junctions, windows: Windows) -> list[tuple[int, int]]:
    """Return the pairs of rows at one junction."""
    node = junctions.to_node[windows.link]
    order = np.argsort(node, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(node[order])) + 1)
    return [(int(a), int(b)) for rows in groups for place, a in enumerate(rows) for b in rows[place + 1 :]]


def _together(windows: Windows, a: int, b: int) -> bool:
    if windows.cycle[a] != windows.cycle[b]:
        return True
    cycle, apart = windows.cycle[a], windows.start[b] - windows.start[a]
    return bool(
        _gap(apart, cycle) < windows.green[a] + windows.clear[a] - 1e-6
        or _gap(-apart, cycle) < windows.green[b] + windows.clear[b] - 1e-6
    )


def _gap(apart: float, cycle: float) -> float:
    """Return the time from one start to the next, a rounding error below a cycle being none."""
    gap = apart % cycle
    return 0.0 if cycle - gap < 1e-6 else gap
