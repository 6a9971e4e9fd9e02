"""The command `branch`: which policy from an instant of a run on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from math import isfinite
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Any

import typer

from twin.cli.running import Out, Plugins, Workers

if TYPE_CHECKING:
    from twin.assembly import Assembly
    from twin.results import Run
    from twin.whatif import Question, WhatIf
    from twin.world import World

_SHOWN = 3


def branch(  # noqa: PLR0913 - one parameter per option of the command
    run: Annotated[Path, typer.Argument(help="Folder of a run, or of a suite: then its newest run.", metavar="RUN")],
    at: Annotated[str, typer.Option("--at", help="Local time such as 14:05, a date and time, or +2h after the start.")],
    policy: Annotated[
        list[str], typer.Option("--policy", help="A,B,...: name, name(option=value), or several roles as X+Y.")
    ],
    horizon: Annotated[str, typer.Option("--horizon", help="How far to look.")] = "2 h",
    replications: Annotated[int, typer.Option("--replications", min=1, max=10_000, help="Futures per policy.")] = 10,
    by: Annotated[str, typer.Option("--by", help="KPI to rank by; else the first of the orders' model.")] = "",
    frozen: Annotated[str, typer.Option("--frozen", help="Models and feeds that stand still, A,B,...")] = "",
    only: Annotated[str, typer.Option("--only", help="Models and feeds that go on; all others are frozen.")] = "",
    arm: Annotated[str | None, typer.Option("--arm", help="Only runs of this arm.")] = None,
    workers: Workers = 0,
    out: Out = Path("results"),
    plugin: Plugins = None,
) -> None:
    """Try policies from an instant of a run on, with many futures, and rank them."""
    from twin.cli.console import say, working
    from twin.errors import DataError
    from twin.execution.suite import assemble_run
    from twin.whatif import Question, what_if
    from twin.whatif.branches import check
    from twin.whatif.choices import split
    from twin.whatif.keep import keep

    chosen = _run_to_branch(run, arm)
    assembly = assemble_run(chosen.folder, plugin or [])
    instant = instant_of(at, assembly)
    specs = [spec for text in policy for spec in split(text)]
    question = Question(specs, horizon, replications, workers, _frozen(assembly, frozen, only), by)
    if len(check(assembly, instant, question).choices) == 1:
        raise DataError(
            f"{', '.join(policy)} decides already in arm {chosen.arm}; name another policy, or another --arm"
        )
    with working(f"running to {at}"):
        world = _live(chosen, assembly, instant)
    say(f"run: {quote(str(chosen.folder))}")
    with _bar() as progress:
        found = what_if(world, replace(question, progress=progress))
    place = out / "whatif" / _answer_name(chosen, instant, found.local, question)
    if any(not branch.message for branch in found.branches):
        _tell(found)
        for path in keep(found, place, {"run": str(chosen.folder), "seed": chosen.seed, "run_id": chosen.run_id}):
            say(f"wrote {quote(str(path))}")
        kept = {"--at": [at], "--horizon": [horizon], "--by": [by] if by else []}
        kept |= {"--workers": [str(workers)] if workers else [], "--plugin": [str(path) for path in plugin or []]}
        kept["--out"] = [str(out)] if out != Path("results") else []
        say(f"next: {_next(found, chosen.folder, kept)}")
    _leave(found)


def instant_of(text: str, assembly: Assembly) -> int:
    """Return an instant of a run in us since its start.

    text  "+2 h", a clock time (the first one after the start), or date and time, in the city's zone
    Raises DataError when it is not within the run.
    """
    from twin.contract import HOUR
    from twin.errors import DataError
    from twin.units import format_local, parse_duration, parse_local

    setup, zone = assembly.setup, assembly.city.timezone
    begin = format_local(setup.start, zone)
    if text.strip().startswith("+"):
        instant = parse_duration(text.strip()[1:].strip())
    elif "-" in text:
        instant = parse_local(text, zone) - setup.start
    else:
        instant = (parse_local(f"{begin[:10]} {text.strip()}", zone) - setup.start) % (24 * HOUR)
    if not 0 <= instant < setup.duration:
        end = format_local(setup.start + setup.duration, zone)
        raise DataError(f"--at {text} lies outside the run, which goes from {begin} to {end}")
    return instant


def _answer_name(run: Run, instant: int, local: str, question: Question) -> str:
    """Name the folder of an answer: the run, the clock, and a word of its own for each question."""
    asked = (instant, question.policies, question.horizon, question.replications, sorted(question.frozen), question.by)
    word = sha256(repr(asked).encode()).hexdigest()[:6]
    return f"{run.suite}_{run.arm}_{run.run_id[:8]}_{local[11:16].replace(':', '')}_{word}"


def _run_to_branch(folder: Path, arm: str | None) -> Run:
    """Return the run to branch: complete, interrupted or failed, the newest complete one of several."""
    from twin.errors import DataError
    from twin.execution.run import CASE, COMPLETE, FAILED, INTERRUPTED
    from twin.results import Results

    runs = [r for r in Results(folder).runs if r.status in {COMPLETE, INTERRUPTED, FAILED}]
    runs = [r for r in runs if arm in {None, r.arm} and (r.folder / CASE).is_file()]
    if not runs:
        of = f" of arm {arm!r}" if arm else ""
        raise DataError(f"no run{of} to branch in {folder}; see: twin results ls {quote(str(folder))}")
    return max(runs, key=lambda r: (r.status == COMPLETE, str(r.manifest.get("finished", "")), str(r.folder)))


def _live(run: Run, assembly: Assembly, instant: int) -> World:
    """Return the world of a run at an instant: on from its snapshot where that is not later, else from the start."""
    from twin.errors import SnapshotError
    from twin.execution.run import SNAPSHOT
    from twin.world import World

    if (run.folder / SNAPSHOT).is_file():
        try:
            world = World.load(run.folder, assembly)
        except SnapshotError:
            return World(assembly).run(instant)
        if world.now <= instant:
            return world.run(instant)
    return World(assembly).run(instant)


def _frozen(assembly: Assembly, frozen: str, only: str) -> tuple[str, ...]:
    from twin.errors import DataError
    from twin.whatif.frozen import all_but, check_frozen

    if frozen and only:
        raise DataError("give --frozen or --only, not both: the one names what stands still, the other what goes on")
    if only:
        return all_but(assembly, *_words(only))
    return tuple(sorted(check_frozen(assembly, _words(frozen))))


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


@contextmanager
def _bar() -> Iterator[Callable[[int, int], None] | None]:
    """Show branches done and remaining time on a terminal; nothing elsewhere."""
    from twin.cli.console import console

    if not console(error=True).is_terminal:
        yield None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns: list[Any] = [TextColumn("branches"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()]
    # Without a thread of its own that draws, forks are safe.
    with Progress(*columns, console=console(error=True), transient=True, auto_refresh=False) as bar:
        task = bar.add_task("", total=None)

        def came(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total, refresh=True)

        yield came


def _tell(found: WhatIf) -> None:
    """Print the ranking, and the other figures of the best policies."""
    from twin.cli.console import figure, say, signed
    from twin.cli.tables import show_verdicts, show_whole

    unit = next(f.unit for f in found.figures if f.name == found.by)
    rows = []
    for rank, (label, mean) in enumerate(found.ranked(), 1):
        verdict = found.verdict(label)
        if verdict == "present":
            rows.append((str(rank), label, figure(mean), "", "", "present"))
            continue
        one = found.judged(label)
        rows.append(
            (
                str(rank),
                label,
                figure(mean),
                signed(one.difference),
                f"{signed(one.low)} .. {signed(one.high)}",
                verdict,
            )
        )
    shown = f"{found.by} [{unit}]" if unit != "1" else found.by
    columns = (">rank", "policy", f">{shown}", f">to {found.present}", ">95% interval", "verdict")
    show_whole(found.title(), columns, rows, spare=(">95% interval",))
    say(
        f"{len(found.values(found.by, found.present))} futures, shared by all policies; verdicts hold for all policies "
        "together (Holm); figures of calls not yet reached at the branch."
    )
    for label, _ in found.ranked():
        if found.verdict(label) == "inconclusive":
            say(f"{label} is inconclusive: {found.judged(label).family_reason}")
    best = next((label for label, _ in found.ranked() if label != found.present), "")
    if best:
        show_verdicts(f"{best}: all figures", found.comparisons[best], found.present, best)


def _next(found: WhatIf, run: Path, kept: Mapping[str, Sequence[str]]) -> str:
    """Name the command to go on with: coupled after frozen, more futures while nothing is certain.

    kept  option -> values it was given, for the same question of the policies that did not fail
    """
    best = [label for label, mean in found.ranked() if label != found.present and isfinite(mean)][:_SHOWN]
    words = [f"{option} {quote(value)}" for option, values in kept.items() for value in values]
    same = " ".join([f"twin branch {quote(str(run))}", *words, f"--policy {quote(','.join(best))}"])
    if found.frozen and best:
        return same
    if best and all(found.verdict(label) == "inconclusive" for label in best):
        return f"{same} --replications {4 * max(len(found.values(found.by, found.present)), 5)}"
    return f"twin why call_late --run {quote(str(run))}"


def _leave(found: WhatIf) -> None:
    """Say what failed or was broken off, with the exit code for it."""
    from twin.cli.console import say

    for branch in found.failed[:_SHOWN]:
        say(f"failed: {branch.policy} replication {branch.replication}: {branch.message}", error=True)
    if found.broken_off:
        say(f"interrupted: {len(found.branches)} branches are done and kept", error=True)
        raise typer.Exit(130)
    if found.failed:
        say(f"{len(found.failed)} of {len(found.branches)} branches failed", error=True)
        raise typer.Exit(1)
