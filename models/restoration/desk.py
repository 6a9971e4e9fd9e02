"""What the repair desk knows: which assets are reported as failed, and which are sound again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.models.assets import LINE, LINK, PIPE, PUMP, SUBSTATION, Assets

if TYPE_CHECKING:
    from twin.view import View

Array = np.ndarray[Any, Any]

FAILED = ("substation.failed", "line.failed", "water_link.failed", "link.broken")
SEEN = ("observed_substation.failed", "observed_line.failed")
STAMPS = ("observed_substation.stamp", "observed_line.stamp")


class Desk:
    """List failures as sensors show them, or as people report them where no sensor does.

    delay  us until people report a failure
    """

    def __init__(self, assets: Assets, delay: int) -> None:
        self._assets = assets
        self._delay = max(delay, 1)

    def failed(self, view: View) -> Array:
        """Return which assets are out of service now, (n,)."""
        out = np.zeros(self._assets.count, dtype=bool)
        for kind in (SUBSTATION, LINE, PIPE, PUMP, LINK):
            name = _field_of(kind)
            if name in view:
                ours = self._assets.kind == kind
                out[ours] = view[name][self.state_rows(kind)]
        return out

    def state_rows(self, kind: int) -> Array:
        """Return the rows of the state table that hold the assets of one kind: pumps come behind pipes."""
        rows = self._assets.row[self._assets.kind == kind]
        behind = int((self._assets.kind == PIPE).sum()) if kind == PUMP else 0
        return np.asarray(rows + behind)

    def cause(self, view: View, asset: int) -> int:
        """Return the event that last changed the state of an asset, -1 for none."""
        kind = int(self._assets.kind[asset])
        name = _field_of(kind)
        if name not in view:
            return -1
        row = self.state_rows(kind)[asset - int(self._assets.first[kind])]
        return view.cause(name, int(row))

    def sensed(self, view: View) -> Array:
        """Return which assets report their failure by sensor in this run, (n,)."""
        seen = all(name in view for name in (*SEEN, *STAMPS))
        return np.asarray((self._assets.kind <= LINE) & seen)

    def note(self, view: View) -> None:
        """Note failures and returns to service; let people report what no sensor shows."""
        failed = self.failed(view)
        since = view.raw("repair.failed_at")
        back = np.flatnonzero(~failed & (since >= 0))
        view.raw("repair.outage")[back] += view.now - since[back]
        view.raw("repair.count")[back] += 1
        since[back] = -1
        new = np.flatnonzero(failed & (since < 0))
        since[new] = view.now
        for asset in new[~self.sensed(view)[new]].tolist():
            view.schedule("repair_report", self._delay, asset, cause=self.cause(view, asset))

    def look(self, view: View) -> None:
        """List assets that observations call failed, unless a crew has said otherwise since."""
        if not all(name in view for name in (*SEEN, *STAMPS)):
            return
        ours = self._assets.kind <= LINE
        known, stamp = np.zeros(ours.shape[0], dtype=bool), np.zeros(ours.shape[0], dtype=np.int64)
        known[ours] = np.concatenate([view[name] for name in SEEN])
        stamp[ours] = np.concatenate([view[name] for name in STAMPS])
        known &= stamp > view["repair.settled"]
        listed = (view["repair.reported"] >= 0) & ours
        view.put("repair.reported", np.flatnonzero(listed & ~known), -1)
        for asset in np.flatnonzero(known & ~listed).tolist():
            self.list(view, asset)

    def report(self, view: View, asset: int) -> None:
        """List what people report, if it is still out of service."""
        if view["repair.failed_at"][asset] >= 0 and view["repair.reported"][asset] < 0:
            self.list(view, asset)

    def list(self, view: View, asset: int) -> None:
        """Put an asset on the list of repairs."""
        wanted = self.tell(view, "repair_wanted", asset, causes=[self.cause(view, asset)])
        view.put("repair.reported", asset, view.now, wanted)

    def tell(self, view: View, kind: str, asset: int, value: float = 0.0, causes: Sequence[int] | None = None) -> int:
        """Log what happens to an asset, by its row in the city table of its kind; return the event's id."""
        of, row = int(self._assets.kind[asset]), int(self._assets.row[asset])
        return view.emit(kind, row, value, of, causes)


def _field_of(kind: int) -> str:
    return (FAILED[0], FAILED[1], FAILED[2], FAILED[2], FAILED[3])[kind]
