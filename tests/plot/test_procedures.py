"""The timeline of procedures: a bar for each wait and each work, in order, and no picture for nothing."""

import numpy as np
import pytest

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")

from matplotlib import pyplot  # noqa: E402

from twin.plot.procedures import procedure_timeline  # noqa: E402
from twin.plot.style import Caption  # noqa: E402

MINUTE = 60_000_000


@pytest.fixture(autouse=True)
def _closed():
    yield
    pyplot.close("all")


def table(**changes):
    made = {
        "number": np.array([0, 0, 1]),
        "procedure": np.array(["fire", "fire", "flood"]),
        "stage": np.array(["confirm", "report", "look"]),
        "role": np.array(["duty_officer", "leader", "leader"]),
        "escalated": np.array([0, 2, 0]),
        "told_time": np.array([10, 15, 12]) * MINUTE,
        "acknowledged_time": np.array([11, 18, 13]) * MINUTE,
        "done_time": np.array([15 * MINUTE, -1, 20 * MINUTE]),
    }
    return made | changes


def bars(ax):
    return [(round(bar.get_x(), 6), round(bar.get_width(), 6)) for bar in ax.patches]


def test_each_stage_has_a_wait_and_its_work():
    ax = procedure_timeline(table())
    # The second stage is still at work at the last instant known, 20 min.
    assert bars(ax) == [(10, 1), (11, 4), (15, 3), (18, 2), (12, 1), (13, 7)]
    assert [label.get_text() for label in ax.get_yticklabels()] == [
        "confirm (duty officer)",
        "report (leader)",
        "look (leader)",
    ]


def test_escalations_and_names_of_procedures_are_written():
    texts = {text.get_text().strip() for text in procedure_timeline(table()).texts}
    assert texts == {"+2", "fire", "flood"}


def test_local_times_stand_below_where_they_are_known():
    start = np.datetime64("2026-01-15T17:03", "us")
    ax = procedure_timeline(table(), caption=Caption("Night", "A, replication 0"), clock=lambda time: start + time)
    shown = [label.get_text() for label in ax.get_xticklabels()]
    assert shown == [f"17:{minute}" for minute in (14, 16, 18, 20, 22)]
    assert ax.get_xticks().tolist() == [11, 13, 15, 17, 19]
    assert any("A, replication 0" in text.get_text() for text in ax.texts)


def test_a_stage_that_was_never_told_is_left_out():
    ax = procedure_timeline(table(told_time=np.array([10 * MINUTE, -1, 12 * MINUTE])))
    assert len(ax.get_yticklabels()) == 2


def test_nothing_that_began_is_an_empty_picture():
    ax = procedure_timeline({name: column[:0] for name, column in table().items()})
    assert bars(ax) == []
