"""Rain over six junctions: soaked away, standing in streets, or drained; and the river ahead of it."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from tests.models.utility_city import Roads, ancestors, assemble, planned, six_bus_city, times
from twin.contract import HOUR, SECOND
from twin.errors import DataError
from twin.models.drainage import Drainage
from twin.models.gauges import read_gauge
from twin.models.hazards import Hazards
from twin.models.power import Power
from twin.world import World

MM_H = 1 / 3.6e6
ALL = range(6)
LEVELS = "nama_pintu_air,tanggal,tinggi_air,status_siaga\n"


def city(**replaced):
    """Return six junctions in cells of 1 km; the outlet, cell 2, lies 2 m over the river."""
    tables = {name: dict(table) for name, table in six_bus_city().tables.items()}
    nodes = tables["nodes"] | {"above_river": np.array([7.0, 7.0, 2.0, 2.0, 7.0, 7.0])} | replaced
    return six_bus_city(nodes=nodes)


def world(*events, parts=None, hours=6, **options):
    given = {"cell": 1000.0, "runoff": 0.5, "design": 20 * MM_H} | options
    made = assemble(*events, city=city(), parts=parts or [Drainage()], options={"drainage": given}, hours=hours)
    return World(made)


RAIN = planned("rain", 600, ALL, intensity=60 * MM_H, duration=3600.0)


def test_rain_is_soaked_away_stands_or_drains_and_adds_up():
    run = world(RAIN).run(4200 * SECOND + 1)
    # Six cells of 1 km2, 60 mm.
    assert run.state["drain_sum.fallen"][0] == pytest.approx(360_000)
    assert run.state["drain_sum.soaked"][0] == pytest.approx(180_000)
    standing, gone = run.state["drain.volume"].sum(), run.state["drain_sum.discharged"][0]
    assert standing + gone == pytest.approx(180_000, rel=1e-12)
    assert standing > 0
    assert run.check() == []
    later = run.run(6 * HOUR)
    assert later.kpis()["standing_water_max"] >= standing
    assert later.check() == []


def test_drains_keep_up_with_the_rain_they_are_built_for():
    run = world(planned("rain", 600, ALL, intensity=19 * MM_H, duration=3600.0)).run(2 * HOUR)
    assert run.kpis()["standing_water_max"] == 0.0
    assert run.kpis()["drained_share"] == pytest.approx(1.0)
    assert run.state["node.water"].max() == 0.0


def test_a_steeper_rain_stands_by_what_the_drains_do_not_carry():
    run = world(planned("rain", 0, [0], intensity=60 * MM_H, duration=3600.0)).run(3600 * SECOND + 1)
    # Cell 0 lies at 10 m as cell 1, so it is an outlet: 30 mm run off, 10 mm drain (20 mm/h x 0.5).
    assert run.state["node.water"].tolist() == [0.02, 0, 0, 0, 0, 0]
    assert run.state["drain_sum.discharged"][0] == pytest.approx(10_000)


def test_blocked_drains_carry_nothing_until_cleared():
    block = planned("drain_blockage", 0, [0], share=1.0, duration=7200.0)
    run = world(planned("rain", 0, [0], intensity=60 * MM_H, duration=3600.0), block).run(7200 * SECOND)
    assert run.state["node.water"][0] == 0.03
    assert run.run(3 * HOUR + 1).state["node.water"][0] == pytest.approx(0.02, abs=2e-3)


def test_standing_water_closes_roads_and_wets_substations_and_names_the_rain():
    storm = planned("rain", 600, [2, 3], intensity=900 * MM_H, duration=3600.0)
    run = world(storm, parts=[Drainage(), Hazards(), Power(), Roads()], design=0.0).run(4300 * SECOND)
    depth = run.state["node.water"]
    assert depth[2] == pytest.approx(0.45)
    assert (~run.state["link.open"]).any()
    # Substation 0 stands 0.25 m over its node.
    assert run.state["substation.depth"][0] == pytest.approx(0.2)
    closed = int(np.flatnonzero(~run.state["link.open"])[0])
    assert ancestors(run, int(run.state["link.closure@cause"][closed])) == ["road_flooded", "drains_full", "rain"]
    assert ancestors(run, int(run.state["substation.depth@cause"][0])) == ["substation_wet", "drains_full", "rain"]


def test_full_drains_name_the_rain_and_what_blocks_them():
    block = planned("drain_blockage", 0, [0], share=1.0, duration=7200.0)
    run = world(planned("rain", 0, [0, 5], intensity=15 * MM_H, duration=3600.0), block).run(3 * HOUR)
    # Drains carry 20 mm/h: only those that are blocked fill, at the end of the first minute.
    assert times(run, "drains_full") == [60]
    event = next(i for i, row in enumerate(run.events.rows()) if row[1] == "drains_full")
    assert sorted(ancestors(run, event)) == ["drain_blockage", "drains_full", "rain"]
    assert run.events.rows()[event][2] == 0
    assert run.state["drain.full_event"].max() == -1


def gauge_file(tmp_path, rows):
    path = tmp_path / "levels.csv"
    path.write_text(LEVELS + "".join(f"PA. Test ,{time},{level},Status : Normal\n" for time, level in rows))
    return str(path)


def test_a_high_river_keeps_the_water_in_the_streets(tmp_path):
    low = gauge_file(tmp_path, [("2020-01-01 00:00", 1000), ("2020-01-01 03:00", 1000)])
    heavy = planned("rain", 0, [2], intensity=60 * MM_H, duration=1800.0)
    dry = world(heavy, gauge=low, station="PA. Test", gauge_from="2020-01-01 00:00").run(3 * HOUR)
    path = tmp_path / "high.csv"
    rows = "".join(
        f"PA. Test,2020-01-01 0{h}:00,{mm},{s}\n" for h, mm, s in [(0, 1000, "Normal"), (1, 9000, "Siaga 1")]
    )
    path.write_text(LEVELS + rows)
    wet = world(heavy, gauge=str(path), station="PA. Test", gauge_from="2020-01-01 01:00").run(3 * HOUR)
    assert dry.state["drain.volume"].sum() == 0.0
    assert wet.state["drain.volume"].sum() == pytest.approx(15_000)
    assert wet.check() == []


def test_a_gauge_is_straight_between_readings_and_held_beyond(tmp_path):
    path = gauge_file(tmp_path, [("2020-01-01 02:00", 3000), ("2020-01-01 00:00", 1000), ("2020-01-01 00:00", 1000)])
    gauge = read_gauge(path, "PA. Test")
    hour = 3600 * SECOND
    begin = int(gauge.time[0])
    assert gauge.normal == 1.0
    assert gauge.gap == 2 * hour
    assert [gauge.rise(begin + t) for t in (-hour, 0, hour, 2 * hour, 9 * hour)] == [0, 0, 1, 2, 2]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (LEVELS + "PA. Test,yesterday,1,x\n", r":2: 'yesterday' is no time"),
        (LEVELS + "PA. Test,2020-01-01 00:00,high,x\n", r":2: level \('high'\) must be a number of mm"),
        (LEVELS + "PA. Tset,2020-01-01 00:00,1,x\n", r"no station is called 'PA. Test'; did you mean 'PA. Tset'"),
        ("a,b\n1,2\n", r":1: column nama_pintu_air, tanggal, tinggi_air is missing"),
    ],
)
def test_a_bad_gauge_table_is_named_with_file_and_line(tmp_path, text, told):
    path = tmp_path / "levels.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=told):
        read_gauge(path, "PA. Test")


def test_the_flood_of_jakarta_raises_the_river_at_manggarai():
    folder = os.environ.get("TWIN_DATA")
    if not folder:
        pytest.skip("set TWIN_DATA to the folder of recorded data to read the Jakarta gauges")
    gauge = read_gauge(Path(folder) / "jakarta_water_level" / "levels.csv", "PA. Manggarai")
    # 670 rows at 508 instants.
    assert gauge.time.shape[0] > 500
    assert (np.diff(gauge.time) > 0).all()
    assert 1.0 < max(gauge.level) - gauge.normal < 6.0


@pytest.mark.parametrize("at", [300, 659, 2000, 4200, 9000])
def test_a_cut_run_is_bitwise_whole(tmp_path, at):
    parts = [Drainage(), Hazards(), Power(), Roads()]
    events = (RAIN, planned("drain_blockage", 900, [2], share=0.5, duration=3600.0))
    whole = world(*events, parts=parts).run()
    cut = world(*events, parts=parts).run(at * SECOND)
    assert World.load(cut.save(tmp_path), cut.assembly).run().digest() == whole.digest()


def test_a_future_without_the_rain_stays_dry():
    run = world(RAIN).run(300 * SECOND).branch(without=(0,)).run(2 * HOUR)
    assert run.state["drain_sum.fallen"][0] == 0.0


def test_a_long_step_holds_as_much_water_as_short_ones():
    shower = planned("rain", 0, ALL, intensity=110 * MM_H, duration=1800.0)
    most = [world(shower, every=every).run(3 * HOUR).kpis()["standing_water_max"] for every in (60.0, 3600.0)]
    assert most[1] == pytest.approx(most[0], rel=0.01)
