"""EPANET 2.3 as a pure function: all inputs in, one hydraulic solution out."""

from twin.models.water.epanet.errors import EpanetError
from twin.models.water.epanet.project import EpanetBackend

__all__ = ["EpanetBackend", "EpanetError"]
