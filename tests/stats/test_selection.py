"""The best of several systems: obvious cases, common random numbers, and giving up."""

from __future__ import annotations

import math

import numpy as np
import pytest

from twin.stats.selection import Zone, allocate, select_best

MEANS = np.array([5.0, 3.0, 4.0, 9.0])
NOISE = np.random.Generator(np.random.Philox(11)).normal(size=(4000, 4))


def sampler(scale, noise=NOISE):
    return lambda systems, r: [MEANS[s] + scale * noise[r, s] for s in systems]


def test_without_noise_the_first_stage_is_enough():
    found = select_best(sampler(0.0), 4, Zone(0.5))
    assert (found.best, found.replications, found.guaranteed) == (1, (10, 10, 10, 10), True)
    assert found.means == (5, 3, 4, 9)


def test_direction_says_what_is_best():
    assert select_best(sampler(0.1), 4, Zone(0.5, "higher")).best == 3


def test_clearly_worse_systems_get_fewer_replications():
    found = select_best(sampler(2.0), 4, Zone(0.5))
    assert found.best == 1
    assert found.replications[3] < found.replications[2] <= found.replications[1]


def test_means_are_those_of_the_replications_made():
    found = select_best(sampler(2.0), 4, Zone(0.5))
    expected = [MEANS[s] + 2 * NOISE[:n, s].mean() for s, n in enumerate(found.replications)]
    assert found.means == pytest.approx(expected)


def test_common_random_numbers_save_replications():
    shared = np.repeat(NOISE[:, :1], 4, axis=1) + 0.1 * NOISE
    together = select_best(sampler(2.0, shared), 4, Zone(0.5))
    assert sum(together.replications) < sum(select_best(sampler(2.0), 4, Zone(0.5)).replications) / 2


def test_the_cap_gives_up_the_guarantee():
    found = select_best(sampler(50.0), 4, Zone(0.1, cap=15))
    assert max(found.replications) == 15
    assert not found.guaranteed


def test_two_equal_systems_end():
    found = select_best(lambda systems, r: [float(NOISE[r, s]) for s in systems], 2, Zone(0.5))
    assert found.guaranteed


@pytest.mark.parametrize(
    ("systems", "zone", "words"),
    [
        (1, Zone(1.0), "systems"),
        (3, Zone(0.0), "indifference"),
        (3, Zone(1.0, level=0.2), "level"),
        (3, Zone(1.0, first=1), "first"),
        (3, Zone(math.nan), "indifference"),
        (3, Zone(1.0, cap=9), "cap"),
        (3, Zone(1.0, "up"), "direction"),
    ],
)
def test_impossible_questions_are_named(systems, zone, words):
    with pytest.raises(ValueError, match=words):
        select_best(sampler(1.0), systems, zone)


def test_a_value_that_is_not_a_number_is_named():
    with pytest.raises(ValueError, match="replication 3"):
        select_best(lambda systems, r: [math.nan if r == 3 else 1.0 for _ in systems], 2, Zone(1.0))


def test_allocation_follows_the_ratios_of_the_theorem():
    mean, deviation = [1.0, 2.0, 3.0], [1.0, 2.0, 1.0]
    shares = allocate(mean, deviation, 100_000)
    assert sum(shares) == 100_000
    assert shares[1] / shares[2] == pytest.approx(((2 / 1) / (1 / 2)) ** 2, rel=1e-3)
    assert shares[0] == pytest.approx(math.hypot(shares[1] / 2, shares[2]), rel=1e-3)


def test_allocation_turns_with_the_direction():
    assert allocate([1, 2, 4], [1, 1, 1], 90) == allocate([-1, -2, -4], [1, 1, 1], 90, "higher")


def test_means_that_tie_for_best_take_all():
    assert allocate([1, 1, 2], [1, 1, 1], 90) == [45, 45, 0]
    near = allocate([1, 1 + 1e-9, 2], [1, 3, 1], 90)
    assert allocate([1, 1, 2], [1, 3, 1], 90) == near


def test_systems_without_spread_need_nothing():
    assert allocate([1, 2, 3], [1, 0, 1], 90) == [45, 0, 45]
    assert allocate([1, 2, 3], [0, 0, 0], 90) == [30, 30, 30]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (([1], [1], 9), "2 or more"),
        (([1, math.nan], [1, 1], 9), "finite"),
        (([1, 2], [1, -1], 9), "0 or more"),
        (([1, 2], [1, 1], -9), "budget"),
        (([1, 2], [1, 1], 9, "up"), "direction"),
    ],
)
def test_impossible_allocations_are_named(given, words):
    with pytest.raises(ValueError, match=words):
        allocate(*given)


def test_systems_that_tie_without_spread_end_at_once():
    found = select_best(lambda systems, r: [4.0 + r] * len(systems), 3, Zone(0.5))
    assert (found.best, found.replications, found.guaranteed) == (0, (10, 10, 10), True)


def test_a_spread_that_cannot_be_squared_is_named():
    with pytest.raises(ValueError, match="spread"):
        select_best(lambda systems, r: [1e200 * (r % 2) * (s + 1) for s in systems], 3, Zone(0.5))
