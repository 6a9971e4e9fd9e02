"""Traffic: every vehicle moves through the city on the Newell kernel.

`Traffic` is the model of a twin; `simulate` runs streets and trips by themselves.
"""

from twin.models.traffic.alone import Rules, simulate
from twin.models.traffic.detectors import floating_cars, loops, travel_times
from twin.models.traffic.model import Traffic
from twin.models.traffic.outcome import Result

__all__ = ["Result", "Rules", "Traffic", "floating_cars", "loops", "simulate", "travel_times"]
