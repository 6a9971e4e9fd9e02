"""What commands print: tables, figures, progress."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

from twin.contract import HOUR

if TYPE_CHECKING:
    from rich.console import Console

    from twin.execution.board import Board
    from twin.scenario import Case

_WIDTH = 140
_CONTROL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control sequences (ECMA-48, 5.4), control characters but tab and newline, and halves of characters."""


@cache
def console(error: bool = False) -> Console:
    """Return the console; tables keep their full width where output is not a terminal."""
    from rich.console import Console

    stream = sys.stderr if error else sys.stdout
    return Console(stderr=error, highlight=False, width=None if stream.isatty() else _WIDTH)


def clean(text: str) -> str:
    r"""Return text that a terminal only shows: without escape sequences and other control characters.

    >>> clean("Old \x1b[31mTown\x1b[0m")
    'Old Town'
    """
    return _CONTROL.sub("", text)


def say(text: str = "", error: bool = False) -> None:
    """Print text as it is, without markup."""
    print(clean(text), file=sys.stderr if error else sys.stdout, flush=True)


def show(title: str, heads: Sequence[str], rows: Iterable[Sequence[str]], styles: Sequence[str] = ()) -> None:
    """Print a table; heads that start with ">" are columns of numbers.

    styles  rich style of each row, if any
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(clean(title)), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for head in heads:
        right = head.startswith(">")
        table.add_column(
            Text(clean(head.removeprefix(">"))), justify="right" if right else "left", no_wrap=right, overflow="fold"
        )
    for number, row in enumerate(rows):
        table.add_row(*(Text(clean(cell)) for cell in row), style=styles[number] if styles else None)
    console().print(table)


def figure(value: float) -> str:
    """Write a figure with about four digits that count.

    >>> [figure(v) for v in (123456.7, 12.345, 0.04567, 0.0, float("nan"))]
    ['123,457', '12.35', '0.04567', '0', '-']
    """
    if math.isnan(value):
        return "-"
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    if value == 0:
        return "0"
    digits = max(0, 3 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{min(digits, 6)}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return text if text not in {"0", "-0"} else f"{value:.3g}"


def signed(value: float) -> str:
    """Write a difference with its sign."""
    return f"+{figure(value)}" if value > 0 else figure(value)


@contextmanager
def progress(board: Board, cases: Sequence[Case]) -> Iterator[Callable[[], None]]:
    """Show rate and remaining time of cases on a terminal; nothing elsewhere."""
    if not console(error=True).is_terminal:
        yield lambda: None
        return
    from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn

    goals = [case.duration for case in cases]
    columns: list[Any] = [SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TaskProgressColumn()]
    columns += [TextColumn("{task.fields[rate]}"), TimeRemainingColumn()]
    with Progress(*columns, console=console(error=True), transient=True) as bar:
        # What an earlier session left counts neither as done nor as to do, so rate and remaining time are honest.
        task = bar.add_task("preparing", total=sum(goals) / HOUR, rate="")

        def refresh() -> None:
            times, before = board.times(), sum(board.bases()) / HOUR
            done = sum(time >= goal for time, goal in zip(times, goals, strict=True))
            elapsed = bar.tasks[0].elapsed or 0.0
            hours = max(sum(times) / HOUR - before, 0.0)
            rate = f"{hours / elapsed:.1f} simulated h/s" if elapsed > 0 and hours > 0 else ""
            what = "saving" if board.stopping else f"{done} of {len(goals)} runs"
            bar.update(task, completed=hours, total=sum(goals) / HOUR - before, description=what, rate=rate)

        yield refresh


@contextmanager
def working(text: str) -> Iterator[None]:
    """Show a spinner beside a text on a terminal; nothing elsewhere."""
    if not console(error=True).is_terminal:
        yield
        return
    with console(error=True).status(text):
        yield


@contextmanager
def transfer() -> Iterator[Callable[[str, int], None] | None]:
    """Show the bytes of files that arrive on a terminal; nothing elsewhere.

    The bar begins with the first byte, so that a question before it can be answered.
    """
    if not console(error=True).is_terminal:
        yield None
        return
    from rich.progress import DownloadColumn, Progress, SpinnerColumn, TextColumn, TransferSpeedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), DownloadColumn(), TransferSpeedColumn())
    bar = Progress(*columns, console=console(error=True), transient=True)
    tasks: dict[str, Any] = {}

    def came(name: str, count: int) -> None:
        if not tasks:
            bar.start()
        if name not in tasks:
            tasks[name] = bar.add_task(name, total=None)
        bar.update(tasks[name], advance=count)

    try:
        yield came
    finally:
        bar.stop()
