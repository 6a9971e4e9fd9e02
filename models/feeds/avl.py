"""Report where units are and whether they are free (automatic vehicle location)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twin.contract import Event, Feed, Option, Setup
from twin.models.emergency.duty import unit_shifts
from twin.models.emergency.service_plan import plan_of
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
from twin.models.plan_file import locate
from twin.models.telecom import site_of

if TYPE_CHECKING:
    from twin.view import View

UNITS = Channel(
    "avl",
    "unit",
    (
        Column("node", "int32", "1", "node the unit stands on or reaches next"),
        Column("free", "bool", "1", "unit may be sent to a call"),
    ),
    number=1,
)


class Avl(Feed):
    """Node and status of every unit each 15 s, 5 s late, through the site nearest to it."""

    name = "avl"
    owns = UNITS.fields()
    reads = ("unit.node", "unit.free", "site.alive")
    requires = ("unit.node", "unit.free", "nodes", "stations")
    events = feed_events("avl")
    tells = SILENCE
    options = (
        *common_options(every=15.0, latency=5.0),
        Option("service", "plan of the units, as the emergency model has it (.yaml)", "path", ""),
    )

    def setup(self, setup: Setup) -> dict[str, int]:
        """Find the site of every node; the roster tells how many units there are and where they start."""
        city = setup.city
        self.site_of_node = site_of(city, city["nodes"]["x"], city["nodes"]["y"])
        units = plan_of(city, locate(str(setup.options["service"]), setup.folder)).units
        self.home = units.node
        self.on_duty = unit_shifts(setup, units).first
        self.timing = rhythm(setup, self.site_of_node[self.home])
        return rows_of(UNITS, self.timing)

    def start(self, view: View) -> None:
        """Take the roster as known and the first sample."""
        view.put("observed_unit.node", slice(None), self.home)
        view.put("observed_unit.free", slice(None), self.on_duty)
        view.schedule("avl_sample")

    def on_event(self, view: View, event: Event) -> None:
        """Sample or deliver."""
        if event.kind == "avl_arrival":
            deliver(view, UNITS, self.timing, event)
            return
        here = self.timing.at(self.site_of_node[view["unit.node"]])
        sample(view, UNITS, here, {"node": view["unit.node"], "free": view["unit.free"]})
        mark_silence(view, UNITS, here)
        view.schedule("avl_sample", self.timing.every, cause=-1)

    def step(self, view: View) -> None:
        """Note silence when sites die or come back, and when units move between them."""
        mark_silence(view, UNITS, self.timing.at(self.site_of_node[view["unit.node"]]))

    def check(self, view: View) -> list[str]:
        """Return impossible observations."""
        return contradictions(view, UNITS)
