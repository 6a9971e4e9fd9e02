"""The file that says what a suite is: its runs, how they are judged; one process changes it at a time."""

from __future__ import annotations

import json
import math
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from twin.durable import FolderLock
from twin.errors import DataError
from twin.execution.identity import identity, run_id
from twin.execution.output import write_json
from twin.execution.runs import SUITE, figures_of, read_suite

if TYPE_CHECKING:
    from twin.results import Results
    from twin.scenario import Case, Scenario

_POLL, _PATIENCE = 0.1, 10.0
_OWN = ("runs", "file")


class SuiteWriter:
    """The right to say what a suite's folder holds, for as long as its runs go on.

    content  what was said last; another process cannot change it here
    """

    def __init__(self, folder: Path, patience: float = _PATIENCE) -> None:
        """Name the folder; wait at most `patience` seconds for others who write there."""
        self.folder, self.patience = folder, patience
        self.content: dict[str, Any] = {}
        self._lock, self._holds, self._is_refused = FolderLock(folder), False, False

    def __enter__(self) -> SuiteWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._lock.release()

    def write(self, make: Callable[[Mapping[str, Any]], dict[str, Any]]) -> None:
        """Say what the folder holds, unless another process that writes there says the same.

        make  called with what the file holds now, {} for nothing
        Raises DataError that names a process which goes on running something else there.
        """
        deadline = time.monotonic() + self.patience
        while True:
            refusal = self._take()
            there = read_suite(self.folder) or {}
            self.content = make(there)
            if refusal is None:
                if self.content != there:
                    write_json(self.folder / SUITE, self.content)
                return
            if _agrees(there, self.content):
                return
            if self._is_refused or time.monotonic() > deadline:
                raise refusal
            time.sleep(_POLL)

    def _take(self) -> DataError | None:
        """Take the right to write; return None, or why it cannot be had: another has it, or the disk refuses."""
        if self._holds:
            return None
        try:
            holder = self._lock.take()
        except DataError as error:
            self._is_refused = True
            return error
        self._holds = not holder
        told = f"{holder} is running other cases or settings in {self.folder}"
        return DataError(f"{told}; wait for it, or name another folder with --out") if holder else None


def _agrees(there: Mapping[str, Any], own: Mapping[str, Any]) -> bool:
    """Tell whether a suite file lists all own runs, to be judged alike."""
    names = {(run["arm"], run["run_id"]) for run in there.get("runs", ())}
    alike = all(there.get(key) == value for key, value in own.items() if key not in _OWN)
    return alike and all((run["arm"], run["run_id"]) in names for run in own["runs"])


def content_of(scenario: Scenario, cases: Sequence[Case]) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """Return what says that a folder holds cases of a scenario; other arms' runs stay listed."""
    comparison = scenario.comparison
    arms = {case.arm for case in cases}
    runs = [
        {
            "arm": case.arm,
            "replication": case.replication,
            "run_id": run_id(identity(case, case.city())),
            "case": json.loads(case.to_json()),
        }
        for case in cases
    ]
    content = {
        "format": 1,
        "suite": scenario.name,
        "title": scenario.title,
        "file": str(scenario.path),
        "arms": list(scenario.arms),
        "compare": {
            "baseline": comparison.baseline,
            "margins": dict(comparison.margins),
            "confidence": comparison.confidence,
            "judged": list(comparison.judged),
            "directions": dict(comparison.directions),
        },
        "expect": [str(expectation) for expectation in scenario.expectations],
        "expectations": [asdict(expectation) for expectation in scenario.expectations],
        "scenario": _plain(scenario.resolved()),
    }

    def make(there: Mapping[str, Any]) -> dict[str, Any]:
        kept = [run for run in there.get("runs", ()) if run["arm"] not in arms and run["arm"] in scenario.arms]
        return {**content, "runs": kept + runs}

    return make


def _plain(content: Mapping[str, Any]) -> Any:
    """Return values as they come back from a JSON file."""
    return json.loads(json.dumps(content, default=str))


def replaced(scenario: Scenario, cases: Sequence[Case], out: str | Path) -> list[str]:
    """Say what running cases would replace in a folder: a suite of another file, or more replications."""
    folder = Path(out) / scenario.name
    try:
        there = read_suite(folder) or {}
    except DataError as error:
        return [f"{error}; it is written anew"]
    other = str(there.get("file") or "")
    if other and Path(other).resolve() != scenario.path.resolve() and there["scenario"] != _plain(scenario.resolved()):
        return [
            f"{folder} holds the suite of {other}; it is replaced by that of {scenario.path}, which has the "
            "same scenario name: give one of them another name, or another folder with --out"
        ]
    before, now = (Counter(arms) for arms in ([r["arm"] for r in there.get("runs", ())], [c.arm for c in cases]))
    fewer = [arm for arm in now if before[arm] > now[arm]]
    if not fewer:
        return []
    most, least = max(before[arm] for arm in fewer), min(now[arm] for arm in fewer)
    return [
        f"{folder} held {most} replications; its figures and report are now of {least}. "
        f"The runs are kept: --replications {most} brings them back"
    ]


def judge(
    content: Mapping[str, Any], figures: Iterable[tuple[str, Mapping[str, float]]]
) -> tuple[tuple[str, float, bool], ...]:
    """Return each expectation of a suite with the mean figure of its arm's complete runs, and whether it holds.

    figures  arm and figures of every run that was asked for; none for one that is not complete
    Expectations about arms that were not run are left out.
    """
    from twin.scenario.judging import Expectation

    records = list(figures)
    run, arms = {arm for arm, _ in records}, content.get("arms", ())
    judged = []
    for given in content.get("expectations", ()):
        expectation = Expectation(**given)
        for arm in [expectation.arm] if expectation.arm else arms:
            if arm not in run:
                continue
            values = [found.get(expectation.kpi, math.nan) for name, found in records if name == arm and found]
            figure = math.fsum(values) / len(values) if values else math.nan
            text = str(replace(expectation, arm=arm if len(arms) > 1 else ""))
            judged.append((text, figure, expectation.holds(figure)))
    return tuple(judged)


def judge_results(found: Results) -> tuple[tuple[str, float, bool], ...]:
    """Judge what the suite of some results expects by the runs that are there, as `judge` does."""
    return judge(found.suite, [(run.arm, figures_of(run) if run.is_complete else {}) for run in found.asked])


def is_whole(found: Results) -> bool:
    """Tell whether every run that a suite lists is complete."""
    return all(run.is_complete for run in found.asked)
