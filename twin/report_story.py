"""Tell in plain words what led to the latest late call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from twin import report_data as data
from twin.plot_words import readable
from twin.report_data import Report

if TYPE_CHECKING:
    from twin.city import City
    from twin.results import Run
    from twin.why import Causes

WORDS = {
    "storm": "The storm begins",
    "surge": "More people than usual call for help",
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
    found = data.causes(run)
    event = data.latest_call(found) if found is not None else None
    if found is None or event is None or report.city is None:
        return None
    path = data.main_path(found, event)
    minutes = float(found.events["value"][event]) / 60.0
    intro = (
        f"The latest call of {report.baseline}, replication {run.replication}: help took {minutes:.1f} minutes. "
        "This is the line of causes behind it that passes through most kinds of events, first cause first."
    )
    command = f"twin why {event} --run {_shown(run)} --verify"
    return steps(report, found, path), chain_text(report, found, event), intro, command


def _shown(run: Run) -> str:
    return "/".join(run.folder.parts[-3:])


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
    for table in ("link", "line", "substation", "signal", "site"):
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


def chain_text(report: Report, found: Causes, event: int) -> str:
    """Return the whole chain of causes as `twin why` prints it."""
    from twin.why import explain

    assert report.city is not None
    return explain(found, event, report.city, report.local)
