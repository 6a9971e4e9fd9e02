"""Erlang's loss and waiting formulas, and the states of the M/G/c/c system.

Offered load a = arrival rate x mean service time, in erlang; c servers.

Source: Erlang, Solution of some problems in the theory of probabilities of
significance in automatic telephone exchanges, Elektroteknikeren 13 (1917).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from twin.models.arguments import number, vector, whole

Array = np.ndarray[Any, Any]

_LEAST_SPARE = 1e-12
"""Part of the capacity that must be left: with less, what is left is rounding, and so is the length of the line."""


@dataclass(frozen=True)
class WaitingLine:
    """What M/M/c with an endless waiting line does in the long run.

    wait_probability  share of arrivals that wait at all
    mean_wait         s, over all arrivals
    mean_queue        customers waiting
    utilisation       share of time a server is busy
    decay             1/s; those who wait, wait exponentially with this rate
    """

    wait_probability: float
    mean_wait: float
    mean_queue: float
    utilisation: float
    decay: float

    def answered_within(self, seconds: float) -> float:
        """Return the share of arrivals whose wait is at most so many seconds."""
        within = number("seconds", seconds)
        return 1.0 - self.wait_probability * math.exp(-self.decay * within)


def erlang_b(load: float, servers: int) -> float:
    """Return the share of arrivals lost when all servers are busy and nobody waits.

    It holds for every distribution of service with the same mean (M/G/c/c):
    Sevastyanov, Theory of Probability and its Applications 2 (1957). The recursion
    B(k) = a B(k-1) / (k + a B(k-1)) has no differences and stays within 0..1, so it
    is exact to rounding for thousands of servers. Source: Jagerman, Some properties
    of the Erlang loss function, Bell System Technical Journal 53 (1974).

    >>> round(erlang_b(5, 8), 10)
    0.0700478522
    """
    load = number("load", load)
    lost = 1.0
    for k in range(1, whole("servers", servers, 0) + 1):
        lost = load * lost / (k + load * lost)
    return lost


def erlang_c(load: float, servers: int) -> float:
    """Return the share of arrivals that wait when the line has no end (M/M/c).

    From Erlang B: C = c B / (c - a (1 - B)). A load of c or more has no steady
    state and is an error; with patience that ends see `erlang_a`.

    >>> round(erlang_c(2, 3), 10)
    0.4444444444
    """
    load, servers = number("load", load), whole("servers", servers)
    if servers - load <= _LEAST_SPARE * servers:
        raise ValueError(
            f"load ({load:g}) must be less than servers ({servers}): the line would grow for ever; "
            f"the least number of servers is {math.floor(load * (1.0 + 2.0 * _LEAST_SPARE)) + 1}"
        )
    lost = erlang_b(load, servers)
    return servers * lost / (servers - load * (1.0 - lost))


def waiting_line(arrival: float, service: float, servers: int) -> WaitingLine:
    """Describe M/M/c, first come first served.

    arrival, service  1/s, arrivals in all and completions of one busy server
    """
    arrival, service = number("arrival", arrival), number("service", service, open_low=True)
    decay = spare_rate(arrival, whole("servers", servers) * service)
    waits = erlang_c(arrival / service, servers)
    return WaitingLine(waits, waits / decay, arrival * waits / decay, arrival / (servers * service), decay)


def spare_rate(arrival: float, capacity: float) -> float:
    """Return the rate (1/s) at which a full system can still shorten its line.

    arrival, capacity  1/s, all arrivals and completions of all servers

    Raises ValueError where less than 1e-12 of the capacity is left: the line would grow for ever.
    """
    spare = capacity - arrival
    if spare <= _LEAST_SPARE * capacity:
        raise ValueError(
            f"arrival in all ({arrival:g}/s) must be less than service in all ({capacity:g}/s), "
            "or the line grows for ever; add servers, or see erlang_a for callers who lose patience"
        )
    return spare


def loss_states(load: float, servers: int) -> Array:
    """Return the probability that 0, 1, ... c servers are busy in M/G/c/c; (c + 1,).

    A Poisson distribution cut off at c, whatever the distribution of service. It is
    built outward from its mode, so that nothing overflows.
    """
    load, servers = number("load", load), whole("servers", servers, 0)
    return level_probabilities(np.full(servers, load), np.arange(1.0, servers + 1))


def level_probabilities(births: Any, deaths: Any) -> Array:
    """Return the steady state of a birth-death chain; (n + 1,).

    births  (n,)  rate from k to k + 1, k = 0 .. n - 1
    deaths  (n,)  rate from k + 1 to k, > 0

    Products of ratios are taken in logarithms, so chains of any length and load are
    safe; the relative error is about 1e-16 times the largest logarithm.
    """
    births = vector("births", births)
    deaths = vector("deaths", deaths, births.shape[0], open_low=True)
    with np.errstate(divide="ignore"):
        logs = np.concatenate([[0.0], np.cumsum(np.log(births) - np.log(deaths))])
    weight = np.exp(logs - logs.max())
    return np.asarray(weight / weight.sum())


def servers_for(load: float, limit: float, *, waiting: bool = False) -> int:
    """Return the least number of servers that keep the lost share within a limit.

    load     erlang
    limit    share of arrivals, greater than 0
    waiting  the share that waits (Erlang C) in place of the share lost (Erlang B)
    """
    load, limit = number("load", load), number("limit", limit, 0.0, 1.0, open_low=True)
    lost, count = 1.0, 0
    while True:
        share = lost
        if waiting:
            share = count * lost / (count - load * (1.0 - lost)) if count > load else 1.0
        if share <= limit:
            return count
        count += 1
        lost = load * lost / (count + load * lost)
