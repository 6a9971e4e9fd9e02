"""Watch voltages and loadings, and log each bus or line that leaves its limits or comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from twin.contract import Setup

if TYPE_CHECKING:
    from twin.models.power.protection import Protection
    from twin.view import View

Array = np.ndarray[Any, Any]


class LimitWatch:
    """Limits of a grid: voltages (pu) of supplied buses and loadings of lines; relays act on loadings, too."""

    def __init__(self, setup: Setup, relays: Protection) -> None:
        self._relays = relays
        self.low = float(setup.options["voltage_low"])
        self.high = float(setup.options["voltage_high"])
        self.loading = float(setup.options["loading_high"])

    def step(self, view: View, buses: tuple[Array, Array], voltage: Array, loading: Array) -> None:
        """Tell who has crossed a limit, start and stop relays, and note the lowest voltage.

        buses  (n_bus,) each: connected to a source; of these, not shed
        """
        from twin.kernels.grid_watch import OVERLOADS, RELAYS, VOLTAGES, Bounds, watch

        bounds = Bounds(self.low, self.high, self.loading, self._relays.pickup)
        side, over = np.empty(len(voltage), np.int8), np.empty(len(loading), bool)
        before = (view["bus.limit"], view["line.overloaded"], view["line.relay"])
        news, least = watch(bounds, voltage, *buses, loading, *before, side, over)
        if news & VOLTAGES:
            self._tell_voltages(view, voltage, side, buses[1])
        if news & OVERLOADS:
            self._tell_loadings(view, loading, over)
        if news & RELAYS:
            self._relays.watch(view, loading)
        if least < view["grid.least_voltage"][0]:
            view.put("grid.least_voltage", 0, least)

    def _tell_voltages(self, view: View, voltage: Array, side: Array, supplied: Array) -> None:
        """Log one event per bus that crossed a limit; its value is the voltage.

        side      (n_bus,)  too low (-1), within limits (0) or too high (1)
        supplied  (n_bus,)  one that has lost its supply is not logged
        """
        for bus in np.flatnonzero(side != view["bus.limit"]).tolist():
            kind = {-1: "voltage_low", 0: "voltage_normal", 1: "voltage_high"}[int(side[bus])]
            if side[bus] or supplied[bus]:
                view.emit(kind, bus, float(voltage[bus]))
        view.put("bus.limit", slice(None), side)

    def _tell_loadings(self, view: View, loading: Array, over: Array) -> None:
        """Log one event per line that crossed its limit; its value is the loading.

        over  (n_line,)  above the limit
        """
        for line in np.flatnonzero(over != view["line.overloaded"]).tolist():
            view.emit("line_overload" if over[line] else "line_relieved", line, float(loading[line]))
        view.put("line.overloaded", slice(None), over)
