"""Opened by name, told apart, cleared up, split into shards."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import twin
from tests.suites.conftest import PLUGIN, TEXT, write_scenario
from twin.cli import main
from twin.durable import FolderLock
from twin.errors import DataError
from twin.execution.execute import Execution, in_shard, parse_shard
from twin.execution.housekeeping import diff, prune, waste_in
from twin.execution.suite import run_suite, select
from twin.results import Results
from twin.scenario import load


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return the folder of results of the tiny suite, run once."""
    folder = tmp_path_factory.mktemp("kept")
    scenario = load(write_scenario(folder), plugins=[PLUGIN])
    run_suite(scenario, folder / "out", execution=Execution(workers=1, warm=False))
    return folder / "out"


@pytest.fixture
def out(made, tmp_path):
    """Return a copy that a test may change."""
    return shutil.copytree(made, tmp_path / "copy")


def call(*words):
    """Run a command in this process; return its exit code."""
    with pytest.raises(SystemExit) as left:
        main([str(word) for word in words])
    return left.value.code or 0


def tables(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*.parquet"))}


def test_results_are_opened_by_the_name_of_their_suite(made, monkeypatch):
    assert len(twin.results("tiny", made).kpis()) == 12
    assert twin.results(made / "tiny" / "A").arms == ["A"]
    monkeypatch.chdir(made.parent)
    with pytest.raises(DataError, match="there are none"):
        twin.results("tiny")
    with pytest.raises(DataError, match="there are tiny"):
        twin.results("tony", made)
    assert twin.results.Results is Results


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_shards_are_all_cases_each_once(count):
    cases = list(range(6))
    parts = [in_shard(cases, (number, count)) for number in range(1, count + 1)]
    assert sorted(case for part in parts for case in part) == cases
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


@pytest.mark.parametrize("text", ["", "1", "0/2", "3/2", "1/0", "-1/2", "a/b", "1/2/3"])
def test_a_shard_that_is_none_is_told(text):
    with pytest.raises(DataError, match="write i/n"):
        parse_shard(text)


def test_two_shards_make_the_whole_suite(made, tmp_path, tiny, monkeypatch, capsys):
    write_scenario(tmp_path)
    monkeypatch.chdir(tmp_path)
    words = ["run", "tiny.yaml", "--plugin", PLUGIN, "--workers", 1, "--no-report", "--shard"]
    assert call(*words, "1/2") == 0
    told = capsys.readouterr().out
    assert "3 of 6 runs complete" in told
    assert "verdict" not in told
    assert "expected" not in told
    assert call(*words, "2/2") == 0
    told = capsys.readouterr().out
    assert "verdict" in told
    assert "expected A.served > 10: 70 holds" in told
    assert tables(tmp_path / "results" / "tiny") == tables(made / "tiny")
    listed = [json.loads((folder / "suite.json").read_text()) for folder in (made / "tiny", Path("results/tiny"))]
    assert [run["run_id"] for run in listed[0]["runs"]] == [run["run_id"] for run in listed[1]["runs"]]


def test_the_last_shard_judges_what_the_suite_expects(tmp_path, monkeypatch, capsys):
    write_scenario(tmp_path, text=TEXT.replace("A.served > 10", "B.served > 1000"))
    monkeypatch.chdir(tmp_path)
    words = ["run", "tiny.yaml", "--plugin", PLUGIN, "--workers", 1, "--no-report", "--shard"]
    assert call(*words, "2/2") == 0
    assert call(*words, "1/2") == 1
    assert "NOT MET" in capsys.readouterr().out


def test_one_arm_of_a_suite_in_stages_says_that_it_runs_the_first(tmp_path, monkeypatch, capsys):
    write_scenario(tmp_path, text=TEXT.replace("replications: 3", "replications: {first: 2, cap: 4}"))
    monkeypatch.chdir(tmp_path)
    assert call("run", "tiny.yaml", "--plugin", PLUGIN, "--workers", 1, "--no-report", "--arm", "A") == 0
    told = capsys.readouterr().err
    assert "--arm must name the baseline A and another arm; the first 2 replications run only" in told


def parts_on_two_machines(folder, expected):
    """Run each half of the tiny suite into a folder of its own; return the exit codes."""
    write_scenario(folder, text=TEXT.replace("A.served > 10", expected))
    words = ["run", folder / "tiny.yaml", "--plugin", PLUGIN, "--workers", 1, "--no-report"]
    return [call(*words, "--shard", f"{i}/2", "--out", folder / f"machine{i}") for i in (1, 2)]


@pytest.mark.parametrize(
    ("expected", "code", "told"), [("A.served > 10", 0, "holds"), ("B.served > 999", 1, "NOT MET")]
)
def test_parts_of_two_machines_are_judged_once_they_lie_together(tmp_path, capsys, expected, code, told):
    assert parts_on_two_machines(tmp_path, expected) == [0, 0]
    first = tmp_path / "machine1" / "tiny"
    assert call("results", "judge", first) == 1
    assert "3 of 6 runs are not complete" in capsys.readouterr().err
    shutil.copytree(tmp_path / "machine2", tmp_path / "machine1", dirs_exist_ok=True)
    assert call("results", "judge", first) == code
    shown = capsys.readouterr()
    assert f"expected {expected}: " in shown.out
    assert told in shown.out
    assert shown.err == ""
    assert call("results", "show", first) == 0
    assert told in capsys.readouterr().out


def test_only_a_suite_can_be_judged(out, capsys):
    assert call("results", "judge", out) == 2
    assert "name the folder of a suite" in capsys.readouterr().err


def test_a_shard_without_runs_is_no_error(tmp_path, capsys):
    write_scenario(tmp_path)
    words = [
        "run",
        tmp_path / "tiny.yaml",
        "--plugin",
        PLUGIN,
        "--workers",
        1,
        "--no-report",
        "--out",
        tmp_path / "out",
    ]
    assert call(*words, "--shard", "9/9") == 0
    assert "0 of 6 runs complete" in capsys.readouterr().out


def test_results_without_a_complete_run_are_not_called_equal(out, capsys):
    for run in Results(out).runs:
        (run.folder / "manifest.json").unlink()
    assert call("results", "diff", out / "tiny", out / "tiny") == 2
    assert "no complete run" in capsys.readouterr().err


def test_runs_left_out_of_a_difference_are_told(made, out, capsys):
    (Results(out).runs[0].folder / "manifest.json").unlink()
    assert call("results", "diff", out / "tiny", out / "tiny") == 0
    assert "1 of 6 runs are not complete and left out: A 0 incomplete" in capsys.readouterr().err


def test_folders_of_an_arm_each_are_matched_by_replication(made):
    found = diff(Results(made / "tiny" / "A"), Results(made / "tiny" / "B"))
    assert {one.place for one in found} == {f"A / B {i}" for i in range(3)}
    assert "run" not in {one.what for one in found}


def test_results_without_a_complete_run_are_told(out, capsys):
    for run in Results(out).runs:
        shutil.rmtree(run.folder)
    assert call("results", "show", out / "tiny") == 2
    assert "no complete run in" in capsys.readouterr().err


def test_a_state_that_does_not_exist_is_told(out, capsys):
    assert call("results", "prune", out, "--state", "old") == 2
    assert "earlier, incomplete, broken, interrupted, failed, complete" in capsys.readouterr().err


def test_two_suites_of_one_arm_name_are_not_mixed(out, capsys):
    other = shutil.copytree(out / "tiny", out / "other")
    for manifest in other.rglob("manifest.json"):
        manifest.write_text(manifest.read_text().replace('"suite": "tiny"', '"suite": "other"'))
    for suite in (out / "tiny", other):
        shutil.rmtree(suite / "B")
    assert call("results", "show", out) == 2
    assert "several suites; open one of other, tiny" in capsys.readouterr().err


def test_two_runs_of_one_seed_are_told(out):
    run = Results(out).runs[0].folder
    shutil.copytree(run, run.with_name("copy"))
    with pytest.raises(DataError, match="both arm A, seed 5"):
        Results(out / "tiny").compare()
    with pytest.raises(DataError, match="one arm and replication"):
        diff(Results(out / "tiny"), Results(out / "tiny"))


def test_nobody_takes_up_a_run_while_it_is_pruned(out, monkeypatch):
    folder = Results(out).runs[0].folder
    (folder / "manifest.json").unlink()
    held, delete = [], shutil.rmtree
    monkeypatch.setattr(shutil, "rmtree", lambda path: (held.append(FolderLock(path).is_held()), delete(path)))
    assert [waste.path for waste in prune(waste_in(out))] == [folder]
    assert held == [True]


def test_equal_results_do_not_differ(made, out, capsys):
    assert diff(Results(made), Results(out)) == []
    assert call("results", "diff", made / "tiny", out / "tiny") == 0
    assert "no difference" in capsys.readouterr().out


def test_runs_figures_and_versions_that_differ_are_listed(made, out, capsys):
    runs = Results(out).runs
    shutil.rmtree(runs[0].folder)
    path = runs[1].folder / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["kpis"]["served"] += 1.0
    manifest["identity"]["libraries"]["numpy"] = "1.0"
    manifest["identity"]["code"] = "0" * 64
    path.write_text(json.dumps(manifest))
    found = [(one.place, one.what, one.name) for one in diff(Results(made), Results(out))]
    assert found == [
        ("A 0", "run", "A 0"),
        ("A 1", "made of", "code"),
        ("A 1", "version", "numpy"),
        ("A 1", "kpi", "served"),
    ]
    assert call("results", "diff", made / "tiny", out / "tiny") == 1
    assert "1.0" in capsys.readouterr().out


def test_two_arms_of_one_run_each_are_matched(made):
    runs = Results(made).runs
    found = diff(Results(runs[0].folder), Results(runs[3].folder))
    assert {"case", "wait_mean"} <= {one.name for one in found}
    assert {one.place for one in found} == {"A 0 / B 0"}


def test_pruning_lists_first_and_deletes_only_what_is_of_no_use(out, capsys):
    runs = Results(out).runs
    (runs[0].folder / "manifest.json").unlink()
    (runs[1].folder / "snapshot.npz.7-7.tmp").write_bytes(b"half")
    content = json.loads((out / "tiny" / "suite.json").read_text())
    content["runs"] = [run for run in content["runs"] if run["run_id"] != runs[5].run_id]
    (out / "tiny" / "suite.json").write_text(json.dumps(content))
    before = sorted(out.rglob("*"))
    assert call("results", "prune", out) == 0
    assert "nothing was deleted" in capsys.readouterr().out
    assert sorted(out.rglob("*")) == before
    assert call("results", "prune", out, "--yes") == 0
    assert "deleted 3 of 3" in capsys.readouterr().out
    assert [run.folder.exists() for run in runs] == [False, True, True, True, True, False]
    assert not list(out.rglob("*.tmp"))


def test_interrupted_runs_are_kept_unless_named(out):
    folder = Results(out).runs[0].folder
    (folder / "manifest.json").unlink()
    (folder / "snapshot.npz").write_bytes(b"")
    assert waste_in(out) == []
    assert [waste.path for waste in waste_in(out, ("interrupted",))] == [folder]


def test_a_run_that_is_being_written_is_not_pruned(out):
    folder = Results(out).runs[0].folder
    (folder / "manifest.json").unlink()
    lock = FolderLock(folder)
    lock.take()
    assert prune(waste_in(out)) == []
    lock.release()
    assert [waste.path for waste in prune(waste_in(out))] == [folder]


def test_a_resume_by_other_code_lists_what_it_made(out, monkeypatch):
    import twin.execution.identity
    from twin.execution.suite import resume

    monkeypatch.setattr(twin.execution.identity, "code_digest", lambda: "other code")
    records = resume(out / "tiny", [PLUGIN], Execution(workers=1, warm=False))
    assert [record.reused for record in records] == [False] * 6
    assert {str(run.folder) for run in Results(out).complete} == {record.folder for record in records}
    assert sum(run.status == "earlier" for run in Results(out).runs) == 6


def test_threads_write_the_bytes_of_processes(made, tmp_path, tiny):
    scenario = tiny()
    threads = Execution(workers=2, executor="threads", warm=False)
    assert run_suite(scenario, tmp_path, select(scenario), threads).is_complete
    assert tables(tmp_path / "tiny") == tables(made / "tiny")
    with pytest.raises(DataError, match="processes, threads"):
        run_suite(scenario, tmp_path, execution=Execution(executor="fibres"))
