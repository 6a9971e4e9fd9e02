"""Cities are found by name or folder; generated ones come from a cache that may be missing."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from tests.cities import line_city
from twin.city import CityError, load_city


def test_the_second_load_comes_from_the_cache_and_is_quick(cache, monkeypatch, nusantara):
    assert load_city("nusantara") == nusantara
    monkeypatch.setattr("twin.city.nusantara.generate", lambda *a, **k: pytest.fail("generated again"))
    begin = time.perf_counter()
    city = load_city("nusantara")
    assert time.perf_counter() - begin < 0.1
    assert city == nusantara


def test_a_damaged_cache_entry_is_made_again(cache, nusantara):
    load_city("nusantara")
    (entry,) = (cache / "cities").glob("*/links.npz")
    entry.write_bytes(b"")
    assert load_city("nusantara") == nusantara


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path, monkeypatch, nusantara):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    monkeypatch.setenv("TWIN_CACHE", str(blocked))
    assert load_city("nusantara") == nusantara


def test_another_seed_and_another_scale_are_other_cities(cache, nusantara):
    other = load_city("nusantara", seed=3)
    assert other.digest != nusantara.digest
    assert other.check() == []
    assert load_city("nusantara", scale=0.5).rows("links") < nusantara.rows("links")


def test_an_unknown_name_suggests_the_nearest():
    with pytest.raises(CityError, match=r"no city 'nusantra': did you mean 'nusantara'\?"):
        load_city("nusantra")


def test_a_built_folder_is_loaded_and_takes_no_scale(tmp_path):
    folder = line_city().save(tmp_path / "mine")
    assert load_city(folder) == line_city()
    with pytest.raises(CityError, match="scale and seed belong to generated cities"):
        load_city(folder, scale=2)


def test_a_map_file_is_told_to_be_built_first(tmp_path):
    path = tmp_path / "map.osm"
    path.write_text("<osm/>")
    with pytest.raises(CityError, match="build the city first"):
        load_city(path)


def test_a_scale_out_of_range_is_refused(cache):
    with pytest.raises(CityError, match=r"scale \(1000\) must lie between 0.2 and 400"):
        load_city("nusantara", scale=1000)


def test_another_process_makes_the_same_city(tmp_path, nusantara):
    code = "from twin.city import load_city; print(load_city().digest)"
    environment = {**os.environ, "TWIN_CACHE": str(tmp_path / "empty"), "PYTHONHASHSEED": "77"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == nusantara.digest


def test_loading_a_cached_city_imports_nothing_heavy(cache):
    load_city("nusantara")
    code = (
        "import sys; from twin.city import load_city; load_city();"
        "print(sorted({'numba','pandas','geopandas','scipy','networkx','matplotlib','pyproj'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
