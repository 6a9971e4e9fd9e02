"""Write the parts of a report as HTML; every text that comes from data is escaped."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from twin.report.data import Report, headline
from twin.report.pictures import Picture
from twin.results import Run
from twin.stats import BETTER, INCONCLUSIVE, SAME, WORSE, Comparison
from twin.wording import difference_unit, difference_with_unit, figure_name, number, shown_unit

SIGNS = {BETTER: "▲", WORSE: "▼", SAME: "=", INCONCLUSIVE: "?"}
"""Verdict -> sign, so that a verdict is never told by its colour alone."""


def header(report: Report, found: Mapping[str, Sequence[Comparison]]) -> str:
    """Return title, answer in words and what was compared."""
    manifest = report.manifest
    facts = [
        ("City", f"{manifest['city']['title']} ({manifest['city']['name']})"),
        ("Simulated", f"{report.period()} (local time)"),
        *((f"Arm {arm or manifest['suite']}", _arm_line(report, arm)) for arm in report.runs),
    ]
    items = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in facts)
    lead = "".join(
        f'<p class="lead">{_answer(report.baseline, arm, headline(report, rows))}</p>' for arm, rows in found.items()
    )
    return f"<header><h1>{escape(report.title)}</h1>{lead}<dl class='facts'>{items}</dl>{_left_out(report)}</header>"


def _arm_line(report: Report, arm: str) -> str:
    runs = report.runs[arm]
    text = report.policies(arm) or "no policy"
    return f"{text} · {len(runs)} replication{'s' * (len(runs) != 1)}"


def _answer(baseline: str, arm: str, rows: Sequence[Comparison]) -> str:
    """Return the verdicts in one sentence."""
    parts = []
    for verdict, words in ((BETTER, "better on"), (WORSE, "worse on"), (SAME, "the same on")):
        names = [figure_name(one.figure).lower() for one in rows if one.verdict == verdict]
        if names:
            parts.append(f"<span class='verdict {verdict}'>{words}</span> {escape(', '.join(names))}")
    told = f"Against {escape(baseline)}, <strong>{escape(arm)}</strong> is {'; '.join(parts)}." if parts else ""
    undecided = sum(one.verdict == INCONCLUSIVE for one in rows)
    if undecided:
        what = f"<strong>{escape(arm)}</strong> against {escape(baseline)}: " if not parts else ""
        told += f" {what}{undecided} of {len(rows)} figures are not decided."
    return told


def _left_out(report: Report) -> str:
    """Say which runs are not in the figures."""
    out = [run for run in report.results.runs if not run.is_complete and run.status != "earlier"]
    if not out:
        return ""
    items = "".join(f"<li>{escape(f'{r.arm} {r.replication}: {r.status} {r.message}')}</li>" for r in out[:20])
    more = f"<li>and {len(out) - 20} more</li>" if len(out) > 20 else ""
    return (
        f"<div class='note'><strong>{len(out)} runs are not complete and left out:</strong><ul>{items}{more}</ul></div>"
    )


def verdicts(report: Report, found: Mapping[str, Sequence[Comparison]], meaning: Mapping[str, str]) -> str:
    """Return the table of figures with a verdict each, one per arm that is compared."""
    if not found:
        return _means(report, meaning)
    return "".join(_arm_verdicts(report, arm, rows, meaning) for arm, rows in found.items())


def _arm_verdicts(report: Report, arm: str, rows: Sequence[Comparison], meaning: Mapping[str, str]) -> str:
    """Return the table of the figures that the scenario names, and the others folded away."""
    first = headline(report, rows)
    rest = [one for one in rows if one not in first]
    pairs = max((one.pairs for one in rows), default=0)
    several = " of all arms" if len(report.results.arms) > 2 else ""
    note = (
        f"Paired differences over {pairs} replications with common random numbers. Verdict: the interval lies beyond "
        "the margin (better, worse), within it (same), or neither (inconclusive). "
        f"* holds also for all judged figures{several} together (Holm). pp: percentage points."
    )
    shown = _verdict_table(report.baseline, arm, first, meaning)
    more = _verdict_table(report.baseline, arm, rest, meaning) if rest else ""
    folded = f"<details><summary>More figures ({len(rest)})</summary>{more}</details>" if rest else ""
    return f"{shown}<p class='muted'>{note}</p>{folded}"


def _verdict_table(baseline: str, arm: str, rows: Sequence[Comparison], meaning: Mapping[str, str]) -> str:
    a, b = escape(baseline), escape(arm)
    level = 100 * rows[0].level if rows else 95
    head = _row(
        ["Figure", "Verdict", f"{a}: mean", f"{b}: mean", f"{b} − {a}", f"{level:g} % interval", "Margin", "Unit"],
        "th", numeric=range(2, 7),
    )  # fmt: skip
    body = "".join(_verdict_row(one, meaning.get(one.figure.name, "")) for one in rows)
    table = f"<table><caption>{b} against {a}</caption><thead>{head}</thead><tbody>{body}</tbody></table>"
    return f"<div class='scroll'>{table}</div>"


def _verdict_row(one: Comparison, meaning: str) -> str:
    factor, unit = shown_unit(one.figure)
    points = f" {difference_unit(unit)}" if difference_unit(unit) != unit else ""
    figures = [number(factor * v) for v in (one.mean_a, one.mean_b)]
    figures.append(difference_with_unit(one.difference, one.figure) if points else number(one.difference, signed=True))
    ends = [number(factor * v, signed=True) for v in (one.low, one.high)]
    figures.append(f"{ends[0]} to {ends[1]}{points}" if np.isfinite(one.low) and np.isfinite(one.high) else "–")
    figures.append(f"{number(factor * one.figure.margin)}{points}")
    star = " *" if one.verdict != INCONCLUSIVE and one.family_verdict == one.verdict else ""
    sign = SIGNS.get(one.verdict, "–")
    verdict = f"<span class='verdict {escape(one.verdict.replace(' ', '-'))}'>{sign} {escape(one.verdict)}{star}</span>"
    why = one.reason.replace(
        f"margin of {one.figure.margin:g}", f"margin of {number(factor * one.figure.margin)}{points}"
    )
    reason = f"<span class='meaning'>{escape(why)}</span>" if why else ""
    name = f"<strong>{escape(figure_name(one.figure))}</strong><span class='meaning'>{escape(meaning)}</span>"
    return _row([name, verdict + reason, *map(escape, figures), escape(unit)], "td", numeric=range(2, 7))


def _means(report: Report, meaning: Mapping[str, str]) -> str:
    """Return the table of means of a suite with one arm."""
    values = report.results.values()[report.baseline]
    rows = []
    for figure in report.results.figures():
        factor, unit = shown_unit(figure)
        known = [v for v in values.get(figure.name, {}).values() if np.isfinite(v)]
        mean = number(factor * float(np.mean(known))) if known else "–"
        span = f"{number(factor * min(known))} to {number(factor * max(known))}" if known else "–"
        note = f"<span class='meaning'>{escape(meaning.get(figure.name, ''))}</span>"
        name = f"<strong>{escape(figure_name(figure))}</strong>{note}"
        rows.append(_row([name, escape(mean), escape(span), escape(unit)], "td", numeric=range(1, 3)))
    head = _row(["Figure", "Mean", "Lowest to highest replication", "Unit"], "th", numeric=range(1, 3))
    return f"<div class='scroll'><table><thead>{head}</thead><tbody>{''.join(rows)}</tbody></table></div>"


def _row(cells: Iterable[str], tag: str, numeric: Iterable[int] = ()) -> str:
    """Return a table row of cells that are already HTML."""
    right = set(numeric)
    scope = ' scope="col"' if tag == "th" else ""
    parts = [f"<{tag}{scope}{' class=n' if i in right else ''}>{cell}</{tag}>" for i, cell in enumerate(cells)]
    return f"<tr>{''.join(parts)}</tr>"


def picture(shown: Picture, wide: bool = False) -> str:
    """Return a picture as a figure that carries its own bytes."""
    code = base64.b64encode(shown.content).decode()
    width, height = (int.from_bytes(shown.content[a : a + 4], "big") for a in (16, 20))
    kind = " class='wide'" if wide else ""
    size = f"width='{width}' height='{height}'"
    return (
        f"<figure{kind}><img src='data:image/png;base64,{code}' alt='{escape(shown.alt)}' {size}>"
        f"<figcaption>{escape(shown.caption)}</figcaption></figure>"
    )


def story(steps: Sequence[tuple[str, str]], chain: str, intro: str, command: str) -> str:
    """Return the line of causes behind an event, and the whole chain folded away.

    steps  (local time, what happened), first cause first
    """
    items = "".join(f"<li><time>{escape(when)}</time>{escape(what)}</li>" for when, what in steps)
    return (
        f"<p>{escape(intro)}</p><ol class='story'>{items}</ol>"
        f"<details><summary>All causes</summary><pre>{escape(chain)}</pre></details>"
        f"<p class='muted'>Test it: <code>{escape(command)}</code></p>"
    )


def maps(report: Report, drawn: Sequence[Picture]) -> str:
    """Return the maps; where there is none of a city whose copy is at hand, say why."""
    if drawn:
        return f"<div class='maps'>{''.join(map(picture, drawn))}</div>"
    if report.city is None:
        return ""
    what = "buses and junctions" if not report.city.rows("nodes") else "junctions"
    return f"<p>City {escape(report.city.title)} does not say where its {what} lie, so there are no maps.</p>"


def assumptions(report: Report) -> str:
    """Return where the values of the city come from, assumptions first."""
    if report.city is None:
        return "<p>No copy of the city lies beside the runs, so there are no maps and no list of its sources.</p>"
    entries = [dict(entry) for entry in report.city.provenance]
    assumed = [e for e in entries if str(e.get("source", "")).startswith("assumption")]
    sourced = [e for e in entries if e not in assumed]
    intro = f"{len(assumed)} values of the city are assumptions, {len(sourced)} have a source."
    return (
        f"<p>{intro}</p><details open><summary>Assumptions ({len(assumed)})</summary>{_sources(assumed)}</details>"
        f"<details><summary>Sourced values ({len(sourced)})</summary>{_sources(sourced)}</details>"
    )


def _sources(entries: Sequence[Mapping[str, Any]]) -> str:
    head = _row(["Value of", "Value", "Unit", "Source"], "th")
    names = ("item", "value", "unit", "source")
    body = "".join(_row([escape(_short(entry.get(name, ""))) for name in names], "td") for entry in entries)
    return f"<div class='scroll'><table><thead>{head}</thead><tbody>{body}</tbody></table></div>"


def _short(value: Any, limit: int = 240) -> str:
    text = str(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def setting(report: Report) -> str:
    """Return what identifies the runs: seeds, digests, versions, machine."""
    manifest = report.manifest
    identity = manifest.get("identity", {})
    seeds = sorted({run.seed for runs in report.runs.values() for run in runs})
    libraries = sorted(identity.get("libraries", {}).items())
    versions = ", ".join(f"{name} {version}" for name, version in libraries if version)
    machine = manifest.get("machine", {})
    rows = [
        ("Suite", manifest["suite"]),
        ("Models", ", ".join(manifest["case"].get("models", []))),
        ("Feeds", ", ".join(str(feed[0]) for feed in manifest["case"].get("feeds", [])) or "none"),
        ("Seeds", ", ".join(map(str, seeds))),
        ("City", manifest["city"].get("digest", "")),
        ("Code", identity.get("code", "")),
        ("Libraries", versions),
        ("Machine", f"{machine.get('platform', '')}, {machine.get('cores', '?')} cores"),
    ]
    items = "".join(f"<dt>{escape(name)}</dt><dd><code>{escape(_short(text, 400))}</code></dd>" for name, text in rows)
    return f"<dl class='facts'>{items}</dl>"


def files(report: Report, folder: Path) -> str:
    """Return links to the Parquet files of every run, relative to the report."""
    blocks = []
    for arm, runs in report.runs.items():
        items = "".join(f"<li>replication {run.replication}: {_file_links(run, folder)}</li>" for run in runs)
        summary = f"<summary>{escape(arm or 'runs')} ({len(runs)} runs)</summary>"
        blocks.append(f"<details>{summary}<ul>{items}</ul></details>")
    note = "Open them with pandas, DuckDB or <code>twin results export csv</code>; times are UTC, with a local column."
    return f"<p>{note}</p>{''.join(blocks)}"


def _file_links(run: Run, folder: Path) -> str:
    place = Path(os.path.relpath(run.folder, folder)).as_posix()
    return ", ".join(
        f"<a href='{escape(quote(f'{place}/{name}'))}'>{escape(name)}</a>" for name in sorted(run.manifest["files"])
    )
