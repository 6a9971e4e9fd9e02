"""The report shows the procedures of the first replication of each arm, and nothing where there are none."""

from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("matplotlib").use("Agg")
import pyarrow  # noqa: E402
import pyarrow.parquet  # noqa: E402

from twin.report.procedures import timelines  # noqa: E402

MINUTE = 60_000_000


def run_of(folder, arm, waits=()):
    """Return a run whose stages waited so many minutes each for somebody to acknowledge them."""
    place = folder / arm
    (place / "procedures").mkdir(parents=True)
    told = 10 * MINUTE * np.arange(len(waits))
    heard = told + (np.array(waits, float) * MINUTE).astype(np.int64)
    names = {name: [f"{name} {i}" for i in range(len(waits))] for name in ("stage", "role")}
    table = {
        "number": np.zeros(len(waits), np.int32),
        "procedure": ["fire"] * len(waits),
        **names,
        "escalated": np.array([1] * len(waits), np.int16),
        "told_time": told,
        "acknowledged_time": heard,
        "done_time": heard + MINUTE,
    }
    pyarrow.parquet.write_table(pyarrow.table(table), place / "procedures" / "timeline.parquet")
    return SimpleNamespace(folder=place, replication=0)


def report_of(**runs):
    return SimpleNamespace(
        shown=list(runs),
        runs={arm: [run] for arm, run in runs.items()},
        title="Fire drill",
        period=lambda: "2026-01-15 17:00 to 18:00 WITA",
        moment=lambda time: np.datetime64("2026-01-15T17:00", "us") + time,
    )


def test_each_arm_gets_a_timeline_that_says_what_it_shows(tmp_path):
    found = timelines(report_of(A=run_of(tmp_path, "A", (1, 2.5)), B=run_of(tmp_path, "B", (3,))))
    assert [shown.name for shown in found] == ["procedures_A", "procedures_B"]
    assert "2 stages, 2 handed to a higher role; the longest wait for acknowledgement was 2.5 min" in found[0].caption
    assert all(shown.content.startswith(b"\x89PNG") for shown in found)


def test_without_procedures_there_is_no_picture(tmp_path):
    silent = SimpleNamespace(folder=tmp_path / "none", replication=0)
    assert timelines(report_of(A=silent, B=run_of(tmp_path, "B"))) == []
