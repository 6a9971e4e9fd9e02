from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from tests.models.estimation.count_city import arm_place, four_arms, grid_city, write_counts
from twin.assembly import Assembly
from twin.contract import HOUR, MINUTE, Setup
from twin.errors import DataError
from twin.kernels.traffic_arrays import EXITS
from twin.models.counts_replay import CountsReplay
from twin.models.estimation.model import Estimation
from twin.models.telecom import Telecom
from twin.models.traffic import Traffic
from twin.world import World

DAY = [float(100 + i) for i in range(96)]


def moment(text):
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Australia/Melbourne")).timestamp() * 1e6)


def world(tmp_path, parts, start="2006-10-05 06:00", duration=HOUR, city=None, volumes=DAY, events=(), **options):
    rows = [row for c in (1, 2, 3) for row in four_arms(c, 2, volumes=volumes)]
    file = str(write_counts(tmp_path / "c.csv", rows))
    city = grid_city(range(25)) if city is None else city
    setup = Setup(city, {}, 1, moment(start), duration, events)
    given = {part.name: {"file": file, **options} for part in parts if part.name in {"counts_replay", "estimation"}}
    return World(Assembly(city, parts, [], setup, given))


def test_an_interval_is_true_at_its_end_and_arrives_after_the_latency(tmp_path):
    run = world(tmp_path, [CountsReplay()])
    run.run(20 * MINUTE)
    assert (run.state["observed_count.stamp"] == -1).all()
    run.run(20 * MINUTE + 1)
    assert (run.state["observed_count.stamp"] == 15 * MINUTE).all()
    assert (run.state["observed_count.arrival"] == 20 * MINUTE).all()
    np.testing.assert_allclose(run.state["observed_count.flow"], DAY[24] / 900)
    run.run(35 * MINUTE + 1)
    np.testing.assert_allclose(run.state["observed_count.flow"], DAY[25] / 900)
    assert run.check() == []


def test_a_run_that_starts_within_an_interval_hears_of_it_at_its_end(tmp_path):
    run = world(tmp_path, [CountsReplay()], start="2006-10-05 06:10", latency=60.0)
    run.run(6 * MINUTE + 1)
    assert (run.state["observed_count.stamp"] == 5 * MINUTE).all()


def test_another_day_is_laid_over_the_run_by_time_of_day(tmp_path):
    run = world(tmp_path, [CountsReplay()], start="2026-01-15 07:00", day="5/10/2006")
    run.run(HOUR // 2)
    np.testing.assert_allclose(run.state["observed_count.flow"], DAY[28] / 900)
    with pytest.raises(DataError, match="not in the counts"):
        world(tmp_path, [CountsReplay()], start="2026-01-15 07:00")


def test_a_gap_in_the_file_leaves_the_observation_as_it_was(tmp_path):
    volumes = [*DAY[:25], "", *DAY[26:]]
    run = world(tmp_path, [CountsReplay()], volumes=volumes)
    run.run(50 * MINUTE)
    assert (run.state["observed_count.stamp"] == 15 * MINUTE).all()
    run.run(50 * MINUTE + 1)
    assert (run.state["observed_count.stamp"] == 45 * MINUTE).all()


def sites():
    places = np.array([arm_place(0, 2, "W", 100.0), arm_place(4, 2, "E", 100.0)])
    grid = grid_city()["nodes"]
    x = np.array([grid["x"][10] - 100, grid["x"][14] + 100])
    return {
        "id": np.array(["west", "east"]), "x": x, "y": grid["y"][[10, 14]], "lon": places[:, 0], "lat": places[:, 1],
        "battery": np.full(2, 60.0), "bus": np.zeros(2, np.int32),
    }  # fmt: skip


class Planned:
    kind, time, targets, params, label = "site_failure", 5 * MINUTE, (0,), {"duration": 0.0}, "test"


def test_counters_of_a_dead_site_fall_silent(tmp_path):
    city = grid_city(range(25), sites=sites())
    run = world(tmp_path, [CountsReplay(), Telecom()], city=city, events=(Planned(),))
    run.run(30 * MINUTE)
    silent = run.state["observed_count.silent"]
    assert 0 < silent.sum() < silent.size
    assert (run.state["observed_count.stamp"][silent] == -1).all()
    assert (run.state["observed_count.stamp"][~silent] == 15 * MINUTE).all()


def test_estimation_sees_what_left_each_counted_link(tmp_path):
    run = world(tmp_path, [Traffic(), Estimation()], start="2006-10-05 06:30", duration=2 * HOUR)
    estimation = run.assembly.by_name["estimation"]
    left = []
    for until in range(HOUR // 2, 2 * HOUR + 1, 15 * MINUTE):
        run.run(until)
        left.append(run.state["road.queue"][estimation.counters.link, EXITS].copy())
    flow, count = estimation.flow(run.view("estimation"))
    assert flow.sum() > 0
    np.testing.assert_array_equal(flow, np.diff(left, axis=0).T)
    np.testing.assert_allclose(count[0], DAY[28:34])


def test_estimation_reports_all_methods_and_goes_on_from_a_branch(tmp_path):
    run = world(tmp_path, [Traffic(), Estimation(), CountsReplay()], start="2006-10-05 06:30", duration=2 * HOUR)
    run.run(HOUR)
    other = run.branch().run()
    run.run()
    assert other.digest() == run.digest()
    assert other.kpis() == pytest.approx(run.kpis())
    figures = run.kpis()
    assert {"counts_wape", "network_mean_wape", "knn5_wape"} <= figures.keys()
    assert np.isfinite([figures[name] for name in figures]).all()
    tables = run.assembly.by_name["estimation"].tables(run.view("estimation"))
    assert tables["accuracy/methods"]["method"].tolist() == ["simulation", "network mean", "geographic kNN5"]
    assert run.check() == []
