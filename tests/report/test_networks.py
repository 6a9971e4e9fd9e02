"""A city of a network alone has a report with its pictures, or the reason why there is none."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.models.water_city import small_city
from tests.plot.test_networks import grid_alone
from tests.synthetic_results import START, ZONE, make_suite
from twin.city import City
from twin.execution.manifest import list_files
from twin.execution.output import with_clock, write_table
from twin.report import write_report
from twin.report.data import read_report
from twin.report.service import served
from twin.results import Results


def names(folder):
    return {path.stem for path in (folder / "pictures").glob("*.png")}


def settle(suite):
    """Let the manifests of a suite list the files as they are now."""
    for path in suite.glob("*/*/manifest.json"):
        content = json.loads(path.read_text(encoding="utf-8"))
        path.write_text(json.dumps(content | {"files": list_files(path.parent)}), encoding="utf-8")
    return suite


@pytest.fixture
def grid_suite(tmp_path):
    suite = make_suite(tmp_path, grid_alone(), ("A",), 1)
    (path,) = suite.glob("A/*/buses/buses.parquet")
    write_table(path, {"minutes_without_power": np.arange(6.0), "voltage_pu": np.array([1.0, 0.99, 0.98, 0.97, 0, 0])})
    return settle(suite)


def test_a_grid_alone_has_its_network_outages_and_voltages_drawn(grid_suite):
    text = write_report(grid_suite).read_text(encoding="utf-8")
    assert {"city", "power_A", "voltage_A"} <= names(grid_suite)
    assert "lowest voltage 0.970 per unit, 2 buses without power" in text


def test_a_city_without_places_says_so_instead_of_maps(tmp_path):
    suite = make_suite(tmp_path, grid_alone(0.0), ("A",), 1)
    text = write_report(suite).read_text(encoding="utf-8")
    assert not names(suite) & {"city", "power_A"}
    assert "City Grid does not say where its buses and junctions lie, so there are no maps." in text


def water_suite(folder, persons):
    """Return a suite of four junctions, one without pressure, and half of the persons without water for an hour."""
    city = small_city()
    tables = {name: dict(table) for name, table in city.tables.items()}
    tables["junctions"].pop("population")
    suite = make_suite(folder, City("line", "Line", "left", "UTC", 32750, tables), ("A",), 1)
    (run,) = (suite / "A").iterdir()
    junctions = {"pressure_m": np.array([40.0, 10.0, 5.0, 0.0])}
    write_table(run / "junctions" / "junctions.parquet", junctions | persons)
    hours = np.array([0, 1, 2]) * 3_600_000_000
    series = {"time": hours, "name": np.full(3, "persons_without_water"), "value": np.array([0.0, 50.0, 0.0])}
    write_table(run / "series.parquet", with_clock(series, START, ZONE))
    return settle(suite)


def test_a_water_network_alone_has_its_pressures_drawn(tmp_path):
    suite = water_suite(tmp_path, {"persons": np.full(4, 25.0)})
    text = write_report(suite).read_text(encoding="utf-8")
    assert {"city", "water_A", "resilience"} <= names(suite)
    assert "3 of 4 junctions below 14.069 m (20 psi), 1 of them without any pressure" in text


def test_persons_of_a_water_network_are_those_the_model_took(tmp_path):
    suite = water_suite(tmp_path / "told", {"persons": np.full(4, 25.0)})
    (curve,) = served(read_report(Results(suite)))["Persons with water"]
    assert curve.values[0, :3].tolist() == [1.0, 0.5, 1.0]
    untold = water_suite(tmp_path / "untold", {})
    assert "Persons with water" not in served(read_report(Results(untold)))
