"""The command line: what it prints, its exit codes, and that no traceback reaches a user."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.city.small import NET
from tests.suites.conftest import PLUGIN, write_scenario

ROOT = Path(__file__).resolve().parents[2]
TWIN = [sys.executable, "-c", "from twin.cli import main; main()"]
HEAVY = ("numba", "mesa", "geopandas", "matplotlib", "pandas", "scipy", "networkx", "pyarrow", "duckdb", "simpy")
COMMANDS = (
    "demo", "run", "check", "new", "plan", "expand", "why", "compare", "branch", "resume", "results", "city", "data",
    "schema", "warmup", "version",
)  # fmt: skip


def twin(*words, cwd=None, **environment):
    """Run a command in a process of its own."""
    found = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    return subprocess.run(
        [*TWIN, *map(str, words)], check=False, cwd=cwd, env=found, capture_output=True, text=True, timeout=300
    )


def call(*words):
    """Run a command in this process; return its exit code."""
    from twin.cli import main

    with pytest.raises(SystemExit) as left:
        main([str(word) for word in words])
    return left.value.code or 0


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return a folder in which the tiny suite has been run, and what that printed."""
    folder = tmp_path_factory.mktemp("cli")
    write_scenario(folder)
    done = twin("run", "tiny.yaml", "--plugin", PLUGIN, "--workers", "1", "--no-report", cwd=folder)
    return folder, done


@pytest.fixture
def place(made, tmp_path, monkeypatch):
    """Work in a copy of the folder with the tiny suite."""
    folder = shutil.copytree(made[0], tmp_path / "work")
    monkeypatch.chdir(folder)
    return folder


def test_help_lists_every_command_and_imports_nothing_heavy():
    lines = [
        "import sys",
        "from twin.cli import main",
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass",
        f"print('HEAVY', [name for name in {HEAVY} if name in sys.modules])",
    ]
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)],
        check=True, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert "HEAVY []" in done.stdout
    assert all(f" {command} " in done.stdout for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command, capsys):
    assert call(command, "--help") == 0
    assert "Usage" in capsys.readouterr().out


def test_run_prints_verdicts_expectations_and_paths(made):
    folder, done = made
    assert done.returncode == 0, done.stderr
    for words in ("wait_mean", "better", "95% interval", "expected A.served > 10: 70 holds", "results/tiny/A"):
        assert words in done.stdout
    assert "elapsed" in done.stdout
    assert (folder / "results" / "tiny" / "suite.json").is_file()


def test_an_unmet_expectation_is_exit_code_1(tmp_path, monkeypatch, capsys):
    path = write_scenario(tmp_path)
    path.write_text(path.read_text().replace("A.served > 10", "A.served > 1000"))
    monkeypatch.chdir(tmp_path)
    assert call("run", path, "--plugin", PLUGIN, "--workers", 1, "--no-report", "--replications", 1) == 1
    assert "NOT MET" in capsys.readouterr().out


def test_a_failed_run_is_exit_code_1_and_names_its_record(tmp_path, monkeypatch, capsys):
    path = write_scenario(tmp_path, "gap: 20 s, fail_at: 60 s")
    monkeypatch.chdir(tmp_path)
    assert call("run", path, "--plugin", PLUGIN, "--workers", 1, "--arm", "A", "--replications", 1) == 1
    told = capsys.readouterr().err
    assert "the till is empty" in told
    assert "failure.json" in told
    assert "Traceback" not in told


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["run", "no_such.yaml"], "no scenario"),
        (["run", "tiny.yaml", "--plugin", "none.py"], "is not a file"),
        (["run", "tiny.yaml", "--plugin", str(PLUGIN), "--arm", "C"], "it has A, B"),
        (["resume", "none"], "nothing to resume"),
        (["resume", "results/tiny"], "--plugin"),
        (["results", "ls", "none"], "no results"),
        (["results", "sql", "results", "SELECT"], "the query failed"),
        (["results", "export", "results", "--as", "xlsx"], "csv, gpkg, parquet"),
        (["compare", "A", "C"], "there are A, B"),
        (["why", "no_such_kind"], "no event of kind"),
        (["why", "999999"], "no event 999999"),
        (["new", "tiny.yaml"], "exists"),
        (["new", "none/here"], "no folder"),
        (["data", "path", "boroondarra"], "did you mean 'boroondara'"),
    ],
)
def test_bad_input_is_one_message_and_exit_code_2(place, capsys, words, told):
    before = sorted(place.rglob("*"))
    assert call(*words) == 2
    captured = capsys.readouterr()
    assert told in captured.err
    assert "Traceback" not in captured.err
    assert sorted(place.rglob("*")) == before


def test_a_scenario_loads_no_plugin_by_itself(place):
    done = twin("run", "tiny.yaml", cwd=place)
    assert (done.returncode, "no model is named 'shop'" in done.stderr) == (2, True)
    assert "Traceback" not in done.stderr


def test_debug_adds_the_traceback(place, capsys):
    assert call("results", "ls", "none", "--debug") == 2
    assert "Traceback" in capsys.readouterr().err


def test_unknown_words_are_exit_code_2(capsys):
    assert call("frobnicate") == 2
    assert call("run") == 2


def test_check_tells_errors_by_exit_code_and_warnings_only_when_strict(place, capsys):
    assert call("check", "tiny.yaml", "--plugin", PLUGIN) == 0
    assert call("check", "tiny.yaml", "--plugin", PLUGIN, "--strict") == 2
    capsys.readouterr()
    (place / "bad.yaml").write_text((place / "tiny.yaml").read_text().replace("30 min", "30").replace("seed", "sead"))
    assert call("check", "bad.yaml", "tiny.yaml", "--plugin", PLUGIN) == 2
    told = capsys.readouterr().out
    assert "bad.yaml:5:" in told
    assert "bad.yaml:6:" in told


def test_results_commands(place, capsys):
    assert call("results", "ls") == 0
    assert capsys.readouterr().out.count(" complete ") >= 6
    assert call("results", "show", "results/tiny/A") == 0
    assert "mean over replications; A: 3" in capsys.readouterr().out
    assert call("results", "sql", "results", "SELECT count(*) AS n FROM runs") == 0
    assert capsys.readouterr().out.split() == ["n", "6"]
    assert call("results", "export", "results/tiny", "--to", "out") == 0
    assert (place / "out" / "kpis.csv").is_file()


def test_compare_by_arms_and_by_folders_agree(place, capsys):
    assert call("compare", "A", "B") == 0
    arms = capsys.readouterr().out.splitlines()[1:]
    assert call("compare", "results/tiny/A", "results/tiny/B") == 0
    assert capsys.readouterr().out.splitlines()[1:] == arms


def test_why_prints_the_chain_in_local_time(place, capsys):
    assert call("why", "left", "--run", "results/tiny/A") == 0
    told = capsys.readouterr().out
    assert "because" in told
    assert "WITA" in told
    assert "roots:" in told


def test_plan_prints_order_reads_and_writes(place, capsys):
    assert call("plan", "tiny.yaml", "--plugin", PLUGIN, "--arm", "B") == 0
    told = capsys.readouterr().out
    assert "shop.arrived" in told
    assert "policy hurry_up (shop): sees shop.served, shop.quick; orders hurry" in told


def test_a_new_scenario_passes_its_check(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert call("new", "my first") == 0
    assert (tmp_path / "my first.yaml").read_text().startswith("# yaml-language-server: $schema=")
    assert call("check", "my first.yaml") == 0


def test_ctrl_c_and_resume_end_with_the_bytes_of_a_whole_run(made, tmp_path):
    write_scenario(tmp_path, "gap: 20 s, nap: 0.05 s")
    words = [
        *TWIN,
        "run",
        "tiny.yaml",
        "--plugin",
        str(PLUGIN),
        "--workers",
        "1",
        "--no-report",
        "--arm",
        "A",
        "--replications",
        "1",
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(words, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not list(tmp_path.rglob("case.json")) and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    told = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert "twin resume results/tiny" in told
    assert "Traceback" not in told
    done = twin("resume", "results/tiny", "--plugin", PLUGIN, "--workers", "1", cwd=tmp_path)
    assert (done.returncode, "1 complete" in done.stdout) == (0, True), done.stderr
    whole = [path.read_bytes() for path in (made[0] / "results" / "tiny" / "A").rglob("kpis.parquet")]
    (cut,) = (tmp_path / "results" / "tiny" / "A").rglob("kpis.parquet")
    assert cut.read_bytes() in whole


def test_output_that_is_cut_off_is_no_error(place):
    shell = f"{sys.executable} -c 'from twin.cli import main; main()' schema | head -c 10"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(shell, check=False, shell=True, capture_output=True, text=True, env=environment)
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("margin", "told"), [("100 s", "3 replications in 1 stage:"), ("1 ms", "5 replications in 2")])
def test_stages_tell_where_they_stopped(tmp_path, monkeypatch, capsys, margin, told):
    path = write_scenario(tmp_path)
    text = path.read_text().replace("replications: 3", "replications: {first: 3, cap: 5}")
    path.write_text(text.replace("margin: 0.5 s", f"margin: {margin}"))
    monkeypatch.chdir(tmp_path)
    assert call("run", path, "--plugin", PLUGIN, "--workers", 1, "--no-report") == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert told in shown
    assert ("every judged KPI is known" in shown) == (margin == "100 s")
    assert ("wait_mean not known to half the margin" in shown) == (margin == "1 ms")


@pytest.mark.parametrize("name", ["/", "", "..", "___"])
def test_new_needs_a_name(tmp_path, monkeypatch, capsys, name):
    monkeypatch.chdir(tmp_path)
    assert call("new", name) == 2
    assert "names no file" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("query", ["", "  ", "-- nothing"])
def test_an_empty_query_is_told(place, capsys, query):
    assert call("results", "sql", "results", query) == 2
    assert "query" in capsys.readouterr().err


def test_a_title_cannot_speak_to_the_terminal(tmp_path, capsys):
    path = tmp_path / "town.yaml"
    path.write_text('scenario: town\ntitle: "Old \\e[31mTown\\a"\nbase: nusantara\n')
    assert call("expand", path) == 0
    shown = capsys.readouterr().out
    assert "Old Town" in shown
    assert not set(shown) & {"\x1b", "\x07"}


def test_a_plugin_that_ends_the_program_does_not_pass_a_check(tmp_path, capsys):
    plugin = tmp_path / "pex.py"
    plugin.write_text("import sys\nsys.exit(0)\n")
    assert call("check", "nusantara", "--plugin", plugin) == 2
    assert "ends the program" in capsys.readouterr().err


@pytest.mark.parametrize("word", ["out=elsewhere", "counts=x.csv", "path=x", "ouy=1"])
def test_an_option_of_no_importer_is_refused_with_those_there_are(tmp_path, monkeypatch, capsys, word):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ring_net.tntp").write_text(NET)
    assert call("city", "build", "ring_net.tntp", "--option", word) == 2
    said = capsys.readouterr().err
    assert f"no option is named {word.partition('=')[0]!r}; allowed: time_unit, length_unit" in said
    assert [path.name for path in tmp_path.iterdir()] == ["ring_net.tntp"]
