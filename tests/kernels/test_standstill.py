"""The kernel of compiled branches, followed by hand: missions, roads that change, bays, reports, rules."""

from __future__ import annotations

import numpy as np

from tests.kernels.standstill_cases import HOSPITAL, ROUND, SECOND, TIMES, case, moves, reel, rule, state
from twin.kernels import standstill_arrays as kernel
from twin.kernels.calendar import new_calendar, schedule
from twin.kernels.standstill import serve

LATE = 900 * SECOND


def served(the_case, until=LATE, **given):
    made = state(the_case, **given)
    assert serve(the_case, made, until) == kernel.DONE
    return made


def seconds(made, call=0):
    """Return when a call was dispatched, reached, brought, given a bay and closed (s)."""
    return (made.call[call, kernel.C_DISPATCHED : kernel.C_CLOSED + 1] / SECOND).tolist()


def test_a_mission_takes_its_steps_to_the_second():
    made = served(case([(2, 5)]), stations=(0,))
    assert seconds(made) == [6.0, 63.0, 173.0, 173.0, 233.0]
    assert made.call[0, kernel.C_STAGE] == kernel.SERVED
    assert made.unit[0, kernel.U_STAGE] == kernel.AT_STATION
    assert made.unit[0, kernel.U_NODE] == 0


def test_who_need_not_go_to_hospital_is_closed_on_scene():
    made = served(case([(2, 5)], transport=np.array([False])), stations=(0,))
    assert seconds(made) == [6.0, 63.0, -1e-6, -1e-6, 163.0]


def test_a_leg_is_timed_again_when_its_roads_slow_down():
    slow = case([(2, 5)], road=reel((53, kernel.SETTLED)), road_time=np.stack([TIMES, 2 * TIMES]))
    assert seconds(served(slow, stations=(0,)))[1] == 68.0


def test_a_change_in_no_known_order_with_what_reads_it_is_a_tie():
    tie = case([(2, 5)], road=reel((53, kernel.SERVICE)), road_time=np.stack([TIMES, 2 * TIMES]))
    assert serve(tie, state(tie, stations=(0,)), LATE) == kernel.TIED
    before = case([(2, 5)], road=reel((52.9, kernel.SERVICE)), road_time=np.stack([TIMES, 2 * TIMES]))
    assert seconds(served(before, stations=(0,)))[1] == 73.0


def closed(*links):
    times = TIMES.copy()
    times[list(links)] = np.inf
    return times


def test_a_unit_turns_off_before_a_road_that_closes():
    shut = case([(2, 5)], road=reel((50, kernel.SETTLED)), road_time=np.stack([TIMES, closed(2)]))
    made = served(shut, stations=(0,), until=51 * SECOND)
    assert made.path[0, :3].tolist() == [0, *ROUND]
    assert seconds(served(shut, stations=(0,)))[1] == 83.0


def test_a_unit_without_a_way_waits_at_the_next_node_until_a_road_opens():
    times = np.stack([TIMES, closed(2, 6), TIMES])
    shut = case([(2, 5)], road=reel((50, kernel.SETTLED), (80, kernel.SETTLED)), road_time=times)
    waiting = served(shut, stations=(0,), until=79 * SECOND)
    assert (waiting.unit[0, kernel.U_NODE], waiting.unit[0, kernel.U_STUCK]) == (1, 1)
    assert seconds(served(shut, stations=(0,)))[1] == 90.000001


def test_a_patient_without_a_way_is_brought_when_a_road_opens():
    times = np.stack([TIMES, closed(4), TIMES])
    shut = case([(2, 5)], road=reel((100, kernel.SETTLED), (200, kernel.SETTLED)), road_time=times)
    assert seconds(served(shut, stations=(0,)))[2] == 210.000001


def test_a_patient_without_a_way_is_brought_to_another_hospital_that_opens_up():
    times = np.stack([TIMES, closed(3, 4, 9), closed(4, 9)])
    shut = case(
        [(2, 5)],
        road=reel((100, kernel.SETTLED), (200, kernel.SETTLED)),
        road_time=times,
        hospital_node=np.array([HOSPITAL, 0]),
        bay_factor=np.ones((1, 2)),
    )
    made = served(shut, stations=(0,), bays=(1, 1))
    assert seconds(made)[2] == 220.000001


def test_what_is_due_at_the_end_has_not_happened():
    plain = case([(2, 5)])
    assert seconds(served(plain, stations=(0,), until=63 * SECOND))[1] == -1e-6
    assert seconds(served(plain, stations=(0,), until=63 * SECOND + 1))[1] == 63.0


def test_the_most_urgent_gets_the_bay_that_falls_free():
    urgent = case([(2, 5), (2, 6), (2, 7)], priority=np.array([1, 3, 2]), found=np.array([1, 3, 2]))
    made = served(urgent, stations=(0, 0, 0), bays=1)
    bays = [made.call[call, kernel.C_BAY] / SECOND for call in range(3)]
    assert bays[0] < bays[2] < bays[1]
    assert bays[2] == bays[0] + 60
    assert bays[1] == bays[2] + 60
    assert made.free_bays.tolist() == [1]


def test_a_hospital_gone_dark_takes_longer_from_then_on():
    dark = case([(2, 5)], bay=reel((170, kernel.SETTLED)), bay_factor=np.array([[1.0], [1.5]]))
    assert seconds(served(dark, stations=(0,)))[4] == 173 + 90


def test_nobody_is_sent_who_was_not_heard_to_be_free():
    silent = np.ones((2, 5), np.bool_)
    silent[1, :] = False
    calls = [(2, 5), (2, 300)]
    heard = served(case(calls), stations=(0,))
    deaf = served(case(calls, site=reel((100, kernel.SETTLED)), heard=silent), stations=(0,))
    assert heard.call[1, kernel.C_STAGE] == kernel.SERVED
    assert deaf.call[1, kernel.C_STAGE] == kernel.WAITING


def test_a_lost_report_is_made_up_for_by_the_next():
    lost = np.zeros((300, 1), np.bool_)
    lost[59] = True
    calls = [(2, 5), (2, 239), (2, 243)]
    plain, late = served(case(calls), stations=(0,)), served(case(calls, lost=lost), stations=(0,))
    assert seconds(plain, 1)[0] == 240
    assert seconds(late, 1)[0] == 244


def test_a_call_waits_for_a_dispatcher():
    made = state(two := case([(2, 5), (2, 5)]), stations=(0, 0))
    made.clock[kernel.IDLE] = 1
    assert serve(two, made, LATE) == kernel.DONE
    assert seconds(made, 1)[0] == seconds(made, 0)[0] + 31


def test_a_calendar_that_is_full_is_told():
    made = state(plain := case([(2, 5)]))._replace(calendar=new_calendar(2))
    schedule(made.calendar, 0, kernel.SERVICE, kernel.TRIAGED, 0, 0)
    schedule(made.calendar, 0, kernel.REPORT, kernel.SAMPLE, 0, 0)
    assert serve(plain, made, LATE) == kernel.CALENDAR_FULL


def sent(the_rule, node=1, stations=(0, 1), **given):
    """Return the unit that is sent to a call at a node, -1 for none."""
    made = served(case([(node, 5)], rule=the_rule, **given), stations=stations, until=20 * SECOND)
    return int(made.call[0, kernel.C_UNIT])


def test_the_closest_as_believed_is_sent():
    assert sent(rule()) == 0
    believed = TIMES.copy()
    believed[0] = 100.0
    assert sent(rule(), seen_time=np.stack([believed])) == 1


def test_what_is_believed_changes_with_its_reel():
    believed = TIMES.copy()
    believed[0] = 100.0
    seen = np.stack([TIMES, believed])
    assert sent(rule(), seen=reel((4, kernel.REPORT)), seen_time=seen) == 1
    assert sent(rule(), seen=reel((5, kernel.REPORT)), seen_time=seen) == 1
    assert sent(rule(), seen=reel((5, kernel.SETTLED)), seen_time=seen) == 0


def test_the_unit_of_least_loss_is_sent_if_it_is_in_time():
    covered = np.zeros((1, 5), np.bool_)
    covered[0, 0] = True
    made = {"covered": covered, "population": np.ones(1), "busy": 0.5}
    assert sent(rule(kernel.LEAST_LOSS, target=60.0, **made)) == 1
    assert sent(rule(kernel.LEAST_LOSS, target=20.0, **made)) == 0
    assert sent(rule(kernel.LEAST_LOSS, target=60.0, preparation=50.0, **made)) == 0


def test_the_first_station_of_the_list_is_sent_from():
    rank = np.tile([1, 0], (5, 1))
    assert sent(rule(kernel.LISTED, rank=rank)) == 1
    assert sent(rule(kernel.LISTED, rank=rank), stations=(0, 0)) == 0


def test_the_decision_table_is_asked_with_who_is_busy():
    table = np.full((1, 4, 1), -1)
    table[0, :3, 0] = [1, 1, 0]
    made = {"zone": np.zeros(5, np.int64), "group": np.zeros(1, np.int64), "column": np.zeros(1, np.int64)}
    made |= {"member": np.array([[0, 1]]), "table": table, "target": 60.0}
    assert sent(rule(kernel.TABLE, **made)) == 1
    assert sent(rule(kernel.TABLE, **{**made, "target": 20.0})) == 0
    both = case([(1, 5), (1, 10)], rule=rule(kernel.TABLE, **made))
    assert served(both, until=20 * SECOND).call[:, kernel.C_UNIT].tolist() == [1, 0]


def test_a_call_near_a_hospital_waits_for_the_unit_that_hands_over():
    aware = rule(kernel.AWARE, handover=60.0, sooner=20.0)
    for the_rule, units in ((aware, [0, 0]), (aware._replace(sooner=1e9), [0, 1]), (rule(), [0, 1])):
        made = state(near := case([(3, 5), (3, 200)], rule=the_rule), stations=(1, 0))
        schedule(made.calendar, 0, kernel.DECISION, kernel.TIMER, 0, 0)
        assert serve(near, made, 250 * SECOND) == kernel.DONE
        assert made.call[:, kernel.C_UNIT].tolist() == units


def moved(the_moves, until=400, calls=((2, 5),), stations=(0, 1)):
    made = served(case(list(calls), moves=the_moves), stations=stations, until=until * SECOND)
    return made.unit[:, kernel.U_STATION].tolist()


def test_a_freed_unit_goes_where_it_adds_most_coverage():
    covered, demand = np.eye(2, dtype=np.bool_), np.array([1.0, 10.0])
    gain = moves(kernel.MOST_GAIN, covered=covered, demand=demand)
    assert moved(gain, stations=(0, 0)) in ([1, 0], [0, 1])
    assert moved(moves(kernel.MOST_GAIN, covered=covered, demand=demand[::-1].copy()), stations=(0, 0)) == [0, 0]


def test_a_freed_unit_fills_the_first_place_of_the_list():
    assert moved(moves(kernel.FILL_LIST, listed=np.array([1, 1, 0])), stations=(0, 0)) in ([1, 0], [0, 1])
    assert moved(moves(kernel.FILL_LIST, listed=np.array([0, 0, 1])), stations=(0, 0)) == [0, 0]


def test_a_place_that_is_filled_is_passed_over():
    assert moved(moves(kernel.FILL_LIST, listed=np.array([0, 1, 1]))) == [0, 1]


def test_idle_units_hold_the_row_of_the_table():
    drive = np.array([[0.0, 10.0, 20.0, 30.0, 25.0], [30.0, 20.0, 10.0, 0.0, 25.0]])
    table = moves(kernel.COMPLY, on_sent=1, table=np.array([[1, 0], [0, 1]]), drive=drive)
    assert moved(table, until=20, calls=((3, 5),), stations=(0, 1)) == [1, 1]


def test_a_unit_at_home_sets_off_at_once_and_is_reported_there():
    drive = np.zeros((2, 5))
    table = moves(kernel.COMPLY, on_sent=1, table=np.array([[1, 0], [0, 1]]), drive=drive)
    made = served(case([(HOSPITAL, 5)], moves=table), stations=(0, 1), until=30 * SECOND)
    assert made.unit[0, kernel.U_STAGE] == kernel.RETURNING
    made = served(case([(HOSPITAL, 5)], moves=table), stations=(0, 1), until=60 * SECOND)
    assert (made.unit[0, kernel.U_STAGE], made.unit[0, kernel.U_NODE]) == (kernel.AT_STATION, HOSPITAL)
