"""Tell the processor what numba has no words for; without the JIT nothing is told."""

import os
import time
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic
from numpy.typing import NDArray

_CONFIG: Any = numba.config
_TYPES: Any = types
_CODE: Any = cgutils
_LINE = 8
"""Numbers in a cache line."""


def aligned_zeros(n_row: int, n_column: int) -> NDArray[np.int64]:
    """Make zeros (n_row, n_column) that begin with a cache line; traffic kernel: a twentieth of a run if not."""
    room = np.zeros(n_row * n_column + _LINE, np.int64)
    start = -(room.ctypes.data // room.itemsize) % _LINE
    return room[start : start + n_row * n_column].reshape(n_row, n_column)


def _address(context: Any, builder: Any, array: Any, value: Any, row: Any) -> Any:
    """Give the address of a row, which need not exist."""
    values = context.make_array(array)(context, builder, value)
    place = [row] + [context.get_constant(_TYPES.intp, 0)] * (array.ndim - 1)
    return _CODE.get_item_pointer(context, builder, array, values, place)


def _fetch(context: Any, builder: Any, place: Any) -> Any:
    """Write the instruction that fetches the cache line of a place."""
    number = ir.IntType(32)
    byte = builder.bitcast(place, ir.PointerType(ir.IntType(8)))
    shape = ir.FunctionType(ir.VoidType(), [byte.type, number, number, number])
    function = _CODE.get_or_insert_function(builder.module, shape, "llvm.prefetch.p0")
    builder.call(function, [byte, number(0), number(3), number(1)])
    return context.get_dummy_value()


def _prefetch(_typing: Any, array: Any, row: Any) -> Any:
    """Fetch the cache line of a row, which need not exist, ahead of its use."""

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return _fetch(context, builder, _address(context, builder, array, *arguments))

    return _TYPES.void(array, _TYPES.intp), generate


def _prefetch_at(_typing: Any, array: Any, row: Any, column: Any) -> Any:
    """Fetch the cache line of a number of a row ahead of its use."""

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        value, row, column = arguments
        values = context.make_array(array)(context, builder, value)
        return _fetch(context, builder, _CODE.get_item_pointer(context, builder, array, values, [row, column]))

    return _TYPES.void(array, _TYPES.intp, _TYPES.intp), generate


def _count_up(_typing: Any, array: Any, row: Any) -> Any:
    """Add one to an int64 of an array at once for all threads; nothing is moved past it."""

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        address = _address(context, builder, array, *arguments)
        builder.atomic_rmw("add", address, context.get_constant(_TYPES.int64, 1), "seq_cst")
        return context.get_dummy_value()

    return _TYPES.void(array, _TYPES.intp), generate


def _read_anew(_typing: Any, array: Any, row: Any) -> Any:
    """Read an int64 of an array that another thread may be changing."""

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.load_atomic(_address(context, builder, array, *arguments), "seq_cst", 8)

    return _TYPES.int64(array, _TYPES.intp), generate


def _give_way(_typing: Any) -> Any:
    """Let another thread have the processor if one waits for it; nothing where POSIX is not known."""

    def generate(context: Any, builder: Any, _signature: Any, _arguments: Any) -> Any:
        if os.name == "posix":
            shape = ir.FunctionType(ir.IntType(32), [])
            builder.call(_CODE.get_or_insert_function(builder.module, shape, "sched_yield"), [])
        return context.get_dummy_value()

    return _TYPES.void(), generate


def _prefetch_in_python(array: Any, row: int) -> None:
    """Do nothing: Python has no caches to fill."""


def _prefetch_at_in_python(array: Any, row: int, column: int) -> None:
    """Do nothing, as `_prefetch_in_python`."""


def _count_up_in_python(array: Any, row: int) -> None:
    array[row] += 1


def _read_anew_in_python(array: Any, row: int) -> int:
    return int(array[row])


def _give_way_in_python() -> None:
    time.sleep(0)


def _instruction(compiled: Any, plain: Any) -> Any:
    return plain if _CONFIG.DISABLE_JIT else intrinsic(compiled)


prefetch: Callable[[Any, int], None] = _instruction(_prefetch, _prefetch_in_python)
prefetch_at: Callable[[Any, int, int], None] = _instruction(_prefetch_at, _prefetch_at_in_python)
count_up: Callable[[Any, int], None] = _instruction(_count_up, _count_up_in_python)
read_anew: Callable[[Any, int], int] = _instruction(_read_anew, _read_anew_in_python)
give_way: Callable[[], None] = _instruction(_give_way, _give_way_in_python)
