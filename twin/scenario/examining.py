"""Let the components of an arm look at the files that their options name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twin.contract import Component, Setup

if TYPE_CHECKING:
    from twin.city import City
    from twin.scenario.case import Case
    from twin.scenario.components import Cast
    from twin.scenario.problems import Problems


def examine(chosen: Cast, case: Case, city: City, problems: Problems) -> None:
    """Note what components find wrong before anything runs, each where the component is named."""
    for name, found in chosen.classes.items():
        if found.examine is Component.examine:
            continue
        setup = Setup(city, chosen.options[name], case.seed, case.start, case.duration, case.events, case.folder)
        for text in found().examine(setup):
            problems.add(chosen.marks[name], "E137", text)
