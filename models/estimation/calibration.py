"""Scale a city's demand to real counts: gateways, trip table, level and profile of the day.

Everything is fitted to the training half of the approaches on the mean weekday
of the file; the other half is used once, to report the result. Steps:

1. add gateways; let minor streets count with half their speed;
2. fit a trip table to the counts of the morning on free-flow routes (`trips`);
3. simulate the morning, traffic only, and fit the table again: the informed
   share of drivers on routes of the simulated travel times, each counter's
   passages scaled by simulated over computed flow; departures per interval by
   the least-squares factor between simulated and counted flows,
   sum(m c) / sum(m^2). Half a step each time, up to four times; once more trips
   only make more jams their number is held. The pass that meets the training
   half best is kept.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np

from twin.contract import HOUR, SECOND, Setup
from twin.errors import DataError
from twin.models.estimation.accuracy import Score, compare, score, verdict
from twin.models.estimation.counters import Counters, counters_from
from twin.models.estimation.fitted import trip_table, with_demand, with_slow_minor_streets
from twin.models.estimation.gateways import is_gateway, with_gateways
from twin.models.estimation.trips import TripFit, fit_factors, fit_trips, prior_table
from twin.models.estimation.usage import usage

if TYPE_CHECKING:
    from twin.city import City

Array = np.ndarray[Any, Any]

FIRST_HOUR, LAST_HOUR = 6, 10
"""Local hours of the morning that demand is fitted to."""

TRAFFIC = {"informed_share": 0.6, "reroute_every": 600.0}
"""Options of the traffic model that demand is fitted with; runs on the city should use the same."""

_WARM_UP = HOUR // 2
_START = 0.8
_PASSES = 4
_FEW = 50.0
_CARRIED = (0.75, 1.25)
_LEAST_FACTOR, _MOST_FACTOR = 0.7, 1.4
_LEAST_TRAINING = 3


@dataclass(frozen=True)
class Calibration:
    """A city with demand fitted to counts, and how good the fit is.

    scores    method -> Score on the approaches kept back, mean weekday
    training  Score of the simulation on the training half
    fit       the trip table and how it was chosen
    """

    city: City
    counters: Counters
    scores: dict[str, Score]
    training: Score
    fit: TripFit

    def report(self) -> dict[str, Any]:
        """Return all as plain values, for the city's report."""
        return {
            "counts": dict(self.counters.counts.report),
            "shift": asdict(self.counters.matches.shift),
            "matches": self.counters.matches.report(),
            "training": int(self.counters.training.sum()),
            "kept_back": int((~self.counters.training).sum()),
            "gateways": int(is_gateway(self.city).sum()),
            "gateway_share": self.fit.gateway_share,
            "prior_worth": self.fit.worth,
            "cross_error": round(self.fit.error, 4),
            "on_training": _plain(self.training),
            "on_kept_back": {name: _plain(found) for name, found in self.scores.items()},
            "verdict": verdict(self.scores),
        }


@dataclass(frozen=True)
class Morning:
    """A simulated morning.

    flow  (n_link, n_slot)  vehicles that left each link per interval, after the warm-up
    time  (n_link,)         mean travel time, s; free flow where nobody left
    """

    flow: Array
    time: Array


def calibrate(city: City, path: str | Path) -> Calibration:
    """Fit a city's demand to a counts file.

    Raises DataError when too few approaches have a link or full counts of the morning, or no trip
    passes one of them.
    """
    counters = counters_from(path, city)
    city = with_gateways(with_slow_minor_streets(city))
    window = _window(counters)
    target = counters.weekday()
    usable = counters.training & ~np.isnan(target[:, window]).any(axis=1)
    if usable.sum() < _LEAST_TRAINING:
        raise DataError(f"{path}: only {int(usable.sum())} training approaches have counts from 06 to 10")
    count = target[usable][:, window]
    on_free = usage(city, counters.link, city["links"]["length"] / city["links"]["speed"])
    if not (on_free.share[usable] > 0).any():
        raise DataError(f"{path}: no trip between the zones of city {city.name} passes a training counter")
    fit = fit_trips(city, on_free, on_free.share[usable], count.sum(axis=1))
    profile = _profile(target[counters.training])
    search = _Search(counters, usable, count, on_free.share, prior_table(city, on_free.cost, fit.gateway_share))
    city, morning, fit = search.best(with_demand(city, _START * fit.table, profile, counters), fit)
    flow, kept = morning.flow[counters.link], target[:, window]
    per_hour = round(3600 / counters.counts.interval)
    scores = compare(flow, kept, counters.xy, counters.training, per_hour)
    training = score(flow[counters.training], kept[counters.training], per_hour)
    done = Calibration(city, counters, scores, training, fit)
    tables = {name: dict(columns) for name, columns in city.tables.items()} | {"counters": counters.table()}
    return replace(done, city=replace(city, tables=tables, report={**city.report, "calibration": done.report()}))


def simulate(city: City, counters: Counters, seed: int = 1) -> Morning:
    """Run traffic with actuated signals through the morning of the first weekday of the counts."""
    from twin.assembly import Assembly
    from twin.kernels.traffic_arrays import EXITS, TRAVEL
    from twin.models.policies.signals import Actuated
    from twin.models.traffic import Traffic
    from twin.world import World

    start = round(_moment(counters, city.timezone).timestamp() * 1_000_000) - _WARM_UP
    duration = _WARM_UP + (LAST_HOUR - FIRST_HOUR) * HOUR
    setup = Setup(city, {}, seed, start, duration)
    world = World(Assembly(city, [Traffic()], [Actuated()], setup, {"traffic": TRAFFIC}))
    step = round(counters.counts.interval * SECOND)
    left = []
    for until in range(_WARM_UP, duration + 1, step):
        world.run(until)
        left.append(world.state["road.queue"][: city.rows("links"), EXITS].copy())
    queue = world.state["road.queue"][: city.rows("links")]
    free = np.asarray(city["links"]["length"] / city["links"]["speed"], dtype=float)
    time = np.divide(queue[:, TRAVEL] / SECOND, queue[:, EXITS], out=free.copy(), where=queue[:, EXITS] > 0)
    return Morning(np.diff(np.array(left), axis=0).T.astype(float), np.maximum(time, free))


def slot_factors(flow: Array, count: Array) -> Array:
    """Return the least-squares factor between flows and counts of each interval, within 0.5 to 2.

    flow, count  (n, n_slot)
    """
    known = ~np.isnan(count)
    top = np.where(known, flow * np.nan_to_num(count), 0.0).sum(axis=0)
    below = np.where(known, flow**2, 0.0).sum(axis=0)
    factor = np.divide(top, below, out=np.ones_like(top), where=below > 0)
    return np.asarray(np.clip(factor, _LEAST_FACTOR, _MOST_FACTOR))


@dataclass(frozen=True)
class _Search:
    """Passes of simulating and fitting again.

    usable   (n_counter,)                 counters that are fitted to
    count    (n_usable, n_slot)           their vehicles
    on_free  (n_counter, n_zone * n_zone) passages on free-flow routes
    prior    (n_zone, n_zone)             trip table before counts
    """

    counters: Counters
    usable: Array
    count: Array
    on_free: Array
    prior: Array

    def best(self, city: City, fit: TripFit) -> tuple[City, Morning, TripFit]:
        """Return the pass that meets the training counts best."""
        morning = simulate(city, self.counters)
        best, missed = (city, morning), self.error(morning)
        hold = False
        for _ in range(_PASSES):
            city = self.next(*best, fit.worth, hold)
            morning = simulate(city, self.counters)
            error = self.error(morning)
            if error < missed:
                best, missed = (city, morning), error
            elif hold:
                break
            else:
                hold = True
        return *best, replace(fit, table=trip_table(best[0]))

    def flow(self, morning: Morning) -> Array:
        """Return simulated vehicles at the usable counters, (n_usable, n_slot)."""
        return morning.flow[self.counters.link][self.usable]

    def error(self, morning: Morning) -> float:
        """Return the sum of |flow - count| over the training half."""
        return float(np.abs(self.flow(morning) - self.count).sum())

    def next(self, city: City, morning: Morning, worth: float, hold: bool) -> City:
        """Return the city half a step nearer to the counts; `hold` keeps the number of trips."""
        informed = TRAFFIC["informed_share"]
        present = usage(city, self.counters.link, morning.time).share
        share = ((1 - informed) * self.on_free + informed * present)[self.usable]
        old = trip_table(city)
        flow = self.flow(morning)
        carried = (flow.sum(axis=1) + _FEW) / (share @ old.ravel() + _FEW)
        share = share * np.clip(carried, *_CARRIED)[:, None]
        new = fit_factors(self.prior, share, self.count.sum(axis=1), worth)
        new = new * (old.sum() / new.sum()) if hold else new
        profile = np.asarray(city.parameters["demand"]["profile"], dtype=float)
        window = _window(self.counters)
        factor = slot_factors(flow, self.count)
        scaled = profile.copy()
        scaled[window] *= np.sqrt(factor / factor.mean())
        return with_demand(city, np.sqrt(old * new), scaled, self.counters)


def _profile(volume: Array) -> Array:
    """Return the shape of the day from training counts, (n_slot,); gaps are bridged in straight lines."""
    known = ~np.isnan(volume)
    total = np.where(known, np.nan_to_num(volume), 0.0).sum(axis=0)
    rows = known.sum(axis=0)
    slots = np.arange(total.size)
    full = np.flatnonzero(rows)
    return np.asarray(np.interp(slots, full, total[full] / rows[full]))


def _window(counters: Counters) -> slice:
    per_hour = round(3600 / counters.counts.interval)
    return slice(FIRST_HOUR * per_hour, LAST_HOUR * per_hour)


def _moment(counters: Counters, zone: str) -> datetime:
    """Return 06:00 local on the first weekday of the counts."""
    days = [datetime.fromisoformat(day) for day in counters.counts.days]
    first = next((day for day in days if day.weekday() < 5), days[0])
    return (first + timedelta(hours=FIRST_HOUR)).replace(tzinfo=ZoneInfo(zone))


def _plain(score: Score) -> dict[str, float]:
    return {name: round(value, 4) for name, value in score.as_dict().items()}
