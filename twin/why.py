"""Why did it happen: the chain of causes behind an event, and its test.

Every logged event names the events behind it. `Causes` walks that graph back
to its roots; `verify` runs the same world again from just before a root, once
with and once without it, under the same random numbers.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from twin.contract import SECOND, kinds_planned
from twin.errors import DataError

if TYPE_CHECKING:
    from twin.assembly import Assembly

Array = np.ndarray[Any, Any]

_SAME = 60 * SECOND
"""us within which an event of another branch counts as the same one."""


@dataclass(frozen=True)
class Causes:
    """The events of a run and what lies behind each.

    events   time (us), kind, target, value, data: one row an event, by id
    parents  event, parent: pairs of ids
    """

    events: dict[str, Array]
    parents: dict[str, Array]

    @cached_property
    def _behind(self) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        for event, parent in zip(self.parents["event"].tolist(), self.parents["parent"].tolist(), strict=True):
            found.setdefault(event, []).append(parent)
        return found

    def behind(self, event: int) -> list[int]:
        """Return the direct causes of an event."""
        return self._behind.get(event, [])

    def chain(self, event: int) -> list[tuple[int, int]]:
        """Return (depth, id) of an event and all its causes, each once, nearest first."""
        if not 0 <= event < len(self.events["time"]):
            raise DataError(f"no event {event}: this run has events 0 to {len(self.events['time']) - 1}")
        out: list[tuple[int, int]] = []
        seen: set[int] = set()
        stack = [(0, event)]
        while stack:
            depth, number = stack.pop()
            if number in seen:
                continue
            seen.add(number)
            out.append((depth, number))
            stack += [(depth + 1, p) for p in sorted(self.behind(number), reverse=True)]
        return out

    def roots(self, event: int) -> list[int]:
        """Return the causes of an event that have no cause themselves."""
        return sorted(n for _, n in self.chain(event) if not self.behind(n))

    def kinds(self, event: int) -> set[str]:
        """Return the kinds of an event and all its causes."""
        return {str(self.events["kind"][n]) for _, n in self.chain(event)}

    def find(self, kind: str) -> list[int]:
        """Return the ids of all events of a kind."""
        return [int(i) for i in np.flatnonzero(self.events["kind"] == kind)]

    def line(self, event: int) -> list[int]:
        """Return the richest line of causes from a root to an event: most kinds, then shortest."""
        return list(self._lines([event], ())[event].events)

    def ranked(self, kind: str, planned: Container[str] = ()) -> list[int]:
        """Return the events of a kind by their line of causes: richest first, then earliest.

        planned  kinds that scenarios plan: an event that goes back to one comes before all that do not
        """
        events = self.find(kind)
        lines = self._lines(events, planned)
        return sorted(events, key=lambda event: (not lines[event].begun, -len(lines[event].kinds), event))

    def richest(self, kind: str, planned: Container[str] = ()) -> int:
        """Return the event of a kind that is `ranked` first; raise DataError where there is none."""
        found = self.ranked(kind, planned)
        if not found:
            known = ", ".join(sorted(set(self.events["kind"].tolist())))
            close = _closest(kind, self.events["kind"].tolist())
            hint = f"; nearest: {close}" if close else ""
            raise DataError(f"no event of kind {kind!r} happened in this run{hint}; it has {known}")
        return found[0]

    def _lines(self, events: Iterable[int], planned: Container[str]) -> dict[int, _Line]:
        """Return the richest line to each event and to all its causes.

        A cause has a smaller number than what it causes, so one pass in order finds them.
        """
        best: dict[int, _Line] = {}
        for number in sorted({n for event in events for _, n in self.chain(event)}):
            kind = str(self.events["kind"][number])
            lines = [best[parent] for parent in self.behind(number) if parent in best]
            line = max(lines, key=_Line.richness, default=_Line(kind in planned, frozenset(), ()))
            best[number] = _Line(line.begun, line.kinds | {kind}, (*line.events, number))
        return best


def _closest(kind: str, known: Iterable[str]) -> str:
    """Return the kind closest to a name, whatever the order of its words, "" when none is close.

    >>> _closest("slow_link", ["link_flows", "link_slow"])
    'link_slow'
    """
    ordered = {"_".join(sorted(name.split("_"))): name for name in sorted(set(known))}
    close = get_close_matches("_".join(sorted(kind.split("_"))), ordered, 1, 0.6)
    return ordered[close[0]] if close else ""


class _Line(NamedTuple):
    """One way from a root to an event: whether the root is planned, different kinds, and events on it."""

    begun: bool
    kinds: frozenset[str]
    events: tuple[int, ...]

    def richness(self) -> tuple[bool, int, int]:
        """Return what makes one line richer than another."""
        return self.begun, len(self.kinds), -len(self.events)


@dataclass(frozen=True)
class Verdict:
    """Outcome of a test by branch.

    root            id of the event taken out
    others          ids of further events taken out with it
    with_root       value of the event in the branch that keeps it; None if it did not happen
    without_root    value in the branch that lacks it; None if it did not happen
    """

    root: int
    root_kind: str
    kind: str
    with_root: float | None
    without_root: float | None
    others: tuple[int, ...] = ()

    @property
    def gone(self) -> bool:
        """True when the event happens with the root and not without it."""
        return self.with_root is not None and self.without_root is None

    def __str__(self) -> str:
        cases = f"{_told(self.with_root)}; without: {_told(self.without_root)}"
        if self.others:
            told = "Together the roots explain it." if self.gone else "The roots do not explain it, even together."
            return f"{self.kind} with all {1 + len(self.others)} roots: {cases}. {told}"
        return f"{self.kind} with [{self.root}] {self.root_kind}: {cases}. " + (
            "The root is needed for it." if self.gone else "The root does not explain it alone."
        )


def _told(value: float | None) -> str:
    return "does not happen" if value is None else f"happens ({value:.6g})"


def verify(causes: Causes, event: int, assembly: Assembly, root: int | None = None) -> Verdict:
    """Branch just before a root event, with and without it, and compare.

    The event is gone when the branch without the root has fewer events of its kind about its target,
    and none at about its time.

    root  id of a scenario event in the chain; default the earliest of its roots
    """
    if root is None:
        return _without(causes, event, assembly, [planned_roots(causes, event, assembly)[:1]])[0]
    if not 0 <= root < len(causes.events["kind"]) or not _planned(causes, root, assembly):
        candidates = [n for n in causes.roots(event) if _planned(causes, n, assembly)]
        raise DataError(f"event {root} is not an event of the scenario; try one of {candidates}")
    return _without(causes, event, assembly, [[root]])[0]


def verify_each(causes: Causes, event: int, assembly: Assembly, most: int = 4) -> list[Verdict]:
    """Branch just before the first root without each of the roots, and without all of them where there are several.

    most  roots that are taken out alone, earliest first
    Raises DataError where the event goes back to no event of the scenario.
    """
    roots = planned_roots(causes, event, assembly)
    return _without(causes, event, assembly, [*([root] for root in roots[:most]), *([roots] if len(roots) > 1 else [])])


def planned_roots(causes: Causes, event: int, assembly: Assembly) -> list[int]:
    """Return the roots of an event that the scenario planned, earliest first; raise DataError where there is none."""
    found = [n for n in causes.roots(event) if _planned(causes, n, assembly)]
    if not found:
        raise DataError(f"event {event} goes back to no event of the scenario, so there is nothing to take out")
    return found


def _without(causes: Causes, event: int, assembly: Assembly, groups: Sequence[Sequence[int]]) -> list[Verdict]:
    """Return a verdict for each group of roots taken out together, all by branches from before the earliest."""
    from twin.world import World

    columns = causes.events
    kind, target, time = str(columns["kind"][event]), int(columns["target"][event]), int(columns["time"][event])
    before = World(assembly).run(min(int(columns["time"][root]) for group in groups for root in group))

    def rows(roots: Sequence[int]) -> list[tuple[int, float]]:
        with before.branch(without=tuple(int(columns["data"][root]) for root in roots)) as world:
            return _alike(world.run().events.rows(), kind, target, before.now)

    kept = rows([])
    mine = [value for at, value in kept if at == time]
    verdicts = []
    for first, *others in groups:
        lacking = rows([first, *others])
        near = [value for at, value in lacking if abs(at - time) <= _SAME]
        gone = len(lacking) < len(kept) and not near
        left = None if gone or not lacking else (near or [lacking[-1][1]])[-1]
        begun = str(columns["kind"][first])
        verdicts.append(Verdict(first, begun, kind, mine[-1] if mine else None, left, tuple(others)))
    return verdicts


def explained(causes: Causes, kind: str, assembly: Assembly, tries: int = 4) -> Iterator[tuple[int, Verdict]]:
    """Verify events of a kind, the richest lines of causes first, until one is gone without a root, or all of its own.

    Yields (event, verdict), for at most `tries` events a verdict for each root, and for all where there are several.
    """
    planned = kinds_planned(assembly.event_kinds)
    able = [e for e in causes.ranked(kind, planned) if any(_planned(causes, n, assembly) for n in causes.roots(e))]
    for event in able[:tries]:
        verdicts = verify_each(causes, event, assembly)
        yield from ((event, verdict) for verdict in verdicts)
        if any(verdict.gone for verdict in verdicts):
            return


def _planned(causes: Causes, event: int, assembly: Assembly) -> bool:
    """Tell whether a logged event is one that the scenario planned."""
    kind, index, time = (causes.events[c][event] for c in ("kind", "data", "time"))
    events = assembly.events
    return bool(0 <= index < len(events) and events[index].kind == kind and events[index].time == time)


def _alike(rows: list[tuple[Any, ...]], kind: str, target: int, since: int) -> list[tuple[int, float]]:
    """Return time and value of the events of one kind about one target from an instant on."""
    return [(row[0], float(row[3])) for row in rows if row[1] == kind and row[2] == target and row[0] >= since]
