"""Files are laid over their bases."""

from __future__ import annotations

import pytest

from tests.scenario.toys import codes, town, toy_city, written
from twin.errors import ScenarioError
from twin.scenario import embedded, load
from twin.scenario.layers import layered, merge, normal
from twin.scenario.problems import Problems
from twin.scenario.tree import read


def tree_of(text):
    return normal(read(text, "x.yaml", Problems()))


def merged(base, delta):
    return merge(tree_of(base), tree_of(delta)).plain()


def test_mappings_merge_and_lists_replace():
    assert merged("a: {b: 1, c: 2}\nd: [1, 2]", "a: {c: 3}\nd: [4]") == {"a": {"b": 1, "c": 3}, "d": [4]}


def test_null_removes():
    assert merged("a: {b: 1, c: 2}", "a: {b: ~}") == {"a": {"c": 2}}


def test_naming_another_thing_replaces_its_options():
    assert merged("policy: {dispatch: {name: nearest, speed: 1 m/s}}", "policy: {dispatch: fair}") == {
        "policy": {"dispatch": {"name": "fair"}}
    }
    assert merged("city: {name: a, scale: 2}", "city: {osm: b.osm}") == {"city": {"osm": "b.osm"}}


def test_an_option_alone_keeps_the_thing_below():
    base = "policy: {dispatch: nearest}\ncity: a"
    assert merged(base, "policy: {dispatch: {speed: 1 m/s}}\ncity: {scale: 2}") == {
        "policy": {"dispatch": {"name": "nearest", "speed": "1 m/s"}},
        "city": {"name": "a", "scale": 2},
    }


def test_a_chain_of_bases_is_followed(tmp_path):
    town(tmp_path, name="first.yaml")
    written(tmp_path, "base: first.yaml\nseed: 5\n", "second.yaml")
    third = town(tmp_path, text="base: second.yaml\nduration: 1 h\n", name="third.yaml")
    assert codes(third) == []
    assert third.cases()[0].duration == 3600 * 10**6
    assert (third.name, third.seed) == ("town", 5)


@pytest.mark.parametrize(
    ("delta", "title"),
    [
        ("title: Dry run\nseed: 5\n", "Dry run"),
        ("scenario: storm_study\nseed: 5\n", "A flood; storm_study"),
        ("duration: 1 h\ncity: other\n", "A flood; duration 1 h, city other"),
        ("options: {water: {share: {sweep: [0.1, 0.2]}}}\n", "A flood; other options.water.share"),
        ("events: []\nstart: ~\n", "A flood; other events, no start"),
        ("arms: {a: {seed: 1}, b: {seed: 2}}\nvary: ~\n", "A flood; other arms, no vary"),
        ("a: 1\nb: 2\nc: 3\nd: 4\n", "A flood; a 1, b 2, c 3, d 4"),
        ("a: 1\nb: 2\nc: 3\nd: 4\ne: 5\n", "A flood; a 1, b 2, c 3, 2 more changes"),
        ("options: {}\n", "A flood"),
        ("title: ~\nscenario: dry\n", "dry"),
    ],
)
def test_a_scenario_without_a_title_is_its_base_and_what_it_changes(tmp_path, delta, title):
    town(tmp_path, "title: A flood\n", name="first.yaml")
    assert town(tmp_path, text=f"base: first.yaml\n{delta}", name="second.yaml").title == title


def test_a_title_grows_along_a_chain_and_begins_with_a_name_where_there_is_none(tmp_path):
    town(tmp_path, name="first.yaml")
    written(tmp_path, "base: first.yaml\nseed: 5\n", "second.yaml")
    assert town(tmp_path, text="base: second.yaml\nduration: 1 h\n", name="third.yaml").title == (
        "town; seed 5; duration 1 h"
    )
    written(tmp_path, "city: nusantara\n", "nameless.yaml")
    assert town(tmp_path, text="base: nameless.yaml\nseed: 7\n", name="fourth.yaml").title == "nameless; seed 7"


def test_problems_of_a_base_name_its_own_file(tmp_path):
    town(tmp_path, "seeed: 1\n", name="first.yaml")
    found = town(tmp_path, text="base: first.yaml\n", name="second.yaml").check(toy_city())
    assert [(problem.file.rpartition("/")[2], problem.line) for problem in found if problem.is_error] == [
        ("first.yaml", 6)
    ]


def test_a_base_that_leads_back_is_a_problem(tmp_path):
    written(tmp_path, "base: b.yaml\n", "a.yaml")
    written(tmp_path, "base: a.yaml\n", "b.yaml")
    problems = Problems()
    layered(tmp_path / "a.yaml", problems)
    (problem,) = problems
    assert (problem.code, problem.message) == ("E104", "base refers back to itself: a.yaml -> b.yaml -> a.yaml")


def test_a_missing_base_gets_the_nearest_file(tmp_path):
    town(tmp_path, name="first.yaml")
    written(tmp_path, "base: frist.yaml\n", "second.yaml")
    problems = Problems()
    layered(tmp_path / "second.yaml", problems)
    assert [(problem.code, problem.nearest) for problem in problems] == [("E100", "first.yaml")]


def test_a_file_that_is_not_text_is_a_problem(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    assert [problem.code for problem in load(path).check()] == ["E100"]


def test_an_unknown_name_gets_the_nearest_embedded_scenario():
    name = next(iter(embedded()))
    with pytest.raises(ScenarioError) as caught:
        load(name + "x")
    (problem,) = caught.value.problems
    assert (problem.code, problem.nearest) == ("E100", name)
