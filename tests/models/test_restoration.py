"""Repair crews: exact times on five nodes in a row, 100 s a link."""

from itertools import permutations

import numpy as np
import pytest

from tests.cities import line_city, line_grid
from tests.models.roads import Planned, assemble
from twin.contract import SECOND, EventKind, Feed, Model
from twin.fields import Field
from twin.models.assets import build_assets
from twin.models.policies.restoration import FirstCome, HospitalFirst
from twin.models.policies.restoration_lookahead import Lookahead
from twin.models.policies.restoration_ranked import JointPowerWater, LargestCapacity, MostBetween
from twin.models.restoration import OFF_DUTY, REPAIRING, WAITING, Restoration
from twin.world import World

OPTIONS = {"restoration": {"spread": 0.0}}
RULES = (FirstCome, HospitalFirst, LargestCapacity, MostBetween, JointPowerWater, Lookahead)


class Grid(Model):
    """Substations and lines that fail, flood and are mended as the test says."""

    name = "grid"
    owns = (
        Field("substation.failed", "bool", "1", "", traced=True),
        Field("substation.depth", "float64", "m", "", traced=True),
        Field("line.failed", "bool", "1", "", traced=True),
    )
    events = (
        EventKind("break", "assets fail", "substations", scenario=True),
        EventKind("break_line", "lines fail", "lines", scenario=True),
        EventKind("water", "depth changes", "substations", scenario=True),
        EventKind("power_repair", "an asset works again"),
    )

    def setup(self, setup):
        self.planned = tuple(setup.events)
        return {}

    def on_event(self, view, event):
        if event.kind == "power_repair":
            view.put(("substation", "line")[event.data] + ".failed", event.target, False)
            return
        rows = np.asarray(self.planned[event.data].targets)
        if event.kind == "water":
            view.put("substation.depth", rows, event.params["depth"])
        else:
            view.put("line.failed" if event.kind == "break_line" else "substation.failed", rows, True)


class Scope(Feed):
    """Reports of the grid and of roads, half a second after each change."""

    name = "scope"
    owns = (
        *(
            Field(f"observed_{t}.{c}", d, u, "")
            for t in ("substation", "line")
            for c, d, u in (("failed", "bool", "1"), ("stamp", "int64", "us"))
        ),
        Field("observed_link.time", "float64", "s", ""),
    )
    reads = ("substation.failed", "line.failed", "link.time")
    events = (EventKind("look", "a report"),)

    def step(self, view):
        view.schedule("look", SECOND // 2)

    def on_event(self, view, event):
        view.put("observed_link.time", slice(None), view["link.time"])
        for table in ("substation", "line"):
            view.put(f"observed_{table}.failed", slice(None), view[f"{table}.failed"])
            view.put(f"observed_{table}.stamp", slice(None), view.now)


def city(crews=1):
    plain = line_city(**line_grid())
    depots = {**plain["depots"], "crews": np.array([crews], dtype=np.int32)}
    return line_city(**line_grid(), depots=depots)


def world_of(events, crews=1, rule=FirstCome, duration=60_000, **options):
    options = {"restoration": {"spread": 0.0, **options}}
    return World(assemble(city(crews), [Restoration(), Grid(), Scope()], [rule()], events, duration, 1, options))


def told(world, kind):
    """Return the times of events of a kind and what they are about: an asset where the event names its kind."""
    assets = world.assembly.by_name["restoration"].assets
    about = world.assembly.logged_kinds[kind].target.split("|")
    return [
        (row[0] / SECOND, row[2] + int(assets.first[row[4]]) if len(about) > 1 else row[2])
        for row in world.events.rows()
        if row[1] == kind
    ]


def test_one_repair_takes_the_times_worked_out_by_hand():
    world = world_of([Planned("break", 100 * SECOND, (0,))]).run()
    # Reported at 100.5 s, listed 1 s later, order 2 s (and 1 us) later: 103.5 s. 600 s to set out,
    # two links, 600 s inspection, 14,400 s repair, 300 s test.
    assert told(world, "crew_sent") == [(pytest.approx(103.5, abs=1e-5), 0)]
    assert told(world, "crew_on_site") == [(pytest.approx(903.5, abs=1e-5), 0)]
    assert told(world, "repair_done") == [(pytest.approx(16_203.5, abs=1e-5), 0)]
    assert world.kpis()["mean_restoration_time"] == pytest.approx(16_103.5, abs=1e-5)
    assert world.kpis()["repairs_done"] == 1
    assert world.state["crew.node"][0] == 0
    assert world.check() == []


def test_a_crew_waits_on_site_until_the_water_is_gone():
    events = [
        Planned("water", 50 * SECOND, (0,), {"depth": 1.0}),
        Planned("break", 100 * SECOND, (0,)),
        Planned("water", 5000 * SECOND, (0,), {"depth": 0.1}),
    ]
    world = world_of(events)
    world.run(4000 * SECOND)
    assert world.state["crew.stage"][0] == WAITING
    world.run()
    assert told(world, "repair_done")[0][0] == pytest.approx(5000 + 14_400 + 300, abs=1e-5)


def test_water_breaks_work_off_and_it_goes_on_where_it_stopped():
    events = [
        Planned("break", 100 * SECOND, (0,)),
        Planned("water", 3000 * SECOND, (0,), {"depth": 1.0}),
        Planned("water", 8000 * SECOND, (0,), {"depth": 0.0}),
    ]
    world = world_of(events)
    world.run(2999 * SECOND)
    assert world.state["crew.stage"][0] == REPAIRING
    world.run()
    assert len(told(world, "repair_broken_off")) == 1
    assert told(world, "repair_done")[0][0] == pytest.approx(16_203.5 + 5000, abs=1e-4)


def test_an_asset_that_came_back_by_itself_needs_no_repair():
    class Lucky(Grid):
        def start(self, view):
            view.schedule("power_repair", 500 * SECOND, 0, data=0)

    parts = assemble(
        city(),
        [Restoration(), Lucky(), Scope()],
        [FirstCome()],
        [Planned("break", 100 * SECOND, (0,))],
        60_000,
        1,
        OPTIONS,
    )
    world = World(parts).run()
    assert world.kpis()["repairs_done"] == 0
    assert world.kpis()["mean_restoration_time"] == 400
    assert world.state["crew.free"].all()
    assert len(told(world, "crew_sent")) == 1


def test_a_closed_road_holds_the_crew():
    events = [
        Planned("break", 100 * SECOND, (0,)),
        Planned("shut", 720 * SECOND, (2,)),
        Planned("reopen", 2000 * SECOND, (2,)),
    ]
    world = world_of(events).run()
    # On link 0 from 703.5 s; waits at node 1 until 2000 s.
    assert told(world, "crew_on_site")[0][0] == pytest.approx(2100, abs=1e-4)


def test_first_come_and_hospital_first_differ_in_order_only():
    events = [
        Planned("break", 100 * SECOND, (1,)),
        Planned("break", 100 * SECOND, (0,)),
        Planned("break_line", 100 * SECOND, (1,)),
    ]
    first = told(world_of(events).run(), "crew_sent")
    ranked = told(world_of(events, rule=HospitalFirst).run(), "crew_sent")
    # Asset 0 feeds the hospital; 1 and 3 (line 1) feed 900 customers.
    assert [asset for _, asset in first] == [0, 1, 3]
    assert [asset for _, asset in ranked] == [0, 1, 3]
    late = [
        Planned("break", 100 * SECOND, (1,)),
        Planned("break_line", 150 * SECOND, (3,)),
        Planned("break_line", 160 * SECOND, (2,)),
    ]
    assert [a for _, a in told(world_of(late).run(), "crew_sent")] == [1, 5, 4]
    assert [a for _, a in told(world_of(late, rule=HospitalFirst).run(), "crew_sent")] == [1, 4, 5]


def test_two_crews_work_side_by_side():
    events = [Planned("break", 100 * SECOND, (0, 1))]
    world = world_of(events, crews=2).run()
    assert [round(t) for t, _ in told(world, "repair_done")] == [16_204, 16_404]
    assert world.check() == []


def test_assets_know_whom_they_feed():
    assets = build_assets(city())
    assert assets.customers.tolist() == [150, 900, 150, 900, 50, 0]
    assert assets.hospitals.tolist() == [1, 0, 1, 0, 1, 0]
    assert assets.node.tolist() == [2, 4, 0, 0, 3, 4]
    assert assets.table_of(4) == ("line", 2)


@pytest.mark.parametrize("at", [300, 800, 1200, 2000, 3500, 9000, 16_000, 16_150, 17_000])
def test_a_snapshot_at_any_stage_goes_on_bit_for_bit(tmp_path, at):
    events = [
        Planned("break", 100 * SECOND, (0, 1)),
        Planned("slow", 750 * SECOND, tuple(range(8)), {"factor": 4.0}),
        Planned("water", 3000 * SECOND, (0,), {"depth": 1.0}),
        Planned("water", 8000 * SECOND, (0,), {"depth": 0.0}),
        Planned("shut", 16_100 * SECOND, (2, 3)),
        Planned("reopen", 20_000 * SECOND, (2, 3)),
    ]
    whole = world_of(events, spread=0.5).run()
    world = world_of(events, spread=0.5)
    world.run(at * SECOND + 3).save(tmp_path)
    assert World.load(tmp_path, world.assembly).run().digest() == whole.digest()
    assert world.branch().run().events.rows() == whole.events.rows()
    assert whole.check() == []


def test_a_shift_that_ends_breaks_work_off_and_the_next_one_goes_on():
    # The run starts at 17:00 local time; the crew works from 6 to 18 and from 6 the next day.
    events = [Planned("break", 100 * SECOND, (0,))]
    world = world_of(events, duration=100_000, shift_from=6.0, shift_to=18.0)
    world.run(3700 * SECOND)
    left = told(world, "repair_broken_off")
    # It began at 1503.5 s, so 2096.5 s of 14,400 s are done at 18:00.
    assert [value for value, _ in left] == [3600.0]
    assert world.state["repair.left"][0] / SECOND == pytest.approx(14_400 - 2096.5, abs=1e-4)
    assert not world.state["crew.free"][0]
    world.run(10_000 * SECOND)
    assert world.state["crew.stage"][0] == OFF_DUTY
    assert world.check() == []
    world.run(100_000 * SECOND)
    # On duty at 46,800 s; order 2 s later; 600 s to set out, 200 s drive, 600 s inspection, 300 s test.
    expected = 13 * 3600 + 2 + 600 + 200 + 600 + 14_400 - 2096.5 + 300
    assert told(world, "repair_done")[0][0] == pytest.approx(expected, abs=1e-3)
    assert world.check() == []


def test_a_crew_without_material_waits_for_the_depot_to_be_stocked():
    events = [Planned("break", 100 * SECOND, (0,)), Planned("break_line", 100 * SECOND, (2,))]
    world = world_of(events, duration=80_000, kits=1, carries=1, restock=40_000.0).run()
    first, second = (time for time, _ in told(world, "repair_done"))
    assert first < 40_000 - 300
    # Back at the depot long before; loads at 40,000 s: 600 s to set out, 300 s drive, 600 + 7200 + 300 s.
    assert second == pytest.approx(40_000 + 600 + 300 + 600 + 7200 + 300, abs=1e-3)
    assert world.check() == []


def test_each_crew_books_its_time_by_stage():
    world = world_of([Planned("break", 100 * SECOND, (0,))]).run()
    row = {
        name: float(column[0])
        for name, column in world.assembly.by_name["restoration"].tables(world.view("restoration"))["crews"].items()
        if name.startswith("minutes")
    }
    assert row["minutes_preparing"] == pytest.approx(10)
    assert row["minutes_driving"] == pytest.approx(200 / 60)
    assert row["minutes_repairing"] == pytest.approx(240)
    assert row["minutes_testing"] == pytest.approx(5)
    assert sum(row.values()) == pytest.approx(1000)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_every_rule_repairs_all_and_repeats_bit_for_bit(rule):
    events = [Planned("break", 100 * SECOND, (0, 1)), Planned("break_line", 150 * SECOND, (2, 3))]
    whole = world_of(events, crews=2, rule=rule, spread=0.5).run()
    cut = world_of(events, crews=2, rule=rule, spread=0.5).run(9000 * SECOND).branch().run()
    assert whole.kpis()["repairs_done"] == 4
    assert cut.digest() == whole.digest()


def test_a_planner_knows_who_hangs_on_which_pump():
    """Two pumps feed the first junction from the lake; behind it a third one feeds the hill."""
    from tests.models.water_city import small_city, water_tables
    from twin.models.restoration.mains import Mains

    base = water_tables()
    pumps = {name: np.repeat(column, 3) for name, column in base["pumps"].items()}
    pumps |= {"id": np.array(["u0", "u1", "u2"]), "from_node": np.array([4, 4, 1]), "to_node": np.array([0, 0, 2])}
    pipes = {name: column[[0, 2, 3]] for name, column in base["pipes"].items()}
    mains = Mains(small_city(pumps=pumps, pipes=pipes, water_controls=None))
    told = [mains.dry(np.array(stopped, dtype=bool)) for stopped in ((1, 0, 0), (1, 1, 0), (0, 0, 1), (0, 0, 0))]
    assert told == [0.0, 500.0, 200.0, 0.0]


def test_looking_ahead_never_costs_more_than_the_rule_it_starts_from():
    from twin.models.restoration.belief import Belief, Situation
    from twin.models.restoration.work import known_durations

    place = city(crews=1)
    assets = build_assets(place)
    belief = Belief(place, assets, np.zeros(1, dtype=np.int64), known_durations(place, ""))
    waiting = np.array([5, 4, 0, 1])
    reach = np.array([[300.0, 300.0, 200.0, 400.0]])
    between = np.abs(reach.T - reach)
    now = Situation(np.isin(np.arange(6), waiting), np.zeros(1), 0.0, reach, between, waiting, {})
    costs = {order: belief.cost(now, order, 1e5) for order in permutations(range(4))}
    found = belief.best(now, (0, 1, 2, 3), 1e5, 200)
    assert belief.cost(now, found, 1e5) == min(costs.values()) < costs[0, 1, 2, 3]
    # The tie (asset 5) lights nobody while line 2 is sound; substation 1 has 900 customers: it goes first.
    assert found[0] == 3
    assert found == belief.best(now, (0, 1, 2, 3), 1e5, 200)
