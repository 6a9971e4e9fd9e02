"""Which approaches of a junction must not have green together, and which turns give way.

Vehicles enter and leave a junction on their side of each arm, so the ends of a
movement are points of a circle around it, and two movements cross where their
chords do: whether a turn crosses oncoming traffic follows from the driving
side. Two movements into one link merge. Both are conflicts. Approaches that
face each other may still have green together: whoever turns across the other
gives way, as at any signal of two phases (Traffic Signal Timing Manual, FHWA
2008, section 4.3.1, permitted turns).

Whoever gives signals their phases, checks them or drives by them asks here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

FACING = np.deg2rad(135.0)
"""Arms at least this far apart face each other: nearer to straight ahead than to a right angle."""
_SIDE = 0.02
"""rad between the two directions of one arm; only its sign matters."""


@dataclass(frozen=True)
class Junctions:
    """Hold streets as conflicts see them.

    from_node, to_node  (n_link,)
    arms        (n_link, 2)  rad, direction in which a link's arm leads away from its
                first node and from its last one; None: unknown
    left        vehicles keep to the left
    banned      pairs (link, next link) that nobody may drive
    """

    from_node: Array
    to_node: Array
    arms: Array | None
    left: bool
    banned: frozenset[tuple[int, int]] = frozenset()
    _exits: dict[int, list[int]] = field(init=False, default_factory=dict, repr=False)

    @cached_property
    def _leaving(self) -> tuple[Array, Array]:
        """Return the links by first node, and the nodes in that order."""
        order = np.argsort(self.from_node, kind="stable")
        return order, self.from_node[order]

    def exits(self, link: int) -> list[int]:
        """Return the links that vehicles may go to, turning back excepted."""
        if link not in self._exits:
            order, tails = self._leaving
            first, end = np.searchsorted(tails, self.to_node[link] + np.arange(2))
            after = order[first:end]
            after = after[self.to_node[after] != self.from_node[link]].tolist()
            self._exits[link] = [exit_ for exit_ in after if (link, exit_) not in self.banned]
        return self._exits[link]

    def cross(self, one: tuple[int, int], two: tuple[int, int]) -> bool:
        """Say whether two movements (link, next link) into different links cross."""
        begin, end, a, b = *self._ends(*one), *self._ends(*two)
        reach = (end - begin) % (2 * np.pi)
        return bool(((a - begin) % (2 * np.pi) < reach) != ((b - begin) % (2 * np.pi) < reach))

    def meet(self, one: tuple[int, int], two: tuple[int, int]) -> bool:
        """Say whether two movements (link, next link) cross or merge."""
        return one[1] == two[1] or self.cross(one, two)

    def clash(self, one: int, two: int) -> bool:
        """Say whether two approaches of a junction must not have green together.

        Without directions only those are known to clash that can go nowhere but into one and the same link.
        """
        return self.clash_of(one, two, self.exits(one), self.exits(two))

    def clash_of(self, one: int, two: int, first: list[int], second: list[int]) -> bool:
        """Say as `clash` does of some exits only of two approaches."""
        if len(set(first) | set(second)) == 1 and first and second:
            return True
        if self.arms is None or self.facing(one, two):
            return False
        return any(self.meet((one, a), (two, b)) for a in first for b in second)

    def gives_way(self, one: tuple[int, int], two: tuple[int, int]) -> bool:
        """Say whether a movement meets one from the approach it faces and turns farther across the road."""
        return self.meet(one, two) and self._across(*one) > self._across(*two) + _SIDE

    def facing(self, one: int, two: int) -> bool:
        """Say whether two approaches of a junction face each other."""
        return bool(np.pi - self.bend(one, two) >= FACING)

    def bend(self, one: int, two: int) -> float:
        """Return how far two approaches of a junction are from opposite to each other, 0 to pi rad."""
        apart = (self._arm(one, 1) - self._arm(two, 1)) % (2 * np.pi)
        return abs(float(apart) - np.pi)

    def _across(self, link: int, exit_: int) -> float:
        """Return how far a movement turns across oncoming traffic: pi straight on, less to its own side, rad."""
        angle = self._arm(exit_, 0) - self._arm(link, 1)
        return float((-angle if self.left else angle) % (2 * np.pi))

    def _ends(self, link: int, exit_: int) -> tuple[float, float]:
        """Return the angles at which a movement enters and leaves its junction, seen from its middle."""
        side = _SIDE if self.left else -_SIDE
        return self._arm(link, 1) - side, self._arm(exit_, 0) + side

    def _arm(self, link: int, end: int) -> float:
        """Return the angle at which the arm of a link leads away from one of its ends."""
        assert self.arms is not None
        return float(self.arms[link, end])


def arms_of_nodes(from_node: Array, to_node: Array, position: Array) -> Array:
    """Return the arms (n_link, 2) of straight links; position (n_node, 2) m, x east and y north."""
    east, north = (position[to_node] - position[from_node]).T
    ahead = np.arctan2(north, east)
    return np.column_stack([ahead, ahead + np.pi])


def arms_of_city(tables: Mapping[str, Mapping[str, Any]]) -> Array:
    """Return the arms (n_link, 2) of a city: along the drawn lines of its links where it has them."""
    nodes, links = tables["nodes"], tables["links"]
    arms = arms_of_nodes(links["from_node"], links["to_node"], np.column_stack([nodes["x"], nodes["y"]]))
    if "points" not in tables or "point_first" not in links:
        return arms
    points = np.column_stack([tables["points"]["x"], tables["points"]["y"]])
    first = links["point_first"].astype(np.int64)
    last = first + links["point_count"] - 1
    drawn = np.flatnonzero((first >= 0) & (last > first) & (last < len(points)))
    first, last = first[drawn], last[drawn]
    for column, near, next_ in ((0, first, first + 1), (1, last, last - 1)):
        east, north = (points[next_] - points[near]).T
        known = (east != 0) | (north != 0)
        arms[drawn[known], column] = np.arctan2(north, east)[known]
    return arms


def junctions_of_city(tables: Mapping[str, Mapping[str, Any]], left: bool) -> Junctions:
    """Return the junctions of a city's tables; a table `banned_turns` is kept to."""
    links, turns = tables["links"], tables.get("banned_turns")
    pairs = [] if turns is None else zip(turns["from_link"].tolist(), turns["to_link"].tolist(), strict=True)
    return Junctions(links["from_node"], links["to_node"], arms_of_city(tables), left, frozenset(pairs))


@dataclass(frozen=True)
class Windows:
    """Hold greens, one row a link or a movement; times in s.

    clear  from the end of green until others may have theirs: amber and all-red
    exit_  link that the vehicles with this green go to, -1: any without a green of its own
    """

    link: Array
    cycle: Array
    start: Array
    green: Array
    clear: Array
    exit_: Array


def overlaps(junctions: Junctions, greens: Windows) -> list[tuple[int, int]]:
    """Return the pairs of rows at one junction whose greens overlap though their movements conflict.

    A green also overlaps what another needs to clear. Greens of different
    cycles drift through each other.
    """
    served = _served(junctions, greens)
    return [
        (a, b)
        for a, b in _pairs(junctions, greens)
        if greens.link[a] != greens.link[b]
        and _together(greens, a, b)
        and junctions.clash_of(int(greens.link[a]), int(greens.link[b]), served[a], served[b])
    ]


def permitted_turns(junctions: Junctions, greens: Windows) -> list[tuple[int, int, int]]:
    """Return link, next link and other link wherever a turn gives way to the approach it faces.

    Both have green at once, or one still clears. The turn crosses a movement of
    the other, or merges with it, that turns less far across the road.
    """
    served, found = _served(junctions, greens), set()
    for pair in _pairs(junctions, greens):
        one, two = (int(link) for link in greens.link[list(pair)])
        if one == two or not _together(greens, *pair) or not junctions.facing(one, two):
            continue
        for (link, turns), (other, ways) in (
            ((one, served[pair[0]]), (two, served[pair[1]])),
            ((two, served[pair[1]]), (one, served[pair[0]])),
        ):
            found |= {
                (link, turn, other) for turn in turns for way in ways if junctions.gives_way((link, turn), (other, way))
            }
    return sorted(found)


def _served(junctions: Junctions, greens: Windows) -> list[list[int]]:
    """Return the exits that each green serves."""
    own = {(int(link), int(exit_)) for link, exit_ in zip(greens.link, greens.exit_, strict=True) if exit_ >= 0}
    return [
        [int(exit_)] if exit_ >= 0 else [way for way in junctions.exits(int(link)) if (int(link), way) not in own]
        for link, exit_ in zip(greens.link, greens.exit_, strict=True)
    ]


def _pairs(junctions: Junctions, greens: Windows) -> list[tuple[int, int]]:
    """Return the pairs of rows at one junction."""
    node = junctions.to_node[greens.link]
    order = np.argsort(node, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(node[order])) + 1)
    return [(int(a), int(b)) for rows in groups for place, a in enumerate(rows) for b in rows[place + 1 :]]


def _together(greens: Windows, a: int, b: int) -> bool:
    if greens.cycle[a] != greens.cycle[b]:
        return True
    cycle, apart = greens.cycle[a], greens.start[b] - greens.start[a]
    return bool(
        _gap(apart, cycle) < greens.green[a] + greens.clear[a] - 1e-6
        or _gap(-apart, cycle) < greens.green[b] + greens.clear[b] - 1e-6
    )


def _gap(apart: float, cycle: float) -> float:
    """Return the time from one start to the next, a rounding error below a cycle being none."""
    gap = apart % cycle
    return 0.0 if cycle - gap < 1e-6 else gap


def phases_in_conflict(tables: Mapping[str, Mapping[str, Any]], left: bool) -> list[str]:
    """Return, as sentences, approaches that have green in one phase of a city though their movements conflict."""
    if "phases" not in tables or "phase_links" not in tables or "signals" not in tables:
        return []
    served, phases = tables["phase_links"], tables["phases"]
    signal = tables["signals"]["id"][phases["signal"][served["phase"]]]
    names = tables["links"]["id"][served["link"]]
    found = overlaps(junctions_of_city(tables, left), greens_of_phases(tables))
    return [f"signal {signal[a]}: {names[a]} and {names[b]}" for a, b in found]


def wrong_greens(tables: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return, as sentences, approaches and pockets with green in two phases, and greens of turns without a pocket."""
    if "phase_links" not in tables:
        return []
    served, names = tables["phase_links"], tables["links"]["id"]
    pockets = tables.get("pockets", {"from_link": np.empty(0), "to_link": np.empty(0)})
    known = set(zip(pockets["from_link"].tolist(), pockets["to_link"].tolist(), strict=True))
    exits = served.get("to_link", np.full(len(served["link"]), -1))
    seen: set[tuple[int, int]] = set()
    problems = []
    for link, after in zip(served["link"].tolist(), exits.tolist(), strict=True):
        said = str(names[link]) if after < 0 else f"{names[link]} to {names[after]}"
        if (link, after) in seen:
            problems.append(f"{said} has green in two phases")
        if after >= 0 and (link, after) not in known:
            problems.append(f"{said} has a green of its own but no pocket")
        seen.add((link, after))
    return problems


def greens_of_phases(tables: Mapping[str, Mapping[str, Any]]) -> Windows:
    """Return a green for every row of `phase_links`, such that those of one phase alone overlap."""
    served = tables["phase_links"]
    phase, nowhere = served["phase"], np.full(len(served["phase"]), -1)
    once = np.ones(len(phase))
    exits = served.get("to_link", nowhere)
    return Windows(served["link"], 1e9 * once, 10.0 * phase, once, 0.0 * once, exits)
