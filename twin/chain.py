"""The chain of causes behind an event, written for people."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from twin.contract import EventKind

if TYPE_CHECKING:
    from twin.city import City
    from twin.why import Array, Causes

_MOST_LINES = 60
_MOST_ROOTS = 6
_ALIKE = 3
"""Branches of one shape that are told as one."""
KIND_COLUMNS = ("kind", "meaning", "target", "scenario", "unit", "row")
"""What results say of a kind of event."""

_ORDER = "order."
_UNDECLARED = EventKind("", "")


@dataclass(frozen=True)
class Words:
    """What it takes to say what an event is.

    local  time (us since the start) as local text
    kinds  declared kinds of events, by name
    """

    city: City
    local: Callable[[int], str]
    kinds: Mapping[str, EventKind]

    def declared(self, kind: str) -> EventKind:
        """Return what the kind of a logged event declares; an order is told by the kind of event it asks for."""
        return self.kinds.get(kind.removeprefix(_ORDER), _UNDECLARED)


def kinds_of(columns: Mapping[str, Array]) -> dict[str, EventKind]:
    """Return the kinds of events in the columns that `kind_columns` makes."""
    rows = zip(*(columns[name].tolist() for name in KIND_COLUMNS), strict=True)
    return {
        kind: EventKind(kind, text, target, (), planned, False, unit, row)
        for kind, text, target, planned, unit, row in rows
    }


def explain(causes: Causes, event: int, words: Words, whole: bool = False) -> str:
    """Return the chain behind an event as indented text, ending with its roots.

    whole  tell every event; else branches of one shape are told once, with how many there are
    """
    told = list(_branches(causes, event, len(causes.events["time"]) + 1 if whole else _ALIKE))
    most = len(told) if whole else _MOST_LINES
    lines = []
    for depth, number, alike in told[:most]:
        lead = "" if depth == 0 else "  " * depth + "because "
        more = f" (and {alike} more like it)" if alike else ""
        lines.append(f"{lead}{describe(causes, number, words)}{more}")
    if len(told) > most:
        lines.append(f"... and {len(told) - most} more; all of them with: --all")
    return "\n".join([*lines, f"roots: {_roots(causes, event, whole)}"])


def describe(causes: Causes, event: int, words: Words) -> str:
    """Return one line that says what an event is, when, where and how much."""
    columns = causes.events
    kind, target, value = str(columns["kind"][event]), int(columns["target"][event]), float(columns["value"][event])
    known = words.declared(kind)
    named = place(known, target, int(columns["data"][event]), words.city)
    if known.scenario and not causes.behind(event):
        figure = f" and {value - 1:.0f} more {known.target}" if value > 1 and known.target else ""
    else:
        figure = _figure(known, value, words.city)
    lead = f"[{event}] {words.local(int(columns['time'][event]))}  {kind}"
    return f"{lead}{' ' if named else ''}{named}{figure}"


def place(kind: EventKind, target: int, data: int, city: City) -> str:
    """Return where an event happened: id and name of the row it is about, "" for the whole city.

    Where a kind may be about several tables the row's is named too, such as site c5.
    """
    if target < 0:
        return ""
    table = kind.table(data)
    lead = f"{table.removesuffix('s')} " if table != kind.target and city.rows(table) > target else ""
    return f"{lead}{_row(table, target, city)}" if table else f"#{target}"


def _branches(causes: Causes, event: int, alike: int) -> Iterator[tuple[int, int, int]]:
    """Yield depth, id and number of further ones like it of an event and its causes, nearest first.

    alike  so many causes of one event that have one shape are yielded as one
    """
    shapes = _shapes(causes, event)
    seen: set[int] = set()
    stack = [(0, [event])]
    while stack:
        depth, members = stack.pop()
        members = [number for number in members if number not in seen]
        if not members:
            continue
        seen.update(members)
        yield depth, members[0], len(members) - 1
        groups: dict[int, list[int]] = {}
        for cause in sorted(causes.behind(members[0])):
            groups.setdefault(shapes[cause], []).append(cause)
        parts = [[g] if len(g) >= alike else [[one] for one in g] for g in groups.values()]
        stack += [(depth + 1, part) for part in sorted((p for ps in parts for p in ps), reverse=True)]


def _shapes(causes: Causes, event: int) -> dict[int, int]:
    """Return a number per event of a chain: equal where kinds, and the shapes of what is behind, are the same."""
    known: dict[tuple[str, tuple[int, ...]], int] = {}
    found: dict[int, int] = {}
    for number in sorted(n for _, n in causes.chain(event)):
        behind = tuple(sorted({found[p] for p in causes.behind(number) if p in found}))
        found[number] = known.setdefault((str(causes.events["kind"][number]), behind), len(known))
    return found


def _roots(causes: Causes, event: int, whole: bool) -> str:
    roots = [f"[{n}] {causes.events['kind'][n]}" for n in causes.roots(event)]
    if whole or len(roots) <= _MOST_ROOTS:
        return ", ".join(roots)
    return f"{', '.join(roots[:_MOST_ROOTS])} and {len(roots) - _MOST_ROOTS} more"


def _figure(known: EventKind, value: float, city: City) -> str:
    """Return the value of an event with its unit, or as the row it is."""
    if known.row:
        return f", {_row(known.row, int(value), city)}" if value >= 0 else ""
    if not value:
        return ""
    return f" {value:.6g}" if known.unit == "1" else f", {value:.6g} {known.unit}"


def _row(table: str, row: int, city: City) -> str:
    """Return id and name of a row of a city table, also of one named in the singular; else table and number."""
    for name in (table, f"{table}s"):
        if name in city.tables and row < city.rows(name):
            columns = city[name]
            called = str(columns["name"][row]) if "name" in columns else ""
            return f"{columns['id'][row]}" + (f" ({called})" if called else "")
    return f"{table} {row}"
