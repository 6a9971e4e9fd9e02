"""Report travel times of roads, from probe vehicles or loops, with noise."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.contract import Event, Feed, Option, Setup
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
from twin.models.telecom import site_of

if TYPE_CHECKING:
    from twin.view import View

Array = np.ndarray[Any, Any]

LINKS = Channel("probes", "link", (Column("time", "float64", "s", "travel time of the road"),))


class Probes(Feed):
    """Travel times of all roads every minute, half a minute late, with 5 % noise.

    The noise is lognormal with mean 1, so it is right on average and never
    negative; each road and sample has its own random numbers. Until its first
    report a road is taken to run at its free speed.
    """

    name = "probes"
    owns = LINKS.fields()
    reads = ("link.time", "site.alive")
    requires = ("link.time", "nodes", "links")
    events = feed_events("probes")
    tells = SILENCE
    options = (
        *common_options(every=60.0, latency=30.0),
        Option("noise", "coefficient of variation of a travel time", "number", 0.05, low=0.0, high=10.0),
    )

    def setup(self, setup: Setup) -> dict[str, int]:
        """Find the site of every road, at its middle."""
        city = setup.city
        nodes, links = city["nodes"], city["links"]
        middle = [(nodes[axis][links["from_node"]] + nodes[axis][links["to_node"]]) / 2 for axis in ("x", "y")]
        self.timing = rhythm(setup, site_of(city, *middle))
        self.spread = math.sqrt(math.log1p(float(setup.options["noise"]) ** 2))
        self.free_time = links["length"] / links["speed"]
        return rows_of(LINKS, self.timing)

    def start(self, view: View) -> None:
        """Assume free speed and take the first sample."""
        view.put("observed_link.time", slice(None), self.free_time)
        view.schedule("probes_sample")

    def on_event(self, view: View, event: Event) -> None:
        """Sample or deliver."""
        if event.kind == "probes_arrival":
            deliver(view, LINKS, self.timing, event)
            return
        count = int(view["probes_link_slot.count"][0])
        sample(view, LINKS, self.timing, {"time": view["link.time"] * self._noise(count)})
        view.schedule("probes_sample", self.timing.every, cause=-1)

    def _noise(self, count: int) -> Array:
        """Return the factor of noise on each road in one sample (Box and Muller 1958)."""
        from twin.random import uniform

        links = np.arange(len(self.timing.site))
        if self.spread == 0:
            return np.ones(len(links))
        radius = np.sqrt(-2.0 * np.log(uniform(self.timing.seed, "probes.radius", links, count)))
        normal = radius * np.cos(2.0 * np.pi * uniform(self.timing.seed, "probes.angle", links, count))
        return np.asarray(np.exp(self.spread * normal - self.spread**2 / 2))

    def step(self, view: View) -> None:
        """Note silence when sites die or come back."""
        mark_silence(view, LINKS, self.timing)

    def check(self, view: View) -> list[str]:
        """Return impossible observations."""
        return contradictions(view, LINKS)
