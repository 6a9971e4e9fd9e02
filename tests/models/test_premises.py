"""Premises that close in the dark, and loads that follow their people home."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import twin
from tests.models.utility_city import ancestors, assemble, ids, order, places, planned, six_bus_city, times
from twin.contract import HOUR, SECOND
from twin.models.power import Power
from twin.models.power.profile import HOMES, STANDING, WORK, staffed
from twin.models.premises import Premises
from twin.world import World

DARK = planned("line_failure", 9 * 3600, [0], duration=4 * 3600.0)
OPTIONS = {"power": {"load_every": 3600.0}}


def two_zones(**replaced):
    """Return the six buses with a place of work (bus 3, no homes), and homes on buses 4 (half work) and 5."""
    zones = {
        "id": ids("z", 3),
        **places([0.0, 3000.0, 5000.0]),
        "population": np.array([0, 1000, 3000]),
        "jobs": np.array([2000, 1000, 0]),
    }
    buses = dict(six_bus_city()["buses"]) | {"zone": np.array([-1, -1, -1, 0, 1, 2], dtype=np.int32)}
    return six_bus_city(zones=zones, buses=buses, **replaced)


def world_of(*events, city=None, **options):
    parts = [Power(), Premises()]
    return World(
        assemble(*events, city=city or two_zones(), parts=parts, options=OPTIONS | {"premises": options}, hours=24)
    )


def demand(world):
    """Return the demand of every bus, W."""
    power = world.assembly.by_name["power"]
    return power.demand.present(world.view("power"))


def test_dark_premises_close_after_an_hour_and_open_an_hour_after_the_supply_is_back():
    world = world_of(DARK).run(10 * HOUR - SECOND)
    assert not world.state["bus.closed"].any()
    world.run(10 * HOUR + SECOND)
    assert world.state["bus.closed"].tolist() == [False] * 3 + [True, True, False]
    world.run(14 * HOUR - SECOND)
    assert world.state["bus.closed"].any()
    world.run(14 * HOUR + SECOND)
    assert not world.state["bus.closed"].any()
    assert (times(world, "premises_closed"), times(world, "premises_opened")) == ([36000.0], [50400.0])
    assert not world.state["bus.absence@premises"].any()
    assert not world.state["bus.load@premises"].any()
    assert world.check() == []


def test_people_of_closed_premises_use_half_at_home_by_where_they_live():
    plain, world = world_of(), world_of(DARK)
    before, after = demand(plain.run(11 * HOUR + 1)), demand(world.run(11 * HOUR + 1))
    # Bus 3 is all work, bus 4 half; by the map 1,000 persons live behind bus 4 and 3,000 behind bus 5.
    left = np.array([2e6, 0.5 * 1e6]) * (WORK[11] - STANDING)
    assert before[3] - after[3] == pytest.approx(left[0])
    assert before[4] - after[4] == pytest.approx(left[1])
    assert after[5] - before[5] == pytest.approx(0.5 * left.sum() * 3 / 4)
    assert after[3] == pytest.approx(2e6 * STANDING)


def test_homes_in_the_dark_ask_for_nothing_more_until_their_supply_is_back():
    world = world_of(DARK, planned("line_failure", 12 * 3600, [3], duration=0.0))
    more = []
    for hours in (11.0, 12.5, 13.0 + 1 / 60):
        world.run(round(hours * HOUR) + SECOND)
        assert world.state["bus.closed"].tolist() == [False] * 3 + [True, True, False]
        more.append(world.state["bus.load@premises"] > 0)
    assert [row[4:].tolist() for row in more] == [[False, True], [False, False], [True, False]]


def test_what_is_away_follows_the_hour_of_day():
    world = world_of(planned("line_failure", 9 * 3600, [0], duration=0.0))
    found = [demand(world.run(hour * HOUR + SECOND))[3] for hour in (11, 15, 22)]
    assert found == pytest.approx([2e6 * STANDING] * 3)
    more = [world.run(hour * HOUR + SECOND).state["bus.load@premises"].sum() for hour in (22, 23)]
    assert more == pytest.approx([0.5 * 0.75 * 2.5e6 * (WORK[hour] - STANDING) for hour in (22, 23)])


def test_energy_not_supplied_counts_the_dark_shop_no_longer():
    plain = World(assemble(DARK, city=two_zones(), parts=[Power()], options=OPTIONS, hours=24))
    lost = [world.run(15 * HOUR).kpis()["energy_not_supplied_kwh"] for world in (plain, world_of(DARK))]
    assert 0.3 * lost[0] < lost[1] < 0.8 * lost[0]


def test_a_short_outage_closes_nothing():
    world = world_of(planned("line_failure", 9 * 3600, [0], duration=3599.0)).run(14 * HOUR)
    assert times(world, "premises_closed") == []
    assert (world.state["bus.turns"] == -1).all()


def test_supply_that_comes_back_for_a_moment_begins_the_hour_anew():
    world = world_of(planned("line_failure", 9 * 3600, [0], duration=0.0))
    order(world, "switch", 9.5 * 3600, 2, 1.0)
    order(world, "switch", 9.5 * 3600 + 60, 2, 0.0)
    world.run(12 * HOUR)
    assert times(world, "premises_closed") == [9.5 * 3600 + 60 + 3600]


def test_a_zone_that_is_evacuated_and_closed_is_not_away_twice():
    gone = planned("evacuate", 9 * 3600, [0], value=0.9, duration=0.0)
    assert demand(world_of(DARK, gone).run(11 * HOUR + 1))[3] == pytest.approx(0.1 * 2e6 * STANDING)


def test_who_is_evacuated_is_not_sent_home_too():
    """Of the people at bus 3 and 4, a part is away from 10:30, an hour and a half after the lights went out."""
    gone = planned("evacuate", 10.5 * 3600, [0, 1], value=0.6, duration=3600.0)
    plain, world = world_of(DARK), world_of(DARK, gone)
    staff = [w.run(11 * HOUR + SECOND).state["premises.away"][0] for w in (plain, world)]
    assert staff[1] == pytest.approx(0.4 * staff[0])
    # Homes behind bus 4 are empty too; those behind bus 5 get what the others bring.
    before, after = (w.state["bus.load@premises"] for w in (plain, world))
    assert after[5] == pytest.approx(0.4 * before[5])
    assert demand(world)[3:5] == pytest.approx(0.4 * demand(plain)[3:5])
    assert world.run(12 * HOUR + SECOND).state["premises.away"] == plain.run(12 * HOUR + SECOND).state["premises.away"]
    assert world.state["bus.load@premises"].tolist() == plain.state["bus.load@premises"].tolist()


def test_nobody_uses_more_in_a_home_that_is_evacuated():
    gone = planned("evacuate", 10.5 * 3600, [2], value=1.0, duration=0.0)
    plain, world = (w.run(11 * HOUR + SECOND) for w in (world_of(DARK), world_of(DARK, gone)))
    assert plain.state["bus.load@premises"][5] > 0
    assert demand(world)[5] == 0.0


def test_what_is_sent_home_between_two_ticks_is_part_of_the_demand_of_the_last():
    """The premises close at 10:20; the usual demand stands at 10:00, when 2e6 (WORK[10] - STANDING) W are people's."""
    dark = planned("line_failure", 9 * 3600 + 1200, [0], duration=0.0)
    world = world_of(dark).run(10 * HOUR + 1300 * SECOND)
    assert world.state["bus.closed"][3]
    assert demand(world)[3] == pytest.approx(2e6 * STANDING, rel=1e-9)
    assert world.state["bus.load@premises"][5] == pytest.approx(0.5 * 0.75 * 2.5e6 * (WORK[10] - STANDING))


def test_shed_loads_close_premises_too():
    world = world_of(planned("shed_load", 9 * 3600, [0], value=1), close_after=600.0).run(10 * HOUR)
    assert world.state["bus.closed"].tolist() == [False] * 3 + [True, False, False]


def test_hours_of_work_lost_are_those_of_people_sent_home():
    world = world_of(DARK, reopen_after=0.0).run(12 * HOUR + 1)
    jobs = 2000 + 1000
    assert world.state["premises.away"][0] == pytest.approx(jobs * staffed(12.0))
    expected = jobs * (staffed(10.0) + staffed(11.0))
    assert world.kpis()["work_hours_lost"] == pytest.approx(expected, rel=1e-6)
    world.run(20 * HOUR)
    assert world.kpis()["work_hours_lost"] == pytest.approx(jobs * sum(staffed(h) for h in (10, 11, 12)), rel=1e-3)


def test_closed_premises_name_the_broken_line():
    world = world_of(DARK).run(11 * HOUR)
    closed, event = next((i, row) for i, row in enumerate(world.events.rows()) if row[1] == "premises_closed")
    assert event[2:] == (3, round(3000 * staffed(10.0)), 2)
    assert ancestors(world, closed) == ["premises_closed", "outage", "line_failure"]


def test_the_law_holds_while_premises_are_dark_closed_and_about_to_open():
    world = world_of(DARK)
    whole = world_of(DARK).run(16 * HOUR).digest()
    for hour in (9.5, 11.2, 13.5):
        world.run(round(hour * HOUR))
        assert world.branch().run(16 * HOUR).digest() == whole


def test_profiles_have_everybody_at_work_at_their_peak_and_nobody_at_their_least():
    assert staffed(float(WORK.index(max(WORK)))) == 1.0
    assert staffed(float(WORK.index(min(WORK)))) == 0.0
    assert max(HOMES) == 1.0


def test_another_failure_does_not_put_off_the_closing():
    world = world_of(DARK, planned("line_failure", 9.5 * 3600, [3], duration=0.0)).run(10 * HOUR + SECOND)
    assert world.state["bus.closed"].tolist() == [False] * 3 + [True, True, False]


@pytest.mark.parametrize(
    ("models", "gone", "more", "lowest"), [("power", 0, 1.0, 0.966), ("power, premises", 69_216, 1.13, 0.985)]
)
def test_a_working_day_in_nusantara_without_two_substations(models, gone, more, lowest, tmp_path):
    page = Path(__file__).parents[2] / "docs" / "manual" / "power.md"
    text = next(part for part in page.read_text(encoding="utf-8").split("```") if "dark_shops" in part)
    scenario = tmp_path / "dark_shops.yaml"
    scenario.write_text(text.removeprefix("yaml").replace("power, premises", models), encoding="utf-8")
    world = twin.load(scenario).world()
    served = [demand(world.run(f"{hours} h"))[world.state["bus.energised"]].sum() for hours in (2.9, 3.5)]
    assert served[1] / served[0] == pytest.approx(1.01 * more, abs=0.01)
    if gone:
        assert world.state["premises.away"][0] == pytest.approx(gone, rel=0.01)
    assert world.run("12 h").kpis()["voltage_min"] == pytest.approx(lowest, abs=0.0006)
