"""`twin expand` shows a suite and runs nothing; `twin run` asks before a large one."""

from __future__ import annotations

import pytest

from tests.cli.test_cli import call
from tests.suites.conftest import PLUGIN, TEXT, write_scenario

VARIED = TEXT.replace("A.served", "A__gap_20s.served").replace("baseline: A,", "baseline: A__gap_20s,")


@pytest.fixture
def varied(tmp_path, monkeypatch):
    """Write a suite of 2 arms x 2 gaps x 3 replications and work beside it."""
    write_scenario(tmp_path, "gap: {sweep: [20 s, 30 s]}, nap: {distribution: uniform, low: 0 s, high: 1 s}", VARIED)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_expand_prints_arms_and_cost_and_runs_nothing(varied, capsys):
    assert call("expand", "tiny.yaml", "--plugin", PLUGIN, "--workers", 2) == 0
    told = capsys.readouterr().out
    assert told.splitlines()[0].rstrip() == "A shop with one till: seeds 5 to 7"
    for arm, differs in (("A__gap_20s", "gap = 20 s"), ("B__gap_30s", "shop = hurry_up")):
        (line,) = [line for line in told.splitlines() if line.strip().startswith(arm)]
        assert differs in line
    assert "4 arms x 3 replications = 12 runs; about " in told
    assert not (varied / "results").exists()


def test_expand_lists_every_run_with_what_is_drawn(varied, capsys):
    assert call("expand", "tiny.yaml", "--plugin", PLUGIN, "--cases", "--arm", "A__gap_20s") == 0
    told = [line for line in capsys.readouterr().out.splitlines() if "options.shop.nap = " in line]
    assert [line.split()[:3] for line in told] == [["A__gap_20s", str(i), str(5 + i)] for i in range(3)]
    assert len({line.split("nap = ")[1] for line in told}) == 3


def test_a_large_suite_is_not_run_without_yes(varied, capsys):
    assert call("run", "tiny.yaml", "--plugin", PLUGIN, "--max-cases", 11) == 2
    told = capsys.readouterr().err
    assert "larger than --max-cases 11: 4 arms x 3 replications = 12 runs" in told
    assert not (varied / "results").exists()
    assert call("expand", "tiny.yaml", "--plugin", PLUGIN, "--max-cases", 11) == 0
    assert "twin run asks for --yes" in capsys.readouterr().out


def test_yes_runs_it(varied, capsys):
    words = ("run", "tiny.yaml", "--plugin", PLUGIN, "--workers", 1, "--no-report")
    (varied / "tiny.yaml").write_text((varied / "tiny.yaml").read_text().replace("high: 1 s", "high: 0.001 s"))
    assert call(*words, "--max-cases", 11, "--yes") == 0
    assert "12 runs" in capsys.readouterr().out
    assert call("expand", "tiny.yaml", "--plugin", PLUGIN) == 0
    assert "(from 12 earlier runs)" in capsys.readouterr().out


def test_a_broken_suite_is_exit_code_2(varied, capsys):
    (varied / "tiny.yaml").write_text((varied / "tiny.yaml").read_text() + "vary: []\n")
    assert call("expand", "tiny.yaml", "--plugin", PLUGIN) == 2
    assert "[E160] vary has no entries" in capsys.readouterr().err


def test_the_runs_of_a_huge_suite_are_not_made_to_be_listed(varied, capsys, monkeypatch):
    made = []
    monkeypatch.setattr("twin.cli.expanding._show_cases", lambda scenario, cases: made.append(len(cases)))
    words = ("expand", "tiny.yaml", "--plugin", PLUGIN, "--cases", "--replications")
    assert call(*words, 10_000) == 0
    assert "its runs are listed with --max-cases" in capsys.readouterr().out
    assert made == []
    assert call(*words, 2) == 0
    assert made == [8]


def test_compiling_is_told_before_it_takes_its_time(tmp_path, capsys, monkeypatch):
    write_scenario(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "cache"))
    words = ("run", "tiny.yaml", "--plugin", PLUGIN, "--executor", "threads", "--workers", 2, "--no-report")
    assert call(*words, "--replications", 1) == 0
    assert "compiling kernels, once on this machine" in capsys.readouterr().err
    assert call(*words, "--replications", 2) == 0
    assert "compiling" not in capsys.readouterr().err
