"""A report shows the verdicts first, needs nothing from outside, and never trusts a name."""

from __future__ import annotations

import dataclasses
import json
import shutil
import subprocess
import sys
import time
from html.parser import HTMLParser
from urllib.parse import unquote

import numpy as np
import pyarrow.parquet
import pytest

from tests.synthetic_results import EVIL, make_suite, small_city
from twin.errors import DataError
from twin.execution.manifest import list_files
from twin.execution.output import write_table
from twin.report import write_report
from twin.report.data import comparisons, panels, read_report
from twin.report.windows import closures, windows
from twin.results import Results

MINUTE = 60_000_000


class Page(HTMLParser):
    """Collects tags, links, pictures and text of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.links, self.images, self.words, self.classes = [], [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        given = dict(attrs)
        self.classes.append(given.get("class"))
        if tag == "img":
            self.images.append(given)
        if "href" in given:
            self.links.append(given["href"])

    def handle_data(self, data):
        self.words.append(data)


@pytest.fixture(scope="module")
def text(suite):
    return write_report(suite).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(text):
    return Page(text)


@pytest.fixture
def few_pictures(monkeypatch):
    """Leave out the maps, where a test is about words: they take most of the time."""
    monkeypatch.setattr("twin.report.pictures.maps", lambda report: iter(()))


def edit(path, change):
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def test_the_verdicts_are_those_of_the_statistics_and_come_first(suite, text, page):
    words = "\n".join(page.words)
    for one in Results(suite).compare("A", "B"):
        assert f" {one.verdict}" in words
    assert "better on" in words
    order = [
        text.index(part)
        for part in ("<h1>Flood night", "Response mean", "<img ", "How it went", "Why was", "Assumptions")
    ]
    assert order == sorted(order)


def test_the_page_needs_nothing_from_outside(text, page):
    assert len(text.encode()) < 5_000_000
    assert "script" not in page.tags
    assert "link" not in page.tags
    assert all(image["src"].startswith("data:image/png;base64,") for image in page.images)
    assert not [link for link in page.links if ":" in link or link.startswith("/")]
    assert "http:" not in text
    assert "https:" not in text
    assert "default-src 'none'" in text


def test_every_picture_has_words_and_its_size(page):
    assert len(page.images) >= 8
    assert all(
        len(image["alt"]) > 20 and int(image["width"]) > 200 and int(image["height"]) > 100 for image in page.images
    )


def test_every_named_file_exists(suite, page):
    parquet = [link for link in page.links if link.endswith(".parquet")]
    assert len(parquet) == 8 * 7
    assert all((suite / unquote(link)).is_file() for link in parquet)
    assert {path.name for path in (suite / "pictures").glob("*.png")} >= {
        "city.png",
        "verdicts.png",
        "story.png",
        "difference.png",
    }


def test_the_verdict_stands_beside_the_figure_for_narrow_screens(page):
    words = [word for word in page.words if word.strip()]
    place = words.index("Figure")
    assert words[place : place + 3] == ["Figure", "Verdict", "A: mean"]


def test_a_difference_of_shares_is_in_percentage_points_like_its_margin(page):
    words = [word for word in page.words if word.strip()]
    cells = words[words.index("Late share") :][:10]
    assert sum("pp" in cell for cell in cells) == 3
    assert "2.00 pp" in cells


def test_captions_say_which_replications_they_show(page):
    captions = [image["alt"] for image in page.images]
    for start, runs in (("Water", "mean over 4"), ("Streets", "mean over 4"), ("Power in A", "mean over 4")):
        assert any(start in text and runs in text for text in captions)
    assert any("Calls in A (replication 0)" in text and "priority" in text for text in captions)
    assert any("B against A (mean over 4" in text for text in captions)


def test_the_last_sample_holds_to_the_end_of_the_run(tmp_path):
    suite = make_suite(tmp_path, replications=1)
    (until,) = {int(json.loads(path.read_text())["duration_us"]) for path in suite.glob("*/*/manifest.json")}
    for manifest in suite.glob("*/*/manifest.json"):
        edit(manifest, lambda content: content.update(duration_us=until + 2 * MINUTE))
    report = read_report(Results(suite))
    (shown,) = (curves[0] for title, curves in panels(report).items() if title == "Units on calls")
    assert shown.time[-1] == report.moment(until + 2 * MINUTE)
    assert shown.values[0, -1] == shown.values[0, -2] > 0


def test_the_outage_is_shaded_from_event_to_event(tmp_path):
    """Samples are dark from 2 h 05 to 3 h 55; the log knows of an outage at 2 h 01 and of light again at 3 h 57.

    Without a sample after that light, some customer may still be in the dark: to the end of the run.
    """
    suite = make_suite(tmp_path, replications=2)
    clock = read_report(Results(suite)).moment
    (sampled,) = (one for one in windows(read_report(Results(suite))) if one.label == "Power out")
    assert (sampled.first, sampled.last) == (clock(125 * MINUTE), clock(240 * MINUTE))
    path = suite / "B" / "run11" / "events" / "events.parquet"
    table = pyarrow.parquet.read_table(path)
    column = pyarrow.array(["outage", "outage", "supply_back", "supply_back", *table["kind"].to_pylist()[4:]])
    times = np.array([60, 121, 237, 300, *[0] * (len(table) - 4)]) * MINUTE
    table = table.set_column(table.column_names.index("kind"), "kind", column)
    table = table.set_column(table.column_names.index("time"), "time", pyarrow.array(times))
    pyarrow.parquet.write_table(table, path)
    edit(path.parents[1] / "manifest.json", lambda content: content.update(files=list_files(path.parents[1])))
    (known,) = (one for one in windows(read_report(Results(suite))) if one.label == "Power out")
    assert (known.first, known.last) == (clock(121 * MINUTE), clock(237 * MINUTE))
    for series in suite.glob("*/*/series.parquet"):
        rows = pyarrow.parquet.read_table(series)
        pyarrow.parquet.write_table(rows.filter(np.asarray(rows["time"]) <= 235 * MINUTE), series)
        edit(series.parent / "manifest.json", lambda content, run=series.parent: content.update(files=list_files(run)))
    report = read_report(Results(suite))
    (dark,) = (one for one in windows(report) if one.label == "Power out")
    assert dark.last == report.moment(int(report.manifest["duration_us"]))


def test_a_closure_of_roads_is_shaded_until_it_ends_and_names_its_links(tmp_path):
    suite = make_suite(tmp_path)
    event = {
        "kind": "road_closure",
        "time": 60 * MINUTE,
        "params": {"duration": 1800.0},
        "targets": [5, 2],
        "label": "",
    }
    for manifest in suite.glob("*/*/manifest.json"):
        edit(manifest, lambda content: content["case"].update(events=[event, event]))
    report = read_report(Results(suite))
    shut = windows(report)[0]
    assert (shut.label, shut.first, shut.last) == (
        "Road closure",
        report.moment(60 * MINUTE),
        report.moment(90 * MINUTE),
    )
    assert closures(report) == [2, 5]


def test_a_figure_without_any_value_is_not_called_the_same(tmp_path, few_pictures):
    suite = make_suite(tmp_path, replications=3)
    for manifest in suite.glob("*/*/manifest.json"):
        edit(manifest, lambda content: content["kpis"].update(late_share=None))
    text = write_report(suite).read_text(encoding="utf-8")
    words = [word for word in Page(text).words if word.strip()]
    assert words[words.index("Late share") + 2] == "– nothing measured"
    found = comparisons(read_report(Results(suite)))["B"]
    assert [one.verdict for one in found if one.figure.name == "late_share"] == ["nothing measured"]
    assert "late share" not in text[: text.index("<table")]


@pytest.mark.parametrize(
    ("zone", "name"), [("Europe/Helsinki", "EET"), ("Asia/Makassar", "WITA"), ("America/Sao_Paulo", "-03")]
)
def test_times_name_the_zone_as_people_there_do(suite, zone, name):
    report = read_report(Results(suite))
    for run in report.runs["A"]:
        run.manifest["city"]["timezone"] = zone
    assert report.local(0).split(" ")[2] == name
    assert report.period().endswith(f" {name}")


def test_assumptions_and_set_up_are_listed(page):
    words = " ".join(page.words)
    assert "river.level" in words
    assert "1 values of the city are assumptions, 1 have a source." in words
    assert f"numpy {np.__version__}" in words


def test_the_same_results_write_the_same_page(suite, text):
    assert write_report(suite).read_text(encoding="utf-8") == text


def test_no_name_can_inject_html(tmp_path):
    source = {"item": EVIL, "value": EVIL, "unit": EVIL, "source": f"assumption: {EVIL}"}
    city = dataclasses.replace(small_city("toy", EVIL), provenance=(source,))
    suite = make_suite(tmp_path, city, ("A", "B'\"><i>"), replications=2, title=EVIL)
    for kpis in suite.glob("*/*/kpis.parquet"):
        table = pyarrow.parquet.read_table(kpis)
        columns = table.to_pydict()
        columns.update(
            kpi=["response_mean", EVIL, f"{EVIL}_share", "vehicle_hours"], unit=[EVIL] * 4, meaning=[EVIL] * 4
        )
        write_table(kpis, {name: np.array(values) for name, values in columns.items()})
    for manifest in suite.glob("*/*/manifest.json"):

        def change(content, manifest=manifest):
            content["case"]["policies"] = {EVIL: EVIL}
            content["case"]["models"] = [EVIL, "'\"><img src=x>"]
            content["files"] = list_files(manifest.parent)
            content["identity"]["libraries"] = {EVIL: EVIL}

        edit(manifest, change)
    (suite / "C'><b>").mkdir()
    (suite / "C'><b>" / "case.json").write_text(json.dumps({"suite": EVIL, "arm": EVIL}))
    text = write_report(suite).read_text(encoding="utf-8")
    found = Page(text)
    assert "script" not in found.tags
    assert not {"b", "i"} & set(found.tags)
    assert all(image["src"].startswith("data:") for image in found.images)
    assert EVIL in " ".join(found.words)
    assert EVIL not in text


def test_a_template_sign_in_a_name_is_text(tmp_path, few_pictures):
    suite = make_suite(tmp_path, small_city(title="$body ${style} $"), title="$title $$", replications=2)
    assert "<h1>$title $$</h1>" in write_report(suite).read_text(encoding="utf-8")


def test_one_arm_gives_means_without_verdicts(tmp_path, few_pictures):
    suite = make_suite(tmp_path, arms=("A",))
    found = Page(write_report(suite).read_text(encoding="utf-8"))
    words = " ".join(found.words)
    assert "Lowest to highest replication" in words
    assert "Where B" not in words
    assert "Verdict" not in words
    assert "lead" not in found.classes


def test_a_third_arm_gets_its_own_table(tmp_path, few_pictures):
    suite = make_suite(tmp_path, arms=("A", "B", "C"), replications=2)
    assert {curve.arm for curves in panels(read_report(Results(suite))).values() for curve in curves} == set("ABC")
    page = Page(write_report(suite).read_text(encoding="utf-8"))
    words = " ".join(page.words)
    assert "B against A" in words
    assert "C against A" in words
    assert page.images[0]["alt"].startswith("Differences between 2 arms and A. B: response_mean ")


def test_runs_left_out_are_named(tmp_path, few_pictures):
    suite = make_suite(tmp_path, replications=3)
    (suite / "B" / "run12" / "links" / "links.parquet").write_bytes(b"cut")
    words = " ".join(Page(write_report(suite).read_text(encoding="utf-8")).words)
    assert "1 runs are not complete" in words
    assert "missing or cut short" in words
    assert "over 2 replications" in words


def test_without_the_city_there_are_verdicts_but_no_maps(tmp_path):
    suite = make_suite(tmp_path, replications=2)
    shutil.rmtree(suite / "cities")
    found = Page(write_report(suite).read_text(encoding="utf-8"))
    assert len(found.images) == 2
    assert "No copy of the city" in " ".join(found.words)


def test_a_run_without_domain_tables_still_reports(tmp_path):
    suite = make_suite(tmp_path, replications=2)
    for run in suite.glob("*/run*"):
        for part in ("links", "buses", "incidents", "events"):
            shutil.rmtree(run / part)
        (run / "series.parquet").unlink()
        edit(
            run / "manifest.json",
            lambda content: content.update(files={"kpis.parquet": content["files"]["kpis.parquet"]}),
        )
    found = Page(write_report(suite).read_text(encoding="utf-8"))
    assert len(found.images) == 2
    assert "How it went" not in found.words


def test_a_single_run_can_be_reported(tmp_path, few_pictures):
    suite = make_suite(tmp_path, replications=1)
    assert write_report(suite / "B" / "run10").stat().st_size > 30_000


def test_a_folder_without_complete_runs_is_refused(tmp_path):
    (tmp_path / "s" / "A" / "r").mkdir(parents=True)
    (tmp_path / "s" / "A" / "r" / "case.json").write_text("{}")
    with pytest.raises(DataError, match="no complete run"):
        write_report(tmp_path / "s")
    assert not (tmp_path / "s" / "report.html").exists()


def test_several_suites_are_refused_by_name(tmp_path):
    first = make_suite(tmp_path, replications=1)
    shutil.copytree(first, tmp_path / "other")
    for manifest in (tmp_path / "other").glob("*/*/manifest.json"):
        edit(manifest, lambda content: content.update(suite="other"))
    with pytest.raises(DataError, match="other, toy_suite"):
        write_report(tmp_path)


def test_importing_the_report_draws_nothing():
    code = "import sys, twin.report; sys.exit(any(m in sys.modules for m in ('matplotlib', 'pandas', 'geopandas')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.slow
def test_a_report_is_quick(suite):
    begun = time.process_time()
    write_report(suite)
    assert time.process_time() - begun < 5.0
