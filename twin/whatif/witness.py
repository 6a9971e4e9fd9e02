"""What no policy of a question can change, run once per future and kept as a film.

Where the parts of a world that a question changes reach no other part, all others do the same under every
policy tried. One run of a future, under the present policies, witnesses what those parts read of the
others; the branches of that future then run these parts alone, on the film.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from twin.contract import Policy
from twin.world import World

if TYPE_CHECKING:
    from twin.assembly import Assembly
    from twin.contract import Event

Array = np.ndarray[Any, Any]
Film = dict[str, list[tuple[int, int, tuple[Array, ...]]]]

SETTLED = 3
"""Place within an instant of what models solve: after its events."""


class Topic(Protocol):
    """Something that is read of others: fields whose change changes it, its place in an instant, how to look."""

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of fields."""

    @property
    def order(self) -> int:
        """Place of its changes within an instant: 0 with events of models, 1 with those of feeds."""

    def look(self, world: World, /) -> tuple[Array, ...]:
        """Return it as it is now; arrays of its own."""


def reach(
    assembly: Assembly,
    parts: Collection[str],
    told: Collection[str],
    alive: Collection[str],
    unwritten: Collection[str] = (),
) -> str:
    """Return how some parts of a world reach another one, "" when they do not.

    parts      names of components and policies
    told       kinds of events that these tell
    alive      names of the components that go on
    unwritten  fields that the parts own but will not write
    """
    mine = {name for name, owner in assembly.owner_of.items() if owner in parts and name not in unwritten}
    kinds = {*told, *(kind for kind, handler in assembly.handler.items() if handler.name in parts)}
    for part in [*(c for c in assembly.components if c.name in alive), *assembly.policies]:
        if part.name in parts:
            continue
        read = sorted(assembly.readable[part.name] & mine)
        heard = sorted(kinds & {*part.listens, *getattr(part, "on", ())})
        if read or heard:
            return f"{part.name} {'reads' if read else 'listens to'} {(read or heard)[0]}"
        ordered = [kind for kind in getattr(part, "commands", ()) if kind in kinds]
        if isinstance(part, Policy) and ordered:
            return f"{part.name} orders {ordered[0]}"
    added = sorted(name for part in parts for name in assembly.adds[part] if assembly.owner_of[name] not in parts)
    return f"{assembly.owner_of[added[0]]} totals {added[0]}" if added else ""


class Witness(World):
    """A world that keeps a film of some topics as it runs.

    film     of each topic: instant (us), order within it, what was there from then on
    foreign  kind of an event that came to the parts from outside, "" for none
    """

    def __init__(self, world: World, topics: Mapping[str, Topic], parts: Collection[str], known: Collection[str]):
        super().__init__(world.assembly, world.state)
        self.events, self.parents, self.series = world.events, world.parents, world.series
        self.foreign = ""
        self._topics, self._parts, self._known = topics, parts, known
        numbers = world.assembly.field_number
        self._fields = {name: np.array([numbers[f] for f in t.fields], np.intp) for name, t in topics.items()}
        self.film: Film = {name: [(-1, 0, topic.look(self))] for name, topic in topics.items()}
        self._last = dict.fromkeys(topics, int(self.state["engine.write"][0]))
        self._settled = self._seen = -1

    def _settle(self) -> None:
        self._note(SETTLED if self._settled == self.now else 0)
        super()._settle()
        self._settled = self.now
        self._note(SETTLED)

    def _note(self, order: int) -> None:
        """Film the topics that changed since last time."""
        count = self.state.cells["engine.write"][0]
        if count == self._seen:
            return
        self._seen = count
        stamps = self.state["written.stamp"]
        for name, topic in self._topics.items():
            newest = int(stamps[self._fields[name]].max(initial=-1))
            if newest <= self._last[name]:
                continue
            self._last[name] = newest
            shot = topic.look(self)
            if not all(map(np.array_equal, shot, self.film[name][-1][2])):
                self.film[name].append((self.now, max(order, topic.order), shot))

    def _hand_over(self, event: Event) -> None:
        if self.assembly.handler[event.kind].name in self._parts and event.kind not in self._known:
            self.foreign = event.kind
        super()._hand_over(event)
