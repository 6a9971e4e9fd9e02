"""Values drawn for each replication: one luck per place and seed, checked limits, right quantiles."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.scenario.toys import codes, town
from twin.scenario import distributions
from twin.scenario.problems import Mark, Problems
from twin.scenario.tree import Node, read

SHARE = "options: {{water: {{share: {{distribution: {}}}}}}}\n"
ARMS = "arms: {A: , B: {policy: {dispatch: fair}}}\nreplications: 4\n"


def made(text):
    """Return a distribution written as the inside of a mapping."""
    problems = Problems()
    tree = read(f"{{distribution: {text}}}", "x.yaml", problems)
    found = distributions.read(tree, "x", problems)
    assert list(problems) == []
    return found


def shares(scenario, replications=None):
    return {(case.arm, case.replication): case.options["water"]["share"] for case in scenario.cases(replications)}


def test_all_arms_of_a_replication_share_a_draw(tmp_path):
    found = town(tmp_path, SHARE.format("uniform, low: 0.2, high: 0.4") + ARMS)
    assert codes(found) == []
    drawn = shares(found)
    assert all(drawn["A", i] == drawn["B", i] for i in range(4))
    assert len({drawn["A", i] for i in range(4)}) == 4
    assert all(0.2 <= value <= 0.4 for value in drawn.values())


def test_more_replications_leave_the_first_draws_alone(tmp_path):
    found = town(tmp_path, SHARE.format("normal, mean: 0.5, sd: 0.05") + ARMS)
    few, many = shares(found, 3), shares(found, 9)
    assert few.items() <= many.items()
    assert len(set(many.values())) == 9
    assert found.draws(found.cases()[0]) == {"options.water.share": f"{few['A', 0]:.12g}"}


def test_the_order_of_arms_and_other_places_do_not_change_a_draw(tmp_path):
    text = SHARE.format("triangular, low: 0, mode: 0.1, high: 1")
    first = shares(town(tmp_path, text + ARMS))
    turned = "arms: {B: {policy: {dispatch: fair}}, A: }\nreplications: 4\n"
    rounds = text.replace("share:", "note: also, every: {distribution: uniform, low: 2 s, high: 9 s}, share:", 1)
    assert shares(town(tmp_path, rounds + turned)) == first


def test_two_places_have_their_own_luck(tmp_path):
    share, every = ("{distribution: uniform, low: 0, high: 1}", "{distribution: uniform, low: 10 s, high: 11 s}")
    found = town(tmp_path, f"options: {{water: {{share: {share}, every: {every}}}}}\n")
    assert codes(found) == []
    options = found.cases()[0].options["water"]
    assert options["every"] - 10 != pytest.approx(options["share"], abs=1e-6)


def test_draws_carry_their_unit(tmp_path):
    text = "options: {water: {every: {distribution: lognormal, mean: 5 min, cv: 0.2, low: 1 min, high: 20 min}}}\n"
    found = town(tmp_path, text + "replications: 50\n")
    assert codes(found) == []
    values = [case.options["water"]["every"] for case in found.cases()]
    assert 240 < np.mean(values) < 360
    assert found.draws(found.cases()[0])["options.water.every"].endswith(" min")


def test_a_draw_beyond_what_an_option_takes_is_a_problem(tmp_path):
    found = town(tmp_path, SHARE.format("normal, mean: 0.5, sd: 0.4") + "replications: 40\n")
    assert codes(found) == [("E123", 6)]
    assert (
        codes(town(tmp_path, SHARE.format("normal, mean: 0.5, sd: 0.4, low: 0, high: 1") + "replications: 40\n")) == []
    )


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("norml, mean: 0.5, sd: 0.1", "E125"),
        ("normal, mean: 0.5", "E111"),
        ("normal, mean: 0.5, sd: 0.1, cv: 3", "E110"),
        ("normal, mean: 0.5, sd: 0.1, spread: 3", "E110"),
        ("normal, mean: 0.5, sd: 0", "E123"),
        ("normal, mean: 0.5, sd: wide", "E120"),
        ("normal, mean: 0.5, sd: [1]", "E105"),
        ("normal, mean: 0.5, sd: 0.1, low: 1, high: 0", "E123"),
        ("normal, mean: 0.5, sd: 0.01, low: 0.9", "E123"),
        ("normal, mean: 50 %, sd: 0.1", "E122"),
        ("normal, mean: .nan, sd: 0.1", "E120"),
        ("lognormal, mean: -1, cv: 0.1", "E123"),
        ("lognormal, mean: 1, cv: 3 s", "E122"),
        ("lognormal, mean: 1, cv: 1e-300", "E123"),
        ("lognormal, mean: 1, cv: 1e299", "E123"),
        ("triangular, low: 0, mode: 2, high: 1", "E123"),
        ("uniform, low: 0.1, high: 0.1", "E123"),
        ("uniform, low: 0.1 s, high: 0.2 s", "E122"),
    ],
)
def test_a_wrong_distribution_is_one_problem_at_its_line(tmp_path, text, code):
    assert codes(town(tmp_path, SHARE.format(text))) == [(code, 6)]


@pytest.mark.parametrize(
    ("text", "mean", "deviation"),
    [
        ("uniform, low: 2, high: 8", 5.0, math.sqrt(3)),
        ("triangular, low: 0, mode: 3, high: 9", 4.0, math.sqrt((81 + 9 - 27) / 18)),
        ("normal, mean: 3, sd: 2", 3.0, 2.0),
        ("lognormal, mean: 4, cv: 0.5", 4.0, 2.0),
    ],
)
def test_quantiles_have_the_moments_they_should(text, mean, deviation):
    """Mean and deviation by the midpoint rule over 100,000 shares, against the closed forms."""
    found = made(text)
    values = np.array([found.quantile((i + 0.5) / 100_000) for i in range(100_000)])
    assert values.mean() == pytest.approx(mean, rel=1e-3)
    assert values.std() == pytest.approx(deviation, rel=2e-3)


KNOWN = st.sampled_from(
    ["uniform, low: 0, high: 1", "triangular, low: 0, mode: 0, high: 1", "normal, mean: 0, sd: 1, low: -1, high: 9",
     "lognormal, mean: 1, cv: 2, high: 3", "normal, mean: 5, sd: 0.1"]
)  # fmt: skip
INSIDE = st.floats(1e-9, 1 - 1e-9)


@settings(max_examples=100, deadline=None)
@given(text=KNOWN, first=INSIDE, second=INSIDE)
def test_quantiles_rise_and_keep_to_limits(text, first, second):
    found = made(text)
    low, high = found.quantile(min(first, second)), found.quantile(max(first, second))
    assert low <= high
    assert found.given.get("low", -math.inf) <= low
    assert high <= found.given.get("high", math.inf)


def test_limits_cut_off_and_do_not_pile_up():
    found = made("normal, mean: 0, sd: 1, low: 0, high: 9")
    assert found.quantile(0.5) == pytest.approx(0.6744898, abs=1e-6)
    assert found.quantile(1e-6) < 1e-5


@settings(max_examples=60, deadline=None)
@given(value=st.floats(-1e9, 1e9, allow_nan=False), unit=st.sampled_from(["", "min", "km/h", "%"]))
def test_a_written_value_is_read_back(value, unit):
    text = distributions.written(value, unit)
    found = distributions.read_quantity(Node(text, Mark("x")), "x", Problems())
    assert found == (pytest.approx(value, rel=1e-11, abs=1e-300), unit)
