"""Read the drivable streets and emergency places of an OpenStreetMap extract."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from twin.errors import CityError

_WITH_LINKS = ("motorway", "trunk", "primary", "secondary", "tertiary")
_OTHERS = ("unclassified", "residential", "living_street", "road")
DRIVABLE = frozenset((*_WITH_LINKS, *(f"{kind}_link" for kind in _WITH_LINKS), *_OTHERS))
CLOSED = frozenset(("no", "private", "agricultural", "forestry", "military"))
TAGS = ("highway", "name", "lanes", "lanes:forward", "lanes:backward", "maxspeed", "oneway", "junction")
PLACES = {"amenity": ("hospital", "fire_station"), "emergency": ("ambulance_station",)}


@dataclass
class RawMap:
    """Hold a map as read: nodes, straight segments and the tags of their ways.

    lon, lat   (n,)    deg
    signal     (n,)    True where the node is tagged as traffic signals
    segments   (s, 3)  rows of start and end node, row of the way; in drawing direction
    ways       one mapping of tags per way
    places     hospitals, fire and ambulance stations: kind, name, lon, lat
    """

    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    signal: NDArray[np.bool_]
    segments: NDArray[np.int64]
    ways: list[dict[str, str]]
    places: list[dict[str, Any]]


def read_map(path: Path) -> RawMap:
    """Read .osm.pbf, .osm or .osm.gz.

    Raises CityError when the file is damaged or holds no drivable street.
    """
    raw = _read_pbf(path) if path.name.lower().endswith(".pbf") else _read_xml(path)
    if not len(raw.segments):
        raise CityError(
            f"{path}: no drivable street in this extract; it needs ways tagged highway="
            "primary, residential and the like, together with their nodes"
        )
    return raw


def _drivable(tags: dict[str, str]) -> bool:
    """Tell whether cars may use a way."""
    if tags.get("highway") not in DRIVABLE or tags.get("area") == "yes":
        return False
    allowed = tags.get("motor_vehicle") or tags.get("motorcar") or tags.get("access") or "yes"
    return allowed not in CLOSED


def _read_pbf(path: Path) -> RawMap:
    """Read a .osm.pbf through pyrosm."""
    import warnings

    import pyrosm

    # The readers below pyrosm raise types of their own, so all of them are caught here.
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            source = pyrosm.OSM(str(path))
            nodes, edges = source.get_network(
                "driving", nodes=True, extra_attributes=["lanes:forward", "lanes:backward"]
            )
            found = source.get_pois(custom_filter={key: list(values) for key, values in PLACES.items()})
    except Exception as error:
        text = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CityError(f"{path}: not a readable .osm.pbf ({text}); fetch it again") from None
    if edges is None or nodes is None or not len(edges):
        return RawMap(np.zeros(0), np.zeros(0), np.zeros(0, bool), np.zeros((0, 3), np.int64), [], [])
    ways, way_rows = _pbf_ways(edges)
    ids = nodes["id"].to_numpy()
    order = np.argsort(ids)
    ends = [order[np.searchsorted(ids, edges[end].to_numpy(), sorter=order)] for end in ("u", "v")]
    usable = np.array([_drivable(way) for way in ways], dtype=bool)[way_rows]
    return RawMap(
        lon=nodes["lon"].to_numpy(dtype=np.float64),
        lat=nodes["lat"].to_numpy(dtype=np.float64),
        signal=np.array([_is_signal(tags) for tags in nodes["tags"]], dtype=bool),
        segments=np.stack([*ends, way_rows], axis=1).astype(np.int64)[usable],
        ways=ways,
        places=_pbf_places(found),
    )


def _is_signal(tags: object) -> bool:
    """Tell whether the tags of a node say traffic signals."""
    return isinstance(tags, dict) and tags.get("highway") == "traffic_signals"


def _pbf_ways(edges: Any) -> tuple[list[dict[str, str]], NDArray[np.int64]]:
    """Return the tags of each way and the way of each segment."""
    ids, first, rows = np.unique(edges["id"].to_numpy(), return_index=True, return_inverse=True)
    ways: list[dict[str, str]] = [{} for _ in ids]
    for tag in (*TAGS, "access", "motor_vehicle"):
        if tag in edges.columns:
            for way, value in zip(ways, edges[tag].to_numpy()[first].tolist(), strict=True):
                if isinstance(value, str):
                    way[tag] = value
    return ways, rows


def _pbf_places(found: Any) -> list[dict[str, Any]]:
    """Return emergency places from pyrosm's frame of points and polygons."""
    places: list[dict[str, Any]] = []
    if found is None:
        return places
    for row in found.to_dict("records"):
        kind = _place_kind({key: row.get(key) for key in PLACES})
        if kind:
            middle = row["geometry"].centroid
            name = row.get("name")
            places.append(
                {"kind": kind, "name": name if isinstance(name, str) else "", "lon": middle.x, "lat": middle.y}
            )
    return places


def _place_kind(tags: dict[str, Any]) -> str:
    """Return hospital, fire_station, ambulance_station or nothing."""
    for key, values in PLACES.items():
        if tags.get(key) in values:
            return str(tags[key])
    return ""


def _read_xml(path: Path) -> RawMap:
    """Read .osm or .osm.gz with a streaming parser; places drawn as ways stand at their mean."""
    position: dict[int, tuple[float, float]] = {}
    signals: set[int] = set()
    drawn: list[tuple[list[int], dict[str, str]]] = []
    places: list[dict[str, Any]] = []
    try:
        for element, tags in _elements(path):
            if element.tag == "node":
                place = (float(element.attrib["lon"]), float(element.attrib["lat"]))
                position[int(element.attrib["id"])] = place
                if _is_signal(tags):
                    signals.add(int(element.attrib["id"]))
                _add_place(places, tags, [place])
            else:
                refs = [int(ref.attrib["ref"]) for ref in element.iter("nd")]
                _add_place(places, tags, [position[ref] for ref in refs if ref in position])
                if _drivable(tags):
                    drawn.append((refs, tags))
    except (ElementTree.ParseError, OSError, EOFError, KeyError, ValueError, UnicodeError) as error:
        raise CityError(f"{path}: not readable OpenStreetMap XML ({error}); fetch it again") from None
    return _from_ways(position, signals, drawn, places)


def _elements(path: Path) -> Iterator[tuple[ElementTree.Element, dict[str, str]]]:
    """Yield nodes and ways with their tags; relations are skipped, memory is freed as it goes."""
    opener = gzip.open if path.name.lower().endswith(".gz") else open
    with opener(path, "rb") as file:
        steps = ElementTree.iterparse(file, events=("start", "end"))  # noqa: S314  no external entities
        _, root = next(steps)
        if root.tag != "osm":
            raise ValueError(f"the root element is <{root.tag}>, not <osm>")
        for event, element in steps:
            if event == "end" and element.tag in ("node", "way", "relation"):
                if element.tag != "relation":
                    yield element, {tag.attrib["k"]: tag.attrib["v"] for tag in element.iter("tag")}
                root.clear()


def _add_place(places: list[dict[str, Any]], tags: dict[str, str], shape: list[tuple[float, float]]) -> None:
    """Append an emergency place if the tags say so."""
    kind = _place_kind(dict(tags))
    if kind and shape:
        lon, lat = np.mean(shape, axis=0).tolist()
        places.append({"kind": kind, "name": tags.get("name", ""), "lon": lon, "lat": lat})


def _from_ways(
    position: dict[int, tuple[float, float]],
    signals: set[int],
    drawn: list[tuple[list[int], dict[str, str]]],
    places: list[dict[str, Any]],
) -> RawMap:
    """Give rows to the nodes that ways use, and cut the ways into segments; missing nodes end a piece."""
    row_of: dict[int, int] = {}
    segments: list[tuple[int, int, int]] = []
    for way, (refs, _) in enumerate(drawn):
        for start, end in pairwise(refs):
            if start in position and end in position and start != end:
                rows = [row_of.setdefault(ref, len(row_of)) for ref in (start, end)]
                segments.append((rows[0], rows[1], way))
    place = np.array([position[ref] for ref in row_of]).reshape(-1, 2)
    return RawMap(
        lon=place[:, 0],
        lat=place[:, 1],
        signal=np.array([ref in signals for ref in row_of], dtype=bool),
        segments=np.array(segments, dtype=np.int64).reshape(-1, 3),
        ways=[{tag: tags[tag] for tag in TAGS if tag in tags} for _, tags in drawn],
        places=places,
    )
