"""Worlds the contract tests run over: the demo, and each component by itself."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

import twin
from twin import registry
from twin.assembly import Assembly
from twin.contract import HOUR, Setup
from twin.run import assemble

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
    """Return one model or feed by itself on the demo's city, with the demo's events that it handles."""
    kind = "model" if name in registry.models() else "feed"
    part = registry.get(kind, name)()
    case = demo_case("A")
    handled = {k.name for k in part.events}
    events = tuple(e for e in case.events if e.kind in handled)
    setup = Setup(demo("A").city, {}, 7, case.start, HORIZON, events)
    return Assembly(demo("A").city, [part], [], setup)


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
    return world.digest(), world.events.rows(), world.parents.rows(), world.series.rows(), world.kpis()
