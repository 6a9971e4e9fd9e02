"""Micropolis after `track1`: the crews' minutes that InfraRisk publishes come out of the same orders and rules.

The published event times (`track1_capacity_power_load_demand.csv`, rounded to two minutes there) give the
minutes of every trip and repair, and so the order of the mains and roads. With these orders, ten
minutes before each trip, free-flow travel to the nearer end and crews that stay where they are:
78 / 77 / 52 minutes on the way and 1,500 / 1,800 / 1,440 of repairs, to the minute. The order of the power
crew cannot be told from the published times: no order gives every trip to the minute. The twin's own
rule, largest load first, gives the same sum with single trips up to three minutes apart; InfraRisk ranks by
simulated flow, and sends the next trip off from whichever end of the line it looked at last.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from twin.contract import HOUR
from twin.errors import CityError

pytestmark = pytest.mark.skipif(
    not (Path(os.environ.get("TWIN_DATA", "")) / "micropolis").is_dir() or not os.environ.get("TWIN_DATA"),
    reason="set TWIN_DATA to the folder that holds micropolis/",
)

WATER = "W_PMA802,W_PMA647,W_PMA524,W_PMA549,W_PMA732"
ROADS = "T_L72,T_L79,T_L86,T_L80"
POWER = "P_L56,P_L325,P_L340,P_L310,P_L333"


@pytest.fixture(scope="module")
def city():
    from benchmarks.micropolis import micropolis_city

    return micropolis_city()


@pytest.fixture(scope="module")
def repaired(city):
    from benchmarks.micropolis import track1
    from twin.models.policies.restoration import ListedOrder

    return track1(city, ListedOrder(), 0.0, order=f"{WATER},{ROADS},{POWER}").run(34 * HOUR)


def test_repairs_take_the_published_minutes(repaired):
    from benchmarks.micropolis import minutes

    assert {name: spent["repair"] for name, spent in minutes(repaired).items()} == {
        "power": 1500.0,
        "water": 1800.0,
        "road": 1440.0,
    }
    assert repaired.kpis()["assets_out_at_end"] == 0
    assert repaired.check() == []


def test_trips_take_the_published_minutes(repaired):
    from benchmarks.micropolis import legs

    found = legs(repaired)
    assert {name: sum(trips) for name, trips in found.items()} == {"power": 78, "water": 77, "road": 52}
    # Published starts less ends of the repair before, on a raster of two minutes.
    assert np.abs(np.array(found["water"]) - [22, 16, 12, 12, 16]).max() <= 1
    assert np.abs(np.array(found["road"]) - [16, 12, 12, 12]).max() <= 1
    assert np.abs(np.array(found["power"]) - [20, 12, 12, 18, 16]).max() <= 3


def test_largest_capacity_finds_the_order_of_the_power_crew(city):
    from twin.models.assets import LINE, build_assets
    from twin.models.restoration.ranking import capacities

    assets = build_assets(city)
    lines = [city.row("lines", name) for name in POWER.split(",")]
    worth = capacities(city, assets)[assets.kind == LINE][lines]
    assert (np.diff(worth) <= 0).all()
    assert worth[0] > 0


def test_shelby_is_read_as_well():
    from twin.models.infrarisk import build_infrarisk

    shelby = build_infrarisk(Path(os.environ["TWIN_DATA"]) / "shelby")
    assert (shelby.rows("nodes"), shelby.rows("links"), shelby.rows("pumps")) == (191, 589, 14)
    assert (np.asarray(shelby["pumps"]["bus"]) >= 0).sum() == 14


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("6000,W_PMA0,50", r":2: table pipes .* has no id 'W_PMA0'"),
        ("6000,X_1,50", r":2: 'X_1' is no line"),
        ("-1,P_L56,50", r":2: time \(-1\) must be 0 or more"),
        ("6000,P_L56,150", r"fail_perc \(150\) within 0 to 100"),
    ],
)
def test_a_bad_disruption_is_named_with_its_line(city, tmp_path, text, told):
    from twin.models.infrarisk import read_disruptions

    path = tmp_path / "disruptions.csv"
    path.write_text(f"time_stamp,components,fail_perc\n{text}\n")
    with pytest.raises(CityError, match=told):
        read_disruptions(path, city)


def test_a_pump_without_its_motor_is_named(tmp_path):
    import shutil

    from twin.models.infrarisk import build_infrarisk

    folder = tmp_path / "shelby"
    shutil.copytree(Path(os.environ["TWIN_DATA"]) / "shelby", folder)
    path = folder / "dependencies.csv"
    path.chmod(0o644)
    path.write_text("water_id,power_id\nW_WP81,P_MP999\n")
    with pytest.raises(CityError, match=r"dependencies.csv:2: there is no pump 'W_WP81' or no motor 'P_MP999'"):
        build_infrarisk(folder)


def test_an_order_with_an_unknown_id_names_the_nearest(city):
    from benchmarks.micropolis import track1
    from twin.models.policies.restoration import ListedOrder

    with pytest.raises(CityError, match=r"no asset that crews repair has the id 'P_L5600'; the nearest is 'P_L56'"):
        track1(city, ListedOrder(), order="P_L5600")
