"""Read the rule-based controls of an .inp file into tables.

    water_rules      id, priority, first_premise, premises, first_action, actions, first_else, elses
    water_premises   either (bool: joined by OR), variable, node, link, relation, value (SI), tolerance (SI),
                     state (0 closed, 1 open, -1 for a number)
    water_actions    link, status (-1 when only a setting is given), setting (SI, NaN for none), tolerance (SI)

Codes are those of `twin.kernels.water_rules`. EPANET compares in the units of the file with a tolerance
of 0.001, so each premise carries that tolerance in SI.

Source: EPANET 2.2 Users Manual, appendix C, [RULES]; rules.c.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from twin.kernels import water_codes as codes
from twin.models.water.backend import CLOSED, OPEN
from twin.models.water.inp_controls import seconds, status_and_setting

if TYPE_CHECKING:
    from twin.models.water.inp import Reading

_VARIABLES = {
    "DEMAND": codes.DEMAND,
    "HEAD": codes.HEAD,
    "GRADE": codes.HEAD,
    "LEVEL": codes.LEVEL,
    "PRESSURE": codes.LEVEL,
    "FLOW": codes.FLOW,
    "STATUS": codes.STATUS,
    "SETTING": codes.SETTING,
    "TIME": codes.TIME,
    "CLOCKTIME": codes.CLOCK,
    "FILLTIME": codes.FILL_TIME,
    "DRAINTIME": codes.DRAIN_TIME,
}
_RELATIONS = {
    "=": codes.EQUAL,
    "IS": codes.EQUAL,
    "<>": codes.UNEQUAL,
    "NOT": codes.UNEQUAL,
    "<": codes.BELOW,
    "BELOW": codes.BELOW,
    "<=": codes.AT_MOST,
    ">": codes.ABOVE,
    "ABOVE": codes.ABOVE,
    ">=": codes.AT_LEAST,
}
_NODES = ("NODE", "JUNC", "JUNCTION", "RESERV", "RESERVOIR", "TANK")
_TOLERANCE = 1e-3
_FEET = 0.3048
_PREMISE = {
    "either": np.bool_,
    "variable": np.int8,
    "node": np.int32,
    "link": np.int32,
    "relation": np.int8,
    "value": np.float64,
    "tolerance": np.float64,
    "state": np.int8,
}
_ACTION = {"link": np.int32, "status": np.int8, "setting": np.float64, "tolerance": np.float64}
_RULE = ("first_premise", "premises", "first_action", "actions", "first_else", "elses")


def rule_tables(reading: Reading) -> dict[str, dict[str, np.ndarray[Any, Any]]]:
    """Return the three tables; a rule the twin cannot express is left out whole and counted."""
    names, priorities, spans = [], [], []
    premises: list[dict[str, Any]] = []
    actions: list[dict[str, Any]] = []
    for clauses in _rules(reading.sections["RULES"]):
        name = clauses[0][1] if len(clauses[0]) > 1 else "?"
        try:
            read = _rule(reading, clauses[1:])
        except (IndexError, ValueError, KeyError) as error:
            reading.leave_out(f"rule {name} left out: {error}")
            continue
        names.append(name)
        priorities.append(read["priority"])
        then, other = read["then"][::-1], read["else"][::-1]
        first = len(actions)
        spans.append((len(premises), len(read["if"]), first, len(then), first + len(then), len(other)))
        premises += read["if"]
        actions += [*then, *other]
    columns = np.array(spans, dtype=np.int32).reshape(-1, 6).T
    rules = {"id": np.array(names or np.zeros(0, "U1"), np.str_), "priority": np.array(priorities, np.float64)}
    return {
        "water_rules": rules | dict(zip(_RULE, columns, strict=True)),
        "water_premises": {k: np.array([p[k] for p in premises], dtype=t) for k, t in _PREMISE.items()},
        "water_actions": {k: np.array([a[k] for a in actions], dtype=t) for k, t in _ACTION.items()},
    }


def _rules(lines: list[list[str]]) -> list[list[list[str]]]:
    """Split the section into rules, each a list of clauses of words."""
    rules: list[list[list[str]]] = []
    for words in lines:
        if words[0].upper() == "RULE":
            rules.append([words])
        elif rules:
            rules[-1].append(words)
    return rules


def _rule(reading: Reading, clauses: list[list[str]]) -> dict[str, Any]:
    """Read the clauses of one rule."""
    read: dict[str, Any] = {"if": [], "then": [], "else": [], "priority": 0.0}
    part = ""
    for words in clauses:
        key = words[0].upper()
        part = {"IF": "if", "THEN": "then", "ELSE": "else"}.get(key, part)
        if key == "PRIORITY":
            read["priority"] = float(words[1])
        elif part == "if":
            read["if"].append(_premise(reading, words))
        elif part in ("then", "else"):
            read[part].append(_action(reading, words))
        else:
            raise ValueError(f"a rule begins with IF, not {words[0]!r}")
    if not (read["if"] and read["then"]):
        raise ValueError("it needs an IF and a THEN clause")
    return read


def _premise(reading: Reading, words: list[str]) -> dict[str, Any]:
    """Read `IF/AND/OR object id variable relation value` or `... SYSTEM variable relation value`."""
    system = words[1].upper() == "SYSTEM"
    rest = words[2:] if system else words[3:]
    variable, relation = _VARIABLES[rest[0].upper()], _RELATIONS[rest[1].upper()]
    node = link = -1
    if not system and words[1].upper() in _NODES:
        node = reading.nodes[words[2]]
    elif not system:
        link = reading.links[words[2]]
    state, value, scale = -1, 0.0, 1.0
    if rest[2].upper() in ("OPEN", "CLOSED"):
        state = OPEN if rest[2].upper() == "OPEN" else CLOSED
    elif rest[2].upper() == "ACTIVE":
        raise ValueError("whether a valve is ACTIVE is known to EPANET only")
    elif variable in (codes.TIME, codes.CLOCK):
        value = seconds(rest[2], rest[3] if len(rest) > 3 else "")
    else:
        scale = _scale(reading, variable, rest[0].upper(), link)
        value = float(rest[2]) * scale
    return {
        "either": words[0].upper() == "OR",
        "variable": variable,
        "node": node,
        "link": link,
        "relation": relation,
        "value": value,
        "tolerance": _TOLERANCE if variable in (codes.FILL_TIME, codes.DRAIN_TIME) else _TOLERANCE * scale,
        "state": state,
    }


def _scale(reading: Reading, variable: int, word: str, link: int) -> float:
    """Return what one unit of a premise's number is in SI."""
    units = reading.units
    if variable in (codes.DEMAND, codes.FLOW):
        return units.flow
    if variable in (codes.FILL_TIME, codes.DRAIN_TIME):
        return 3600.0
    if variable == codes.SETTING:
        kind = list(reading.kinds.values())[link]
        scales = {"PRV": units.pressure, "PSV": units.pressure, "PBV": units.pressure, "FCV": units.flow}
        return scales.get(kind, 1.0)
    return units.pressure if word == "PRESSURE" else units.length


def _action(reading: Reading, words: list[str]) -> dict[str, Any]:
    """Read `THEN/ELSE/AND object id STATUS/SETTING IS value`."""
    kind = reading.kinds[words[2]]
    if kind == "cv":
        raise ValueError(f"{words[2]} has a check valve and cannot be controlled")
    status, setting = status_and_setting(words[5], kind, reading.units)
    given = words[5].upper() not in ("OPEN", "CLOSED") and kind != "pipe"
    internal = {"PRV": _FEET, "PSV": _FEET, "PBV": _FEET, "FCV": _FEET**3}.get(kind, 1.0)
    return {
        "link": reading.links[words[2]],
        "status": -1 if given else status,
        "setting": setting if given else np.nan,
        "tolerance": _TOLERANCE * internal,
    }
