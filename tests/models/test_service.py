"""The report on lost service: figures worked out by hand, and what a run adds up."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.models.utility_city import assemble, planned, six_bus_city
from tests.models.water_city import small_city, water_tables
from twin.contract import HOUR, SECOND
from twin.models.backup import Backup
from twin.models.power import Power
from twin.models.service import REPORT, Service, report
from twin.models.service_metrics import by_group, equitable_service, gini, prioritised_service, worst_part
from twin.models.water import Water
from twin.world import World


def test_shares_of_service_as_infrarisk_defines_them():
    served, wanted = np.array([0.0, 5.0, 12.0, 3.0]), np.array([10.0, 10.0, 10.0, 0.0])
    assert equitable_service(served, wanted) == pytest.approx(0.5)
    assert prioritised_service(served, wanted) == pytest.approx(15 / 30)
    assert equitable_service(np.array([1.0, 90.0]), np.array([10.0, 90.0])) == pytest.approx(0.55)
    assert prioritised_service(np.array([1.0, 90.0]), np.array([10.0, 90.0])) == pytest.approx(0.91)
    assert equitable_service(served, 0 * wanted) == prioritised_service(served, 0 * wanted) == 1.0


def test_gini_of_known_distributions():
    assert gini(np.array([1.0, 1.0, 1.0]), np.array([5.0, 1.0, 2.0])) == pytest.approx(0.0)
    assert gini(np.array([0.0, 1.0]), np.array([1.0, 1.0])) == pytest.approx(0.5)
    assert gini(np.array([0.0, 4.0]), np.array([3.0, 1.0])) == pytest.approx(0.75)
    assert gini(np.zeros(3), np.ones(3)) == 0.0


@given(st.lists(st.tuples(st.floats(0, 100), st.integers(1, 50)), min_size=1, max_size=8), st.floats(0.1, 10))
def test_gini_is_a_share_whatever_the_unit_and_the_order(rows, unit):
    values, weights = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    found = gini(values, weights)
    assert -1e-9 <= found < 1
    assert gini(unit * values[::-1], weights[::-1]) == pytest.approx(found, abs=1e-9)


def test_the_worst_tenth_may_cut_a_group():
    hours, customers = np.array([10.0, 1.0, 0.0]), np.array([5.0, 45.0, 50.0])
    # Ten of a hundred: five with 10 h, five with 1 h.
    assert worst_part(hours, customers) == pytest.approx(5.5)
    assert worst_part(hours, np.zeros(3)) == 0.0


def test_groups_leave_out_who_has_no_zone():
    values, heads = by_group(np.array([2.0, 4.0, 9.0]), np.array([1.0, 3.0, 5.0]), np.array([1, 1, -1]))
    assert values.tolist() == [3.5]
    assert heads.tolist() == [4.0]


def with_hospital_bus():
    tables = {name: dict(table) for name, table in six_bus_city().tables.items()}
    return six_bus_city(hospitals=tables["hospitals"] | {"bus": np.array([3], dtype=np.int32)})


def outage(hours=3, parts=None, city=None):
    event = planned("line_failure", 600, [0], duration=7200.0)
    made = assemble(event, city=city or with_hospital_bus(), parts=parts or [Power(), Backup(), Service()], hours=hours)
    return World(made)


def test_an_outage_of_two_hours_by_hand():
    world = outage().run()
    kpis = world.kpis()
    # Two of three load buses are dark for two hours, with 3 of 6 MW (loads scale together).
    assert kpis["power_eoh_ecs"] == pytest.approx(4 / 3)
    assert kpis["power_eoh_pcs"] == pytest.approx(1.0)
    # The hospital's generator runs an hour, then it is dark for one.
    assert kpis["hospital_backup_h"] == pytest.approx(1.0)
    assert kpis["hospital_dark_h"] == pytest.approx(1.0)
    # 150 of 350 customers were out for 2 h: all of the worst tenth. One zone: no inequality between zones.
    assert kpis["outage_worst_decile_h"] == pytest.approx(2.0)
    assert kpis["outage_gini"] == pytest.approx(0.0)
    # 150 households of 3.6 persons for two hours.
    assert kpis["person_hours_lost"] == pytest.approx(150 * 3.6 * 2)
    assert "water_eoh_ecs" not in kpis
    assert world.check() == []


def test_one_report_joins_power_water_and_hospitals():
    tables = {name: dict(table) for name, table in with_hospital_bus().tables.items()} | water_tables(bus=3)
    city = six_bus_city(**tables)
    world = outage(parts=[Power(), Backup(), Water(), Service()], city=city).run()
    rows = report(world.kpis())
    assert [title for title, _, _ in rows] == [title for _, title, _ in REPORT]
    assert all(np.isfinite(value) for title, value, _ in rows if "Todini" not in title)


def test_equity_of_water_by_hand():
    """300 of 500 persons, in a zone of their own, are without water for the second of two hours."""
    tables = {name: dict(table) for name, table in six_bus_city().tables.items()}
    tables |= {name: dict(table) for name, table in small_city().tables.items()}
    tables["junctions"]["zone"] = np.array([0, 0, 1, 1])
    isolated = planned("pipe_switch", 3600, [0, 1], value=0)
    world = World(assemble(isolated, city=six_bus_city(**tables), parts=[Power(), Water(), Service()], hours=2)).run()
    kpis = world.kpis()
    assert kpis["person_hours_lost"] == pytest.approx(300.0)
    assert kpis["water_worst_decile_h"] == pytest.approx(1.0)
    # Of the burden two fifths of the persons bear nothing, three fifths all: the Gini is two fifths.
    assert kpis["water_gini"] == pytest.approx(0.4)
    assert kpis["outage_gini"] == 0.0


def test_water_that_is_cut_off_counts():
    city = small_city()
    tables = {name: dict(table) for name, table in six_bus_city().tables.items()}
    tables |= {name: dict(table) for name, table in city.tables.items()}
    isolated = planned("pipe_switch", 3600, [0, 3], value=0)
    world = World(assemble(isolated, city=six_bus_city(**tables), parts=[Power(), Water(), Service()], hours=2)).run()
    kpis = world.kpis()
    # 10 L/s are asked in the first hour, 12 in the second, in which all the loss lies.
    lost = (1.0 - kpis["water_service_availability"]) * 22.0 / 12.0
    assert lost > 0.3
    assert kpis["water_eoh_pcs"] == pytest.approx(lost)
    assert kpis["water_eoh_ecs"] == pytest.approx(lost)
    assert kpis["power_eoh_pcs"] == 0.0
    # The same 500 persons are without water all the second hour, and nobody is without power.
    assert kpis["person_hours_lost"] == pytest.approx(500.0)
    assert kpis["person_hours_lost"] == pytest.approx(kpis["water_person_hours_lost"])


@pytest.mark.parametrize("at", [300, 700, 5000, 8000])
def test_a_cut_run_is_bitwise_whole(at):
    whole = outage().run()
    assert outage().run(at * SECOND + 5).branch().run(3 * HOUR).digest() == whole.digest()


def test_a_hospital_whose_supply_only_the_dependencies_name_counts_too():
    assert "bus" not in six_bus_city()["hospitals"]
    kpis = outage(city=six_bus_city(), hours=6).run().kpis()
    assert kpis["hospital_backup_h"] + kpis["hospital_dark_h"] == pytest.approx(2.0)
