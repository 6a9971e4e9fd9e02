"""TNTP networks keep their travel times; units and coordinates are options."""

from __future__ import annotations

import numpy as np
import pytest

from tests.city.small import NET, TRIPS
from twin.city import CityError, build_city


def write(folder, net=NET, trips=TRIPS):
    (folder / "mini_net.tntp").write_text(net)
    if trips:
        (folder / "mini_trips.tntp").write_text(trips)
    return folder / "mini_net.tntp"


def test_units_are_converted_and_times_are_those_of_the_file(tmp_path):
    city = build_city(write(tmp_path), time_unit="minute", length_unit="kilometre")
    links = city["links"]
    assert links["length"].tolist() == [2000.0, 2000.0, 1000.0, 1000.0]
    np.testing.assert_allclose(links["length"] / links["speed"], [240.0, 240.0, 60.0, 60.0])
    assert links["capacity"].tolist() == [0.5, 0.5, 1.0, 1.0]
    assert links["lanes"].tolist() == [1, 1, 2, 2]
    assert city.check() == []


def test_the_trip_table_is_read_beside_the_network(tmp_path):
    trips = build_city(write(tmp_path))["trips"]
    assert trips["origin"].tolist() == [0, 1]
    assert trips["destination"].tolist() == [1, 0]
    assert trips["trips"].tolist() == [100.0, 50.0]


def test_without_coordinates_the_report_says_so(tmp_path):
    report = build_city(write(tmp_path)).report
    assert report["defaulted"]["coordinates"] == {"defaulted": 3, "of": 3}
    assert "schematic" in report["coordinates"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("<NUMBER OF LINKS> 4", "", "header lacks <NUMBER OF LINKS>"),
        ("<NUMBER OF LINKS> 4", "<NUMBER OF LINKS> 5", "4 links, but the header says 5"),
        ("3 2 3600 1 1 0.15 4 0 0 1 ;", "3 2 3600 1 1 ;", r"net.tntp:10: a link needs ten numbers, not 5"),
        ("3 2 3600 1 1", "3 9 3600 1 1", r"net.tntp:10: nodes must lie between 1 and 3"),
        ("3 2 3600", "3 2 many", r"net.tntp:10: a link needs ten numbers"),
    ],
)
def test_a_broken_network_is_named_by_line(tmp_path, old, new, said):
    assert old in NET
    with pytest.raises(CityError, match=said):
        build_city(write(tmp_path, NET.replace(old, new)))


def test_a_broken_trip_table_is_named_by_line(tmp_path):
    with pytest.raises(CityError, match=r"trips.tntp:6: zone '7' must be a number between 1 and 2"):
        build_city(write(tmp_path, trips=TRIPS.replace("2 :    100.0", "7 :    100.0")))
    with pytest.raises(CityError, match=r"trips.tntp:6: '2 :    lots' is not 'zone : trips'"):
        build_city(write(tmp_path, trips=TRIPS.replace("100.0;", "lots;")))


def test_an_unknown_unit_lists_the_known_ones(tmp_path):
    with pytest.raises(CityError, match=r"time_unit \('fortnight'\) must be one of second, minute"):
        build_city(write(tmp_path), time_unit="fortnight")


@pytest.mark.data
def test_sioux_falls_as_published(data_folder):
    path = data_folder / "tntp" / "SiouxFalls" / "SiouxFalls_net.tntp"
    city = build_city(path, crs=4326)
    assert (city.rows("nodes"), city.rows("links"), city.rows("zones")) == (24, 76, 24)
    assert city["trips"]["trips"].sum() == pytest.approx(360600.0)
    assert city["nodes"]["lon"].mean() == pytest.approx(-96.74, abs=0.05)
    assert city["links"]["capacity"][0] * 3600.0 == pytest.approx(25900.20064)
    assert city.check() == []


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "options", "trips"),
    [
        ("Anaheim/Anaheim", {"length_unit": "foot"}, 104694.40),
        ("Winnipeg/Winnipeg", {}, 64784.0),
        ("Barcelona/Barcelona", {}, 184679.561),
        ("Chicago-Sketch/ChicagoSketch", {"crs": 26771}, 1260907.44),
    ],
)
def test_trips_of_the_collection_sum_as_published(data_folder, name, options, trips):
    city = build_city(data_folder / "tntp" / f"{name}_net.tntp", **options)
    assert city["trips"]["trips"].sum() == pytest.approx(trips, rel=1e-6)
    assert np.isfinite(city["links"]["speed"]).all()
    assert (city["links"]["speed"] > 0).all()
