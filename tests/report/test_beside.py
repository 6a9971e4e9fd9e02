"""Work in a fork of the process gives what it would give here, errors too."""

from __future__ import annotations

import os

import pytest

from twin.report.beside import beside


def test_the_fork_gives_what_the_work_gives():
    assert beside(lambda: [1, "two", b"three"])() == [1, "two", b"three"]


def test_the_work_is_done_elsewhere_where_there_is_a_core():
    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("one core")
    assert beside(os.getpid)() != os.getpid()


def test_an_error_shows_as_it_would_here():
    with pytest.raises(ZeroDivisionError):
        beside(lambda: 1 // 0)()


def test_a_fork_that_dies_costs_nothing():
    here = os.getpid()
    assert beside(lambda: os._exit(9) if os.getpid() != here else "done")() == "done"
