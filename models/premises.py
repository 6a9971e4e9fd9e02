"""Let loads follow people: premises without power close, and who worked there uses power at home.

The load of a bus that follows working hours stands for shops, offices and workshops. Without supply for
`close_after` they close: what people used there is away (`bus.absence`), what runs by itself, such as
refrigerators and servers, still waits for supply. The people go home, to zones drawn as their trips to work are, and
raise the load there by `home_share` of what they used at work, at homes with supply: who comes home to a dark one asks
for nothing more. Who is away already, because the zone is evacuated, is neither sent home nor counted, and nobody uses
more in homes that are left. `reopen_after` the return of supply all is as usual again.

Sources: escape lighting lasts an hour at least (EN 1838:2013, 4.2.5), and nobody is let stay longer.
When people stayed at home in spring 2020, homes in the United States used 10 % more, commerce
12 % and industry 14 % less (Cicala, Powering work from home, NBER Working Paper 27937, 2020); with sales of
1,465, 1,287 and 959 TWh (EIA, Electric Power Annual 2020) homes gained half of what work lost. That an hour
passes until people are back is an assumption.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from twin.contract import HOUR, SECOND, Event, EventKind, Kpi, Model, Option, Setup
from twin.fields import Field
from twin.models.demand import gravity
from twin.models.power.profile import STANDING, demand_factor, staffed, work_share
from twin.models.scenario_events import microseconds

if TYPE_CHECKING:
    from twin.city import City
    from twin.view import View

Array = np.ndarray[Any, Any]

_SPEED = 25.0 / 3.6
"""m/s in a straight line between zones; assumption: what weighs distance among homes of one place of work."""


class Premises(Model):
    """Places of work that close in the dark, and the people who go home from them."""

    name = "premises"
    owns = (
        Field("bus.closed", "bool", "1", "the premises on it have closed for want of power", traced=True),
        Field("bus.turns", "int64", "us", "when they close or open if supply stays as it is, -1 for never", -1),
        Field("premises.away", "float64", "1", "persons sent home, now"),
        Field("premises.lost", "float64", "us", "persons sent home, integrated"),
        Field("premises.tick", "int64", "us", "when the usual demand was last renewed"),
        Field("premises.since", "int64", "us", "until when this has been added up"),
    )
    lags = ("bus.energised", "bus.absence")
    adds = ("bus.load", "bus.absence")
    requires = ("bus.energised", "buses", "zones")
    events = (EventKind("premises_turn", "premises without power close, or open again", quiet=True),)
    tells = (
        EventKind("premises_closed", "premises in the dark send people home", "buses", unit="persons"),
        EventKind("premises_opened", "people are back at work", "buses", unit="persons"),
    )
    listens = ("load_tick",)
    kpi_list = (Kpi("work_hours_lost", "h", "lower", "persons sent home from dark premises times hours", 1000.0),)
    series = (Kpi("persons_sent_home", "1", "lower", "persons sent home from dark premises", 1.0),)
    options = (
        Option("close_after", "time without power after which premises close", "quantity", 3600.0, "s", low=0.0),
        Option("reopen_after", "time with power after which they are open again", "quantity", 3600.0, "s", low=0.0),
        Option("home_share", "load of people at home over what they used at work", "number", 0.5, low=0.0, high=2.0),
    )

    def setup(self, setup: Setup) -> dict[str, int]:
        """Find how much of each bus is work, who works there and where they live."""
        city, options = setup.city, setup.options
        self.local_hour = setup.local_hour
        self.delay = [max(microseconds(options[name]) - SECOND, 1) for name in ("reopen_after", "close_after")]
        self.home_share = float(options["home_share"])
        self.peak = np.asarray(city["buses"]["p"], dtype=np.float64)
        self.work = work_share(city)
        self.zone = np.asarray(city["buses"]["zone"], dtype=np.int64)
        self.jobs = _jobs(city, self.zone, self.peak)
        self.homes = _shares(city, self.zone, self.peak * (1.0 - self.work))
        self.live = _where_workers_live(city, np.unique(self.zone[self.homes > 0]))
        return {"premises": 1}

    def step(self, view: View) -> None:
        """Set the time at which premises close or open, where supply changed a second ago."""
        fed, closed, turns = view["bus.energised"], view["bus.closed"], view["bus.turns"]
        wanted = (fed == closed) & (self.work > 0)
        new = wanted & (turns < 0)
        waits = np.where(fed, *self.delay)
        view.put("bus.turns", slice(None), np.where(wanted, np.where(new, view.now + waits, turns), -1))
        for delay in np.unique(waits[new]).tolist():
            view.schedule("premises_turn", delay, cause=-1)
        if closed.any():
            self._move(view)

    def on_event(self, view: View, event: Event) -> None:
        """Close or open premises whose time has come; let the hour of day act on what is away."""
        if event.kind == "premises_turn":
            self._turn(view)
            return
        view.put("premises.tick", 0, view.now)
        if view["bus.closed"].any():
            self._move(view)

    def _turn(self, view: View) -> None:
        """Close or open what is due and has its supply as it had, and log it by what changed that."""
        due = (view["bus.turns"] >= 0) & (view["bus.turns"] <= view.now)
        due &= view["bus.energised"] == view["bus.closed"]
        behind, staff = view["bus.energised@cause"], self._staff(view)
        opening = due & view["bus.closed"]
        for kind, ours, closes in (("premises_closed", due & ~opening, True), ("premises_opened", opening, False)):
            for cause in np.unique(behind[ours]).tolist():
                rows = np.flatnonzero(ours & (behind == cause))
                logged = view.emit(kind, int(rows[0]), float(round(staff[rows].sum())), len(rows), causes=[cause])
                view.put("bus.closed", rows, closes, logged)
        view.put("bus.turns", due, -1)
        if due.any():
            self._move(view)

    def _here(self, view: View) -> Array:
        """Return the share of each bus's people that nothing else has taken away."""
        return 1.0 - np.clip(view.total("bus.absence", others=True), 0.0, 1.0)

    def _staff(self, view: View) -> Array:
        """Return who would be at work at each bus."""
        return np.asarray(self.jobs * self._here(view) * staffed(self._hour(view)))

    def _hour(self, view: View) -> float:
        """Return the local hour of the usual demand, of which all here is a part, also between two of its ticks."""
        return self.local_hour(int(view["premises.tick"][0]))

    def _move(self, view: View) -> None:
        """Take what people used at closed premises away, and let them use their share of it at homes with supply."""
        hour, here = self._hour(view), self._here(view)
        part = np.where(view["bus.closed"], self.work * (1.0 - STANDING) * staffed(hour) * here, 0.0)
        view.add("bus.absence", slice(None), part / demand_factor(self.work, hour))
        zoned = self.zone >= 0
        left = np.bincount(self.zone[zoned], (self.peak * part)[zoned], self.live.shape[0])
        more = self.home_share * here * self.homes * np.append(left @ self.live, 0.0)[self.zone]
        view.add("bus.load", slice(None), np.where(view["bus.energised"], more, 0.0))
        self._book(view)

    def _book(self, view: View) -> None:
        """Add up what was lost so far, and count who is away from now on."""
        view.put("premises.lost", 0, self._lost(view))
        view.put("premises.since", 0, view.now)
        view.put("premises.away", 0, float(self._staff(view)[view["bus.closed"]].sum()))

    def _lost(self, view: View) -> float:
        elapsed = view.now - int(view["premises.since"][0])
        return float(view["premises.lost"][0] + view["premises.away"][0] * elapsed)

    def kpis(self, view: View) -> dict[str, float]:
        """Return the hours of work lost so far."""
        return {"work_hours_lost": self._lost(view) / HOUR}

    def measure(self, view: View) -> dict[str, float]:
        """Return who has been sent home."""
        return {"persons_sent_home": float(view["premises.away"][0])}

    def check(self, view: View) -> list[str]:
        """Return premises whose time to close or open has passed."""
        late = (view["bus.turns"] >= 0) & (view["bus.turns"] < view.now - SECOND)
        return [f"the premises on bus {row} should have closed or opened" for row in np.flatnonzero(late).tolist()]


def _shares(city: City, zone: Array, weight: Array) -> Array:
    """Return the share of each bus in the weight of its zone, 0 without a zone."""
    zoned = zone >= 0
    total = np.bincount(zone[zoned], weight[zoned], city.rows("zones"))
    whole = np.append(total, 0.0)[zone]
    return np.asarray(np.divide(weight, whole, out=np.zeros(whole.shape), where=zoned & (whole > 0)))


def _jobs(city: City, zone: Array, peak: Array) -> Array:
    """Return the jobs at each bus: those of its zone by share of the zone's load."""
    jobs = np.append(np.asarray(city["zones"]["jobs"], dtype=np.float64), 0.0)
    return np.asarray(_shares(city, zone, peak) * jobs[zone])


def _where_workers_live(city: City, inhabited: Array) -> Array:
    """Return (n_zone, n_zone) the share of those who work in a zone that live in each: rows sum to 1, or to 0.

    inhabited  zones with homes that use power
    """
    zones = city["zones"]
    beta = float(city.settings("demand", {"gravity_beta": 0.0})["gravity_beta"])
    x, y = np.asarray(zones["x"]), np.asarray(zones["y"])
    apart = np.hypot(x[:, None] - x, y[:, None] - y)
    homes = np.zeros(city.rows("zones"))
    homes[inhabited] = zones["population"][inhabited]
    trips = gravity(np.maximum(zones["jobs"], 1e-9), homes, apart / _SPEED, beta)
    total = trips.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(trips, total, out=np.zeros_like(trips), where=total > 0))
