"""Ask what a run holds: rows of scenario events, and fields of other models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.contract import SECOND, Event
from twin.errors import ContractError

if TYPE_CHECKING:
    from twin.view import View

Array = np.ndarray[Any, Any]


def targets_of(event: Event, planned: Sequence[Any]) -> Array:
    """Return the rows an event acts on.

    An event of the scenario carries its number in `data` and may act on many rows, and so does its
    end (`KIND_end`); an event of the run itself, or an order, acts on the one row it names.

    planned  scenario events of the run, as given to `setup`
    """
    if 0 <= event.data < len(planned) and planned[event.data].kind == event.kind.removesuffix("_end"):
        return np.array(planned[event.data].targets, dtype=np.int64)
    return np.array([event.target] if event.target >= 0 else [], dtype=np.int64)


def numbers_of(kind: str, planned: Sequence[Any]) -> list[int]:
    """Return the numbers of the scenario events of one kind, in scenario order."""
    return [i for i, event in enumerate(planned) if event.kind == kind]


def microseconds(seconds: float) -> int:
    """Return a duration in whole microseconds, rounded to nearest."""
    return round(seconds * SECOND)


def contributes(view: View, group: str) -> bool:
    """Tell whether some model of this run totals a group the caller adds to."""
    try:
        view.add(group, [], 0)
    except ContractError:
        return False
    return True
