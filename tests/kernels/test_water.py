"""Kernels of the water model, on cases small enough to work out."""

from __future__ import annotations

import numpy as np
import pytest

from twin.kernels import water_codes as codes
from twin.kernels.water_controls import Controls, apply_controls, control_step
from twin.kernels.water_inputs import REFUSED_LINK, REFUSED_NODE, Checked, Written, attempt, write_inputs
from twin.kernels.water_rules import Rules, Seen, apply_rules
from twin.kernels.water_service import Customers, look_round, powered_links, rates, todini
from twin.kernels.water_solution import Graph, Patterns, apply_patterns, ask, dry, publish, reach
from twin.kernels.water_tanks import Tanks, fill, level_at, tank_step, volume_at, whole_seconds

S = 1_000_000
NONE = np.zeros(0, np.int64)


def cylinder(area=10.0, low=1.0, high=5.0):
    """One upright tank."""
    one = np.ones(1)
    zero = np.zeros(1, np.int64)
    empty = np.zeros(0)
    return Tanks(low * one, high * one, area * one, area * low * one, area * high * one, zero, zero, empty, empty)


def funnel():
    """One tank whose volume rises faster above 1 m."""
    x, y = np.array([0.0, 1.0, 2.0]), np.array([0.0, 1.0, 5.0])
    one, zero = np.ones(1), np.zeros(1, np.int64)
    return Tanks(0 * one, 2 * one, one, 0 * one, 5 * one, zero, zero + 3, x, y)


def test_levels_and_volumes_belong_together():
    assert volume_at(cylinder(), 0, 3.0) == pytest.approx(30)
    assert level_at(cylinder(), 0, 30.0) == pytest.approx(3)
    assert volume_at(funnel(), 0, 1.5) == pytest.approx(3)
    assert level_at(funnel(), 0, 3.0) == pytest.approx(1.5)


def test_a_tank_fills_and_stops_at_the_brim_and_the_rest_is_counted():
    volume, level, corrected = np.array([45.0]), np.array([4.5]), np.zeros(1)
    fill(cylinder(), np.array([1.0]), 2 * S, volume, level, corrected)
    assert (volume[0], level[0], corrected[0]) == (47.0, pytest.approx(4.7), 0.0)
    fill(cylinder(), np.array([1.0]), 4 * S, volume, level, corrected)
    assert (volume[0], level[0], corrected[0]) == (50.0, 5.0, -1.0)


@pytest.mark.parametrize(("flow", "until"), [(1.0, 20), (-1.0, 20), (0.0, 3600), (0.3, 67)])
def test_a_step_ends_when_a_tank_is_full_or_empty(flow, until):
    found = tank_step(cylinder(), np.array([flow]), np.array([30.0]), np.array([3.0]), 3600 * S)
    assert found == until * S


def test_seconds_are_rounded_half_away_from_zero():
    assert [whole_seconds(x) // S for x in (1.4, 1.5, -1.5)] == [1, 2, -2]


def controls(when, limit=0.0, time=0, status=codes.CLOSED):
    """One control on link 0, by tank 0 or by time."""
    tank = 0 if when in (codes.WHEN_BELOW, codes.WHEN_ABOVE) else -1
    whole = [np.array([x]) for x in (0, -1, tank, time * S)]
    setting = np.array([0.0 if status == codes.CLOSED else 1.0])
    return Controls(
        whole[0],
        np.array([when], np.int8),
        whole[1],
        whole[2],
        np.array([limit]),
        whole[3],
        np.array([status], np.int8),
        setting,
    )


def link(status=codes.OPEN, setting=1.0):
    """Arrays of one pump: is_pipe, held, status, setting, closed."""
    closed = np.array([status == codes.CLOSED])
    return [np.zeros(1, bool), np.zeros(1, bool), np.array([status], np.int8), np.array([setting]), closed]


@pytest.mark.parametrize(
    ("control", "now", "acts"),
    [
        (controls(codes.WHEN_ABOVE, 3.0), 0, True),
        (controls(codes.WHEN_ABOVE, 3.2), 0, False),
        (controls(codes.WHEN_BELOW, 3.0), 0, True),
        (controls(codes.WHEN_TIME, time=7), 7, True),
        (controls(codes.WHEN_TIME, time=7), 8, False),
        (controls(codes.WHEN_CLOCK, time=3600), 86400 + 1800, True),
    ],
)
def test_controls_act_at_their_level_or_time(control, now, acts):
    pump, acted = link(), np.zeros(1, bool)
    clock = 1800 * S
    changes = apply_controls(control, cylinder(), now * S, clock, np.array([0.1]), np.array([3.0]), *pump, acted)
    assert (changes, bool(acted[0]), bool(pump[4][0])) == (acts, acts, acts)


def test_a_held_link_obeys_no_control():
    pump, acted = link(), np.zeros(1, bool)
    pump[1][0] = True
    control = controls(codes.WHEN_ABOVE, 3.0)
    assert apply_controls(control, cylinder(), 0, 0, np.zeros(1), np.array([3.0]), *pump, acted) == 0


@pytest.mark.parametrize(("status", "until"), [(codes.OPEN, 20), (codes.CLOSED, 3600)])
def test_a_step_ends_at_a_level_only_if_that_would_change_the_link(status, until):
    pump = link(status, float(status == codes.OPEN))
    tank = (np.array([1.0]), np.array([30.0]), np.array([3.0]))
    found = control_step(
        controls(codes.WHEN_ABOVE, 5.0), cylinder(), 0, 0, *tank, pump[0], pump[2], pump[3], pump[4], 3600 * S
    )
    assert found == until * S


def rules(premises, actions, elses=(), priority=(0.0,), spans=None):
    """Rules for link 0 over tank node 0; a premise is (either, variable, relation, value)."""
    acts = [*actions, *elses]
    spans = spans or ([(0, len(premises))], [(0, len(actions))], [(len(actions), len(elses))])
    either, variable, relation, value = (list(c) for c in zip(*premises, strict=True))
    n, m = len(premises), len(acts)
    return Rules(
        np.array(priority),
        *(np.array(span, np.int64).reshape(-1, 2) for span in spans),
        np.array(either, bool),
        np.array(variable, np.int8),
        np.zeros(n, np.int64),
        np.zeros(n, np.int64),
        np.array(relation, np.int8),
        np.array(value, float),
        np.full(n, 1e-3),
        np.zeros(n, np.int8),
        np.zeros(m, np.int64),
        np.array(acts, np.int8),
        np.full(m, np.nan),
        np.full(m, 1e-3),
    )


def evaluate(rule, now=360, status=codes.OPEN):
    """Return changes and the status of the pump after one evaluation at tank level 3 m."""
    head, zero, one = np.array([13.0]), np.array([10.0]), np.array([1.0])
    seen = Seen(now * S, (now - 360) * S, 0, 0.0, head, zero, one, np.array([30.0]), 0, one)
    pump = link(status, float(status == codes.OPEN))
    fired = np.zeros(len(rule.priority), bool)
    chosen = np.empty((1, 2), np.int64)
    changes = apply_rules(rule, seen, cylinder(), np.ones(1, np.int8), *pump[1:], chosen, fired)
    return changes, int(pump[2][0])


LEVEL, TIME = codes.LEVEL, codes.TIME
SHUT, OPEN = codes.CLOSED, codes.OPEN


@pytest.mark.parametrize(
    ("premises", "shuts"),
    [
        ([(False, LEVEL, codes.ABOVE, 2.9)], True),
        ([(False, LEVEL, codes.ABOVE, 3.0005)], True),
        ([(False, LEVEL, codes.AT_LEAST, 3.0)], False),
        ([(False, LEVEL, codes.BELOW, 2.9)], False),
        ([(False, LEVEL, codes.BELOW, 2.9), (True, TIME, codes.AT_LEAST, 360)], True),
        ([(False, LEVEL, codes.BELOW, 2.9), (False, TIME, codes.AT_LEAST, 360)], False),
        ([(False, TIME, codes.EQUAL, 200)], True),
        ([(False, TIME, codes.EQUAL, 0)], False),
        ([(False, codes.FILL_TIME, codes.BELOW, 21)], True),
        ([(False, codes.DRAIN_TIME, codes.BELOW, 1e9)], False),
    ],
)
def test_premises_hold_as_in_epanet(premises, shuts):
    changes, status = evaluate(rules(premises, [SHUT]))
    assert (changes, status) == ((1, SHUT) if shuts else (0, OPEN))


def test_else_acts_when_premises_fail():
    assert evaluate(rules([(False, LEVEL, codes.BELOW, 2.0)], [OPEN], [SHUT])) == (1, SHUT)


@pytest.mark.parametrize(("priority", "status"), [((0.0, 0.0), SHUT), ((0.0, 1.0), OPEN)])
def test_of_two_rules_the_first_wins_unless_the_other_has_priority(priority, status):
    both = [(False, LEVEL, codes.ABOVE, 2.0), (False, LEVEL, codes.ABOVE, 2.0)]
    spans = ([(0, 1), (1, 1)], [(0, 1), (1, 1)], [(2, 0), (2, 0)])
    assert evaluate(rules(both, [SHUT, OPEN], priority=priority, spans=spans))[1] == status


def test_values_reach_a_c_function_and_the_refused_one_is_found():
    """A project without a network refuses the first value, which is told in the library's units."""
    from twin.models.water.epanet import library as lib

    toolkit, refused = lib.toolkit(lib.new_project()), np.zeros(3)
    written = Written(np.array([1]), 0, np.array([9.0, 0.3]), 0.5, 2.0, 0.25)
    none, one = np.zeros(0), np.ones(1)
    status, setting = np.array([1, 0], np.int8), np.array([1.0, 6.0])
    assert write_inputs(toolkit, written, none, none, none, np.array([3.0]), status, setting, refused) == 102
    assert refused.tolist() == [REFUSED_NODE, 0.0, 12.0]
    assert write_inputs(toolkit, written, one, one, none, none, status, setting, refused) == 102
    assert refused.tolist() == [REFUSED_NODE, 0.0, 2.0]
    assert write_inputs(toolkit, written, none, none, none, none, status, setting, refused) == 102
    assert refused.tolist() == [REFUSED_LINK, 1.0, 0.0]


def test_an_attempt_on_a_project_without_a_network_tells_that_it_did_not_start():
    from twin.models.water.epanet import library as lib

    nodes, links = np.zeros((3, 1)), np.zeros((2, 1))
    written = Written(NONE, 0, np.ones(1), 1.0, 1.0, 1.0)
    answer = (nodes, links, np.zeros(1), np.zeros(1), np.zeros(1), np.zeros(1), np.zeros(1, bool), np.zeros(4))
    assert attempt(lib.toolkit(lib.new_project()), written, Checked(NONE, NONE, NONE, 0.01), 10, *answer) == -103


def test_an_answer_in_which_water_stands_before_a_shut_check_valve_is_betrayed():
    """A stand-in for the library answers heads of 2 and 1 units, and a shut link between them."""
    import ctypes

    from twin.kernels.foreign import address_of
    from twin.kernels.water_inputs import Toolkit

    def answer(_project, kind, values):
        values[0], values[1] = {9: 3.0, 10: 2.0, 31: 5.0}[kind], 1.0
        return 0

    whole, reals = ctypes.c_int, ctypes.POINTER(ctypes.c_double)
    quiet = ctypes.CFUNCTYPE(whole, ctypes.c_int64, whole)(lambda *_: 0)
    runs = ctypes.CFUNCTYPE(whole, ctypes.c_int64, ctypes.c_int64)(lambda *_: 0)
    reads = ctypes.CFUNCTYPE(whole, ctypes.c_int64, whole, reals)(answer)
    shut = ctypes.CFUNCTYPE(whole, ctypes.c_int64, whole, reals)(lambda *_: 0)
    functions = [address_of(function) for function in (quiet, quiet, quiet, runs, reads, shut, shut)]
    toolkit = Toolkit(0, *functions)
    written = Written(NONE, 0, np.ones(1), 0.5, 1.0, 0.25)
    head, inflow, delivered, flow = np.zeros(2), np.zeros(2), np.zeros(1), np.ones(1)
    found = (head, inflow, delivered, flow, np.zeros(1, bool), told := np.zeros(4))
    checked = Checked(np.array([0]), np.array([0]), np.array([1]), 0.2)
    assert attempt(toolkit, written, checked, 10, np.zeros((3, 2)), np.zeros((2, 1)), *found) == 0
    assert (head.tolist(), inflow.tolist(), delivered.tolist(), flow.tolist()) == (
        [0.5, 0.25],
        [1.5, 0.5],
        [2.5],
        [0.0],
    )
    assert told[2] == 1.0
    unwatched = checked._replace(links=np.array([-1]))
    attempt(toolkit, written, unwatched, 10, np.zeros((3, 2)), np.zeros((2, 1)), *found)
    assert told[2] == 0.0


def graph():
    """Lake 2 - 0 - 1 - tank 3: links 0 (2-0), 1 (0-1), 2 (1-3); the tank is empty at 1 m."""
    first = np.array([0, 2, 4, 5, 6])
    return Graph(first, np.array([2, 1, 0, 3, 0, 1]), np.array([0, 1, 1, 2, 0, 2]), 2, np.ones(1))


@pytest.mark.parametrize(
    ("shut", "level", "joined"),
    [
        ([], 2.0, [1, 1, 1, 1]),
        ([1], 2.0, [1, 1, 1, 1]),
        ([1], 1.0, [1, 0, 1, 0]),
        ([0], 1.0, [0, 0, 1, 0]),
        ([0], 2.0, [1, 1, 1, 1]),
        ([0, 2], 2.0, [0, 0, 1, 1]),
    ],
)
def test_water_comes_from_a_lake_or_a_tank_that_is_not_empty(shut, level, joined):
    passes, found = np.ones(3, bool), np.ones(4, bool)
    passes[shut] = False
    reach(graph(), passes, np.array([level]), found)
    assert found.astype(int).tolist() == joined


def test_a_solution_is_asked_for_nothing_where_no_source_reaches():
    status, works = np.array([1, 2, 1], np.int8), np.array([True, True, False])
    asked, opened, commanded = np.empty(2), np.empty(2), np.empty(3, np.int8)
    demand, emitter, leak = np.array([3.0, 4.0]), np.array([1.0, 1.0]), np.array([0.0, 0.5])
    ask(graph(), works, status, np.array([1.0]), demand, emitter, leak, commanded, asked, opened)
    assert (commanded.tolist(), asked.tolist(), opened.tolist()) == ([1, 2, 0], [3.0, 4.0], [1.0, 1.5])
    works[1] = False
    ask(graph(), works, status, np.array([1.0]), demand, emitter, leak, commanded, asked, opened)
    assert (commanded.tolist(), asked.tolist(), opened.tolist()) == ([1, 0, 0], [3.0, 0.0], [1.0, 0.0])


def test_what_a_solver_says_of_a_cut_off_part_is_not_believed():
    elevation, level = np.array([5.0, 6.0, 20.0, 30.0]), np.array([1.0])
    solved = (np.array([0, 1, 0], bool), np.ones(3), np.full(4, 99.0), np.full(4, 7.0), np.full(2, 7.0))
    closed, flow, head = np.zeros(3, bool), np.zeros(3), np.array([0.0, 0.0, 0.0, 31.0])
    inflow, delivered, connected = np.zeros(4), np.zeros(2), np.zeros(4, bool)
    publish(graph(), elevation, level, solved, closed, flow, head, inflow, delivered, connected)
    assert head.tolist() == [99.0, 6.0, 99.0, 31.0]
    assert (inflow.tolist(), delivered.tolist()) == ([7.0, 0.0, 7.0, 0.0], [7.0, 0.0])
    assert flow.tolist() == [1.0, 0.0, 0.0]
    assert (closed.tolist(), connected.tolist()) == ([False, True, False], [True, False, True, False])
    connected[0] = False
    dry(graph(), elevation, connected, head, inflow, delivered, flow)
    assert (head[0], inflow[0], delivered[0], flow[0]) == (5.0, 0.0, 0.0, 0.0)


def test_patterns_multiply_demands_heads_and_speeds():
    """Pattern 0 has the periods 2 and 3, pattern 1 only 0; pump 0 follows it, pump 1 is held, pump 2 has none."""
    patterns = Patterns(
        x=np.array([2.0, 3.0, 0.0]),
        first=np.array([0, 2]),
        periods=np.array([2, 1]),
        base=np.array([1.0, 1.0, 5.0]),
        junction=np.array([0, 0, 1]),
        pattern=np.array([0, -1, 0]),
        head=np.array([10.0, 10.0]),
        head_pattern=np.array([-1, 0]),
        pump_pattern=np.array([1, 1, -1]),
        first_pump=1,
    )
    status, setting, closed = np.ones(4, np.int8), np.full(4, 0.5), np.zeros(4, bool)
    held, demand, heads = np.array([0, 0, 1, 0], bool), np.empty(2), np.empty(2)
    apply_patterns(patterns, 5, np.array([0.0, 0.25]), held, status, setting, closed, demand, heads)
    assert (demand.tolist(), heads.tolist()) == ([4.0, 15.25], [10.0, 30.0])
    assert (status.tolist(), setting.tolist()) == ([1, 0, 1, 1], [0.5, 0.0, 0.5, 0.5])
    assert closed.tolist() == [False, True, False, False]


def test_service_counts_customers_and_not_hydrants():
    found = np.empty(3)
    demand, draw, delivered = np.array([5.0, 3.0, -1.0]), np.array([1.0, 0.0, 0.0]), np.array([5.0, 2.0, -1.0])
    head, elevation = np.array([20.0, 12.0, 20.0, 0.0]), np.array([10.0, 10.0, 10.0, 0.0])
    rates(demand, draw, delivered, head, elevation, np.array([100.0, 40.0, 2.0]), 7.0, found)
    assert found.tolist() == [7.0, 6.0, 40.0]


def test_todini_s_index_by_hand():
    """10 L/s are asked at 20 m and get 33 m; the lake at 30 m gives 0.3 m4/s and the pump that lifts 3 m 0.03."""
    head, elevation, one = np.array([33.0, 30.0]), np.array([5.0, 30.0]), np.zeros(1, np.int64)
    lift = (one + 1, one, np.array([0.01]))
    index = todini(head, elevation, 15.0, np.array([0.01]), np.array([0.01, -0.01]), *lift)
    assert index == pytest.approx(0.01 * 13 / (0.01 * 30 + 0.01 * 3 - 0.01 * 20))
    assert np.isnan(todini(head, elevation, 95.0, np.array([0.01]), np.array([0.01, -0.01]), *lift))


def test_a_look_round_finds_who_is_served_otherwise_than_before():
    """Junctions 0 (20 m) and 1 (5 m), hydrants unused and used at 1 and used at 0; pump 1 lifts from lake 2 to 0."""
    elevation, head = np.array([10.0, 10.0, 0.0]), np.array([30.0, 15.0, 12.0])
    hydrant, drawn = np.array([1, 1, 0]), np.array([0.0, 0.1, 0.1])
    customers = Customers(elevation, np.array([5.0, 7.0]), hydrant, np.array([2]), np.array([0]), 1, 5.0, 7.0, 14.0)
    demand, draw, delivered = np.array([0.02, 0.03]), np.array([0.0, 0.01]), np.array([0.02, 0.015])
    inflow, flow = np.array([0.02, 0.015, -0.035]), np.array([0.3, 0.035])
    solved = (demand, draw, delivered, head, inflow, flow)
    pressure, low, works, found = np.empty(2), np.empty(2, bool), np.empty(3, bool), np.empty(4)
    served, stood = np.array([False, True]), np.array([True, False, True])
    before = (drawn, served, stood)
    assert look_round(customers, *solved, *before, pressure, low, works, found) == (False, False)
    assert (pressure.tolist(), low.tolist(), works.tolist()) == ([20.0, 5.0], [False, True], [True, False, True])
    assert found[:3] == pytest.approx([0.04, 0.035, 7.0])
    lift = (np.array([2]), np.array([0]), flow[1:])
    assert found[3] == todini(head, elevation, 5.0, demand, inflow, *lift) > 0.0
    assert look_round(customers, *solved, drawn, ~served, stood, pressure, low, works, found) == (True, False)
    assert look_round(customers, *solved, drawn, served, ~stood, pressure, low, works, found) == (False, True)


@pytest.mark.parametrize(
    ("energised", "failed", "shut", "cut_out", "works", "powered"),
    [
        ([1, 0], [], [], [], [1, 1, 1, 1], [1, 1]),
        ([0, 1], [], [], [], [1, 0, 1, 1], [0, 1]),
        ([], [], [], [], [1, 1, 1, 1], [1, 1]),
        ([1, 1], [0, 1, 3], [], [], [1, 0, 1, 1], [1, 1]),
        ([1, 1], [], [0, 3], [], [0, 1, 1, 0], [1, 1]),
        ([1, 1], [], [], [0, 2], [1, 1, 0, 1], [1, 1]),
    ],
)
def test_links_work_that_are_open_and_pumps_that_may_and_have_power(energised, failed, shut, cut_out, works, powered):
    """Pipe 0, pumps 1 (at bus 0) and 2 (of its own), valve 3; a burst pipe still leads water."""
    marks = [np.isin(np.arange(4), rows) for rows in (failed, shut, cut_out)]
    found, has = np.empty(4, bool), np.empty(2, bool)
    stopped = (marks[0], *(mark.astype(np.int16) for mark in marks[1:]))
    asked = (np.array([0, -1]), np.array(energised, bool), *stopped, 1)
    wanted = np.array(works, bool)
    assert not powered_links(*asked, wanted, has, found)
    assert (found.tolist(), has.tolist()) == (wanted.tolist(), np.array(powered, bool).tolist())
    assert powered_links(*asked, np.arange(4) == np.where(wanted[0], 9, 0), has, found)
