"""Repair crews: who works when, with what, on which asset, and for how long."""

from twin.models.restoration.kinds import (
    AT_DEPOT,
    DRIVING,
    INSPECTING,
    ISOLATING,
    LOADING,
    OFF_DUTY,
    PREPARING,
    REPAIRING,
    RETURNING,
    STAGES,
    STANDING,
    TESTING,
    WAITING,
)
from twin.models.restoration.model import Restoration

__all__ = [
    "AT_DEPOT",
    "DRIVING",
    "INSPECTING",
    "ISOLATING",
    "LOADING",
    "OFF_DUTY",
    "PREPARING",
    "REPAIRING",
    "RETURNING",
    "STAGES",
    "STANDING",
    "TESTING",
    "WAITING",
    "Restoration",
]
