"""Run a scenario as a suite: its cases, how they are judged, and how to go on with them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twin.errors import DataError
from twin.execution.execute import Execution, Watch, execute, in_shard
from twin.execution.identity import identity, run_id
from twin.execution.run import CASE, COMPLETE, Record, assemble
from twin.execution.runs import SUITE, read_suite
from twin.execution.suite_file import SuiteWriter, content_of, is_whole, judge, judge_results

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
    expectations  (text, figure of the runs, whether it holds); none for a shard that leaves runs to others
    stopped       where the stages ended, None when the number of replications was given
    content       what the suite's file said when this process wrote it: others may run there since
    """

    folder: Path
    records: tuple[Record, ...]
    expectations: tuple[tuple[str, float, bool], ...] = ()
    stopped: Stopped | None = None
    content: Mapping[str, Any] | None = None

    @property
    def is_complete(self) -> bool:
        """Tell whether every run has all its results."""
        return all(record.status == COMPLETE for record in self.records)

    def results(self) -> Results:
        """Open the results of the runs that this process was asked for."""
        from twin.results import Results

        return Results(self.folder, self.content)

    def is_shared(self) -> bool:
        """Tell whether the suite's file has come to say something else: another process ran there."""
        return self.content is not None and read_suite(self.folder) != self.content


def run_suite(
    scenario: Scenario,
    out: str | Path = "results",
    cases: Sequence[Case] | None = None,
    execution: Execution | None = None,
    watch: Watch | None = None,
    arms: Iterable[str] = (),
) -> Outcome:
    """Run a scenario's cases below a folder and judge its expectations.

    cases  default all, with as many replications as the scenario's stopping rule finds; see `select`
    arms   without cases: only these, see `can_stage`
    Shards of a suite list all its cases and run their own; DataError when stages ask for a number not yet known.
    """
    folder = Path(out) / scenario.name
    shard = execution.shard if execution is not None else (1, 1)
    if shard[1] > 1 and cases is None and scenario.stopping is not None:
        raise DataError(f"{scenario.name} finds its number of replications itself; a shard needs it: --replications N")

    with SuiteWriter(folder, execution.patience if execution else Execution().patience) as writer:

        def run(chosen: Sequence[Case]) -> list[Record]:
            writer.write(content_of(scenario, chosen))
            return execute(in_shard(chosen, shard), out, execution, watch)

        if cases is None and scenario.stopping is not None:
            records, stopped = _run_stages(scenario, run, folder, tuple(arms))
        else:
            records, stopped = tuple(run(select(scenario, arms) if cases is None else cases)), None
        judged = _judged(folder, writer.content, records, shard)
        return Outcome(folder, records, judged, stopped, writer.content)


def can_stage(scenario: Scenario, arms: Iterable[str]) -> bool:
    """Tell whether stages can compare some arms, none for all: the baseline must be one of several."""
    chosen = set(arms)
    return not chosen or (scenario.comparison.baseline in chosen and len(chosen) > 1)


def _judged(
    folder: Path, content: Mapping[str, Any], records: Sequence[Record], shard: tuple[int, int]
) -> tuple[tuple[str, float, bool], ...]:
    """Judge a suite's expectations; of shards, the one that ends when all runs are complete judges for all."""
    from twin.results import Results

    if shard[1] == 1:
        return judge(content, [(record.arm, record.figures) for record in records])
    found = Results(folder, content)
    return judge_results(found) if is_whole(found) else ()


def _run_stages(
    scenario: Scenario, run: Callable[[Sequence[Case]], list[Record]], folder: Path, arms: Sequence[str]
) -> tuple[tuple[Record, ...], Stopped]:
    """Add replications by the scenario's rule; a run that does not complete ends it."""
    from twin.results import Results
    from twin.stats.sequential import run_stages

    assert scenario.stopping is not None
    records: list[Record] = []

    def compared(replications: int) -> list[Comparison]:
        chosen = select(scenario, arms, replications)
        records[:] = run(chosen)
        if any(record.status != COMPLETE for record in records) or len({case.arm for case in chosen}) < 2:
            return []
        found = Results(folder, content_of(scenario, chosen)({})).compare_all(scenario.comparison.baseline)
        return [one for rows in found.values() for one in rows if one.figure.name in scenario.comparison.judged]

    stopped = run_stages(compared, scenario.stopping)
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


def cases_in(folder: str | Path) -> tuple[list[Case], Path]:
    """Return the cases that a suite's or a run's folder holds, and the folder they were run below.

    Raises DataError when the folder holds neither.
    """
    from twin.scenario import Case

    folder = Path(folder)
    suite = read_suite(folder)
    try:
        if suite is not None:
            cases = [Case.from_json(json.dumps(run["case"])) for run in suite["runs"]]
            return _at_home(cases, folder, 1), folder.parent
        if (folder / CASE).is_file():
            cases = [Case.from_json((folder / CASE).read_text(encoding="utf-8"))]
            return _at_home(cases, folder, 3), folder.parent.parent.parent
    except (OSError, ValueError) as error:
        damaged = folder / (CASE if suite is None else SUITE)
        raise DataError(f"{damaged} is damaged ({error}); run the scenario again") from error
    raise DataError(f"nothing to resume in {folder}: it holds neither {SUITE} nor {CASE}; see: twin results ls")


def _at_home(cases: list[Case], folder: Path, depth: int) -> list[Case]:
    """Return cases whose results go where they were found; ValueError for others, which would write elsewhere.

    depth  1 for a suite's folder, 3 for a run's: suite/arm/run
    """
    place = folder.resolve().parts[-depth:][: 2 if depth > 1 else 1]
    for case in cases:
        own = (case.suite, case.arm)[: len(place)]
        if own != place:
            raise ValueError(f"its runs belong in {'/'.join(own)}, not in {'/'.join(place)}: give the folder that name")
    return cases


def resume(
    folder: str | Path,
    plugins: Iterable[str | Path] = (),
    execution: Execution | None = None,
    watch: Watch | None = None,
) -> list[Record]:
    """Go on with the unfinished runs of a suite or of one run.

    plugins  must name every plugin the runs were started with: a folder of results runs no code by itself
    """
    return list(resume_suite(folder, plugins, execution, watch).records)


def resume_suite(
    folder: str | Path,
    plugins: Iterable[str | Path] = (),
    execution: Execution | None = None,
    watch: Watch | None = None,
) -> Outcome:
    """Go on as `resume` does, and judge a suite's expectations like `run_suite`; one run has none."""
    folder = Path(folder)
    cases, out = cases_in(folder)
    _check_trust(cases, plugins)
    execution = execution or Execution()
    if not (folder / SUITE).is_file():
        return Outcome(folder, tuple(execute(in_shard(cases, execution.shard), out, execution, watch)))
    with SuiteWriter(folder, execution.patience) as writer:
        writer.write(_renamed)
        records = tuple(execute(in_shard(cases, execution.shard), out, execution, watch))
        judged = _judged(folder, writer.content, records, execution.shard)
        return Outcome(folder, records, judged, content=writer.content)


def assemble_run(folder: str | Path, plugins: Iterable[str | Path] = ()) -> Assembly:
    """Return the assembly of one run's folder, to run it again or differently; plugins as in `resume`."""
    cases, _ = cases_in(folder)
    _check_trust(cases, plugins)
    return assemble(cases[0])


def _renamed(content: Mapping[str, Any]) -> dict[str, Any]:
    """Name the runs of a suite as this code does: what other code or libraries made is set aside."""
    return {**content, "runs": [{**run, "run_id": _name_of(run["case"])} for run in content["runs"]]}


def _name_of(case: dict[str, Any]) -> str:
    from twin.scenario import Case

    found = Case.from_json(json.dumps(case))
    return run_id(identity(found, found.city()))


def _check_trust(cases: Sequence[Case], plugins: Iterable[str | Path]) -> None:
    given = {str(Path(plugin).resolve()) for plugin in plugins}
    missing = sorted({plugin for case in cases for plugin in case.plugins} - given)
    if missing:
        raise DataError(f"these runs need a plugin; name it if you trust it: --plugin {' --plugin '.join(missing)}")
