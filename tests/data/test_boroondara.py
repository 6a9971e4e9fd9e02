"""Real counts on real streets: needs the folder named by TWIN_DATA."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np
import pytest

from twin.city import build_city
from twin.models.estimation.counters import counters_from
from twin.models.estimation.counts import read_counts
from twin.models.estimation.shift import find_shift

ROOT = Path(os.environ.get("TWIN_DATA", "/nowhere")) / "boroondara"
COUNTS, STREETS = ROOT / "scats_volumes.csv", ROOT / "boroondara.osm.pbf"

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not STREETS.exists(), reason="TWIN_DATA does not name a folder with boroondara/"),
]


@pytest.fixture(scope="module")
def city():
    return build_city(STREETS)


@pytest.fixture(scope="module")
def counters(city):
    return counters_from(COUNTS, city)


def test_every_row_is_used_or_named():
    counts = read_counts(COUNTS)
    with COUNTS.open(newline="") as file:
        rows = sum(1 for _ in csv.reader(file)) - 1
    assert counts.report["rows"] == rows == counts.report["used"] + counts.report["left out"]
    assert len(counts.problems) == counts.report["left out"]
    assert counts.interval == 900.0


def test_the_shift_of_the_file_is_found_and_found_once(city):
    counts = read_counts(COUNTS)
    shift = find_shift(counts.lon, counts.lat, city)
    assert shift.before > 50
    assert shift.after < 5
    assert (shift.lon, shift.lat) == pytest.approx((0.0013, 0.0015), abs=1e-4)
    again = find_shift(counts.lon + shift.lon, counts.lat + shift.lat, city)
    assert (again.lon, again.lat) == (0.0, 0.0)


def test_nearly_all_approaches_get_a_link_of_their_street(city, counters):
    matches = counters.matches
    assert len(counters.ids) + len(matches.left_out) == len(counters.counts.ids)
    assert len(counters.ids) > 0.9 * len(counters.counts.ids)
    assert matches.how.count("street") > 0.9 * len(matches.how)
    assert len(set(counters.link.tolist())) == len(counters.ids)


def test_matched_links_drive_to_their_junction(city, counters):
    nodes, links = city["nodes"], city["links"]
    site = np.array([counters.counts.site[row] for row in counters.matches.approach])
    nearer = []
    for name in np.unique(site):
        rows = np.flatnonzero(site == name)
        if rows.size < 3:
            continue
        middle = counters.xy[rows].mean(axis=0)
        for row in rows.tolist():
            ends = [links[side][counters.link[row]] for side in ("from_node", "to_node")]
            away = [np.hypot(nodes["x"][n] - middle[0], nodes["y"][n] - middle[1]) for n in ends]
            nearer.append(away[1] < away[0])
    assert len(nearer) > 40
    assert np.mean(nearer) > 0.9


@pytest.mark.slow
def test_a_city_built_with_counts_comes_close_to_the_guesses_on_those_kept_back():
    city = build_city(STREETS, counts=COUNTS)
    report = city.report["calibration"]
    kept = report["on_kept_back"]
    assert city.check() == []
    assert report["training"] + report["kept_back"] == city.rows("counters")
    assert kept["simulation"]["wape"] < kept["geographic kNN5"]["wape"]
    assert kept["simulation"]["wape"] < 1.15 * kept["network mean"]["wape"]
    assert kept["simulation"]["approaches"] == report["kept_back"]
    assert any(name in report["verdict"] for name in kept)
