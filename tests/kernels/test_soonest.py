"""The search without branches against sorting."""

import numpy as np
import pytest

from twin.kernels._jit import lean_jit
from twin.kernels._soonest import (
    KEY,
    READY,
    SIGN,
    TAG,
    TIME,
    WANTED,
    soonest,
    soonest_by_tag,
    soonest_of_pairs,
    soonest_of_pairs_by_tag,
)


@lean_jit
def _soonest(rows, n_row, link, opens):
    return soonest(rows, n_row, link, opens)


@lean_jit
def _soonest_by_tag(rows, n_row, link, opens):
    return soonest_by_tag(rows, n_row, link, opens)


@lean_jit
def _soonest_of_pairs(rows, n_row, link, opens):
    return soonest_of_pairs(rows, n_row, link, opens)


@lean_jit
def _soonest_of_pairs_by_tag(rows, n_row, link, opens):
    return soonest_of_pairs_by_tag(rows, n_row, link, opens)


@pytest.mark.parametrize(
    ("search", "columns"),
    [
        (_soonest, (TIME, READY, KEY)),
        (_soonest_by_tag, (TIME, TAG, READY, KEY)),
        (_soonest_of_pairs, (TIME, READY)),
        (_soonest_of_pairs_by_tag, (TIME, TAG, READY)),
    ],
)
def test_the_least_row_is_found_and_who_wants_the_link_is_put_off(search, columns):
    rng = np.random.default_rng(1)
    for n_row in [0, 1, 2, 3, 9] * 20:
        rows = rng.integers(0, 3, (12, 8))
        keys = rng.permutation(12) - 6
        rows[:, KEY] = keys ^ SIGN
        if KEY not in columns:
            rows[:, READY] = rows[:, READY] << 27 | keys + 6
        link, opens = int(rng.integers(-1, 3)), int(rng.integers(0, 4))
        expected = rows.copy()
        wants = np.arange(12) < n_row
        wants &= expected[:, WANTED] == link
        expected[wants, TIME] = np.maximum(expected[wants, TIME], opens)
        order = np.lexsort(
            [keys[:n_row] if column == KEY else expected[:n_row, column] for column in reversed(columns)]
        )
        assert search(rows, n_row, link, opens) == (order[0] if n_row else -1)
        assert np.array_equal(rows, expected)
