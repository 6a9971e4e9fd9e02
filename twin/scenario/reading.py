"""Read one arm of a scenario, and what stands above all arms."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twin.contract import SECOND
from twin.registry import Registry
from twin.scenario import keys
from twin.scenario.case import Case
from twin.scenario.cities import load_city_of, read_city
from twin.scenario.components import Cast, read_cast
from twin.scenario.events import read_events
from twin.scenario.examining import examine
from twin.scenario.judging import read_seeds, read_stopping
from twin.scenario.problems import Problems
from twin.scenario.tree import Node
from twin.scenario.values import read_checked, read_duration, read_time
from twin.units import parse_local

if TYPE_CHECKING:
    from twin.city import City

_NAME = re.compile(r"[a-z0-9_]+")
_MINUTE = 60_000_000
_FIRST_START = parse_local("1900-01-01 00:00", "UTC")
_LAST_START = parse_local("2201-01-01 00:00", "UTC")
_MOST_RECORDS = 1_000_000


@dataclass(frozen=True)
class Suite:
    """What all arms of a scenario share.

    folder   folder that paths are relative to
    seed     seed of the first replication
    city     stands in for the city the scenario names, None for none
    plugins  Python files the user named
    """

    name: str
    folder: Path
    seed: int
    registry: Registry
    city: City | None
    plugins: tuple[str, ...]


@dataclass(frozen=True)
class _Span:
    """When an arm runs, as far as it says; us."""

    start: int | None
    duration: int | None

    @property
    def known(self) -> tuple[int, int] | None:
        """Start and duration when both are known."""
        return None if self.start is None or self.duration is None else (self.start, self.duration)


def read_arm(arm: str, tree: Node, suite: Suite, problems: Problems) -> tuple[Cast, Case | None]:
    """Read one arm; its case lacks only the replication, and is None where anything is wrong."""
    folder = str(suite.folder)
    node, city = tree.get("city"), suite.city
    spec = read_city(node, suite.folder, problems) if node is not None else None
    if city is None and node is not None and spec is not None:
        city = load_city_of(spec, folder, node.mark, problems)
    chosen = read_cast(tree, city, suite.registry, suite.folder, problems)
    times = _read_span(tree, "UTC" if city is None else city.timezone, problems)
    record, span = _read_record(tree, times.duration, problems), times.known
    events = read_events(tree, chosen, city, span, suite.registry, problems)
    if city is not None and span is not None:
        examine(chosen, city, span, events, folder, problems)
    if spec is None or span is None or problems.has_errors:
        return chosen, None
    title = tree.get("title")
    return chosen, Case(
        suite=suite.name,
        arm=arm,
        replication=0,
        seed=suite.seed,
        city_spec=spec,
        start=span[0],
        duration=span[1],
        models=tuple(chosen.models),
        feeds=tuple((name, chosen.options[name]) for name in chosen.feeds),
        policies=chosen.policies,
        options=chosen.options,
        events=events,
        record=record,
        folder=folder,
        files=tuple(sorted(chosen.files)),
        plugins=suite.plugins,
        title=str(title.value) if title else suite.name,
    )


def check_top(tree: Node, problems: Problems) -> None:
    """Note what is wrong with the keys of the whole scenario, its name and its seeds."""
    keys.check_keys(tree, keys.TOP, "the scenario", problems)
    name = tree.get("scenario")
    if name is not None and name.is_scalar and not _NAME.fullmatch(name.word):
        problems.add(name.mark, "E120", f"scenario ({name.word}) takes a-z, 0-9 and _ only")
    elif name is not None and len(name.word) > keys.LONGEST_NAME:
        text = f"scenario names a folder: at most {keys.LONGEST_NAME} letters, not {len(name.word)}"
        problems.add(name.mark, "E123", text)
    seed = tree.get("seed")
    if seed is not None:
        read_checked(seed, keys.SEED, problems)
    read_stopping(tree, problems)
    read_seeds(tree, problems)


def check_unused(tree: Node, casts: Mapping[str, Cast], registry: Registry, problems: Problems) -> None:
    """Note options of components that are part of no run."""
    node = tree.get("options")
    used = {name for chosen in casts.values() for name in chosen.classes}
    for name, _ in node.items() if node is not None and node.is_mapping else ():
        known = any(name in registry.all(kind) for kind in ("model", "policy", "feed"))
        if known and name not in used and node is not None:
            problems.add(node.key_mark(name), "W202", f"options of {name} have no effect: it is not part of any run")


def _read_span(tree: Node, zone: str, problems: Problems) -> _Span:
    """Read start and duration; a start must lie in the years that the tables of results can hold (ns in int64)."""
    first, length = tree.get("start"), tree.get("duration")
    start = read_time(first, "start", zone, problems) if first else None
    if start is not None and first is not None and not _FIRST_START <= start <= _LAST_START:
        problems.add(first.mark, "E123", f"start ({first.word}) must lie in the years 1900 to 2200")
    return _Span(start, read_duration(length, "duration", problems) if length else None)


def _read_record(tree: Node, duration: int | None, problems: Problems) -> dict[str, Any]:
    record: dict[str, Any] = {"every": 5 * _MINUTE}
    node = tree.get("record")
    if node is None or not keys.check_keys(node, keys.RECORD, "record", problems):
        return record
    every, state = node.get("every"), node.get("state")
    if every is not None:
        record["every"] = read_duration(every, "every", problems, least=SECOND)
        if duration and record["every"] and duration // record["every"] > _MOST_RECORDS:
            text = f"every ({every.word}) makes {duration // record['every']:,} rows a run; at most {_MOST_RECORDS:,}"
            problems.add(every.mark, "E123", text)
    if state is not None and read_checked(state, keys.STATE, problems):
        record["state"] = True
    return record
