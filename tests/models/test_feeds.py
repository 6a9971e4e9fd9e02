"""What arrives, when, how noisy, and what a dead site keeps back."""

from __future__ import annotations

import numpy as np
import pytest

from tests.models.utility_city import Roads, Units, ancestors, assemble, order, planned, times
from twin.contract import SECOND
from twin.models.feeds import Avl, Probes, Scada
from twin.models.power import Power
from twin.models.telecom import Telecom
from twin.world import World


def world_of(*events, parts, options=None, seed=1):
    return World(assemble(*events, parts=parts, options=options, seed=seed))


def probe_world(*events, seed=1, **options):
    parts = [Roads(), Telecom(), Probes()]
    return world_of(*events, parts=parts, options={"probes": {"noise": 0.0, **options}}, seed=seed)


def stamps(world, table):
    return (world.state[f"observed_{table}.stamp"] / SECOND).tolist()


def test_an_observation_is_half_a_minute_old_when_it_comes():
    world = probe_world().run(90 * SECOND)
    assert set(stamps(world, "link")) == {0.0}
    world.run(90 * SECOND + 1)
    assert set(stamps(world, "link")) == {60.0}
    assert set(world.state["observed_link.arrival"].tolist()) == {90 * SECOND}


def test_until_the_first_report_roads_run_at_free_speed():
    world = probe_world().run(1)
    assert world.state["observed_link.time"].tolist() == [100.0] * 10
    assert set(world.state["observed_link.stamp"].tolist()) == {-1}


def test_a_sample_shows_the_instant_it_was_taken():
    world = probe_world(latency=150.0).run(59 * SECOND)
    world.state["link.time"][:] = 222.0
    world.run(61 * SECOND).state["link.time"][:] = 333.0
    seen = {t: world.run(t * SECOND + 1).state["observed_link.time"][0] for t in (150, 209, 210, 270)}
    assert seen == {150: 100.0, 209: 100.0, 210: 222.0, 270: 333.0}


@pytest.mark.parametrize(("every", "latency"), [(10, 0.0), (10, 10), (7, 50), (60, 30), (1, 3.5)])
def test_samples_arrive_in_order_and_none_is_overwritten(every, latency):
    world = probe_world(every=every, latency=latency)
    seen = []
    for second in range(1, 200):
        state = world.run(second * SECOND).state
        if state["observed_link.stamp"][0] >= 0 and state["observed_link.stamp"][0] not in seen:
            seen.append(int(state["observed_link.stamp"][0]))
            delay = state["observed_link.arrival"][0] - seen[-1]
            assert delay == max(round(latency * SECOND), 1)
    assert np.diff(seen).tolist() == [every * SECOND] * (len(seen) - 1)
    assert len(seen) >= (198 - latency) // every


def test_noise_is_right_on_average_and_as_wide_as_asked():
    probes = world_of(parts=[Roads(), Probes()]).assembly.by_name["probes"]
    factors = np.concatenate([probes._noise(count) for count in range(2000)])
    assert factors.mean() == pytest.approx(1.0, abs=4 * 0.05 / np.sqrt(20000))
    assert factors.std() == pytest.approx(0.05, rel=0.03)
    assert factors.min() > 0
    logs = np.log(factors)
    assert abs(((logs - logs.mean()) ** 3).mean()) / logs.std() ** 3 < 0.1


def test_noise_belongs_to_road_sample_and_seed():
    one, other = (world_of(parts=[Roads(), Probes()], seed=s).assembly.by_name["probes"] for s in (1, 2))
    assert np.array_equal(one._noise(5), one._noise(5))
    assert not np.array_equal(one._noise(5), one._noise(6))
    assert not np.array_equal(one._noise(5), other._noise(5))


def test_a_share_of_reports_is_lost_each_by_its_own_luck():
    world = probe_world(every=1.0, latency=0.0, fault_share=0.3)
    fresh = []
    for second in range(1, 400):
        state = world.run(second * SECOND - SECOND // 2).state
        fresh.append(state["observed_link.stamp"] == (second - 1) * SECOND)
    got = np.array(fresh).mean(axis=0)
    assert got == pytest.approx(np.full(10, 0.7), abs=4 * np.sqrt(0.21 / 399))
    assert len({row.tobytes() for row in np.array(fresh).T}) == 10


def test_a_dead_site_keeps_its_area_back_and_what_left_before_arrives():
    world = probe_world(planned("site_failure", 61, [0], duration=100.0))
    world.run(200 * SECOND)
    assert times(world, "feed_silent", 0) == [61.0]
    assert set(stamps(world, "link")[:6]) == {60.0}
    assert set(stamps(world, "link")[6:]) == {120.0}
    world.run(211 * SECOND)
    assert set(stamps(world, "link")) == {180.0}
    assert times(world, "feed_back", 0) == [161.0]
    assert not world.state["observed_link.silent"].any()


def test_silence_names_the_dead_site():
    world = probe_world(planned("site_failure", 61, [0], duration=0.0)).run(70 * SECOND)
    assert world.state["observed_link.silent"].tolist() == [True] * 6 + [False] * 4
    cause = int(world.state["observed_link.silent@cause"][0])
    assert ancestors(world, cause) == ["feed_silent", "site_dead", "site_failure"]


def test_a_unit_is_silent_where_the_site_is_dead():
    world = world_of(planned("site_failure", 20, [0], duration=0.0), parts=[Units(), Telecom(), Avl()])
    order(world, "unit_moves", 10, 1, data=5)
    order(world, "unit_moves", 40, 0, data=4)
    world.run(34 * SECOND)
    assert world.state["observed_unit.node"].tolist() == [0, 5]
    assert world.state["observed_unit.silent"].tolist() == [True, False]
    assert stamps(world, "unit") == [15.0, 15.0]
    world.run(36 * SECOND)
    assert stamps(world, "unit") == [15.0, 30.0]
    world.run(51 * SECOND)
    assert world.state["observed_unit.node"].tolist() == [4, 5]
    assert world.state["observed_unit.silent"].tolist() == [False, False]


def test_the_roster_is_known_before_the_first_report():
    world = world_of(parts=[Units(), Telecom(), Avl()]).run(1)
    assert world.state["observed_unit.free"].all()
    assert set(world.state["observed_unit.stamp"].tolist()) == {-1}


def scada_world(*events, **options):
    return world_of(*events, parts=[Power(), Telecom(), Scada()], options={"scada": options})


def test_a_failure_is_reported_at_once_and_alarms():
    world = scada_world(planned("line_failure", 47, [3], duration=0.0)).run(100 * SECOND)
    assert times(world, "scada_exception") == [47.000001]
    assert times(world, "asset_alarm", 3) == [49.000001]
    alarm = [row for row in world.events.rows() if row[1] == "asset_alarm"]
    assert [(row[3], row[4]) for row in alarm] == [(1.0, 1)]
    number = world.events.rows().index(alarm[0])
    assert {"asset_alarm", "scada_exception", "line_failure"} <= set(ancestors(world, number))


def test_quick_changes_keep_their_distance_and_all_arrive():
    events = [planned("line_failure", 40 + 0.1 * line, [line], duration=0.0) for line in range(4)]
    world = scada_world(*events, least_gap=0.5, latency=5.0).run(60 * SECOND)
    assert times(world, "scada_exception") == [40.000001, 40.500001]
    assert world.state["observed_line.failed"].all()
    assert times(world, "asset_alarm") == [45.000001] + [45.500001] * 3


def test_a_substation_behind_a_dead_site_looks_sound_until_it_is_back():
    world = scada_world(
        planned("site_failure", 10, [0], duration=300.0), planned("substation_failure", 40, [0], duration=0.0)
    )
    world.run(309 * SECOND)
    assert not world.state["observed_substation.failed"][0]
    assert stamps(world, "substation") == [0.0, 300.0]
    world.run(313 * SECOND)
    assert world.state["observed_substation.failed"][0]
    assert times(world, "asset_alarm") == [312.000001]


def test_a_broken_invariant_is_told():
    world = scada_world().run(100 * SECOND)
    assert world.check() == []
    world.state["observed_line.stamp"][1] = 101 * SECOND
    assert len(world.check()) == 2
