"""What strikes a city: water, wind, earthquakes, ageing, attacks, heat, planned work."""

from twin.models.hazards.model import Hazards

__all__ = ["Hazards"]
