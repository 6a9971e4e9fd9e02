"""Read a plan (a fleet, a set of procedures) from YAML, and name what is wrong by file, line and column.

Only the syntax of the file is read: no tag can construct anything. A reader takes
values out of a `Plan` one by one; each bad one is noted with its place, and `finish`
raises them all at once.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from twin import data
from twin.errors import DataError
from twin.units import parse

_MOST_TOLD = 12


@dataclass(frozen=True)
class Entry:
    """A value of a plan with its place; value is a text, a list of entries or a dict of entries."""

    value: Any
    line: int
    column: int

    @property
    def text(self) -> str:
        """Return a single value as written, "" for a list or mapping."""
        return self.value if isinstance(self.value, str) else ""

    @property
    def items(self) -> list[Entry]:
        """Return the entries of a list; a single value is a list of itself."""
        if isinstance(self.value, list):
            return self.value
        return [self] if isinstance(self.value, str) and self.value else []

    @property
    def parts(self) -> dict[str, Entry]:
        """Return the entries of a mapping, none for anything else."""
        return self.value if isinstance(self.value, dict) else {}


NOTHING = Entry("", 0, 0)
"""Stands in for an entry that is not there."""


@dataclass
class Plan:
    """A plan file and what was found wrong in it."""

    path: str
    root: Entry
    problems: list[str] = field(default_factory=list)

    def tell(self, entry: Entry, text: str) -> None:
        """Note a problem at the place of an entry."""
        self.problems.append(f"{self.path}:{entry.line}:{entry.column} {text}")

    def keys(self, entry: Entry, known: Collection[str], needed: Collection[str] = ()) -> dict[str, Entry]:
        """Return the parts of a mapping; unknown and lacking keys are problems."""
        if not isinstance(entry.value, dict):
            self.tell(entry, f"a mapping of {', '.join(known)} is wanted here")
            return {}
        for name, part in entry.parts.items():
            if name not in known:
                self.tell(part, f"unknown key {name!r}{_nearest(name, known)}; allowed: {', '.join(known)}")
        for name in needed:
            if name not in entry.parts:
                self.tell(entry, f"key {name!r} is missing")
        return entry.parts

    def one_of(self, entry: Entry | None, known: Collection[str], what: str) -> str:
        """Return a name out of a list, "" when it is not one of them or absent."""
        if entry is None:
            return ""
        if entry.text in known:
            return entry.text
        listed = ", ".join(sorted(known)[:_MOST_TOLD]) or "none"
        self.tell(entry, f"{entry.text!r} is not a {what}{_nearest(entry.text, known)}; there are {listed}")
        return ""

    def quantity(self, entry: Entry | None, unit: str, default: float, high: float = float("inf")) -> float:
        """Return a quantity in SI units, at least 0."""
        if entry is None:
            return default
        try:
            value = parse(entry.text, unit)
        except ValueError as error:
            self.tell(entry, str(error))
            return default
        if not 0.0 <= value <= high:
            self.tell(entry, f"{entry.text} must be between 0 and {high:g} {unit}")
            return default
        return value

    def count(self, entry: Entry | None, default: int, low: int = 0, high: int = 10_000) -> int:
        """Return a whole number within limits."""
        if entry is None:
            return default
        try:
            value = int(entry.text)
        except ValueError:
            self.tell(entry, f"{entry.text!r} is not a whole number")
            return default
        if not low <= value <= high:
            self.tell(entry, f"{value} must be between {low} and {high}")
            return default
        return value

    def finish(self) -> None:
        """Raise DataError with everything that is wrong, if anything is."""
        if self.problems:
            more = f"\n... and {len(self.problems) - _MOST_TOLD} more" if len(self.problems) > _MOST_TOLD else ""
            raise DataError("\n".join(self.problems[:_MOST_TOLD]) + more)


def locate(text: str, folder: str) -> str:
    """Return where the plan an option names lies, relative to the folder of the scenario; "" for none."""
    return str(data.find(text, folder)) if text else ""


def read_plan(path: str | Path) -> Plan:
    """Read a plan file; raises DataError when it is not there or not YAML."""
    import yaml

    try:
        with open(path, encoding="utf-8") as file:
            node = yaml.compose(file, Loader=yaml.SafeLoader)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise DataError(f"{path} is not YAML: {error}") from error
    if node is None:
        raise DataError(f"{path} is empty")
    plan = Plan(str(path), Entry("", 1, 1))
    plan.root = _entry(plan, node)
    return plan


def _entry(plan: Plan, node: Any) -> Entry:
    line, column = node.start_mark.line + 1, node.start_mark.column + 1
    if node.id == "scalar":
        return Entry(str(node.value), line, column)
    if node.id == "sequence":
        return Entry([_entry(plan, child) for child in node.value], line, column)
    parts: dict[str, Entry] = {}
    for key, child in node.value:
        name, entry = str(key.value), _entry(plan, child)
        if name in parts:
            plan.tell(entry, f"key {name!r} stands twice")
        parts[name] = entry
    return Entry(parts, line, column)


def _nearest(name: str, known: Collection[str]) -> str:
    near = get_close_matches(name, known, 1, 0.5)
    return f"; did you mean {near[0]!r}?" if near else ""
