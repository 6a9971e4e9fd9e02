"""The schema accepts what the reader accepts; a new scenario runs as it stands."""

from __future__ import annotations

import json
import re

import pytest
from jsonschema import Draft202012Validator

from tests.scenario.toys import TOWN, codes, town, toy_registry
from twin.scenario import SCHEMA_FILE, embedded, load, schema, template
from twin.scenario.problems import Problems
from twin.scenario.tree import read

SCHEMA = schema(toy_registry())
GOOD = """
seed: 3
options: {water: {every: 5 min, share: 0.2, method: exact, loud: true}}
policy: {dispatch: {name: nearest, speed: 3 m/s}, repair: crews_first}
feeds: [{feed: loops, file: counts.csv}]
events:
  - {at: +1 h, kind: flood, where: {street: Jalan Sepaku}, peak: 1 m}
  - {at: 2026-01-15 18:00, kind: alarm, level: 3}
arms: {A: , B: {policy: {dispatch: fair}, title: b}}
compare: {baseline: A, kpis: {depth_mean: {margin: 1 cm}}, confidence: 0.9}
expect: [depth_mean < 1 m]
"""

VARIED = (
    GOOD.replace("seed: 3", "seeds: [3, 9]").replace("share: 0.2", "share: {sweep: [0.2, 0.4]}")
    + """
vary:
  length: [{duration: 5 h}, {label: short, duration: {range: {from: 3 h, to: 4 h, count: 2}}}]
  rounds: [{}, {vary: [{options: {water: {rounds: {distribution: uniform, low: 1, high: 2}}}}]}]
"""
)


def plain(text):
    """Return a scenario text as JSON values, with empty arms kept."""
    tree = read(text, "x.yaml", Problems())

    def values(node):
        if node.is_mapping:
            return {key: values(child) for key, child in node.value.items()}
        return [values(child) for child in node.value] if node.is_list else node.value

    return json.loads(json.dumps(values(tree)))


def errors(text):
    return [error.message for error in Draft202012Validator(SCHEMA).iter_errors(plain(text))]


def test_the_schema_is_a_schema():
    Draft202012Validator.check_schema(SCHEMA)
    Draft202012Validator.check_schema(schema())
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA


def test_both_accept_a_good_scenario(tmp_path):
    (tmp_path / "counts.csv").write_text("x")
    assert codes(town(tmp_path, GOOD)) == []
    assert errors(TOWN + GOOD) == []


def test_both_accept_a_suite(tmp_path):
    (tmp_path / "counts.csv").write_text("x")
    text = VARIED.replace("rounds: {dist", "every: {dist").replace("low: 1, high: 2", "low: 1 s, high: 2 s")
    text = text.replace("every: 5 min, ", "").replace("baseline: A, ", "")
    assert codes(town(tmp_path, text)) == []
    assert errors(TOWN + text) == []


@pytest.mark.parametrize(
    "line",
    [
        "vary: []",
        "vary: {x: {duration: 1 h}}",
        "vary: [{seed: 3}]",
        "options: {water: {share: {sweep: []}}}",
        "options: {water: {share: {sweep: [0.1], step: 3}}}",
        "options: {water: {share: {distribution: norml}}}",
        "seeds: []",
        "seeds: [1, 1]",
        "sed: 1",
        "seed: -1",
        "models: [watre]",
        "options: {water: {evry: 5 s}}",
        "options: {water: {every: 5}}",
        "options: {water: {method: fsat}}",
        "policy: {dispatch: crews_first}",
        "feeds: [lops]",
        "events: [{at: +1 h, kind: fload}]",
        "events: [{at: +1 h, kind: flood, where: all}]",
        "arms: {A: {seed: 3}}",
    ],
)
def test_both_refuse_a_wrong_line(tmp_path, line):
    text = TOWN.replace("models: [water]\n", "") if line.startswith("models") else TOWN
    assert codes(town(tmp_path, line + "\n", text=text)) != []
    assert errors(text + line + "\n") != []


def test_a_base_stands_for_required_keys():
    assert errors("base: nusantara\n") == []
    assert errors("seed: 3\n") != []


def test_a_new_scenario_runs_as_it_stands(tmp_path):
    text = template("my_town", toy_registry())
    assert text.startswith(f"# yaml-language-server: $schema={SCHEMA_FILE}\n")
    found = town(tmp_path, text=text)
    assert codes(found) == []
    assert [(case.suite, case.seed) for case in found.cases()] == [("my_town", 1), ("my_town", 2)]


def test_its_comments_become_a_scenario_too(tmp_path):
    """Every commented key is one that the reader knows, once `...` has a value."""
    (tmp_path / "counts.csv").write_text("x")
    """Every commented key is one that the reader knows, once `...` has a value."""
    (tmp_path / "counts.csv").write_text("x")
    text = template("my_town", toy_registry())
    text = text.replace("file: ...", "file: counts.csv").replace("...", "1")
    text = re.sub(r"(?m)^# (?=( +|[a-z]+:( |$)))", "", text)
    text = re.sub(r"(?m)^(base|models|feeds): .*\n", "", text) + "models: [water]\nfeeds: [{feed: loops}]\n"
    found = town(tmp_path, text=text)
    assert codes(found) == []
    assert [event.kind for event in found.cases()[0].events] == ["alarm", "closure", "flood", "silence"]
    assert found.arms == ("A", "B")
    assert [problem.code for problem in found.check()] == ["W202"], "tuned, which is not part of it"


def test_every_embedded_scenario_parses():
    assert {"nusantara", "cascade", "mass_casualty"} <= set(embedded())
    for name in embedded():
        codes_found = {problem.code for problem in load(name)._reading}
        assert codes_found == set()


def test_a_new_scenario_of_the_built_ins_has_no_errors(tmp_path):
    path = tmp_path / "new.yaml"
    path.write_text(template("fresh"))
    assert [str(problem) for problem in load(path).check() if problem.is_error] == []


def test_the_models_and_feeds_it_suggests_need_no_option(tmp_path):
    path = tmp_path / "new.yaml"
    path.write_text(re.sub(r"(?m)^# (?=(models|feeds): )", "", template("fresh")))
    found = load(path)
    assert [str(problem) for problem in found.check() if problem.is_error] == []
    assert "traffic" in found.cases()[0].models
    assert "scada" in dict(found.cases()[0].feeds)


@pytest.mark.parametrize("path", sorted(embedded().values()), ids=lambda path: path.stem)
def test_a_schema_that_a_scenario_names_is_there(path):
    named = re.findall(r"\$schema=(\S+)", path.read_text(encoding="utf-8"))
    assert [name for name in named if not (path.parent / name).is_file()] == []


def test_a_new_scenario_has_a_command_centre(tmp_path):
    path = tmp_path / "new.yaml"
    path.write_text(template("fresh"))
    case = load(path).cases()[0]
    assert dict(case.policies) == {"dispatch": "closest_idle", "restoration": "first_come"}
    assert dict(case.feeds).keys() >= {"avl", "probes", "scada"}
    assert "W204" not in [problem.code for problem in load(path).check()]


def test_a_role_that_a_model_waits_for_and_nobody_fills_is_warned_of(tmp_path):
    path = tmp_path / "new.yaml"
    text = "scenario: a\ncity: nusantara\nstart: 2026-01-15 17:00\nduration: 1 h\nmodels: [traffic, emergency]\n"
    path.write_text(text)
    (found,) = (problem for problem in load(path).check() if problem.code == "W204")
    assert not found.is_error
    assert "nobody decides in role dispatch for model emergency, so no call is served" in found.message
    assert "closest_idle" in found.message
    path.write_text(f"{text}policy: {{dispatch: nobody_knows}}\n")
    assert [problem.code for problem in load(path).check() if problem.code in ("W204", "E132")] == ["E132"]


def test_a_model_left_out_between_two_others_is_warned_of(tmp_path):
    path = tmp_path / "new.yaml"
    text = "scenario: a\ncity: nusantara\nstart: 2026-01-15 17:00\nduration: 1 h\nmodels: [{}]\n"

    def told(models):
        path.write_text(text.format(models))
        return [problem.message for problem in load(path).check() if problem.code == "W206"]

    (found,) = told("power, traffic")
    assert found.startswith("traffic reads signal.powered, which backup writes from bus.energised; without backup")
    assert told("power, backup, traffic") == told("hazards, traffic") == told("power") == []


def test_an_interval_longer_than_the_run_is_warned_of(tmp_path):
    path = tmp_path / "new.yaml"
    text = "scenario: a\ncity: nusantara\nstart: 2026-01-15 17:00\nduration: 1 h\nmodels: [traffic]\n"
    text += "options: {traffic: {publish_every: X}}\n"

    def told(value):
        path.write_text(text.replace("X", value))
        return [problem.message for problem in load(path).check() if problem.code == "W202"]

    assert told("10 h") == ["publish_every (10 h) of traffic is no shorter than the run: it never happens"]
    assert told("5 min") == []


def test_a_burst_that_nobody_can_repair_and_a_listed_pipe_are_told_before_the_run(tmp_path):
    path = tmp_path / "burst.yaml"
    path.write_text(
        "scenario: a\ncity: nusantara\nstart: 2026-01-15 17:00\nduration: 1 h\n"
        "models: [traffic, power, water, restoration]\n"
        "feeds: [scada, probes]\npolicy: {restoration: listed_order}\noptions: {listed_order: {order: 'p26, ss9'}}\n"
        "events: [{at: +10 min, kind: pipe_burst, where: {id: p26}}]\n"
    )
    problems = load(path).check()
    found = {problem.code: problem.message for problem in problems}
    assert "pipe_burst: nobody repairs it, for no depot of city nusantara is of the kind 'water'" in found["W205"]
    told = "; ".join(problem.message for problem in problems if problem.code == "E137")
    assert "pipes p26: no crew repairs it, for no depot is of the kind 'water'" in told
    assert "no asset that crews repair has the id 'ss9'; the nearest is 'ss" in told


@pytest.mark.parametrize(
    ("lasts", "told"), [("30 min", []), ("5 h", ["road_closure lasts 5 h, and the run ends 30 min after it begins"])]
)
def test_an_event_that_lasts_beyond_the_run_is_a_warning(lasts, told, tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text(
        "scenario: a\ncity: nusantara\nstart: 2026-01-15 17:00\nduration: 1 h\nmodels: [hazards, traffic]\n"
        f"events: [{{at: +30 min, kind: road_closure, where: {{id: l4}}, duration: {lasts}}}]\n"
    )
    assert [problem.message for problem in load(path).check() if problem.code == "W207"] == told
