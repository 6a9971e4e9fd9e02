"""A saved city comes back equal; a damaged or foreign folder is refused and left alone."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.cities import line_city
from twin.city import City, CityError


def test_round_trip_is_equal_in_every_column(nusantara, tmp_path):
    loaded = City.load(nusantara.save(tmp_path / "city"))
    assert loaded == nusantara
    assert loaded.header() == nusantara.header()
    for name, table in nusantara.tables.items():
        for key in table:
            assert loaded[name][key].dtype == table[key].dtype
            np.testing.assert_array_equal(loaded[name][key], table[key])


def test_saving_again_replaces_the_city_and_leaves_nothing_else(tmp_path):
    line_city().save(tmp_path / "city")
    other = line_city(extra={"id": np.array(["a"])})
    other.save(tmp_path / "city")
    assert City.load(tmp_path / "city") == other
    assert [path.name for path in tmp_path.iterdir()] == ["city"]


def test_a_folder_that_is_no_city_is_not_overwritten(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(CityError, match="is not a city"):
        line_city().save(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_an_altered_table_is_noticed(tmp_path):
    folder = line_city().save(tmp_path / "city")
    columns = dict(np.load(folder / "links.npz"))
    columns["length"] = columns["length"] * 2.0
    np.savez(folder / "links.npz", **columns)
    with pytest.raises(CityError, match="altered"):
        City.load(folder)


@pytest.mark.parametrize("break_it", ["cut", "remove", "pickle"])
def test_a_damaged_table_is_a_city_error(tmp_path, break_it):
    folder = line_city().save(tmp_path / "city")
    path = folder / "links.npz"
    if break_it == "cut":
        path.write_bytes(path.read_bytes()[:200])
    elif break_it == "remove":
        path.unlink()
    else:
        np.savez(path, length=np.array([{"run": "me"}], dtype=object))
    with pytest.raises(CityError, match="damaged"):
        City.load(folder)


def test_a_manifest_of_another_format_is_refused(tmp_path):
    folder = line_city().save(tmp_path / "city")
    manifest = json.loads((folder / "city.json").read_text())
    manifest["format"] = 99
    (folder / "city.json").write_text(json.dumps(manifest))
    with pytest.raises(CityError, match="not a city of format 1"):
        City.load(folder)
