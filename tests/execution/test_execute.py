"""Many cases: in one process or several, with failures, deaths and interruptions."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
import warnings
from dataclasses import replace
from pathlib import Path

import pytest

from tests.suites.conftest import PLUGIN, tiny, write_scenario  # noqa: F401 - a fixture
from twin.errors import DataError
from twin.execution.board import Board, stopping_on_signals
from twin.execution.execute import Execution, execute
from twin.execution.memory import Memory, resident, trimmer
from twin.execution.suite import resume, run_suite, select
from twin.execution.warned import telling_runs, told_of

ROOT = Path(__file__).resolve().parents[2]
HERE = Execution(workers=1, warm=False)
APART = Execution(workers=2, warm=False)
THREADS = Execution(workers=2, executor="threads", warm=False)


def tables(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*.parquet"))}


def test_two_workers_write_the_bytes_of_one(tmp_path, tiny):  # noqa: F811
    scenario = tiny()
    alone = run_suite(scenario, tmp_path / "one", execution=HERE)
    together = run_suite(scenario, tmp_path / "two", execution=APART)
    assert alone.is_complete
    assert together.is_complete
    assert tables(tmp_path / "one" / "tiny") == tables(tmp_path / "two" / "tiny")
    assert [r.figures for r in alone.records] == [r.figures for r in together.records]


def test_a_failed_case_does_not_end_the_suite(tmp_path, tiny):  # noqa: F811
    good, bad = tiny().cases()[:2]
    bad = replace(bad, options={"shop": {**bad.options["shop"], "fail_at": 60.0}})
    for execution in (HERE, APART):
        records = execute([bad, good], tmp_path / str(execution.workers), execution)
        assert [r.status for r in records] == ["failed", "complete"]


def test_a_dying_worker_takes_only_its_own_case_with_it(tmp_path, tiny):  # noqa: F811
    first, second, third = tiny().cases()[:3]
    deadly = replace(second, options={"shop": {**second.options["shop"], "kill": True}})
    records = execute([first, deadly, third], tmp_path, APART)
    assert [r.status for r in records] == ["complete", "failed", "complete"]
    failure = json.loads((Path(records[1].folder) / "failure.json").read_text())
    assert (failure["stage"], "died" in failure["message"]) == ("process", True)


def test_a_warning_names_the_run_it_comes_from(tmp_path, tiny, capfd):  # noqa: F811
    cases = [replace(c, options={"shop": {**c.options["shop"], "complain": True}}) for c in tiny().cases()[:2]]
    execute(cases, tmp_path, APART)
    told = {line for line in capfd.readouterr().err.splitlines() if "till" in line}
    assert told == {f"warning: arm {c.arm}, replication {c.replication}: the till is slow" for c in cases}


@pytest.mark.parametrize("execution", [HERE, THREADS], ids=["here", "threads"])
def test_what_one_run_was_warned_of_the_next_is_told_too(tmp_path, tiny, monkeypatch, execution):  # noqa: F811
    told: list[str] = []
    note = lambda message, *place: told.append(warnings.formatwarning(message, *place[:3]))  # noqa: E731
    monkeypatch.setattr(warnings, "showwarning", note)
    cases = [replace(c, options={"shop": {**c.options["shop"], "complain": True}}) for c in tiny().cases()[:4]]
    execute(cases, tmp_path, execution)
    assert sorted(line for line in told if "till" in line) == sorted(
        f"warning: arm {c.arm}, replication {c.replication}: the till is slow\n" for c in cases
    )


def test_a_warning_about_code_keeps_its_form(tiny):  # noqa: F811
    plain = warnings.formatwarning(RuntimeWarning("overflow"), RuntimeWarning, "kernel.py", 3)
    with telling_runs(), told_of(tiny().cases()[0]):
        assert warnings.formatwarning(RuntimeWarning("overflow"), RuntimeWarning, "kernel.py", 3) == plain
        assert "kernel.py" not in warnings.formatwarning(UserWarning("full"), UserWarning, "kernel.py", 3)
    assert warnings.formatwarning(UserWarning("full"), UserWarning, "kernel.py", 3) != "full"


def test_complete_runs_are_kept(tmp_path, tiny):  # noqa: F811
    cases = tiny().cases()
    execute(cases[:2], tmp_path, HERE)
    assert [r.reused for r in execute(cases[:3], tmp_path, HERE)] == [True, True, False]


def test_a_stop_saves_all_and_a_resume_ends_with_the_same_bytes(tmp_path, tiny):  # noqa: F811
    scenario = tiny()
    run_suite(scenario, tmp_path / "whole", execution=HERE)

    def stop_soon(board, cases):
        class Watching:
            def __enter__(self):
                return board.stop

            def __exit__(self, *_):
                return None

        return Watching()

    cut = run_suite(scenario, tmp_path / "cut", execution=HERE, watch=stop_soon)
    assert {r.status for r in cut.records} == {"interrupted", "waiting"}
    records = resume(tmp_path / "cut" / "tiny", [PLUGIN], APART)
    assert {r.status for r in records} == {"complete"}
    assert tables(tmp_path / "cut" / "tiny") == tables(tmp_path / "whole" / "tiny")


def test_results_do_not_run_code_by_being_resumed(tmp_path, tiny):  # noqa: F811
    run_suite(tiny(), tmp_path, select(tiny(), ["A"], 1), HERE)
    with pytest.raises(DataError, match="--plugin"):
        resume(tmp_path / "tiny")


def test_ctrl_c_in_a_script_without_a_guard_leaves_a_resumable_suite(tmp_path):
    path = write_scenario(tmp_path, "gap: 20 s, nap: 0.05 s")
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent(f"""
        from twin.execution.execute import Execution
        from twin.scenario import load
        from twin.execution.suite import run_suite

        scenario = load({str(path)!r}, plugins=[{str(PLUGIN)!r}])
        outcome = run_suite(scenario, {str(tmp_path / "out")!r}, execution=Execution(workers=2, warm=False))
        print(sorted({{record.status for record in outcome.records}}))
        """)
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen([sys.executable, script], env=environment, stdout=subprocess.PIPE, text=True)
    folder = tmp_path / "out" / "tiny"
    deadline = time.monotonic() + 60
    while not list(folder.rglob("case.json")) and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=60)[0].strip() == "['interrupted', 'waiting']"
    assert list(folder.rglob("snapshot.npz"))
    assert not list(folder.rglob("manifest.json"))


def test_a_class_of_a_script_travels_to_workers(tmp_path):
    path = write_scenario(tmp_path)
    script = tmp_path / "script.py"
    script.write_text(
        PLUGIN.read_text()
        + textwrap.dedent(f"""
        from twin.execution.execute import Execution
        from twin.registry import BUILT_IN
        from twin.scenario import load
        from twin.execution.suite import run_suite

        for part in (Shop, Idle, Hurry):
            BUILT_IN.add(part)
        outcome = run_suite(load({str(path)!r}), {str(tmp_path / "out")!r}, execution=Execution(2, warm=False))
        print([record.status for record in outcome.records], [record.message for record in outcome.records])
        """)
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, script], check=False, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.stdout.startswith("['complete', 'complete', 'complete', 'complete', 'complete', 'complete']"), done


def test_a_plugin_of_this_process_is_known_to_workers(tmp_path, tiny):  # noqa: F811
    cases = [replace(case, plugins=()) for case in tiny().cases()[:2]]
    assert [r.status for r in execute(cases, tmp_path, APART)] == ["complete", "complete"]


def test_more_replications_go_on_with_the_seeds(tiny):  # noqa: F811
    scenario = tiny()
    assert [c.seed for c in select(scenario, ["B"], 5)] == [5, 6, 7, 8, 9]
    assert select(scenario, ["A"], 3) == [c for c in scenario.cases() if c.arm == "A"]
    with pytest.raises(DataError, match="it has A, B"):
        select(scenario, ["C"])


def test_an_unwritable_folder_is_one_clear_message(tmp_path, tiny):  # noqa: F811
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="--out"):
        execute(tiny().cases(), tmp_path / "file" / "out", HERE)


def test_the_second_ctrl_c_is_not_waited_out():
    board = Board(1)
    before = signal.getsignal(signal.SIGINT)
    with stopping_on_signals(board):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.01)
        assert board.stopping
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_a_board_in_a_file_is_shared(tmp_path):
    one, two = Board(2, tmp_path / "board"), Board(2, tmp_path / "board")
    one.note(1, 42)
    two.stop()
    assert (two.times(), one.stopping) == ([0, 42], True)


def test_memory_is_looked_at_after_every_run(tmp_path, tiny, monkeypatch):  # noqa: F811
    looked = []
    monkeypatch.setattr("twin.execution.executors._MEMORY.give_back", lambda: looked.append(1))
    run_suite(tiny(), tmp_path, execution=HERE)
    assert len(looked) == 6


@pytest.mark.skipif(trimmer() is None, reason="the C library keeps freed memory")
def test_worlds_of_past_runs_leave_the_process_once_it_has_grown():
    memory = Memory()
    assert not memory.give_back()
    cycle = [bytearray(60_000) for _ in range(3000)]
    cycle.append(cycle)
    barrier = bytearray(60_000)
    grown = resident()
    del cycle
    assert memory.give_back()
    assert grown - resident() > 100e6
    assert not memory.give_back()
    assert len(barrier) == 60_000
