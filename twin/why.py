"""Why did it happen: the chain of causes behind an event, and its test.

Every logged event names the events behind it. `Causes` walks that graph back
to its roots; `verify` runs the same world again from just before a root, once
with and once without it, under the same random numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.contract import SECOND
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

    def behind(self, event: int) -> list[int]:
        """Return the direct causes of an event."""
        found = self.parents["parent"][self.parents["event"] == event]
        return [int(p) for p in found]

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

    def richest(self, kind: str, through: Iterable[str] = ()) -> int:
        """Return the event of a kind whose chain holds most different kinds.

        through  kinds that the chain should hold; they count ten times
        """
        wanted = set(through)
        best, best_score = -1, -1
        for event in self.find(kind):
            kinds = self.kinds(event)
            score = len(kinds) + 10 * len(kinds & wanted)
            if score > best_score:
                best, best_score = event, score
        if best < 0:
            known = ", ".join(sorted(set(self.events["kind"].tolist())))
            raise DataError(f"no event of kind {kind!r} in this run; it has {known}")
        return best


@dataclass(frozen=True)
class Verdict:
    """Outcome of a test by branch.

    root            id of the event taken out
    with_root       value of the event in the branch that keeps it; None if it did not happen
    without_root    value in the branch that lacks it; None if it did not happen
    """

    root: int
    root_kind: str
    kind: str
    with_root: float | None
    without_root: float | None

    @property
    def gone(self) -> bool:
        """True when the event happens with the root and not without it."""
        return self.with_root is not None and self.without_root is None

    def __str__(self) -> str:
        cases = f"{_told(self.with_root)}; without: {_told(self.without_root)}"
        return f"{self.kind} with [{self.root}] {self.root_kind}: {cases}. " + (
            "The root explains it." if self.gone else "The root does not explain it alone."
        )


def _told(value: float | None) -> str:
    return "does not happen" if value is None else f"happens ({value:.6g})"


def verify(causes: Causes, event: int, assembly: Assembly, root: int | None = None) -> Verdict:
    """Branch just before a root event, with and without it, and compare.

    The event is gone when the branch without the root has fewer events of its kind about its target,
    and none at about its time.

    root  id of a scenario event in the chain; default the earliest of its roots
    """
    from twin.world import World

    columns = causes.events
    candidates = [n for n in causes.roots(event) if _planned(causes, n, assembly)]
    if root is None:
        if not candidates:
            raise DataError(f"event {event} goes back to no event of the scenario, so there is nothing to take out")
        root = candidates[0]
    elif not 0 <= root < len(columns["kind"]) or not _planned(causes, root, assembly):
        raise DataError(f"event {root} is not an event of the scenario; try one of {candidates}")
    kind, target = str(columns["kind"][event]), int(columns["target"][event])
    before = World(assembly).run(int(columns["time"][root]))
    found = []
    for without in ((), (int(columns["data"][root]),)):
        with before.branch(without=without) as world:
            found.append(_alike(world.run().events.rows(), kind, target, before.now))
    kept, lacking = found
    near = [value for time, value in lacking if abs(time - int(columns["time"][event])) <= _SAME]
    gone = len(lacking) < len(kept) and not near
    left = None if gone or not lacking else (near or [lacking[-1][1]])[-1]
    mine = [value for time, value in kept if time == int(columns["time"][event])]
    return Verdict(root, str(columns["kind"][root]), kind, mine[-1] if mine else None, left)


def explained(causes: Causes, kind: str, assembly: Assembly, tries: int = 4) -> Iterator[tuple[int, Verdict]]:
    """Verify events of a kind, the richest chains first, until one is gone without a root of its own.

    Yields (event, verdict); at most `tries` of them. An event that several roots brought about may stay
    when one is taken out, which its verdict says.
    """
    roots = {e: [n for n in causes.roots(e) if _planned(causes, n, assembly)] for e in causes.find(kind)}
    able = sorted((e for e in roots if roots[e]), key=lambda e: (-len(causes.kinds(e)), e))
    for event in able[:tries]:
        verdict = verify(causes, event, assembly, roots[event][0])
        yield event, verdict
        if verdict.gone:
            return


def _planned(causes: Causes, event: int, assembly: Assembly) -> bool:
    """Tell whether a logged event is one that the scenario planned."""
    kind, index, time = (causes.events[c][event] for c in ("kind", "data", "time"))
    events = assembly.events
    return bool(0 <= index < len(events) and events[index].kind == kind and events[index].time == time)


def _alike(rows: list[tuple[Any, ...]], kind: str, target: int, since: int) -> list[tuple[int, float]]:
    """Return time and value of the events of one kind about one target from an instant on."""
    return [(row[0], float(row[3])) for row in rows if row[1] == kind and row[2] == target and row[0] >= since]
