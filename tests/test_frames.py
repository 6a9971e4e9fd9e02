"""A world shown to people: data frames of its tables, series and events, and the chain of causes."""

from __future__ import annotations

import numpy as np
import pytest

import twin
from tests.engine.toys import Drain, Rain, toy_city
from twin.assembly import Assembly
from twin.contract import SECOND, Kpi, Model, Setup
from twin.errors import DataError, ScenarioError
from twin.fields import Field
from twin.world import World

FLOOD = """\
scenario: wet
city: nusantara
start: 2026-01-15 17:00
duration: 1 h
seed: 5
replications: 2
models: [hazards]
events:
  - {at: +10 min, kind: flood, where: {lon: 116.6947, lat: -0.9872, radius: 2500 m},
     peak: 2 m, rise: 10 min, hold: 10 min, fall: 10 min}
arms:
  A:
  B: {duration: 30 min}
"""


class Wells(Model):
    """A group that two contributors fill, and a series of its total."""

    name = "wells"
    owns = (Field("node.drawn", "float64", "m3/s", "water drawn", group=True),)
    adds = ("node.drawn",)
    series = (Kpi("drawn", "m3/s", "lower", "water drawn", 0.0),)

    def start(self, view):
        view.add("node.drawn", slice(None), [1.0, 2.0, 3.0])

    def measure(self, view):
        return {"drawn": float(view.total("node.drawn").sum())}


class Farm(Model):
    """The other contributor."""

    name = "farm"
    adds = ("node.drawn",)

    def start(self, view):
        view.add("node.drawn", 1, 10.0)


@pytest.fixture(scope="module")
def world():
    city = toy_city()
    start = 1_768_467_600_000_000  # 2026-01-15 17:00 in Makassar
    setup = Setup(city, {}, 1, start, 120 * SECOND, measure_every=10 * SECOND)
    return World(Assembly(city, [Drain(), Rain(), Wells(), Farm()], [], setup)).run("1 min")


@pytest.fixture(scope="module")
def scenario(tmp_path_factory):
    path = tmp_path_factory.mktemp("wet") / "wet.yaml"
    path.write_text(FLOOD)
    return twin.load(path)


def test_a_table_has_ids_fields_units_and_totals_of_groups(world):
    frame = world.frame("node")
    assert frame["id"].tolist() == ["n0", "n1", "n2"]
    assert np.array_equal(frame["water"], world.state["node.water"])
    assert frame["drawn"].tolist() == [1.0, 12.0, 3.0]
    assert frame.attrs["units"] == {"water": "m", "pumping": "1", "switches": "1", "drawn": "m3/s"}


def test_a_table_that_grows_shows_the_rows_alive(world):
    pending = world.frame("pending")
    assert 0 < len(pending) == world.state["pending.alive"].sum() < world.state.layout.rows["pending"]


def test_a_frame_is_a_copy(world):
    before = world.digest()
    frame = world.frame("node")
    frame.loc[:, "water"] = -1.0
    assert world.digest() == before


def test_a_table_that_is_not_there_names_the_nearest(world):
    with pytest.raises(DataError, match=r"no table 'nodes' in this run; did you mean 'node'\?"):
        world.frame("nodes")


def test_series_are_columns_over_local_time(world):
    frame = world.series_frame()
    assert list(frame.columns) == ["drawn"]
    assert str(frame.index[0]) == "2026-01-15 17:00:00"
    assert frame["drawn"].tolist() == [16.0] * 6


def test_events_carry_local_times_and_ids_of_their_targets(world):
    events = world.events_frame()
    assert len(events) == len(world.events)
    first = events[events["kind"] == "rain_falls"].iloc[0]
    assert str(first["local"]) == "2026-01-15 17:00:01"
    assert str(first["utc"]) == "2026-01-15 09:00:01+00:00"


def test_why_takes_a_kind_or_a_number(world):
    text = world.why("pump_switched")
    number = int(text[1 : text.index("]")])
    assert world.why(number) == text
    assert "17:00:" in text
    assert "because" in text
    assert "rain_falls" in text.splitlines()[-1]


def test_a_world_tells_city_local_time_and_events(world):
    assert repr(world) == f"World(toy at 2026-01-15 17:01:00 WITA: {len(world.events)} events)"


def test_a_scenario_gives_the_world_of_an_arm_and_replication(scenario):
    first, second = scenario.world(), scenario.world("B", replication=1)
    assert (first.seed, first.assembly.setup.duration) == (5, 3600 * SECOND)
    assert (second.seed, second.assembly.setup.duration) == (6, 1800 * SECOND)
    flooded = first.run("25 min").frame("link")
    assert flooded["depth"].max() > 0.3
    assert first.events_frame().query("kind == 'flood'")["local"].astype(str).tolist() == ["2026-01-15 17:10:00"]


def test_an_arm_that_is_not_there_is_refused(scenario):
    with pytest.raises(ScenarioError, match="wet has no arm 'C'; it has A, B"):
        scenario.world("C")
