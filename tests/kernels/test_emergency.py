"""The compiled emergency service: its laws, its rules in Python, and bad input."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.kernels.emergency_cases import grid_calls, grid_region
from twin.kernels import emergency_arrays as kernel
from twin.models.emergency import rules as python
from twin.models.emergency.alone import Result, Rules, Simulation, simulate
from twin.models.emergency.region import Driving

LISTS = [[0, 1, 2, 3], [3, 2, 1, 0]]
TABLE = [[1], [1, 2], [0, 1, 2], [0, 0, 1, 2]]
RULES = {
    "nearest": Rules(),
    "static": Rules(redispatch=False),
    "preference": Rules("preference", preference=LISTS),
    "dmexclp": Rules("dmexclp", "dmexclp", within=200.0),
    "priority_list": Rules(move_up="priority_list", station_list=[1, 2, 0, 1]),
    "compliance": Rules(move_up="compliance", compliance=TABLE),
    "loss": Rules(queue_limit=0),
    "short_queue": Rules(queue_limit=2),
}
TWINS = {
    "nearest": (Rules(), Rules(python.Nearest())),
    "preference": (Rules("preference", preference=LISTS), Rules(python.Preferred(), preference=LISTS)),
    "dmexclp": (Rules("dmexclp", within=200.0), Rules(python.LeastMissed(), within=200.0)),
    "relocation": (Rules(move_up="dmexclp", within=200.0), Rules(move_up=python.MostAdded(), within=200.0)),
    "list": (
        Rules(move_up="priority_list", station_list=[1, 2, 0, 1]),
        Rules(move_up=python.FirstUnfilled(), station_list=[1, 2, 0, 1]),
    ),
}


@pytest.fixture(scope="module")
def region(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TWIN_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield grid_region()


@pytest.fixture(scope="module")
def calls(region):
    return grid_calls(region)


def state_bytes(run):
    log = run.log.tobytes()
    return [log, *(array.tobytes() for array in run._arrays())]


@pytest.mark.parametrize("name", RULES)
def test_any_chunking_and_saving_gives_the_same_bytes(region, calls, name, tmp_path):
    whole = Simulation(region, calls, RULES[name]).run()
    cut = Simulation(region, calls, RULES[name])
    rng = np.random.default_rng(5)
    for until in np.sort(rng.uniform(0, calls["arrive"].max(), 12)):
        cut.run(until)
        cut.save(tmp_path / "run.npz")
        cut = Simulation(region, calls, RULES[name]).load(tmp_path / "run.npz")
        Result(cut)
    assert state_bytes(cut.run()) == state_bytes(whole)


@pytest.mark.parametrize("name", RULES)
def test_every_call_ends_in_one_state_and_events_are_in_order(region, calls, name):
    result = simulate(region, calls, RULES[name])
    figures = result.figures
    assert figures["served"] + figures["transferred"] + figures["abandoned"] == figures["calls"] == len(calls)
    assert (np.diff(result.run.log[:, 0]) >= 0).all()
    log = result.events
    for number, outcome in enumerate(result.calls["outcome"]):
        ends = log[(log["call"] == number) & log["kind"].isin(["unit_free", "call_transferred", "call_abandoned"])]
        assert len(ends) == 1
        expected = {"unit_free": "served", "call_transferred": "transferred", "call_abandoned": "abandoned"}
        assert expected[ends["kind"].iloc[0]] == outcome


@pytest.mark.parametrize("name", TWINS)
def test_a_rule_in_python_agrees_with_the_compiled_one_event_by_event(region, calls, name):
    compiled, asked = (simulate(region, calls, rules).run.log for rules in TWINS[name])
    np.testing.assert_array_equal(asked, compiled)


def test_a_run_driven_by_its_own_trace_is_the_same_run(region, calls, tmp_path):
    first = simulate(region, calls)
    first.calls[calls.columns].to_csv(tmp_path / "trace.csv", index=False)
    sent = first.events[first.events["kind"] == "unit_dispatched"]
    orders = iter(sent["unit"].tolist())

    class Replay:
        def dispatch(self, desk):
            return next(orders)

    again = simulate(region, pd.read_csv(tmp_path / "trace.csv"), Rules(Replay()))
    np.testing.assert_array_equal(again.run.log, first.run.log)


def test_units_are_taken_from_less_urgent_calls_only_where_allowed(region, calls):
    busy = calls.assign(arrive=calls["arrive"] / 2)
    taken = simulate(region, busy).calls
    assert taken["preempted"].sum() > 0
    assert (taken.loc[taken["preempted"] > 0, "priority"] == 1).all()
    assert simulate(region, busy, Rules(redispatch=False)).calls["preempted"].sum() == 0


def test_an_urgent_call_never_waits_behind_another_one(region, calls):
    result = simulate(region, calls.assign(arrive=calls["arrive"] / 2, patience=np.nan), Rules(redispatch=False))
    table = result.calls
    known = table["arrive"] + table["answer"]
    assert (table["sent"] > known + 1e-6)[table["priority"] == 1].sum() > 10
    for row in table[table["priority"] == 1].itertuples():
        jumped = (table["priority"] == 0) & (known < row.sent - 1e-6) & (table["sent"] > row.sent + 1e-6)
        assert not jumped.any()


def test_positions_are_on_the_way_and_lead_to_the_scene(region, calls):
    run = Simulation(region, calls)
    seen = 0
    for at in np.arange(500, 12_000, 37.0):
        run.run(at)
        where = run.positions(at)
        for row in where[where["arc"] >= 0].itertuples():
            assert region.network.to_node[row.arc] == row.node
            mode = run.state.unit[row.unit, kernel.U_MODE]
            start = region.network.from_node[row.arc]
            end = int(run.state.unit[row.unit, kernel.U_TO])
            rest = (run.state.unit[row.unit, kernel.U_END] / 1e6) - at
            onward = region.network.seconds(int(row.node), end, mode)
            assert row.left + onward == pytest.approx(rest, abs=2e-6)
            assert row.left <= region.network.seconds(int(start), int(row.node), mode) + 60
            seen += 1
    assert seen > 20


def test_units_of_a_home_rule_return_home_and_time_adds_up(region, calls):
    result = simulate(region, calls, Rules(redispatch=False))
    assert (result.run.state.unit[:, kernel.U_STATION] == region.units["station"]).all()
    hours = result.units.filter(like="hours").sum(axis=1)
    assert np.allclose(hours, result.run.now / 3600)
    assert result.units["calls"].sum() == result.figures["served"]


def test_a_compliance_table_is_kept_when_all_are_idle(region, calls):
    result = simulate(region, calls, RULES["compliance"])
    assert sorted(result.run.state.unit[:, kernel.U_STATION].tolist()) == TABLE[3]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"node": 10_000}, "calls 0, 1, 2, 3, 4 and 55 more: node is not on the network"),
        ({"priority": 7}, "priority must be in 0 .. 1"),
        ({"scene": -1.0}, "scene must be a number, not negative"),
        ({"arrive": np.arange(60.0)[::-1]}, "arrive is before that of the row above"),
        ({"hospital": 5}, "unknown hospital"),
    ],
)
def test_bad_calls_are_named(region, calls, change, said):
    with pytest.raises(ValueError, match=said.replace("(", r"\(")):
        simulate(region, calls.assign(**change))


def test_rules_that_answer_nonsense_are_named(region, calls):
    class Wild:
        def dispatch(self, desk):
            return 99

    with pytest.raises(ValueError, match="dispatch answered 99 for call 0"):
        simulate(region, calls, Rules(Wild()))
    with pytest.raises(ValueError, match="must be one of nearest"):
        simulate(region, calls, Rules("nearby"))
    with pytest.raises(ValueError, match=r"needs Rules\(compliance"):
        simulate(region, calls, Rules(move_up="compliance"))


def test_a_unit_without_station_is_named(region, calls):
    with pytest.raises(ValueError, match=r"units 1: station must be in 0 \.\. 2"):
        simulate(region.with_units([0, 9]), calls)


def test_figures_are_those_of_the_data_frames(region, calls):
    result = simulate(region, calls, RULES["loss"])
    reached = result.calls.dropna(subset=["response"])
    for percent in (50, 90, 95):
        expected = np.percentile(reached["response"], percent)
        assert result.figures[f"response_p{percent}"] == pytest.approx(expected, abs=1e-5)
    urgent = reached[reached["priority"] == 0]["response"]
    assert result.figures["response_mean_urgent"] == pytest.approx(urgent.mean())
    assert result.figures["late_share_urgent"] == pytest.approx((urgent > 400).mean())
    assert result.figures["utilisation"] == pytest.approx(result.units["utilisation"].mean())


def test_a_call_that_loses_its_unit_keeps_its_age(region):
    calls = pd.DataFrame({"arrive": [0.0, 10.0, 20.0], "node": [5, 6, 7], "priority": [1, 1, 0]})
    table = simulate(region.with_units([0]), calls.assign(mobilise=200.0, scene=60.0)).calls
    assert table["preempted"].tolist() == [1, 0, 0]
    assert table["sent"].tolist()[2] == 20.0
    assert table["sent"][0] == table["closed"][2]
    assert table["sent"][1] == table["closed"][0]


def test_tables_by_the_hour_repeat_day_by_day_from_the_middle_of_one():
    hours = np.zeros((24, 4), int)
    hours[7:9] = 1
    driving = Driving.by_hour([0.3, 0.4], hours, 40 * 3600.0, start=7.5 * 3600.0)
    # From 07:30: the other table until 09:00, again from 07:00 to 09:00 of the next day; then to 23:30.
    assert (driving.switch / 3600).tolist() == [0.0, 1.5, 23.5, 25.5]
    assert driving.mode[:, 0].tolist() == [1, 0, 1, 0]
    with pytest.raises(ValueError, match="must be"):
        Driving.by_hour([0.3], hours[:5], 3600.0)


def test_a_run_by_the_hour_is_one_by_the_same_switches(region, calls):
    hours = np.zeros((24, 4), int)
    hours[5:] = 1
    length = float(calls["arrive"].max()) + 7200.0
    by_hour = replace(region, driving=Driving.by_hour(region.driving.pace, hours, length))
    by_hand = replace(region, driving=Driving(region.driving.pace, np.array([0.0, 18_000.0]), hours[[0, 5]]))
    assert length < 86_400
    assert state_bytes(Simulation(by_hour, calls).run()) == state_bytes(Simulation(by_hand, calls).run())
