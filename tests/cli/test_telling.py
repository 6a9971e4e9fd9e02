"""What commands tell: whole tables on narrow terminals, paths to copy, how a resumed suite ends."""

from __future__ import annotations

import math
import shlex
import shutil
from types import SimpleNamespace

import pytest
import typer

from tests.cli.test_cli import call
from tests.suites.conftest import PLUGIN, write_scenario
from twin.cli import tables
from twin.results import Results
from twin.stats import Figure, compare_figures

RUN = ("--plugin", PLUGIN, "--workers", 1, "--no-report")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return a folder with a space in its name, in which the tiny suite has been run."""
    from twin.execution.execute import Execution
    from twin.execution.suite import run_suite
    from twin.scenario import load

    folder = tmp_path_factory.mktemp("my runs")
    scenario = load(write_scenario(folder), plugins=[PLUGIN])
    run_suite(scenario, folder / "results", execution=Execution(workers=1))
    return folder


@pytest.fixture
def place(made, tmp_path, monkeypatch):
    """Work in a copy of the folder with the tiny suite."""
    folder = shutil.copytree(made, tmp_path / "my work")
    monkeypatch.chdir(folder)
    return folder


def long_names(values):
    """Return comparisons of figures with long names."""
    names = [f"customer_minutes_without_power_{i}" for i in range(3)]
    figures = [Figure(name, "min", "lower", 1.5) for name in names]
    return compare_figures(figures, *({name: dict(enumerate(values[arm])) for name in names} for arm in (0, 1)))


@pytest.mark.parametrize("width", [40, 60, 80, 100])
def test_a_narrow_terminal_cuts_neither_names_nor_verdicts(capsys, monkeypatch, width):
    monkeypatch.setattr(tables, "_room", lambda: width)
    found = long_names(([1234567.0, 1234568, 1234566.5], [1.0, 2, 3]))
    tables.show_verdicts("Two", found, "closest_idle", "dmexclp")
    shown = capsys.readouterr().out
    for one in found:
        (line,) = [line for line in shown.splitlines() if line.strip().startswith(one.figure.name)]
        assert line.split()[-1].startswith("better")
    assert "not shown at this width: margin" in shown
    assert "…" not in shown


def test_what_is_piped_holds_every_column(capsys):
    tables.show_verdicts("Two", long_names(([1.0, 2, 3], [4.0, 6, 9])), "a" * 60, "b" * 60)
    shown = capsys.readouterr().out
    assert any(line.rstrip().endswith("verdict") and "margin" in line for line in shown.splitlines())
    assert "a" * 60 in shown


def test_one_replication_is_inconclusive_and_says_why_once(capsys):
    tables.show_verdicts("Two", long_names(([1.0], [1.0])), "A", "B")
    shown = capsys.readouterr().out
    assert shown.count("one replication only") == 1
    assert "one replication only: all 3 KPIs" in " ".join(shown.split())
    assert "inf" not in shown
    assert "same" not in shown


def test_figures_without_any_value_have_no_data(capsys):
    tables.show_verdicts("Two", long_names(([math.nan] * 3, [math.nan] * 3)), "A", "B")
    assert capsys.readouterr().out.count("no data") == 3
    tables.show_verdicts("Two", long_names(([math.nan, 1.0, 1.0], [math.nan, 1.0, 2.0])), "A", "B")
    shown = capsys.readouterr().out
    assert "no data" not in shown
    assert "inconclusive, for no finite value in 1 of 3 replications: all 3 KPIs" in " ".join(shown.split())


@pytest.mark.parametrize(("count", "star"), [(2, False), (4, False), (6, False), (8, True), (10, True)])
def test_equal_differences_have_a_star_only_when_they_are_many(count, star):
    for gain in (0.0, 5.0):
        found = long_names(([7.0] * count, [7.0 - gain] * count))
        assert {tables.verdict_of(one).endswith("*") for one in found} == {star}
        assert {one.verdict for one in found} == {"better" if gain else "same"}


def test_ls_shows_paths_to_paste(place, capsys, monkeypatch):
    monkeypatch.setattr(tables, "_room", lambda: 40)
    assert call("results", "ls", place / "results") == 0
    shown = capsys.readouterr().out
    for run in Results(place / "results").runs:
        assert shlex.quote(str(run.folder)) in shown
    assert "6 of 6 runs complete of A, B" in " ".join(shown.split())


def test_ls_lists_the_rest_beside_what_is_damaged(place, capsys):
    (place / "results" / "tiny" / "suite.json").write_text('{"runs": 3}')
    (Results(place / "results").runs[0].folder / "manifest.json").write_text("[]")
    assert call("results", "ls") == 0
    told = capsys.readouterr()
    assert told.out.count("complete") >= 5
    assert "broken" in told.out
    assert call("results", "show", "results/tiny") == 2
    assert "suite.json is damaged" in capsys.readouterr().err


def test_resume_ends_as_run_does(place, capsys):
    shutil.rmtree(Results("results/tiny").runs[0].folder)
    assert call("resume", "results/tiny", *RUN) == 0
    shown = capsys.readouterr().out
    assert "1 run done now, 6 complete" in shown
    assert "95% interval" in shown
    assert "expected A.served > 10: 70 holds" in shown


def test_resume_leaves_with_1_when_an_expectation_is_not_met(tmp_path, monkeypatch, capsys):
    path = write_scenario(tmp_path)
    path.write_text(path.read_text().replace("A.served > 10", "A.served > 1000"))
    monkeypatch.chdir(tmp_path)
    assert call("run", path, *RUN, "--replications", 1) == 1
    assert call("resume", "results/tiny", *RUN) == 1
    assert capsys.readouterr().out.count("NOT MET") == 2


def test_fewer_replications_are_warned_of(place, capsys):
    assert call("run", "tiny.yaml", *RUN, "--replications", 2) == 0
    told = capsys.readouterr()
    assert "held 3 replications" in told.err
    assert "tiny: 4 runs" in told.out or "4 runs (tiny.yaml)" in told.out


def test_two_suites_are_told_how_to_be_compared(place, capsys):
    assert call("compare", "results/tiny", "results/tiny") == 2
    assert "name the folder of an arm, such as results/tiny/A" in capsys.readouterr().err
    assert call("compare", "results/tiny/A", "results/tiny/B") == 0


def test_why_takes_an_arm(place, capsys):
    assert call("why", "rain", "--arm", "A") == 0
    assert "results/tiny/A/" in capsys.readouterr().out
    assert call("why", "rain", "--arm", "C") == 2
    assert "there are A, B" in capsys.readouterr().err


def test_the_version_is_an_option_too(capsys):
    assert call("--version") == 0
    first = capsys.readouterr().out
    assert call("version") == 0
    assert capsys.readouterr().out == first


def test_check_tells_errors_first_and_folds_warnings(place, capsys):
    from twin.cli.files import _told
    from twin.scenario.problems import Problem

    found = [Problem("a.yaml", i, 1, "W201", f"warning {i}") for i in range(1, 4)]
    found += [Problem("a.yaml", 9, 1, "E110", "an error"), Problem("a.yaml", 10, 1, "W202", "one warning")]
    lines = _told("my a.yaml", found, verbose=False).splitlines()
    assert [line.split("[")[1][:4] for line in lines[:-1]] == ["E110", "W201", "W202"]
    assert "3 times; next: twin check --verbose 'my a.yaml'" in lines[1]
    assert lines[-1] == "1 error, 4 warnings"
    assert len(_told("a.yaml", found, verbose=True).splitlines()) == 6


def test_a_run_names_the_command_that_lists_its_defaults(capsys):
    from twin.cli.telling import tell_warnings
    from twin.scenario.problems import Problem

    found = [Problem("my a.yaml", line, 1, "W201", "defaults") for line in (1, 2)]
    tell_warnings("my a.yaml", SimpleNamespace(check=lambda: found))
    told = " ".join(capsys.readouterr().err.split())
    assert told.endswith("2 components take defaults; which and how many: twin check --verbose 'my a.yaml'")


def test_resume_says_that_stages_go_on_with_the_scenario(tmp_path, monkeypatch, capsys):
    path = write_scenario(tmp_path)
    path.write_text(path.read_text().replace("replications: 3", "replications: {first: 2, cap: 2}"))
    monkeypatch.chdir(tmp_path)
    assert call("run", path, *RUN) == 0
    assert "further stages" not in capsys.readouterr().err
    assert call("resume", "results/tiny", *RUN) == 0
    assert f"for further stages: twin run {path}" in capsys.readouterr().err


def test_verdicts_of_several_arms_say_that_they_hold_together(tmp_path, monkeypatch, capsys):
    path = write_scenario(tmp_path)
    path.write_text(path.read_text().replace("  B: {policy", "  C: {}\n  B: {policy"))
    monkeypatch.chdir(tmp_path)
    assert call("run", path, *RUN) == 0
    assert capsys.readouterr().out.count("for all judged KPIs of all 2 arms together") == 2
    shutil.rmtree(Results("results/tiny").runs[0].folder)
    assert call("results", "show", "results/tiny") == 0
    told = capsys.readouterr()
    assert "over 2 replications" in told.out
    assert "1 of 9 runs are not complete and left out: A 0 waiting" in told.err
    assert call("compare", "A", "C", "--results", "results/tiny") == 0
    assert "for all judged KPIs together" in capsys.readouterr().out


@pytest.mark.parametrize("scenario", ["my own.yaml", ""])
def test_after_a_failure_the_next_command_fits_what_was_mended(tmp_path, capsys, scenario):
    from twin.cli.telling import tell_records

    failed = SimpleNamespace(status="failed", arm="A", replication=0, message="no such id", folder=tmp_path)
    with pytest.raises(typer.Exit) as left:
        tell_records([failed], tmp_path, scenario)
    told = capsys.readouterr().err
    assert left.value.exit_code == 1
    assert (f"after a change of the scenario: twin run '{scenario}'" in told) == bool(scenario)
    assert f"after a change elsewhere (data, plugin, disc): twin resume {tmp_path}" in " ".join(told.split())
