"""Describe cities: frozen tables made by a generator or an importer."""

from twin.city.build import build_city
from twin.city.core import City
from twin.city.loading import load_city
from twin.errors import CityError

__all__ = ["City", "CityError", "build_city", "load_city"]
