"""How many random cases a property is tried on: fewer where kernels run as plain Python."""

import os

from hypothesis import settings

_PLAIN = os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0")
_SHARE = 8
"""Plain kernels are 100 times slower; they try an eighth of the cases, the compiled ones all."""


def examples(number: int) -> settings:
    """Return settings for a number of random cases of a compiled kernel."""
    return settings(max_examples=max(number // _SHARE, 3) if _PLAIN else number, deadline=None)
