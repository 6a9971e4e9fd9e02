"""Traffic: every vehicle moves through the city on the Newell kernel."""

from twin.models.traffic.model import Traffic

__all__ = ["Traffic"]
