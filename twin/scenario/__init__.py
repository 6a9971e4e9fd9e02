"""Scenarios: YAML in, every problem at once or fully resolved cases out."""

from twin.scenario.case import Case, ScenarioEvent
from twin.scenario.judging import Comparison, Expectation
from twin.scenario.layers import embedded
from twin.scenario.problems import Problem, report
from twin.scenario.scenario import Scenario, load
from twin.scenario.schema import schema
from twin.scenario.template import SCHEMA_FILE, template

__all__ = [
    "SCHEMA_FILE",
    "Case",
    "Comparison",
    "Expectation",
    "Problem",
    "Scenario",
    "ScenarioEvent",
    "embedded",
    "load",
    "report",
    "schema",
    "template",
]
