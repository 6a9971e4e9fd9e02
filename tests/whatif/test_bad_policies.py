"""Policies that fail or answer nonsense: told by name, and the others are ranked."""

from __future__ import annotations

import pytest

from tests.whatif.quick import live
from twin.contract import Command
from twin.errors import DataError
from twin.models.policies.dispatch import ClosestIdle


def answering(answer):
    policy = ClosestIdle()
    policy.name = "odd"
    policy.decide = lambda observation: answer
    return policy


@pytest.mark.parametrize("answer", [None, "x", [1], 7, [Command("dispatch", "a", 0.0)], [Command("dispatch", 0, None)]])
def test_an_answer_that_is_no_list_of_commands_fails_its_branch_only(answer):
    found = live().branch(policies=[answering(answer), "dmexclp"], horizon="5 min", replications=1, workers=1)
    assert [branch.policy for branch in found.failed] == ["odd"]
    assert "must return a list of commands" in found.failed[0].message
    ranked = dict(found.ranked())
    assert ranked["odd"] != ranked["odd"]
    assert found.ranked()[-1][0] == "odd"
    assert ranked["dmexclp"] == ranked["dmexclp"]


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"horizon": 7200}, "microseconds"),
        ({"horizon": 7200.5}, "whole number"),
        ({"replications": 1.5}, "whole number"),
        ({"workers": 2.5}, "whole number"),
        ({"policies": ["dmexclp(busy_fraction=nan)"]}, "finite"),
    ],
)
def test_arguments_that_mean_nothing_are_named(asked, told):
    given = {"policies": ["dmexclp"], "horizon": "5 min", "replications": 1, "workers": 1} | asked
    with pytest.raises(DataError, match=told):
        live().branch(**given)
