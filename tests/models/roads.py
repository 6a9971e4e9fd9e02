"""A road network that tests set by hand, and the world around it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from twin.assembly import Assembly
from twin.contract import SECOND, Event, EventKind, Feed, Model, Setup
from twin.fields import Field


@dataclass(frozen=True)
class Planned:
    """A scenario event as the engine expects it."""

    kind: str
    time: int
    targets: tuple[int, ...] = ()
    params: dict = field(default_factory=dict)
    label: str = "test"


class Roads(Model):
    """Link times and closures, changed by events of the test."""

    name = "roads"
    owns = (
        Field("link.time", "float64", "s", "travel time now", traced=True),
        Field("link.open", "bool", "1", "may be entered", 1, traced=True),
    )
    events = (
        EventKind("slow", "links take `factor` times as long", target="links", scenario=True),
        EventKind("shut", "links close", target="links", scenario=True),
        EventKind("reopen", "links open", target="links", scenario=True),
    )

    def setup(self, setup: Setup):
        self.free = np.asarray(setup.city["links"]["length"] / setup.city["links"]["speed"])
        self.planned = tuple(setup.events)
        return {}

    def start(self, view):
        view.put("link.time", slice(None), self.free)

    def on_event(self, view, event: Event):
        rows = np.asarray(self.planned[event.data].targets)
        if event.kind == "slow":
            view.put("link.time", rows, self.free[rows] * event.params["factor"])
        else:
            view.put("link.open", rows, event.kind == "reopen")


def assemble(city, components, policies=(), events=(), duration=7200, seed=1, options=None):
    """Return an assembly of models and policies on hand-made roads; duration in s."""
    setup = Setup(city, {}, seed, 1_768_467_600_000_000, duration * SECOND, events=tuple(events))
    return Assembly(city, [Roads(), *components], list(policies), setup, options or {})


class Mirror(Feed):
    """Reports without delay: observations equal to the truth."""

    name = "mirror"
    owns = (
        Field("observed_link.time", "float64", "s", "as reported"),
        Field("observed_unit.node", "int32", "1", "as reported"),
        Field("observed_unit.free", "bool", "1", "as reported"),
    )
    reads = ("link.time", "unit.node", "unit.free")

    def setup(self, setup: Setup):
        stations = setup.city["stations"]
        return {"observed_unit": int(np.asarray(stations["units"]).sum())}

    def step(self, view):
        for name in self.reads:
            view.put(f"observed_{name}", slice(None), view[name])
