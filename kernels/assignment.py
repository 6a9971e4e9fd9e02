"""Assign rows to columns at least cost in sum, by shortest augmenting paths.

Source: Jonker and Volgenant, A shortest augmenting path algorithm for dense and sparse linear
assignment problems, Computing 38 (1987), without its initial phases, for no more rows than columns
as in Crouse, On implementing 2D rectangular assignment algorithms, IEEE Transactions on
Aerospace and Electronic Systems 52 (2016). Of columns equally near an unassigned one is taken, then the lowest.
"""

import numpy as np
from numpy.typing import NDArray

from twin.kernels._jit import lean_jit

Int = NDArray[np.int64]
Float = NDArray[np.float64]

COLUMN_OF, ROW_OF, BEFORE, ROW_SEEN, COLUMN_SEEN = range(5)
"""Rows of `match`: column of each row, row of each column (-1: none), row before each column on the path, marks."""
_ROW_PRICE, _COLUMN_PRICE, _NEAR = range(3)


@lean_jit
def _nearest_free(cost: Float, n_column: int, row: int, price: Float, match: Int) -> int:
    """Grow a tree of reduced costs from a row until it meets a free column; return that column."""
    for column in range(n_column):
        price[_NEAR, column] = np.inf
        match[COLUMN_SEEN, column] = 0
    least = 0.0
    while True:
        match[ROW_SEEN, row] = 1
        best = -1
        for column in range(n_column):
            if match[COLUMN_SEEN, column]:
                continue
            reached = least + cost[row, column] - price[_ROW_PRICE, row] - price[_COLUMN_PRICE, column]
            if reached < price[_NEAR, column]:
                price[_NEAR, column] = reached
                match[BEFORE, column] = row
            if best >= 0 and price[_NEAR, column] == price[_NEAR, best]:
                nearer = match[ROW_OF, best] >= 0 > match[ROW_OF, column]
            else:
                nearer = best < 0 or price[_NEAR, column] < price[_NEAR, best]
            if nearer:
                best = column
        least = price[_NEAR, best]
        match[COLUMN_SEEN, best] = 1
        row = match[ROW_OF, best]
        if row < 0:
            return best


@lean_jit
def _raise_prices(n_row: int, n_column: int, start: int, least: float, price: Float, match: Int) -> None:
    """Keep reduced costs at or above 0, and at 0 along the tree."""
    price[_ROW_PRICE, start] += least
    for row in range(n_row):
        if match[ROW_SEEN, row] and row != start:
            price[_ROW_PRICE, row] += least - price[_NEAR, match[COLUMN_OF, row]]
    for column in range(n_column):
        if match[COLUMN_SEEN, column]:
            price[_COLUMN_PRICE, column] -= least - price[_NEAR, column]


@lean_jit
def assign(cost: Float, n_row: int, n_column: int, price: Float, match: Int) -> None:
    """Give every row a column of its own so that the sum of costs is least.

    cost    (>= n_row, >= n_column)  finite
    n_row   rows that count, at most n_column
    price   (3 or more, >= n_column)  work
    match   (5, >= n_column)  written: row `COLUMN_OF` holds the column of each row
    """
    price[:] = 0.0
    match[COLUMN_OF] = -1
    match[ROW_OF] = -1
    for start in range(n_row):
        match[ROW_SEEN] = 0
        column = _nearest_free(cost, n_column, start, price, match)
        _raise_prices(n_row, n_column, start, price[_NEAR, column], price, match)
        while column >= 0:
            row = match[BEFORE, column]
            match[ROW_OF, column] = row
            given = match[COLUMN_OF, row]
            match[COLUMN_OF, row] = column
            column = -1 if row == start else given
