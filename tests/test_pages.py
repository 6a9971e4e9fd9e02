"""What README and manual say is so: links lead somewhere, commands parse, examples run, options exist."""

from __future__ import annotations

import re
import shlex
import shutil
from dataclasses import fields
from pathlib import Path

import pytest

import twin
from tests.test_manual import blocks

ROOT = Path(__file__).resolve().parent.parent
MANUAL = ROOT / "docs" / "manual"
PAGES = [ROOT / "README.md", *sorted(MANUAL.glob("*.md")), *sorted((ROOT / "docs" / "adr").glob("*.md"))]
LINK = re.compile(r"\]\((?!https?:)([^)#\s]+)\)")


def block_after(text: str, language: str, heading: str = "") -> str:
    part = text[text.index(heading) :]
    return re.search(rf"(?s)```{language}\n(.*?)```", part)[1]


def commands(page: Path) -> list[str]:
    """List the `twin` commands of a page's shell blocks."""
    shells = re.findall(r"(?s)```sh\n(.*?)```", page.read_text(encoding="utf-8"))
    return [line for text in shells for line in text.splitlines() if line.startswith("twin ")]


def parse(words: list[str]) -> str:
    """Parse a command line as `twin` would, without doing anything; return the command it names."""
    import typer

    from twin.cli import app

    command = typer.main.get_command(app)
    context = command.make_context("twin", list(words), resilient_parsing=False)
    while hasattr(command, "resolve_command"):
        words = [*context._protected_args, *context.args]
        name, command, rest = command.resolve_command(context, words)
        context = command.make_context(name, rest, parent=context)
    return context.command_path


def masked(text: str) -> list[str]:
    """Return lines with every figure replaced, so that only what is said counts."""
    return [re.sub(r"[-+]?\d[\d,.]*", "#", line).split() for line in text.strip().splitlines()]


@pytest.fixture(scope="module")
def evening(tmp_path_factory):
    """Return a folder with the planner's scenario, shortened, and its results."""
    from twin.execution.execute import Execution
    from twin.execution.suite import run_suite

    folder = tmp_path_factory.mktemp("evening")
    text = blocks("planner.md", "yaml")[0]
    short = text.replace("duration: 2 h\n", "duration: 30 min\n").replace("replications: 5", "replications: 2")
    assert short.count("30 min") == text.count("30 min") + 1
    (folder / "evening.yaml").write_text(short.replace("at: +30 min", "at: +10 min").replace("17:20", "17:05"))
    outcome = run_suite(twin.load(folder / "evening.yaml"), folder / "results", execution=Execution(workers=1))
    assert outcome.is_complete
    return folder


@pytest.fixture
def place(evening, tmp_path, monkeypatch):
    """Work in a copy of that folder."""
    monkeypatch.chdir(shutil.copytree(evening, tmp_path / "work"))
    monkeypatch.setenv("MPLBACKEND", "Agg")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    found = LINK.findall(page.read_text(encoding="utf-8"))
    assert [link for link in found if not (page.parent / link).exists()] == []


def test_the_index_names_every_page():
    linked = set(LINK.findall((MANUAL / "index.md").read_text(encoding="utf-8")))
    assert {page.name for page in MANUAL.glob("*.md")} - {"index.md"} <= linked


@pytest.mark.parametrize(
    "line", sorted({line for page in PAGES for line in commands(page)}), ids=lambda line: line.replace(" ", "_")
)
def test_commands_parse(line):
    assert f"{line} ".startswith(parse(shlex.split(line)[1:]) + " ")


@pytest.mark.parametrize("line", ["twin run", "twin run a.yaml --shards 1/2", "twin results expor x", "twin nothing"])
def test_commands_that_are_not_there_do_not_parse(line):
    with pytest.raises((Exception, SystemExit)):
        parse(shlex.split(line)[1:])


def test_the_planner_commands_do_what_the_page_says(place, capsys):
    from twin.cli import main

    for line in commands(MANUAL / "planner.md"):
        if line.startswith(("twin run ", "twin city ")):
            continue
        with pytest.raises(SystemExit) as left:
            main(shlex.split(line)[1:])
        assert not left.value.code, line
    told = capsys.readouterr().out
    for words in ("0 errors", "verdict", "because", "The root", "4 of 4 runs complete", "arm,mean"):
        assert words in told
    for file in ("draft.yaml", "results/evening/export/kpis.csv", "maps/results.gpkg", "tables/events.parquet"):
        assert Path(file).is_file()


def test_the_scenario_of_the_planner_has_no_errors(tmp_path):
    for page in ("planner.md", "ci.md"):
        (tmp_path / "scenario.yaml").write_text(blocks(page, "yaml")[0])
        scenario = twin.load(tmp_path / "scenario.yaml")
        assert [str(problem) for problem in scenario.check() if problem.is_error] == []
        assert len(scenario.expectations) >= 1


def test_the_researcher_examples_run(place, capsys):
    source = "\n".join(blocks("researcher.md", "python"))
    exec(compile(source, "researcher.md", "exec"), {"__name__": "__main__"})
    told = capsys.readouterr().out
    assert "False 4326 True" in told
    assert "Results('results/evening'): 4 of 4 runs complete" in told
    assert "because" in told
    assert told.count("\nTrue") == 3
    assert Path("flood.png").stat().st_size > 10_000


def test_the_cut_run_of_the_engine_page_equals_the_whole(place, capsys):
    exec(compile(blocks("engine.md", "python")[0], "engine.md", "exec"), {})
    assert capsys.readouterr().out == "True True\n"


def test_the_share_of_assumptions_is_printed(capsys):
    exec(compile(blocks("cities.md", "python")[0], "cities.md", "exec"), {})
    values, assumed = map(int, re.findall(r"\d+", capsys.readouterr().out.splitlines()[0]))
    assert 0 < assumed < values


def test_every_option_of_an_importer_is_explained():
    from twin.city.osm import OsmOptions
    from twin.city.tntp import LENGTH_UNITS, TIME_UNITS, TntpOptions

    page = (MANUAL / "cities.md").read_text(encoding="utf-8")
    osm, tntp = page.split("## A TNTP network")
    assert [field.name for field in fields(OsmOptions) if f"`{field.name}`" not in osm] == []
    assert [field.name for field in fields(TntpOptions) if f"`{field.name}`" not in tntp] == []
    assert [unit for unit in (*TIME_UNITS, *LENGTH_UNITS) if unit not in tntp] == []


def test_the_lines_of_the_readme_print_what_it_shows(capsys):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    source = block_after(text, "python")
    exec(compile(source, "README.md", "exec"), {})
    shown = block_after(text[text.index(source) :], "text")
    assert masked(capsys.readouterr().out) == masked(shown)


def test_the_readme_shows_figures_the_demo_has():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = [line.split() for line in block_after(text, "text").splitlines()]
    kpis = {row[0] for row in rows if row and "_" in row[0]}
    world = twin.load("nusantara").world()
    declared = {kpi.name for part in world.assembly.components for kpi in getattr(part, "kpi_list", ())}
    assert len(kpis) >= 4
    assert kpis <= declared


def test_the_readme_has_the_folders_of_the_project():
    tree = block_after((ROOT / "README.md").read_text(encoding="utf-8"), "text", "## Where things are")
    named = {line.split("/")[0] for line in tree.splitlines() if "/" in line}
    assert [name for name in named if not (ROOT / name).is_dir()] == []
    assert {"twin", "models", "kernels", "scenarios", "notebooks", "tests", "benchmarks", "docs"} <= named
