"""Check what library functions are given, and say what is wrong in one sentence.

Each message names the argument and, for arrays, the row, then the bad value, the limit
and the nearest value that would be allowed.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def number(name: str, value: Any, low: float = 0.0, high: float = math.inf, *, open_low: bool = False) -> float:
    """Return a finite number within limits; `open_low` leaves the lower limit itself out.

    Raises ValueError with the name, the value and the nearest value allowed.
    """
    try:
        found = float(value)
    except (TypeError, ValueError):
        raise ValueError(f"{name} ({value!r}) must be a number") from None
    if not math.isfinite(found):
        raise ValueError(f"{name} ({found}) must be a finite number")
    if found < low or found > high or (open_low and found == low):
        raise ValueError(f"{name} ({found:g}) must be {_range(low, high, open_low)}; {_nearest(found, low, high)}")
    return found


def whole(name: str, value: Any, low: int = 1, high: int | None = None) -> int:
    """Return an integer within limits; 3.0 counts as 3, 2.5 is an error."""
    found = number(name, value, low, math.inf if high is None else high)
    if found != int(found):
        raise ValueError(f"{name} ({found:g}) must be a whole number; the nearest is {round(found)}")
    return int(found)


def vector(name: str, values: Any, rows: int | None = None, *, open_low: bool = False) -> Array:
    """Return finite numbers, none negative, (rows,); a single number is repeated where `rows` is given.

    Raises ValueError naming the first bad row.
    """
    found = np.asarray(values, dtype=np.float64)
    if found.ndim == 0 and rows is not None:
        found = np.full(rows, float(found))
    if found.ndim != 1 or (rows is not None and found.shape[0] != rows):
        wanted = "one dimension" if rows is None else f"{rows} values, one per row"
        raise ValueError(f"{name} has shape {found.shape} and must have {wanted}")
    bad = ~np.isfinite(found) | (found < 0) | (open_low & (found == 0))
    if bad.any():
        row = int(np.argmax(bad))
        raise ValueError(f"{name}[{row}] ({found[row]:g}) must be a finite number {_range(0.0, math.inf, open_low)}")
    return found


def matrix(name: str, values: Any, shape: tuple[int | None, int | None] = (None, None)) -> Array:
    """Return numbers of 0 or more; infinity is allowed and means unreachable, NaN is not.

    shape  numbers of rows and columns wanted, None for any

    Raises ValueError naming the first bad row and column.
    """
    found = np.asarray(values, dtype=np.float64)
    fits = found.ndim == 2 and all(w is None or w == n for w, n in zip(shape, found.shape, strict=True))
    if not fits or 0 in found.shape:
        wanted = " x ".join("any" if w is None else str(w) for w in shape)
        raise ValueError(f"{name} has shape {found.shape} and must have {wanted} rows x columns, none of them 0")
    bad = np.isnan(found) | (found < 0)
    if bad.any():
        row, column = np.unravel_index(int(np.argmax(bad)), found.shape)
        raise ValueError(f"{name}[{row}, {column}] ({found[row, column]:g}) must be 0 or more; infinity if unreachable")
    return found


def _range(low: float, high: float, open_low: bool) -> str:
    if high != math.inf:
        return f"between {low:g} and {high:g}"
    return f"greater than {low:g}" if open_low else f"{low:g} or more"


def _nearest(value: float, low: float, high: float) -> str:
    return f"the nearest limit is {low if value <= low else high:g}"
