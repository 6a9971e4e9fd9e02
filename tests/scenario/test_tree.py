"""Plain data out of YAML text, with places; nothing in it can run."""

from __future__ import annotations

import doctest
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.scenario import problems
from twin.scenario.problems import Mark, Problem, Problems, report
from twin.scenario.tree import read


def read_text(text):
    found = Problems()
    return read(text, "town.yaml", found), found.sorted()


def test_examples_in_docstrings_hold():
    assert doctest.testmod(problems).failed == 0


def test_values_follow_the_core_schema():
    tree, found = read_text('a: 1\nb: 2.5e1\nc: true\nd: "1"\ne: ~\nf: 17:30\ng: on\nh: [1, x]\ni: .inf\n')
    assert found == []
    assert tree.plain() == {
        "a": 1, "b": 25.0, "c": True, "d": "1", "f": "17:30", "g": "on", "h": [1, "x"], "i": math.inf,
    }  # fmt: skip


def test_every_value_and_key_knows_its_place():
    tree, _ = read_text("first: 1\nsecond:\n  inner: [2, 3]\n")
    inner = tree.get("second").get("inner")
    assert inner.value[1].mark == Mark("town.yaml", 3, 14)
    assert tree.get("second").key_mark("inner") == Mark("town.yaml", 3, 3)


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("a: 1\nb: !!python/object/apply:os.system [ls]\n", "E102", 2),
        ("a: !secret x\n", "E102", 1),
        ("a: &one 1\nb: *one\n", "E102", 2),
        ("a: {<<: {b: 1}}\n", "E102", 1),
        ("a: 1\na: 2\n", "E103", 2),
        ("a: [1\nb: 2\n", "E101", 2),
        ("a: 1\n---\nb: 2\n", "E101", 2),
        ("a: \x07\n", "E101", 1),
        ("[" * 3000, "E101", 1),
        ("- 1\n", "E105", 1),
        ("", "E105", 1),
        ("? [1]\n: 2\n", "E105", 1),
    ],
)
def test_what_is_not_plain_data_is_a_problem(text, code, line):
    _, found = read_text(text)
    assert [(problem.code, problem.line) for problem in found] == [(code, line)]


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=60))
def test_any_text_gives_a_tree_or_a_problem(text):
    tree, found = read_text(text)
    assert tree is not None or found


def test_a_problem_is_one_line_with_all_it_knows():
    problem = Problem("town.yaml", 3, 5, "E110", "unknown key 'sed'", ("seed", "title"), "seed", "twin new")
    assert str(problem) == (
        "town.yaml:3:5 [E110] unknown key 'sed'; allowed: seed, title; nearest: seed; next: twin new"
    )


def test_a_report_counts_and_repeats_nothing():
    found = Problems()
    for _ in range(2):
        found.add(Mark("a", 1, 1), "E110", "x")
    found.add(Mark("a", 1, 1), "W201", "y")
    assert report(found).splitlines()[-1] == "1 error, 1 warning"
    assert found.noted == 3


def test_long_lists_are_cut():
    assert "and 18 more" in str(Problem("a", 1, 1, "E110", "x", tuple(map(str, range(30)))))


def test_every_code_has_a_meaning():
    assert all(code[0] in "EW" and meaning for code, meaning in problems.CODES.items())
