"""One desk of call-takers by itself: who answers which call when, worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from twin.models.emergency.answering import NEVER, Ringing, answer


def calls(*pairs):
    return Ringing(np.array([row for row, _ in pairs], np.int64), np.array([time for _, time in pairs], np.int64))


def test_a_free_desk_answers_at_once_and_a_busy_one_in_the_order_of_ringing():
    talk = np.array([10, 20, 30, 5])
    found = answer(2, talk, np.full(4, 1000), calls(), calls(), calls((0, 0), (1, 1), (2, 2), (3, 3)))
    assert found.begun.tolist() == [0, 1, 10, 21]
    assert found.known.tolist() == [10, 21, 40, 26]
    assert (found.given_up == NEVER).all()


def test_a_caller_who_waits_too_long_hangs_up_and_the_next_one_is_answered():
    found = answer(1, np.array([50, 10, 10]), np.array([99, 20, 99]), calls(), calls(), calls((0, 0), (1, 1), (2, 2)))
    assert found.given_up.tolist() == [NEVER, 21, NEVER]
    assert found.begun.tolist() == [0, NEVER, 50]


def test_calls_in_hand_and_calls_that_ring_already_come_first():
    found = answer(1, np.full(3, 10), np.full(3, 99), calls((2, 7)), calls((0, 60)), calls((1, 3)))
    assert found.known.tolist() == [17, 27, 7]
    assert found.begun[2] == NEVER


@pytest.mark.parametrize("takers", [1, 2, 5])
def test_nobody_is_answered_and_gives_up_and_never_more_talk_at_once_than_there_are_people(takers):
    luck = np.random.default_rng(takers)
    talk, time = luck.integers(1, 90, 300), np.sort(luck.integers(0, 5000, 300))
    found = answer(takers, talk, luck.integers(1, 60, 300), calls(), calls(), Ringing(np.arange(300), time))
    assert ((found.begun == NEVER) != (found.given_up == NEVER)).all()
    for instant in found.begun[found.begun < NEVER].tolist():
        assert ((found.begun <= instant) & (instant < found.known) & (found.begun < NEVER)).sum() <= takers
