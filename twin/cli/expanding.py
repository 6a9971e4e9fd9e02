"""The command that shows a suite before it runs: expand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from twin.cli.running import Arms, MaxCases, Out, Plugins, Replications, ScenarioName, Workers

if TYPE_CHECKING:
    from twin.scenario import Case, Scenario

_LISTED = 60


def expand(  # noqa: PLR0913 - one parameter per option of the command
    scenario: ScenarioName,
    out: Out = Path("results"),
    workers: Workers = 0,
    replications: Replications = None,
    arm: Arms = None,
    plugin: Plugins = None,
    max_cases: MaxCases = 2000,
    cases: Annotated[bool, typer.Option("--cases", help="List every run with its seed and drawn values.")] = False,
) -> None:
    """Print a suite's arms and runs, how long they take and what they write; nothing runs."""
    from twin.cli.console import say
    from twin.execution.suite import select
    from twin.execution.suite_size import size_of
    from twin.scenario import load

    found = load(scenario, plugin or [])
    size = size_of(found, out, workers, arm or [], replications)
    heads = select(found, arm or [], 1)
    _show_arms(found, heads, size.replications)
    if cases and size.runs <= max_cases:
        _show_cases(found, select(found, arm or [], size.replications))
    say(str(size))
    if found.stopping and replications is None:
        say(f"at least {found.stopping.first} replications, until judged KPIs are precise; {size.replications} at most")
    if size.runs > max_cases:
        unlisted = f"; its runs are listed with --max-cases {size.runs}" if cases else ""
        say(f"more than --max-cases {max_cases:,}: twin run asks for --yes{unlisted}")


def _show_arms(scenario: Scenario, heads: list[Case], replications: int) -> None:
    from twin.cli.console import say
    from twin.cli.tables import show_whole
    from twin.execution.suite_size import what_differs

    differs = what_differs(scenario)
    seeds = [scenario.seed_of(number) for number in range(replications)]
    rows = [(case.arm, str(replications), differs[case.arm] or "-") for case in heads[:_LISTED]]
    show_whole(f"{scenario.title}: {_listed(seeds)}", ("arm", ">runs", "what differs"), rows)
    if len(heads) > _LISTED:
        say(f"and {len(heads) - _LISTED} more arms; all with --cases")


def _show_cases(scenario: Scenario, cases: list[Case]) -> None:
    from twin.cli.tables import show_whole

    rows = []
    for case in cases:
        drawn = ", ".join(f"{place} = {value}" for place, value in scenario.draws(case).items())
        rows.append((case.arm, str(case.replication), str(case.seed), drawn or "-"))
    show_whole("Runs", ("arm", ">replication", ">seed", "drawn"), rows)


def _listed(seeds: list[int]) -> str:
    """Write seeds shortly: a range where they follow each other."""
    if len(seeds) > 2 and seeds == list(range(seeds[0], seeds[0] + len(seeds))):
        return f"seeds {seeds[0]} to {seeds[-1]}"
    more = f" and {len(seeds) - 12} more" if len(seeds) > 12 else ""
    return f"seed{'s' * (len(seeds) != 1)} {', '.join(map(str, seeds[:12]))}{more}"
