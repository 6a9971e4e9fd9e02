"""The plan and the procedures of the manual can be read as they are printed."""

from pathlib import Path

import twin
from tests.models.emergency.service_world import plan_file
from tests.test_manual import blocks
from twin.models.emergency.incidents import MASS_CASUALTY
from twin.models.emergency.service_kinds import INCIDENT_KINDS, UNIT_KINDS
from twin.models.emergency.service_plan import plan_of
from twin.models.procedures.manual import read_manual

PAGE = "emergency_service.md"


def test_the_plan_is_one(tmp_path):
    city = twin.load("nusantara").cases()[0].city()
    plan = plan_of(city, plan_file(tmp_path, blocks(PAGE, "yaml")[0]))
    assert len(plan.units.kind) == 10
    assert plan.desks["112"].at(12 * 3600.0) == 4
    assert plan.upgrades.sum() == 2


def test_the_procedures_are_some(tmp_path):
    manual = read_manual(plan_file(tmp_path, blocks(PAGE, "yaml")[1]))
    assert manual.procedures[0].stages[0].name == "confirm"
    assert manual.procedures[0].stages[3].after == (1, 2)


def test_the_page_names_every_kind():
    text = (Path(__file__).parents[3] / "docs" / "manual" / PAGE).read_text(encoding="utf-8")
    for name in (*UNIT_KINDS, *INCIDENT_KINDS, MASS_CASUALTY.name):
        assert f"`{name}`" in text
