"""A suite of a few seconds in a process of its own, which a test may kill."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

from tests.suites.conftest import PLUGIN

ROOT = Path(__file__).resolve().parents[2]
OPTIONS = "gap: 20 s, nap: 0.01 s"
LONGEST = 120.0


def tables(folder: Path) -> dict[str, bytes]:
    """Return every Parquet file below a folder by its path."""
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*.parquet"))}


def figures(folder: Path) -> dict[str, object]:
    """Return the figures that each manifest below a folder holds, by run."""
    return {p.parent.name: json.loads(p.read_text())["kpis"] for p in sorted(folder.rglob("manifest.json"))}


def start(scenario: Path, out: Path, workers: int = 2) -> subprocess.Popen[str]:
    """Run a scenario without a main guard, with a snapshot every simulated minute."""
    script = textwrap.dedent(f"""
        from twin.execution.execute import Execution
        from twin.scenario import load
        from twin.execution.suite import run_suite

        execution = Execution({workers}, keep_every=60_000_000, snapshot_wall=0.0, warm=False)
        outcome = run_suite(load({str(scenario)!r}, plugins=[{str(PLUGIN)!r}]), {str(out)!r}, execution=execution)
        print(sorted({{record.status for record in outcome.records}}))
        """)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen([sys.executable, "-c", script], env=environment, stdout=subprocess.PIPE, text=True)


def writers(folder: Path) -> list[int]:
    """Return the processes that write runs below a suite's folder now; who only leads the suite is no writer."""
    found = set()
    for lock in sorted(folder.glob("*/**/writer.lock")):
        try:
            found.add(int(json.loads(lock.read_text())["pid"]))
        except (OSError, ValueError, KeyError):
            continue
    return sorted(found)


def wait_until(happened, what: str) -> None:
    """Wait for something that must happen."""
    deadline = time.monotonic() + LONGEST
    while not happened():
        assert time.monotonic() < deadline, f"waited {LONGEST:.0f} s for {what}"
        time.sleep(0.01)


def is_alive(pid: int) -> bool:
    """Tell whether a process is there and not a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def kill(pid: int) -> None:
    """Kill a process that may be gone already."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
