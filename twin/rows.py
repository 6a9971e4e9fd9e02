"""Rows of tables that grow: taken from a free list, reused, never lost."""

from __future__ import annotations

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
    count = state[f"{table}_list.free_count"]
    if count[0] > 0:
        count[0] -= 1
        row = int(state[f"{table}.free"][count[0]])
    else:
        used = state[f"{table}_list.used"]
        row = int(used[0])
        if row == state.layout.rows[table]:
            state.grow(table)
        state[f"{table}_list.used"][0] = row + 1
    state[f"{table}.alive"][row] = True
    return row


def give_back(state: State, table: str, row: int) -> None:
    """Return a row to the free list; raises TwinError when it is free already."""
    if not state[f"{table}.alive"][row]:
        raise TwinError(f"row {row} of table {table!r} is given back twice")
    count = state[f"{table}_list.free_count"]
    state[f"{table}.free"][count[0]] = row
    count[0] += 1
    state[f"{table}.alive"][row] = False
