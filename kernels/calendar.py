"""Event calendar in arrays: integer kinds, ordered by (time, priority, sequence).

A heap of four children a place, whose entries carry their own keys, so that one
step down reads two cache lines. Rows of payload stay where they are and know
their place in the heap, so an event can be cancelled by its handle.

Source: Johnson, Priority queues with update and finding minimum spanning trees,
Information Processing Letters 4 (1975), for heaps of d children.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.kernels._jit import lean_jit

NEVER = 1 << 62
"""Time that does not come: `next_time` of an empty calendar."""

KIND, TARGET, VALUE = 0, 1, 2
"""Columns of `Calendar.entry`."""

SIZE, FREE, NEXT = 0, 1, 2
"""Places of `Calendar.tally`: events pending, first free row, next sequence number."""

_ROW_BITS = 24
_SEQUENCE_BITS = 39
_SEQUENCE_MASK = (1 << _SEQUENCE_BITS) - 1
MOST_ROWS = 1 << _ROW_BITS
MOST_PRIORITY = 1 << (62 - _SEQUENCE_BITS)


Place = Any
"""An integer, Python's or numpy's."""


class Calendar(NamedTuple):
    """Hold pending events.

    heap   (capacity, 3)  int64  time (us), priority and sequence, row of `entry`
    place  (capacity,)    int32  place of each row in the heap; of a free row
                          -1 - the next free one
    entry  (capacity, 3)  int64  kind, target, value
    tally  (3,)           int64  see `SIZE`
    """

    heap: NDArray[np.int64]
    place: NDArray[np.int32]
    entry: NDArray[np.int64]
    tally: NDArray[np.int64]


def new_calendar(capacity: int) -> Calendar:
    """Make an empty calendar; ValueError if it is to hold no event or more than 2**24."""
    if not 0 < capacity <= MOST_ROWS:
        raise ValueError(f"capacity is {capacity}, must be in 1 .. {MOST_ROWS}")
    place = np.asarray(-2 - np.arange(capacity), np.int32)
    return Calendar(np.zeros((capacity, 3), np.int64), place, np.zeros((capacity, 3), np.int64), np.zeros(3, np.int64))


def grown(calendar: Calendar, capacity: int) -> Calendar:
    """Copy a calendar into one of more rows; handles stay valid."""
    old = calendar.place.shape[0]
    if capacity < old:
        raise ValueError(f"capacity is {capacity}, must be at least {old}")
    new = new_calendar(capacity)
    for name in calendar._fields:
        getattr(new, name)[: getattr(calendar, name).shape[0]] = getattr(calendar, name)
    return new


@lean_jit
def _sooner(heap: NDArray[np.int64], one: Place, other: Place) -> bool:
    """Tell whether the event at one place of a heap comes before that at another.

    Without branches, and with indices that cannot be negative, for which numba
    makes no wraparound: 110 ns an event became 65 ns at 1,000 pending.
    """
    a = heap[np.uint64(one), 0]
    b = heap[np.uint64(other), 0]
    return bool((a < b) | ((a == b) & (heap[np.uint64(one), 1] < heap[np.uint64(other), 1])))


@lean_jit
def _move(calendar: Calendar, place: Place, target: Place) -> None:
    """Copy the event at a place of the heap to another."""
    heap = calendar.heap
    heap[np.uint64(target), 0] = heap[np.uint64(place), 0]
    heap[np.uint64(target), 1] = heap[np.uint64(place), 1]
    heap[np.uint64(target), 2] = heap[np.uint64(place), 2]
    calendar.place[np.uint64(heap[np.uint64(place), 2])] = target


@lean_jit
def _rise(calendar: Calendar, place: Place, time: int, order: int, row: int) -> None:
    """Put an event at a place of the heap or nearer to its top."""
    heap = calendar.heap
    while place > 0:
        parent = (place - 1) >> 2
        above = heap[np.uint64(parent), 0]
        if above < time or (above == time and heap[np.uint64(parent), 1] < order):
            break
        _move(calendar, parent, place)
        place = parent
    heap[place, 0] = time
    heap[place, 1] = order
    heap[place, 2] = row
    calendar.place[row] = place


@lean_jit
def _fill(calendar: Calendar, place: Place) -> None:
    """Close the gap at a place of the heap; the size is already the new one.

    The gap sinks to the bottom along the earliest children, then the last event
    rises from there: that event is a late one, so this compares it once or
    twice and not at every step down.
    """
    heap = calendar.heap
    size = calendar.tally[SIZE]
    if place == size:
        return
    child = 4 * place + 1
    while child + 3 < size:
        left = child + np.int64(_sooner(heap, child + 1, child))
        right = child + 2 + np.int64(_sooner(heap, child + 3, child + 2))
        best = left + (right - left) * np.int64(_sooner(heap, right, left))
        _move(calendar, best, place)
        place = best
        child = 4 * place + 1
    if child < size:
        best = child
        for other in range(child + 1, size):
            if _sooner(heap, other, best):
                best = other
        _move(calendar, best, place)
        place = best
    _rise(calendar, place, heap[size, 0], heap[size, 1], heap[size, 2])


@lean_jit
def _release(calendar: Calendar, row: int) -> None:
    """Give a row back; it can be read until the next event is scheduled."""
    calendar.place[row] = -1 - calendar.tally[FREE]
    calendar.tally[FREE] = row


@lean_jit
def schedule(calendar: Calendar, time: int, priority: int, kind: int, target: int, value: int) -> int:
    """Add an event; return its handle, or -1 when the calendar is full.

    time      us
    priority  0 .. 2**23 - 1; of events at one instant the lower goes first
    """
    size = calendar.tally[SIZE]
    if size == calendar.place.shape[0]:
        return -1
    row = calendar.tally[FREE]
    calendar.tally[FREE] = -1 - calendar.place[row]
    sequence = calendar.tally[NEXT]
    calendar.tally[NEXT] = sequence + 1
    calendar.tally[SIZE] = size + 1
    calendar.entry[row, 0] = kind
    calendar.entry[row, 1] = target
    calendar.entry[row, 2] = value
    _rise(calendar, size, time, (priority << _SEQUENCE_BITS) | sequence, row)
    return int((sequence << _ROW_BITS) | row)


@lean_jit
def cancel(calendar: Calendar, handle: int) -> bool:
    """Take an event out; False if it has happened or was cancelled before."""
    if handle < 0:
        return False
    row = handle & (MOST_ROWS - 1)
    if row >= calendar.place.shape[0]:
        return False
    place = calendar.place[row]
    if place < 0 or calendar.heap[place, 1] & _SEQUENCE_MASK != handle >> _ROW_BITS:
        return False
    calendar.tally[SIZE] -= 1
    _release(calendar, row)
    _fill(calendar, place)
    return True


@lean_jit
def next_time(calendar: Calendar) -> int:
    """Return when the next event is due, NEVER without one."""
    return calendar.heap[0, 0] if calendar.tally[SIZE] > 0 else NEVER


@lean_jit
def take(calendar: Calendar) -> int:
    """Take the next event out; return its row of `entry`, -1 without one.

    The row can be read until the next call of `schedule`.
    """
    if calendar.tally[SIZE] == 0:
        return -1
    row = calendar.heap[0, 2]
    calendar.tally[SIZE] -= 1
    _release(calendar, row)
    _fill(calendar, 0)
    return int(row)
