"""The traffic model: the vehicle kernel within the twin.

Drivers follow next-hop tables: the informed share those of present travel
times, the others those of free-flow times on dry roads; both avoid a road from the instant
it closes, and use it again from the instant it opens. Who has no way left waits
before the closed road, or where his trip begins. Whom a new
table would lead back to a node he has met keeps the way he is on, unless a road
on it closes. Travel times are published every minute from the vehicles that left
each link, or from the wait of its first vehicle when none did.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from twin.contract import SECOND, Event, EventKind, Kpi, Model, Option, Setup
from twin.fields import Field
from twin.models.traffic import figures, works
from twin.models.traffic.changes import where_there_is_a_way
from twin.models.traffic.city_turns import pockets, write_gaps
from twin.models.traffic.columns import KERNEL_FIELDS, kernel_settings, kernel_state, rows_of, write_initial
from twin.models.traffic.gridlock import RELAX, REPORT, watch
from twin.models.traffic.publish import TELLS, publish
from twin.models.traffic.streets import CLASS_PCU, SIGNAL_TIMES, banned_turns, classes, roads, signals
from twin.models.traffic.trails import TRAIL_FIELDS, first_pages, lead, with_trails

if TYPE_CHECKING:
    from twin.kernels.traffic_arrays import Settings
    from twin.kernels.traffic_layout import Traffic as Arrays
    from twin.view import View

Array = np.ndarray[Any, Any]

_PUBLISH, _REROUTE = "traffic_publish", "traffic_reroute"


class Traffic(Model):
    """Vehicles on the streets, their queues, signals and travel times."""

    name = "traffic"
    owns = (
        *KERNEL_FIELDS,
        *TRAIL_FIELDS,
        *works.FIELDS,
        Field("link.time", "float64", "s", "present travel time", traced=True),
        Field("link.open", "bool", "1", "vehicles may enter", 1, traced=True),
        Field("link.flow", "float64", "veh/s", "vehicles that left, per second, since the last publication"),
        Field("link.vehicles", "int64", "1", "vehicles on the link and in its pockets at the last publication"),
        Field("link.slow", "bool", "1", "travel time is far above free flow"),
        Field("link.gridlocked", "bool", "1", "part of a cycle of full links that wait for each other"),
        Field("link.closure", "int16", "1", "reasons why nobody may enter", group=True, traced=True),
        Field("road.exits_seen", "int64", "1", "vehicles that had left a link or pocket at the last publication"),
        Field("road.travel_seen", "int64", "us", "their total time at the last publication"),
        Field("routes.stale", "bool", "1", "roads have opened or closed since everybody's routes were found"),
        Field("signal.mode", "int8", "1", "0 fixed time, 1 vehicle-actuated", observable=True),
        Field("signal.dark", "bool", "1", "the signal is out", traced=True),
    )
    reads = ("link.wet_speed", "signal.powered")
    requires = ("nodes", "links", "zones", "zone_nodes")
    parameters = ("demand.profile", "demand.trips_morning", "demand.classes")
    city_defaults: ClassVar = {"demand": {"pcu": CLASS_PCU}, "signals": SIGNAL_TIMES}
    events = (
        *works.EVENTS,
        EventKind("signal_mode", "a signal changes between fixed time (0) and vehicle-actuated (1)", target="signals"),
        EventKind(_PUBLISH, "travel times are published", quiet=True),
        EventKind("road_look", "somebody looks at the vehicles as they stand now", quiet=True),
        EventKind(_REROUTE, "informed drivers learn present travel times", quiet=True),
    )
    tells = TELLS
    options = (
        Option("demand_factor", "multiplies the number of trips", default=1.0, low=0.0, high=100.0),
        Option(
            "informed_share",
            "share of drivers who know present travel times",
            default=0.3,
            low=0.0,
            high=1.0,
            parameter="demand.informed_share",
        ),
        Option("publish_every", "time between publications of travel times", "quantity", 60.0, "s", low=1.0),
        Option("reroute_every", "time between updates of informed drivers", "quantity", 900.0, "s", low=1.0),
        Option("dark_capacity", "vehicles through a dark junction", "quantity", 1200 / 3600, "veh/s", low=1e-6),
        Option("slow_factor", "a link is slow above this multiple of free flow", default=2.0, low=1.0, high=1000.0),
        Option("gridlock", "report gridlocks only, or let them go", "choice", REPORT, choices=(REPORT, RELAX)),
        Option("gridlock_wait", "wait after which a gridlock is let go", "quantity", 300.0, "s", low=1.0),
    )
    kpi_list = (
        Kpi(
            "vehicle_hours", "h", "lower", "time of all vehicles from departure to arrival or the end of the run", 50.0
        ),
        Kpi("trip_delay", "s", "lower", "mean time of trips so far beyond that of their way without traffic", 10.0),
        Kpi("trips_arrived", "1", "higher", "vehicles that reached their destination", 50.0),
        Kpi("vehicles_at_end", "1", "lower", "vehicles on the road or waiting to enter when the run ends", 50.0),
    )
    series = (
        Kpi("vehicles_on_road", "1", "lower", "vehicles under way or waiting to enter", 0.0),
        Kpi("slow_links", "1", "lower", "links far above free-flow time", 0.0),
    )

    def doubt(self, setup: Setup) -> list[str]:
        return works.without_effect(setup)

    def setup(self, setup: Setup) -> dict[str, int]:
        from twin.kernels.traffic_layout import Trips, build
        from twin.kernels.trails import new_memory
        from twin.models import demand
        from twin.models.streets import build_streets
        from twin.models.traffic.routes import Routing, warn_of_no_way, zone_costs

        city, options = setup.city, setup.options
        self.run_options = dict(options)
        self.streets = build_streets(city)
        self.trips = demand.draw_trips(setup, zone_costs(city, self.streets), float(options["demand_factor"]))
        self.destinations, destination = np.unique(self.trips.destination, return_inverse=True)
        self.routing = Routing(self.streets, self.destinations, banned_turns(city))
        table = self.routing.table(self.streets.free_time)
        warn_of_no_way(table, self.trips.origin, self.trips.destination, destination)
        informed = setup.uniform("trip.informed", self.trips.number) < float(options["informed_share"])
        self.built = build(
            roads(city),
            Trips(
                depart=self.trips.depart,
                origin=self.trips.origin,
                destination=destination,
                first_link=table[destination, self.trips.origin],
                vehicle_class=self.trips.kind,
                informed=informed,
                key=self.trips.number,
            ),
            self.destinations,
            classes(self.trips.classes, city),
            signals(city, 1 / float(options["dark_capacity"])),
        )
        write_gaps(city, self.built.settings)
        self.built.settings.informed[...] = table
        self.built.settings.habitual[...] = table
        self.free_times = figures.free_times(self.built, self.trips.origin, destination)
        self.memory = new_memory(self.built.network, self.built.demand)
        self.link_of_queue = np.append(np.arange(city.rows("links")), pockets(city)[0][:, 0])
        self.node_of_signal = city["signals"]["node"] if "signals" in city.tables else np.empty(0, np.int32)
        self.signal_of_node = np.full(city.rows("nodes"), -1)
        self.signal_of_node[self.node_of_signal] = np.arange(self.node_of_signal.shape[0])
        self.works = works.Works(setup, self.link_of_queue)
        pages = first_pages(self.trips.depart.size)
        return {**rows_of(self.built.settings, self.built.state), **self.works.rows, "routes": 1, "trail": pages}

    def start(self, view: View) -> None:
        write_initial(view, self.built.settings, self.built.state)
        self.works.start(view)
        self._touch(view)
        view.put("link.time", slice(None), self.streets.free_time)
        view.schedule(_PUBLISH, int(self.run_options["publish_every"] * SECOND))
        view.schedule(_REROUTE, int(self.run_options["reroute_every"] * SECOND))

    def _settings(self, view: View) -> Settings:
        return kernel_settings(view, self.built.settings)

    def _arrays(self, view: View) -> Arrays:
        built = self.built._replace(settings=self._settings(view), state=kernel_state(view))
        return with_trails(view, built)

    def advance(self, view: View, until: int) -> None:
        from twin.kernels.traffic import advance
        from twin.kernels.traffic_arrays import new_log

        if view["traffic_clock.value"][0] < until:
            advance(*self._arrays(view), new_log(0), until)

    def on_event(self, view: View, event: Event) -> None:
        if event.kind == "signal_mode":
            view.put("signal.mode", event.target, int(event.value))
            self._control(view, np.array([event.target]))
            self._touch(view)
        elif event.kind in works.KINDS:
            self.works.begin_or_end(view, event, self._arrays(view), self.built)
            self._slow_down(view)
            self._touch(view)
        elif event.kind == _PUBLISH:
            publish(self, view)
            watch(self, view, self._arrays(view))
            view.schedule(_PUBLISH, int(self.run_options["publish_every"] * SECOND), cause=-1)
        elif event.kind == _REROUTE:
            self._reroute(view)
            self._touch(view)
            view.schedule(_REROUTE, int(self.run_options["reroute_every"] * SECOND), cause=-1)

    def step(self, view: View) -> None:
        changed = self._close_and_open(view)
        wet = self._slow_down(view)
        dark = self._go_dark(view)
        if changed.size:
            self._lead_anew(view, changed)
        if changed.size or wet or dark:
            self._touch(view)

    def _touch(self, view: View) -> None:
        from twin.kernels.traffic import touch

        touch(*self._arrays(view))

    def _close_and_open(self, view: View) -> Array:
        wanted = view.total("link.closure") > 0
        changed = np.flatnonzero(wanted == view["link.open"])
        if changed.size:
            causes = [view.cause("link.closure", int(row)) for row in changed]
            view.put("link.open", changed, ~wanted[changed], cause=causes)
            view.raw("routes.stale")[0] = True
        return changed

    def _slow_down(self, view: View) -> bool:
        if "link.wet_speed" not in view and not self.works.rows["speed_limit"]:
            return False
        from twin.kernels.traffic import set_free_flow

        dry = self.built.settings.free_flow[: view.city.rows("links")]
        wanted = self.works.free_flow(view, dry)
        if "link.wet_speed" in view:
            wanted = np.maximum(wanted, np.rint(dry / np.maximum(view["link.wet_speed"], 0.05)).astype(np.int64))
        changed = np.flatnonzero(wanted != view["road.free_flow"][: dry.size])
        settings, state = self._settings(view), kernel_state(view)
        for row in changed.tolist():
            set_free_flow(self.built.network, settings, state, row, int(wanted[row]))
        return bool(changed.size)

    def _go_dark(self, view: View) -> bool:
        if "signal.powered" not in view:
            return False
        dark = ~view["signal.powered"]
        changed = np.flatnonzero(dark != view["signal.dark"])
        for row in changed.tolist():
            kind = "signal_dark" if dark[row] else "signal_lit"
            event = view.emit(kind, row, causes=[view.cause("signal.powered", row)])
            view.put("signal.dark", row, dark[row], cause=event)
        self._control(view, changed)
        return bool(changed.size)

    def _control(self, view: View, signals: Array) -> None:
        from twin.kernels.traffic import set_control
        from twin.kernels.traffic_arrays import ACTUATED, DARK, FIXED

        settings, state = self._settings(view), kernel_state(view)
        for row in signals.tolist():
            control = ACTUATED if view["signal.mode"][row] else FIXED
            control = DARK if view["signal.dark"][row] else control
            node = self.node_of_signal[row]
            if settings.control[node] != control:
                set_control(settings, state, node, control)

    def _lead_anew(self, view: View, changed: Array) -> None:
        """Lead everybody around roads that have just closed, and along those that have just opened."""
        if view["link.open"][changed].any():
            self._reroute(view)
        else:
            self._detour(view, changed)

    def _reroute(self, view: View) -> None:
        """Give informed drivers present times, and all drivers the roads that have opened or closed since."""
        usual, present = self._times(view)
        arrays = self._arrays(view)
        habitual, before = arrays.settings.habitual, arrays.settings.informed
        informed = where_there_is_a_way(self.routing.table(present), before)
        if view["routes.stale"][0]:
            habitual = where_there_is_a_way(self.routing.table(usual), habitual)
            view.raw("routes.stale")[0] = False
        lead(view, arrays, self.memory, (habitual, informed), self._closed(view, arrays))

    def _detour(self, view: View, closed: Array) -> None:
        """Lead everybody around roads that have just closed: only destinations that used them."""
        arrays = self._arrays(view)
        tables = arrays.settings.habitual.copy(), arrays.settings.informed.copy()
        for table, times in zip(tables, self._times(view), strict=True):
            rows = self.routing.users(table, closed)
            table[rows] = where_there_is_a_way(self.routing.table(times, rows), table[rows])
        lead(view, arrays, self.memory, tables, self._closed(view, arrays))

    def _closed(self, view: View, arrays: Arrays) -> Array:
        """Mark the links (n_link,) of the kernel, pockets among them, that nobody may enter."""
        shut = ~view["link.open"]
        return np.append(shut, np.zeros(arrays.settings.closed.size - shut.size, bool))

    def _times(self, view: View) -> tuple[Array, Array]:
        """Return the free-flow time when dry and the present time of every link, s; inf where it is closed."""
        shut = ~view["link.open"]
        present = np.maximum(view["link.time"], view["road.free_flow"][: shut.size] / SECOND)
        return np.where(shut, np.inf, self.streets.free_time), np.where(shut, np.inf, present)

    def kpis(self, view: View) -> dict[str, float]:
        return figures.kpis(self, view)

    def measure(self, view: View) -> dict[str, float]:
        return figures.measure(self, view)

    def check(self, view: View) -> list[str]:
        return figures.broken(self, view)

    def tables(self, view: View) -> dict[str, dict[str, Array]]:
        figures.warn_of_waits(self, view, self._arrays(view))
        return figures.tables(self, view)
