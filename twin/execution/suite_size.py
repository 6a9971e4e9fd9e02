"""Say how many runs a suite makes, how long they take and how much they write, before any of them runs."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from twin.contract import HOUR
from twin.errors import DataError

if TYPE_CHECKING:
    from twin.execution.runs import Run
    from twin.scenario import Case, Scenario

MOST_CASES = 2000
"""Most runs of a suite that start without being agreed to."""

SECONDS_PER_LINK_HOUR = 3.2e-4
BYTES_PER_LINK_HOUR = 11.0
"""Cost of one simulated hour of one street link, where nothing comparable has been run.

Measured on nusantara: 2,547 links, 51,000 trips, all models, 5 simulated hours took 4.0 s with
compiled kernels on one of two cores, and wrote 0.14 MB.
"""

_RECENT = 50
_LEAST_WALL = 0.1
_LEAST_BYTES = 20_000


@dataclass(frozen=True)
class _Cost:
    """Wall time (s) and bytes of one run, and the earlier runs they come from."""

    wall: float
    disk: float
    behind: frozenset[str] = frozenset()


@dataclass(frozen=True)
class _Earlier:
    """What a complete run took: duration (us), wall time (s), bytes."""

    folder: str
    city: str
    duration: int
    wall: float
    disk: int


@dataclass(frozen=True)
class Size:
    """What a suite asks for.

    arms, replications  runs are their product
    wall                s, all runs on the given workers
    disk                bytes
    measured            earlier runs the figures come from, 0 when they are calibrated
    """

    arms: int
    replications: int
    workers: int
    wall: float
    disk: int
    measured: int

    @property
    def runs(self) -> int:
        """Number of runs."""
        return self.arms * self.replications

    def __str__(self) -> str:
        processes = "1 process" if self.workers == 1 else f"{self.workers} processes"
        how = f"about {_long(self.wall)} on {processes}, {_large(self.disk)} on disk"
        counted = f"{_counted(self.arms, 'arm')} x {_counted(self.replications, 'replication')} = {self.runs:,} runs"
        return f"{counted}; {how} ({self._origin()})"

    def _origin(self) -> str:
        if self.measured:
            return f"from {_counted(self.measured, 'earlier run')}"
        return f"no run of this city to go by: {SECONDS_PER_LINK_HOUR:g} s per link and hour, as measured on nusantara"


def size_of(
    scenario: Scenario,
    out: str | Path = "results",
    workers: int = 0,
    arms: Iterable[str] = (),
    replications: int | None = None,
) -> Size:
    """Estimate a suite from earlier runs below a folder, else from a measured cost per link and hour.

    Only the first replication of each arm is read. A stopping rule counts with its most replications.
    Raises ScenarioError when the scenario has errors, DataError for an arm it lacks.
    """
    from twin.execution.execute import available_cores
    from twin.execution.suite import select

    if replications is None:
        replications = scenario.stopping.cap if scenario.stopping else scenario.replications
    heads = select(scenario, arms, 1)
    earlier = _earlier(Path(out))
    costs = [_cost(case, earlier) for case in heads]
    processes = max(1, min(workers or available_cores(), len(heads) * replications))
    return Size(
        arms=len(heads),
        replications=replications,
        workers=processes,
        wall=sum(cost.wall for cost in costs) * replications / processes,
        disk=round(sum(cost.disk for cost in costs) * replications),
        measured=len(set().union(*(cost.behind for cost in costs))) if all(cost.behind for cost in costs) else 0,
    )


def refuse_if_larger(size: Size, most: int, name: str) -> None:
    """Raise DataError when a suite has more runs than agreed to, with what it would cost."""
    if size.runs > most:
        raise DataError(
            f"{name} is larger than --max-cases {most:,}: {size}; "
            f"see it with: twin expand {name}; start it with --yes, or allow it with --max-cases {size.runs}"
        )


def _earlier(out: Path) -> dict[str, list[_Earlier]]:
    """Return the latest complete runs below a folder by digest of their city."""
    from twin.execution.runs import find_runs

    found: dict[str, list[_Earlier]] = {}
    complete = [run for run in find_runs(out) if run.manifest] if out.is_dir() else []
    for run in sorted(complete, key=lambda run: str(run.manifest.get("finished", "")), reverse=True):
        one = _read(run)
        if one is not None and len(found.setdefault(one.city, [])) < _RECENT:
            found[one.city].append(one)
    return found


def _read(run: Run) -> _Earlier | None:
    """Return what a run took, None when its manifest does not say."""
    manifest = run.manifest
    try:
        size = sum(int(file["bytes"]) for file in manifest["files"].values())
        duration, wall = int(manifest["duration_us"]), float(manifest["wall_s"])
        return _Earlier(str(run.folder), str(manifest["city"]["digest"]), max(duration, 1), wall, size)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _cost(case: Case, earlier: dict[str, list[_Earlier]]) -> _Cost:
    """Estimate one run from runs of its city, of its length where there are any, else scaled to it."""
    city = case.city()
    known = earlier.get(city.digest, [])
    alike = [one for one in known if one.duration == case.duration] or known
    if alike:
        wall = statistics.median(one.wall * case.duration / one.duration for one in alike)
        disk = statistics.median(one.disk * case.duration / one.duration for one in alike)
        return _Cost(wall, disk, frozenset(one.folder for one in alike))
    work = city.rows("links") * case.duration / HOUR
    return _Cost(max(work * SECONDS_PER_LINK_HOUR, _LEAST_WALL), max(work * BYTES_PER_LINK_HOUR, _LEAST_BYTES))


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' * (number != 1)}"


def _long(seconds: float) -> str:
    if seconds < 100:
        return f"{max(seconds, 1):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def _large(size: float) -> str:
    for unit in ("kB", "MB", "GB"):
        size /= 1000
        if size < 1000:
            return f"{size:.3g} {unit}"
    return f"{size / 1000:.3g} TB"


def what_differs(scenario: Scenario) -> dict[str, str]:
    """Return one line per arm: the places in which arms differ, by their shortest clear names, and the values."""
    told = scenario.differences
    places = list(next(iter(told.values()), {}))
    short = _short_names(places)
    return {
        arm: ", ".join(f"{short[place]} = {value}" for place, value in values.items() if value != "-")
        for arm, values in told.items()
    }


def _short_names(places: Sequence[str]) -> dict[str, str]:
    """Return for each place its last words, as many as tell it from the others."""
    names = {}
    for place in places:
        words = place.removesuffix(".name").split(".")
        tails = (".".join(words[-count:]) for count in range(1, len(words) + 1))
        others = [other.removesuffix(".name") for other in places if other != place]
        names[place] = next((tail for tail in tails if not _is_tail(tail, others)), place)
    return names


def _is_tail(tail: str, others: Iterable[str]) -> bool:
    return any(other == tail or other.endswith(f".{tail}") for other in others)
