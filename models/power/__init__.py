"""Distribution power: what is connected, what flows, who is without."""

from twin.models.power.model import Power

__all__ = ["Power"]
