"""The simulated call centre against the Erlang A model, with batch means for the standard error."""

from __future__ import annotations

import numpy as np
import pytest

from tests.models.emergency.service_world import service
from twin.contract import SECOND
from twin.models.emergency.tables import ABANDONED
from twin.models.queues import erlang_a

DAYS, FACTOR, BATCHES = 3, 100.0, 24
TALK = 60.0


def simulated(takers, patience, seed):
    """Return share abandoned, share answered within 20 s and mean wait (s) in each batch of calls."""
    options = {
        "calls_factor": FACTOR,
        "call_takers": takers,
        "patience": patience,
        "talk_law": "exponential",
        "patience_law": "exponential",
        "track": 1e6,
    }
    world = service(duration=DAYS * 86_400, seed=seed, dispatch=False, **options).run()
    assert world.check() == []
    ended = (world.state["call.answered"] >= 0) | (world.state["call.stage"] == ABANDONED)
    left = np.where(world.state["call.answered"] >= 0, world.state["call.answered"], world.state["call.closed"])
    wait = ((left - world.state["call.rung"]) / SECOND)[ended]
    lost = (world.state["call.stage"] == ABANDONED)[ended]
    parts = np.array_split(np.arange(wait.size), BATCHES)
    return np.array([[lost[p].mean(), (~lost[p] & (wait[p] <= 20.0)).mean(), wait[p].mean()] for p in parts])


@pytest.mark.parametrize(("takers", "patience", "seed"), [(2, 60.0, 3), (1, 120.0, 4)])
def test_the_call_centre_matches_erlang_a(takers, patience, seed):
    found = simulated(takers, patience, seed)
    exact = erlang_a(24.0 * FACTOR / 86_400, 1.0 / TALK, 1.0 / patience, takers)
    wanted = [exact.abandon_probability, exact.answered_within(20.0), exact.mean_wait]
    error = found.std(axis=0, ddof=1) / np.sqrt(BATCHES)
    assert np.all(error < [0.02, 0.02, 2.0])
    assert np.all(np.abs(found.mean(axis=0) - wanted) < 3 * error), (found.mean(axis=0), wanted, error)
