"""Why a unit came late: the largest contributions to a response time, as events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twin.contract import SECOND

if TYPE_CHECKING:
    from twin.models.travel import Fleet
    from twin.view import View

SILENCE = ("observed_unit.silent", "observed_link.silent")

_LEAST_SECONDS = 10.0
_LEAST_SHARE = 0.1


def reasons(view: View, fleet: Fleet, call: int, unit: int, over: float) -> list[int]:
    """Return the events behind the parts of a response that matter, largest first.

    A part matters when it is at least 10 s and a tenth of the time over the
    target (both assumptions). Parts: waiting for a unit, and the delay on each
    of the worst links. Where a feed was silent about such a link, its silence
    is named too: whoever decided could not know.

    over  s by which the response missed its target
    """
    least = max(_LEAST_SECONDS, _LEAST_SHARE * over)
    waited = (int(view["call.dispatched"][call]) - int(view["call.triaged"][call])) / SECOND
    parts = [(waited, int(view["unit.order"][unit]))]
    slow = fleet.delays(view, unit)
    parts += [(delayed.excess, delayed.cause) for delayed in slow]
    parts += [(delayed.excess, _silence(view, "observed_link.silent", delayed.link)) for delayed in slow]
    found = sorted((-seconds, order) for order, (seconds, event) in enumerate(parts) if event >= 0 and seconds >= least)
    return list(dict.fromkeys(parts[order][1] for _, order in found))


def silence_of_unit(view: View, unit: int) -> int:
    """Return the event that silenced the reports of a unit, -1 when it is heard or there is no such unit."""
    if not 0 <= unit < view.rows("unit"):
        return -1
    return _silence(view, "observed_unit.silent", unit)


def _silence(view: View, name: str, row: int) -> int:
    return view.cause(name, row) if name in view and view[name][row] else -1
