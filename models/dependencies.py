"""Let low pressure act on hospitals and pumps: the dependencies that no network model acts on itself.

A coupling is a row of `dependencies` from a water junction to a hospital (`store`: its tank lasts for
`delay`) or to a pump (`cut_out`: it is cut out `delay` after low pressure, and let go `delay` after
pressure has come back; then it runs if it is switched on). Pumps act on pressure against the order in
which one instant is solved, so the shortest delay is a second, and a pump that its own suction stops goes
on and off for ever: that is physics. A coupling that fails again in the very state in which it failed
before is counted, and the first, tenth, hundredth ... time is logged as `coupling_repeats` with the
coupling and the junction.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.city.dependencies import supply
from twin.contract import SECOND, Event, EventKind, Kpi, Model, Option, Setup
from twin.fields import Field
from twin.models.scenario_events import contributes, microseconds

if TYPE_CHECKING:
    from twin.view import View

Array = np.ndarray[Any, Any]

_HOSPITAL, _PUMP = 0, 1
_NAMES = (("hospital_dry", "hospital_water_back"), ("pump_cut_out", "pump_cut_in"))


class Dependencies(Model):
    """Hospitals and pumps that fail some time after the pressure they need."""

    name = "dependencies"
    owns = (
        Field("coupling.failed", "bool", "1", "the dependent has stopped", traced=True),
        Field("coupling.pending", "int64", "1", "pending change, -1 for none", -1),
        Field("coupling.picture", "int64", "1", "state in which it last failed, as a checksum", -1),
        Field("coupling.failures", "int64", "1", "times it has failed"),
        Field("coupling.repeats", "int64", "1", "times it failed in the state in which it had failed before"),
    )
    reads = ("junction.pressure",)
    requires = ("junction.pressure",)
    adds = ("hospital.waterless",)
    events = (EventKind("coupling_acts", "a dependent stops, or works again", quiet=True),)
    tells = (
        EventKind("hospital_dry", "a hospital is without water", "hospitals"),
        EventKind("hospital_water_back", "a hospital has water again", "hospitals"),
        EventKind("pump_cut_out", "a pump is stopped for want of pressure before it", "pumps"),
        EventKind("pump_cut_in", "a pump may run again", "pumps"),
        EventKind("coupling_repeats", "a failure has come back so often in the same state", "coupling", unit="times"),
    )
    kpi_list = (Kpi("coupling_repeats", "1", "lower", "failures that repeat the state of the one before", 1.0),)
    options = (
        Option("hospital_pressure", "least pressure that fills a hospital's tank", "quantity", 7.0, "m", low=0),
        Option("suction_pressure", "pressure below which a pump is cut out", "quantity", 5.0, "m", low=0),
    )

    def setup(self, setup: Setup) -> dict[str, int]:
        """Read who depends on which junction."""
        parts = [supply(setup.city, "junctions", table) for table in ("hospitals", "pumps")]
        limits = [float(setup.options[name]) for name in ("hospital_pressure", "suction_pressure")]
        size = [len(part.row) for part in parts]
        self.kind = np.repeat([_HOSPITAL, _PUMP], size)
        self.limit = np.repeat(limits, size)
        self.row = np.concatenate([part.row for part in parts]).astype(np.int64)
        self.junction = np.concatenate([part.supplier for part in parts]).astype(np.int64)
        self.delay = [max(microseconds(delay), SECOND) for part in parts for delay in part.delay.tolist()]
        tables = np.repeat(["hospitals", "pumps"], size).tolist()
        names = [str(setup.city[table]["id"][row]) for table, row in zip(tables, self.row.tolist(), strict=True)]
        self.names = np.array(names, dtype=np.str_)
        self.junctions = np.asarray(setup.city["junctions"]["id"])[self.junction]
        return {"coupling": len(self.row)}

    def step(self, view: View) -> None:
        """Let what has lost its pressure fail after its delay, unless pressure comes back before."""
        low = self._low(view)
        for row in np.flatnonzero((low != view["coupling.failed"]) != (view["coupling.pending"] >= 0)).tolist():
            pending = int(view["coupling.pending"][row])
            if pending >= 0:
                view.cancel(pending)
                view.put("coupling.pending", row, -1)
            else:
                cause = view.cause("junction.pressure", int(self.junction[row]))
                number = view.schedule("coupling_acts", self.delay[row], row, cause=cause)
                view.put("coupling.pending", row, number)

    def _low(self, view: View) -> Array:
        return np.asarray(view["junction.pressure"][self.junction] < self.limit)

    def on_event(self, view: View, event: Event) -> None:
        """Stop a dependent or let it work again."""
        row = event.target
        failed = not view["coupling.failed"][row]
        view.put("coupling.pending", row, -1)
        kind = _NAMES[self.kind[row]][0 if failed else 1]
        name = view.emit(kind, int(self.row[row]), causes=[view.cause("junction.pressure", int(self.junction[row]))])
        if failed:
            self._count(view, row, name)
        view.put("coupling.failed", row, failed, name)
        if self.kind[row] == _HOSPITAL:
            if contributes(view, "hospital.waterless"):
                view.add("hospital.waterless", int(self.row[row]), int(failed), name)
        else:
            view.schedule("pump_protection", 0, int(self.row[row]), float(failed), cause=name)

    def _count(self, view: View, row: int, cause: int) -> None:
        """Count a failure, and tell when it repeats the state of the one before."""
        picture = zlib.crc32(np.packbits([self._low(view), view["coupling.failed"]]).tobytes())
        view.put("coupling.failures", row, int(view["coupling.failures"][row]) + 1)
        if picture != view["coupling.picture"][row]:
            view.put("coupling.picture", row, picture)
            return
        repeats = int(view["coupling.repeats"][row]) + 1
        view.put("coupling.repeats", row, repeats)
        if str(repeats).strip("0") == "1":
            view.emit("coupling_repeats", row, float(repeats), int(self.junction[row]), causes=[cause])

    def kpis(self, view: View) -> dict[str, float]:
        """Return how often a coupling repeated itself."""
        return {"coupling_repeats": float(view["coupling.repeats"].sum())}

    def tables(self, view: View) -> dict[str, dict[str, Array]]:
        """Return each coupling by name with its failures: the cycle of one that repeats is junction, then dependent."""
        return {
            "couplings": {
                "from": self.junctions,
                "to": self.names,
                "failures": view["coupling.failures"],
                "repeats": view["coupling.repeats"],
            }
        }

    def check(self, view: View) -> list[str]:
        """Return couplings that wait although nothing has changed for them."""
        idle = (self._low(view) == view["coupling.failed"]) & (view["coupling.pending"] >= 0)
        return [
            f"coupling {self.junctions[row]} -> {self.names[row]} waits for nothing" for row in np.flatnonzero(idle)
        ]
