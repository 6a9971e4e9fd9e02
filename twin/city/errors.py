"""Name the one error that a city can raise."""


class CityError(ValueError):
    """Tell what is wrong with a city or its file, where, and what to do about it."""
