"""What the commands that run print: before, after, and what went wrong."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from twin.execution.execute import Execution
    from twin.execution.run import Record
    from twin.execution.suite import Outcome
    from twin.scenario import Case, Scenario
    from twin.stats.sequential import Stopped


def tell_warnings(name: str, scenario: Scenario) -> None:
    """Print warnings; those about defaults, which every scenario has, as one line with their number."""
    from twin.cli.console import say

    warnings = scenario.check()
    defaults = [warning for warning in warnings if warning.code == "W201"]
    for warning in warnings:
        if warning.code != "W201":
            say(str(warning), error=True)
    if defaults:
        then = f"which and how many: twin check --verbose {quote(name)}"
        say(f"warning: {len(defaults)} components take defaults; {then}", error=True)


def tell_state(cases: Sequence[Case]) -> None:
    """Say how much a recorded full state takes, where one is asked for."""
    from twin.cli.console import say
    from twin.execution.recorder import state_bytes
    from twin.execution.run import assemble

    asked = [case for case in cases if case.record.get("state")]
    if asked:
        each = state_bytes(assemble(asked[0]), int(asked[0].record["every"])) / 1e6
        say(f"full state: about {each:.0f} MB per run, {each * len(asked) / 1e3:.2g} GB in all, before compression")


def tell_compiling(cases: Sequence[Case], execution: Execution) -> None:
    """Say that nothing will be seen for a while where kernels are compiled before workers start."""
    from twin.cli.console import say
    from twin.execution.execute import available_cores, is_warm

    several = (execution.workers or available_cores()) > 1 and len(cases) > 1
    if several and not is_warm(cases):
        say("compiling kernels, once on this machine; it can take a minute or two", error=True)


def tell_stages(outcome: Outcome) -> None:
    """Say that stages go on with the scenario: the folder of a suite does not say how many runs it wants."""
    from twin.cli.console import say

    content = outcome.content or {}
    if isinstance((content.get("scenario") or {}).get("replications"), dict):
        again = f"twin run {quote(str(content.get('file')))}"
        told = "this suite finds its number of replications itself; resume makes those it has begun"
        say(f"warning: {told}, for further stages: {again}", error=True)


def tell_records(records: Sequence[Record], folder: Path, scenario: str = "") -> None:
    """Print what did not complete; leave with 130 when interrupted, 1 when something failed.

    scenario  file that is to be run anew once it is changed: resume makes the cases that stand in the folder
    """
    from twin.cli.console import say

    for record in records:
        place = f"{record.arm} replication {record.replication}"
        if record.status == "failed":
            say(f"failed: {place}: {record.message} (record: {record.folder}/failure.json)", error=True)
        elif record.message and record.status == "complete":
            say(f"warning: {place}: {record.message}", error=True)
    if any(record.status in {"interrupted", "waiting"} for record in records):
        done = sum(record.status == "complete" for record in records)
        then = f"go on with: twin resume {quote(str(folder))}"
        say(f"interrupted: {done} of {len(records)} runs complete; {then}", error=True)
        raise typer.Exit(130)
    elsewhere = [record for record in records if record.status == "elsewhere"]
    if elsewhere:
        say(f"{len(elsewhere)} runs are being written by others: {elsewhere[0].message}", error=True)
        raise typer.Exit(1)
    if any(record.status == "failed" for record in records):
        again = f"after a change of the scenario: twin run {quote(scenario)}; " if scenario else ""
        other = f"after a change elsewhere (data, plugin, disc): twin resume {quote(str(folder))}"
        say(f"go on {again}{other}", error=True)
        raise typer.Exit(1)


def tell_outcome(outcome: Outcome, report: bool) -> None:
    """Print figures or verdicts, expectations, and where everything is."""
    from twin.cli.console import say
    from twin.cli.reading import tell_expectations, tell_figures, tell_verdicts

    results = outcome.results()
    title = str(results.suite.get("title") or outcome.folder)
    if len(results.arms) > 1:
        tell_verdicts(results, title)
    else:
        tell_figures(results, title)
    if outcome.stopped is not None and outcome.stopped.comparisons:
        say(_told_stop(outcome.stopped))
    tell_expectations(outcome.expectations)
    if outcome.is_shared():
        say(f"warning: another process has changed {outcome.folder} meanwhile; no report is drawn", error=True)
    elif report:
        _write_report(outcome.folder)
    tables = sorted(
        {path.relative_to(outcome.folder).parts[0] for path in outcome.folder.rglob("*.parquet")} - {"export"}
    )
    say(f"tables (Parquet): {', '.join(str(outcome.folder / name) for name in tables)}")


def _told_stop(stopped: Stopped) -> str:
    from twin.stats.sequential import is_precise

    stages = f"{stopped.stages} stage{'' if stopped.stages == 1 else 's'}"
    counted = f"{stopped.replications} replications in {stages}"
    wide = sorted({one.figure.name for one in stopped.comparisons if not is_precise(one)})
    if wide:
        return f"{counted}, the most allowed: {', '.join(wide)} not known to half the margin"
    return f"{counted}: every judged KPI is known to half its margin"


def _write_report(folder: Path) -> None:
    """Draw the report and name it and its maps; a report that fails is told, for the results are there."""
    from twin.cli.console import say, working

    try:
        from twin.report import write_report

        with working("drawing maps and report"):
            target = write_report(folder)
    except Exception as error:
        say(f"warning: no report: {type(error).__name__}: {error}", error=True)
        return
    say(f"report: {target}")
    for image in sorted(folder.rglob("*.png")):
        say(f"map: {image}")
