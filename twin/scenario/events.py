"""Read the events of a scenario: when, what, where, how much."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from twin.contract import SECOND, Component, EventKind
from twin.registry import Registry
from twin.scenario import keys
from twin.scenario.case import ScenarioEvent
from twin.scenario.components import Cast, fill
from twin.scenario.problems import Problems, nearest
from twin.scenario.tree import Node
from twin.scenario.values import read_moment
from twin.scenario.where import find_targets
from twin.units import format_duration, format_local

if TYPE_CHECKING:
    from twin.city import City

_OWN_KEYS = {key.name for key in keys.EVENT}


def kinds_of(classes: Mapping[str, type[Component]]) -> dict[str, EventKind]:
    """Return the kinds of event a scenario may contain, by name."""
    found = [kind for component in classes.values() for kind in component.events if kind.scenario]
    return {kind.name: kind for kind in sorted(found, key=lambda kind: kind.name)}


def read_events(
    tree: Node, chosen: Cast, city: City | None, span: tuple[int, int] | None, registry: Registry, problems: Problems
) -> tuple[ScenarioEvent, ...]:
    """Return the events of an arm by time, those of one time as written.

    city  None when it cannot be loaded: then targets and times are not looked at
    span  start (UTC us since 1970) and duration (us) of the run; None when they cannot be read
    """
    node = tree.get("events")
    if node is None or not node.is_list:
        return ()
    kinds = kinds_of(chosen.classes)
    events = []
    for entry in node.value:
        kind = _kind(entry, kinds, registry, problems)
        if kind is not None:
            event = _event(entry, kind, city, span, problems)
            events.append(event)
    return tuple(sorted((event for event in events if event is not None), key=lambda event: event.time))


def _kind(entry: Node, kinds: Mapping[str, EventKind], registry: Registry, problems: Problems) -> EventKind | None:
    name = entry.get("kind")
    if name is None:
        keys.check_keys(entry, keys.EVENT, "an event", problems, entry.value if entry.is_mapping else ())
        return None
    kind = kinds.get(name.word)
    if kind is not None:
        return kind
    owners = _owners(registry)
    text = f"no kind of event is named {name.word!r}"
    close = nearest(name.word, owners)
    if name.word in owners:
        text = f"events of kind {name.word!r} are handled by {owners[name.word]}, which is not part of this run"
    elif close and close not in kinds:
        text += f"; {close!r} is handled by {owners[close]}, which is not part of this run"
    text += "; a new scenario lists all kinds with what they mean"
    problems.add(name.mark, "E134", text, kinds, name.word, "twin new example.yaml")
    return None


def _owners(registry: Registry) -> dict[str, str]:
    """Return who handles each kind of event that a scenario may contain."""
    parts = [(name, found) for kind in ("model", "policy", "feed") for name, found in registry.all(kind).items()]
    return {event: name for name, found in parts for event in kinds_of({name: found})}


def _event(
    entry: Node, kind: EventKind, city: City | None, span: tuple[int, int] | None, problems: Problems
) -> ScenarioEvent | None:
    names = [param.name for param in kind.params]
    before = problems.noted
    keys.check_keys(entry, keys.EVENT, f"event {kind.name}", problems, names)
    given = {name: node for name, node in entry.items() if name in names}
    params, _ = fill(kind.params, given, f"event {kind.name}", entry.mark, problems)
    targets = _targets(entry, kind, city, problems) if city else ()
    time = _time(entry, city, span, problems) if city and span else None
    if problems.noted > before or time is None:
        return None
    if span:
        _lasting(entry, kind, (time, span[1]), params, problems)
    return ScenarioEvent(kind.name, time, targets, params, entry.mark.label)


def _lasting(
    entry: Node, kind: EventKind, times: tuple[int, int], params: Mapping[str, object], problems: Problems
) -> None:
    """Warn of an event whose end lies beyond that of the run: what it changes stays so.

    times  us since the start, of the event and of the end of the run
    """
    lasts, left = params.get("duration"), times[1] - times[0]
    if isinstance(lasts, int | float) and lasts * SECOND > left:
        text = f"{kind.name} lasts {format_duration(round(lasts * SECOND))}, and the run ends"
        problems.add(entry.mark, "W207", f"{text} {format_duration(left)} after it begins")


def _targets(entry: Node, kind: EventKind, city: City, problems: Problems) -> tuple[int, ...]:
    where = entry.get("where")
    if not kind.target:
        if where is not None and where.value != "all":
            problems.add(where.mark, "E140", f"event {kind.name} acts on the whole city; where has no meaning")
        return ()
    if where is None:
        text = f"event {kind.name} needs where: which {kind.target} it acts on, for example where: all"
        problems.add(entry.mark, "E111", text)
        return ()
    if city.rows(kind.target) == 0:
        problems.add(where.mark, "E136", f"event {kind.name} acts on {kind.target}, which city {city.name} lacks")
        return ()
    return find_targets(where, kind.target, city, problems)


def _time(entry: Node, city: City, span: tuple[int, int], problems: Problems) -> int | None:
    node = entry.get("at")
    if node is None:
        return None
    time = read_moment(node, span[0], city.timezone, problems)
    if time is not None and not 0 <= time < span[1]:
        side = "before the run starts" if time < 0 else f"after the run ends ({format_duration(span[1])} long)"
        if not problems.told(node.mark, "E141"):
            moment = format_local(span[0] + time, city.timezone)
            problems.add(node.mark, "E141", f"at ({node.value}), which is {moment}, lies {side}")
        return None
    return time
