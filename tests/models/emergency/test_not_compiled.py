"""What units do beyond published times is not in the kernel of compiled branches, and is refused there."""

from dataclasses import replace

import pytest

from tests.whatif.quick import case, city
from twin.contract import SECOND
from twin.execution.run import assemble
from twin.models.emergency.standstill import PARTS, Standstill
from twin.world import World


def refusal(**given):
    options = {**case().options, "emergency": {**case().options["emergency"], **given}}
    world = World(assemble(replace(case(), options=options), city())).run(SECOND)
    others = frozenset(part.name for part in world.assembly.components) - PARTS
    return Standstill(world, others).refusal


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, ""),
        *(({k: v}, "not compiled") for k, v in (("drive", "vehicles"), ("siren", "urgent"), ("worsens_after", 60.0))),
    ],
)
def test_options_the_kernel_does_not_know_are_refused(given, said):
    found = refusal(**given)
    assert said in found
    assert bool(found) == bool(said)
