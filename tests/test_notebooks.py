"""Notebooks run from top to bottom, and the two files of each say the same."""

from __future__ import annotations

import os
from pathlib import Path

import jupytext
import nbformat
import pytest
from nbclient import NotebookClient

from twin.data import VARIABLE

ROOT = Path(__file__).parent.parent
SCRIPTS = sorted((ROOT / "notebooks").glob("*.py"))
TELLS_WHY = {"01_first_twin"}
LONGEST = 600  # s that one cell may take on a busy machine with cold kernels


def cells(notebook) -> list[tuple[str, str]]:
    return [(cell.cell_type, cell.source) for cell in notebook.cells]


def named(path: Path) -> str:
    return path.stem


def test_there_are_notebooks():
    assert SCRIPTS


@pytest.mark.parametrize("script", SCRIPTS, ids=named)
def test_script_and_notebook_say_the_same(script):
    notebook = nbformat.read(script.with_suffix(".ipynb"), as_version=4)
    nbformat.validate(notebook)
    assert cells(notebook) == cells(jupytext.read(script))


@pytest.mark.parametrize("script", SCRIPTS, ids=named)
def test_the_notebook_stores_no_outputs(script):
    notebook = nbformat.read(script.with_suffix(".ipynb"), as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.source for cell in code if cell.outputs or cell.execution_count is not None] == []


@pytest.mark.parametrize("script", SCRIPTS, ids=named)
def test_the_notebook_runs(script, tmp_path, monkeypatch):
    if VARIABLE in script.read_text() and not os.environ.get(VARIABLE):
        pytest.skip(f"{VARIABLE} names no folder with the data this notebook reads")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.delenv("MPLBACKEND", raising=False)
    notebook = jupytext.read(script)
    place = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook, timeout=LONGEST, kernel_name="python3", resources=place).execute()
    shown = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert sum("image/png" in output.get("data", {}) for output in shown) >= 3
    if script.stem in TELLS_WHY:
        assert any("because" in output.get("text", "") for output in shown)
