"""Tables whose cells are never cut: figures, verdicts, lists of paths."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from twin.cli.console import clean, figure, say, signed

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from twin.stats import Comparison

_WIDEST = 10_000
_STYLES = {"better": "green", "worse": "red", "same": "", "inconclusive": "dim"}


def show_whole(
    title: str,
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
    styles: Sequence[str] = (),
    spare: Sequence[str] = (),
) -> None:
    """Print a table no cell of which is cut or folded.

    heads  those that start with ">" are columns of numbers
    spare  columns to leave out where a terminal is too narrow, the first one first; they are named below.
           Without more to leave out, lines are longer than the terminal, so that paths can be copied.
    """
    kept, left_out = list(range(len(heads))), []
    room = _room()
    for head in spare:
        if _width(_table(title, heads, rows, styles, kept)) <= room:
            break
        kept.remove(heads.index(head))
        left_out.append(head.removeprefix(">"))
    table = _table(title, heads, rows, styles, kept)
    _console(max(_width(table), len(clean(title)))).print(table)
    if left_out:
        say(f"not shown at this width: {', '.join(left_out)}")


def show_verdicts(title: str, comparisons: Sequence[Comparison], baseline: str, arm: str, family: int = 1) -> None:
    """Print differences of an arm with a baseline, their intervals and verdicts.

    family  number of arms judged together, this one included
    """
    level = f"{comparisons[0].level:.0%}" if comparisons else ""
    interval = f">{level} interval"
    heads = ("KPI", "unit", f">{baseline}", f">{arm}", f">{arm} - {baseline}", interval, ">margin", "verdict")
    rows = [
        (
            c.figure.name,
            c.figure.unit if c.figure.unit != "1" else "",
            figure(c.mean_a),
            figure(c.mean_b),
            signed(c.difference),
            _interval(c),
            figure(c.figure.margin),
            verdict_of(c),
        )
        for c in comparisons
    ]
    spare = (">margin", interval, "unit", f">{arm} - {baseline}")
    show_whole(title, heads, rows, [_STYLES[c.verdict] for c in comparisons], spare)
    for reason, names in _reasons(comparisons).items():
        listed = f"all {len(names)} KPIs" if len(names) == len(comparisons) > 1 else ", ".join(names)
        say(f"inconclusive, for {reason}: {listed}")
    pairs = sorted({c.pairs for c in comparisons})
    counted = " to ".join(str(n) for n in (pairs if len(pairs) < 2 else (pairs[0], pairs[-1])))
    word = "replication" if pairs == [1] else "replications"
    say(f"{arm} against {baseline}: paired t intervals over {counted} {word} with common random numbers.")
    several = f" of all {family} arms" if family > 1 else ""
    say(f"Verdicts are per KPI; * holds also for all judged KPIs{several} together (Holm).")
    say("Margins: differences that do not matter.")


def verdict_of(comparison: Comparison) -> str:
    """Return a verdict as tables show it; a star when it holds for the family."""
    from twin.stats import UNMEASURED

    if comparison.reason == UNMEASURED:
        return "no data"
    if comparison.verdict == "inconclusive":
        return comparison.verdict
    return comparison.verdict + ("*" if comparison.family_verdict == comparison.verdict else "")


def _interval(comparison: Comparison) -> str:
    if not math.isfinite(comparison.low):
        return "-"
    return f"{signed(comparison.low)} .. {signed(comparison.high)}"


def _reasons(comparisons: Sequence[Comparison]) -> dict[str, list[str]]:
    """Return why figures have no interval -> their names; those without data say so themselves."""
    found: dict[str, list[str]] = {}
    for one in comparisons:
        if verdict_of(one) == "inconclusive" and not math.isfinite(one.low):
            found.setdefault(one.reason, []).append(one.figure.name)
    return found


def _room() -> int:
    """Return the width of the terminal; output that is no terminal has room for all."""
    from twin.cli.console import console

    return console().width if sys.stdout.isatty() else _WIDEST


def _console(width: int) -> Console:
    from rich.console import Console

    return Console(file=sys.stdout, highlight=False, width=width)


def _width(table: Table) -> int:
    from rich.measure import Measurement

    wide = _console(_WIDEST)
    return Measurement.get(wide, wide.options, table).maximum


def _table(
    title: str, heads: Sequence[str], rows: Sequence[Sequence[str]], styles: Sequence[str], kept: Sequence[int]
) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(clean(title)), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for number in kept:
        head = clean(heads[number])
        right = head.startswith(">")
        table.add_column(Text(head.removeprefix(">")), justify="right" if right else "left", no_wrap=True)
    for number, row in enumerate(rows):
        table.add_row(*(Text(clean(row[i])) for i in kept), style=styles[number] if styles else None)
    return table
