"""The simulated call centre against the Erlang A model, with batch means for the standard error."""

from __future__ import annotations

import numpy as np
import pytest

from tests.models.emergency.service_world import service
from twin.contract import SECOND
from twin.models.emergency.tables import ABANDONED
from twin.models.queues import erlang_a

FACTOR, BATCHES = 100.0, 24
TALK, SOON = 60.0, 20.0


def simulated(takers, patience, seed, days):
    """Return share abandoned, share answered within 20 s and mean wait (s) in each batch of calls."""
    options = {
        "calls_factor": FACTOR,
        "call_takers": takers,
        "patience": patience,
        "talk_law": "exponential",
        "patience_law": "exponential",
        "track": 1e6,
    }
    world = service(duration=days * 86_400, seed=seed, dispatch=False, **options).run()
    assert world.check() == []
    ended = (world.state["call.answered"] >= 0) | (world.state["call.stage"] == ABANDONED)
    left = np.where(world.state["call.answered"] >= 0, world.state["call.answered"], world.state["call.closed"])
    wait = ((left - world.state["call.rung"]) / SECOND)[ended]
    lost = (world.state["call.stage"] == ABANDONED)[ended]
    parts = np.array_split(np.arange(wait.size), BATCHES)
    return np.array([[lost[p].mean(), (~lost[p] & (wait[p] <= SOON)).mean(), wait[p].mean()] for p in parts])


def exact(takers, patience, factor):
    """Return what `simulated` estimates, for so many times the city's 24 calls a day."""
    centre = erlang_a(24.0 * factor / 86_400, 1.0 / TALK, 1.0 / patience, takers)
    return np.array([centre.abandon_probability, centre.answered_within(SOON), centre.mean_wait])


@pytest.mark.parametrize(("days", "seen"), [(3, 0.15), pytest.param(20, 0.06, marks=pytest.mark.slow)])
@pytest.mark.parametrize(("takers", "patience", "seed"), [(2, 60.0, 3), (1, 120.0, 4)])
def test_the_call_centre_matches_erlang_a(takers, patience, seed, days, seen):
    found = simulated(takers, patience, seed, days)
    wanted = exact(takers, patience, FACTOR)
    error = found.std(axis=0, ddof=1) / np.sqrt(BATCHES)
    gap = found.mean(axis=0) - wanted
    print(f"{days * 24} h: lost, answered soon, wait: {wanted.round(4)}, gaps {gap.round(4)}, in errors {gap / error}")
    assert np.all(3 * error < np.abs(exact(takers, patience, (1 + seen) * FACTOR) - wanted))
    assert np.all(np.abs(gap) < 3 * error)
