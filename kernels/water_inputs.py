"""Hand many values to a C library in one call.

A solver's toolkit sets one value per call. Called from Python that costs 400 ns
a value, from a compiled loop 10 ns (measured with EPANET 2.3).
"""

import ctypes
from typing import Any, NamedTuple

import numpy as np
from numba import types
from numba.experimental import function_type  # noqa: F401  (registers foreign functions as arguments)
from numba.extending import typeof_impl
from numpy.typing import NDArray

from twin.kernels._jit import jit
from twin.kernels.water_codes import CLOSED

BASE_DEMAND, EMITTER, FIXED_LEVEL = 1, 3, 8
INITIAL_STATUS, INITIAL_SETTING = 4, 5
"""Properties. Source: EPANET 2.3, epanet2_enums.h (EN_BASEDEMAND, EN_EMITTER, EN_TANKLEVEL, EN_INITSTATUS ...)."""

_SIGNATURE: Any = types.int32(types.int64, types.int32, types.int32, types.float64)
_TYPE: Any = types.FunctionType(_SIGNATURE)


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

    def __call__(self, handle: int, index: np.int32, kind: np.int32, value: float) -> int:
        """Call the function from plain Python, as kernels do when the JIT is off."""
        return int(self._function(handle, index, kind, value))


@typeof_impl.register(Setter)
def _type_of(_setter: Setter, _context: Any) -> Any:
    """Return the type made once; numba would make it anew at each call, which costs 70 us (measured)."""
    return _TYPE


class Written(NamedTuple):
    """Where the inputs of a solution go, and in which units.

    links     (n,)       links that take commands
    pipes     links below this one have no setting
    setting   (n_link,)  what one unit of a setting is in SI
    flow, emitter, length  what one unit of each is in SI
    """

    links: NDArray[np.int64]
    pipes: int
    setting: NDArray[np.float64]
    flow: float
    emitter: float
    length: float


@jit
def write_nodes(
    setter: Setter,
    handle: int,
    written: Written,
    demand: NDArray[np.float64],
    emitter: NDArray[np.float64],
    head: NDArray[np.float64],
    level: NDArray[np.float64],
    refused: NDArray[np.float64],
) -> int:
    """Set demands and emitters of junctions, heads of reservoirs, levels of tanks; return the first code not 0.

    setter   sets a property of a node
    demand, emitter  (n_junction,)  SI
    head     (n_reservoir,)  m
    level    (n_tank,)       m
    refused  (2,)  written where a code is not 0: row of the node, and the value in the library's units
    """
    junctions, reservoirs = demand.shape[0], head.shape[0]
    for i in range(junctions + reservoirs + level.shape[0]):
        kind = BASE_DEMAND
        if i < junctions:
            value = demand[i] / written.flow
        elif i < junctions + reservoirs:
            kind, value = FIXED_LEVEL, head[i - junctions] / written.length
        else:
            kind, value = FIXED_LEVEL, level[i - junctions - reservoirs] / written.length
        code = setter(handle, np.int32(i + 1), np.int32(kind), value)
        if code == 0 and i < junctions:
            value = emitter[i] / written.emitter
            code = setter(handle, np.int32(i + 1), np.int32(EMITTER), value)
        if code != 0:
            refused[0], refused[1] = i, value
            return int(code)
    return 0


@jit
def write_links(
    setter: Setter,
    handle: int,
    written: Written,
    status: NDArray[np.int8],
    setting: NDArray[np.float64],
    refused: NDArray[np.float64],
) -> int:
    """Set status, and setting where there is one, of links; return the first code that is not 0.

    setter   sets a property of a link
    status   (n_link,)  CLOSED, OPEN, ACTIVE
    setting  (n_link,)  SI, NaN for none
    refused  (2,)  written where a code is not 0: row of the link, and the value in the library's units
    """
    for link in written.links:
        closed = status[link] == CLOSED
        value = 0.0 if closed else 1.0
        code = setter(handle, np.int32(link + 1), np.int32(INITIAL_STATUS), value)
        if code == 0 and not closed and link >= written.pipes and setting[link] == setting[link]:
            value = setting[link] / written.setting[link]
            code = setter(handle, np.int32(link + 1), np.int32(INITIAL_SETTING), value)
        if code != 0:
            refused[0], refused[1] = link, value
            return int(code)
    return 0
