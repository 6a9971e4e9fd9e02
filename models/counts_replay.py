"""Replay real counts as observations: what the sensors of a real day reported, when it arrived.

An interval is observed at its end and arrives after the latency. An interval
the file has no count for is not reported; nor is one whose telecom site is dead
at its end: then the observation stays as it was, and its stamp tells its age.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from twin.contract import Event, Feed, Option, Setup
from twin.fields import Field
from twin.models.feeds.channel import (
    Channel,
    Column,
    Rhythm,
    contradictions,
    deliver,
    feed_events,
    mark_silence,
    rows_of,
    sample,
)
from twin.models.scenario_events import microseconds
from twin.models.telecom import site_of

if TYPE_CHECKING:
    from twin.view import View

Array = np.ndarray[Any, Any]

COUNTERS = Channel(
    "counts_replay", "count", (Column("flow", "float64", "veh/s", "vehicles per second over the interval"),), number=4
)


class CountsReplay(Feed):
    """Counts of a real day, by approach, some minutes after each interval."""

    name = "counts_replay"
    owns = (
        *COUNTERS.fields(),
        Field("observed_count.link", "int64", "1", "row of the link the counter stands on", -1),
    )
    reads = ("site.alive",)
    events = feed_events("counts_replay")
    options = (
        Option("file", "counts in the layout of SCATS volumes (.csv)", "path"),
        Option("day", "day replayed, d/m/yyyy or yyyy-mm-dd; empty for the date of the start", "text", ""),
        Option("latency", "time from the end of an interval to arrival", "quantity", 300.0, "s", low=0.0),
        Option("fault_share", "share of reports that are lost", "number", 0.0, low=0.0, high=1.0),
    )

    def setup(self, setup: Setup) -> dict[str, int]:
        """Match the counters, and find the site that carries each."""
        from twin.models.estimation.counters import load_counters

        counters, self.ends, volumes = load_counters(setup)
        self.ids, self.link = counters.ids, counters.link
        self.flow = volumes / counters.counts.interval
        every = microseconds(counters.counts.interval)
        latency = max(microseconds(setup.options["latency"]), 1)
        site = np.asarray(site_of(setup.city, counters.xy[:, 0], counters.xy[:, 1]), np.int64)
        share = float(setup.options["fault_share"])
        self.timing = Rhythm(every, latency, latency // every + 1, share, site, setup.seed)
        return rows_of(COUNTERS, self.timing)

    def start(self, view: View) -> None:
        """Plan the end of the first interval."""
        view.put("observed_count.link", slice(None), self.link)
        if self.ends.size:
            view.schedule("counts_replay_sample", int(self.ends[0]))

    def on_event(self, view: View, event: Event) -> None:
        """Read the sensors at the end of an interval, or deliver what they sent."""
        if event.kind == "counts_replay_arrival":
            deliver(view, COUNTERS, self.timing, event)
            return
        number = int(view["counts_replay_count_slot.count"][0])
        flow = self.flow[:, number]
        sample(view, COUNTERS, self.timing, {"flow": np.nan_to_num(flow)})
        self._leave_gaps(view, number, np.isnan(flow))
        mark_silence(view, COUNTERS, self.timing)
        if number + 1 < self.ends.size:
            view.schedule("counts_replay_sample", int(self.ends[number + 1]) - view.now, cause=-1)

    def _leave_gaps(self, view: View, number: int, gap: Array) -> None:
        """Take what was not counted out of the sample just taken."""
        first = (number % self.timing.slots) * gap.size
        view.raw("counts_replay_count_flight.heard")[first : first + gap.size] &= ~gap

    def step(self, view: View) -> None:
        """Note silence when sites die or come back."""
        mark_silence(view, COUNTERS, self.timing)

    def check(self, view: View) -> list[str]:
        """Return impossible observations."""
        return contradictions(view, COUNTERS)
