"""Write a report of a suite: one HTML file that needs nothing else."""

from __future__ import annotations

import os
from html import escape
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from twin.errors import DataError

if TYPE_CHECKING:
    from twin.report.data import Report
    from twin.report.pictures import Picture

FILE = "report.html"
PICTURES = "pictures"


def write_report(folder: Path | str) -> Path:
    """Write report.html and its pictures (PNG) into a folder of results; return the report's path.

    The report shows what was compared and the verdicts first, then curves, maps, why the
    latest call was late, assumptions, set-up and files. It makes no request.
    Raises DataError when there is no complete run, or when the folder holds several suites.
    """
    from twin.report.data import read_report
    from twin.results import Results

    folder = Path(folder)
    results = Results(folder)
    suites = sorted({run.suite for run in results.complete})
    if len(suites) > 1:
        raise DataError(f"{folder} holds results of {', '.join(suites)}; give the folder of one of them")
    target = folder / FILE
    text = _page(read_report(results), folder)
    temporary = target.with_suffix(f".{os.getpid()}.tmp")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(target)
    return target


def _page(report: Report, folder: Path) -> str:
    """Return the whole page as text."""
    from twin.report import page, pictures
    from twin.report.beside import beside
    from twin.report.data import comparisons, headline, meanings
    from twin.report.procedures import timelines
    from twin.report.story import dry_fire, late_call

    found = comparisons(report)
    later = beside(lambda: list(pictures.maps(report)))
    named = {arm: headline(report, rows) for arm, rows in found.items()}
    first = pictures.arms(report, named) if len(named) > 1 else pictures.forest(report, named.get(report.arm, []))
    curves, spread, lost = pictures.story(report), pictures.cascade(report), pictures.resilience(report)
    staged, told, dry = timelines(report), late_call(report), dry_fire(report)
    drawn = later()
    _keep([shown for shown in (first, curves, spread, lost, *staged, *drawn) if shown], folder / PICTURES)
    parts = [
        page.header(report, found),
        page.verdicts(report, found, meanings(report)),
        page.picture(first, wide=True) if first else "",
        _section("How it went", page.picture(curves, wide=True) if curves else ""),
        _section("How it spread", "".join(page.picture(shown, wide=True) for shown in (spread, lost) if shown)),
        _section("Procedures", "".join(page.picture(shown, wide=True) for shown in staged)),
        _section("Maps", page.maps(report, drawn)),
        _section("Why was the latest call late?", page.story(*told) if told else ""),
        _section("Why was there no water for the fire?", page.story(*dry) if dry else ""),
        _section("Assumptions and sources", page.assumptions(report)),
        _section("Set-up and versions", page.setting(report)),
        _section("Files", page.files(report, folder)),
    ]
    here = Path(__file__).parent
    frame = Template((here / "page.html").read_text(encoding="utf-8"))
    style = (here / "page.css").read_text(encoding="utf-8")
    return frame.substitute(title=escape(report.title), style=style, body="\n".join(part for part in parts if part))


def _section(title: str, content: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{content}</section>" if content else ""


def _keep(drawn: list[Picture], folder: Path) -> None:
    """Write the pictures as files too, for slides and papers."""
    folder.mkdir(exist_ok=True)
    for shown in drawn:
        name = "".join(c if c.isalnum() or c in "-_" else "_" for c in shown.name)
        (folder / f"{name}.png").write_bytes(shown.content)
