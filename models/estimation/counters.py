"""Counters of a city: approaches with a link, their half, and the volumes of a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np

from twin.errors import DataError
from twin.models.estimation.accuracy import training_half
from twin.models.estimation.counts import Counts, read_counts, slot_starts
from twin.models.estimation.matching import Matches, match
from twin.models.estimation.shift import Shift

if TYPE_CHECKING:
    from twin.city import City
    from twin.contract import Setup

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Counters:
    """Approaches that have a link; rows follow their ids.

    ids       (n,)
    link      (n,)    row of the link
    xy        (n, 2)  m
    training  (n,)    True in the training half
    """

    ids: tuple[str, ...]
    link: Array
    xy: Array
    training: Array
    counts: Counts
    matches: Matches

    @classmethod
    def of(cls, counts: Counts, city: City) -> Counters:
        """Match counts to a city and split them; a city fitted to counts knows their shift."""
        known = city.report.get("calibration", {}).get("shift")
        matches = match(counts, city, Shift(**known) if known else None)
        ids = tuple(counts.ids[row] for row in matches.approach.tolist())
        return cls(ids, matches.link, matches.xy, training_half(ids), counts, matches)

    def day(self, day: str) -> Array:
        """Return the volumes of one day, (n, n_slot)."""
        return np.asarray(self.counts.day(day)[self.matches.approach])

    def weekday(self) -> Array:
        """Return the mean volumes over Monday to Friday, (n, n_slot); all days when there is none."""
        working = [i for i, day in enumerate(self.counts.days) if datetime.fromisoformat(day).weekday() < 5]
        days = working or list(range(len(self.counts.days)))
        volume = self.counts.volume[self.matches.approach][:, days]
        known = (~np.isnan(volume)).sum(axis=1)
        summed = np.nansum(volume, axis=1)
        return np.asarray(np.divide(summed, known, out=np.full(summed.shape, np.nan), where=known > 0))

    def table(self) -> dict[str, Array]:
        """Return one row per counter, for results."""
        rows = self.matches.approach.tolist()
        return {
            "id": np.array(self.ids),
            "site": np.array([self.counts.site[row] for row in rows]),
            "text": np.array([self.counts.text[row] for row in rows]),
            "link": self.link,
            "x": self.xy[:, 0],
            "y": self.xy[:, 1],
            "distance_m": self.matches.distance,
            "matched_by": np.array(self.matches.how, dtype=str),
            "training": self.training,
        }


def load_counters(setup: Setup) -> tuple[Counters, Array, Array]:
    """Return counters, when each interval of the run ends (us), and the volumes then, (n, n_interval).

    Options `file` and `day` ("" for the date of the run's start). Later days follow while the
    file has them. Raises DataError when the day is not in the file.
    """
    from twin import data

    counters = Counters.of(read_counts(data.find(str(setup.options["file"]), setup.folder)), setup.city)
    ends, volumes = intervals(counters, setup, str(setup.options["day"]))
    return counters, ends, volumes


def intervals(counters: Counters, setup: Setup, day: str = "") -> tuple[Array, Array]:
    """Return ends (n_interval,) us in the run of the intervals it covers, and volumes (n, n_interval).

    An interval counts when it ends after the start and not after the end of the run; a day that
    differs from the date of the start is laid over it by time of day.
    """
    zone = setup.city.timezone
    today = datetime.fromtimestamp(setup.start / 1e6, UTC).astimezone(ZoneInfo(zone)).date()
    first = (datetime.fromisoformat(day_of(day)) if day else datetime.combine(today, datetime.min.time())).date()
    slots = counters.counts.volume.shape[2]
    step = round(counters.counts.interval * 1_000_000)
    ends: list[Array] = []
    volumes: list[Array] = []
    for later in range(setup.duration // (86_400 * 1_000_000) + 2):
        name = (first + timedelta(days=later)).isoformat()
        if later and name not in counters.counts.days:
            break
        ends.append(slot_starts((today + timedelta(days=later)).isoformat(), slots, zone) + step - setup.start)
        volumes.append(counters.day(name))
    end, volume = np.concatenate(ends), np.concatenate(volumes, axis=1)
    covered = (end > 0) & (end <= setup.duration)
    return end[covered], volume[:, covered]


def day_of(text: str) -> str:
    """Return a date as in counts or ISO, as ISO."""
    from twin.models.estimation.counts import parse_date

    found = parse_date(text)
    if found is None:
        raise DataError(f"day {text!r} is not a date; write it as 2006-10-05 or 5/10/2006")
    return found.isoformat()


def counters_from(path: str | Path, city: City) -> Counters:
    """Read counts and match them to a city."""
    return Counters.of(read_counts(path), city)
