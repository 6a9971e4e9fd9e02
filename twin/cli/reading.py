"""Commands that read results: results, compare."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from twin.results import Results

results = typer.Typer(help="List, show, query and export results.", no_args_is_help=True)

_NAMED = 5

Folder = Annotated[Path, typer.Argument(help="Folder of results, a suite, an arm or a run.")]


@results.command("ls")
def list_runs(folder: Folder = Path("results")) -> None:
    """List runs with their state; broken and unfinished ones too."""
    from twin.cli.console import say
    from twin.cli.tables import show_whole
    from twin.errors import DataError
    from twin.results import Results

    found = Results(folder)
    rows = [
        (r.suite, r.arm, str(r.replication) if r.replication >= 0 else "", r.status, quote(str(r.folder)), r.message)
        for r in found.runs
    ]
    show_whole(repr(found), ("suite", "arm", ">replication", "status", "folder", ""), rows)
    try:
        found.suite  # noqa: B018 - reading it is the check
    except DataError as error:
        say(f"warning: {error}", error=True)


@results.command("show")
def show_results(folder: Folder = Path("results")) -> None:
    """Print figures, or verdicts where there are several arms, and what the suite expects."""
    from twin.errors import DataError
    from twin.execution.suite_file import judge_results
    from twin.results import Results

    found = Results(folder)
    if not found.complete:
        raise DataError(f"no complete run in {folder}; see: twin results ls {quote(str(folder))}")
    title = str(found.suite.get("title") or folder)
    if len(found.arms) > 1:
        tell_verdicts(found, title)
    else:
        tell_figures(found, title)
    tell_expectations(judge_results(found))


@results.command("judge")
def judge_suite(folder: Annotated[Path, typer.Argument(help="Folder of a suite, for example results/guard.")]) -> None:
    """Tell whether what a suite expects holds; exit code 1 when not, or when a run is missing.

    Reads only: for the parts of a suite that ran on several machines, once their folders lie together.
    """
    from twin.cli.console import say
    from twin.errors import DataError
    from twin.execution.runs import SUITE
    from twin.execution.suite_file import is_whole, judge_results
    from twin.results import Results

    found = Results(folder)
    if not (folder / SUITE).is_file():
        raise DataError(f"{folder} holds no {SUITE}, so nothing says what is expected; name the folder of a suite")
    judged = judge_results(found)
    tell_expectations(judged)
    _tell_left_out(found)
    if not judged:
        say("nothing is expected of this suite: see the key expect of scenarios")
    if not is_whole(found) or not all(holds for _, _, holds in judged):
        raise typer.Exit(1)


@results.command("diff")
def diff_results(
    first: Annotated[Path, typer.Argument(help="Folder of a suite, an arm or a run.", metavar="A")],
    second: Annotated[Path, typer.Argument(help="The other folder.", metavar="B")],
) -> None:
    """List what differs between two folders: figures, what runs are made of, versions; exit code 1 if anything."""
    from twin.cli.console import say, show
    from twin.execution.housekeeping import diff
    from twin.results import Results

    one, two = Results(first), Results(second)
    found = diff(one, two)
    _tell_left_out(one)
    _tell_left_out(two)
    if not found:
        say(f"no difference between {first} and {second}")
        return
    rows = [(one.place, one.what, one.name, one.first, one.second) for one in found]
    show(f"{first} and {second}", ("run", "what", "name", ">A", ">B"), rows)
    raise typer.Exit(1)


@results.command("prune")
def prune_results(
    folder: Folder = Path("results"),
    yes: Annotated[bool, typer.Option("--yes", help="Delete; else only list.")] = False,
    state: Annotated[
        list[str] | None,
        typer.Option("--state", help="Runs in this state, as `ls` shows it; default earlier, incomplete, broken."),
    ] = None,
) -> None:
    """Delete runs that were superseded or never finished, and what killed writers left."""
    from twin.cli.console import say
    from twin.errors import DataError
    from twin.execution.housekeeping import DISPOSABLE, STATES, prune, waste_in

    for name in state or []:
        if name not in STATES:
            raise DataError(f"no state {name!r}; choose of {', '.join(STATES)}")
    if not folder.is_dir():
        raise DataError(f"no results at {folder}: it is not a folder; see: twin results ls")
    found = waste_in(folder, tuple(state) if state else DISPOSABLE)
    for waste in found:
        say(f"{waste.path}: {waste.reason}, {waste.size:,} bytes")
    if not yes:
        say(f"{len(found)} to delete, {sum(w.size for w in found):,} bytes; nothing was deleted: add --yes")
        return
    gone = prune(found)
    say(f"deleted {len(gone)} of {len(found)}, {sum(w.size for w in gone):,} bytes")


@results.command("export")
def export_results(
    folder: Folder,
    to: Annotated[Path | None, typer.Option("--to", help="Folder to write to.")] = None,
    kind: Annotated[str, typer.Option("--as", help="csv, gpkg or parquet.")] = "csv",
) -> None:
    """Write all tables as CSV, GeoPackage or Parquet."""
    from twin.cli.console import say, working
    from twin.results import Results

    with working("exporting"):
        written = Results(folder).export(kind, to)
    for path in written:
        say(str(path))


@results.command("sql")
def query_results(folder: Folder, query: Annotated[str, typer.Argument(help="Query in DuckDB's SQL.")]) -> None:
    """Answer a query over all tables, as CSV."""
    from twin.cli.console import say
    from twin.results import Results

    say(Results(folder).sql(query).to_csv(index=False).rstrip("\n"))


def compare(
    first: Annotated[str, typer.Argument(help="Folder, or an arm of --results.", metavar="A")],
    second: Annotated[str | None, typer.Argument(help="Folder, or an arm of --results.", metavar="[B]")] = None,
    folder: Annotated[Path, typer.Option("--results", help="Folder whose arms are named.")] = Path("results"),
) -> None:
    """Compare two arms, suites or runs, paired by seed; A is the baseline."""
    from twin.cli.tables import show_verdicts
    from twin.results import Results, compare_results

    if second is None:
        found = Results(first)
        tell_verdicts(found, str(found.suite.get("title") or first))
    elif Path(first).is_dir() and Path(second).is_dir():
        one, two = Results(first), Results(second)
        show_verdicts(f"{first} and {second}", compare_results(one, two), "A", "B")
    else:
        found = Results(folder)
        show_verdicts(str(folder), found.compare(first, second), first, second)


def tell_figures(found: Results, title: str) -> None:
    """Print the mean figures of each arm."""
    import math

    from twin.cli.console import figure
    from twin.cli.tables import show_whole

    values, arms = found.values(), found.arms
    heads = ["KPI", "unit"] + [f">{arm}" for arm in arms] + ["meaning"]
    meanings = {row["kpi"]: row["meaning"] for row in found.kpis()[["kpi", "meaning"]].to_dict("records")}
    rows = []
    for one in found.figures():
        means = [list(values[arm].get(one.name, {0: math.nan}).values()) for arm in arms]
        cells = [figure(math.fsum(v) / len(v)) for v in means]
        rows.append([one.name, one.unit if one.unit != "1" else "", *cells, meanings[one.name]])
    counts = ", ".join(f"{arm}: {len({r.seed for r in found.complete if r.arm == arm})}" for arm in arms)
    show_whole(f"{title} (mean over replications; {counts})", heads, rows, spare=("meaning", "unit"))
    _tell_left_out(found)


def tell_verdicts(found: Results, title: str) -> None:
    """Print the verdicts of every arm against the baseline."""
    from twin.cli.tables import show_verdicts

    baseline = found.baseline()
    compared = found.compare_all(baseline)
    for arm, comparisons in compared.items():
        show_verdicts(title, comparisons, baseline, arm, len(compared))
    _tell_left_out(found)


def _tell_left_out(found: Results) -> None:
    """Warn of runs that the suite asks for and that are not in the figures."""
    from twin.cli.console import say

    out = [run for run in found.asked if not run.is_complete]
    if out:
        listed = ", ".join(f"{run.arm} {run.replication} {run.status}" for run in out[:_NAMED])
        more = f" and {len(out) - _NAMED} more" if len(out) > _NAMED else ""
        say(f"warning: {len(out)} of {len(found.asked)} runs are not complete and left out: {listed}{more}", error=True)


def tell_expectations(expectations: Sequence[tuple[str, float, bool]]) -> None:
    """Print what a suite expects, with the figure found and whether it holds."""
    from twin.cli.console import figure, say

    for text, value, holds in expectations:
        say(f"expected {text}: {figure(value)} {'holds' if holds else 'NOT MET'}")
