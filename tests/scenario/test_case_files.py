"""Cases read from files: what is damaged or leads outside is refused."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from twin.errors import DataError
from twin.scenario.case import Case, ScenarioEvent

CASE = Case(
    suite="tiny", arm="A__gap_20", replication=0, seed=5, city_spec={"folder": "city"}, start=1, duration=2,
    models=("shop",), feeds=(("counts", {"every": 1.5}),), policies={"shop": "idle"}, options={"shop": {"gap": 20.0}},
    events=(ScenarioEvent("rain", 3, (1, 2), {"depth": 0.5}, "tiny.yaml:3"),), record={"every": 1},
)  # fmt: skip


def test_a_case_comes_back_as_it_was():
    assert Case.from_json(CASE.to_json()) == CASE
    assert Case.from_json(CASE.to_json()).digest == CASE.digest


@pytest.mark.parametrize("name", ["../../esc", "..", "", "a/b", "/tmp", "a b", "a\\b", "A\n"])
@pytest.mark.parametrize("key", ["suite", "arm"])
def test_a_name_that_leads_elsewhere_is_refused(key, name):
    with pytest.raises(DataError, match=f"{key} .* must be a name"):
        replace(CASE, **{key: name})
    with pytest.raises(DataError, match="must be a name"):
        Case.from_json(json.dumps({**json.loads(CASE.to_json()), key: name}))


@pytest.mark.parametrize(
    "change",
    [
        {"arm": 3},
        {"arm": None},
        {"seed": "5"},
        {"extra": 1},
        {"events": 3},
        {"events": [{}]},
        {"models": "shop"},
        {"city_spec": None},
        {"options": {"shop": 3}},
    ],
)
def test_a_damaged_case_is_a_data_error(change):
    with pytest.raises(DataError):
        Case.from_json(json.dumps({**json.loads(CASE.to_json()), **change}))


@pytest.mark.parametrize("text", ["", "null", "{}", "3", "[]", "{", '"case"', "[" * 100_000])
def test_what_is_no_case_is_a_data_error(text):
    with pytest.raises(DataError):
        Case.from_json(text)
