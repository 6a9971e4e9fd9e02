"""A world: one run of an assembled twin that can be run, branched, saved and looked at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, overload

from twin.contract import Feed, Model
from twin.engine import Engine
from twin.errors import TwinError
from twin.units import parse_duration

if TYPE_CHECKING:
    from pathlib import Path

    from twin.assembly import Assembly
    from twin.whatif import WhatIf
    from twin.whatif.choices import Spec

_LAST = 2**62
"""Last instant of a clock of int64 us, with room for delays beyond it."""


class World(Engine):
    """One run: clock, state arrays, pending events.

    `run(until)` handles every event strictly before `until`; `branch()` copies
    the arrays; `save()` writes them. A run that is cut anywhere between two
    instants and continued is bitwise equal to one that was not.
    """

    def run(
        self,
        until: int | str | None = None,
        progress: Callable[[int], None] | None = None,
        stop: Callable[[], bool] | None = None,
    ) -> World:
        """Handle every event strictly before `until`; return the world.

        until     us since the start, or text such as "2 h"; default the scenario's duration
        progress  called with the time of every instant
        stop      when it returns True the run halts between two instants, resumable
        """
        end = self._until(until)
        if end < self.now:
            raise TwinError(f"until ({end} us) must not be before now ({self.now} us)")
        self._begin()
        calendar = self.calendar
        while (instant := calendar.peek()) < end:
            if stop is not None and stop():
                return self
            self._instant(int(instant))
            if progress is not None:
                progress(int(instant))
        self._set_now(end)
        for component in self.assembly.components:
            self._advance(component)
        return self

    def _until(self, until: int | str | None) -> int:
        if until is None:
            return self.assembly.setup.duration
        if isinstance(until, str):
            return parse_duration(until)
        if isinstance(until, bool) or not -_LAST <= until <= _LAST or int(until) != until:
            raise TwinError(f"until ({until}) must be whole microseconds, or text such as '2 h'")
        return int(until)

    def kpis(self) -> dict[str, float]:
        """Return the figures of every model for the run so far."""
        figures: dict[str, float] = {}
        for component in self.assembly.components:
            if isinstance(component, Model):
                self._advance(component)
                figures.update(component.kpis(self.view(component.name)))
        return figures

    def check(self) -> list[str]:
        """Return every broken invariant, empty when all hold."""
        broken: list[str] = []
        for component in self.assembly.components:
            if isinstance(component, Model):
                self._advance(component)
                broken += [f"{component.name}: {text}" for text in component.check(self.view(component.name))]
        return broken

    @overload
    def branch(self, without: tuple[int, ...] = ()) -> World: ...

    @overload
    def branch(
        self, *, policies: Sequence[Spec], horizon: int | str = ..., replications: int = ..., **more: Any
    ) -> WhatIf: ...

    def branch(
        self, without: tuple[int, ...] = (), policies: Sequence[Spec] | None = None, **asked: Any
    ) -> World | WhatIf:
        """Return a copy that goes on by itself, or with policies, what each would bring from now on.

        without   numbers of scenario events to take out of the copy's future
        policies  what to try beside the present policies: "dmexclp", "dmexclp(busy_fraction=0.4)",
                  ("dmexclp", {"busy_fraction": 0.4}), a Policy or its class
        asked     horizon="2 h", replications=10, workers=0, frozen=(), by="", progress=None;
                  see `twin.whatif.Question`

        Constants and past output are shared. With policies, each replication has a future of its own
        that all policies share; the world itself is left as it is.
        """
        if policies is not None:
            from twin.whatif import Question, what_if

            if without:
                raise TwinError("take events out first: world.branch(without=...).branch(policies=...)")
            return what_if(self, Question(policies, **asked))
        if asked:
            raise TwinError(f"{', '.join(asked)} need policies: world.branch(policies=[...], ...)")
        child = World(self.assembly, self.state.copy())
        child.events = self.events.branch()
        child.parents = self.parents.branch()
        child.series = self.series.branch()
        for index in without:
            child.state["kind_off.flag"][index] = True
        return child

    def switch(self, policy: Spec | None = None, seed: int | None = None) -> World:
        """Let other policies take over now, and draw what has not happened yet with another seed; return the world.

        policy  as `branch` takes them; None keeps the present ones
        seed    of the future; None keeps the world's own
        """
        from twin.whatif import Change, Choice, read_choice, switched

        choice = Choice("present") if policy is None else read_choice(policy, self.assembly)
        with switched(self, Change(choice, seed)) as other:
            fresh = World(other.assembly, other.state.copy())
            fresh.events, fresh.parents, fresh.series = other.events, other.parents, other.series
        vars(self).clear()
        vars(self).update(vars(fresh))
        return self

    def close(self) -> None:
        """End this world and let the next branch reuse its memory; logs and figures taken stay."""
        self._views.clear()
        for name in ("calendar", "procedures"):
            vars(self).pop(name, None)
        self._handles = None
        self.state.close()

    def __enter__(self) -> World:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def digest(self) -> str:
        """Return a hash of every mutable byte."""
        return self.state.digest()

    def save(self, folder: str | Path) -> Path:
        """Write a snapshot from which `World.load` goes on bit for bit."""
        from twin.snapshot import save

        return save(self, folder)

    @classmethod
    def load(cls, folder: str | Path, assembly: Assembly) -> World:
        """Return the saved world, on an assembly of the same case."""
        from twin.snapshot import load

        return load(folder, assembly)

    def frame(self, table: str) -> Any:
        """Return a state table (`bus`, `link`, `unit`, ...) as a data frame; see `twin.frames`."""
        from twin.frames import table_frame

        return table_frame(self, table)

    def series_frame(self) -> Any:
        """Return the series measured so far, local time by name."""
        from twin.frames import series_frame

        return series_frame(self)

    def events_frame(self) -> Any:
        """Return the event log so far, with local times."""
        from twin.frames import events_frame

        return events_frame(self)

    def why(self, event: int | str) -> str:
        """Return the chain of causes behind an event, by id or kind, as text."""
        from twin.frames import why

        return why(self, event)

    def __repr__(self) -> str:
        from twin.units import format_local

        city = self.assembly.city
        local = format_local(self.assembly.setup.start + self.now, city.timezone)
        return f"World({city.name} at {local}: {len(self.events)} events)"

    def plan(self) -> list[dict[str, Any]]:
        """Return the solving order with what each component reads, adds to and writes."""
        return [
            {
                "component": c.name,
                "kind": "feed" if isinstance(c, Feed) else "model",
                "reads": [n for n in c.reads if n in self.assembly.fields],
                "lags": list(c.lags),
                "adds": sorted(self.assembly.adds[c.name]),
                "writes": sorted(self.assembly.owned[c.name]),
            }
            for c in self.assembly.components
        ]
