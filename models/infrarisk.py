"""Build a city from a folder in the layout of InfraRisk: power, water and streets side by side.

Such a folder holds a pandapower JSON, an EPANET input file, a TNTP network whose nodes and links have
names, `dependencies.csv` (pump, motor) and, for Micropolis, a disruption file. Coordinates of all three
networks share one plane.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from twin.city.core import City
from twin.city.grids import read_grid
from twin.errors import CityError
from twin.models.water.inp import inp_tables

Array = np.ndarray[Any, Any]

_LINK_NUMBERS = ("capacity", "length", "time", "b", "power", "speed", "toll", "type")
_JAM_DENSITY, _LANE_CAPACITY = 0.1333, 1800.0
_FAR_FROM_RIVER = 1.0e6
_CLASSES = {"car": 1.0}


@dataclass(frozen=True)
class FolderOptions:
    """State what the files leave open.

    feet          metres per unit of the coordinates
    length_unit   metres per unit of length in the TNTP file
    crews         crews of each skill, (power, water, road)
    crew_node     street node at which they start, the first one if empty
    title, name   of the city
    """

    feet: float = 0.3048
    length_unit: float = 304.8
    crews: tuple[int, int, int] = (1, 1, 1)
    crew_node: str = ""
    name: str | None = None
    title: str | None = None


def build_infrarisk(folder: str | Path, **options: Any) -> City:
    """Return the city of a folder with power, water, streets and their dependencies.

    Raises CityError that names file and line: a file that is missing, a link between unknown nodes, a
    pump or motor of `dependencies.csv` that does not exist.
    """
    folder, chosen = Path(folder), FolderOptions(**options)
    grid_file, water_file = (_only(folder, f"*.{end}") for end in ("json", "inp"))
    parts = read_grid(grid_file)
    water, settings, left_out = inp_tables(water_file)
    tables: dict[str, Any] = {**parts.tables(), **_streets(folder, chosen), **water}
    for name in ("buses", "junctions", "reservoirs", "tanks"):
        for axis in "xy":
            tables[name][axis] = np.asarray(tables[name][axis], dtype=np.float64) * chosen.feet
    _join(folder, grid_file, parts, tables)
    tables["depots"] = _depots(tables["nodes"], chosen)
    tables["signals"] = {"id": np.zeros(0, dtype="<U1"), "node": np.zeros(0, np.int32)}
    day = float(tables["trips"]["trips"].sum())
    demand = {"trips_morning": day * 4 / 24, "profile": [1.0] * 24, "classes": _CLASSES, "pcu": {"car": 1.0}}
    demand |= {"informed_share": 0.0, "gravity_beta": 0.0}
    name = chosen.name or folder.name
    dropped = {part: count for part, count in sorted(parts.dropped.items()) if count}
    return City(
        name=name,
        title=chosen.title or f"{name} (InfraRisk)",
        driving_side="right",
        timezone="Etc/UTC",
        crs=3857,
        tables=tables,
        parameters={"water": settings, "demand": demand},
        provenance=_provenance(folder),
        report={"source": folder.name, "dropped": dropped, "water": left_out},
    )


def read_disruptions(path: str | Path, city: City) -> list[dict[str, Any]]:
    """Return the events of a disruption file: lines fail, pipes burst, roads are damaged.

    Each is a mapping of time (s), kind, id and share; raises CityError naming the line.
    """
    kinds = {"P_L": ("line_failure", "lines"), "W_P": ("pipe_burst", "pipes"), "T_L": ("road_damage", "links")}
    events = []
    for line, row in _table(Path(path), ("time_stamp", "components", "fail_perc")):
        name, place = row["components"], f"{path}:{line}"
        if name[:3] not in kinds:
            raise CityError(f"{place}: {name!r} is no line (P_L), pipe (W_P) or road link (T_L)")
        kind, table = kinds[name[:3]]
        try:
            rank = city.row(table, name)
            time, share = float(row["time_stamp"]), float(row["fail_perc"]) / 100.0
        except ValueError as error:
            raise CityError(f"{place}: {error}") from None
        if not (time >= 0 and 0 < share <= 1):
            raise CityError(f"{place}: time ({time:g}) must be 0 or more, fail_perc ({100 * share:g}) within 0 to 100")
        events.append({"time": time, "kind": kind, "table": table, "row": rank, "share": share, "id": name})
    return events


def _only(folder: Path, pattern: str) -> Path:
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        raise CityError(f"{folder}: there must be one {pattern} file, not {len(found)}")
    return found[0]


def _table(path: Path, columns: tuple[str, ...]) -> list[tuple[int, dict[str, str]]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream)
            lacking = [name for name in columns if name not in (reader.fieldnames or ())]
            rows = [(line, {k: (v or "").strip() for k, v in row.items() if k}) for line, row in enumerate(reader, 2)]
    except (OSError, UnicodeDecodeError) as error:
        raise CityError(f"{path}: cannot be read ({error})") from None
    if lacking:
        raise CityError(f"{path}:1: column {', '.join(lacking)} is missing")
    return rows


def _fields(path: Path) -> list[tuple[int, list[str]]]:
    """Return numbered lines behind the header, cut at blanks, without comments."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CityError(f"{path}: cannot be read ({error})") from None
    lines = [(number, line.strip().rstrip(";").split()) for number, line in enumerate(text.splitlines(), 1)]
    return [(number, parts) for number, parts in lines if parts and not parts[0].startswith(("<", "~"))]


def _streets(folder: Path, chosen: FolderOptions) -> dict[str, Any]:
    """Return nodes, links, zones and trips of the named TNTP files."""
    path = folder / "transpo_node.tntp"
    places: dict[str, tuple[float, float]] = {}
    for number, parts in _fields(path):
        if parts[0].lower() == "node":
            continue
        try:
            places[parts[0]] = (float(parts[1]), float(parts[2]))
        except (ValueError, IndexError):
            raise CityError(f"{path}:{number}: expected 'node x y', not {' '.join(parts)!r}") from None
    row = {name: i for i, name in enumerate(places)}
    nodes = _placed(list(places), np.array(list(places.values())) * chosen.feet)
    trips, zones = _trips(folder / "transpo_trips.tntp", row)
    links = _links(folder / "transpo_net.tntp", row, chosen)
    empty = np.zeros(len(zones), dtype=np.int32)
    nodes |= {"elevation": np.zeros(len(row)), "above_river": np.full(len(row), _FAR_FROM_RIVER)}
    nodes["signal"] = np.zeros(len(row), dtype=bool)
    at = np.array(zones, dtype=np.int32)
    zone = {key: nodes[key][at] for key in ("id", "name", "x", "y", "lon", "lat")}
    return {
        "nodes": nodes,
        "links": links,
        "zones": zone | {"population": empty, "jobs": empty, "node": at},
        "zone_nodes": {"zone": np.arange(len(at), dtype=np.int32), "node": at, "weight": np.ones(len(at))},
        "trips": trips,
    }


def _placed(names: list[str], xy: Array) -> dict[str, Array]:
    lon, lat = xy[:, 0] / 111_320.0, xy[:, 1] / 111_320.0
    return {"id": np.array(names), "name": np.array(names), "x": xy[:, 0], "y": xy[:, 1], "lon": lon, "lat": lat}


def _links(path: Path, row: Mapping[str, int], chosen: FolderOptions) -> dict[str, Array]:
    names, ends, numbers = [], [], []
    for number, parts in _fields(path):
        place = f"{path}:{number}"
        unknown = [name for name in parts[:2] if name not in row]
        if unknown or len(parts) < 11:
            raise CityError(f"{place}: link between unknown nodes {', '.join(unknown) or '(too few columns)'}")
        try:
            values = dict(zip(_LINK_NUMBERS, map(float, parts[2:10]), strict=True))
        except ValueError:
            raise CityError(f"{place}: a link needs eight numbers, not {' '.join(parts[2:10])!r}") from None
        if not (values["capacity"] > 0 and values["length"] > 0 and values["time"] > 0):
            raise CityError(f"{place}: capacity, length and free-flow time must be above 0")
        names.append(parts[10])
        ends.append([row[parts[0]], row[parts[1]]])
        numbers.append(values)
    value = {name: np.array([numbers[i][name] for i in range(len(numbers))]) for name in _LINK_NUMBERS}
    length, ends_of = value["length"] * chosen.length_unit, np.array(ends, dtype=np.int32)
    return {
        "id": np.array(names),
        "from_node": ends_of[:, 0],
        "to_node": ends_of[:, 1],
        "length": length,
        "speed": length / (60.0 * value["time"]),
        "lanes": np.maximum(np.round(value["capacity"] / _LANE_CAPACITY), 1).astype(np.int32),
        "capacity": value["capacity"] / 3600.0,
        "jam_density": np.full(len(names), _JAM_DENSITY),
    }


def _trips(path: Path, row: Mapping[str, int]) -> tuple[dict[str, Array], list[int]]:
    """Return trips between zones, and the node of each zone; a zone is a node with trips."""
    entries: list[tuple[int, int, float]] = []
    origin = -1
    for number, parts in _fields(path):
        text = " ".join(parts)
        if parts[0].lower() == "origin":
            origin = _node(parts[-1], row, path, number)
            continue
        for pair in filter(None, (part.strip() for part in text.split(";"))):
            zone, _, amount = pair.partition(":")
            try:
                entries.append((origin, _node(zone.strip(), row, path, number), float(amount)))
            except ValueError as error:
                raise CityError(f"{path}:{number}: {pair!r} is not 'zone : trips' ({error})") from None
    kept = [entry for entry in entries if entry[2] > 0]
    zones = sorted({node for entry in kept for node in entry[:2]})
    place = {node: i for i, node in enumerate(zones)}
    columns = np.array([(place[a], place[b], trips) for a, b, trips in kept]).reshape(-1, 3)
    pairs = {"origin": columns[:, 0].astype(np.int32), "destination": columns[:, 1].astype(np.int32)}
    return pairs | {"trips": columns[:, 2]}, zones


def _node(name: str, row: Mapping[str, int], path: Path, number: int) -> int:
    if name not in row:
        raise CityError(f"{path}:{number}: there is no node {name!r}")
    return row[name]


def _join(folder: Path, grid_file: Path, parts: Any, tables: dict[str, Any]) -> None:
    """Give buses their street node, and pumps the bus of their motor."""
    from scipy.spatial import cKDTree

    nodes, buses = tables["nodes"], tables["buses"]
    tree = cKDTree(np.column_stack([nodes["x"], nodes["y"]]))
    buses["node"] = np.asarray(tree.query(np.column_stack([buses["x"], buses["y"]]))[1], dtype=np.int32)
    body = json.loads(grid_file.read_text(encoding="utf-8"))["_object"]["motor"]["_object"]
    table = json.loads(body) if isinstance(body, str) else body
    motors = [dict(zip(table["columns"], row, strict=True)) for row in table["data"]]
    bus_of = {str(motor["name"]): parts.buses[motor["bus"]] for motor in motors}
    pumps = {str(name): i for i, name in enumerate(tables["pumps"]["id"].tolist())}
    bus = np.full(len(pumps), -1, dtype=np.int64)
    path = folder / "dependencies.csv"
    for line, row in _table(path, ("water_id", "power_id")):
        if row["water_id"] not in pumps or row["power_id"] not in bus_of:
            raise CityError(f"{path}:{line}: there is no pump {row['water_id']!r} or no motor {row['power_id']!r}")
        bus[pumps[row["water_id"]]] = bus_of[row["power_id"]]
    tables["pumps"]["bus"] = bus


def _depots(nodes: Mapping[str, Array], chosen: FolderOptions) -> dict[str, Array]:
    names = nodes["id"].tolist()
    if chosen.crew_node and chosen.crew_node not in names:
        raise CityError(f"crew_node ({chosen.crew_node!r}) is no street node")
    at = np.full(3, names.index(chosen.crew_node) if chosen.crew_node else 0, dtype=np.int32)
    place = {key: nodes[key][at] for key in ("x", "y", "lon", "lat")}
    skills = np.array(["power", "water", "road"])
    return {"id": np.char.add("depot_", skills), "name": skills, "kind": skills, "node": at, **place} | {
        "crews": np.array(chosen.crews, dtype=np.int32)
    }


def _provenance(folder: Path) -> tuple[dict[str, Any], ...]:
    source = "InfraRisk, github.com/srijithbalakrishnan/dreaminsg-integrated-model"
    rows = (
        ("power, water and streets", folder.name, "", source),
        ("trips", "of one day, evenly spread", "", "assumption: the file names no period"),
        ("jam_density", _JAM_DENSITY, "PCU/m per lane", "assumption: one car per 7.5 m of queue"),
        ("lane_capacity", _LANE_CAPACITY, "PCU/h", "assumption: used to guess lanes from capacity"),
    )
    return tuple(dict(zip(("item", "value", "unit", "source"), row, strict=True)) for row in rows)
