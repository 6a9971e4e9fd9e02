"""Call functions of a C library from compiled code, by the addresses they have in this process.

A function object as an argument of a compiled function is unpickled at each call, which costs 4 us (measured);
an address is a number. With the JIT off the same names call through ctypes.
"""

import ctypes
from collections.abc import Callable
from typing import Any

import numba
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

_NUMBA: Any = numba
_WHOLE, _LONG, _REAL = types.int32, types.int64, types.float64
_C: dict[Any, Any] = {_WHOLE: ctypes.c_int, _LONG: ctypes.c_int64, _REAL: ctypes.c_double}


def address_of(function: Any) -> int:
    """Return where a function of a loaded library lies; raises ValueError for one that lies nowhere."""
    address = ctypes.cast(function, ctypes.c_void_p).value
    if not address:
        raise ValueError(f"{function} has no address")
    return address


def _plain(*arguments: Any) -> Callable[..., int]:
    """Return a Python function that calls the one at an address."""
    prototype = ctypes.CFUNCTYPE(ctypes.c_int, *(_C[argument] for argument in arguments))
    return lambda address, *given: int(prototype(address)(*given))


def _emit(builder: Any, values: Any, arguments: tuple[Any, ...]) -> Any:
    """Write the machine's call of the C function at the first of some values."""
    kinds = {_WHOLE: ir.IntType(32), _LONG: ir.IntType(64), _REAL: ir.DoubleType()}
    kind = ir.FunctionType(ir.IntType(32), [kinds[argument] for argument in arguments])
    return builder.call(builder.inttoptr(values[0], kind.as_pointer()), values[1:])


_SET, _START, _RUN, _READ = (_LONG, _WHOLE, _WHOLE, _REAL), (_LONG, _WHOLE), (_LONG, _LONG), (_LONG, _WHOLE, _LONG)


def _set(_context: Any, _address: Any, _handle: Any, _index: Any, _kind: Any, _value: Any) -> tuple[Any, Any]:
    """Type and write a call of `int f(handle, int index, int kind, double value)`."""
    return _WHOLE(_LONG, *_SET), lambda _c, builder, _s, values: _emit(builder, values, _SET)


def _start(_context: Any, _address: Any, _handle: Any, _kind: Any) -> tuple[Any, Any]:
    """Type and write a call of `int f(handle, int kind)`."""
    return _WHOLE(_LONG, *_START), lambda _c, builder, _s, values: _emit(builder, values, _START)


def _run(_context: Any, _address: Any, _handle: Any, _written: Any) -> tuple[Any, Any]:
    """Type and write a call of `int f(handle, long *written)`."""
    return _WHOLE(_LONG, *_RUN), lambda _c, builder, _s, values: _emit(builder, values, _RUN)


def _read(_context: Any, _address: Any, _handle: Any, _kind: Any, _written: Any) -> tuple[Any, Any]:
    """Type and write a call of `int f(handle, int kind, double *written)`."""
    return _WHOLE(_LONG, *_READ), lambda _c, builder, _s, values: _emit(builder, values, _READ)


_OFF = bool(_NUMBA.config.DISABLE_JIT)
set_value: Any = _plain(*_SET) if _OFF else intrinsic(_set)
start: Any = _plain(*_START) if _OFF else intrinsic(_start)
run: Any = _plain(*_RUN) if _OFF else intrinsic(_run)
read_values: Any = _plain(*_READ) if _OFF else intrinsic(_read)
