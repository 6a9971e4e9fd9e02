"""Report the states of substations and lines to the control room (SCADA)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from twin.contract import Event, EventKind, Feed, Option, Setup
from twin.fields import Field
from twin.models.feeds.channel import (
    SILENCE,
    Channel,
    Column,
    common_options,
    contradictions,
    deliver,
    feed_events,
    mark_silence,
    rhythm,
    rows_of,
    sample,
)
from twin.models.scenario_events import microseconds
from twin.models.telecom import site_of

if TYPE_CHECKING:
    from twin.view import View

_FAILED = (Column("failed", "bool", "1", "out of service until repaired"),)
CHANNELS = (Channel("scada", "substation", _FAILED, 2), Channel("scada", "line", _FAILED, 3))


class Scada(Feed):
    """Failures of substations and lines: each 30 s, and at once when something changes.

    Reports by exception keep `least_gap` from the report before, so changes in
    quick succession travel together. An observation that changes is logged as
    `asset_alarm`: target the row, data 0 for a substation and 1 for a line,
    value 1 for failed and 0 for working.
    """

    name = "scada"
    owns = (
        *CHANNELS[0].fields(),
        *CHANNELS[1].fields(),
        Field("scada_clock.last", "int64", "us", "when the last sample was taken", -(10**15)),
        Field("scada_clock.waits", "bool", "1", "a report by exception is pending"),
    )
    reads = ("substation.failed", "line.failed", "site.alive")
    requires = ("substation.failed", "line.failed", "substations", "buses", "lines")
    events = (*feed_events("scada"), EventKind("scada_exception", "a change is reported out of turn"))
    tells = (
        *SILENCE,
        EventKind("asset_alarm", "word comes in that an asset has failed (1) or works again (0)", "substations|lines"),
    )
    options = (
        *common_options(every=30.0, latency=2.0),
        Option("least_gap", "shortest time between reports", "quantity", 1.0, "s", low=0.5),
    )

    def setup(self, setup: Setup) -> dict[str, int]:
        """Find the site of every substation, and of every line at its middle."""
        city = setup.city
        self.least_gap = microseconds(setup.options["least_gap"])
        stations, buses, lines = city["substations"], city["buses"], city["lines"]
        middle = [(buses[axis][lines["from_bus"]] + buses[axis][lines["to_bus"]]) / 2 for axis in ("x", "y")]
        sites = (site_of(city, stations["x"], stations["y"]), site_of(city, *middle))
        self.timings = tuple(rhythm(setup, site, self.least_gap) for site in sites)
        rows = [rows_of(channel, timing) for channel, timing in zip(CHANNELS, self.timings, strict=True)]
        return {**rows[0], **rows[1], "scada_clock": 1}

    def start(self, view: View) -> None:
        """Take the first sample."""
        view.schedule("scada_sample")

    def on_event(self, view: View, event: Event) -> None:
        """Sample or deliver."""
        if event.kind == "scada_arrival":
            self._deliver(view, event)
            return
        if event.kind == "scada_exception":
            view.put("scada_clock.waits", 0, False)
        else:
            view.schedule("scada_sample", self.timings[0].every, cause=-1)
        view.put("scada_clock.last", 0, view.now)
        for channel, timing in zip(CHANNELS, self.timings, strict=True):
            sample(view, channel, timing, {"failed": view[f"{channel.table}.failed"]})

    def _deliver(self, view: View, event: Event) -> None:
        which = event.target - CHANNELS[0].number
        channel = CHANNELS[which]
        for row in deliver(view, channel, self.timings[which], event)["failed"].tolist():
            failed = bool(view[f"{channel.observed}.failed"][row])
            causes = [event.id, view.cause(f"{channel.table}.failed", row)]
            view.emit("asset_alarm", row, float(failed), which, causes=causes)

    def step(self, view: View) -> None:
        """Report changes out of turn; note silence when sites die or come back."""
        changed = []
        for channel, timing in zip(CHANNELS, self.timings, strict=True):
            mark_silence(view, channel, timing)
            different = view[f"{channel.table}.failed"] != view[f"{channel.observed}.failed"]
            rows = np.flatnonzero(different & ~view[f"{channel.observed}.silent"])
            changed += [view.cause(f"{channel.table}.failed", row) for row in rows.tolist()]
        if changed and not view["scada_clock.waits"][0]:
            view.put("scada_clock.waits", 0, True)
            wait = max(int(view["scada_clock.last"][0]) + self.least_gap - view.now, 1)
            view.schedule("scada_exception", wait, cause=max(changed))

    def check(self, view: View) -> list[str]:
        """Return impossible observations."""
        return [text for channel in CHANNELS for text in contradictions(view, channel)]
