"""Why the latest call was late: the line of causes, in words."""

from __future__ import annotations

import shlex

import numpy as np
import pytest

from twin.chain import Words
from twin.contract import EventKind
from twin.report.causes import causes, stages, told_path
from twin.report.data import read_report
from twin.report.story import late_call, steps
from twin.results import Results
from twin.why import Causes


def test_the_line_of_causes_runs_from_the_flood_to_the_late_call(suite):
    told = late_call(read_report(Results(suite)))
    assert told is not None
    assert [when for when, _ in told[0]] == ["18:00:00", "19:00:00", "19:00:00", "19:01:00", "20:00:00"]
    assert [what.split(" ")[0] for _, what in told[0]] == ["The", "Gardu", "Signal", "Traffic", "Help"]
    assert told[0][1][1] == "Gardu 1 (ss0) trips"
    assert "1 more like it" in told[0][3][1]
    assert "15.0 minutes" in told[2]


@pytest.mark.parametrize("start", [".", "elsewhere"])
def test_the_command_that_tests_the_line_finds_its_run_from_here(suite, monkeypatch, start):
    here = suite.parent / start
    here.mkdir(exist_ok=True)
    monkeypatch.chdir(here)
    words = shlex.split(late_call(read_report(Results(suite)))[3])
    run = words[words.index("--run") + 1]
    assert words[:3] == ["twin", "why", "6"]
    assert not run.startswith("/")
    assert (here / run / "manifest.json").is_file()
    assert words[-3:] == ["--verify", "--root", "0"]


def late_drive(minutes_waited):
    """Return a log in which a call waited, and then the unit met a slow street behind a flood."""
    minute = 60_000_000
    sent = 5 + minutes_waited
    rows = [
        ("surge", -1, 1), ("flood", -1, 2), ("call_rings", 7, 4), ("call_triaged", 7, 5), ("unit_free", 2, sent),
        ("order.dispatch", 7, sent), ("unit_dispatched", 7, sent), ("link_slow", 3, sent + 1),
        ("unit_on_scene", 7, sent + 20), ("call_late", 7, sent + 20),
    ]  # fmt: skip
    pairs = [(2, 0), (3, 2), (5, 4), (6, 5), (6, 3), (7, 1), (8, 6), (9, 8), (9, 6), (9, 7)]
    kind, target, time = (np.array(column) for column in zip(*rows, strict=True))
    event, parent = (np.array(column) for column in zip(*pairs, strict=True))
    return Causes({"kind": kind, "target": target, "time": time * minute}, {"event": event, "parent": parent})


def test_a_long_drive_is_told_by_the_street_that_was_slow():
    found = late_drive(3)
    assert stages(found, 9) == {"call taking": 60.0, "wait for a unit": 180.0, "alert and drive": 1200.0}
    assert told_path(found, 9) == [1, 7, 9]


def test_a_long_wait_is_told_by_the_unit_that_was_busy():
    assert told_path(late_drive(40), 9)[-2:] == [6, 9]


def test_a_drive_without_a_logged_reason_is_told_by_the_richest_line():
    found = late_drive(3)
    kept = found.parents["parent"] != 7
    bare = Causes(found.events, {name: column[kept] for name, column in found.parents.items()})
    assert told_path(bare, 9) == bare.line(9)


def test_the_richest_line_wins_over_a_shorter_one(suite):
    found = causes(Results(suite).complete[0])
    assert found.line(6) == [0, 1, 2, 3, 4, 6]
    assert found.line(7) == [5, 7]


def test_of_equally_rich_lines_the_shorter_wins():
    kinds = np.array(["flood", "slow", "slow", "late"])
    found = Causes(
        {"kind": kinds, "time": np.arange(4)}, {"event": np.array([1, 2, 3, 3]), "parent": np.array([0, 1, 1, 2])}
    )
    assert found.line(3) == [0, 1, 3]


def test_an_event_of_an_unknown_kind_is_still_told(suite):
    report = read_report(Results(suite))
    found = causes(report.runs["A"][0])
    found.events["kind"] = np.where(found.events["kind"] == "call_late", "new_{kind}", found.events["kind"])
    found.events["data"] = np.ones_like(found.events["data"])
    assert report.city is not None
    kinds = {"new_{kind}": EventKind("new_{kind}", "", "sites|call")}
    for known, told in (({}, "#7"), (kinds, "call 7")):
        assert steps(Words(report.city, report.local, known), found, [6])[0][1] == f"New {{kind}} ({told})"
