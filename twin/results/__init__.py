"""Read results: figures, series, events and tables of one run or of a whole suite.

The module itself can be called, so `twin.results("suite")` opens one by name.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import cached_property
from html import escape
from pathlib import Path
from shlex import quote
from types import ModuleType
from typing import TYPE_CHECKING, Any

from twin.errors import DataError
from twin.execution.manifest import FIGURES, check_file
from twin.execution.runs import EARLIER, Run, figures_of, find_runs, suite_of
from twin.stats import LEVEL, Comparison, Figure, compare_arms, compare_figures

if TYPE_CHECKING:
    from twin.city import City

__all__ = ["Results", "Run", "compare_results", "open_results"]


class Results:
    """Results below a folder: one run, one arm, one suite, or many suites.

    Incomplete, failed and broken runs are listed by `runs` and left out of everything else.
    """

    def __init__(self, folder: str | Path, suite: Mapping[str, Any] | None = None) -> None:
        """Open a folder; DataError when nothing below it is a run.

        suite  what was asked for; default: what the folder's suite file says
        """
        self.folder = Path(folder)
        if not self.folder.is_dir():
            raise DataError(f"no results at {self.folder}: it is not a folder; see: twin results ls")
        self._asked = suite
        self.runs = find_runs(self.folder, suite)
        if not self.runs:
            raise DataError(f"no runs below {self.folder}; make some with: twin run SCENARIO --out {self.folder}")

    @property
    def complete(self) -> list[Run]:
        """Runs that have all their results."""
        return [run for run in self.runs if run.is_complete]

    @property
    def asked(self) -> list[Run]:
        """Runs that count, complete or not: all but those of an earlier version."""
        return [run for run in self.runs if run.status != EARLIER]

    @property
    def arms(self) -> list[str]:
        """Names of the arms that have a complete run, sorted."""
        return sorted({run.arm for run in self.complete})

    @cached_property
    def suite(self) -> Mapping[str, Any]:
        """What was asked for: title, comparison, expectations; empty for a folder without it.

        Raises DataError when the suite's file is damaged.
        """
        if self._asked is not None:
            return self._asked
        return suite_of(self.complete[0].folder if self.complete else self.folder)

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
        frame = read_table(run, path.relative_to(run.folder).as_posix()).to_pandas()
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
        The two are a family by themselves; see `compare_all` for several arms.
        """
        first, second = self._pair(baseline, arm)
        values = self.values()
        return compare_figures(self.figures(), values[first], values[second], self._level(level), self.judged)

    def compare_all(self, baseline: str | None = None, level: float | None = None) -> dict[str, list[Comparison]]:
        """Compare every arm with the baseline, paired by seed; the judged figures of all arms are one family.

        baseline, level  as for `compare`
        """
        first, _ = self._pair(baseline, None)
        return compare_arms(self.figures(), self.values(), first, self._level(level), self.judged)

    def _level(self, level: float | None) -> float:
        return level or float((self.suite.get("compare") or {}).get("confidence", LEVEL))

    def baseline(self) -> str:
        """Return the arm the others are held against: the scenario's choice, else the first by name."""
        named = str((self.suite.get("compare") or {}).get("baseline") or "")
        return named if named in self.arms or not self.arms else self.arms[0]

    @property
    def judged(self) -> tuple[str, ...]:
        """Figures judged as one family: those the suite names, () for all."""
        return tuple((self.suite.get("compare") or {}).get("judged") or ())

    def _pair(self, baseline: str | None, arm: str | None) -> tuple[str, str]:
        self._check_one_suite()
        arms = self.arms
        first = baseline or self.baseline()
        rest = [name for name in arms if name != first]
        second = arm or (rest[0] if rest else "")
        for name in (first, second):
            if name not in arms:
                known = ", ".join(arms) or "none"
                raise DataError(f"no complete runs of arm {name!r} to compare in {self.folder}; there are {known}")
        return first, second

    def _check_one_suite(self) -> None:
        suites = sorted({run.suite for run in self.complete})
        if len(suites) > 1:
            raise DataError(f"{self.folder} holds several suites; open one of {', '.join(suites)}")

    def values(self) -> dict[str, dict[str, dict[int, float]]]:
        """Return arm -> figure -> seed -> value of the complete runs; equal seeds make a pair.

        Raises DataError for runs of several suites, and for two runs of an arm with one seed.
        """
        self._check_one_suite()
        found: dict[str, dict[str, dict[int, float]]] = {}
        seen: dict[tuple[str, int], Run] = {}
        for run in self.complete:
            other = seen.setdefault((run.arm, run.seed), run)
            if other is not run:
                raise DataError(
                    f"{other.folder} and {run.folder} are both arm {run.arm}, seed {run.seed}; "
                    "run the scenario again, so that its suite says which counts, or delete one of them"
                )
            figures = found.setdefault(run.arm, {})
            for name, value in figures_of(run).items():
                figures.setdefault(name, {})[run.seed] = value
        return found

    def figures(self) -> list[Figure]:
        """Return what is compared: margins and directions of the scenario first, else those the models declare."""
        asked, better = ((self.suite.get("compare") or {}).get(part) or {} for part in ("margins", "directions"))
        found: dict[str, Figure] = {}
        for run in self.complete:
            rows = read_table(run, FIGURES).select(["kpi", "unit", "direction", "margin"]).to_pylist()
            for row in rows:
                margin = float(asked.get(row["kpi"], row["margin"]))
                direction = str(better.get(row["kpi"], row["direction"]))
                try:
                    found.setdefault(row["kpi"], Figure(row["kpi"], row["unit"], direction, margin))
                except ValueError as error:
                    raise DataError(f"{run.folder} cannot be compared: {error}; mend the model") from error
        return list(found.values())

    def city(self) -> City:
        """Return the city the runs were made on, from the copy beside them."""
        from twin.city import City

        for run in self.complete:
            suite = run.folder.parent.parent
            folder = suite / run.manifest["city"]["folder"]
            if folder.is_dir() and folder.resolve().is_relative_to(suite.resolve()):
                return City.load(folder)
        raise DataError(f"no copy of the city beside the runs in {self.folder}; run the case again")

    def sql(self, query: str) -> Any:
        """Answer a query over the tables (`kpis`, `events`, `links`, ...) as a data frame."""
        from twin.results.export import query as ask

        return ask(self, query)

    def export(self, kind: str, folder: str | Path | None = None) -> list[Path]:
        """Write all tables as "csv", "gpkg" or "parquet"; return the files."""
        from twin.results.export import export

        return export(self, kind, Path(folder) if folder is not None else self.folder / "export")

    def __repr__(self) -> str:
        count = len(self.runs)
        arms = f" of {', '.join(self.arms)}" if self.arms else ""
        return f"Results({str(self.folder)!r}): {len(self.complete)} of {count} run{'s' * (count != 1)} complete{arms}"

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
            if not results.arms:
                raise DataError(f"{results.folder} holds no complete run to compare; see: twin results ls")
            one = quote(str(results.folder / results.arms[0]))
            raise DataError(
                f"{results.folder} holds runs of {', '.join(results.arms)}; two folders are compared with "
                f"one arm each: name the folder of an arm, such as {one}"
            )
    first, second = (results.values()[results.arms[0]] for results in (baseline, other))
    return compare_figures(baseline.figures(), first, second, level, baseline.judged)


def _labels(run: Run) -> dict[str, Any]:
    return {"suite": run.suite, "arm": run.arm, "replication": run.replication}


def _tables(run: Run) -> list[Path]:
    return sorted(run.folder.rglob("*.parquet"))


def read_table(run: Run, name: str) -> Any:
    """Return a Parquet file of a run as an Arrow table, after its SHA-256 has been compared.

    Raises DataError when it is damaged or was changed.
    """
    import pyarrow
    import pyarrow.parquet

    path = run.folder / name
    try:
        check_file(run.folder, run.manifest, name)
        return pyarrow.parquet.read_table(path)
    except (OSError, ValueError, KeyError, pyarrow.ArrowException) as error:
        told = str(error) if isinstance(error, DataError) else f"{path} cannot be read ({error})"
        raise DataError(f"{told}; mend it with: twin resume {quote(str(run.folder))}") from error


def open_results(name: str | Path, below: str | Path = "results") -> Results:
    """Open the results of a suite by its name, or of any folder by its path.

    Raises DataError that names the suites there are.
    """
    folder = Path(below) / name
    if folder.is_dir() or not Path(name).is_dir():
        if not folder.is_dir():
            suites = sorted(path.parent.name for path in Path(below).glob("*/suite.json"))
            raise DataError(f"no results of {str(name)!r} in {below}; there are {', '.join(suites) or 'none'}")
        return Results(folder)
    return Results(name)


class _Callable(ModuleType):
    """Let the module be called like the function people look for under its name."""

    def __call__(self, name: str | Path, below: str | Path = "results") -> Results:
        return open_results(name, below)


sys.modules[__name__].__class__ = _Callable
