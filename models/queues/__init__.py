"""Exact models of queues: what a simulation of calls, call-takers or ambulances must agree with."""

from twin.models.queues.abandonment import CallCentre, erlang_a
from twin.models.queues.erlang import WaitingLine, erlang_b, erlang_c, loss_states, servers_for, waiting_line
from twin.models.queues.hypercube_model import Hypercube, hypercube, hypercube_approximation

__all__ = [
    "CallCentre",
    "Hypercube",
    "WaitingLine",
    "erlang_a",
    "erlang_b",
    "erlang_c",
    "hypercube",
    "hypercube_approximation",
    "loss_states",
    "servers_for",
    "waiting_line",
]
