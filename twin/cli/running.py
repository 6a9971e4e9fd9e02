"""Commands that run: demo, run, resume, plan, warmup."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from twin.cli.telling import tell_compiling, tell_outcome, tell_records, tell_stages, tell_state, tell_warnings

if TYPE_CHECKING:
    from twin.execution.execute import Execution
    from twin.execution.suite import Outcome

DEMO = "nusantara"

Out = Annotated[Path, typer.Option("--out", help="Folder of results.")]
Workers = Annotated[int, typer.Option("--workers", min=0, help="Processes; 0 for one per core.")]
Replications = Annotated[int | None, typer.Option("--replications", min=1, max=10_000, help="Runs per arm.")]
Arms = Annotated[list[str] | None, typer.Option("--arm", help="Only this arm; may be repeated.")]
Plugins = Annotated[
    list[Path] | None, typer.Option("--plugin", help="Python file with own components; its code is run.")
]
WithReport = Annotated[bool, typer.Option("--report/--no-report", help="Draw maps and the HTML report.")]
MaxCases = Annotated[int, typer.Option("--max-cases", min=1, help="Most runs without --yes.")]
Shard = Annotated[str, typer.Option("--shard", help="Only part i of n, for example 1/4; all parts share the folder.")]
Executor = Annotated[str, typer.Option("--executor", help="processes, or threads of one process.")]
ScenarioName = Annotated[str, typer.Argument(help="Scenario file or embedded name.", metavar="SCENARIO")]


def demo(
    out: Out = Path("results"), workers: Workers = 0, replications: Replications = None, report: WithReport = True
) -> None:
    """Compare two policies in a flood night with a blackout on the embedded city."""
    from twin.cli.console import say

    _run(DEMO, _Order(out, workers, replications, report=report))
    say(f"next: {_program()} why call_late --verify --run {quote(str(out / DEMO))}")


def run(  # noqa: PLR0913 - one parameter per option of the command
    scenario: ScenarioName,
    out: Out = Path("results"),
    workers: Workers = 0,
    replications: Replications = None,
    arm: Arms = None,
    plugin: Plugins = None,
    report: WithReport = True,
    max_cases: MaxCases = 2000,
    yes: Annotated[bool, typer.Option("--yes", help="Run a suite of any size.")] = False,
    shard: Shard = "1/1",
    executor: Executor = "processes",
) -> None:
    """Run a scenario's arms and replications; complete runs are kept."""
    most = None if yes else max_cases
    _run(scenario, _Order(out, workers, replications, arm or [], plugin or [], report, most, shard, executor))


def resume(
    folder: Annotated[Path, typer.Argument(help="Folder of a suite or of one run.")],
    workers: Workers = 0,
    plugin: Plugins = None,
    report: WithReport = True,
) -> None:
    """Go on with interrupted and failed runs; a suite is told and judged as when it is run."""
    from twin.cli.console import progress, say
    from twin.execution.suite import resume_suite

    outcome = resume_suite(folder, plugin or [], _execution(workers), progress)
    records = outcome.records
    tell_stages(outcome)
    tell_records(records, folder, str((outcome.content or {}).get("file", "")))
    now = sum(not record.reused for record in records)
    say(f"{now} run{'s' * (now != 1)} done now, {len(records)} complete in {quote(str(folder))}")
    if outcome.content is not None:
        _end(outcome, report)


def plan(scenario: ScenarioName, arm: Arms = None, plugin: Plugins = None) -> None:
    """Print the order in which models solve, with what they read and write."""
    from twin.cli.console import say, show
    from twin.execution.run import assemble
    from twin.execution.suite import select
    from twin.scenario import load
    from twin.world import World

    case = select(load(scenario, plugin or []), arm or [])[0]
    assembly = assemble(case)
    rows = [
        (
            str(i + 1),
            row["component"],
            row["kind"],
            _listed(row["reads"], row["lags"]),
            _listed(row["adds"]),
            _listed(row["writes"]),
        )
        for i, row in enumerate(World(assembly).plan())
    ]
    show(
        f"Solving order of {case.suite}, arm {case.arm}", (">", "component", "kind", "reads", "adds to", "writes"), rows
    )
    for policy in assembly.policies:
        say(f"policy {policy.name} ({policy.role}): sees {', '.join(policy.sees)}; orders {', '.join(policy.commands)}")


def warmup(scenario: ScenarioName = DEMO, plugin: Plugins = None) -> None:
    """Compile the kernels a scenario uses, so that the first run is quick."""
    from twin.cli.console import say, working
    from twin.execution.execute import warm
    from twin.scenario import load

    begun = time.perf_counter()
    with working("compiling kernels"):
        fresh = warm(load(scenario, plugin or []).cases())
    done = f"kernels compiled in {time.perf_counter() - begun:.1f} s" if fresh else "kernels are compiled already"
    say(done)


@dataclass(frozen=True)
class _Order:
    """What a command line asks of a run."""

    out: Path
    workers: int
    replications: int | None
    arms: Sequence[str] = ()
    plugins: Sequence[Path] = ()
    report: bool = True
    most: int | None = None
    shard: str = "1/1"
    executor: str = "processes"


def _run(name: str, order: _Order) -> None:
    from twin.cli.console import progress, say
    from twin.execution.suite import can_stage, run_suite, select
    from twin.execution.suite_file import replaced
    from twin.execution.suite_size import refuse_if_larger, size_of
    from twin.scenario import load

    begun = time.perf_counter()
    execution = _execution(order.workers, order.shard, order.executor)
    scenario = load(name, order.plugins)
    rule = scenario.stopping if order.replications is None else None
    staged = rule is not None and can_stage(scenario, order.arms)
    if order.most is not None:
        size = size_of(scenario, order.out, order.workers, order.arms, order.replications)
        refuse_if_larger(size, order.most, name)
    cases = select(scenario, order.arms, order.replications)
    tell_warnings(name, scenario)
    if rule is not None and not staged:
        told = f"--arm must name the baseline {scenario.comparison.baseline} and another arm"
        say(f"warning: stages compare arms, so {told}; the first {rule.first} replications run only", error=True)
    for text in [] if staged else replaced(scenario, cases, order.out):
        say(f"warning: {text}", error=True)
    say(f"{scenario.title}: {len(cases)} run{'s' * (len(cases) != 1)} ({scenario.path.name})")
    tell_state(cases)
    tell_compiling(cases, execution)
    outcome = run_suite(scenario, order.out, None if staged else cases, execution, progress, order.arms)
    tell_records(outcome.records, outcome.folder, name)
    if execution.shard[1] > 1 and not _is_last_shard(order.shard, outcome):
        return
    _end(outcome, order.report, begun)


def _end(outcome: Outcome, report: bool, begun: float | None = None) -> None:
    """Tell what a suite left; leave with 1 when an expectation is not met."""
    from twin.cli.console import say

    tell_outcome(outcome, report)
    if begun is not None:
        say(f"elapsed: {time.perf_counter() - begun:.1f} s")
    if not all(holds for _, _, holds in outcome.expectations):
        raise typer.Exit(1)


def _execution(workers: int, shard: str = "1/1", executor: str = "processes") -> Execution:
    from twin.execution.execute import Execution, parse_shard

    return Execution(workers=workers, shard=parse_shard(shard), executor=executor)


def _is_last_shard(shard: str, outcome: Outcome) -> bool:
    """Tell whether all shards are done; say what is left when they are not."""
    from twin.cli.console import say

    found = outcome.results()
    done, asked = len(found.complete), len(found.asked)
    if done < asked:
        then = f"the shard that ends last judges; at any time: twin results judge {quote(str(outcome.folder))}"
        say(f"shard {shard} done: {done} of {asked} runs complete; {then}")
    return done == asked


def _program() -> str:
    """Return how the twin was called, for commands to copy: its path where the name alone is not found."""
    called = Path(sys.argv[0])
    return quote(str(called)) if called.name == "twin" and shutil.which("twin") is None else "twin"


def _listed(names: Sequence[str], lags: Sequence[str] = ()) -> str:
    return ", ".join([*names, *(f"{name} (later)" for name in lags)])
