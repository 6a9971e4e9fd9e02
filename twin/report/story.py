"""Tell in plain words what led to the latest late call, and to a fire without water."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from twin.chain import Words, explain, place
from twin.report import causes as causes_of
from twin.report.data import Report
from twin.wording import readable

if TYPE_CHECKING:
    from twin.city import City
    from twin.results import Run
    from twin.why import Causes

WORDS = {
    "storm": "The storm begins",
    "surge": "More people than usual call for help",
    "rain": "It begins to rain",
    "rain_end": "The rain ends",
    "drain_blockage": "Drains are blocked",
    "drains_full": "Drains are full: water stands in the streets",
    "flood": "The flood begins",
    "flood_step": "The water level changes",
    "blackout": "The blackout begins",
    "road_flooded": "Water closes {link}",
    "road_drained": "{link} is free of water",
    "road_closure": "Roads are closed by order",
    "lane_closure": "Lanes are closed",
    "speed_limit": "A speed limit begins to hold",
    "substation_wet": "Water reaches {substation}",
    "substation_trip": "{substation} trips",
    "substation_failure": "{substation} fails",
    "line_failure": "Power line {line} fails",
    "outage": "{value} customers lose power",
    "battery_empty": "The backup of {place} is empty",
    "signal_dark": "Signal {signal} goes dark",
    "signal_lit": "Signal {signal} works again",
    "link_slow": "Traffic slows down on {link}",
    "site_failure": "Telecom site {site} fails",
    "site_dead": "Telecom site {site} goes silent",
    "feed_silent": "Sensor data of the area of site {site} stop",
    "pump_failure": "Pump {pump} fails",
    "pump_stopped": "Pump {pump} stops without power",
    "pressure_lost": "{value} people lose their water pressure",
    "hospital_dry": "{hospital} has used up its water",
    "fire": "A building catches fire",
    "engine_sent": "A fire engine is sent",
    "engine_on_scene": "The fire engine arrives after {minutes} min",
    "hydrant_dry": "Hydrant {hydrant} is dry",
    "fire_stalls": "The fire cannot be fought: there is no water",
    "call_rings": "Emergency call {number} comes in",
    "call_triaged": "Call {number} is assessed",
    "order.dispatch": "The dispatcher orders a unit to call {number}",
    "dispatch": "The order for call {number} is carried out",
    "unit_dispatched": "Unit {value} is sent to call {number}",
    "dispatch_failed": "Unit {value} cannot take call {number}",
    "unit_on_scene": "Help reaches call {number} after {minutes} min",
    "unit_at_hospital": "The patient of call {number} is at the hospital",
    "call_closed": "Call {number} is closed",
    "unit_free": "Unit {number} is free again",
    "call_late": "Help for call {number} is late: {minutes} min",
}
"""Kind of event -> sentence; {link} and the like name the target, {place} by its kind, {minutes} is the value in s."""


def late_call(report: Report) -> tuple[Sequence[tuple[str, str]], str, str, str] | None:
    """Return steps, whole chain, introduction and command for the latest late call of the baseline.

    The late call with the longest response of the first replication; None when none was late.
    """
    run = report.runs[report.baseline][0]
    found = causes_of.causes(run)
    event = causes_of.latest_call(found) if found is not None else None
    if found is None or event is None or report.city is None:
        return None
    path = causes_of.told_path(found, event)
    minutes = float(found.events["value"][event]) / 60.0
    intro = (
        f"The latest call of {report.baseline}, replication {run.replication}: help took {minutes:.1f} minutes"
        f"{_spent(found, event)}. {_choice(found, event, path)}"
    )
    return *_told(report, run, found, path), intro, _command(run, found, event, path[0])


def dry_fire(report: Report) -> tuple[Sequence[tuple[str, str]], str, str, str] | None:
    """Return steps, whole chain, introduction and command for the first fire without water of the baseline.

    None when every engine of the first replication had water.
    """
    run = report.runs[report.baseline][0]
    found = causes_of.causes(run)
    stalled = found.find("fire_stalls") if found is not None else []
    if found is None or not stalled or report.city is None:
        return None
    event = stalled[0]
    path = found.line(event)
    lost = len(found.find("building_lost"))
    ending = f" {lost} of the buildings on fire burnt down." if lost else ""
    intro = (
        f"In {report.baseline}, replication {run.replication}, an engine stands at a fire and its hydrant is dry. "
        f"This is the line of causes, first cause first.{ending}"
    )
    return *_told(report, run, found, path), intro, _command(run, found, event, path[0])


def _spent(found: Causes, event: int) -> str:
    """Return how many minutes each stage of a call took, in words."""
    parts = [f"{name} {seconds / 60.0:.1f}" for name, seconds in causes_of.stages(found, event).items()]
    return f" ({', '.join(parts)})" if parts else ""


def _choice(found: Causes, event: int, path: Sequence[int]) -> str:
    """Say which of the lines of causes is told."""
    spent = causes_of.stages(found, event)
    longest = max(spent, key=lambda name: spent[name], default="")
    kinds = {str(found.events["kind"][n]) for n in path}
    if longest == causes_of.DRIVE and not kinds & set(causes_of.ROAD_KINDS):
        return "The log names no slow or closed street that explains the drive; the call came about like this."
    if longest in (causes_of.DRIVE, causes_of.WAIT):
        return f"This is what lies behind the longest part, {longest}, first cause first."
    return "This is the line of causes that passes through most kinds of events, first cause first."


def _command(run: Run, found: Causes, event: int, root: int) -> str:
    """Return the command that tests the line; the run's path is as seen from where the report is written."""
    planned = {str(one["kind"]) for one in run.manifest["case"].get("events", [])}
    chosen = f" --root {root}" if str(found.events["kind"][root]) in planned else ""
    return f"twin why {event} --run {shlex.quote(os.path.relpath(run.folder))} --verify{chosen}"


def _told(report: Report, run: Run, found: Causes, path: Sequence[int]) -> tuple[list[tuple[str, str]], str]:
    """Return the steps of a path, and the whole chain behind its last event as `twin why` prints it."""
    assert report.city is not None
    words = Words(report.city, report.local, causes_of.kinds(run))
    return steps(words, found, path), explain(found, path[-1], words)


def steps(words: Words, found: Causes, path: Sequence[int]) -> list[tuple[str, str]]:
    """Return (local time, sentence) of the events of a path; repeats of a kind become one line."""
    out: list[tuple[str, str]] = []
    kinds = found.events["kind"]
    first = 0
    while first < len(path):
        last = first
        while last + 1 < len(path) and kinds[path[last + 1]] == kinds[path[first]]:
            last += 1
        event = path[last]
        more = last - first
        times = f" (and {more} more like it before)" if more else ""
        moment = words.local(int(found.events["time"][event])).split(" ")[1][:8]
        out.append((moment, sentence(found, event, words) + times))
        first = last + 1
    return out


def sentence(found: Causes, event: int, words: Words) -> str:
    """Return what an event is in plain words."""
    kind, city = str(found.events["kind"][event]), words.city
    target, value = int(found.events["target"][event]), float(found.events["value"][event])
    where = place(words.declared(kind), target, int(found.events["data"][event]), city)
    known = WORDS.get(kind)
    if known is None:
        return readable(kind.replace(".", " ")) + (f" ({where})" if where else "")
    names: dict[str, Any] = {"number": target, "value": f"{value:.6g}", "minutes": f"{value / 60.0:.1f}"}
    for table in ("link", "line", "substation", "signal", "site", "pump", "hydrant", "hospital"):
        names[table] = _name(city, f"{table}s", target)
    return known.format(**names, place=where)


def _name(city: City, table: str, row: int) -> str:
    """Return the name and id of a row of a city table."""
    if not 0 <= row < city.rows(table):
        return f"{table} {row}"
    columns = city[table]
    name = str(columns["name"][row]) if "name" in columns else ""
    return f"{name} ({columns['id'][row]})" if name else str(columns["id"][row])
