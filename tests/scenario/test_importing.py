"""Settings of an importer in a scenario: only what it has, and nothing that writes."""

from __future__ import annotations

from dataclasses import fields

import pytest

from tests.city.small import NET, TRIPS
from tests.scenario.toys import TOWN, codes, town
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
