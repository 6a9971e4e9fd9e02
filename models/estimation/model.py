"""Compare the flows of a run with real counts, beside simple guesses.

The model only watches. It notes how many vehicles have left each counted link
at the end of every interval, and scores the approaches kept back from
calibration. Intervals of a warm-up are left out: streets start empty. A run
with a flood or a blackout is not the counted day; read its scores as what they are.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.contract import Event, Kpi, Model, Option, Setup
from twin.fields import Field
from twin.models.scenario_events import microseconds

if TYPE_CHECKING:
    from twin.city import City
    from twin.models.estimation.accuracy import Score
    from twin.view import View

Array = np.ndarray[Any, Any]

_PREFIX = {"simulation": "counts", "network mean": "network_mean", "geographic kNN5": "knn5"}


class Estimation(Model):
    """Accuracy of simulated flows at counted approaches."""

    name = "estimation"
    owns = (
        Field("counter_interval.left", "int64", "1", "vehicles that had left the link at the end of the interval"),
        Field("counter_start.left", "int64", "1", "vehicles that had left when the first interval began"),
    )
    reads = ("road.queue",)
    requires = ("road.queue",)
    listens = ("traffic_publish",)
    options = (
        Option("file", "counts in the layout of SCATS volumes (.csv)", "path"),
        Option("day", "day compared, d/m/yyyy or yyyy-mm-dd; empty for the date of the start", "text", ""),
        Option("warm_up", "time at the start that is not compared", "quantity", 1800.0, "s", low=0.0),
    )
    kpi_list = (
        Kpi("counts_wape", "1", "lower", "error of flows at approaches kept back / their counts", 0.02),
        Kpi("counts_geh", "1", "higher", "share of approach-hours kept back with GEH below 5", 0.02),
        Kpi("network_mean_wape", "1", "lower", "the same error when guessing the mean of all counters", 0.02),
        Kpi("network_mean_geh", "1", "higher", "the same share when guessing the mean of all counters", 0.02),
        Kpi("knn5_wape", "1", "lower", "the same error when guessing from the five nearest counters", 0.02),
        Kpi("knn5_geh", "1", "higher", "the same share when guessing from the five nearest counters", 0.02),
    )

    @staticmethod
    def fit(city: City, path: str | Path) -> City:
        """Return a city with its demand fitted to a counts file, and the fit in its report."""
        from twin.models.estimation.calibration import calibrate

        return calibrate(city, path).city

    def setup(self, setup: Setup) -> dict[str, int]:
        """Match the counters and find the intervals that are compared."""
        from twin.models.estimation.counters import load_counters

        self.counters, ends, volume = load_counters(setup)
        self.step_time = microseconds(self.counters.counts.interval)
        self.per_hour = round(3600 / self.counters.counts.interval)
        after = ends - self.step_time >= microseconds(float(setup.options["warm_up"]))
        after &= np.cumsum(after & self._on_the_hour(setup, ends)) > 0
        self.ends, self.volume = ends[after], volume[:, after]
        n_counter = len(self.counters.ids)
        return {"counter_interval": n_counter * max(self.ends.size, 1), "counter_start": n_counter}

    def _on_the_hour(self, setup: Setup, ends: Array) -> Array:
        """Return which intervals begin on a full local hour."""
        hours = np.array([setup.local_hour(int(end) - self.step_time) for end in ends.tolist()])
        return np.asarray(np.abs(hours - np.round(hours)) < 1e-9)

    def on_event(self, view: View, event: Event) -> None:
        """Note what has left each counted link so far, when traffic publishes."""
        left = self._left(view)
        interval = int(np.searchsorted(self.ends, view.now))
        if interval == 0 and self.ends.size and view.now <= self.ends[0] - self.step_time:
            view.raw("counter_start.left")[...] = left
        elif interval < self.ends.size:
            here = slice(interval * left.size, (interval + 1) * left.size)
            view.raw("counter_interval.left")[here] = left

    def _left(self, view: View) -> Array:
        """Return the vehicles that have left each counted link so far."""
        from twin.kernels.traffic_arrays import EXITS

        return np.asarray(view["road.queue"][self.counters.link, EXITS])

    def flow(self, view: View) -> tuple[Array, Array]:
        """Return simulated vehicles and counts of the intervals that have ended, (n, n_interval)."""
        n_counter = len(self.counters.ids)
        done = int(np.searchsorted(self.ends, view.now, side="right"))
        left = view["counter_interval.left"][: done * n_counter].reshape(done, n_counter)
        if done and self.ends[done - 1] == view.now:
            left = np.vstack([left[:-1], self._left(view)[None, :]])
        every = np.vstack([view["counter_start.left"][None, :], left])
        return np.diff(every, axis=0).T.astype(float), self.volume[:, :done]

    def scores(self, view: View) -> dict[str, Score]:
        """Return the score of each method on the approaches kept back."""
        from twin.models.estimation.accuracy import compare

        flow, count = self.flow(view)
        return compare(flow, count, self.counters.xy, self.counters.training, self.per_hour)

    def kpis(self, view: View) -> dict[str, float]:
        """Return error and share of good hours of each method; none while nothing can be compared."""
        figures = {}
        for name, score in self.scores(view).items():
            figures[f"{_PREFIX[name]}_wape"] = score.wape
            figures[f"{_PREFIX[name]}_geh"] = score.geh_share
        return {name: value for name, value in figures.items() if np.isfinite(value)}

    def tables(self, view: View) -> dict[str, dict[str, Array]]:
        """Return the accuracy report: methods, approaches, and what became of the file's rows."""
        from twin.models.estimation.accuracy import verdict

        scores = self.scores(view)
        rows = [score.as_dict() for score in scores.values()]
        methods = {"method": np.array(list(scores))} | {name: np.array([row[name] for row in rows]) for name in rows[0]}
        methods["verdict"] = np.array([verdict(scores)] * len(rows))
        flow, count = self.flow(view)
        known = ~np.isnan(count)
        approaches = self.counters.table() | {
            "simulated": np.where(known, flow, 0.0).sum(axis=1),
            "counted": np.where(known, count, 0.0).sum(axis=1),
        }
        matches = self.counters.matches
        problems = [*self.counters.counts.problems, *(f"{name}: {why}" for name, why in matches.left_out.items())]
        return {
            "accuracy/methods": methods,
            "accuracy/approaches": approaches,
            "accuracy/left_out": {"problem": np.array([str(matches.shift), *problems])},
        }

    def check(self, view: View) -> list[str]:
        """Return counters that ran backwards."""
        backwards = (self.flow(view)[0] < 0).any(axis=1)
        return [f"counter {self.counters.ids[row]} ran backwards" for row in np.flatnonzero(backwards).tolist()]
