"""Let policies decide, and turn what they say into orders."""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

from twin.calendar import Plan
from twin.contract import EVENT, Command
from twin.errors import ContractError, TwinError
from twin.view import Observation

if TYPE_CHECKING:
    from twin.engine import Engine


def decide(engine: Engine, number: int, cause: int) -> None:
    """Let a policy decide now; its orders act after the communication delay and what a model that carries them adds.

    Orders that make no sense are logged.

    number  of the policy in the assembly
    cause   id of the event that woke it, -1 for a timer
    Raises ContractError for what is no list of orders, TwinError for an order the policy does not declare.
    """
    policy = engine.assembly.policies[number]
    observation = Observation(engine, policy, tuple(engine.assembly.readable[policy.name]), cause)
    commands = engine.guard(policy, "decide", observation)
    if not isinstance(commands, list | tuple) or not all(_is_order(command) for command in commands):
        told = repr(commands)[:80]
        raise ContractError(f"policy {policy.name!r} must return a list of commands with numbers, not {told}")
    for command in commands:
        if command.kind not in policy.commands:
            raise TwinError(f"policy {policy.name!r} orders {command.kind!r} but does not declare it in commands")
        give(engine, command, [cause] if cause >= 0 else [])


def give(engine: Engine, command: Command, parents: list[int]) -> None:
    """Log an order and send it on its way; one that makes no sense is only logged.

    parents  events behind it
    """
    refused = not _makes_sense(engine, command)
    kind = "order_refused" if refused else f"order.{command.kind}"
    order = engine.emit(kind, command.target, command.value, command.data, parents)
    if not refused:
        delay, behind = _carried(engine, command, order)
        plan = Plan(command.kind, EVENT, int(command.target), float(command.value), int(command.data), behind)
        engine.add_row(delay, plan)


def _carried(engine: Engine, command: Command, order: int) -> tuple[int, int]:
    """Return how long an order is on its way, us, and the event it acts for: itself, or what held it up."""
    delay = engine.assembly.setup.command_delay
    for carrier in engine.assembly.carriers:
        view = engine.view(carrier.name, order)
        delay += engine.guard(carrier, "carry", view, _table(engine, command), int(command.target))
        order = view.cause_id
    return delay, order


def _table(engine: Engine, command: Command) -> str:
    """Return the table whose row an order is about, "" for none."""
    declared = engine.assembly.event_kinds.get(command.kind)
    return declared.table(int(command.data)) if declared else ""


def _makes_sense(engine: Engine, command: Command) -> bool:
    """Tell whether an order names a row that exists and a finite value."""
    rows = engine.assembly.target_rows(_table(engine, command), engine.state.layout.rows)
    return math.isfinite(command.value) and (rows < 0 or 0 <= command.target < rows)


def _is_order(command: Any) -> bool:
    """Tell whether a policy's answer is an order whose target and data are integers and whose value is a number."""
    return isinstance(command, Command) and all(
        isinstance(value, Integral if name != "value" else Real)
        for name, value in (("target", command.target), ("value", command.value), ("data", command.data))
    )
