"""Let the components of an arm look at the files that their options name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twin.contract import SECOND, Component, Setup
from twin.scenario.needs import lacking
from twin.units import format_duration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twin.city import City
    from twin.scenario.components import Cast
    from twin.scenario.problems import Problems


def examine(
    chosen: Cast, city: City, span: tuple[int, int], events: Sequence[object], folder: str, problems: Problems
) -> None:
    """Note what components find wrong before anything runs, each where the component is named.

    A component is left out while its own options are wrong, or the city lacks tables it needs: what it
    found then would only follow from that. Problems elsewhere do not keep it from looking.

    span    start (UTC us since 1970) and duration (us) of the run
    events  events of the scenario, as far as they could be read
    """
    _note_idle(chosen, span[1], problems)
    kinds = {kind.name: kind for found in chosen.classes.values() for kind in found.events}
    for name, found in chosen.classes.items():
        options = chosen.options[name]
        bad = any(options.get(option.name) is None for option in found.options)
        silent = found.examine is Component.examine and found.doubt is Component.doubt
        if silent or bad or lacking(found, city):
            continue
        part, setup = found(), Setup(city, options, 0, *span, events, folder, chosen.policies, kinds=kinds)
        for text in part.examine(setup):
            problems.add(chosen.marks[name], "E137", text)
        for text in part.doubt(setup):
            problems.add(chosen.marks[name], "W205", text)


def _note_idle(chosen: Cast, duration: int, problems: Problems) -> None:
    """Warn of what the scenario has done every so often, and so seldom that it never happens in the run."""
    for name, found in chosen.classes.items():
        for option in found.options:
            value = chosen.options[name].get(option.name)
            if option.name.split("_")[-1] != "every" or value is None or value == option.default:
                continue
            if value * SECOND >= duration:
                told = f"{option.name} ({format_duration(round(value * SECOND))}) of {name} is no shorter than the run"
                problems.add(chosen.marks[name], "W202", f"{told}: it never happens")
