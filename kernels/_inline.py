"""Compile the inner functions of one large kernel."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Kernel = TypeVar("Kernel", bound=Callable[..., Any])

_NUMBA: Any = numba


def inline(function: Kernel) -> Kernel:
    """Compile a function that only compiled code calls into each of its callers.

    A call that hands on fifty arrays costs about 100 ns, more than most of these functions.
    """
    return cast(Kernel, _NUMBA.njit(_nrt=False, nogil=True, forceinline=True, no_cpython_wrapper=True)(function))
