"""Draw the pictures of a report, each with words for readers who cannot see it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from twin import plot
from twin.contract import kinds_planned
from twin.plot.base import has_places
from twin.plot.maps import MAP_SIZE
from twin.plot.series import MOST_BANDS, WIDTH, story_figure
from twin.report import data
from twin.report.data import Report
from twin.report.windows import closures, windows
from twin.stats import Comparison
from twin.wording import counted, number

if TYPE_CHECKING:
    from twin.city import City

Array = np.ndarray[Any, Any]

DEPTH_NAMES = ("max_depth", "depth_max", "peak_depth", "depth")
RATIO_NAMES = ("time_ratio",)
OUTAGE_NAMES = ("minutes_without_power", "without_power_min", "outage_min", "minutes_out")


@dataclass(frozen=True)
class Picture:
    """A drawn picture: file name without suffix, PNG bytes, caption and text for the blind."""

    name: str
    content: bytes
    caption: str
    alt: str


def forest(report: Report, found: Sequence[Comparison]) -> Picture | None:
    """Draw what the second arm changes, None without a comparison."""
    shown = [one for one in found if one.pairs]
    if not shown:
        return None
    pairs = max(one.pairs for one in shown)
    with plot.style():
        made, ax = plot.figure(WIDTH, 1.6 + 0.55 * len(shown))
        note = plot.Caption(
            report.title, f"{report.arm} against {report.baseline}", counted(pairs, "paired replication")
        )
        plot.forest_plot(shown, ax, note, (report.baseline, report.arm))
        content = plot.png(made)
    words = "; ".join(f"{one.figure.name}: {one.verdict}" for one in shown)
    return Picture(
        "verdicts",
        content,
        "Difference per figure with its confidence interval, in multiples of the margin that matters. "
        "Right is better, whatever the direction of the figure.",
        f"Differences between {report.arm} and {report.baseline}. {words}.",
    )


def arms(report: Report, found: Mapping[str, Sequence[Comparison]]) -> Picture | None:
    """Draw what every arm changes, None where figures of the arms were not judged alike."""
    names = [[one.figure.name for one in rows if one.pairs] for rows in found.values()]
    kept = {arm: [one for one in rows if one.pairs] for arm, rows in found.items()}
    if not names[0] or any(other != names[0] for other in names):
        return None
    pairs = max(one.pairs for rows in kept.values() for one in rows)
    with plot.style():
        made, ax = plot.figure(WIDTH, 1.9 + 0.42 * len(names[0]) * (len(kept) + 1))
        note = plot.Caption(report.title, f"{len(kept)} arms", counted(pairs, "paired replication"))
        plot.arms_plot(kept, ax, note, report.baseline)
        content = plot.png(made)
    words = "; ".join(
        f"{arm}: {', '.join(f'{one.figure.name} {one.verdict}' for one in rows)}" for arm, rows in kept.items()
    )
    return Picture(
        "verdicts",
        content,
        "Difference of every arm to the baseline per figure with its confidence interval, in multiples of the "
        "margin that matters. Right is better, whatever the direction of the figure.",
        f"Differences between {len(kept)} arms and {report.baseline}. {words}.",
    )


def story(report: Report) -> Picture | None:
    """Draw the main series of the arms over local time, None where nothing was measured."""
    panels = data.panels(report)
    if not panels:
        return None
    with plot.style():
        zone = report.local(0).rsplit(" ", 1)[1]
        made = story_figure(panels, windows(report), zone, plot.Caption(report.title, "", report.period()))
        content = plot.png(made)
    several = len(report.shown) <= MOST_BANDS and any(len(report.runs[arm]) > 1 for arm in report.shown)
    band = ", and the band that holds 80 % of them" if several else ""
    peaks = "; ".join(f"{title}: {_peaks(curves)}" for title, curves in panels.items())
    return Picture(
        "story",
        content,
        f"How it went: {report.averaged()}{band}.",
        f"Curves over local time, {report.period()}. Highest values of the curves: {peaks}.",
    )


def _peaks(curves: Sequence[plot.Curve]) -> str:
    """Return the highest mean of every arm in words."""
    means = [(curve.arm, np.nanmean(curve.values, axis=0)) for curve in curves if np.isfinite(curve.values).any()]
    return ", ".join(f"{arm} {number(float(np.nanmax(mean)))}" for arm, mean in means) or "none"


def cascade(report: Report) -> Picture | None:
    """Draw how the failure spread in the first run of the baseline, None where nobody lost power or water."""
    from twin.plot.cascade import cascade_timeline, count_lanes
    from twin.report.causes import causes, kinds

    run = report.runs[report.baseline][0]
    found = causes(run)
    if found is None or not {"outage", "pressure_lost"} & set(found.events["kind"].tolist()):
        return None
    moments = np.array([report.moment(int(time)) for time in found.events["time"]])
    planned = kinds_planned(kinds(run))
    with plot.style():
        made, ax = plot.figure(WIDTH, 2.2 + 0.6 * count_lanes(found.events, found.parents, planned))
        note = plot.Caption(report.title, f"{report.baseline}, replication {run.replication}", report.period())
        cascade_timeline(found.events, found.parents, moments, ax, note, planned)
        content = plot.png(made)
    words = (
        "Events of one run in lanes by sector; thin lines lead from a cause to what it led to in another sector. "
        "A strong line is the chain of causes behind one loss, where one is known."
    )
    return Picture("cascade", content, words, f"Timeline. {words}")


def resilience(report: Report) -> Picture | None:
    """Draw the share of customers with power and of persons with water in every arm, with the loss shaded."""
    from twin.plot.cascade import lost_hours, resilience_figure
    from twin.report.service import served

    panels = served(report)
    if not panels:
        return None
    with plot.style():
        note = plot.Caption(report.title, "", report.period())
        content = plot.png(resilience_figure(panels, note))
    told = "; ".join(
        f"{label}: {', '.join(f'{curve.arm} {lost_hours(curve):.2f} h' for curve in curves)}"
        for label, curves in panels.items()
    )
    words = (
        "Mean share that is served in each arm. The area over a curve is its loss, in hours of full service; "
        "with more than two arms that of the first is shaded."
    )
    return Picture("resilience", content, words, f"Curves over local time. {words} {told}.")


def maps(report: Report) -> Iterator[Picture]:
    """Draw the city, then what happened in it, as far as the results say; nothing of a city without places."""
    if report.city is None or not has_places(report.city):
        return
    if report.city.rows("nodes"):
        shows = "The city: streets by class, people, water and the places that serve them."
        yield draw_map(report, ("city", "", ""), shows, partial(plot.city_map, report.city))
    else:
        shows = "The network: what joins its places, and where it is fed."
        yield draw_map(report, ("city", "", ""), shows, partial(plot.network_map, report.city))
    from twin.report.networks import pressure, voltage

    for maker in (_depth, _delay, _differences, _power, voltage, pressure, _calls):
        yield from maker(report, report.city)


def draw_map(report: Report, names: tuple[str, str, str], caption: str, draw: Callable[..., Any]) -> Picture:
    """Draw one map, with `draw(ax=, caption=)`.

    names  of the picture's file, the arm and the runs it shows; empty where it shows none in particular
    """
    name, arm, runs = names
    policies = report.policies(arm) if arm else ""
    label = f"{arm}: {policies}" if policies else arm
    with plot.style():
        made, ax = plot.figure(*MAP_SIZE)
        draw(ax=ax, caption=plot.Caption(report.title, label, f"{report.period()}{runs and ', '}{runs}"))
        content = plot.png(made)
    return Picture(name, content, caption, f"Map. {caption}")


def _links(report: Report, city: City, arm: str, names: Sequence[str]) -> Array | None:
    return data.mean_column(report, arm, "links", names, city.rows("links"))


def _depth(report: Report, city: City) -> Iterator[Picture]:
    """Draw the deepest water, the same in both arms."""
    depth = _links(report, city, report.baseline, DEPTH_NAMES)
    if depth is not None and np.nanmax(depth, initial=0.0) > 0:
        wet, closed = int((depth > 0.01).sum()), int((depth >= 0.3).sum())
        runs = report.averaged()
        caption = f"Water on the streets ({runs}): {wet} links wet, {closed} of them so deep (0.3 m) that they close."
        yield draw_map(
            report, ("depth", report.baseline, runs), caption, partial(plot.link_map, city, depth, plot.DEPTH)
        )


def _delay(report: Report, city: City) -> Iterator[Picture]:
    """Draw mean travel time over free-flow time of the baseline."""
    ratio = _links(report, city, report.baseline, RATIO_NAMES)
    if ratio is not None:
        slow = 100.0 * float(np.mean(ratio > 1.6))
        runs = report.averaged()
        caption = (
            f"Streets in {report.baseline} ({runs}): {slow:.0f} % of the links took more than 1.6 times the free time."
        )
        closed = np.zeros(len(ratio), dtype=bool)
        closed[shut := closures(report)] = True
        if shut:
            caption += f" {len(shut)} links that the scenario closes for a while are dashed."
        draw = partial(plot.link_map, city, ratio, plot.DELAY, closed=closed)
        yield draw_map(report, ("delay", report.baseline, runs), caption, draw)


def _differences(report: Report, city: City) -> Iterator[Picture]:
    """Draw the difference in travel time ratio of each arm to the baseline, where there is any."""
    base = _links(report, city, report.baseline, RATIO_NAMES)
    for arm in report.shown[1:] if base is not None else ():
        ratio = _links(report, city, arm, RATIO_NAMES)
        if ratio is None:
            continue
        change = ratio - base
        faster, slower = int((change < -0.05).sum()), int((change > 0.05).sum())
        if not faster + slower and len(report.shown) > len(report.pair):
            continue
        label = f"←  {arm} faster          {arm} slower  →\nTravel time ÷ free-flow time, {arm} minus {report.baseline}"
        runs = report.averaged(arm)
        caption = f"{arm} against {report.baseline} ({runs}): {faster} links faster (blue), {slower} slower (orange)."
        draw = partial(plot.difference_map, city, change, label, arms=(report.baseline, arm))
        name = "difference" if arm == report.arm else f"difference_{arm}"
        yield draw_map(report, (name, "", runs), caption, draw)


def _power(report: Report, city: City) -> Iterator[Picture]:
    """Draw how long every bus was without power, per arm."""
    for arm in report.shown if city.rows("buses") and city.rows("lines") else ():
        minutes = data.mean_column(report, arm, "buses", OUTAGE_NAMES, city.rows("buses"))
        if minutes is None or np.nanmax(minutes, initial=0.0) <= 0:
            continue
        out = int(city["buses"]["customers"][minutes > 0].sum())
        runs, longest = report.averaged(arm), float(np.nanmax(minutes))
        which = " in some replication" if len(report.runs[arm]) > 1 else ""
        caption = f"Power in {arm} ({runs}): {out:,} customers lost it{which}, for {longest:.0f} min at most."
        yield draw_map(report, (f"power_{arm}", arm, runs), caption, partial(plot.power_map, city, minutes))


def _calls(report: Report, city: City) -> Iterator[Picture]:
    """Draw the calls of the first replication, per arm."""
    for arm in report.shown:
        found = data.calls(report, arm)
        if found is None or not len(found["node"]):
            continue
        late, reached = np.asarray(found["late"], dtype=bool), np.isfinite(found["response"])
        handed = int(((found["end"] == "transferred") & ~reached).sum()) if "end" in found else 0
        missed = int((~reached).sum()) - handed
        runs = f"replication {report.runs[arm][0].replication}"
        told = f", {handed} handed on to others" if handed else ""
        caption = (
            f"Calls in {arm} ({runs}): {len(late)} calls, {int((late & reached).sum())} reached late, "
            f"{missed} not reached at the end{told}. How soon is late depends on the priority of a call."
        )
        yield draw_map(report, (f"calls_{arm}", arm, runs), caption, partial(plot.call_map, city, found))
