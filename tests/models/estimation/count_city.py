"""A chessboard of named streets, and counts files made for it."""

from __future__ import annotations

import csv

import numpy as np
from pyproj import Transformer

from twin.city import City

CRS = 32755
WEST, SOUTH = 325_000.0, 5_810_000.0
BLOCK = 400.0
SIZE = 5
CORNERS = (0, SIZE - 1, SIZE * (SIZE - 1), SIZE * SIZE - 1)
COLUMNS = ("Albert", "Burke", "Church", "Denham", "Elgin")
ROWS = ("First", "Second", "Third", "Fourth", "Fifth")
HEADER = ["SCATS Number", "NB_LATITUDE", "NB_LONGITUDE", "Date", *[f"V{i:02d}" for i in range(96)], "Location"]


def grid_city(city_nodes=CORNERS, **tables):
    """Return 5 x 5 junctions 400 m apart with two-way main roads and a zone at each corner (or at other nodes).

    Column streets run north (Albert Road in the west), row streets east (First Street in the
    south); node 5 * row + column.
    """
    node = np.arange(SIZE * SIZE)
    x, y = WEST + BLOCK * (node % SIZE), SOUTH + BLOCK * (node // SIZE)
    pairs, names = [], []
    for here in node.tolist():
        if here % SIZE < SIZE - 1:
            pairs.append((here, here + 1))
            names.append(f"{ROWS[here // SIZE]} Street")
        if here // SIZE < SIZE - 1:
            pairs.append((here, here + SIZE))
            names.append(f"{COLUMNS[here % SIZE]} Road")
    both = np.array([way for a, b in pairs for way in ((a, b), (b, a))], dtype=np.int32)
    count = both.shape[0]
    lon, lat = degrees(x, y)
    made = {
        "nodes": {"id": np.array([f"n{i}" for i in node]), "x": x, "y": y, "lon": lon, "lat": lat},
        "links": {
            "id": np.array([f"l{i}" for i in range(count)]),
            "from_node": both[:, 0].copy(),
            "to_node": both[:, 1].copy(),
            "length": np.full(count, BLOCK),
            "speed": np.full(count, 12.0),
            "lanes": np.full(count, 2, dtype=np.int32),
            "capacity": np.full(count, 1.0),
            "jam_density": np.full(count, 0.15),
            "road_class": np.full(count, "primary"),
            "name": np.repeat(names, 2),
        },
        "signals": {
            "id": np.array(["s0"]),
            "node": np.array([12], np.int32),
            "cycle": np.array([60.0]),
            "offset": np.zeros(1),
        },
        **zones_at(city_nodes, x, y),
    }
    demand = {"trips_morning": 4000, "profile": [1.0] * 24, "gravity_beta": 0.001, "classes": {"car": 1.0}}
    return City(
        name="grid", title="Chessboard", driving_side="left", timezone="Australia/Melbourne", crs=CRS,
        tables={**made, **tables}, parameters={"demand": demand},
    )  # fmt: skip


def zones_at(nodes, x, y):
    """Return zones of equal size, one at each of some nodes."""
    nodes = np.array(nodes, dtype=np.int32)
    lon, lat = degrees(x[nodes], y[nodes])
    zones = {
        "id": np.array([f"z{i}" for i in range(nodes.size)]),
        "name": np.array([f"Zone {i}" for i in range(nodes.size)]),
        "x": x[nodes],
        "y": y[nodes],
        "lon": lon,
        "lat": lat,
        "population": np.full(nodes.size, 1000, dtype=np.int32),
        "jobs": np.full(nodes.size, 500, dtype=np.int32),
        "node": nodes,
    }
    return {
        "zones": zones,
        "zone_nodes": {"zone": np.arange(nodes.size, dtype=np.int32), "node": nodes, "weight": np.ones(nodes.size)},
    }


def degrees(x, y):
    """Return longitude and latitude of grid places."""
    return Transformer.from_crs(CRS, 4326, always_xy=True).transform(np.asarray(x, float), np.asarray(y, float))


def arm_place(column, row, arm, off=30.0):
    """Return lon, lat of a counter `off` metres out on an arm of a junction."""
    step = {"N": (0, 1), "E": (1, 0), "S": (0, -1), "W": (-1, 0)}[arm]
    lon, lat = degrees([WEST + BLOCK * column + off * step[0]], [SOUTH + BLOCK * row + off * step[1]])
    return float(lon[0]), float(lat[0])


def link_between(city, start, end):
    """Return the link from one node to another."""
    links = city["links"]
    return int(np.flatnonzero((links["from_node"] == start) & (links["to_node"] == end))[0])


def row_of(site, place, day, volumes, text=""):
    """Return one line of a counts file."""
    return [site, f"{place[1]:.7f}", f"{place[0]:.7f}", day, *volumes, text]


def write_counts(path, rows, header=HEADER):
    """Write a counts file and return its path."""
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def four_arms(column, row, day="5/10/2006", shift=(0.0, 0.0), volumes=None):
    """Return the four approaches of a junction as lines of a counts file."""
    volumes = [10] * 96 if volumes is None else volumes
    text = f"{COLUMNS[column].upper()}/{ROWS[row].upper()}"
    places = [arm_place(column, row, arm) for arm in "NESW"]
    return [row_of(100 * column + row, (lon - shift[0], lat - shift[1]), day, volumes, text) for lon, lat in places]
