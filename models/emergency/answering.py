"""Who answers which call when: one desk of call-takers, by itself.

Units have no part in it, so that it is the same under every policy.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

NEVER = 2**62
_FREED, _RINGS, _GIVES_UP = range(3)


@dataclass(frozen=True)
class Ringing:
    """Calls that a desk is to answer, in the order in which they stand.

    row       of the call
    time      us, when it rings or the caller would hang up
    """

    row: Array
    time: Array


@dataclass(frozen=True)
class Answered:
    """What came of calls; us by call, NEVER for what did not happen.

    begun   when a call-taker answered
    known   when the talk was over
    given_up  when the caller hung up
    """

    begun: Array
    known: Array
    given_up: Array


def answer(takers: int, talk: Array, patience: Array, talking: Ringing, waiting: Ringing, rings: Ringing) -> Answered:
    """Answer calls in the order in which they ring, each caller at most as long as patience lasts.

    takers    people at the desk
    talk, patience  (n_call,)  us
    talking   calls in hand and when the talk is over
    waiting   calls that ring, in order, and when each caller hangs up
    rings     calls to come
    """
    found = Answered(*(np.full(talk.shape[0], NEVER) for _ in range(3)))
    pending: list[tuple[int, int, int, int]] = []
    for kind, calls in ((_FREED, talking), (_GIVES_UP, waiting), (_RINGS, rings)):
        for row, time in zip(calls.row.tolist(), calls.time.tolist(), strict=True):
            heappush(pending, (time, kind, len(pending), row))
    found.known[talking.row] = talking.time
    queue = deque(waiting.row.tolist())
    free = takers - talking.row.shape[0]
    count = len(pending)
    while pending:
        now, kind, _, call = heappop(pending)
        if kind == _FREED:
            free += 1
        elif kind == _RINGS:
            queue.append(call)
            count += 1
            heappush(pending, (now + int(patience[call]), _GIVES_UP, count, call))
        elif found.begun[call] == NEVER:
            found.given_up[call] = now
            queue.remove(call)
        while free and queue:
            first = queue.popleft()
            free -= 1
            count += 1
            found.begun[first], found.known[first] = now, now + int(talk[first])
            heappush(pending, (now + int(talk[first]), _FREED, count, first))
    return found
