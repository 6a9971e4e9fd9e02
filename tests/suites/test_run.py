"""One case: its name, its files, its failures, and going on where it was left."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest

from twin.contract import MINUTE, SECOND
from twin.errors import ContractError
from twin.execution.output import clock, domain_tables, write_table
from twin.execution.run import Control, assemble, run_case, run_folder
from twin.world import World

NEW_YORK_FALL_BACK = 1_793_512_800_000_000
"""2026-11-01 06:00 UTC, when New York's clocks go from 02:00 back to 01:00 (IANA tzdata)."""


@pytest.fixture
def case(tiny):
    return tiny().cases()[0]


def files_of(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.parquet")}


def stopping_after(calls):
    """Return a stop function that says stop at its nth call."""
    left = iter(range(calls))
    return lambda: next(left, None) is None


def test_a_run_is_named_by_what_its_figures_depend_on(tmp_path, case):
    name = run_folder(case, tmp_path)
    assert run_folder(replace(case, title="other words", folder=case.folder), tmp_path) == name
    assert run_folder(replace(case, seed=case.seed + 1), tmp_path) != name
    assert run_folder(replace(case, options={"shop": {"gap": 21.0}}), tmp_path) != name


def test_an_edited_plugin_is_another_run(tmp_path, case):
    plugin = tmp_path / "copy_of_parts.py"
    plugin.write_text(Path(case.plugins[0]).read_text())
    before = replace(case, plugins=(str(plugin),)).data_digest()
    plugin.write_text(plugin.read_text() + "\n# edited\n")
    assert replace(case, plugins=(str(plugin),)).data_digest() != before


def test_a_finished_run_holds_what_its_manifest_says(tmp_path, case):
    record = run_case(case, tmp_path / "run")
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert record.status == manifest["status"] == "complete"
    assert set(manifest["files"]) == set(files_of(tmp_path / "run"))
    assert manifest["kpis"] == record.figures
    assert not list((tmp_path / "run").glob("*.tmp"))
    assert not (tmp_path / "run" / "snapshot.npz").exists()


def test_a_finished_run_is_not_run_again(tmp_path, case):
    first = run_case(case, tmp_path / "run")
    stamp = (tmp_path / "run" / "manifest.json").stat().st_mtime_ns
    second = run_case(case, tmp_path / "run")
    assert (second.reused, second.figures) == (True, first.figures)
    assert (tmp_path / "run" / "manifest.json").stat().st_mtime_ns == stamp


@pytest.mark.parametrize("calls", [5, 40, 120])
def test_an_interrupted_run_goes_on_to_the_same_bytes(tmp_path, case, calls):
    run_case(case, tmp_path / "whole")
    record = run_case(case, tmp_path / "cut", Control(stop=stopping_after(calls)))
    assert record.status == "interrupted"
    assert not (tmp_path / "cut" / "manifest.json").exists()
    assert World.load(tmp_path / "cut", assemble(case)).now > 0
    assert run_case(case, tmp_path / "cut").status == "complete"
    assert files_of(tmp_path / "cut") == files_of(tmp_path / "whole")
    assert json.loads((tmp_path / "cut" / "manifest.json").read_text())["notes"] == []


def test_snapshots_and_their_rhythm_leave_no_trace_in_the_results(tmp_path, case):
    run_case(case, tmp_path / "whole")
    run_case(case, tmp_path / "often", Control(keep_every=7 * SECOND, snapshot_wall=0))
    assert files_of(tmp_path / "often") == files_of(tmp_path / "whole")


def test_a_failed_run_leaves_a_record_and_its_last_good_state(tmp_path, tiny):
    case = tiny("gap: 20 s, fail_at: 700 s").cases()[0]
    record = run_case(case, tmp_path / "run", Control(keep_every=5 * MINUTE))
    failure = json.loads((tmp_path / "run" / "failure.json").read_text())
    assert (record.status, failure["stage"]) == ("failed", "run")
    assert "shop.on_event(customer)" in failure["message"]
    assert "the till is empty" in failure["message"]
    assert failure["time"] >= 700 * SECOND
    assert "ZeroDivisionError" in failure["traceback"]
    saved = World.load(tmp_path / "run", assemble(case))
    assert saved.now == 10 * MINUTE


def test_a_failed_run_goes_on_once_its_cause_is_mended(tmp_path, tiny, case, monkeypatch):
    run_case(case, tmp_path / "whole")
    shop = assemble(case).by_name["shop"].__class__
    works = shop.buy_pay
    broken = lambda self, view, job: 1 / 0 if view.now > 20 * MINUTE else works(self, view, job)  # noqa: E731
    monkeypatch.setattr(shop, "buy_pay", broken)
    assert run_case(case, tmp_path / "cut", Control(keep_every=5 * MINUTE)).status == "failed"
    monkeypatch.undo()
    assert run_case(case, tmp_path / "cut").status == "complete"
    assert files_of(tmp_path / "cut") == files_of(tmp_path / "whole")
    assert not (tmp_path / "cut" / "failure.json").exists()


def test_a_case_that_cannot_be_assembled_is_a_record(tmp_path, case):
    record = run_case(replace(case, models=("no_such_model",)), tmp_path / "run")
    assert (record.status, record.stage) == ("failed", "assemble")
    assert "no_such_model" in record.message


def test_a_broken_invariant_fails_the_run(tmp_path, case, monkeypatch):
    shop = assemble(case).by_name["shop"].__class__
    monkeypatch.setattr(shop, "check", lambda self, view: [f"customer {i} is lost" for i in range(7)])
    record = run_case(case, tmp_path / "run")
    assert (record.status, record.stage, record.figures) == ("failed", "check", {})
    assert "customer 0 is lost" in record.message
    assert record.message.endswith("and 2 more")
    assert not (tmp_path / "run" / "manifest.json").exists()
    assert json.loads((tmp_path / "run" / "failure.json").read_text())["error"] == "RunError"
    assert run_case(case, tmp_path / "run").status == "failed"
    monkeypatch.undo()
    assert run_case(case, tmp_path / "run").status == "complete"


def test_a_damaged_snapshot_starts_anew_and_says_so(tmp_path, case):
    run_case(case, tmp_path / "whole")
    run_case(case, tmp_path / "cut", Control(stop=stopping_after(40)))
    (tmp_path / "cut" / "snapshot.npz").write_bytes(b"not a snapshot")
    assert run_case(case, tmp_path / "cut").status == "complete"
    assert files_of(tmp_path / "cut") == files_of(tmp_path / "whole")
    assert "began anew" in json.loads((tmp_path / "cut" / "manifest.json").read_text())["notes"][0]


def test_events_carry_ids_of_targets_and_two_clocks(tmp_path, case):
    run_case(case, tmp_path / "run")
    rows = pyarrow.parquet.read_table(tmp_path / "run" / "events" / "events.parquet").to_pylist()
    rain = next(row for row in rows if row["kind"] == "rain")
    assert rain["target_id"] == "n1"
    assert rain["utc"].isoformat() == "2026-01-15T09:20:00+00:00"
    assert rain["local"].isoformat() == "2026-01-15T17:20:00"
    assert [row["id"] for row in rows] == list(range(len(rows)))


def test_tables_get_clocks_and_never_is_empty(tmp_path, case):
    run_case(case, tmp_path / "run")
    rows = pyarrow.parquet.read_table(tmp_path / "run" / "nodes" / "nodes.parquet").to_pylist()
    assert [row["first_local"] and row["first_local"].minute for row in rows] == [1, None, 0]


def test_a_local_clock_follows_the_change_of_the_hour():
    times = np.array([-1, 0, 30 * MINUTE - 1, 30 * MINUTE], dtype=np.int64)
    utc, local = clock(times, NEW_YORK_FALL_BACK - 30 * MINUTE, "America/New_York")
    shown = [value and value.strftime("%H:%M") for value in local.to_pylist()]
    assert shown == [None, "01:30", "01:59", "01:00"]
    assert utc.to_pylist()[0] is None


@pytest.mark.parametrize(
    ("tables", "words"),
    [
        ({"../out": {"a": np.zeros(1)}}, "names a table"),
        ({"x": {"a": np.zeros(1), "b": np.zeros(2)}}, "different lengths"),
    ],
)
def test_a_model_that_gives_bad_tables_is_told(case, monkeypatch, tables, words):
    world = World(assemble(case))
    monkeypatch.setattr(world.assembly.by_name["shop"].__class__, "tables", lambda self, view: tables)
    with pytest.raises(ContractError, match=words):
        domain_tables(world)


def test_equal_tables_are_equal_bytes(tmp_path):
    columns = {"name": np.array(["b", "a"]), "value": np.array([1.5, np.nan])}
    for name in ("one", "two"):
        write_table(tmp_path / name, columns)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
