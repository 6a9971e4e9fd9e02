"""The command that asks a run why something happened."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from twin.cli.running import Plugins

if TYPE_CHECKING:
    from twin.chain import Words
    from twin.results import Results, Run
    from twin.why import Causes, Verdict


def why(  # noqa: PLR0913 - one parameter per option of the command
    event: Annotated[str, typer.Argument(help="Number of an event, or a kind of event.")],
    run: Annotated[Path, typer.Option("--run", help="Folder of a run; else its newest complete run.")] = Path(
        "results"
    ),
    verify: Annotated[bool, typer.Option("--verify", help="Run again without the root, to see it gone.")] = False,
    root: Annotated[int | None, typer.Option("--root", help="Root to take out when verifying.")] = None,
    arm: Annotated[str | None, typer.Option("--arm", help="Only runs of this arm.")] = None,
    whole: Annotated[bool, typer.Option("--all", help="Tell every event, also those of one shape.")] = False,
    plugin: Plugins = None,
) -> None:
    """Print the chain of causes behind an event."""
    from twin.chain import explain
    from twin.cli.console import say
    from twin.contract import kinds_planned
    from twin.results import Results

    chosen = _newest(Results(run), arm)
    say(f"run: {quote(str(chosen.folder))}")
    causes = _causes(chosen)
    words = _words(chosen)
    named = event.lstrip("-").isdigit()
    planned = kinds_planned(words.kinds)
    first = int(event) if named else causes.richest(event, planned)
    if not verify:
        say(explain(causes, first, words, whole))
        return
    tried = _verified(causes, first, "" if named else event, chosen, root, plugin or [])
    for place, (number, verdict) in enumerate(tried):
        if place == 0 or tried[place - 1][0] != number:
            say(explain(causes, number, words, whole))
        say(str(verdict))
    if not tried:
        say(f"no {event} goes back to an event of the scenario, so there is nothing to take out")


def _causes(run: Run) -> Causes:
    """Return the event log of a run with its causes; raise DataError where it has none."""
    from twin.errors import DataError
    from twin.report.causes import causes

    found = causes(run)
    if found is None:
        raise DataError(f"{run.folder} holds no event log; make it again with: twin resume {quote(str(run.folder))}")
    return found


def _words(run: Run) -> Words:
    """Return what it takes to tell the events of a run."""
    from twin.chain import Words
    from twin.report.causes import kinds
    from twin.results import Results
    from twin.units import format_local

    city, start = Results(run.folder).city(), int(run.manifest["case"]["start"])
    return Words(city, lambda time: format_local(start + time, city.timezone), kinds(run))


def _verified(
    causes: Causes, event: int, kind: str, run: Run, root: int | None, plugins: Sequence[Path]
) -> list[tuple[int, Verdict]]:
    """Run again without the root behind an event, or behind events of a kind until one is gone."""
    from twin.cli.console import working
    from twin.execution.suite import assemble_run
    from twin.why import explained, verify, verify_each

    with working("running again without the root"):
        assembly = assemble_run(run.folder, plugins)
        if root is not None:
            return [(event, verify(causes, event, assembly, root))]
        if kind:
            return list(explained(causes, kind, assembly))
        return [(event, verdict) for verdict in verify_each(causes, event, assembly)]


def _newest(found: Results, arm: str | None = None) -> Run:
    """Return the run that was finished last, of one arm if that is asked for."""
    from twin.errors import DataError

    if not found.complete:
        raise DataError(f"no complete run in {found.folder}; see: twin results ls {quote(str(found.folder))}")
    chosen = [run for run in found.complete if arm in {None, run.arm}]
    if not chosen:
        raise DataError(f"no complete run of arm {arm!r} in {found.folder}; there are {', '.join(found.arms)}")
    return max(chosen, key=lambda run: (str(run.manifest.get("finished", "")), str(run.folder)))
