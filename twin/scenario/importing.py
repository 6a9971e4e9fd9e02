"""Read the settings of an importer: only options that it has, each of its kind and within its range."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from twin import units
from twin.contract import Option
from twin.scenario.paths import read_path
from twin.scenario.problems import Problems
from twin.scenario.tree import Node
from twin.scenario.values import note, read_value

PATHS = ("trips", "nodes", "dependencies")
"""Settings that name a file."""

_SAMPLE = {"osm": "x.osm", "tntp": "x_net.tntp"}
_MOST_PERSONS = 1_000_000_000
_HOURS_OF_YEAR = 8784
_MOST_SEED = 2**31 - 1


@cache
def setting_options(source: str) -> Mapping[str, Option]:
    """Return the settings of the importer of a source ("osm" or "tntp"), by name."""
    from twin.city.build import setting_names
    from twin.city.tntp import LENGTH_UNITS, TIME_UNITS

    known = (
        Option("name", "name of the city", "text"),
        Option("title", "title of the city", "text"),
        Option("driving_side", "side of the road that is driven on", "choice", choices=("left", "right")),
        Option("timezone", "IANA name of the time zone", "text"),
        Option("population", "residents of the extract", "integer", low=1, high=_MOST_PERSONS),
        Option("seed", "seed of all that is synthesised", "integer", low=0, high=_MOST_SEED),
        Option("time_unit", "unit of free-flow times", "choice", choices=tuple(TIME_UNITS)),
        Option("length_unit", "unit of lengths", "choice", choices=tuple(LENGTH_UNITS)),
        Option("hours", "hours the trip table stands for", "number", low=1e-3, high=_HOURS_OF_YEAR),
        Option("trips", "trip table (_trips.tntp)", "path"),
        Option("nodes", "coordinates of the nodes (_node.tntp)", "path"),
        Option("dependencies", "who depends on whom (dependencies.csv), in place of synthetic ones", "path"),
        Option("crs", "EPSG number of the coordinates", "integer", low=1024, high=998_999),
    )
    by_name = {option.name: option for option in known}
    return {name: by_name[name] for name in setting_names(_SAMPLE[source])}


def read_settings(node: Node, source: str, folder: Path, problems: Problems) -> dict[str, Any] | None:
    """Return the settings of an importer, None after noting a problem.

    source  "osm" or "tntp"
    folder  folder of the case; relative paths of other files are rewritten for it
    """
    if not node.is_mapping:
        return None
    known, before = setting_options(source), problems.noted
    found: dict[str, Any] = {}
    for name, entry in node.items():
        if name not in known:
            problems.add(node.key_mark(name), "E135", f"the importer of {source} has no option {name!r}", known, name)
        elif name in PATHS:
            found[name] = read_path(entry, name, folder, problems)
        else:
            found[name] = read_value(entry, known[name], problems)
    if found.get("timezone"):
        _check_zone(node.value["timezone"], found["timezone"], problems)
    return found if problems.noted == before else None


def _check_zone(node: Node, zone: str, problems: Problems) -> None:
    try:
        units.format_local(0, zone)
    except units.QuantityError as error:
        note(node.mark, f"timezone: {error}", error, problems)
