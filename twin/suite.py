"""Run a scenario as a suite: its cases, how they are judged, and how to go on with them."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twin.errors import DataError
from twin.execute import Execution, Watch, execute, in_shard
from twin.identity import identity, run_id
from twin.output import write_json
from twin.run import CASE, COMPLETE, Record, assemble
from twin.runs import SUITE

if TYPE_CHECKING:
    from twin.assembly import Assembly
    from twin.results import Results
    from twin.scenario import Case, Scenario
    from twin.stats import Comparison
    from twin.stats.sequential import Stopped


@dataclass(frozen=True)
class Outcome:
    """What a suite left.

    folder        results/suite
    records       one per case of the shard, in order
    expectations  (text, figure of the runs, whether it holds); none for a shard of the suite
    stopped       where the stages ended, None when the number of replications was given
    """

    folder: Path
    records: tuple[Record, ...]
    expectations: tuple[tuple[str, float, bool], ...] = ()
    stopped: Stopped | None = None

    @property
    def is_complete(self) -> bool:
        """Tell whether every run has all its results."""
        return all(record.status == COMPLETE for record in self.records)

    def results(self) -> Results:
        """Open the suite's results."""
        from twin.results import Results

        return Results(self.folder)


def run_suite(
    scenario: Scenario,
    out: str | Path = "results",
    cases: Sequence[Case] | None = None,
    execution: Execution | None = None,
    watch: Watch | None = None,
) -> Outcome:
    """Run a scenario's cases below a folder and judge its expectations.

    cases  default all, with as many replications as the scenario's stopping rule finds; see `select`
    Shards of a suite list all its cases and run their own; DataError when stages ask for a number not yet known.
    """
    folder = Path(out) / scenario.name
    shard = execution.shard if execution is not None else (1, 1)
    if shard[1] > 1 and cases is None and scenario.stopping is not None:
        raise DataError(f"{scenario.name} finds its number of replications itself; a shard needs it: --replications N")

    def run(chosen: Sequence[Case]) -> list[Record]:
        write_suite(scenario, chosen, folder)
        return execute(in_shard(chosen, shard), out, execution, watch)

    if cases is None and scenario.stopping is not None:
        records, stopped = _run_stages(scenario, run, folder)
    else:
        records, stopped = tuple(run(scenario.cases() if cases is None else cases)), None
    judged = expectations_of(scenario, records) if shard[1] == 1 else ()
    return Outcome(folder, records, judged, stopped)


def _run_stages(
    scenario: Scenario, run: Callable[[Sequence[Case]], list[Record]], folder: Path
) -> tuple[tuple[Record, ...], Stopped]:
    """Add replications by the scenario's rule; a run that does not complete ends it."""
    from twin.results import Results
    from twin.stats.sequential import run_stages

    assert scenario.stopping is not None
    records: list[Record] = []

    def judge(replications: int) -> list[Comparison]:
        records[:] = run(select(scenario, replications=replications))
        if any(record.status != COMPLETE for record in records) or len(scenario.arms) < 2:
            return []
        found, baseline = Results(folder), scenario.comparison.baseline
        rivals = [arm for arm in scenario.arms if arm != baseline]
        judged = [one for arm in rivals for one in found.compare(baseline, arm)]
        return [one for one in judged if one.figure.name in scenario.comparison.judged]

    stopped = run_stages(judge, scenario.stopping)
    return tuple(records), stopped


def select(scenario: Scenario, arms: Iterable[str] = (), replications: int | None = None) -> list[Case]:
    """Return a scenario's cases for some arms, and another number of replications.

    Further replications have the seeds that follow, and values drawn for them; DataError names the arms there are.
    """
    wanted = list(arms)
    for arm in wanted:
        if arm not in scenario.arms:
            raise DataError(f"{scenario.name} has no arm {arm!r}; it has {', '.join(scenario.arms)}")
    if replications is not None and replications < 1:
        raise DataError(f"replications ({replications}) must be 1 or more")
    return [case for case in scenario.cases(replications) if not wanted or case.arm in wanted]


def write_suite(scenario: Scenario, cases: Sequence[Case], folder: Path) -> None:
    """Note what was asked for, so that it can be judged and gone on with; other arms' runs stay listed."""
    comparison = scenario.comparison
    arms = {case.arm for case in cases}
    kept = [run for run in _listed(folder) if run["arm"] not in arms and run["arm"] in scenario.arms]
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
        "arms": list(scenario.arms),
        "compare": {
            "baseline": comparison.baseline,
            "margins": dict(comparison.margins),
            "confidence": comparison.confidence,
            "judged": list(comparison.judged),
            "directions": dict(comparison.directions),
        },
        "expect": [str(expectation) for expectation in scenario.expectations],
        "scenario": scenario.resolved(),
        "runs": kept + runs,
    }
    write_json(folder / SUITE, content)


def expectations_of(scenario: Scenario, records: Sequence[Record]) -> tuple[tuple[str, float, bool], ...]:
    """Return each expectation with the mean figure of its arm's complete runs, and whether it holds."""
    judged = []
    for expectation in scenario.expectations:
        for arm in [expectation.arm] if expectation.arm else scenario.arms:
            values = [r.figures.get(expectation.kpi, math.nan) for r in records if r.arm == arm and r.figures]
            figure = math.fsum(values) / len(values) if values else math.nan
            text = str(replace(expectation, arm=arm if len(scenario.arms) > 1 else ""))
            judged.append((text, figure, expectation.holds(figure)))
    return tuple(judged)


def cases_in(folder: str | Path) -> tuple[list[Case], Path]:
    """Return the cases that a suite's or a run's folder holds, and the folder they were run below.

    Raises DataError when the folder holds neither.
    """
    from twin.scenario import Case

    folder = Path(folder)
    if (folder / SUITE).is_file():
        return [Case.from_json(json.dumps(run["case"])) for run in _listed(folder)], folder.parent
    if (folder / CASE).is_file():
        try:
            return [Case.from_json((folder / CASE).read_text())], folder.parent.parent.parent
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(f"{folder / CASE} is damaged ({error}); run the scenario again") from error
    raise DataError(f"nothing to resume in {folder}: it holds neither {SUITE} nor {CASE}; see: twin results ls")


def resume(
    folder: str | Path,
    plugins: Iterable[str | Path] = (),
    execution: Execution | None = None,
    watch: Watch | None = None,
) -> list[Record]:
    """Go on with the unfinished runs of a suite or of one run.

    plugins  must name every plugin the runs were started with: a folder of results runs no code by itself
    """
    cases, out = cases_in(folder)
    _check_trust(cases, plugins)
    _relist(Path(folder))
    return execute(in_shard(cases, execution.shard if execution is not None else (1, 1)), out, execution, watch)


def assemble_run(folder: str | Path, plugins: Iterable[str | Path] = ()) -> Assembly:
    """Return the assembly of one run's folder, to run it again or differently; plugins as in `resume`."""
    cases, _ = cases_in(folder)
    _check_trust(cases, plugins)
    return assemble(cases[0])


def _relist(folder: Path) -> None:
    """Name the runs of a suite as this code does: what other code or libraries made is set aside."""
    if not (folder / SUITE).is_file():
        return
    content = json.loads((folder / SUITE).read_text(encoding="utf-8"))
    renamed = [{**run, "run_id": _name_of(run["case"])} for run in content["runs"]]
    if renamed != content["runs"]:
        write_json(folder / SUITE, {**content, "runs": renamed})


def _name_of(case: dict[str, Any]) -> str:
    from twin.scenario import Case

    found = Case.from_json(json.dumps(case))
    return run_id(identity(found, found.city()))


def _check_trust(cases: Sequence[Case], plugins: Iterable[str | Path]) -> None:
    given = {str(Path(plugin).resolve()) for plugin in plugins}
    missing = sorted({plugin for case in cases for plugin in case.plugins} - given)
    if missing:
        raise DataError(f"these runs need a plugin; name it if you trust it: --plugin {' --plugin '.join(missing)}")


def _listed(folder: Path) -> list[dict[str, Any]]:
    """Return the runs a suite lists, none when its file is missing."""
    try:
        content = json.loads((folder / SUITE).read_text(encoding="utf-8"))
        return list(content["runs"])
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{folder / SUITE} is damaged ({error}); delete it and run the scenario again") from error
