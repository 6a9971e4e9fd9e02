"""Fragility, ageing, attacks, heat and planned work: what they break, and that luck stays with the asset."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.models.utility_city import assemble, planned, six_bus_city, times
from tests.models.water_city import small_city, water_world
from twin.contract import HOUR, SECOND
from twin.errors import DataError
from twin.models.feeds import Scada
from twin.models.hazards import Hazards
from twin.models.hazards.fragility import (
    Curve,
    built_in,
    failure_chance,
    of_several,
    pipe_break_rate,
    read_curves,
)
from twin.models.power import Power
from twin.models.telecom import Telecom
from twin.world import World

EVERYWHERE = range(6)


def with_nodes():
    """Return the city of six buses with the street node of each bus."""
    tables = {name: dict(table) for name, table in six_bus_city().tables.items()}
    tables["buses"]["node"] = np.array([0, 2, 4, 1, 0, 5], dtype=np.int32)
    return six_bus_city(buses=tables["buses"])


def struck(*events, seed=1, parts=None, until=HOUR):
    parts = parts or [Hazards(), Power()]
    return World(assemble(*events, city=with_nodes(), parts=parts, seed=seed)).run(until)


def test_a_curve_is_one_half_at_its_median_and_follows_the_lognormal():
    curve = Curve("moderate", True, 0.4, 0.2)
    assert curve.chance(0.4) == pytest.approx(0.5)
    assert curve.chance(0.4 * math.exp(0.2)) == pytest.approx(0.841344746)
    assert curve.chance(0.0) == 0.0


def test_slight_damage_does_not_fail_an_asset():
    curves = read_curves(built_in())
    assert failure_chance(curves["earthquake", "line"], 0.28) == pytest.approx(0.0372, abs=1e-4)
    assert curves["earthquake", "line"][0].chance(0.28) == pytest.approx(0.5)


def test_a_line_of_poles_fails_when_any_pole_does():
    assert of_several(0.1, np.array([1, 2, 10])) == pytest.approx([0.1, 0.19, 1 - 0.9**10])
    assert of_several(0.0, np.array([100])) == 0.0


def test_pipes_break_as_the_manual_tells():
    # 0.0001 x 50^2.25 = 0.665 repairs a km at 50 cm/s, a fifth of them breaks.
    assert pipe_break_rate(0.5) == pytest.approx(0.133, abs=1e-3)


def test_an_earthquake_breaks_as_many_lines_as_the_curve_says():
    chance = failure_chance(read_curves(built_in())["earthquake", "line"], 0.4)
    quake = planned("earthquake", 100, EVERYWHERE, pga=0.4, pgv=0.0)
    broken = [struck(quake, seed=seed).state["line.failed"].sum() for seed in range(60)]
    expected, spread = 4 * chance, math.sqrt(4 * chance * (1 - chance) / 60)
    assert abs(np.mean(broken) - expected) < 4 * spread


def test_a_weaker_shaking_breaks_only_what_a_stronger_one_does():
    weak, strong = (
        struck(planned("earthquake", 100, EVERYWHERE, pga=pga, pgv=0.0)).state["line.failed"] for pga in (0.35, 0.45)
    )
    assert not (weak & ~strong).any()
    assert strong.sum() > 0


def test_only_assets_in_the_area_are_struck():
    world = struck(planned("earthquake", 100, [0], pga=5.0, pgv=0.0))
    # Lines 2 begins at bus 4, whose street node is 0; line 1 at bus 3, node 1.
    assert world.state["line.failed"].tolist() == [False, False, True, False]
    assert world.state["hazard_count.struck"][0] == 1


def test_wind_spreads_its_damage_over_its_duration():
    world = struck(planned("windstorm", 100, EVERYWHERE, gust=149.0, duration=1200.0, span=50.0))
    when = times(world, "line_failure")
    assert len(when) == 4
    assert all(100 <= t < 1300 for t in when)
    assert len(set(when)) == 4


def test_ageing_follows_its_rate_and_spares_none_for_ever():
    many = planned("ageing", 0, [], asset="line", per_year=8766.0, duration=3600.0)
    never = planned("ageing", 0, [], asset="line", per_year=0.0, duration=3600.0)
    # One failure an hour and km: 1 km lasts an hour with probability 1/e, 5 km with 1/e^5.
    alive = np.array([~struck(many, seed=s).state["line.failed"] for s in range(60)]).mean(axis=0)
    assert abs(alive[[0, 1, 3]].mean() - math.exp(-1)) < 4 * math.sqrt(0.2325 / 180)
    assert alive[2] < 0.1
    assert not struck(never).state["line.failed"].any()


def test_heat_raises_the_load_for_a_while():
    heat = planned("heat_wave", 600, [3, 4, 5], degrees=5.0, per_degree=0.03, duration=1800.0)
    world = struck(heat, until=700 * SECOND)
    assert world.state["bus.load@hazards"].tolist() == pytest.approx([0, 0, 0, 3e5, 1.5e5, 4.5e5])
    assert world.run(2401 * SECOND).state["bus.load@hazards"].max() == 0.0


def test_planned_work_opens_a_line_and_closes_it_again():
    world = struck(planned("planned_work", 600, [0], duration=1800.0), until=700 * SECOND)
    assert not world.state["line.closed"][0]
    assert world.state["bus.energised"].tolist() == [True, True, True, False, False, True]
    assert world.run(2401 * SECOND).state["bus.energised"].all()


def test_attacked_pumps_stop_until_they_are_taken_back():
    city = small_city()
    attack = planned("attack_pumps", 3600, [0], duration=7200.0)
    world = water_world(city, attack, parts=[Hazards()]).run(2 * HOUR)
    assert world.state["water_link.flow"][4] == 0.0
    assert world.state["water_link.failed"][4]
    world.run(4 * HOUR)
    assert not world.state["water_link.failed"][4]


def test_taking_an_attacked_pump_back_does_not_repair_it():
    events = (planned("pump_failure", 60, [0], duration=0.0), planned("attack_pumps", 120, [0], duration=600.0))
    assert water_world(small_city(), *events, parts=[Hazards()]).run(HOUR).state["water_link.failed"][4]


def test_attacked_sensors_are_silent_until_taken_back():
    attack = planned("attack_sensors", 600, [0, 1], duration=1200.0)
    failure = planned("line_failure", 700, [1], duration=0.0)
    parts = [Hazards(), Power(), Telecom(), Scada()]
    world = struck(attack, failure, parts=parts, until=1700 * SECOND)
    assert not world.state["site.alive"].any()
    assert world.state["line.failed"][1]
    assert not world.state["observed_line.failed"][1]
    world.run(1900 * SECOND)
    assert world.state["site.alive"].all()
    assert world.state["observed_line.failed"][1]


def test_damage_without_a_model_of_the_network_is_counted():
    quake = planned("earthquake", 100, EVERYWHERE, pga=5.0, pgv=0.0)
    world = struck(quake, parts=[Hazards()])
    # Two substations and four lines, and nobody who models them.
    assert world.state["hazard_count.unheard"][0] == 6


def test_damaged_roads_stay_closed_until_repaired():
    from tests.models.utility_city import Roads, order

    world = struck(planned("road_damage", 100, [2, 3]), parts=[Hazards(), Roads()], until=3000 * SECOND)
    assert (~world.state["link.open"]).nonzero()[0].tolist() == [2, 3]
    order(world, "road_repair", 4000, 2)
    assert (~world.run(5000 * SECOND).state["link.open"]).nonzero()[0].tolist() == [3]


@pytest.mark.parametrize("at", [50, 700, 1500, 2500])
def test_a_cut_run_is_bitwise_whole(at):
    events = (
        planned("windstorm", 100, EVERYWHERE, gust=60.0, duration=2000.0, span=50.0),
        planned("heat_wave", 600, [3, 4, 5], degrees=5.0, per_degree=0.03, duration=1800.0),
        planned("ageing", 0, [], asset="line", per_year=8766.0, duration=3600.0),
    )
    whole = struck(*events)
    assert struck(*events, until=at * SECOND + 7).branch().run(HOUR).digest() == whole.digest()


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("earthquake,line,moderate,1,pga_g,0,0.2,x", r":2: median \('0'\) must be a number above 0"),
        ("earthquake,line,moderate,1,pga_g,0.4,nan,x", r":2: beta \('nan'\) must be a number above 0"),
        ("earthquake,line,moderate,yes,pga_g,0.4,0.2,x", r":2: fails \('yes'\) must be 0 or 1"),
        ("earthquake,line,moderate,1,pga_g,0.4,0.2,", r":2: earthquake line moderate names no source"),
        ("wind,pole,a,1,g,50,0.2,x\nwind,pole,b,1,g,40,0.2,x", r":3: median \(40\) must not be below that of 'a'"),
    ],
)
def test_bad_curves_are_named_with_file_and_line(tmp_path, line, told):
    path = tmp_path / "curves.csv"
    path.write_text(f"hazard,asset,state,fails,measure,median,beta,source\n{line}\n")
    with pytest.raises(DataError, match=told):
        read_curves(path)


def test_a_table_without_a_column_says_which(tmp_path):
    path = tmp_path / "curves.csv"
    path.write_text("hazard,asset,state\n")
    with pytest.raises(DataError, match=r":1: column fails, measure, median, beta, source is missing"):
        read_curves(path)


def test_two_heat_waves_add_up_and_each_ends_alone():
    first = planned("heat_wave", 600, [3], degrees=5.0, per_degree=0.04, duration=3600.0)
    second = planned("heat_wave", 1200, [3, 4], degrees=5.0, per_degree=0.02, duration=600.0)
    peak = with_nodes()["buses"]["p"]
    during, after = struck(first, second, until=1500 * SECOND), struck(first, second, until=2000 * SECOND)
    assert during.state["bus.load@hazards"][[3, 4]] == pytest.approx(peak[[3, 4]] * [0.3, 0.1])
    assert after.state["bus.load@hazards"][[3, 4]] == pytest.approx(peak[[3, 4]] * [0.2, 0.0])


def test_work_leaves_an_open_tie_open_and_two_works_overlap():
    tie = int(np.flatnonzero(~with_nodes()["lines"]["closed"].astype(bool))[0])
    works = [
        planned("planned_work", 600, [0, tie], duration=1200.0),
        planned("planned_work", 900, [0], duration=1800.0),
    ]
    assert [bool(struck(*works, until=t * SECOND).state["line.closed"][0]) for t in (700, 2000, 2800)] == [0, 0, 1]
    assert not struck(*works, until=2800 * SECOND).state["line.closed"][tie]
