"""Hand many values to a C library in one call.

A solver's toolkit sets one value per call. Called from Python that costs 400 ns
a value, from a compiled loop 10 ns (measured with EPANET 2.3).
"""

import ctypes
from typing import Any

import numpy as np
from numba import types
from numba.experimental import function_type
from numba.extending import typeof_impl
from numpy.typing import NDArray

from twin.kernels._jit import jit

_SIGNATURE: Any = types.int32(types.int64, types.int32, types.int32, types.float64)
_TYPE: Any = function_type.FunctionType(_SIGNATURE)


class Setter(types.WrapperAddressProtocol):
    """Wrap a C function `int set(handle, int index, int property, double value)` for compiled code."""

    def __init__(self, function: Any) -> None:
        """Keep the function of a loaded library and where it lies."""
        function.argtypes = (ctypes.c_void_p, ctypes.c_int, ctypes.c_int, ctypes.c_double)
        function.restype = ctypes.c_int
        self._function = function
        self._address = ctypes.cast(function, ctypes.c_void_p).value or 0

    def __wrapper_address__(self) -> int:
        return self._address

    def signature(self) -> Any:
        """Return the types that compiled callers must use; a handle travels as an integer."""
        return _SIGNATURE

    def __call__(self, handle: int, index: int, kind: int, value: float) -> int:
        """Call the function from plain Python, as kernels do when the JIT is off."""
        return int(self._function(handle, index, kind, value))


@typeof_impl.register(Setter)
def _type_of(_setter: Setter, _context: Any) -> Any:
    """Return the type made once; numba would make it anew at each call, which costs 70 us (measured)."""
    return _TYPE


@jit
def write_values(
    setter: Setter,
    handle: int,
    index: NDArray[np.int32],
    kind: NDArray[np.int32],
    value: NDArray[np.float64],
    failed: NDArray[np.int64],
) -> int:
    """Call `setter` for every value that is a number; return its first code that is not 0, else 0.

    index   (n,)  element of the library, from 1
    kind    (n,)  property
    value   (n,)  in the library's units; NaN is left out
    failed  (1,)  written: place of the value that was refused, -1 for none
    """
    failed[0] = -1
    for i in range(value.shape[0]):
        if value[i] == value[i]:
            code = setter(handle, index[i], kind[i], value[i])
            if code != 0:
                failed[0] = i
                return int(code)
    return 0
