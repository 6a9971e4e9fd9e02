"""Problems offer what the user may have meant, and each is told once."""

from __future__ import annotations

import pytest

from tests.scenario.toys import TOWN, town, toy_city
from twin.errors import ScenarioError
from twin.scenario import load

LISTED = "; a new scenario lists all kinds with what they mean"


def test_an_event_of_a_base_outside_several_arms_is_told_once(tmp_path):
    town(tmp_path, "events: [{at: +3 h, kind: alarm}]\n", name="first.yaml")
    arms = "arms: {A: {duration: 1 h}, B: {duration: 2 h}, C: {}}\n"
    found = town(tmp_path, text=f"base: first.yaml\n{arms}", name="second.yaml").check(toy_city())
    told = [problem.message for problem in found if problem.code == "E141"]
    assert told == ["at (+3 h), which is 2026-01-15 20:00:00 WITA, lies after the run ends (1 h long)"]


def test_a_mistyped_event_of_a_model_that_does_not_run_is_offered(tmp_path):
    text = TOWN.replace("water", "follower")
    found = town(tmp_path, "events: [{at: +1 h, kind: flod, where: all}]\n", text=text).check(toy_city())
    (told,) = [problem.message for problem in found if problem.code == "E134"]
    assert (
        told == "no kind of event is named 'flod'; 'flood' is handled by water, which is not part of this run" + LISTED
    )


def test_an_unknown_policy_may_be_one_of_your_own(tmp_path):
    found = town(tmp_path, "policy: {dispatch: by_tram, repair: nearest}\n").check(toy_city())
    told = [problem.message for problem in found if problem.code == "E132"]
    assert [("--plugin" in message, "another role" in message) for message in told] == [(True, False), (False, True)]


def test_a_name_without_its_suffix_is_offered_the_file(tmp_path, monkeypatch):
    town(tmp_path, name="evening.yaml")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ScenarioError, match=r"did you mean evening\.yaml.*next: twin check evening\.yaml"):
        load("evening")
    with pytest.raises(ScenarioError, match=r"(?s)^((?!did you mean).)*next: twin new"):
        load("morning")
