"""Read results: figures, series, events and tables of one run or of a whole suite."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twin.errors import DataError
from twin.run import CASE, COMPLETE, FAILED, FAILURE, INTERRUPTED, MANIFEST, SNAPSHOT
from twin.stats import LEVEL, Comparison, Figure, compare_figures

if TYPE_CHECKING:
    from twin.city import City

SUITE = "suite.json"
BROKEN, INCOMPLETE, EARLIER = "broken", "incomplete", "earlier"
_DEPTH = 4
_MARKS = (MANIFEST, FAILURE, CASE)


@dataclass(frozen=True)
class Run:
    """One run folder.

    status   "complete", "failed", "interrupted" (has a snapshot), "incomplete", "broken" or
             "earlier" (the suite was run again since with other settings or code)
    message  why it is not complete, or ""
    """

    folder: Path
    status: str
    suite: str = ""
    arm: str = ""
    replication: int = -1
    seed: int = -1
    run_id: str = ""
    message: str = ""
    manifest: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_complete(self) -> bool:
        """Tell whether the run has all its results."""
        return self.status == COMPLETE


class Results:
    """Results below a folder: one run, one arm, one suite, or many suites.

    Incomplete, failed and broken runs are listed by `runs` and left out of everything else.
    """

    def __init__(self, folder: str | Path) -> None:
        """Open a folder; DataError when nothing below it is a run."""
        self.folder = Path(folder)
        if not self.folder.is_dir():
            raise DataError(f"no results at {self.folder}: it is not a folder; see: twin results ls")
        found = [_read_run(folder) for folder in _run_folders(self.folder)]
        self.runs = sorted(_mark_earlier(found, self.folder), key=_place_of)
        if not self.runs:
            raise DataError(f"no runs below {self.folder}; make some with: twin run SCENARIO --out {self.folder}")

    @property
    def complete(self) -> list[Run]:
        """Runs that have all their results."""
        return [run for run in self.runs if run.is_complete]

    @property
    def arms(self) -> list[str]:
        """Names of the arms that have a complete run, sorted."""
        return sorted({run.arm for run in self.complete})

    @cached_property
    def suite(self) -> Mapping[str, Any]:
        """What was asked for: title, comparison, expectations; empty for a folder without it."""
        return _suite_of(self.complete[0].folder if self.complete else self.folder)

    def kpis(self) -> Any:
        """Return a data frame with one row per run and figure."""
        return self.table("kpis")

    def series(self, name: str | None = None) -> Any:
        """Return measured series of all runs, or the one of a name, over time."""
        frame = self.table("series")
        if name is None:
            return frame
        known = sorted(frame["name"].unique())
        if name not in known:
            raise DataError(f"no series {name!r}; there are {', '.join(known) or 'none'}")
        return frame[frame["name"] == name].reset_index(drop=True)

    def events(self, kind: str | None = None) -> Any:
        """Return the event logs of all runs, or the events of one kind."""
        frame = self.table("events/events")
        return frame if kind is None else frame[frame["kind"] == kind].reset_index(drop=True)

    def table_names(self) -> list[str]:
        """Return the names that `table` takes: paths below a run, without the suffix."""
        return sorted({p.relative_to(r.folder).with_suffix("").as_posix() for r in self.complete for p in _tables(r)})

    def table(self, name: str) -> Any:
        """Return one table of all complete runs; suite, arm and replication say whose row it is."""
        import pandas

        found = [(run, run.folder / f"{name}.parquet") for run in self.complete]
        parts = [self._read(run, path) for run, path in found if path.is_file()]
        if not parts:
            raise DataError(f"no table {name!r} in {self.folder}; there are {', '.join(self.table_names()) or 'none'}")
        return pandas.concat(parts, ignore_index=True)

    @staticmethod
    def _read(run: Run, path: Path) -> Any:
        import pandas

        try:
            frame = pandas.read_parquet(path)
        except (OSError, ValueError) as error:
            raise DataError(f"{path} cannot be read ({error}); delete its folder and run the case again") from error
        for place, (name, value) in enumerate(_labels(run).items()):
            if name not in frame.columns:
                frame.insert(place, name, value)
        return frame

    def compare(
        self, baseline: str | None = None, arm: str | None = None, level: float | None = None
    ) -> list[Comparison]:
        """Compare an arm with the baseline, paired by seed.

        baseline, arm  default: those the scenario names, else the first two by name
        level          default: the confidence the scenario names, else 0.95
        """
        level = level or float((self.suite.get("compare") or {}).get("confidence", LEVEL))
        first, second = self._pair(baseline, arm)
        values = self.values()
        return compare_figures(self.figures(), values[first], values[second], level)

    def baseline(self) -> str:
        """Return the arm the others are held against: the scenario's choice, else the first by name."""
        named = str((self.suite.get("compare") or {}).get("baseline") or "")
        return named if named in self.arms or not self.arms else self.arms[0]

    def _pair(self, baseline: str | None, arm: str | None) -> tuple[str, str]:
        arms = self.arms
        suites = sorted({run.suite for run in self.complete})
        if len(suites) > 1:
            raise DataError(f"{self.folder} holds several suites; open one of {', '.join(suites)}")
        first = baseline or self.baseline()
        rest = [name for name in arms if name != first]
        second = arm or (rest[0] if rest else "")
        for name in (first, second):
            if name not in arms:
                known = ", ".join(arms) or "none"
                raise DataError(f"no complete runs of arm {name!r} to compare in {self.folder}; there are {known}")
        return first, second

    def values(self) -> dict[str, dict[str, dict[int, float]]]:
        """Return arm -> figure -> seed -> value of the complete runs; equal seeds make a pair."""
        found: dict[str, dict[str, dict[int, float]]] = {}
        for run in self.complete:
            figures = found.setdefault(run.arm, {})
            for name, value in run.manifest["kpis"].items():
                figures.setdefault(name, {})[run.seed] = math.nan if value is None else float(value)
        return found

    def figures(self) -> list[Figure]:
        """Return what is compared: margins of the scenario first, else those the models declare."""
        import pyarrow.parquet

        asked = (self.suite.get("compare") or {}).get("margins") or {}
        found: dict[str, Figure] = {}
        for run in self.complete:
            for row in pyarrow.parquet.read_table(run.folder / "kpis.parquet").to_pylist():
                margin = float(asked.get(row["kpi"], row["margin"]))
                found.setdefault(row["kpi"], Figure(row["kpi"], row["unit"], row["direction"], margin))
        return list(found.values())

    def city(self) -> City:
        """Return the city the runs were made on, from the copy beside them."""
        from twin.city import City

        for run in self.complete:
            folder = run.folder.parent.parent / run.manifest["city"]["folder"]
            if folder.is_dir():
                return City.load(folder)
        raise DataError(f"no copy of the city beside the runs in {self.folder}; run the case again")

    def sql(self, query: str) -> Any:
        """Answer a query over the tables (`kpis`, `events`, `links`, ...) as a data frame."""
        from twin.export import query as ask

        return ask(self, query)

    def export(self, kind: str, folder: str | Path | None = None) -> list[Path]:
        """Write all tables as "csv", "gpkg" or "parquet"; return the files."""
        from twin.export import export

        return export(self, kind, Path(folder) if folder is not None else self.folder / "export")

    def __repr__(self) -> str:
        return f"Results({self.folder}: {len(self.complete)} of {len(self.runs)} runs complete)"

    def _repr_html_(self) -> str:
        head = "<tr><th>suite</th><th>arm</th><th>replication</th><th>status</th><th></th></tr>"
        body = "".join(
            "<tr>"
            + "".join(f"<td>{escape(str(v))}</td>" for v in (r.suite, r.arm, r.replication, r.status, r.message))
            + "</tr>"
            for r in self.runs
        )
        return f"<p>{escape(repr(self))}</p><table>{head}{body}</table>"


def compare_results(baseline: Results, other: Results, level: float = LEVEL) -> list[Comparison]:
    """Compare two folders of results that hold one arm each, paired by seed.

    Raises DataError when a folder holds no complete run, or runs of several arms.
    """
    for results in (baseline, other):
        if len(results.arms) != 1:
            arms = ", ".join(results.arms) or "none"
            raise DataError(f"{results.folder} must hold complete runs of one arm to be compared; it has {arms}")
    first, second = (results.values()[results.arms[0]] for results in (baseline, other))
    return compare_figures(baseline.figures(), first, second, level)


def _labels(run: Run) -> dict[str, Any]:
    return {"suite": run.suite, "arm": run.arm, "replication": run.replication}


def _tables(run: Run) -> list[Path]:
    return sorted(run.folder.rglob("*.parquet"))


def _place_of(run: Run) -> tuple[str, str, int, str]:
    return run.suite, run.arm, run.replication, str(run.folder)


def _run_folders(folder: Path, depth: int = _DEPTH) -> Iterable[Path]:
    """Find folders that hold a run, at most four levels down; links are not followed."""
    if any((folder / mark).is_file() for mark in _MARKS):
        yield folder
    elif depth:
        try:
            below = sorted(p for p in folder.iterdir() if p.is_dir() and not p.is_symlink())
        except OSError:
            return
        for child in below:
            yield from _run_folders(child, depth - 1)


def _read_json(path: Path) -> dict[str, Any] | None:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def _read_run(folder: Path) -> Run:
    """Read what a run folder says about itself; anything unreadable makes it broken."""
    if not (folder / MANIFEST).is_file():
        return _unfinished(folder)
    manifest = _read_json(folder / MANIFEST)
    try:
        assert manifest is not None, "its manifest is not JSON"
        missing = [n for n, f in manifest["files"].items() if _size(folder / n) != f["bytes"]]
        assert not missing, f"{missing[0]} is missing or cut short"
        places = (manifest["suite"], manifest["arm"], int(manifest["replication"]), int(manifest["seed"]))
        return Run(folder, COMPLETE, *places, manifest["run_id"], "", manifest)
    except (AssertionError, KeyError, TypeError, ValueError, AttributeError) as error:
        reason = str(error) if isinstance(error, AssertionError) else f"its manifest lacks {error}"
        return Run(folder, BROKEN, folder.parent.parent.name, folder.parent.name, run_id=folder.name, message=reason)


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else -1


def _unfinished(folder: Path) -> Run:
    failure = _read_json(folder / FAILURE)
    case = _read_json(folder / CASE) or {}
    status, message = INCOMPLETE, f"not finished; go on with: twin resume {folder}"
    if failure is not None:
        status, message = FAILED, f"{failure.get('stage')}: {failure.get('message')}"
    elif (folder / SNAPSHOT).is_file():
        status = INTERRUPTED
    suite, arm = case.get("suite", folder.parent.parent.name), case.get("arm", folder.parent.name)
    return Run(
        folder,
        status,
        str(suite),
        str(arm),
        _whole(case.get("replication")),
        _whole(case.get("seed")),
        folder.name,
        message,
    )


def _suite_of(run: Path) -> Mapping[str, Any]:
    """Read the suite's file above a run, or in a folder of suites."""
    for folder in (run, *run.resolve().parents[:2]):
        if (folder / SUITE).is_file():
            return _read_json(folder / SUITE) or {}
    return {}


def _mark_earlier(runs: list[Run], opened: Path) -> list[Run]:
    """Set aside runs that their suite no longer lists, unless one was opened by itself."""
    listed: dict[Path, set[str]] = {}
    for run in runs:
        suite = run.folder.parent.parent
        if suite not in listed:
            content = _read_json(suite / SUITE) or {}
            listed[suite] = {str(entry.get("run_id")) for entry in content.get("runs", [])}
    return [_aside(run) if run.folder != opened and _outdated(run, listed) else run for run in runs]


def _outdated(run: Run, listed: Mapping[Path, set[str]]) -> bool:
    known = listed[run.folder.parent.parent]
    return bool(known) and run.run_id not in known


def _aside(run: Run) -> Run:
    return replace(run, status=EARLIER, message="the suite was run again since")


def _whole(value: Any) -> int:
    return value if isinstance(value, int) else -1
