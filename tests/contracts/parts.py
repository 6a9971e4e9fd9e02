"""Worlds the contract tests run over: the demo, and each component by itself with what it requires."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

import twin
from tests.contracts.counted import write_counts
from twin import registry
from twin.assembly import Assembly
from twin.contract import HOUR, Setup
from twin.execution.run import assemble

HORIZON = 3 * HOUR


@cache
def demo_case(arm: str):
    cases = [c for c in twin.load("nusantara").cases() if c.arm == arm]
    return replace(cases[0], duration=HORIZON)


@cache
def demo(arm: str) -> Assembly:
    return assemble(demo_case(arm))


@cache
def alone(name: str) -> Assembly:
    """Return one model or feed with only what it requires, and the demo's events that they handle."""
    parts = [registry.get(kind_of(n), n)() for n in sorted(needed(name))]
    case = demo_case("A")
    handled = {k.name for part in parts for k in part.events}
    events = tuple(e for e in case.events if e.kind in handled)
    city = demo("A").city
    given = {part.name: {"file": counts_file()} for part in parts if any(o.name == "file" for o in part.options)}
    return Assembly(city, parts, [], Setup(city, {}, 7, case.start, HORIZON, events), given)


@cache
def counts_file() -> str:
    """Return counts of the demo's day in the demo's city, for the parts that read some."""
    return write_counts(demo("A").city, "15/1/2026")


def kind_of(name: str) -> str:
    return "model" if name in registry.models() else "feed"


def needed(name: str) -> set[str]:
    """Return a component and, in turn, the owners of all it requires."""
    owner = {f.name: n for n in (*registry.models(), *registry.feeds()) for f in registry.get(kind_of(n), n).owns}
    found: set[str] = set()
    waiting = [name]
    while waiting:
        part = waiting.pop()
        if part not in found:
            found.add(part)
            waiting += [owner[f] for f in registry.get(kind_of(part), part).requires if "." in f]
    return found


def constants(component) -> dict[str, bytes]:
    """Return a picture of everything a component keeps on itself."""
    return {name: _picture(value) for name, value in sorted(vars(component).items())}


def _picture(value) -> bytes:
    if isinstance(value, np.ndarray):
        return value.tobytes() if value.dtype != object else repr(value.tolist()).encode()
    if isinstance(value, dict):
        return b"".join(repr(k).encode() + _picture(v) for k, v in value.items())
    if isinstance(value, (list, tuple)):
        return b"".join(_picture(v) for v in value)
    if hasattr(value, "__dataclass_fields__"):
        return b"".join(_picture(getattr(value, f)) for f in value.__dataclass_fields__)
    if isinstance(value, (str, int, float, bool, type(None))):
        return repr(value).encode()
    return type(value).__name__.encode()


def outcome(world):
    return world.digest(), world.events.rows(), world.parents.rows(), world.series.rows(), repr(world.kpis())
