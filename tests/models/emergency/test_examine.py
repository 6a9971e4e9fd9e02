"""Bad input of the emergency service: told by `twin check` with its place, and refused when a run is made."""

from dataclasses import replace

import pytest

import twin
from tests.cities import line_city
from tests.models.emergency.service_world import plan_file, service, two_stations
from twin.errors import ScenarioError, TwinError

NO_TRIPS = {"trips_morning": 0.0, "profile": [1.0] * 24, "classes": {"car": 1.0}}
HEAD = "time,lon,lat,priority,kind\n"
GOOD = "units:\n  - {kind: ambulance, station: west}\n"
BAD_PLANS = [
    ("units:\n  - {kind: ambulance}\n", "2:5", "key 'station' is missing"),
    ("units:\n  - {kind: ambulance, station: nowhere}\n", "2:32", "'nowhere' is not a station"),
    ("units:\n  - {kind: zeppelin, station: west}\n", "2:12", "'zeppelin' is not a kind of unit"),
    (
        "rosters: {day: ['07:00-19:00']}\nunits:\n  - {kind: ambulance, station: west, roster: day}\n",
        "3:3",
        "roster gap: from 00:00",
    ),
    (GOOD + "desks: {'112': {takers: ['07:00-19:00 x2']}}\n", "3:16", "roster gap: nobody answers from 00:00"),
    (GOOD + "transfer: {time: -10 s}\n", "3:18", "-10 s must be between 0 and"),
    ("units:\n  - {kind: ambulance, station: west, aid: -5 min}\n", "2:43", "-5 min must be between 0 and"),
]
BAD_CALLS = [
    ("2026-01-15 17:10:00,10.0,50.0,1,", "km from any road of the city"),
    ("2026-01-15 17:10:00,0.02,0.0,1,dragon", "kind (dragon) is not an incident"),
    ("2026-01-15 16:59:00,0.02,0.0,1,", "lies outside the run"),
    ("2026-01-15 17:10:00,0.02,0.0,-1,", "priority (-1) must be 1, 2 or 3"),
]


def town(tmp_path, options="", city=None):
    path = tmp_path / "town.yaml"
    head = "scenario: town\ncity: nusantara\nstart: 2026-01-15 17:00\nduration: 2 h\nmodels: [traffic, emergency]\n"
    path.write_text(f"{head}options: {{emergency: {{{options}}}}}\n", encoding="utf-8")
    scenario = twin.load(path)
    city = city or line_city(stations=two_stations())
    scenario._city = replace(city, parameters={**city.parameters, "demand": NO_TRIPS})
    return scenario


def told(scenario):
    return [str(problem) for problem in scenario.check() if problem.is_error]


def test_a_sound_service_has_no_problem(tmp_path):
    plan_file(tmp_path, GOOD)
    assert told(town(tmp_path, "service: plan.yaml")) == []


@pytest.mark.parametrize(("text", "place", "said"), BAD_PLANS)
def test_a_bad_plan_is_told_at_check_and_at_run(tmp_path, text, place, said):
    path = plan_file(tmp_path, text)
    scenario = town(tmp_path, "service: plan.yaml")
    found = told(scenario)
    assert any("[E137]" in line and f"plan.yaml:{place} " in line and said in line for line in found)
    with pytest.raises(ScenarioError, match="E137"):
        scenario.cases()
    with pytest.raises(TwinError, match=f"plan.yaml:{place} "):
        service(plan=path)


def test_a_bad_plan_is_told_beside_problems_elsewhere_but_not_beside_what_it_stands_on(tmp_path):
    plan_file(tmp_path, "units:\n  - {kind: ambulance, station: nowhere}\n")
    found = told(town(tmp_path, "service: plan.yaml}, traffic: {publish_every: soon"))
    assert [line.partition("] ")[0].rpartition("[")[2] for line in found] == ["E137", "E120"]
    only = told(town(tmp_path, "service: plan.yaml, dispatch_time: soon"))
    assert [line.partition("] ")[0].rpartition("[")[2] for line in only] == ["E120"]


@pytest.mark.parametrize(("row", "said"), BAD_CALLS)
def test_a_bad_call_is_told_at_check_and_at_run_or_counted(tmp_path, row, said):
    path = tmp_path / "calls.csv"
    path.write_text(f"{HEAD}{row}\n", encoding="utf-8")
    found = told(town(tmp_path, "calls: calls.csv"))
    assert any("[E137]" in line and "calls.csv:2 " in line and said in line for line in found)
    with pytest.raises(TwinError, match=r"calls\.csv:2 "):
        service(calls=str(path))
    assert told(town(tmp_path, "calls: calls.csv, bad_calls: leave_out")) == []
    world = service(calls=str(path), bad_calls="leave_out").run()
    listed = world.assembly.by_name["emergency"].tables(world.view("emergency"))["incidents/left_out"]
    assert listed["line"].tolist() == [2]


def test_a_hospital_without_access_is_told_at_check_and_at_run(tmp_path):
    links = {k: v[:6] for k, v in line_city()["links"].items()}
    city = line_city(links=links)
    said = "no road leads from any zone to hospital i0"
    assert any("[E137]" in line and said in line for line in told(town(tmp_path, city=city)))
    with pytest.raises(TwinError, match=said):
        service(city=line_city(links=links))


@pytest.mark.parametrize("option", ["dispatch_time", "patience", "track", "aid_hours"])
def test_a_negative_time_is_told_at_its_place(tmp_path, option):
    found = told(town(tmp_path, f"{option}: -5 s"))
    assert any(f"town.yaml:6:{23 + len(option) + 2} [E123] {option} (-5 s) must be at least" in line for line in found)
