"""Policies of dispatch and relocation as numbers and tables of the kernel `standstill`."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.contract import NEVER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twin.contract import Policy
    from twin.kernels.standstill_arrays import Moves, Rule, Work
    from twin.world import World

Array = np.ndarray[Any, Any]


def is_compiled(policy: Policy) -> bool:
    """Tell whether the kernel has the rule of a policy; a class derived from one is another rule."""
    if any(callable(getattr(type(policy), name, None)) for name in vars(policy)):
        return False  # a method was replaced on this one object
    return type(policy) in _dispatch_rules() or (type(policy) in _relocation_rules() and policy.every >= NEVER)


def rule_of(policy: Any) -> Rule:
    """Return the rule of a policy of dispatch."""
    from twin.kernels.standstill_arrays import Rule

    number, fill = _dispatch_rules()[type(policy)]
    empty, none = np.zeros((0, 0), np.int64), np.zeros(0, np.int64)
    parts: dict[str, Any] = {
        "covered": np.zeros((0, 0), np.bool_),
        "population": np.zeros(0),
        "busy": 0.0,
        "preparation": 0.0,
        "target": 0.0,
        "rank": empty,
        "zone": none,
        "group": none,
        "column": none,
        "member": empty,
        "table": np.zeros((0, 0, 0), np.int64),
        "handover": 0.0,
        "sooner": 0.0,
    }
    return Rule(number, **{**parts, **fill(policy)})


def _nothing(policy: Any) -> dict[str, Any]:
    """Return no table: the rule needs none of its own."""
    return {}


def _dmexclp(policy: Any) -> dict[str, Any]:
    numbers = {name: float(getattr(policy, name)) for name in ("busy", "preparation", "target")}
    return {"covered": np.ascontiguousarray(policy.covered), "population": policy.demand, **numbers}


def _districts(policy: Any) -> dict[str, Any]:
    return {"rank": np.ascontiguousarray(policy.rank, np.int64)}


def _decision_table(policy: Any) -> dict[str, Any]:
    """Lay the tables of all groups in one, as deep and wide as the largest."""
    groups = policy.groups
    most = max(members.shape[0] for members, _, _ in groups)
    width = max(table.unit.shape[1] for _, _, table in groups)
    member = np.full((len(groups), most), -1, np.int64)
    table = np.full((len(groups), 1 << most, width), -1, np.int64)
    column = np.zeros(policy.group_of.shape[0], np.int64)
    for number, (members, zones, solved) in enumerate(groups):
        member[number, : members.shape[0]] = members
        table[number, : solved.unit.shape[0], : solved.unit.shape[1]] = solved.unit
        column[zones] = np.arange(zones.shape[0])
    return {
        "preparation": float(policy.means.prepare),
        "target": float(policy.means.target),
        "zone": np.asarray(policy.zone_of, np.int64),
        "group": np.asarray(policy.group_of, np.int64),
        "column": column,
        "member": member,
        "table": table,
    }


def _hospitals(policy: Any) -> dict[str, Any]:
    return {"handover": policy.handover, "sooner": policy.sooner}


def moves_of(policies: Sequence[Policy], world: World) -> Moves:
    """Return the rule of relocation of the policies of a branch, in the order in which they decide.

    world  whose units are placed
    """
    from twin.kernels.standstill_arrays import STAY, Moves
    from twin.models.emergency.service_kinds import bits

    roles = [policy.role for policy in policies]
    policy: Any = next((policy for policy in policies if policy.role == "relocation"), None)
    number, fill = _relocation_rules()[type(policy)] if policy is not None else (STAY, _nothing)
    parts: dict[str, Any] = {
        "on_sent": 0,
        "first": 0,
        "covered": np.zeros((0, 0), np.bool_),
        "demand": np.zeros(0),
        "busy": 0.0,
        "listed": np.zeros(0, np.int64),
        "table": np.zeros((0, 0), np.int64),
        "drive": np.zeros((0, 0)),
        "carries": world.state["unit.can"] & bits("carry") > 0,
    }
    if number != STAY:
        parts["on_sent"] = int("unit_dispatched" in policy.on)
        parts["first"] = int(roles.index("relocation") < roles.index("dispatch"))
        parts.update(covered=np.ascontiguousarray(policy.covered), demand=policy.demand, busy=float(policy.busy))
    return Moves(number, **{**parts, **fill(policy)})


def _priority_list(policy: Any) -> dict[str, Any]:
    return {"listed": np.array(policy.listed, np.int64)}


def _compliance_table(policy: Any) -> dict[str, Any]:
    rows = len(policy.table)
    table = np.zeros((rows, rows), np.int64)
    for row, stations in enumerate(policy.table):
        table[row, : row + 1] = stations
    return {"table": table, "drive": np.ascontiguousarray(policy.drive)}


def work_of(units: int, stations: int) -> Work:
    """Return the memory of decisions on relocation."""
    from twin.kernels.standstill_arrays import Work

    return Work(
        np.zeros(stations, np.int64),
        np.zeros(stations),
        np.zeros((units, units)),
        np.zeros((3, units)),
        np.zeros((5, units), np.int64),
    )


@cache
def _dispatch_rules() -> dict[type, Any]:
    """Return the kernel's number and tables of each class of policies of dispatch."""
    from twin.kernels import standstill_arrays as kernel
    from twin.models.policies import dispatch
    from twin.models.policies.dispatch_hospital import HospitalAware
    from twin.models.policies.dispatch_lists import Districts
    from twin.models.policies.dispatch_mdp import MdpHeuristic

    return {
        dispatch.ClosestIdle: (kernel.CLOSEST, _nothing),
        dispatch.Dmexclp: (kernel.LEAST_LOSS, _dmexclp),
        Districts: (kernel.LISTED, _districts),
        MdpHeuristic: (kernel.TABLE, _decision_table),
        HospitalAware: (kernel.AWARE, _hospitals),
    }


@cache
def _relocation_rules() -> dict[type, Any]:
    """Return the kernel's number and tables of each class of policies of relocation."""
    from twin.kernels import standstill_arrays as kernel
    from twin.models.policies import moveup

    return {
        moveup.Static: (kernel.STAY, _nothing),
        moveup.DmexclpRelocation: (kernel.MOST_GAIN, _nothing),
        moveup.PriorityList: (kernel.FILL_LIST, _priority_list),
        moveup.ComplianceTable: (kernel.COMPLY, _compliance_table),
    }
