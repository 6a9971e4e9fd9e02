"""The event calendar against a sorted list, in order, with cancellations."""

from bisect import insort

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.kernels.examples import examples
from twin.kernels.calendar import NEVER, cancel, grown, new_calendar, next_time, schedule, take

ACTIONS = st.lists(
    st.tuples(st.sampled_from("sssstc"), st.integers(0, 9), st.integers(0, 3), st.integers(0, 60)), max_size=80
)


def play(calendar, actions):
    """Do the same on the calendar and on a sorted list; return what each took out."""
    model, handles, taken, expected = [], [], [], []
    for number, (act, time, priority, which) in enumerate(actions):
        if act == "s":
            handle = schedule(calendar, time, priority, 5, number, -number)
            if len(model) == calendar.place.shape[0]:
                assert handle == -1
                continue
            insort(model, (time, priority, len(handles)))
            handles.append((handle, number))
        elif act == "t":
            row = take(calendar)
            taken.append(int(calendar.entry[row, 1]) if row >= 0 else -1)
            expected.append(handles[model.pop(0)[2]][1] if model else -1)
        elif handles:
            chosen = which % len(handles)
            pending = [event for event in model if event[2] == chosen]
            assert cancel(calendar, handles[chosen][0]) == bool(pending)
            model = [event for event in model if event[2] != chosen]
        assert next_time(calendar) == (model[0][0] if model else NEVER)
        assert calendar.tally[0] == len(model)
    return taken, expected


@examples(150)
@given(actions=ACTIONS)
def test_events_come_by_time_priority_and_sequence_whatever_is_cancelled(actions):
    taken, expected = play(new_calendar(64), actions)
    assert taken == expected


@examples(60)
@given(actions=ACTIONS)
def test_a_full_calendar_refuses_and_goes_on(actions):
    taken, expected = play(new_calendar(6), actions)
    assert taken == expected


def test_a_handle_of_an_event_that_has_happened_cancels_nothing_later():
    calendar = new_calendar(2)
    old = schedule(calendar, 1, 0, 1, 10, 0)
    take(calendar)
    schedule(calendar, 2, 0, 1, 11, 0)
    assert not cancel(calendar, old)
    assert calendar.entry[take(calendar), 1] == 11


def test_a_grown_calendar_keeps_its_events_and_handles():
    calendar = new_calendar(3)
    handles = [schedule(calendar, 9 - i, 0, 1, i, 0) for i in range(3)]
    assert schedule(calendar, 1, 0, 1, 9, 0) == -1
    calendar = grown(calendar, 5)
    schedule(calendar, 1, 0, 1, 9, 0)
    assert cancel(calendar, handles[1])
    assert [int(calendar.entry[take(calendar), 1]) for _ in range(3)] == [9, 2, 0]


@pytest.mark.parametrize("capacity", [0, 1 << 25])
def test_a_capacity_out_of_bounds_is_an_error(capacity):
    with pytest.raises(ValueError, match="capacity"):
        new_calendar(capacity)


def test_two_thousand_random_events_come_sorted():
    rng = np.random.default_rng(1)
    times = rng.integers(0, 300, 2000)
    calendar = new_calendar(2000)
    for i, time in enumerate(times):
        schedule(calendar, int(time), 0, 1, i, 0)
    order = [int(calendar.entry[take(calendar), 1]) for _ in times]
    assert order == np.argsort(times, kind="stable").tolist()
