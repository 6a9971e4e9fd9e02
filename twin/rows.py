"""Rows of tables that grow: taken from a free list, reused, never lost."""

from __future__ import annotations

from functools import cache

from twin.errors import TwinError
from twin.fields import Field, State


def list_fields(table: str) -> tuple[Field, ...]:
    """Return the fields a growing table needs for its free list."""
    return (
        Field(f"{table}.alive", "bool", "1", "row is in use"),
        Field(f"{table}.free", "int64", "1", "stack of free rows"),
        Field(f"{table}_list.free_count", "int64", "1", "free rows on the stack; the rest below `used` are in use"),
        Field(f"{table}_list.used", "int64", "1", "rows ever taken"),
    )


def take(state: State, table: str) -> int:
    """Return a free row, growing the table when none is left."""
    cells, (alive, free, free_count, used) = state.cells, _names(table)
    count = cells[free_count]
    left = count[0]
    if left > 0:
        count[0] = left - 1
        row = int(cells[free][left - 1])
    else:
        row = int(cells[used][0])
        if row == state.layout.rows[table]:
            state.grow(table)
        cells[used][0] = row + 1
    cells[alive][row] = True
    return row


def give_back(state: State, table: str, row: int) -> None:
    """Return a row to the free list; raises TwinError when it is free already."""
    cells, (alive, free, free_count, _) = state.cells, _names(table)
    if not cells[alive][row]:
        raise TwinError(f"row {row} of table {table!r} is given back twice")
    count = cells[free_count]
    left = count[0]
    cells[free][left] = row
    count[0] = left + 1
    cells[alive][row] = False


@cache
def _names(table: str) -> tuple[str, str, str, str]:
    """Return the names of the fields of a free list: alive, free, free_count, used."""
    return f"{table}.alive", f"{table}.free", f"{table}_list.free_count", f"{table}_list.used"
