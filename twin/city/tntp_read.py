"""Read the three kinds of TNTP file: network, trip table and node coordinates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.errors import CityError

Floats = NDArray[np.float64]
LINK_COLUMNS = ("from", "to", "capacity", "length", "time", "b", "power", "speed", "toll", "type")


@dataclass(frozen=True)
class TntpNetwork:
    """Hold a network file: header, and the ten link columns as written."""

    header: dict[str, str]
    links: dict[str, Floats]

    @property
    def nodes(self) -> int:
        """Return the number of nodes."""
        return int(self.header["NUMBER OF NODES"])

    @property
    def zones(self) -> int:
        """Return the number of zones; they are the nodes 1 to this number."""
        return int(self.header["NUMBER OF ZONES"])

    @property
    def first_through(self) -> int:
        """Return the first node that trips may pass; lower ones are zone centres only."""
        return int(self.header.get("FIRST THRU NODE", "1"))


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield numbered lines without comments, blanks and the closing semicolon."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CityError(f"{path}: cannot be read as TNTP ({error})") from None
    for number, line in enumerate(text.splitlines(), 1):
        bare = line.strip()
        if bare and not bare.startswith("~"):
            yield number, bare


def _header(path: Path) -> tuple[dict[str, str], list[tuple[int, str]]]:
    """Split a file into its `<NAME> value` header and the lines that follow."""
    header: dict[str, str] = {}
    rest: list[tuple[int, str]] = []
    for number, line in _lines(path):
        if line.startswith("<") and ">" in line:
            key, value = line[1:].split(">", 1)
            header[key.strip()] = value.strip()
        else:
            rest.append((number, line))
    return header, rest


def read_network(path: Path) -> TntpNetwork:
    """Read a network file; every link needs ten numbers.

    Raises CityError when the header lacks a count, a line is short, a node does not exist or
    the number of links differs from the header.
    """
    header, lines = _header(path)
    for key in ("NUMBER OF ZONES", "NUMBER OF NODES", "NUMBER OF LINKS"):
        if not header.get(key, "").isdigit():
            raise CityError(f"{path}: the header lacks <{key}>; this is not a TNTP network")
    rows = []
    for number, line in lines:
        parts = line.rstrip(";").split()
        try:
            rows.append([float(part) for part in parts[:10]])
        except ValueError:
            raise CityError(f"{path}:{number}: a link needs ten numbers, not {line[:60]!r}") from None
        if len(rows[-1]) < len(LINK_COLUMNS):
            raise CityError(f"{path}:{number}: a link needs ten numbers, not {len(rows[-1])}")
        if not all(1 <= node <= int(header["NUMBER OF NODES"]) for node in rows[-1][:2]):
            raise CityError(f"{path}:{number}: nodes must lie between 1 and {header['NUMBER OF NODES']}")
    if len(rows) != int(header["NUMBER OF LINKS"]):
        raise CityError(f"{path}: {len(rows)} links, but the header says {header['NUMBER OF LINKS']}")
    columns = np.array(rows, dtype=np.float64).reshape(-1, len(LINK_COLUMNS)).T
    return TntpNetwork(header, dict(zip(LINK_COLUMNS, columns, strict=True)))


def read_trips(path: Path, zones: int) -> dict[str, Any]:
    """Return the trip table in rows: origin and destination zone (rows from 0), trips.

    Raises CityError for an entry that cannot be read or a zone that does not exist.
    """
    origin = -1
    entries: list[tuple[int, int, float]] = []
    for number, line in _header(path)[1]:
        if line.lower().startswith("origin"):
            origin = _zone(line.split()[-1], zones, path, number)
            continue
        for pair in filter(None, (part.strip() for part in line.split(";"))):
            zone, _, trips = pair.partition(":")
            try:
                amount = float(trips)
            except ValueError:
                raise CityError(f"{path}:{number}: {pair!r} is not 'zone : trips'") from None
            entries.append((origin, _zone(zone.strip(), zones, path, number), amount))
    columns = np.array(entries, dtype=np.float64).reshape(-1, 3)
    columns = columns[columns[:, 2] > 0.0]
    return {
        "origin": columns[:, 0].astype(np.int32),
        "destination": columns[:, 1].astype(np.int32),
        "trips": columns[:, 2],
    }


def _zone(text: str, zones: int, path: Path, number: int) -> int:
    """Return the row of a zone written as a number from 1."""
    if not text.isdigit() or not 1 <= int(text) <= zones:
        raise CityError(f"{path}:{number}: zone {text!r} must be a number between 1 and {zones}")
    return int(text) - 1


def read_nodes(path: Path, count: int) -> Floats:
    """Read node coordinates: number, x, y per line after one line of names.

    Raises CityError for a line that cannot be read and for a node without coordinates.
    """
    xy = np.full((count, 2), np.nan)
    for number, line in _lines(path):
        parts = line.rstrip(";").split()
        if parts[0].lower() in ("node", "node_id"):
            continue
        try:
            node, x, y = int(parts[0]), float(parts[1]), float(parts[2])
            xy[node - 1 if node > 0 else count] = x, y
        except (ValueError, IndexError):
            raise CityError(f"{path}:{number}: expected 'node x y' with a node from 1 to {count}") from None
    if np.isnan(xy).any():
        raise CityError(f"{path}: no coordinates for node {int(np.isnan(xy[:, 0]).argmax()) + 1}")
    return xy
