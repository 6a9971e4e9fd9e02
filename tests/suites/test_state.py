"""The full state, kept when asked for: its tables, its estimate, and that it changes nothing else."""

from __future__ import annotations

from dataclasses import replace

import pyarrow.parquet
import pytest

from twin.contract import MINUTE
from twin.execution.recorder import PARTS, state_bytes
from twin.execution.run import Control, assemble, run_case


@pytest.fixture
def case(tiny):
    found = tiny().cases()[0]
    return replace(found, record={**found.record, "state": True, "every": 5 * MINUTE})


def tables(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.parquet")}


def test_state_is_a_table_with_a_row_per_instant(tmp_path, case):
    run_case(case, tmp_path)
    rows = pyarrow.parquet.read_table(tmp_path / "state" / "shop.parquet").to_pylist()
    assert [row["time"] for row in rows] == [n * 5 * MINUTE for n in range(7)]
    assert rows[0]["arrived"] == 0 < rows[1]["arrived"] <= rows[6]["arrived"]
    assert rows[6]["local"].isoformat() == "2026-01-15T17:30:00"
    assert not (tmp_path / PARTS).exists()


def test_recording_changes_no_other_table(tmp_path, case):
    run_case(case, tmp_path / "with")
    run_case(replace(case, record={"every": 5 * MINUTE}), tmp_path / "without")
    kept = {name: data for name, data in tables(tmp_path / "with").items() if not name.startswith("state/")}
    assert kept == tables(tmp_path / "without")


def test_an_interrupted_record_goes_on_to_the_same_bytes(tmp_path, case):
    run_case(case, tmp_path / "whole")
    calls = iter(range(60))
    record = run_case(case, tmp_path / "cut", Control(stop=lambda: next(calls, None) is None))
    assert record.status == "interrupted"
    assert 0 < len(list((tmp_path / "cut" / PARTS).iterdir())) < 7
    assert run_case(case, tmp_path / "cut").status == "complete"
    assert tables(tmp_path / "cut") == tables(tmp_path / "whole")


def test_the_estimate_is_what_is_recorded_before_compression(case):
    assert state_bytes(assemble(case), 5 * MINUTE) == 7 * (8 + 8 + 8 + 1 + 1)


def test_a_scenario_asks_for_it_by_a_flag(tiny):
    text = "record: {every: 1 min}"
    from tests.suites.conftest import TEXT

    assert tiny(text=TEXT.replace(text, "record: {every: 1 min, state: true}")).cases()[0].record["state"] is True
