"""Drinking water: EPANET's hydraulics, the twin's own tanks, controls, rules and clock."""

from twin.models.water.model import Water

__all__ = ["Water"]
