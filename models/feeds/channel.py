"""Carry samples of a table to the command centre: sampling, delay, loss, age.

A sample copies the values of all rows into a slot of a ring of samples that are
on their way; after the latency it arrives and becomes the observation. A row is
not in the sample when its telecom site is dead at that instant, or when the
report is lost (a share of all reports, each by its own random number): then the
observation stays as it was, and its stamp tells how old it is. What left before
a site died still arrives.

Beside each observed column lie `stamp` (when it was true), `arrival` (when it
came) and `silent` (the site of the row is dead); `silent` remembers the event
`feed_silent` or `feed_back` that last changed it. In a city without sites, or
without a telecom model, nothing is ever silent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from twin.contract import Event, EventKind, Option
from twin.fields import Field
from twin.models.scenario_events import microseconds

if TYPE_CHECKING:
    from twin.contract import Setup
    from twin.view import View

Array = np.ndarray[Any, Any]

NEVER_SEEN = -1
_ALL = slice(None)
_LONGEST_LATENCY = 6 * 3600.0


@dataclass(frozen=True)
class Column:
    """One observed column: name, dtype, unit and meaning."""

    name: str
    dtype: str
    unit: str
    meaning: str


class _Names(NamedTuple):
    """Names of the fields and the event of a channel; of a column its own, that in flight and that observed."""

    sampled: str
    taken: str
    heard: str
    stamp: str
    arrival: str
    silent: str
    arrives: str
    columns: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class Channel:
    """Declare which columns of a table a feed carries.

    feed    name of the feed
    number  of the channel among those of all feeds: 0 probes, 1 avl, 2 substations, 3 lines
    """

    feed: str
    table: str
    columns: tuple[Column, ...]
    number: int = 0

    @cached_property
    def observed(self) -> str:
        """Name of the table of observations."""
        return f"observed_{self.table}"

    @cached_property
    def flight(self) -> str:
        """Name of the table of values on their way; a row per slot and row of the table."""
        return f"{self.feed}_{self.table}_flight"

    @cached_property
    def slot(self) -> str:
        """Name of the table of samples on their way."""
        return f"{self.feed}_{self.table}_slot"

    @cached_property
    def names(self) -> _Names:
        """Names that each sample asks for."""
        seen, flight, slot = self.observed, self.flight, self.slot
        return _Names(
            f"{slot}.count",
            f"{slot}.stamp",
            f"{flight}.heard",
            f"{seen}.stamp",
            f"{seen}.arrival",
            f"{seen}.silent",
            f"{self.feed}_arrival",
            tuple((c.name, f"{flight}.{c.name}", f"{seen}.{c.name}") for c in self.columns),
        )

    def fields(self) -> tuple[Field, ...]:
        """Return all fields of the channel."""
        seen, flight = self.observed, self.flight
        return (
            *(
                Field(f"{seen}.{c.name}", c.dtype, c.unit, f"{c.meaning}, as observed", traced=True)
                for c in self.columns
            ),
            Field(f"{seen}.stamp", "int64", "us", "when the observation was true, -1 before the first", NEVER_SEEN),
            Field(f"{seen}.arrival", "int64", "us", "when the observation arrived, -1 before the first", NEVER_SEEN),
            Field(f"{seen}.silent", "bool", "1", "the telecom site of the row is dead", traced=True),
            *(Field(f"{flight}.{c.name}", c.dtype, c.unit, f"{c.meaning}, on its way") for c in self.columns),
            Field(f"{flight}.heard", "bool", "1", "the row is in the sample"),
            Field(f"{self.slot}.stamp", "int64", "us", "when the sample was taken, -1 when the slot is free", -1),
            Field(f"{self.slot}.count", "int64", "1", "samples taken so far; the first row counts"),
        )


@dataclass(frozen=True)
class Rhythm:
    """Hold the constants of one channel in one run.

    every, latency  us
    slots           samples that can be on their way at once
    loss            share of reports lost
    site            (n,)  telecom site of each row, -1 for none
    seed            seed of the run
    """

    every: int
    latency: int
    slots: int
    loss: float
    site: Array
    seed: int

    @cached_property
    def is_carried(self) -> bool:
        """Tell whether any row reports through a site."""
        return bool((self.site >= 0).any())

    def at(self, site: Array) -> Rhythm:
        """Return the same constants with rows at other sites; itself when they have not moved."""
        return self if np.array_equal(site, self.site) else replace(self, site=site)


def rhythm(setup: Setup, site: Array, least_gap: int = 0) -> Rhythm:
    """Return the constants of a channel from the options of its feed.

    least_gap  us  samples out of turn keep this distance from the sample before; 0 for none such
    """
    options = setup.options
    every, latency = max(microseconds(options["every"]), 1), max(microseconds(options["latency"]), 1)
    slots = latency // every + 1 + (latency // least_gap + 1 if least_gap else 0)
    return Rhythm(every, latency, slots, float(options["fault_share"]), np.asarray(site, np.int64), setup.seed)


def rows_of(channel: Channel, timing: Rhythm) -> dict[str, int]:
    """Return the rows of the tables of a channel."""
    rows = len(timing.site)
    return {channel.observed: rows, channel.flight: rows * timing.slots, channel.slot: timing.slots}


def common_options(every: float, latency: float) -> tuple[Option, ...]:
    """Return the options every feed has, with its own defaults (s)."""
    return (
        Option("every", "time between samples", "quantity", every, "s", low=1.0),
        Option("latency", "time from sample to arrival", "quantity", latency, "s", low=0.0, high=_LONGEST_LATENCY),
        Option("fault_share", "share of reports that are lost", "number", 0.0, low=0.0, high=1.0),
    )


def feed_events(feed: str) -> tuple[EventKind, ...]:
    """Return the events of a feed."""
    return (
        EventKind(f"{feed}_sample", "sensors are read", quiet=True),
        EventKind(f"{feed}_arrival", "a sample reaches the command centre", quiet=True),
    )


SILENCE = (
    EventKind("feed_silent", "a site brings no more samples of its sensors", "sites", unit="sensors"),
    EventKind("feed_back", "samples come in again", "sites", unit="sensors"),
)
"""What every feed logs."""


def sample(view: View, channel: Channel, timing: Rhythm, values: Mapping[str, Array]) -> None:
    """Take a sample now and let it arrive after the latency.

    values  column name -> (n,) what the sensors read
    """
    rows, names = len(timing.site), channel.names
    taken = view.raw(names.sampled)
    count = int(taken[0])
    slot = count % timing.slots
    taken[0] = count + 1
    view.raw(names.taken)[slot] = view.now
    here = slice(slot * rows, (slot + 1) * rows)
    view.raw(names.heard)[here] = _heard(view, channel, timing, count)
    for name, flying, _ in names.columns:
        view.raw(flying)[here] = values[name]
    view.schedule(names.arrives, timing.latency, channel.number, data=slot)


def _heard(view: View, channel: Channel, timing: Rhythm, count: int) -> Array:
    """Return which rows are in a sample."""
    from twin.random import uniform

    heard = np.ones(len(timing.site), dtype=bool)
    if _has_sites(view, timing):
        heard = (timing.site < 0) | view["site.alive"][timing.site]
    if timing.loss > 0:
        luck = uniform(timing.seed, f"{channel.feed}.{channel.table}.loss", np.arange(len(heard)), count)
        heard &= luck >= timing.loss
    return heard


def _has_sites(view: View, timing: Rhythm) -> bool:
    return timing.is_carried and "site.alive" in view


def deliver(view: View, channel: Channel, timing: Rhythm, event: Event) -> dict[str, Array]:
    """Turn an arrived sample into observations; return the rows that changed per column."""
    slot, rows, names = event.data, len(timing.site), channel.names
    here = slice(slot * rows, (slot + 1) * rows)
    taken = view.raw(names.taken)
    stamp = int(taken[slot])
    heard: Any = view[names.heard][here]
    heard = _ALL if heard.all() else np.flatnonzero(heard)
    changed = {}
    for name, flying, seen in names.columns:
        changed[name] = view.put(seen, heard, view[flying][here][heard])
    view.put(names.stamp, heard, stamp)
    view.put(names.arrival, heard, view.now)
    taken[slot] = -1
    return changed


def mark_silence(view: View, channel: Channel, timing: Rhythm) -> None:
    """Note which rows have fallen silent or are heard again; log one event per site.

    The event's target is the site, its value the number of rows, and `data` the
    number of the channel.
    """
    if not _has_sites(view, timing):
        return
    silent = (timing.site >= 0) & ~view["site.alive"][timing.site]
    changed = np.flatnonzero(silent != view[channel.names.silent])
    if not changed.size:
        return
    for site in np.unique(timing.site[changed]).tolist():
        rows = changed[timing.site[changed] == site]
        kind = "feed_silent" if silent[rows[0]] else "feed_back"
        event = view.emit(kind, site, len(rows), channel.number, causes=[view.cause("site.alive", site)])
        view.put(channel.names.silent, rows, silent[rows], event)


def contradictions(view: View, channel: Channel) -> list[str]:
    """Return observations from the future or that arrived before they were true."""
    stamp, arrival = view[f"{channel.observed}.stamp"], view[f"{channel.observed}.arrival"]
    broken = []
    if (stamp > view.now).any() or (arrival > view.now).any():
        broken.append(f"{channel.observed} holds an observation from the future")
    if ((arrival <= stamp) & (stamp >= 0)).any():
        broken.append(f"{channel.observed} holds an observation that arrived before it was true")
    return broken
