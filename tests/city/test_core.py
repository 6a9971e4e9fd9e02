"""A city is frozen, identified by its content, and points at what a user mistyped."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from tests.cities import line_city
from twin.city import City, CityError


def test_arrays_cannot_be_written(nusantara):
    with pytest.raises(ValueError, match="read-only"):
        nusantara["links"]["length"][0] = 1.0


def test_a_column_given_by_the_caller_is_copied():
    x = np.zeros(2)
    city = line_city(extra={"id": np.array(["a", "b"]), "x": x})
    x[0] = 5.0
    assert city["extra"]["x"].tolist() == [0.0, 0.0]


def test_the_digest_follows_every_value():
    city, same = line_city(), line_city()
    assert city == same
    length = city["links"]["length"].copy()
    length[3] += 0.001
    changed = line_city(links={**city["links"], "length": length})
    assert changed.digest != city.digest


def test_row_finds_an_id_and_names_the_nearest_otherwise(nusantara):
    assert nusantara.row("links", "l17") == 17
    with pytest.raises(CityError, match=r"no id 'hh1'; the nearest id is 'h1'"):
        nusantara.row("hospitals", "hh1")


def test_a_table_or_column_that_is_missing_is_named(nusantara):
    with pytest.raises(CityError, match="did you mean 'hospitals'"):
        nusantara["hospital"]
    with pytest.raises(CityError, match="table links has no column 'width'"):
        nusantara["links"]["width"]


def test_columns_of_different_lengths_are_refused():
    with pytest.raises(CityError, match="different lengths"):
        City("a", "A", "left", "Etc/UTC", 32750, {"nodes": {"x": np.zeros(2), "y": np.zeros(3)}})


def test_objects_are_refused_as_columns():
    with pytest.raises(CityError, match="plain one-dimensional"):
        City("a", "A", "left", "Etc/UTC", 32750, {"nodes": {"x": np.array([None, {}])}})


def test_a_driving_side_that_does_not_exist_is_refused():
    with pytest.raises(CityError, match="'left' or 'right', not 'middle'"):
        City("a", "A", "middle", "Etc/UTC", 32750, {})


def test_pickling_keeps_the_city_and_its_frozen_arrays(nusantara):
    copy = pickle.loads(pickle.dumps(nusantara))
    assert copy == nusantara
    assert not copy["nodes"]["x"].flags.writeable


def test_frames_carry_geometry_in_degrees(nusantara):
    links = nusantara.frame("links")
    assert links.crs.to_epsg() == 4326
    assert len(links) == nusantara.rows("links")
    first = links.geometry.iloc[0].coords[0]
    node = nusantara["links"]["from_node"][0]
    assert first == pytest.approx((nusantara["nodes"]["lon"][node], nusantara["nodes"]["lat"][node]), abs=1e-6)
    assert nusantara.frame("hospitals").geometry.geom_type.unique().tolist() == ["Point"]
    assert "geometry" not in nusantara.frame("phases")


def test_summary_and_html_show_the_sizes(nusantara):
    assert nusantara.summary()["links"] == nusantara.rows("links")
    assert f"<td>{nusantara.rows('links')}</td>" in nusantara._repr_html_()
