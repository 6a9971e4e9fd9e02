"""Which hospital a patient is brought to: diversion, specialties, power and water, told by hand."""

import numpy as np
import pytest

from tests.cities import line_city
from tests.models.emergency.service_world import kinds, parents_of, plan_file, seconds, service, two_stations
from tests.models.roads import Planned
from twin.contract import SECOND, EventKind, Model
from twin.errors import CityError
from twin.fields import Field
from twin.world import World

UNITS = "units: [{kind: ambulance, station: west}, {kind: ambulance, station: east}]\n"


def two_hospitals(bays=(1, 1), nodes=(4, 0)):
    """Return the line with a hospital at each end."""
    city = line_city()
    both = {k: np.concatenate([v, v]) for k, v in city["hospitals"].items()}
    both |= {"id": np.array(["near", "far"]), "node": np.array(nodes, dtype=np.int32)}
    return line_city(stations=two_stations(), hospitals=both | {"bays": np.array(bays, dtype=np.int32)})


def one_call(at=100, calls=1):
    return Planned("surge", at * SECOND, (1,), {"calls": calls, "duration": 0})


# A call at 100 s: triaged 160, ordered 162, east unit leaves 252, on scene 352, leaves at 952, near hospital 1052.


def test_without_diversion_the_soonest_hospital_is_taken():
    world = service([one_call()], city=two_hospitals()).run()
    assert seconds(world, "at_hospital") == 1052
    assert world.kpis()["hospital_diverted"] == 0


def test_a_hospital_that_diverts_is_passed_by():
    world = service([one_call()], [(300, "divert", 0, 0)], city=two_hospitals()).run()
    assert seconds(world, "at_hospital") == 952 + 300
    assert world.kpis()["hospital_diverted"] == 1
    assert "diversion" in parents_of(world, kinds(world).index("unit_diverted"))
    assert world.check() == []


def test_a_unit_under_way_turns_when_the_hospital_begins_to_divert():
    world = service([one_call()], [(998, "divert", 0, 0)], city=two_hospitals()).run()
    # Half-way at 1000 s (and 1 us); it rolls on to node 4 by 1052 s and drives back to node 0.
    assert seconds(world, "at_hospital") == pytest.approx(1452, abs=1e-5)
    assert world.check() == []


def test_diversion_ends_by_order():
    orders = [(300, "divert", 0, 0), (800, "accept", 0, 0)]
    world = service([one_call()], orders, city=two_hospitals()).run()
    assert seconds(world, "at_hospital") == 1052
    assert kinds(world).count("diversion") == kinds(world).count("diversion_ends") == 1


def test_when_all_divert_none_does():
    orders = [(300, "divert", 0, 0), (300, "divert", 1, 0)]
    world = service([one_call()], orders, city=two_hospitals()).run()
    assert seconds(world, "at_hospital") == 1052


def test_nobody_is_turned_away_at_the_door():
    world = service([one_call()], [(1060, "divert", 0, 0)], city=two_hospitals()).run()
    assert seconds(world, "closed") == 1052 + 900


def test_a_queue_at_the_door_begins_a_diversion(tmp_path):
    plan = plan_file(tmp_path, UNITS + "hospitals: {near: {divert_queue: 1}}\n")
    world = service([one_call(calls=3)], plan=plan, city=two_hospitals(), dispatch=True, duration=9000)
    world.run()
    assert "diversion" in kinds(world)
    first = world.events.arrays()["time"][kinds(world).index("diversion")] / SECOND
    # The second patient comes to the only bay, from node 0: on scene 552, there at 1252 s.
    assert first == 1252
    assert not world.state["hospital.diverts"].any()
    assert world.state["hospital.queue"].tolist() == [0, 0]
    assert world.check() == []


def test_a_specialty_decides_which_hospital(tmp_path):
    text = UNITS + "incidents: {medical: {specialty: burns}}\nhospitals: {far: {specialties: [burns, trauma]}}\n"
    world = service([one_call()], plan=plan_file(tmp_path, text), city=two_hospitals()).run()
    assert seconds(world, "at_hospital") == 952 + 300
    assert world.kpis()["hospital_diverted"] == 0


class Tap(Model):
    """Cuts the water of hospital 0 when the scenario says so."""

    name = "tap"
    adds = ("hospital.waterless",)
    events = (EventKind("cut", "the water fails", scenario=True),)

    def on_event(self, view, event):
        view.add("hospital.waterless", 0, 1)


class Ward(Model):
    """Takes the power of hospital 0 when the scenario says so."""

    name = "ward"
    owns = (Field("hospital.powered", "bool", "1", "has power", 1, traced=True),)
    events = (EventKind("dark", "the power fails", scenario=True),)

    def on_event(self, view, event):
        view.put("hospital.powered", 0, False)


@pytest.mark.parametrize(("part", "kind"), [(Tap, "cut"), (Ward, "dark")])
def test_without_water_or_power_handover_takes_longer(part, kind):
    world = service([one_call(), Planned(kind, SECOND)], city=two_hospitals(), parts=[part()]).run()
    assert seconds(world, "closed") == 1052 + 1.5 * 900


@pytest.mark.parametrize(("part", "kind"), [(Tap, "cut"), (Ward, "dark")])
def test_a_hospital_without_water_or_power_diverts_if_told_to(part, kind):
    events = [one_call(), Planned(kind, 400 * SECOND)]
    world = service(events, city=two_hospitals(), parts=[part()], divert_dark=True).run()
    assert seconds(world, "at_hospital") == 952 + 300
    if kind == "dark":
        assert "dark" in parents_of(world, kinds(world).index("diversion"))


def test_a_hospital_without_access_is_named():
    links = {k: v[:6] for k, v in line_city()["links"].items()}
    with pytest.raises(CityError, match="no road leads from any zone to hospital i0"):
        service(city=line_city(links=links))


@pytest.mark.parametrize("at", [299, 500, 980, 1001, 1040, 1200, 1300])
def test_diversions_keep_the_law(tmp_path, at):
    plan = plan_file(tmp_path, UNITS + "hospitals: {near: {divert_queue: 1}}\n")
    orders = [(300, "divert", 0, 0), (600, "accept", 0, 0), (998, "divert", 0, 0)]

    def make():
        return service([one_call(calls=3)], orders, plan, two_hospitals(), spread=0.3)

    whole, world = make().run(), make()
    again = World.load(world.run(at * SECOND + 3).save(tmp_path / "kept"), world.assembly).run()
    assert again.digest() == whole.digest() == world.branch().run().digest()
