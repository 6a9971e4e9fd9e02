"""Why a unit came late: the largest contributions to a response time, as events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twin.contract import SECOND

if TYPE_CHECKING:
    from twin.models.travel import Fleet
    from twin.view import View

_LEAST_SECONDS = 10.0
_LEAST_SHARE = 0.1


def reasons(view: View, fleet: Fleet, call: int, unit: int, over: float) -> list[int]:
    """Return the events behind the parts of a response that matter, largest first.

    A part matters when it is at least 10 s and a tenth of the time over the
    target. Parts: waiting for a unit, and the delay on each of the worst links.

    over  s by which the response missed its target
    """
    waited = (int(view["call.dispatched"][call]) - int(view["call.triaged"][call])) / SECOND
    parts = [(waited, int(view["unit.order"][unit]))]
    parts += [(delayed.excess, delayed.cause) for delayed in fleet.delays(view, unit)]
    least = max(_LEAST_SECONDS, _LEAST_SHARE * over)
    found = [(-seconds, event) for seconds, event in parts if event >= 0 and seconds >= least]
    return [event for _, event in sorted(found)]
