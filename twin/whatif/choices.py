"""What is to be tried: policies by name with options, as objects, or several roles at once."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Any

from twin import units
from twin.assembly import Assembly
from twin.contract import Option, Policy
from twin.errors import ContractError, DataError

_WORD = re.compile(r"\s*([A-Za-z_]\w*)\s*(?:\((.*)\))?\s*", re.DOTALL)
_YES, _NO = {"yes", "true", "on"}, {"no", "false", "off"}

Spec = str | Policy | type[Policy] | tuple[str, Mapping[str, Any]]
"""A policy to try: "dmexclp", "dmexclp(busy_fraction=0.4)+actuated", (name, options), an object or a class."""


@dataclass(frozen=True)
class Choice:
    """Policies that take over together, set up and ready.

    label     as it was asked for
    policies  one per role that changes; none for the present policies
    options   policy name -> option -> SI value
    rows      rows of the tables the policies own
    """

    label: str
    policies: tuple[Policy, ...] = ()
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    rows: Mapping[str, int] = field(default_factory=dict)


def read_choices(specs: Sequence[Spec], assembly: Assembly) -> list[Choice]:
    """Return what each specification names; of several objects of one name, and of the present one, each has a number.

    Raises as `read_choice`.
    """
    asked = [read_choice(spec, assembly) for spec in specs]
    new = [isinstance(spec, Policy) and sum(spec is one for one in specs) == 1 for spec in specs]
    taken = {present_label(assembly, asked), *(c.label for c, numbered in zip(asked, new, strict=True) if not numbered)}
    return [_numbered(c, taken) if numbered and c.policies else c for c, numbered in zip(asked, new, strict=True)]


def _numbered(choice: Choice, taken: set[str]) -> Choice:
    label, number = choice.label, 1
    while label in taken:
        number += 1
        label = f"{choice.label} #{number}"
    taken.add(label)
    return replace(choice, label=label)


def refuse_idle(choices: Sequence[Choice], assembly: Assembly, frozen: Collection[str]) -> None:
    """Raise DataError naming a choice that could only order models that stand still."""
    for choice in choices:
        orders = {order for policy in choice.policies for order in policy.commands if order in assembly.handler}
        ordered = {assembly.handler[order].name for order in orders}
        if ordered and ordered <= set(frozen):
            raise DataError(f"{choice.label} orders {', '.join(sorted(ordered))} only, which would stand still")


def read_choice(spec: Spec, assembly: Assembly) -> Choice:
    """Return the policies a specification names, set up on the city of an assembly.

    A policy that is there already, with the same options, is left as it is, so it goes on as if
    nothing had been asked; another object of its class begins anew.
    Raises ContractError or DataError naming what is unknown and what is nearest.
    """
    label, named = _named(spec)
    roles: dict[str, str] = {}
    policies, options, rows = [], {}, {}
    for policy, given in named:
        if policy.role in roles:
            raise DataError(f"{label}: {roles[policy.role]} and {policy.name} both decide about {policy.role}")
        roles[policy.role] = policy.name
        _refuse_clash(policy, assembly)
        _refuse_lacking(policy, assembly)
        full = read_options(policy, given, assembly)
        if policy in assembly.policies or (policy is not spec and _is_present(policy, full, assembly)):
            continue
        setup = replace(assembly.setup, options=full)
        rows.update(policy.setup(setup) or {})
        policies.append(policy)
        options[policy.name] = full
    return Choice(label, tuple(policies), options, rows)


def present_label(assembly: Assembly, choices: Sequence[Choice]) -> str:
    """Name the present policies of the roles that any choice changes."""
    roles = {policy.role for choice in choices for policy in choice.policies}
    names = [policy.name for policy in assembly.policies if policy.role in roles]
    return "+".join(names) or "present"


def split(text: str) -> list[str]:
    """Split a list of specifications at the commas outside brackets.

    >>> split("closest_idle, dmexclp(busy_fraction=0.3,preparation=60)")
    ['closest_idle', 'dmexclp(busy_fraction=0.3,preparation=60)']
    """
    return [part.strip() for part in _cut(text, ",") if part.strip()]


def _cut(text: str, at: str) -> list[str]:
    parts, depth, begin = [], 0, 0
    for place, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if letter == at and depth == 0:
            parts.append(text[begin:place])
            begin = place + 1
    if depth:
        raise DataError(f"brackets do not close in {text!r}")
    return [*parts, text[begin:]]


def _named(spec: Spec) -> tuple[str, list[tuple[Policy, Mapping[str, Any]]]]:
    """Return the label and the new policies of a specification, with the options given."""
    if isinstance(spec, str):
        return spec.strip(), [_one(part) for part in _cut(spec, "+")]
    if isinstance(spec, tuple):
        name, given = spec
        told = ", ".join(f"{key}={value}" for key, value in given.items())
        return f"{name}({told})" if told else name, [(_policy(name), given)]
    policy = spec() if isinstance(spec, type) else spec
    if not isinstance(policy, Policy):
        raise ContractError(f"{spec!r} is no policy: give a name, (name, options), a Policy or its class")
    return policy.name, [(policy, {})]


def _one(text: str) -> tuple[Policy, Mapping[str, Any]]:
    found = _WORD.fullmatch(text)
    if found is None:
        raise DataError(f"{text.strip()!r} is no policy; write a name, or name(option=value, ...)")
    given = {}
    for pair in split(found[2] or ""):
        name, equals, value = pair.partition("=")
        if not equals:
            raise DataError(f"{pair!r} in {text.strip()!r} must be option=value")
        given[name.strip()] = value.strip()
    return _policy(found[1]), given


def _policy(name: str) -> Policy:
    from twin import registry

    made = registry.get("policy", name)()
    assert isinstance(made, Policy)
    return made


def _refuse_clash(policy: Policy, assembly: Assembly) -> None:
    """Raise when the world has a part of that name which the policy would not replace."""
    here = [other for other in assembly.policies if other.role == policy.role]
    if len(here) > 1:
        raise DataError(f"{len(here)} policies decide about {policy.role} here: {', '.join(p.name for p in here)}")
    other = assembly.by_name.get(policy.name)
    if other is not None and other not in here:
        raise ContractError(f"this world has a part called {policy.name!r} already, which is no {policy.role} policy")


def _refuse_lacking(policy: Policy, assembly: Assembly) -> None:
    """Raise DataError naming the tables and fields that a policy requires and the city or the run does not have."""
    own = {field.name for field in policy.owns}
    known = {name for name in policy.requires if name in assembly.fields or name in own or assembly.city.rows(name)}
    lacking = [name for name in policy.requires if name not in known]
    if lacking:
        raise DataError(f"{policy.name} needs {', '.join(lacking)}, which this run of {assembly.city.name} lacks")


def _is_present(policy: Policy, options: Mapping[str, Any], assembly: Assembly) -> bool:
    here = assembly.by_name.get(policy.name)
    return type(here) is type(policy) and dict(assembly.options[policy.name]) == dict(options)


def read_options(policy: Policy, given: Mapping[str, Any], assembly: Assembly) -> dict[str, Any]:
    """Return all options of a policy: those given, then those of the world's own policy of that name, then defaults."""
    known = {option.name: option for option in policy.options}
    unknown = sorted(set(given) - set(known))
    if unknown:
        near = get_close_matches(unknown[0], known, 1, 0.4)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise DataError(f"{policy.name} has no option {unknown[0]!r} (it has {', '.join(known) or 'none'}){hint}")
    full = {}
    for name, option in known.items():
        own = option.given_by(assembly.city)
        full[name] = option.default if own is None else own
    full.update({k: v for k, v in assembly.options.get(policy.name, {}).items() if k in known})
    full.update({name: _value(policy.name, known[name], value) for name, value in given.items()})
    missing = [name for name, value in full.items() if value is None]
    if missing:
        raise DataError(f"{policy.name} needs option {missing[0]}: {known[missing[0]].meaning}")
    return full


def _value(policy: str, option: Option, value: Any) -> Any:
    """Return the SI value of an option from a text or a plain value."""
    told = f"{policy}: {option.name} ({value})"
    try:
        found = _read(option, value)
    except (ValueError, units.QuantityError) as error:
        raise DataError(f"{told} is not understood: {error}") from error
    if option.choices and found not in option.choices:
        raise DataError(f"{told} must be one of {', '.join(option.choices)}")
    if isinstance(found, int | float) and not isinstance(found, bool):
        if not math.isfinite(found):
            raise DataError(f"{told} must be a finite number")
        if option.low is not None and found < option.low:
            raise DataError(f"{told} must be at least {option.low:g}")
        if option.high is not None and found > option.high:
            raise DataError(f"{told} must be at most {option.high:g}")
    return found


def _read(option: Option, value: Any) -> Any:
    if option.kind == "integer":
        return int(value)
    if option.kind in {"number", "quantity"}:
        return float(value) if _is_bare(value) else units.parse(value, option.unit)
    if option.kind == "flag" and isinstance(value, str):
        if value.lower() not in _YES | _NO:
            raise ValueError("write yes or no")
        return value.lower() in _YES
    return value


def _is_bare(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True
