"""Fields of models that a run may lack: read them, or go on without."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from twin.errors import ContractError

if TYPE_CHECKING:
    from twin.view import View

Array = np.ndarray[Any, Any]


def field_of(view: View, name: str) -> Array | None:
    """Return a field that the component reads, None when no model of this run owns it."""
    try:
        return view[name]
    except ContractError:
        return None
