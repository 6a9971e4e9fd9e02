"""Tell in plain words what led to the latest late call, and to a fire without water."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

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
    "substation_wet": "Water reaches {substation}",
    "substation_trip": "{substation} trips",
    "substation_failure": "{substation} fails",
    "line_failure": "Power line {line} fails",
    "outage": "{value} customers lose power",
    "battery_empty": "The backup of {dependent} is empty",
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
"""Kind of event -> sentence; {link} and the like name the target, {minutes} is the value in s."""


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
    chain = chain_text(report, run, found, event)
    return steps(report, found, path), chain, intro, _command(run, found, event, path[0])


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
    path = causes_of.main_path(found, event)
    lost = len(found.find("building_lost"))
    ending = f" {lost} of the buildings on fire burnt down." if lost else ""
    intro = (
        f"In {report.baseline}, replication {run.replication}, an engine stands at a fire and its hydrant is dry. "
        f"This is the line of causes, first cause first.{ending}"
    )
    chain = chain_text(report, run, found, event)
    return steps(report, found, path), chain, intro, _command(run, found, event, path[0])


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


def steps(report: Report, found: Causes, path: Sequence[int]) -> list[tuple[str, str]]:
    """Return (local time, sentence) of the events of a path; repeats of a kind become one line."""
    assert report.city is not None
    out: list[tuple[str, str]] = []
    kinds = found.events["kind"]
    place = 0
    while place < len(path):
        last = place
        while last + 1 < len(path) and kinds[path[last + 1]] == kinds[path[place]]:
            last += 1
        event = path[last]
        words = sentence(found, event, report.city)
        more = last - place
        times = f" (and {more} more like it before)" if more else ""
        out.append((report.local(int(found.events["time"][event])).split(" ")[1][:8], words + times))
        place = last + 1
    return out


def sentence(found: Causes, event: int, city: City) -> str:
    """Return what an event is in plain words."""
    kind = str(found.events["kind"][event])
    target, value = int(found.events["target"][event]), float(found.events["value"][event])
    names: dict[str, Any] = {"number": target, "value": f"{value:.6g}", "minutes": f"{value / 60.0:.1f}"}
    for table in ("link", "line", "substation", "signal", "site", "pump", "hydrant", "hospital"):
        names[table] = _name(city, f"{table}s", target)
    names["dependent"] = _dependent(city, target)
    known = WORDS.get(kind)
    if known is None:
        return readable(kind.replace(".", " ")) + (f" (row {target})" if target >= 0 else "")
    return known.format(**names)


def _name(city: City, table: str, row: int) -> str:
    """Return the name and id of a row of a city table."""
    if not 0 <= row < city.rows(table):
        return f"{table} {row}"
    columns = city[table]
    name = str(columns["name"][row]) if "name" in columns else ""
    return f"{name} ({columns['id'][row]})" if name else str(columns["id"][row])


def _dependent(city: City, row: int) -> str:
    """Return what a row of the dependencies supplies, such as site c5."""
    if not 0 <= row < city.rows("dependencies"):
        return f"dependency {row}"
    table = city["dependencies"]
    return f"{str(table['to_table'][row]).removesuffix('s')} {table['to_id'][row]}"


def chain_text(report: Report, run: Run, found: Causes, event: int) -> str:
    """Return the whole chain of causes as `twin why` prints it."""
    from twin.chain import Words, explain

    assert report.city is not None
    return explain(found, event, Words(report.city, report.local, causes_of.kinds(run)))
