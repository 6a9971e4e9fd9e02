"""Whatever stands in a scenario, checking it ends with problems or cases, never with a crash."""

from __future__ import annotations

import copy
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.scenario.test_schema import GOOD, VARIED, plain
from tests.scenario.toys import TOWN, toy_city, toy_registry, written
from twin.errors import ScenarioError
from twin.scenario import Case
from twin.scenario.scenario import Scenario

CITY = toy_city()
REGISTRY = toy_registry()
BASES = [plain(TOWN + GOOD), plain(TOWN + VARIED)]
WORDS = ["all", "water", "nearest", "loops", "flood", "+1 h", "3 m", "17:99", "", "A", "-1 s", "nan", "counts.csv"]
SINGLE = st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-9, 9) | st.sampled_from(WORDS)
OPEN = st.dictionaries(st.sampled_from(["sweep", "range", "distribution", "from", "low"]), SINGLE, max_size=3)
JUNK = (
    OPEN
    | SINGLE
    | st.lists(SINGLE, max_size=2)
    | st.dictionaries(st.sampled_from(["name", "id", "x"]), SINGLE, max_size=2)
)


def places(value, path=()):
    """Return the paths of all values below one."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, child in entries for found in places(child, (*path, key)))]


PLACES = [[path for path in places(basis) if path] for basis in BASES]


def with_junk(basis, changes):
    document = copy.deepcopy(basis)
    for path, junk in changes:
        holder = document
        try:
            for key in path[:-1]:
                holder = holder[key]
            holder[path[-1]] = junk
        except (KeyError, IndexError, TypeError):
            continue
    return json.dumps(document)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.parametrize("number", [0, 1])
@given(data=st.data())
def test_junk_gives_problems_or_cases(tmp_path, number, data):
    changes = data.draw(st.lists(st.tuples(st.sampled_from(PLACES[number]), JUNK), min_size=1, max_size=3))
    (tmp_path / "counts.csv").write_text("x")
    scenario = Scenario(written(tmp_path, with_junk(BASES[number], changes)), (), REGISTRY)
    errors = [problem for problem in scenario.check(CITY) if problem.is_error]
    assert all(str(problem).count("\n") == 0 for problem in errors)
    assert not any("Node(" in problem.message or "Mark(" in problem.message for problem in errors)
    assert scenario._repr_html_()
    if errors:
        with pytest.raises(ScenarioError) as caught:
            scenario.cases()
        assert len(caught.value.problems) >= len(errors)
    else:
        assert all(Case.from_json(case.to_json()) == case for case in scenario.cases())
