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
from twin.execute import Execution, in_shard, parse_shard
from twin.housekeeping import diff, prune, waste_in
from twin.results import Results
from twin.scenario import load
from twin.suite import run_suite, select


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
    assert "--arm runs the first 2 replications only" in capsys.readouterr().err


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
    import twin.identity
    from twin.suite import resume

    monkeypatch.setattr(twin.identity, "code_digest", lambda: "other code")
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
