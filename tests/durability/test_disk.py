"""Full and read-only disks, damaged files, two writers: a clear message, and nothing is lost."""

from __future__ import annotations

import errno
import json
import os
import shlex
import shutil
import subprocess
import sys
import textwrap

import pytest

import twin.durable
from tests.durability.helpers import ROOT, figures, start, tables
from tests.suites.conftest import PLUGIN, tiny  # noqa: F401 - a fixture
from twin.contract import MINUTE
from twin.durable import FolderLock, write_whole
from twin.errors import DataError, SnapshotError
from twin.execution.execute import Execution, execute
from twin.execution.run import SNAPSHOT, Control, run_case
from twin.execution.suite import resume, run_suite
from twin.random import uniform_one
from twin.results import Results
from twin.scenario import load

HERE = Execution(workers=1, warm=False, patience=0.0)
NAMESPACE = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--user", "--map-root-user"])]


@pytest.fixture
def quick(tiny):  # noqa: F811
    """Return a case of milliseconds."""
    return tiny().cases()[0]


def on_small_disk(place, *commands):
    """Run shell commands where `place` is a disk of its own; skip where the system forbids it."""
    place.mkdir()
    mounted = f"mount -t tmpfs -o size=64k tmpfs '{place}'"
    probe = subprocess.run([*NAMESPACE, "sh", "-c", mounted], check=False, capture_output=True, text=True)
    if probe.returncode:
        pytest.skip(f"this system lets nobody mount a small disk: {probe.stderr.strip()}")
    return subprocess.run(
        [*NAMESPACE, "sh", "-ec", "\n".join([mounted, *commands])],
        check=False, capture_output=True, text=True, timeout=240, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip


def attempt(scenario, out):
    """Return a shell command that runs a suite and prints what became of it."""
    script = textwrap.dedent(f"""
        from twin.errors import TwinError
        from twin.execution.execute import Execution
        from twin.scenario import load
        from twin.execution.suite import run_suite

        try:
            execution = Execution(1, keep_every=60_000_000, snapshot_wall=0.0, warm=False)
            outcome = run_suite(load({str(scenario)!r}, plugins=[{str(PLUGIN)!r}]), {str(out)!r}, execution=execution)
            print([(record.status, record.message) for record in outcome.records])
        except TwinError as error:
            print("told:", error)
        """)
    return shlex.join([sys.executable, "-c", script])


@pytest.mark.parametrize("size", ["64k", "160k", "300k"])
def test_a_full_disk_is_told_and_what_it_held_is_gone_on_with(undisturbed, tmp_path, size):
    scenario, whole = undisturbed
    place, copy = tmp_path / "disk", tmp_path / "copy"
    done = on_small_disk(
        place,
        f"mount -o remount,size={size} '{place}'",
        attempt(scenario, place / "out"),
        f"mount -o remount,size=64m '{place}'",
        attempt(scenario, place / "out"),
        f"cp -r '{place}/out/tiny' '{copy}'",
    )
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()
    assert "No space left" in first
    assert "failed" not in second
    assert tables(copy) == tables(whole)
    assert figures(copy) == figures(whole)


def test_a_read_only_disk_is_one_message(undisturbed, tmp_path):
    place = tmp_path / "disk"
    told = on_small_disk(place, f"mount -o remount,ro '{place}'", attempt(undisturbed[0], place / "out"))
    assert told.stdout.startswith("told: cannot write")
    assert "Read-only file system" in told.stdout


def test_complete_results_on_a_read_only_disk_are_reused(undisturbed, tmp_path):
    whole = undisturbed[1]
    place = tmp_path / "disk"
    script = (
        f"from twin.execution.suite import resume; print([r.reused for r in resume('{place}/out/tiny', ['{PLUGIN}'])])"
    )
    done = on_small_disk(
        place,
        f"mount -o remount,size=64m '{place}'",
        f"mkdir '{place}/out' && cp -r '{whole}' '{place}/out/tiny' && mount -o remount,ro '{place}'",
        shlex.join([sys.executable, "-c", script]),
    )
    assert done.stdout.strip() == str([True] * 6), done.stderr


def test_a_disk_that_fills_at_any_write_loses_nothing(quick, tmp_path, monkeypatch):
    control = Control(keep_every=10 * MINUTE, snapshot_wall=0)
    run_case(quick, tmp_path / "whole", control)
    syncs, real = [], os.fsync
    outcomes = []
    for number in range(60):
        left = iter(range(number))

        def fill(file, left=left):
            if next(left, None) is None:
                syncs.append(file)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            real(file)

        folder = tmp_path / f"cut{number}"
        with monkeypatch.context() as patched:
            patched.setattr(twin.durable.os, "fsync", fill)
            record = run_case(quick, folder, control)
        outcomes.append(record.status)
        assert record.status == "complete" or "No space left" in record.message
        assert not list(folder.rglob("*.tmp"))
        assert run_case(quick, folder, control).status == "complete"
        assert tables(folder) == tables(tmp_path / "whole")
        if record.status == "complete":
            break
    assert outcomes[:-1] == ["failed"] * (len(outcomes) - 1)
    assert outcomes[-1] == "complete"
    assert len(outcomes) > 15


def test_what_a_killed_writer_left_half_written_goes_away(quick, tmp_path):
    draft = tmp_path / "run" / "events" / "events.parquet.1-1.tmp"
    draft.parent.mkdir(parents=True)
    draft.write_bytes(b"PAR1")
    assert run_case(quick, tmp_path / "run").status == "complete"
    assert not draft.exists()


def shorten(path, number):
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * uniform_one(1, "shorten", number))])


def flip(path, number):
    content = bytearray(path.read_bytes())
    content[int(len(content) * uniform_one(1, "flip", number))] ^= 0x10
    path.write_bytes(bytes(content))


@pytest.mark.parametrize("damage", [shorten, flip])
@pytest.mark.parametrize("name", ["kpis.parquet", "events/events.parquet", "manifest.json"])
def test_a_damaged_file_is_seen_and_its_run_made_again(undisturbed, tmp_path, name, damage):
    folder = shutil.copytree(undisturbed[1], tmp_path / "out" / "tiny")
    damage(Results(folder).runs[2].folder / name, 3)
    reused = [record.reused for record in resume(folder, [PLUGIN], HERE)]
    assert sorted(reused) == [False] + [True] * 5
    assert tables(folder) == tables(undisturbed[1])
    assert figures(folder) == figures(undisturbed[1])


@pytest.mark.parametrize("damage", [shorten, flip])
@pytest.mark.parametrize("number", range(4))
def test_a_damaged_snapshot_is_never_gone_on_with(quick, tmp_path, damage, number):
    run_case(quick, tmp_path / "whole")
    calls = iter(range(60))
    run_case(quick, tmp_path / "cut", Control(stop=lambda: next(calls, None) is None))
    damage(tmp_path / "cut" / SNAPSHOT, number)
    assert run_case(quick, tmp_path / "cut").status == "complete"
    assert tables(tmp_path / "cut") == tables(tmp_path / "whole")


def test_a_case_that_another_writes_is_left_to_it(undisturbed, tmp_path):
    cases = load(undisturbed[0], plugins=[PLUGIN]).cases()[:2]
    folder = execute(cases, tmp_path, HERE)[1].folder
    shutil.rmtree(folder)
    lock = FolderLock(type(tmp_path)(folder))
    assert lock.take() == ""
    records = execute(cases, tmp_path, HERE)
    assert [record.status for record in records] == ["complete", "elsewhere"]
    assert f"process {os.getpid()} on" in records[1].message
    lock.release()
    assert [record.status for record in execute(cases, tmp_path, HERE)] == ["complete", "complete"]


def test_two_processes_share_one_folder(undisturbed, tmp_path):
    scenario, whole = undisturbed
    both = [start(scenario, tmp_path, workers=1) for _ in range(2)]
    said = {process.communicate(timeout=120)[0].strip() for process in both}
    assert said == {"['complete']"}
    assert tables(tmp_path / "tiny") == tables(whole)
    assert json.loads((tmp_path / "tiny" / "suite.json").read_text()) == json.loads((whole / "suite.json").read_text())


def test_a_lock_of_a_dead_process_is_no_obstacle(tmp_path):
    gone = subprocess.Popen(["true"])
    gone.wait()
    (tmp_path / "writer.lock").write_text(json.dumps({"pid": gone.pid, "host": "elsewhere"}))
    lock = FolderLock(tmp_path)
    assert lock.take() == ""
    assert FolderLock(tmp_path).take().startswith(f"process {os.getpid()} on")
    lock.release()
    assert not (tmp_path / "writer.lock").exists()


def test_where_files_cannot_be_locked_the_file_is_the_lock(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(twin.durable.fcntl, "flock", refuse)
    lock = FolderLock(tmp_path)
    assert lock.take() == ""
    assert FolderLock(tmp_path).take().startswith(f"process {os.getpid()} on")
    gone = subprocess.Popen(["true"])
    gone.wait()
    lock.path.write_text(lock.path.read_text().replace(str(os.getpid()), str(gone.pid)))
    assert FolderLock(tmp_path).take() == ""


def test_a_file_is_whole_or_as_it_was(tmp_path):
    target = tmp_path / "file"
    write_whole(target, lambda file: file.write(b"old"))

    def fail(file):
        file.write(b"ne")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(SnapshotError, match="No space left"):
        write_whole(target, fail)
    assert target.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_suite_file_that_is_damaged_is_one_message(undisturbed, tmp_path):
    folder = shutil.copytree(undisturbed[1], tmp_path / "tiny")
    (folder / "suite.json").write_text("{")
    with pytest.raises(DataError, match="damaged"):
        resume(folder, [PLUGIN], HERE)
    with pytest.raises(DataError, match="damaged"):
        run_suite(load(undisturbed[0], plugins=[PLUGIN]), tmp_path, execution=HERE)
