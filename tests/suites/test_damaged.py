"""Damaged or foreign results: each file gives one clear error, and the rest is still listed."""

from __future__ import annotations

import json
import shutil

import pytest

from tests.suites.conftest import PLUGIN, write_scenario
from twin.durable import FolderLock
from twin.errors import DataError
from twin.execution.execute import Execution
from twin.execution.suite import resume, resume_suite, run_suite, select
from twin.execution.suite_file import replaced
from twin.results import Results, read_table
from twin.scenario import load

HERE = Execution(workers=1, patience=0.2)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return the folder of the tiny suite with two replications."""
    folder = tmp_path_factory.mktemp("made")
    scenario = load(write_scenario(folder), plugins=[PLUGIN])
    run_suite(scenario, folder / "out", select(scenario, replications=2), HERE)
    return folder / "out" / "tiny"


def edit(path, change):
    """Change a JSON file."""
    content = json.loads(path.read_text())
    path.write_text(json.dumps(change(content) or content))


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m.pop("kpis") and None,
        lambda m: m.update(kpis=[3]),
        lambda m: m.update(kpis={"served": "many"}),
        lambda m: m.update(arm=3),
        lambda m: m.update(arm=None),
        lambda m: m.update(arm="../B"),
        lambda m: m.update(seed=True),
        lambda m: m.update(finished=3),
        lambda m: m.update(case=None),
        lambda m: m["case"].pop("start") and None,
        lambda m: m["city"].update(folder="../../elsewhere"),
        lambda m: m["city"].update(folder="/etc"),
        lambda m: m.update(files={"../x": {"bytes": 1, "sha256": ""}}),
        lambda m: m["files"].update({"kpis.parquet": 3}),
        lambda m: [m],
    ],
)
def test_a_run_with_a_damaged_manifest_is_broken_and_the_others_are_listed(suite, change):
    edit(Results(suite).runs[0].folder / "manifest.json", change)
    found = Results(suite)
    assert sorted(run.status for run in found.runs) == ["broken", "complete", "complete", "complete"]
    assert "twin resume" in found.runs[0].message
    assert found.compare()[0].pairs == 1
    assert len(found.kpis()) == 6


def test_junk_of_the_same_size_is_seen(suite):
    run = Results(suite).runs[0]
    for name in ("kpis.parquet", "events/events.parquet"):
        (run.folder / name).write_bytes(b"\0" * (run.folder / name).stat().st_size)
    with pytest.raises(DataError, match="SHA-256"):
        read_table(run, "events/events.parquet")
    assert Results(suite).runs[0].status == "broken"


def test_junk_events_are_one_clear_error(suite):
    run = Results(suite).runs[0]
    path = run.folder / "events" / "events.parquet"
    path.write_bytes(b"\0" * path.stat().st_size)
    with pytest.raises(DataError, match=r"is damaged.*mend it with: twin resume"):
        Results(suite).events()


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s.update(runs=3),
        lambda s: s.update(runs=[3]),
        lambda s: s.update(runs=[{}]),
        lambda s: s["runs"][0].update(arm="../arm"),
        lambda s: s["runs"][0].update(run_id="../../x"),
        lambda s: s["runs"][0].update(case=None),
        lambda s: s.update(compare=3),
        lambda s: s["compare"].update(margins={"served": "x"}),
        lambda s: s["compare"].update(confidence=2),
        lambda s: s["compare"].update(directions={"served": "up"}),
        lambda s: s.update(expectations=[{"arm": "A"}]),
        lambda s: [s],
    ],
)
def test_a_damaged_suite_file_is_one_clear_error_and_its_runs_are_listed(suite, change):
    edit(suite / "suite.json", change)
    found = Results(suite)
    assert [run.status for run in found.runs] == ["complete"] * 4
    with pytest.raises(DataError, match=r"suite\.json is damaged"):
        found.compare()
    with pytest.raises(DataError, match=r"suite\.json is damaged"):
        resume(suite, [PLUGIN], HERE)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"suite": "../../esc"}, "must be a name"),
        ({"arm": "../arm"}, "must be a name"),
        ({"suite": "victim"}, "belong in victim"),
        ({"extra": 1}, "unknown key 'extra'"),
        ({"city_spec": {}}, "which city"),
        ({"seed": "5"}, "seed"),
    ],
)
def test_a_foreign_suite_writes_nowhere_else(suite, change, told):
    edit(suite / "suite.json", lambda s: s["runs"][0]["case"].update(change))
    before = sorted(suite.parents[1].rglob("*"))
    with pytest.raises(DataError, match=told):
        resume(suite, [PLUGIN], HERE)
    assert sorted(suite.parents[1].rglob("*")) == before


@pytest.mark.parametrize("text", ["null", "{}", "[", '{"suite": 3}'])
def test_a_damaged_case_is_one_clear_error(suite, text):
    run = Results(suite).runs[0].folder
    (run / "case.json").write_text(text)
    with pytest.raises(DataError, match=r"case\.json is damaged"):
        resume(run, [PLUGIN], HERE)


def test_a_link_that_leads_out_of_the_results_is_refused(suite, tmp_path):
    shutil.rmtree(suite / "A")
    (tmp_path / "elsewhere").mkdir()
    (suite / "A").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DataError, match="leads out"):
        resume(suite, [PLUGIN], HERE)
    assert not list((tmp_path / "elsewhere").iterdir())


def test_a_city_outside_the_suite_is_not_read(suite, tmp_path):
    kept = next((suite / "cities").iterdir())
    shutil.move(kept, tmp_path / "city")
    kept.symlink_to(tmp_path / "city")
    with pytest.raises(DataError, match="no copy of the city"):
        Results(suite).city()


def test_another_writer_keeps_its_suite_file(suite, tmp_path):
    scenario = load(write_scenario(tmp_path), plugins=[PLUGIN])
    said = (suite / "suite.json").read_bytes()
    lock = FolderLock(suite)
    assert lock.take() == ""
    with pytest.raises(DataError, match="is running other cases or settings"):
        run_suite(scenario, suite.parent, select(scenario, replications=3), HERE)
    assert (suite / "suite.json").read_bytes() == said
    lock.release()
    run_suite(scenario, suite.parent, select(scenario, replications=3), HERE)
    assert (suite / "suite.json").read_bytes() != said
    assert not (suite / "writer.lock").exists()


def test_who_runs_the_same_beside_another_writer_goes_on(suite):
    lock = FolderLock(suite)
    assert lock.take() == ""
    outcome = resume_suite(suite, [PLUGIN], HERE)
    lock.release()
    assert [record.reused for record in outcome.records] == [True] * 4
    assert [holds for _, _, holds in outcome.expectations] == [True]


def test_an_outcome_is_of_its_own_runs_whatever_the_folder_says_since(suite, tmp_path):
    scenario = load(write_scenario(tmp_path), plugins=[PLUGIN])
    outcome = run_suite(scenario, suite.parent, select(scenario, replications=2), HERE)
    edit(suite / "suite.json", lambda s: s.update(runs=s["runs"][:1], title="another"))
    assert outcome.is_shared()
    assert len(outcome.results().complete) == 4
    assert outcome.results().suite["title"] == "A shop with one till"


def test_fewer_replications_and_another_file_are_told_before(suite, tmp_path):
    scenario = load(write_scenario(tmp_path), plugins=[PLUGIN])
    run_suite(scenario, suite.parent, select(scenario, replications=2), HERE)
    assert replaced(scenario, select(scenario, replications=2), suite.parent) == []
    (told,) = replaced(scenario, select(scenario, ["A"], 1), suite.parent)
    assert "held 2 replications; its figures and report are now of 1" in told
    (tmp_path / "other").mkdir()
    path = write_scenario(tmp_path / "other", "gap: 30 s")
    (told,) = replaced(load(path, plugins=[PLUGIN]), [], suite.parent)
    assert str(path) in told
    assert str(tmp_path / "tiny.yaml") in told
