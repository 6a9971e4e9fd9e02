"""Every parameter of a city file has a reader: the generator that makes the tables, or a model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.city.small import town, write_town
from twin import registry
from twin.assembly import Assembly
from twin.city.loading import embedded
from twin.city.nusantara import generate
from twin.city.osm import build_osm
from twin.city.settings import read_city_file
from twin.contract import HOUR, Setup
from twin.errors import CityError
from twin.models.traffic.streets import classes, signals
from twin.scenario.components import read_cast
from twin.scenario.problems import Problems
from twin.scenario.tree import read

MORNING = 1_768_345_200_000_000


class Told(dict):
    """A mapping that notes which of its values are looked up, by their place in the file."""

    def __init__(self, values, read, place=""):
        self._read, self._place = read, place
        super().__init__({key: Told(v, read, f"{place}{key}.") if isinstance(v, dict) else v
                          for key, v in values.items()})  # fmt: skip

    def __getitem__(self, key):
        self._read.add(f"{self._place}{key}")
        return super().__getitem__(key)

    def get(self, key, default=None):
        known = key in self
        return self[key] if known else default


def generated(monkeypatch, module, make):
    """Return a city, the items of its file, and those that its making looked up."""
    read, items = set(), []

    def told(path):
        values, provenance = read_city_file(path)
        items.extend(entry["item"] for entry in provenance)
        return Told(values, read), provenance

    monkeypatch.setattr(f"twin.city.{module}.read_city_file", told)
    return make(), items, read


def read_by_models(city):
    """Set up every model, policy and feed that needs no file; return the parameters they looked up."""
    read = set()
    object.__setattr__(city, "parameters", Told(city.parameters, read))
    known = (*registry.models().values(), *registry.feeds().values())
    own = [found for found in known if found.__module__.startswith("twin.models.")]
    parts = [found() for found in own if all(option.default is not None for option in found.options)]
    roles = {policy.role: policy for policy in registry.policies().values()}
    Assembly(city, parts, [policy() for policy in roles.values()], Setup(city, {}, 1, MORNING, HOUR))
    return read


def unread(city, items, read):
    """Return the items that neither the generator nor a model looks up; what is handed on is a model's to read."""
    by_models = read_by_models(city)
    handed = {f"{group}.{key}" for group, part in city.parameters.items() if isinstance(part, dict) for key in part}
    return sorted(item for item in items if item not in (by_models if item in handed else read | by_models))


def test_every_parameter_of_the_embedded_city_has_a_reader(monkeypatch):
    made = generated(monkeypatch, "nusantara", lambda: generate(embedded()["nusantara"]))
    assert len(made[1]) > 80
    assert unread(*made) == []


def test_every_assumption_of_an_import_has_a_reader(monkeypatch, tmp_path):
    bare = town().replace('amenity="hospital"', "").replace('k="amenity"', 'k="shop"')
    path = write_town(tmp_path, text=bare)
    made = generated(monkeypatch, "osm", lambda: build_osm(path, population=9000))
    again = generated(monkeypatch, "osm", lambda: build_osm(path, timezone="Europe/Berlin", driving_side="right"))
    assert len(made[1]) > 60
    assert unread(made[0], made[1], made[2] | again[2]) == []


@pytest.mark.parametrize(
    ("item", "name", "key"),
    [
        ("hazard.substation_trip_depth", "power", "trip_depth"),
        ("hazard.road_closed_depth", "hazards", "closing_depth"),
        ("demand.informed_share", "traffic", "informed_share"),
    ],
)
def test_the_city_gives_the_default_and_the_scenario_wins(small, item, name, key):
    group, _, parameter = item.partition(".")
    other = replace(small, parameters={**small.parameters, group: {**small.parameters[group], parameter: 0.77}})
    assert options_of(other, name)[0][key] == 0.77
    assert options_of(other, name, f"{key}: {'50 cm' if group == 'hazard' else 0.5}")[0][key] == 0.5


def test_a_city_that_does_not_say_is_counted(small):
    silent = replace(small, parameters={})
    options, noted = options_of(silent, "power")
    assert options["trip_depth"] == 0.3
    assert [p.message for p in noted if p.code == "W203"] == [
        "power takes its own values for 1 of 1 parameters of hazard, which city town does not give: "
        "substation_trip_depth"
    ]
    assert [p for p in options_of(silent, "power", "trip_depth: 1 m")[1] if p.code == "W203"] == []
    assert [p for p in options_of(small, "power")[1] if p.code == "W203"] == []


def test_vehicles_and_signals_are_as_the_city_states(small):
    demand = {**small.parameters["demand"], "pcu": {"car": 1.0, "truck": 1.5}}
    other = replace(small, parameters={"demand": demand, "signals": {"green_most": 33.0}})
    assert classes(("car", "truck"), other).pcu == (1.0, 1.5)
    with pytest.raises(CityError, match="no PCU for tram"):
        classes(("car", "tram"), other)
    assert signals(other, 3.0).maximum_green == 33.0
    assert signals(other, 3.0).minimum_green == 7.0
    assert signals(small, 3.0).minimum_green == small.parameters["signals"]["green_least"] == 8.0


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return build_osm(write_town(tmp_path_factory.mktemp("town")))


def options_of(city, name, given=""):
    """Return the options of a model in a scenario, and what was noted."""
    problems = Problems()
    tree = read(f"models: [{name}]\noptions: {{{name}: {{{given}}}}}\n", "scenario.yaml", problems)
    return read_cast(tree, city, registry.BUILT_IN, Path(), problems).options[name], list(problems)
