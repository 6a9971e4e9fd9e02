"""A suite with two workers runs from a script without a guard, from a notebook and from a terminal session."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

import nbformat
from nbclient import NotebookClient

from tests.durability.helpers import ROOT, start, tables
from tests.suites.conftest import PLUGIN, write_scenario

LINES = """\
from twin.contract import Command, Policy
from twin.execution.execute import Execution
from twin.registry import BUILT_IN
from twin.scenario import load
from twin.execution.suite import run_suite
class Keen(Policy):
    name, role, sees, commands, every = "keen", "shop", ("shop.served",), ("hurry",), 60_000_000
    def decide(self, observation):
        return [Command("hurry")]

BUILT_IN.add(Keen)
scenario = load({path!r}, plugins=[{plugin!r}])
outcome = run_suite(scenario, {out!r}, execution=Execution(workers=2, warm=False))
print("ended:", sorted({{record.status for record in outcome.records}}), len(outcome.records))
"""
ENDED = "ended: ['complete'] 6"


def lines(folder):
    """Return what somebody types: a policy of their own, and a suite that uses it."""
    path = write_scenario(folder)
    path.write_text(path.read_text().replace("hurry_up", "keen"))
    return LINES.format(path=str(path), plugin=str(PLUGIN), out=str(folder / "out"))


def test_a_script_without_a_guard(undisturbed, tmp_path):
    process = start(undisturbed[0], tmp_path)
    assert process.communicate(timeout=120)[0].strip() == "['complete']"
    assert tables(tmp_path / "tiny") == tables(undisturbed[1])


def test_a_notebook_with_a_policy_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(lines(tmp_path))])
    place = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook, timeout=240, kernel_name="python3", resources=place).execute()
    assert any(ENDED in output.get("text", "") for output in notebook.cells[0].outputs)


def test_a_terminal_session_with_a_policy_of_its_own(tmp_path):
    ours, theirs = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "dumb"}
    session = subprocess.Popen(
        [sys.executable, "-q", "-i"], stdin=theirs, stdout=theirs, stderr=theirs, env=environment, close_fds=True
    )
    os.close(theirs)
    os.write(ours, (lines(tmp_path) + "\nexit()\n").encode())
    said = b""
    while True:
        try:
            said += os.read(ours, 4096)
        except OSError:
            break
    os.close(ours)
    assert session.wait(timeout=60) == 0
    assert ENDED in said.decode(), said.decode()
