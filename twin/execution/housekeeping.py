"""Look after results: what differs between two folders, and what may be deleted."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

from twin.durable import DRAFT, FolderLock
from twin.errors import DataError
from twin.execution.run import COMPLETE, FAILED, INTERRUPTED
from twin.execution.runs import BROKEN, EARLIER, INCOMPLETE, Run, find_runs

if TYPE_CHECKING:
    from twin.results import Results

DISPOSABLE = (EARLIER, INCOMPLETE, BROKEN)
STATES = (*DISPOSABLE, INTERRUPTED, FAILED, COMPLETE)
_MADE_OF = ("case", "data", "city", "code", "own_code", "libraries")


@dataclass(frozen=True)
class Difference:
    """One thing that differs between two folders of results.

    place  arm and replication
    what   "run", "made of", "version" or "kpi"
    name   which one
    """

    place: str
    what: str
    name: str
    first: str
    second: str


def diff(first: Results, second: Results) -> list[Difference]:
    """Return what differs between the complete runs of two folders: runs, what they are made of, figures.

    Runs are matched by arm and replication, of two folders of one arm each by replication alone, and two
    folders of one run each are matched whatever their names.
    Raises DataError for a folder without a complete run, or with several suites.
    """
    one, two = _by_place(first), _by_place(second)
    if len(one) == len(two) == 1:
        (place, left), (other, right) = *one.items(), *two.items()
        name = place if place == other else f"{place} / {other}"
        one, two = {name: left}, {name: right}
    elif len(first.arms) == len(second.arms) == 1 and first.arms != second.arms:
        arms = f"{first.arms[0]} / {second.arms[0]}"
        one, two = ({f"{arms} {run.replication}": run for run in runs.values()} for runs in (one, two))
    found: list[Difference] = []
    for place in sorted(one.keys() | two.keys()):
        if place in one and place in two:
            found += _between(place, one[place].manifest, two[place].manifest)
        else:
            there = ("complete", "none") if place in one else ("none", "complete")
            found.append(Difference(place, "run", place, *there))
    return found


def _by_place(results: Results) -> dict[str, Run]:
    suites = sorted({run.suite for run in results.complete})
    if len(suites) > 1:
        raise DataError(f"{results.folder} holds several suites; name one of {', '.join(suites)}")
    if not results.complete:
        raise DataError(f"{results.folder} holds no complete run; see: twin results ls {quote(str(results.folder))}")
    found: dict[str, Run] = {}
    for run in results.complete:
        other = found.setdefault(f"{run.arm} {run.replication}", run)
        if other is not run:
            raise DataError(f"{run.folder} and {other.folder} are one arm and replication; delete one of them")
    return found


def _between(place: str, first: Mapping[str, Any], second: Mapping[str, Any]) -> Iterator[Difference]:
    """Yield what differs between two manifests."""
    one, two = first.get("identity", {}), second.get("identity", {})
    for part in _MADE_OF:
        left, right = one.get(part), two.get(part)
        if isinstance(left, dict) and isinstance(right, dict):
            for name in sorted(left.keys() | right.keys()):
                if left.get(name) != right.get(name):
                    yield Difference(place, "version", name, _short(left.get(name)), _short(right.get(name)))
        elif left != right:
            yield Difference(place, "made of", part, _short(left), _short(right))
    left, right = first["kpis"], second["kpis"]
    for name in sorted(left.keys() | right.keys()):
        if left.get(name, math.nan) != right.get(name, math.nan):
            yield Difference(place, "kpi", name, _short(left.get(name)), _short(right.get(name)))


def _short(value: Any) -> str:
    """Write a value; digests by their first twelve digits."""
    if value is None:
        return "none"
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return text[:12] if len(text) > 20 else text


@dataclass(frozen=True)
class Waste:
    """A folder or file that may be deleted.

    reason  the state of the run, or "left half written"
    size    bytes
    """

    path: Path
    reason: str
    size: int


def waste_in(folder: Path, statuses: tuple[str, ...] = DISPOSABLE) -> list[Waste]:
    """Return what may be deleted below a folder: runs in given states, and files of killed writers."""
    runs = [run for run in find_runs(folder) if run.status in statuses and run.folder.is_dir()]
    found = [Waste(run.folder, run.status, _size(run.folder)) for run in runs]
    kept = [path for path in sorted(folder.rglob(f"*{DRAFT}")) if not any(run.folder in path.parents for run in runs)]
    return found + [Waste(path, "left half written", path.stat().st_size) for path in kept if path.is_file()]


def prune(wastes: list[Waste]) -> list[Waste]:
    """Delete what nobody writes now; return what was deleted.

    Raises DataError when the disk refuses.
    """
    return [waste for waste in wastes if _delete(waste.path)]


def _delete(path: Path) -> bool:
    """Delete a run's folder or a file, unless a process is writing the run; none can begin meanwhile."""
    lock = FolderLock(path if path.is_dir() else path.parent)
    if lock.take():
        return False
    try:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise DataError(f"cannot delete {path}: {error.strerror or error}") from error
    finally:
        lock.release()
    return True


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
