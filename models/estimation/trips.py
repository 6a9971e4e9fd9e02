"""Estimate a trip table from the counts of the training half.

The prior is a gravity table between homes and work places (in the morning 80 %
of the trips go to work, as in `twin.models.demand`), with a share of all trip
ends at the gateways. Each zone gets a factor as origin and one as destination
such that the flows fit the counts, by expectation and maximisation for Poisson counts
(Shepp and Vardi 1982, IEEE Trans. Med. Imaging 1), with a gamma prior
of mean 1 worth a number of vehicles, so that zones no counter sees stay as they
are (maximum a posteriori: Lange, Bahn and Little 1987, same journal 6). The
share of gateways and the worth of the prior are chosen by cross-validation
within the training half: the other half is not touched.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.models.demand import gravity
from twin.models.estimation.gateways import gateway_capacity

if TYPE_CHECKING:
    from twin.city import City
    from twin.models.estimation.usage import Usage

Array = np.ndarray[Any, Any]

GATEWAY_SHARES = (0.0, 0.3, 0.5, 0.7)
WORTHS = (10_000.0, 3_000.0, 1_000.0)

_FOLDS = 6
_ROUNDS = 15
_TO_WORK = 0.8


@dataclass(frozen=True)
class TripFit:
    """A trip table that fits counts.

    table          (n_zone, n_zone)  trips of the counted hours by origin and destination zone
    gateway_share  share of trip ends at gateways in the prior
    worth          vehicles the prior of each factor is worth
    error          cross-validated sum of |flow - count| / sum of counts within the training half
    """

    table: Array
    gateway_share: float
    worth: float
    error: float


def fit_trips(city: City, seen: Usage, passages: Array, count: Array) -> TripFit:
    """Return the trip table that fits counts best, by cross-validation.

    passages  (n_counter, n_zone * n_zone)  passages of a trip, training counters only
    count     (n_counter,)                  vehicles in the counted hours
    """
    shares = GATEWAY_SHARES if gateway_capacity(city).any() else GATEWAY_SHARES[:1]
    priors = {share: prior_table(city, seen.cost, share) for share in shares}
    tried = [
        (_cross_error(priors[share], passages, count, worth), share, worth)
        for share, worth in itertools.product(shares, WORTHS)
    ]
    error, share, worth = min(tried)
    return TripFit(fit_factors(priors[share], passages, count, worth), share, worth, error)


def prior_table(city: City, cost: Array, gateway_share: float) -> Array:
    """Return a gravity table with a share of the trip ends at gateways; it sums to 1."""
    zones = city["zones"]
    homes, jobs = zones["population"].astype(float), zones["jobs"].astype(float)
    work = jobs + 0.1 * homes
    gates = gateway_capacity(city)
    gates = gates / max(gates.sum(), 1e-300)
    beta = float(city.parameters["demand"]["gravity_beta"])
    table = gravity(
        (1 - gateway_share) * homes / homes.sum() + gateway_share * gates,
        (1 - gateway_share) * work / work.sum() + gateway_share * gates,
        cost,
        beta,
    )
    table = _TO_WORK * table + (1 - _TO_WORK) * table.T
    return np.asarray(table / table.sum())


def fit_factors(prior: Array, passages: Array, count: Array, worth: float, rounds: int = _ROUNDS) -> Array:
    """Return the table scaled by a factor per origin and per destination, so that flows fit counts.

    prior  (n_zone, n_zone), any total
    worth  vehicles the prior of each factor is worth; more keeps factors nearer 1
    """
    n_zone = prior.shape[0]
    flow = passages @ prior.ravel()
    base = prior.ravel() * (count.sum() / max(flow.sum(), 1e-300))
    ends = np.divmod(np.arange(base.size), n_zone)
    factors = [np.ones(n_zone), np.ones(n_zone)]
    for _ in range(rounds):
        for side, zone in enumerate(ends):
            table = base * factors[0][ends[0]] * factors[1][ends[1]]
            flow = passages @ table
            ratio = np.divide(count, flow, out=np.ones_like(flow), where=flow > 0)
            explained = np.bincount(zone, table * (passages.T @ ratio), n_zone)
            expected = np.bincount(zone, table * passages.sum(axis=0), n_zone) / factors[side]
            factors[side] = (explained + worth) / (expected + worth)
    return np.asarray((base * factors[0][ends[0]] * factors[1][ends[1]]).reshape(n_zone, n_zone))


def _cross_error(prior: Array, passages: Array, count: Array, worth: float) -> float:
    """Return the relative error on counters left out of the fit in turn."""
    fold = np.arange(count.size) % min(_FOLDS, count.size)
    missed = 0.0
    for part in range(int(fold.max()) + 1):
        out = fold == part
        table = fit_factors(prior, passages[~out], count[~out], worth)
        missed += float(np.abs(passages[out] @ table.ravel() - count[out]).sum())
    return missed / max(float(count.sum()), 1e-300)
