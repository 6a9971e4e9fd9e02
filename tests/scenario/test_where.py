"""Targets of events: by id, name, street, polygon or circle, in every kind of table."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.scenario.toys import toy_city
from twin.scenario.problems import Mark, Problems
from twin.scenario.tree import Node, read
from twin.scenario.where import find_targets

CITY = toy_city()
LON, LAT = CITY["nodes"]["lon"], CITY["nodes"]["lat"]


def chosen(where, table, folder="."):
    problems = Problems()
    node = read(f"where: {where}\n", f"{folder}/x.yaml", problems).value["where"]
    return find_targets(node, table, CITY, problems), [problem.message for problem in problems]


@pytest.mark.parametrize(
    ("where", "table", "rows"),
    [
        ("all", "links", (0, 1, 2)),
        ("{id: n2}", "nodes", (2,)),
        ("{id: [n3, n0, n3]}", "nodes", (0, 3)),
        ("{name: East}", "stations", (1,)),
        ("{street: jalan nusantara}", "links", (1, 2)),
        ("{street: Jalan Nusantara}", "nodes", (1, 2, 3)),
        ("{street: Jalan Nusantara}", "stations", (1,)),
        ("{street: [Jalan Sepaku, Jalan Nusantara]}", "stations", (0, 1)),
    ],
)
def test_rows_are_selected_by_names(where, table, rows):
    assert chosen(where, table) == (rows, [])


def circle(node, radius):
    return f"{{lon: {LON[node]:.9f}, lat: {LAT[node]:.9f}, radius: {radius}}}"


@pytest.mark.parametrize(
    ("radius", "table", "rows"),
    [
        ("10 m", "nodes", (0,)),
        ("1.01 km", "nodes", (0, 1, 3)),
        ("1.5 km", "nodes", (0, 1, 2, 3)),
        ("10 m", "links", (0,)),
        ("999 m", "links", (0,)),
        ("1001 m", "links", (0, 1, 2)),
        ("10 m", "lines", (0,)),
    ],
)
def test_a_circle_takes_what_lies_within_its_radius(radius, table, rows):
    assert chosen(circle(0, radius), table) == (rows, [])


@given(st.floats(1, 3000), st.floats(1, 3000))
def test_a_larger_circle_never_loses_a_row(one, other):
    small, large = (set(chosen(circle(2, f"{radius:.3f} m"), "links")[0]) for radius in sorted((one, other)))
    assert small <= large


def square(margin=0.001):
    """Return a square around nodes 0 and 3, in degrees."""
    west, east = float(LON[0]) - margin, float(LON[0]) + margin
    south, north = float(LAT[0]) - margin, float(LAT[3]) + margin
    return [[west, south], [east, south], [east, north], [west, north], [west, south]]


@pytest.mark.parametrize(("table", "rows"), [("nodes", (0, 3)), ("links", (0, 2)), ("buses", (0,))])
def test_a_polygon_takes_points_inside_and_links_it_meets(tmp_path, table, rows):
    shape = {"type": "Polygon", "coordinates": [square()]}
    feature = {"type": "Feature", "properties": {}, "geometry": shape}
    for content in (shape, feature, {"type": "FeatureCollection", "features": [feature, feature]}):
        (tmp_path / "area.geojson").write_text(json.dumps(content))
        assert chosen("{polygon: area.geojson}", table, tmp_path) == (rows, [])
    assert chosen(f"{{polygon: {json.dumps(square())}}}", table) == (rows, [])


@pytest.mark.parametrize(
    ("where", "table", "says"),
    [
        ("everything", "nodes", "where takes 'all' or one way"),
        ("{id: n9}", "nodes", "no row of nodes has the id 'n9'"),
        ("{name: East}", "nodes", "nodes have no name"),
        ("{street: Jalan Sepakoo}", "links", "no row of links has the street"),
        ("{street: Jalan Sepaku}", "notes", "notes do not lie on streets"),
        ("{id: n0, street: Jalan Sepaku}", "nodes", "exactly one way"),
        ("{}", "nodes", "exactly one way"),
        ("{sreet: Jalan Sepaku}", "nodes", "unknown key 'sreet'"),
        ("{lon: 116.7, lat: -0.97}", "nodes", "a circle needs lon, lat and radius"),
        ("{lon: 116.7, lat: 97, radius: 1 m}", "nodes", "lat (97) must be at most 90"),
        ("{lon: 116.7, lat: -0.97, radius: 2}", "nodes", "needs a unit"),
        ("{lon: 0, lat: 0, radius: 1 m}", "notes", "no place on the map"),
        ("{lon: 116.7, lat: -0.9, radius: 1 m}", "nodes", "the nearest lies"),
        ("{polygon: nowhere.geojson}", "nodes", "cannot be read: No such file"),
        ("{polygon: [[0, 0], [1, 1]]}", "nodes", "at least three"),
        ("{polygon: [[0, 0], [1, 1], [1, 0]]}", "nodes", "where selects none of the 4 nodes"),
        ("{polygon: [[0, 0], [1, 1], [1, 0]]}", "notes", "no place on the map"),
    ],
)
def test_what_selects_nothing_says_why(where, table, says):
    rows, messages = chosen(where, table)
    assert rows == ()
    assert any(says in message for message in messages), messages


def test_a_file_that_is_no_polygon_is_named(tmp_path):
    for text, says in (("[]", "not GeoJSON"), ('{"type": "Point", "coordinates": [0, 0]}', "no polygon")):
        (tmp_path / "area.geojson").write_text(text)
        _, messages = chosen("{polygon: area.geojson}", "nodes", tmp_path)
        assert says in messages[0]


def test_the_nearest_street_is_offered():
    problems = Problems()
    mark = Mark("x.yaml", 1, 1)
    find_targets(Node({"street": Node("Jl Sepaku", mark)}, mark), "links", CITY, problems)
    assert [problem.nearest for problem in problems] == ["Jalan Sepaku"]
