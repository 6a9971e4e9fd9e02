"""The city of Manhattan: made of data sets, sound, and refused in plain words where they are not there."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from twin.city import load_city
from twin.errors import CityError


@pytest.fixture(scope="module")
def city():
    if not os.environ.get("TWIN_DATA"):
        pytest.skip("TWIN_DATA is not set")
    return load_city("manhattan")


def test_without_the_data_sets_the_error_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setenv("TWIN_DATA", str(tmp_path))
    with pytest.raises(CityError, match=r"data set manhattan_ems, which is not in .*set TWIN_DATA"):
        load_city("manhattan")


def test_it_has_one_size():
    from twin.city.loading import embedded
    from twin.models.emergency.jemss_city import generate

    with pytest.raises(CityError, match=r"scale \(2\) must be 1"):
        generate(embedded()["manhattan"], scale=2)


def test_a_generator_nobody_knows_is_named(tmp_path):
    from twin.city.loading import _generator

    path = tmp_path / "mine.yaml"
    path.write_text("generator: magic\n")
    with pytest.raises(CityError, match="no generator is named 'magic'; there are nusantara, jemss"):
        _generator(path)


@pytest.mark.data
def test_it_is_sound_and_whole(city):
    assert city.check() == []
    assert (city.rows("stations"), city.rows("hospitals"), int(city["stations"]["units"].sum())) == (8, 10, 12)
    assert city.rows("nodes") > 4_000
    assert city["zones"]["population"].sum() == pytest.approx(1_537_195, abs=city.rows("zones"))


@pytest.mark.data
def test_ways_take_as_long_as_in_the_model_it_is_made_of(city):
    from twin.models.emergency.alone import read_jemss
    from twin.models.streets import build_streets, shortest_tree

    model = read_jemss(Path(os.environ["TWIN_DATA"]) / "manhattan_ems")
    network = model.region.network
    streets, rng = build_streets(city), np.random.default_rng(3)
    lon, lat = city["nodes"]["lon"], city["nodes"]["lat"]
    for start, end in rng.integers(0, city.rows("nodes"), (12, 2)).tolist():
        rows = [_row_in(model, float(lon[node]), float(lat[node])) for node in (start, end)]
        time = shortest_tree(streets, streets.free_time, start).time[end]
        assert time == pytest.approx(network.seconds(*rows), abs=0.02)


def _row_in(model, lon, lat):
    """Return the node of the model at a place; its x and y are flat around the middle of its roads."""
    from twin.models.emergency.jemss import flat

    x, y = flat(lon, lat, model.middle)
    return int(np.hypot(model.region.network.x - x, model.region.network.y - y).argmin())


@pytest.mark.data
def test_calls_follow_the_hours_and_urgency_of_friuli(city):
    settings = city.parameters["emergency"]
    assert sum(settings["profile"]) == pytest.approx(1.0, abs=1e-3)
    assert np.argmax(settings["profile"]) in (9, 10, 11)
    assert min(settings["profile"]) < 0.5 * max(settings["profile"])
    assert settings["priority_shares"][0] < 0.1 < settings["priority_shares"][1]
    assert settings["calls_per_day"] == pytest.approx(18.8 * 24)
