"""A run of the compiled emergency service: advance, look, save, load."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.models.arguments import number
from twin.models.emergency.layout import SECOND, lay_out
from twin.models.emergency.rules import Desk, Rules

if TYPE_CHECKING:
    import pandas as pd

    from twin.models.emergency.region import Region

Array = np.ndarray[Any, Any]

_END = 1 << 61


class Simulation:
    """One run; all that changes is in `state`, all that has happened in `log`.

    region, calls, rules  see `simulate`
    """

    def __init__(self, region: Region, calls: pd.DataFrame, rules: Rules | None = None) -> None:
        self.region, self.calls, self.rules = region, calls, rules or Rules()
        self.case, self.state = lay_out(region, calls, self.rules)
        self._desk = Desk(self.case, self.state)
        self._log: list[Array] = []

    def run(self, until: float | None = None) -> Simulation:
        """Go on to an instant (s), events at it left out; by default until nothing is left to happen.

        Raises ValueError for an instant that is no finite number of 0 or more.
        """
        from twin.kernels import emergency_arrays as kernel
        from twin.kernels.emergency import advance

        stop = _END if until is None else round(number("until", until, 0.0, _END / SECOND) * SECOND)
        while True:
            if self.state.clock[kernel.QUESTION] != kernel.NO_QUESTION:
                self._answer()
            status = advance(self.case, self.state, stop)
            if status == kernel.ASK:
                continue
            if status == kernel.LOG_FULL:
                self._drain()
            elif status == kernel.BAD_ANSWER:
                raise ValueError(self._refused())
            else:
                return self

    def _answer(self) -> None:
        """Ask the rule in Python what the kernel wants to know."""
        from twin.kernels.emergency_arrays import ANSWER, ASK_DISPATCH, ASK_RETURN, QUESTION

        clock, rules = self.state.clock, self.rules
        question = clock[QUESTION]
        if question == ASK_DISPATCH:
            clock[ANSWER] = _whole(rules.dispatch.dispatch(self._desk), "dispatch")  # type: ignore[union-attr]
        elif question == ASK_RETURN:
            clock[ANSWER] = _whole(rules.move_up.station(self._desk), "station")  # type: ignore[union-attr]
        else:
            rules.move_up.moves(self._desk)  # type: ignore[union-attr]

    def _refused(self) -> str:
        """Say which answer cannot be carried out."""
        from twin.kernels import emergency_arrays as kernel

        clock, at = self.state.clock, f"at {self.now:.3f} s"
        answer = int(clock[kernel.ANSWER])
        if clock[kernel.QUESTION] == kernel.ASK_DISPATCH:
            able = np.flatnonzero(self.state.eta < 1 << 62).tolist()
            return f"dispatch answered {answer} for call {int(clock[kernel.Q_CALL])} {at}, must be -1 or one of {able}"
        if clock[kernel.QUESTION] == kernel.ASK_RETURN:
            last = len(self.region.stations) - 1
            return f"station answered {answer} for unit {int(clock[kernel.Q_UNIT])} {at}, must be in 0 .. {last}"
        return f"moves wrote {self.state.goal.tolist()} {at}: only idle units move, to stations of the region"

    def _drain(self) -> None:
        """Move the rows of the kernel's log to the run's."""
        from twin.kernels.emergency_arrays import LOG_ROWS

        self._log.append(self.state.log[: self.state.clock[LOG_ROWS]].copy())
        self.state.clock[LOG_ROWS] = 0

    @property
    def now(self) -> float:
        """Instant of the last event (s)."""
        return float(self.state.clock[0]) / SECOND

    @property
    def log(self) -> Array:
        """All events so far: time (us), kind, call, unit, value; (n, 5)."""
        self._drain()
        self._log = [np.concatenate(self._log)]
        return self._log[0]

    def positions(self, at: float) -> pd.DataFrame:
        """Say where every unit is at an instant (s) not before the last event nor after the next.

        node  where it is or comes to next;  left  s until there, 0 at it
        arc   the arc it is on, -1 at a node or off the road
        """
        import pandas as pd

        from twin.kernels import emergency_arrays as kernel
        from twin.kernels.calendar import next_time
        from twin.kernels.emergency_travel import ahead

        instant = round(at * SECOND)
        if not self.state.clock[kernel.NOW] <= instant <= next_time(self.state.calendar):
            raise ValueError(f"at ({at} s) must not be before {self.now} s nor after the next event: run to it first")
        unit = self.state.unit.copy()
        rows = []
        for u in range(len(unit)):
            moving = unit[u, kernel.U_STATUS] in (kernel.TO_SCENE, kernel.TO_HOSPITAL, kernel.RETURNING)
            mode = int(unit[u, kernel.U_MODE])
            if moving:
                node, left, step = ahead(self.case.roads, self.case.places, unit, u, instant, mode)
            else:
                node, left, step = self._standing(u), 0, -2
            arc = int(self.case.roads.chain_arc[step]) if step >= 0 else -1
            rows.append((u, int(unit[u, kernel.U_STATUS]), int(node), left / SECOND, arc))
        return pd.DataFrame(rows, columns=["unit", "status", "node", "left", "arc"])

    def _standing(self, u: int) -> int:
        """Return the node of a unit that stands: its station's, else where its way has ended."""
        from twin.kernels import emergency_arrays as kernel

        row = self.state.unit[u]
        if row[kernel.U_STATUS] in (kernel.AT_STATION, kernel.MOBILISING):
            return int(self.case.places.node[row[kernel.U_STATION]])
        return int(row[kernel.U_TO])

    def save(self, path: str | Path) -> None:
        """Write the state and the log so far into a file of exactly this name, whole or not at all (.npz format)."""
        arrays: dict[str, Any] = {f"state_{i}": values for i, values in enumerate(self._arrays())}
        making = Path(f"{path}.part")
        try:
            with making.open("wb") as file:
                np.savez(file, log=self.log, of=np.uint32(self._mark()), **arrays)
            making.replace(path)
        finally:
            making.unlink(missing_ok=True)

    def load(self, path: str | Path) -> Simulation:
        """Take state and log from a file of a run of the same region, calls and rules.

        Raises ValueError for a file of another run, which leaves this one as it is.
        """
        with np.load(path) as stored:
            if "of" not in stored or int(stored["of"]) != self._mark():
                raise ValueError(f"{path} is a run of another region, other calls or other rules")
            for i, target in enumerate(self._arrays()):
                target[...] = stored[f"state_{i}"]
            self._log = [stored["log"]]
        return self

    def _mark(self) -> int:
        """Return a number that tells this region, its calls and rules from others: CRC-32 of all that stays."""
        import zlib

        mark = 0
        for part in self.case:
            for values in part:
                mark = zlib.crc32(repr((values.shape, values.dtype.str)).encode(), mark)
                mark = zlib.crc32(np.ascontiguousarray(values).tobytes(), mark)
        return mark

    def _arrays(self) -> list[Array]:
        """Return every array that changes, the log left out."""
        return [*self.state[:10], *self.state.calendar]


def _whole(answer: Any, asked: str) -> int:
    """Return the answer of a rule as an integer of -1 or more; raise TypeError for anything else."""
    if not isinstance(answer, int | np.integer) or isinstance(answer, bool) or answer < -1:
        raise TypeError(f"a rule answered {answer!r} to {asked}: it must be an integer, -1 for none")
    return int(answer)
