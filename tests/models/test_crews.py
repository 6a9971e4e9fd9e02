"""Crews and durations as tables: what is wrong is named with its place; pipes and roads are mended too."""

from __future__ import annotations

import numpy as np
import pytest

from tests.cities import line_city, line_grid
from tests.models.roads import Planned
from tests.models.test_restoration import Scope, city, told
from tests.models.utility_city import Roads
from tests.models.water_city import water_tables
from twin.assembly import Assembly
from twin.contract import HOUR, SECOND, EventKind, Model, Setup
from twin.errors import CityError, DataError
from twin.execution.output import event_columns
from twin.fields import Field
from twin.frames import why
from twin.models.assets import KINDS, LINK, PIPE, PUMP, build_assets
from twin.models.policies.restoration import FirstCome
from twin.models.restoration import Restoration
from twin.models.restoration.crews import build_crews
from twin.models.restoration.work import STEPS, Duration, built_in, read_durations
from twin.why import Causes
from twin.world import World


def depots(**columns):
    plain = line_city(**line_grid())
    return line_city(**line_grid(), depots=dict(plain["depots"]) | columns)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"crews": np.array([-1])}, r"depots i0: crews \(-1\) must be 0 or more"),
        ({"shift_from": np.array([25.0]), "shift_to": np.array([6.0])}, r"depots i0: shift \(25 to 6\) must lie"),
    ],
)
def test_a_bad_depot_is_named(columns, message):
    with pytest.raises(CityError, match=message):
        build_crews(depots(**columns))


def test_a_shift_may_pass_midnight():
    crews = build_crews(depots(shift_from=np.array([22.0]), shift_to=np.array([6.0])))
    assert [crews.on_duty(0, hour) for hour in (21.9, 22.0, 23.9, 0.0, 5.9, 6.0)] == [False, *[True] * 4, False]
    assert crews.next_change(0, 21.0) == HOUR
    assert crews.next_change(0, 23.0) == 7 * HOUR
    assert build_crews(city()).always(0)


def test_depots_of_an_unknown_kind_have_no_crews():
    assert build_crews(depots(kind=np.array(["gas"]))).count == 0


ROW = "line,repair,7200,0.5,x"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (ROW.replace("line", "tower"), r":2: asset \('tower'\) must be one of substation, line"),
        (ROW.replace("repair", "mend"), r":2: step \('mend'\) must be one of inspect"),
        (ROW.replace("7200", "-1"), r":2: mean_s \('-1'\) must be a number of 0 or more"),
        (ROW.replace("0.5", "wide"), r":2: spread \('wide'\) must be a number of 0 or more"),
        (ROW.replace(",x", ","), r":2: line repair names no source"),
        (f"{ROW}\n{ROW}", r":3: line repair is given twice"),
        (ROW, r"there is no duration for substation inspect"),
    ],
)
def test_a_bad_table_of_durations_is_named_with_file_and_line(tmp_path, text, message):
    path = tmp_path / "durations.csv"
    path.write_text(f"asset,step,mean_s,spread,source\n{text}\n")
    with pytest.raises(DataError, match=message):
        read_durations(path)


def test_the_built_in_tables_are_whole_and_name_their_sources():
    for path in (built_in(), built_in().with_name("infrarisk.csv")):
        assert set(read_durations(path)) == {(kind, step) for kind in KINDS for step in STEPS}


def test_a_drawn_duration_has_its_mean_and_spread():
    chances = (np.arange(4000) + 0.5) / 4000
    drawn = np.array([Duration(100.0, 0.5).draw(float(chance)) for chance in chances]) / SECOND
    assert drawn.mean() == pytest.approx(100, rel=0.01)
    assert drawn.std() == pytest.approx(50, rel=0.05)
    assert Duration(0.0, 0.5).draw(0.9) == 0


class Nets(Model):
    """Lines, a main and a road that fail together; what crews send is noted."""

    name = "nets"
    owns = (
        Field("substation.failed", "bool", "1", "", traced=True),
        Field("line.failed", "bool", "1", "", traced=True),
        Field("water_link.failed", "bool", "1", "", traced=True),
        Field("link.broken", "bool", "1", "", traced=True),
    )
    events = (
        EventKind("strike", "", scenario=True),
        *(EventKind(kind, "") for kind in ("power_repair", "pipe_repair", "pump_repair", "road_repair")),
        *(EventKind(kind, "") for kind in ("isolate", "reopen")),
    )

    def setup(self, setup):
        return {"water_link": 5}

    def on_event(self, view, event):
        if event.kind == "strike":
            struck = {"line.failed": [2], "water_link.failed": [1, 4], "link.broken": [5]}
            for name, row in struck.items():
                view.put(name, row, True)
        elif event.kind == "power_repair":
            view.put("line.failed", event.target, False)
        elif event.kind in ("pipe_repair", "pump_repair"):
            view.put("water_link.failed", event.target + 4 * (event.kind == "pump_repair"), False)
        elif event.kind == "road_repair":
            view.put("link.broken", event.target, False)


def three_depots():
    place = line_city()["depots"]
    columns = {name: np.repeat(np.asarray(place[name]), 3) for name in place}
    columns |= {"id": np.array(["d0", "d1", "d2"]), "kind": np.array(["power", "water", "road"])}
    return line_city(**line_grid(), **water_tables(), depots=columns)


def mended(**options):
    options = {"restoration": {"spread": 0.0, **options}}
    parts = [Roads(), Restoration(), Nets(), Scope()]
    setup = Setup(three_depots(), {}, 1, 1_768_467_600_000_000, 150_000 * SECOND, (Planned("strike", 100 * SECOND),))
    return World(Assembly(setup.city, parts, [FirstCome()], setup, options))


def test_each_crew_mends_what_it_is_skilled_for():
    world = mended().run()
    assets = world.assembly.by_name["restoration"].assets
    assert [int(assets.first[kind]) for kind in (PIPE, PUMP, LINK)] == [6, 10, 11]
    done = told(world, "repair_done")
    assert sorted(asset for _, asset in done) == [4, 7, 10, 16]
    assert not world.state["water_link.failed"].any()
    assert not world.state["link.broken"].any()
    assert world.check() == []
    # No sensor shows mains and roads: people report them a quarter of an hour after 100 s.
    wanted = {asset: time for time, asset in told(world, "repair_wanted")}
    assert wanted[7] == wanted[16] == 1000
    assert wanted[4] < 105
    # A main is isolated before its repair and opened behind it.
    assert told(world, "isolate")[0][0] < next(t for t, asset in done if asset == 7) == told(world, "reopen")[0][0]


def test_an_order_goes_back_to_the_failure_that_people_report_at_the_instant_of_a_timer():
    # 100 s and 800 s of delay make 900 s, at which the policy decides anyhow: every 5 minutes.
    world = mended(report_delay=800.0).run("1 h")
    found = Causes(world.events.arrays(), world.parents.arrays())
    orders = [event for event in found.find("order.repair") if found.events["target"][event] in (7, 16)]
    assert {int(found.events["time"][event]) for event in orders} == {900 * SECOND}
    for event in orders:
        assert {found.events["kind"][root] for root in found.roots(event)} == {"strike"}


def test_a_crew_is_sent_because_of_the_report_whatever_woke_the_policy():
    world = mended().run("1 h")
    found = Causes(world.events.arrays(), world.parents.arrays())
    about = list(zip(found.events["target"].tolist(), found.events["data"].tolist(), strict=True))
    wanted = {about[event]: event for event in found.find("repair_wanted")}
    sent = found.find("crew_sent")
    assert len(sent) >= 3
    assert all(wanted[about[event]] in found.behind(event) for event in sent)


def test_what_a_crew_does_is_told_by_the_asset_and_not_by_a_row_of_the_list_of_repairs():
    world = mended().run()
    city, columns = world.assembly.city, event_columns(world, world.events.arrays())
    struck = [city[table]["id"][row] for table, row in (("lines", 2), ("pipes", 1), ("pumps", 0), ("links", 5))]
    for kind in ("repair_wanted", "crew_sent", "crew_on_site", "repair_done"):
        assert sorted(columns["target_id"][columns["kind"] == kind]) == sorted(struck)
    kinds = columns["kind"].tolist()
    lines = [why(world, kinds.index(kind)).splitlines()[0] for kind in ("crew_sent", "repair_done")]
    assert all(
        line.endswith(f"{kind} line {struck[0]}, crew 0")
        for line, kind in zip(lines, ("crew_sent", "repair_done"), strict=True)
    )


def test_an_order_to_a_crew_without_the_skill_is_refused_and_told():
    from twin.calendar import Plan
    from twin.contract import EVENT

    world = mended().run(50 * SECOND)
    world.add_row(60 * SECOND, Plan("repair", EVENT, 7, 2.0))
    world.run(120 * SECOND)
    assert told(world, "repair_refused") == [(110.0, 7)]
    assert world.state["crew.free"][2]


@pytest.mark.parametrize("at", [1200, 3000, 5000, 30_000])
def test_three_skills_and_shifts_cut_anywhere_are_bitwise_whole(tmp_path, at):
    options = {"shift_from": 6.0, "shift_to": 19.0, "kits": 1}
    whole = mended(**options).run()
    world = mended(**options).run(at * SECOND + 1)
    assert World.load(world.save(tmp_path), world.assembly).run().digest() == whole.digest()
    assert whole.check() == []


def test_assets_of_a_city_with_power_crews_alone_are_of_power():
    assert build_assets(city()).count == 6


def test_valves_a_crew_left_shut_are_opened_by_the_next_one_though_nothing_is_left_to_mend():
    from twin.calendar import Plan
    from twin.contract import EVENT

    world = mended(shift_from=16.0, shift_to=18.7).run("2 h")
    assert world.state["repair.isolated"][7]
    world.add_row(60 * SECOND, Plan("pipe_repair", EVENT, 1, 0.0))
    world.run("40 h")
    assert not world.state["repair.isolated"].any()
    assert told(world, "reopen")
    assert world.check() == []
