"""A counts file for any city, so that parts that read counts can be tested like the others."""

from __future__ import annotations

import csv
import tempfile
from pathlib import Path

import numpy as np
from pyproj import Transformer

from twin.models.estimation.pieces import Pieces

COUNTERS = 16


def write_counts(city, day: str) -> str:
    """Write a day of counts at main roads spread over a city, each with a stated arm; return the path."""
    pieces = Pieces.of(city)
    rows = np.linspace(0, pieces.link.shape[0] - 1, 4 * COUNTERS).astype(int)
    _, first = np.unique(pieces.link[rows], return_index=True)
    rows = rows[np.sort(first)][:COUNTERS]
    place, heading = pieces.middle(rows), pieces.heading(rows)
    lon, lat = Transformer.from_crs(city.crs, 4326, always_xy=True).transform(place[:, 0], place[:, 1])
    arms = np.array(["W", "SW", "S", "SE", "E", "NE", "N", "NW"])
    turn = np.rint(np.degrees(np.arctan2(heading[:, 1], heading[:, 0])) / 45).astype(int) % 8
    path = Path(tempfile.mkdtemp()) / "counts.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        volumes = [f"V{i:02d}" for i in range(96)]
        out.writerow(["SCATS Number", "NB_LATITUDE", "NB_LONGITUDE", "Date", *volumes, "Location"])
        for i, link in enumerate(pieces.link[rows].tolist()):
            street = str(city["links"]["name"][link]) or "ROAD"
            counts = [20 + (7 * i + slot) % 13 for slot in range(96)]
            out.writerow([i, f"{lat[i]:.7f}", f"{lon[i]:.7f}", day, *counts, f"{street} {arms[turn[i]]} of NEXT"])
    return str(path)
