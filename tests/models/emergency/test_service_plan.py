"""Plans of a service that are wrong: each problem is named with its line, all at once."""

import pytest

from tests.cities import line_city
from tests.models.emergency.service_world import plan_file, service, two_stations
from tests.models.roads import Planned
from twin.contract import SECOND
from twin.errors import DataError
from twin.models.emergency.service_kinds import UNIT_KINDS, bits
from twin.models.emergency.service_plan import plan_of

GOOD = "units:\n  - {kind: ambulance, station: west}\n"


def city():
    return line_city(stations=two_stations())


def problems(tmp_path, text):
    with pytest.raises(DataError) as caught:
        plan_of(city(), plan_file(tmp_path, text))
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        (
            "rosters: {day: ['7-19']}\nunits:\n  - {kind: ambulance, station: west, roster: day}\n",
            "1:17",
            "'7-19' is not",
        ),
        (GOOD + "incidents: {medical: {specialty: burns}}\nhospitals: {h9: {specialties: [burns]}}\n", "4:17", "'h9'"),
        (GOOD + "desks: {'112': {}}\n", "3:16", "key 'takers' is missing"),
        (GOOD + "incidents: {flood: {share: 1, needs: []}}\n", "3:20", "incident 'flood' needs no unit"),
        ("desks: {'112': {takers: ['00:00-24:00 x2']}}\n", "1:1", "key 'units' is missing"),
        ("units:\n  - {kind: ambulance, station: wets}\n", "2:32", "'wets' is not a station; did you mean 'west'?"),
        ("units:\n  - {kind: ambulance}\n", "2:5", "key 'station' is missing"),
        ("units:\n  - {kind: tank, station: west}\n", "2:12", "'tank' is not a kind of unit"),
        ("units:\n  - {kind: ambulance, station: west, count: -2}\n", "2:45", "-2 must be between 1 and 1000"),
        ("units:\n  - {kind: ambulance, station: west, roster: day}\n", "2:46", "'day' is not a roster"),
        ("units:\n  - {kind: ambulance, station: west, colour: red}\n", "2:46", "unknown key 'colour'"),
        ("units:\n  - {kind: police, station: west}\n", "2:3", "needs treat+carry, and no unit can do that"),
        ("units: []\n", "1:8", "the plan has no unit"),
        ("rosters: {day: ['7-19']}\n" + GOOD, "1:17", "'7-19' is not a stretch of the day"),
        ("rosters: {day: ['07:00-12:00', '11:00-19:00']}\n" + GOOD, "1:16", "overlap at 11:00"),
        (
            "rosters: {day: ['07:00-19:00']}\nunits:\n  - {kind: ambulance, station: west, roster: day}\n",
            "3:3",
            "roster gap: from 00:00 no unit on duty for treat+carry",
        ),
        (GOOD + "desks: {'112': {takers: ['07:00-19:00 x2']}}\n", "3:16", "roster gap: nobody answers from 00:00"),
        (GOOD + "desks: {'112': {takers: ['many']}}\n", "3:26", "'many' is not hours and people"),
        (GOOD + "transfer: {time: -10 s}\n", "3:18", "-10 s must be between 0 and"),
        (GOOD + "transfer: {time: 10}\n", "3:18", "unit"),
        (GOOD + "transfer: {misrouted: 140 %}\n", "3:23", "140 % must be between 0 and 1"),
        (GOOD + "upgrades: [[1, 3]]\n", "3:12", "an upgrade is [from, to]"),
        (GOOD + "incidents: {flood: {share: 1}}\n", "3:20", "incident 'flood' needs no unit"),
        (GOOD + "incidents: {flood: {share: 1, needs: [swim]}}\n", "3:39", "'swim' is not a set of capabilities"),
        (GOOD + "incidents: {medical: {specialty: burns}}\n", "1:1", "no hospital offers 'burns'"),
        (GOOD + "hospitals: {h9: {divert_queue: 2}}\n", "3:17", "'h9' is not a hospital"),
        (GOOD + "crews: 3\n", "3:8", "unknown key 'crews'"),
        (GOOD + GOOD, "4:3", "key 'units' stands twice"),
    ],
)
def test_a_problem_is_named_with_its_place(tmp_path, text, place, said):
    (found,) = problems(tmp_path, text).splitlines()
    assert f"plan.yaml:{place} " in found
    assert said in found


def test_all_problems_are_told_at_once(tmp_path):
    text = "units:\n  - {kind: tank, station: west}\n  - {kind: ambulance, station: moon}\ntransfer: {time: soon}\n"
    assert len(problems(tmp_path, text).splitlines()) >= 3


@pytest.mark.parametrize(("text", "said"), [("", "is empty"), ("units: [", "is not YAML")])
def test_a_file_that_is_no_plan_is_refused(tmp_path, text, said):
    assert said in problems(tmp_path, text)


def test_a_plan_that_is_not_there_is_named(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        plan_of(city(), str(tmp_path / "none.yaml"))


def test_an_incident_the_plan_does_not_have_is_named(tmp_path):
    event = Planned("mass_casualty", 100 * SECOND, (3,), {"casualties": 2, "incident": "riot"})
    with pytest.raises(DataError, match="incident 'riot'"):
        service([event], plan=plan_file(tmp_path, GOOD))


def test_without_a_plan_the_city_has_its_ambulances():
    units = plan_of(city(), "").units
    assert units.kind == ("ambulance", "ambulance")
    assert units.node.tolist() == [0, 4]


def test_every_kind_of_unit_can_do_something():
    assert all(bits("+".join(kind.can)) > 0 for kind in UNIT_KINDS.values())
