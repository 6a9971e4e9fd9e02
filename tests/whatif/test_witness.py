"""What a question can reach, the film of one future, and branches that only the model can tell."""

from __future__ import annotations

import numpy as np
import pytest

import twin
from tests.whatif.quick import AT, TEXT, city, live
from tests.whatif.test_compiled import asked, bits, everything
from twin.contract import MINUTE, SECOND
from twin.execution.run import assemble
from twin.kernels import standstill, standstill_arrays
from twin.models.emergency.standstill import EVENTS, PARTS, TOLD
from twin.models.emergency.standstill_reels import closures, expected, reels, topics
from twin.whatif import Change, switched
from twin.whatif.witness import SETTLED, Witness, reach
from twin.world import World

MINE = {*PARTS, "closest_idle"}


def found(parts, told=TOLD, **more):
    assembly = live().assembly
    return reach(assembly, parts, told, {part.name for part in assembly.components}, **more)


def test_dispatch_reaches_the_service_and_its_reports_only():
    assert found(MINE) == ""


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        ({"emergency", "closest_idle"}, "avl reads unit."),
        ({"emergency", "avl"}, "closest_idle reads call."),
        ({"telecom"}, " reads site."),
        ({"hazards"}, " reads "),
    ],
)
def test_parts_that_others_read_are_told_with_the_reader(parts, told):
    assert told in found(parts)


def test_fields_that_stay_unwritten_reach_nobody():
    fields = [name for name, owner in live().assembly.owner_of.items() if owner == "emergency"]
    heard = found({"emergency", "closest_idle"}, told=(), unwritten=fields)
    assert heard == ""


def test_who_listens_to_what_is_told_is_reached():
    assert "listens to" in found({"scada", "probes"}, told=("call_triaged",), unwritten=live().assembly.owner_of)


def filmed(span=12 * MINUTE):
    child = switched(live(), Change(seed=5))
    witness = Witness(child, topics(child), PARTS, EVENTS)
    witness.run(AT + span)
    return witness


def test_the_film_shows_what_was_there_after_every_instant():
    film, plain = filmed().film, switched(live(), Change(seed=5))
    shots = {name: list(rows) for name, rows in film.items()}
    looks = topics(plain)
    while (at := plain.step()) is not None and at < AT + 12 * MINUTE:
        for name, topic in looks.items():
            last = [shot for shot in shots[name] if shot[0] <= at][-1]
            assert all(map(np.array_equal, last[2], topic.look(plain))), (name, at)
    assert len(film["road"]) > 5
    assert {order for _, order, _ in film["seen"][1:]} == {1}
    assert {order for _, order, _ in film["road"][1:]} <= {0, SETTLED}


def test_a_film_becomes_reels_of_equal_length():
    film = filmed().film
    made = reels(film)
    for name, columns in (("road", ("road_time", "road_us", "road_open")), ("bay", ("bay_factor",))):
        assert {made[column].shape[0] for column in columns} == {len(film[name])} == {made[name].at.shape[0]}
    free = live().assembly.by_name["closest_idle"].streets.free_time
    assert (expected(film, free, 0.0) == free).all()
    assert closures(film) == [a[0] for b, a in zip(film["road"], film["road"][1:], strict=False)
                              if (b[2][1] != a[2][1]).any()]  # fmt: skip


FLOOD = """\
  - {at: +12 min, kind: flood, where: all, peak: 1.5 m, rise: 5 min, hold: 12 min, fall: 8 min}
  - {at: +14 min, kind: blackout, where: all, duration: 20 min}
"""


def flooded(tmp_path):
    """Return a world before a flood and a blackout, with batteries and generators all but empty."""
    path = tmp_path / "flooded.yaml"
    path.write_text(TEXT.replace("  - {at: +30", FLOOD + "  - {at: +30", 1))
    world = World(assemble(twin.load(path).cases()[0], city())).run(9 * MINUTE)
    world.view("backup").raw("store.level")[:] = 37 * SECOND
    return world


def test_closed_roads_dark_hospitals_and_silent_sites_are_followed_to_the_byte(tmp_path):
    world = flooded(tmp_path)
    child = switched(world, Change(seed=5))
    film = Witness(child, topics(child), PARTS, EVENTS).run(40 * MINUTE).film
    assert len(closures(film)) > 2
    assert all(len(film[name]) > 1 for name in ("road", "bay", "site", "seen"))
    rules = ["dmexclp", "hospital_aware+dmexclp_relocation"]
    quick, slow = (asked(world, compiled, rules, 38 * MINUTE, everything(world), 2) for compiled in (True, False))
    assert quick.compiled == tuple(rules)
    assert bits(quick) == bits(slow)


def test_an_event_from_outside_is_foreign():
    child = switched(live(), Change(seed=5))
    witness = Witness(child, topics(child), PARTS, EVENTS - {"call_rings"}).run(AT + 12 * MINUTE)
    assert witness.foreign == "call_rings"


def test_a_branch_with_a_tie_is_run_by_the_model(monkeypatch):
    keep = everything(live())
    plain = asked(live(), False, ["dmexclp"], 12 * MINUTE, keep, 1)
    asked_for = []

    def tied(case, state, until):
        asked_for.append(until)
        return standstill_arrays.TIED

    monkeypatch.setattr(standstill, "serve", tied)
    assert bits(asked(live(), True, ["dmexclp"], 12 * MINUTE, keep, 1)) == bits(plain)
    assert asked_for == [AT + 12 * MINUTE]
