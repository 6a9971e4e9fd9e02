"""Settings of an importer in a scenario: only what it has, and nothing that writes."""

from __future__ import annotations

import json
from dataclasses import fields

import numpy as np
import pytest

from tests.city.small import NET, TRIPS
from tests.scenario.toys import TOWN, codes, town
from twin.city import City, load_city
from twin.city.osm import OsmOptions
from twin.city.tntp import TntpOptions
from twin.scenario.cities import load_spec
from twin.scenario.importing import setting_options


def with_network(folder, city):
    (folder / "ring_net.tntp").write_text(NET)
    (folder / "sub").mkdir()
    (folder / "sub" / "pairs.tntp").write_text(TRIPS)
    return town(folder, text=TOWN.replace("city: nusantara", f"city: {city}").replace("models: [water]\n", ""))


@pytest.mark.parametrize("name", ["out", "counts", "path"])
def test_a_scenario_cannot_make_an_importer_write(tmp_path, monkeypatch, name):
    monkeypatch.setenv("TWIN_CACHE", str(tmp_path / "cache"))
    target = tmp_path / "elsewhere"
    found = with_network(tmp_path, f"{{tntp: ring_net.tntp, options: {{{name}: '{target}'}}}}")
    (problem,) = [one for one in found.check() if one.is_error]
    assert (problem.code, problem.line) == ("E135", 2)
    assert set(problem.allowed) == set(setting_options("tntp"))
    assert not target.exists()
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ("{timeunit: minute}", "E135"),
        ("{time_unit: fortnight}", "E125"),
        ("{hours: many}", "E120"),
        ("{hours: 0}", "E123"),
        ("{crs: 3}", "E123"),
        ("{timezone: Mars/Olympus}", "E126"),
        ("{driving_side: middle}", "E125"),
        ("{trips: nowhere.tntp}", "E100"),
        ("{name: [a]}", "E105"),
        ("[a]", "E105"),
    ],
)
def test_a_wrong_setting_is_one_problem_at_its_line(tmp_path, options, code):
    assert codes(with_network(tmp_path, f"{{tntp: ring_net.tntp, options: {options}}}")) == [(code, 2)]


def test_the_nearest_setting_is_offered(tmp_path):
    found = with_network(tmp_path, "{tntp: ring_net.tntp, options: {timezon: Etc/UTC}}")
    assert [one.nearest for one in found.check() if one.is_error] == ["timezone"]


def test_paths_among_settings_are_relative_to_the_scenario(tmp_path, monkeypatch):
    monkeypatch.setenv("TWIN_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir("/")
    found = with_network(tmp_path, "{tntp: ring_net.tntp, options: {trips: sub/pairs.tntp, timezone: Asia/Tokyo}}")
    city = load_spec(found.city_spec, str(tmp_path))
    assert (city.report["trips"], city.timezone) == (150.0, "Asia/Tokyo")


@pytest.mark.parametrize(
    "city",
    [
        "{name: nusantara, options: {seed: 3}}",
        "{name: nusantara, counts: sub/pairs.tntp}",
        "{tntp: ring_net.tntp, scale: 5}",
        "{folder: sub, scale: 5}",
        "{folder: sub, options: {seed: 3}}",
    ],
)
def test_a_key_without_effect_beside_a_source_is_an_error(tmp_path, city):
    found = with_network(tmp_path, city)
    (problem,) = [one for one in found.check() if one.is_error]
    assert (problem.code, "has no effect" in problem.message) == ("E110", True)


def test_every_setting_of_an_importer_can_be_written():
    for source, kind in (("osm", OsmOptions), ("tntp", TntpOptions)):
        assert [field.name for field in fields(kind)] == list(setting_options(source))


FAULTS = [
    ("links", "to_node", 99999, "points to no row of nodes"),
    ("links", "length", np.nan, "links.length is not finite"),
    ("links", "length", np.inf, "links.length is not finite"),
    ("links", "speed", 0.0, "links.speed is not positive"),
    ("hospitals", "bays", -3, "hospitals.bays is negative"),
    ("hospitals", "node", -1, "hospitals.node points to no row"),
    ("signals", "cycle", 0.0, "signals.cycle is not positive"),
    ("nodes", "id", "n1", "nodes.id is not unique"),
]


def with_folder(folder, tables, **header):
    city = load_city()
    City(**{**city.header(), "tables": tables, **header}).save(folder / "mine")
    text = TOWN.replace("city: nusantara", "city: {folder: mine}").replace("models: [water]\n", "")
    return [one for one in town(folder, text=text).check() if one.is_error]


@pytest.mark.parametrize(("table", "column", "value", "said"), FAULTS)
def test_a_fault_in_a_city_folder_is_told_by_check(tmp_path, table, column, value, said):
    tables = {
        name: {key: array.copy() for key, array in columns.items()} for name, columns in load_city().tables.items()
    }
    tables[table][column][0] = value
    problems = with_folder(tmp_path, tables)
    assert all((one.code, one.line) == ("E130", 2) for one in problems)
    assert any(said in one.message for one in problems)


def test_every_fault_of_a_city_folder_is_told_at_once(tmp_path):
    tables = {name: dict(columns) for name, columns in load_city().tables.items()}
    del tables["links"]["speed"]
    tables["links"]["length"] = np.full(len(tables["links"]["length"]), "long")
    said = " ".join(one.message for one in with_folder(tmp_path, tables))
    assert "links.speed (free-flow speed) is missing" in said
    assert "links.length is of type <U4" in said


def test_a_sound_city_folder_has_no_fault(tmp_path):
    assert with_folder(tmp_path, {name: dict(columns) for name, columns in load_city().tables.items()}) == []


@pytest.mark.parametrize("damage", [{"provenance": [3]}, {"report": "deep"}, {"tables": 3}, {"driving_side": [1]}])
def test_a_damaged_city_file_is_a_located_problem(tmp_path, damage):
    city = load_city().save(tmp_path / "mine")
    text = (city / "city.json").read_text()
    deep = "[" * 100_000 + "]" * 100_000
    content = json.dumps({**json.loads(text), **damage}).replace('"deep"', deep)
    (city / "city.json").write_text(content)
    text = TOWN.replace("city: nusantara", "city: {folder: mine}").replace("models: [water]\n", "")
    (problem,) = [one for one in town(tmp_path, text=text).check() if one.is_error]
    assert (problem.code, problem.line, "\n" in problem.message) == ("E130", 2, False)
