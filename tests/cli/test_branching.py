"""The command `branch`: what it prints and writes, from finished and interrupted runs, and what it refuses."""

from __future__ import annotations

import json
import shlex
import shutil
from dataclasses import replace

import pandas
import pytest

from tests.cli.test_cli import call
from tests.whatif.quick import case
from twin.contract import MINUTE
from twin.execution.run import Control, run_case, run_folder

AT = 40 * MINUTE
ASKED = ("--at", "17:40", "--horizon", "20 min", "--replications", "2", "--workers", "1")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Return the results of one run of the busy evening, cut to an hour."""
    out = tmp_path_factory.mktemp("branch") / "results"
    short = replace(case(), duration=65 * MINUTE)
    record = run_case(short, run_folder(short, out))
    assert record.status == "complete", record.message
    return out


@pytest.fixture
def place(finished, tmp_path, monkeypatch):
    shutil.copytree(finished, tmp_path / "results")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def kept(place):
    (folder,) = (place / "results" / "whatif").iterdir()
    return folder


def test_it_ranks_policies_and_keeps_tables_and_a_picture(place, capsys):
    assert call("branch", "results", *ASKED, "--policy", "dmexclp,dmexclp(busy_fraction=0.5)") == 0
    told = capsys.readouterr().out
    for words in ("rank", "closest_idle", "dmexclp(busy_fraction=0.5)", "95% interval", "2 futures", "next: twin "):
        assert words in told
    folder = kept(place)
    assert (folder / "ranking.png").read_bytes().startswith(b"\x89PNG")
    branches = pandas.read_parquet(folder / "branches.parquet")
    assert set(branches["policy"]) == {"closest_idle", "dmexclp", "dmexclp(busy_fraction=0.5)"}
    said = json.loads((folder / "whatif.json").read_text())
    assert (said["at_us"], said["branches"], said["broken_off"]) == (AT, 6, False)
    assert len(pandas.read_parquet(folder / "verdicts.parquet")) == 2 * branches["kpi"].nunique()


def test_the_next_command_asks_the_same_question_and_keeps_its_answer_apart(place, capsys):
    words = ("--at", "17:40", "--horizon", "2 min", "--replications", "1", "--workers", "1", "--out", "other place")
    assert (
        call("branch", "results", *words, "--policy", "dmexclp", "--only", "emergency,avl", "--by", "calls_open") == 0
    )
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("next: ")]
    program, *again = shlex.split(line.removeprefix("next: "))
    assert program == "twin"
    for option, value in zip(words[0::2], words[1::2], strict=True):
        assert option == "--replications" or again[again.index(option) + 1] == value
    assert again[again.index("--by") + 1] == "calls_open"
    for _ in range(2):
        assert call(*again, "--replications", "1", "--only", "emergency,avl") == 0
        assert call(*again, "--replications", "2", "--only", "emergency,avl") == 0
    assert len(list((place / "other place" / "whatif").iterdir())) == 2


def test_what_is_kept_is_no_run_of_the_results(place, capsys):
    call("branch", "results", *ASKED, "--policy", "dmexclp", "--only", "emergency,avl")
    assert call("results", "ls", "results") == 0
    assert capsys.readouterr().out.count("complete") == 2


@pytest.mark.parametrize("stopped", [AT // 2, AT + 5 * MINUTE])
def test_an_interrupted_run_branches_as_the_finished_one_does(place, stopped):
    finished = next((place / "results").glob("busy/*/*/manifest.json")).parent
    call("branch", finished, *ASKED, "--policy", "dmexclp")
    expected = pandas.read_parquet(kept(place) / "branches.parquet")
    shutil.rmtree(place / "results")
    short = replace(case(), duration=65 * MINUTE)
    begun: list[int] = []
    control = Control(progress=begun.append, stop=lambda: bool(begun) and begun[-1] > stopped)
    folder = run_folder(short, place / "results")
    assert run_case(short, folder, control).status == "interrupted"
    assert call("branch", folder, *ASKED, "--policy", "dmexclp") == 0
    pandas.testing.assert_frame_equal(pandas.read_parquet(kept(place) / "branches.parquet"), expected)


@pytest.mark.parametrize("at", ["+40 min", "2026-01-15 17:40", "17:40:00"])
def test_an_instant_can_be_written_in_several_ways(place, at):
    words = ["--at", at, "--horizon", "1 min", "--replications", "1", "--workers", "1", "--only", "emergency,avl"]
    assert call("branch", "results", *words, "--policy", "dmexclp") == 0
    assert json.loads((kept(place) / "whatif.json").read_text())["at_us"] == AT


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--at", "17:40", "--policy", "dmexcl"], "did you mean 'dmexclp'"),
        (["--at", "19:00", "--policy", "dmexclp"], "outside the run, which goes from 2026-01-15 17:00"),
        (["--at", "noon", "--policy", "dmexclp"], "noon"),
        (["--at", "17:40", "--policy", "dmexclp"], "ask for at most 25 min"),
        (["--at", "17:40", "--policy", "dmexclp", "--horizon", "1 min", "--only", "fire"], "no model or feed 'fire'"),
        (["--at", "17:40", "--policy", "x", "--only", "emergency", "--frozen", "traffic"], "not both"),
        (["--at", "17:40", "--policy", "dmexclp", "--horizon", "1 min", "--by", "speed"], "no figure 'speed'"),
        (["--at", "17:40", "--policy", "dmexclp", "--arm", "Z"], "no run of arm 'Z'"),
        (["--at", "17:40", "--policy", "closest_idle", "--horizon", "1 min"], "closest_idle decides already in arm"),
    ],
)
def test_bad_questions_leave_with_2_and_one_line(place, capsys, words, told):
    assert call("branch", "results", *words) == 2
    error = capsys.readouterr().err
    assert told in error
    assert "Traceback" not in error
    assert not (place / "results" / "whatif").exists()


def test_folders_without_a_run_are_told(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert call("branch", "none", "--at", "17:40", "--policy", "dmexclp") == 2
    assert "no results" in capsys.readouterr().err
