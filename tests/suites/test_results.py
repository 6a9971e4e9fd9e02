"""Results on disk: read, compared, queried, exported; broken ones are listed and never raise."""

from __future__ import annotations

import csv
import json
import shutil

import pytest

from tests.engine.toys import toy_city
from twin.errors import DataError
from twin.execution.execute import Execution
from twin.execution.suite import run_suite, select
from twin.results import Results, compare_results


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return the folder of the tiny suite, run once."""
    from tests.suites.conftest import PLUGIN, write_scenario
    from twin.scenario import load

    folder = tmp_path_factory.mktemp("made")
    scenario = load(write_scenario(folder), plugins=[PLUGIN])
    run_suite(scenario, folder / "out", execution=Execution(workers=1))
    return folder / "out" / "tiny"


def test_a_suite_knows_its_arms_runs_and_tables(made):
    results = Results(made)
    assert (results.arms, len(results.complete)) == (["A", "B"], 6)
    assert {"kpis", "series", "events/events", "events/parents", "nodes/nodes"} <= set(results.table_names())
    assert len(results.kpis()) == 12
    assert set(results.series("inside").columns) >= {"arm", "replication", "local", "value"}
    assert set(results.events("rain")["target_id"]) == {"n1"}


def test_a_run_and_an_arm_can_be_opened_alone(made):
    run = Results(made).runs[0]
    assert [r.run_id for r in Results(run.folder).runs] == [run.run_id]
    assert len(Results(made / "B").complete) == 3


def test_comparison_uses_the_scenarios_margins_and_pairs_by_seed(made):
    wait, served = Results(made).compare()
    assert (wait.figure.name, wait.figure.margin, served.figure.margin) == ("wait_mean", 0.5, 2.0)
    assert (wait.pairs, wait.verdict) == (3, "better")
    values = Results(made).values()
    by_hand = [values["B"]["wait_mean"][s] - values["A"]["wait_mean"][s] for s in (5, 6, 7)]
    assert wait.difference == pytest.approx(sum(by_hand) / 3)


def test_two_folders_are_compared_like_two_arms(made):
    apart = compare_results(Results(made / "A"), Results(made / "B"))
    assert apart == Results(made).compare("A", "B")
    with pytest.raises(DataError, match="one arm"):
        compare_results(Results(made), Results(made / "B"))


@pytest.mark.parametrize(
    ("damage", "status"),
    [
        (lambda run: (run / "manifest.json").write_text("{"), "broken"),
        (lambda run: (run / "manifest.json").write_text("[1]"), "broken"),
        (lambda run: (run / "manifest.json").write_text('{"files": {}}'), "broken"),
        (lambda run: (run / "kpis.parquet").unlink(), "broken"),
        (lambda run: (run / "series.parquet").write_bytes(b"PAR1"), "broken"),
        (lambda run: (run / "manifest.json").unlink(), "incomplete"),
        (lambda run: [(run / "manifest.json").unlink(), (run / "failure.json").write_text("no JSON")], "incomplete"),
        (lambda run: [(run / "manifest.json").unlink(), (run / "snapshot.npz").write_bytes(b"")], "interrupted"),
        (lambda run: [(run / "manifest.json").unlink(), (run / "failure.json").write_text("{}")], "failed"),
    ],
)
def test_a_run_that_is_not_whole_is_listed_and_left_out(suite, damage, status):
    run = Results(suite).runs[0].folder
    damage(run)
    results = Results(suite)
    assert sorted(r.status for r in results.runs) == sorted([status] + ["complete"] * 5)
    assert len(results.kpis()) == 10
    assert results.compare()[0].pairs == 2
    assert status in results._repr_html_()


def test_runs_of_an_earlier_version_are_set_aside(suite):
    listed = json.loads((suite / "suite.json").read_text())
    listed["runs"] = [run for run in listed["runs"] if run["replication"] != 0]
    (suite / "suite.json").write_text(json.dumps(listed))
    assert sorted(run.status for run in Results(suite).runs) == ["complete"] * 4 + ["earlier"] * 2


def test_running_one_arm_again_keeps_the_other_listed(tmp_path, tiny):
    scenario = tiny()
    here = Execution(workers=1)
    run_suite(scenario, tmp_path, select(scenario, ["A"]), here)
    run_suite(scenario, tmp_path, select(scenario, ["B"], 2), here)
    assert [len([r for r in Results(tmp_path / "tiny").complete if r.arm == a]) for a in "AB"] == [3, 2]


def test_runs_that_have_not_begun_are_listed(suite):
    gone = Results(suite).runs[0].folder
    shutil.rmtree(gone)
    waiting = [run for run in Results(suite).runs if run.status == "waiting"]
    assert [(run.folder, run.arm, run.replication) for run in waiting] == [(gone, "A", 0)]


def test_sql_sees_every_table_with_its_run(made):
    results = Results(made)
    frame = results.sql("SELECT arm, replication, count(*) AS n FROM visits GROUP BY ALL ORDER BY ALL")
    assert frame.to_dict("list") == {"arm": list("AAABBB"), "replication": [0, 1, 2] * 2, "n": [3] * 6}
    assert results.sql("SELECT count(*) AS n FROM runs WHERE status = 'complete'")["n"][0] == 6


@pytest.mark.parametrize(
    "query",
    [
        "SELECT nothing FROM kpis",
        "SELECT * FROM read_csv('/etc/passwd')",
        "COPY kpis TO '/tmp/twin_query_wrote_this.csv'",
        "SET enable_external_access = true",
    ],
)
def test_sql_that_fails_or_leaves_the_results_is_refused(made, query):
    with pytest.raises(DataError, match="tables: runs"):
        Results(made).sql(query)


def test_csv_opens_in_a_spreadsheet(made, tmp_path):
    written = {path.name: path for path in Results(made).export("csv", tmp_path)}
    raw = written["events.csv"].read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    assert raw.endswith(b"\r\n")
    rows = list(csv.DictReader(raw.decode("utf-8-sig").splitlines()))
    rain = next(row for row in rows if row["kind"] == "rain")
    assert (rain["utc"], rain["local"]) == ("2026-01-15 09:20:00", "2026-01-15 17:20:00")


def test_geopackage_puts_rows_where_they_are(made, tmp_path):
    import geopandas

    (path,) = Results(made).export("gpkg", tmp_path)
    for name in ("visits", "nodes", "wet"):
        layer = geopandas.read_file(path, layer=name)
        assert layer.crs.to_epsg() == 4326
        assert [round(point.x, 9) for point in layer.geometry[:3]] == toy_city()["nodes"]["lon"].tolist()


def test_parquet_holds_all_runs_in_one_file(made, tmp_path):
    import pandas

    files = {path.stem: path for path in Results(made).export("parquet", tmp_path)}
    assert len(pandas.read_parquet(files["kpis"])) == 12


def test_wrong_requests_say_what_there_is(made, tmp_path):
    results = Results(made)
    for act, words in [
        (lambda: results.export("xlsx"), "csv, gpkg, parquet"),
        (lambda: results.series("nothing"), "inside"),
        (lambda: results.table("nothing"), "kpis"),
        (lambda: results.compare("A", "C"), "A, B"),
        (lambda: Results(tmp_path / "none"), "no results"),
        (lambda: Results(tmp_path), "no runs below"),
    ]:
        with pytest.raises(DataError, match=words):
            act()


def test_bad_names_cannot_inject_html(suite):
    run = Results(suite).runs[0].folder
    (run / "manifest.json").unlink()
    (run / "failure.json").write_text(json.dumps({"stage": "run", "message": "<script>alert(1)</script>"}))
    assert "<script>" not in Results(suite)._repr_html_()


def test_the_city_travels_with_the_results(made):
    assert Results(made).city().digest == toy_city().digest


def test_a_figure_that_cannot_be_judged_is_one_clear_error(made, monkeypatch):
    import twin.results

    table = twin.results.read_table(Results(made).complete[0], "kpis.parquet").to_pandas()
    table["direction"] = "sideways"
    monkeypatch.setattr(twin.results, "read_table", lambda run, name: __import__("pyarrow").Table.from_pandas(table))
    with pytest.raises(DataError, match="sideways"):
        Results(made).compare()
