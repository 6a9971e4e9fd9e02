"""Find the row of a short list that comes first, without a branch to guess.

Which of a handful of vehicles moves first cannot be guessed; compiled from plain
comparisons the processor guesses all the same, and is wrong so often that the
search takes two fifths of the traffic kernel.
"""

from collections.abc import Callable
from typing import Any

import numba
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

TIME, READY, KEY, WANTED, TAG = 0, 1, 2, 3, 4
"""Columns of the rows (n, 8) read here. Of those compared only KEY may be negative, but for SIGN."""

SIGN = -1 << 63
"""A number is written as `number ^ SIGN`, which orders those without a sign as it orders numbers."""

_CONFIG: Any = numba.config
_TYPES: Any = types
_CODE: Any = cgutils
_BITS = 64
_MOST = (1 << 63) - 1


def _choose(builder: Any, condition: Any, one: Any, other: Any) -> Any:
    """Select a number, and tell the compiler that a branch would be guessed wrong."""
    chosen = builder.select(condition, one, other)
    chosen.set_metadata("unpredictable", builder.module.add_metadata([]))
    return chosen


def _before(builder: Any, one: list[Any], other: list[Any]) -> Any:
    """Compare words in order, as one long number: a compare and a subtraction with borrow for each more."""
    wide = ir.IntType(_BITS * len(one))

    def join(words: list[Any]) -> Any:
        number = wide(0)
        for word in words:
            number = builder.or_(builder.shl(number, wide(_BITS)), builder.zext(word, wide))
        return number

    return builder.icmp_unsigned("<", join(one), join(other))


def _search(columns: tuple[int, ...]) -> Any:
    """Make the instruction that compares rows by columns, in their order."""

    def search(_typing: Any, rows: Any, n_row: Any, link: Any, opens: Any) -> Any:
        number = _TYPES.int64

        def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            values, count, link, opens = arguments
            array = context.make_array(rows)(context, builder, values)
            constant = context.get_constant

            def address(row: Any, column: int) -> Any:
                return _CODE.get_item_pointer(context, builder, rows, array, [row, constant(_TYPES.intp, column)])

            best = [_CODE.alloca_once_value(builder, constant(number, _MOST)) for _ in columns]
            place = _CODE.alloca_once_value(builder, constant(number, -1))
            with _CODE.for_range(builder, count) as loop:
                words = [builder.load(address(loop.index, column)) for column in columns]
                later = _choose(builder, builder.icmp_signed(">", opens, words[0]), opens, words[0])
                wants = builder.icmp_signed("==", builder.load(address(loop.index, WANTED)), link)
                words[0] = _choose(builder, wants, later, words[0])
                builder.store(words[0], address(loop.index, TIME))
                so_far = [builder.load(word) for word in best]
                first = _before(builder, words, so_far)
                for word, old, where in zip(words, so_far, best, strict=True):
                    builder.store(_choose(builder, first, word, old), where)
                builder.store(_choose(builder, first, loop.index, builder.load(place)), place)
            return builder.load(place)

        return number(rows, number, number, number), generate

    return search


def _search_in_python(columns: tuple[int, ...]) -> Any:
    signs = [SIGN if column == KEY else 0 for column in columns]

    def search(rows: Any, n_row: int, link: int, opens: int) -> int:
        used = rows[:n_row]
        for row in used:
            if row[WANTED] == link:
                row[TIME] = max(row[TIME], opens)
        return min(
            range(n_row),
            key=lambda place: [int(used[place, c]) ^ s for c, s in zip(columns, signs, strict=True)],
            default=-1,
        )

    return search


def _instruction(columns: tuple[int, ...]) -> Any:
    return _search_in_python(columns) if _CONFIG.DISABLE_JIT else intrinsic(_search(columns))


soonest: Callable[[Any, int, int, int], int] = _instruction((TIME, READY, KEY))
"""Raise TIME of the rows that want a link to at least `opens`; return the row that comes first, -1 if there is none.

Of the rows of the least TIME that is the one of the least READY, then of the least KEY.
"""

soonest_by_tag: Callable[[Any, int, int, int], int] = _instruction((TIME, TAG, READY, KEY))
"""Do as `soonest` does, where the TAG counts before READY."""

soonest_of_pairs: Callable[[Any, int, int, int], int] = _instruction((TIME, READY))
"""Do as `soonest` does where READY holds the KEY as well."""

soonest_of_pairs_by_tag: Callable[[Any, int, int, int], int] = _instruction((TIME, TAG, READY))
"""Do as `soonest_by_tag` does where READY holds the KEY as well."""
