"""Watch voltages and loadings, and log each bus or line that leaves its limits or comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from twin.contract import Setup

if TYPE_CHECKING:
    from twin.view import View

Array = np.ndarray[Any, Any]


class LimitWatch:
    """Limits of a grid: voltages (pu) of supplied buses and loadings of lines."""

    def __init__(self, setup: Setup) -> None:
        self.low = float(setup.options["voltage_low"])
        self.high = float(setup.options["voltage_high"])
        self.loading = float(setup.options["loading_high"])

    def step(self, view: View, voltage: Array, loading: Array, supplied: Array) -> None:
        """Log one event per bus or line that crossed a limit; its value is the voltage or the loading."""
        high, low = (voltage > self.high) & supplied, (voltage < self.low) & supplied
        side = high.view(np.int8) - low.view(np.int8)
        crossed = side != view["bus.limit"]
        if crossed.any():
            for bus in np.flatnonzero(crossed).tolist():
                kind = {-1: "voltage_low", 0: "voltage_normal", 1: "voltage_high"}[int(side[bus])]
                if side[bus] or supplied[bus]:
                    view.emit(kind, bus, float(voltage[bus]))
            view.put("bus.limit", slice(None), side)
        over = loading > self.loading
        changed = over != view["line.overloaded"]
        if changed.any():
            for line in np.flatnonzero(changed).tolist():
                view.emit("line_overload" if over[line] else "line_relieved", line, float(loading[line]))
            view.put("line.overloaded", slice(None), over)
