"""The Erlang A model: a call centre whose callers lose patience (M/M/c+M).

Callers wait in the order of arrival; each has an exponential patience. The number in
the system is a birth-death chain, births at rate lambda, deaths at rate
min(n, c) mu + max(n - c, 0) theta, so it is summed exactly.

Source: Palm, Research on telephone traffic carried by full availability groups,
Tele 1 (1957); Garnett, Mandelbaum, Reiman, Designing a call center with impatient
customers, Manufacturing & Service Operations Management 4 (2002). Density of the wait
offered: Baccelli and Hebuterne, On queues with impatient customers (1981).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from twin.models.arguments import number, whole
from twin.models.queues.erlang import erlang_b

Array = np.ndarray[Any, Any]

_LEAST = 1e-20
"""States less likely than this, beside the likeliest, are left out of the sum."""

_CHUNK = 4096
_POINTS = 40
_PIECES = 64


@dataclass(frozen=True)
class CallCentre:
    """What a call centre with impatient callers does in the long run.

    wait_probability     share of callers that find every call-taker busy
    abandon_probability  share of callers that give up
    mean_wait            s in line, over all callers, those who give up too
    mean_queue           callers in line
    utilisation          share of time a call-taker talks
    arrival, service, patience  1/s: arrivals, completions of one call-taker, loss of patience of one caller
    servers              call-takers
    """

    wait_probability: float
    abandon_probability: float
    mean_wait: float
    mean_queue: float
    utilisation: float
    arrival: float
    service: float
    patience: float
    servers: int

    def answered_within(self, seconds: float) -> float:
        """Return the share of all callers answered, and that after at most so many seconds.

        The wait offered has a density in proportion to exp(lambda (1 - e^(-theta x)) / theta - c mu x),
        x > 0; who meets it is answered with probability e^(-theta x).
        """
        within = number("seconds", seconds)
        at_once = 1.0 - self.wait_probability
        low, high = self._span()
        if self.wait_probability == 0.0 or within <= low:
            return at_once
        everything, top = self._integral(low, high, 0.0)
        answered, highest = self._integral(low, min(within, high), self.patience)
        return at_once + self.wait_probability * answered / everything * math.exp(highest - top)

    def _integral(self, low: float, high: float, patience: float) -> tuple[float, float]:
        """Integrate the density times e^(-patience x); the logarithm of a factor taken out comes second."""
        edges = np.linspace(low, high, _PIECES + 1)
        node, weight = np.polynomial.legendre.leggauss(_POINTS)
        half = np.diff(edges)[:, None] / 2
        x = edges[:-1, None] + half * (node + 1.0)
        lost = -np.expm1(-self.patience * x) / self.patience
        log = self.arrival * lost - (self.servers * self.service + patience) * x
        top = float(log.max())
        return float(np.sum(half * weight * np.exp(log - top))), top

    def _span(self) -> tuple[float, float]:
        """Return between which waits (s) the density is more than about e^-40 of its peak."""
        rate = self.servers * self.service
        peak = max(math.log(self.arrival / rate) / self.patience, 0.0) if self.arrival > 0 else 0.0
        wide = 12.0 / math.sqrt(self.patience * rate) + 40.0 / rate + 40.0 / self.patience * (self.patience > rate)
        if self.arrival < rate:
            wide = min(wide, 40.0 / (rate - self.arrival))
        return max(peak - wide, 0.0), peak + wide


def erlang_a(arrival: float, service: float, patience: float, servers: int) -> CallCentre:
    """Describe a call centre with impatient callers; any load is stable.

    arrival   1/s, callers per second
    service   1/s, completions of one call-taker, > 0
    patience  1/s, 1 / mean patience, > 0; for callers who wait for ever see `erlang_c`
    servers   call-takers

    >>> round(erlang_a(5.0, 1.0, 1e-9, 8).wait_probability, 6)
    0.167267
    """
    arrival = number("arrival", arrival)
    service, patience = number("service", service, open_low=True), number("patience", patience, open_low=True)
    servers = whole("servers", servers)
    if arrival == 0.0:
        return CallCentre(0.0, 0.0, 0.0, 0.0, 0.0, arrival, service, patience, servers)
    first, weight = _queue_weights(arrival, servers * service, patience)
    lost = erlang_b(arrival / service, servers)
    all_busy = float(weight[0]) if first == 0 else 0.0
    idle = all_busy * (1.0 - lost) / lost if lost > 0.0 else 1.0
    if lost == 0.0 and all_busy > 0.0:
        weight = np.zeros_like(weight)
    total = idle + float(weight.sum())
    queue = float(weight @ (first + np.arange(weight.shape[0]))) / total
    abandon = patience * queue / arrival
    return CallCentre(
        float(weight.sum()) / total,
        abandon,
        queue / arrival,
        queue,
        arrival * (1.0 - abandon) / (servers * service),
        arrival,
        service,
        patience,
        servers,
    )


def _queue_weights(arrival: float, rate: float, patience: float) -> tuple[int, Array]:
    """Return the shortest line that matters and the weights of it and longer ones, 1 at the likeliest.

    From the likeliest length outward every ratio of neighbours is at most 1, so
    nothing overflows, and each side ends where the weight no longer counts.
    """
    mode = max(math.ceil((arrival - rate) / patience), 0)
    longer = _side(lambda step: arrival / (rate + (mode + step) * patience), math.inf)
    shorter = _side(lambda step: (rate + (mode + 1 - step) * patience) / arrival, mode)
    return mode - shorter.shape[0], np.concatenate([shorter[::-1], [1.0], longer])


def _side(ratio: Any, most: float) -> Array:
    """Return weights 1, 2, ... steps away from the likeliest length until they are negligible."""
    parts: list[Array] = []
    last, done = 1.0, 0
    while last > _LEAST and done < most:
        step = np.arange(done + 1, min(done + _CHUNK, most) + 1)
        part = last * np.cumprod(ratio(step))
        parts.append(part)
        last, done = float(part[-1]), done + step.shape[0]
    found = np.concatenate(parts) if parts else np.zeros(0)
    return found[found > _LEAST]
