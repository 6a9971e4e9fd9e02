"""Figures of lost service and of who bears it: exact sums over arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def equitable_service(served: Array, wanted: Array) -> float:
    """Return ECS: the mean over consumers of what share of their demand they get; 1 without any.

    served, wanted  (n,)  same unit; who wants nothing does not count

    Source: InfraRisk (github.com/srijithbalakrishnan/dreaminsg-integrated-model, resilience_metrics.py),
    ratios clipped to 0..1 and averaged.
    """
    asks = wanted > 0
    if not asks.any():
        return 1.0
    return float(np.clip(served[asks] / wanted[asks], 0.0, 1.0).mean())


def prioritised_service(served: Array, wanted: Array) -> float:
    """Return PCS: all demand met, each no more than is wanted, over all demand; 1 without any.

    Source: InfraRisk, as for `equitable_service`: sum of min(served, wanted) over the sum of wanted.
    """
    total = float(np.maximum(wanted, 0.0).sum())
    return float(np.clip(served, 0.0, np.maximum(wanted, 0.0)).sum()) / total if total > 0 else 1.0


def gini(values: Array, weights: Array) -> float:
    """Return the Gini coefficient of a burden over groups: 0 if all bear the same, 0 without any burden.

    values   (n,)  burden per head of each group, 0 or more
    weights  (n,)  heads in each group

    Source: Gini (1912); as twice the area between the Lorenz curve of groups and equality.
    """
    heads = float(weights.sum())
    borne = float((values * weights).sum())
    if heads <= 0 or borne <= 0:
        return 0.0
    order = np.argsort(values, kind="stable")
    share = weights[order] / heads
    lorenz = np.concatenate([[0.0], np.cumsum(values[order] * weights[order]) / borne])
    return float(1.0 - ((lorenz[1:] + lorenz[:-1]) * share).sum())


def worst_part(values: Array, weights: Array, part: float = 0.1) -> float:
    """Return the mean burden per head of the worst-off part of all heads.

    values, weights  as for `gini`
    """
    left = part * float(weights.sum())
    if left <= 0:
        return 0.0
    order = np.argsort(-values, kind="stable")
    before = np.cumsum(weights[order]) - weights[order]
    counted = np.clip(left - before, 0.0, weights[order])
    return float((values[order] * counted).sum()) / left


def by_group(values: Array, weights: Array, group: Array) -> tuple[Array, Array]:
    """Return burden per head and heads of each group; members of group -1 and empty groups are left out."""
    inside = (group >= 0) & (weights > 0)
    size = int(group.max(initial=-1)) + 1
    heads = np.bincount(group[inside], weights[inside], size)
    borne = np.bincount(group[inside], (values * weights)[inside], size)
    there = heads > 0
    return borne[there] / heads[there], heads[there]
