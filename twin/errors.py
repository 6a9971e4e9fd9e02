"""Errors a user can act on; each says what, where and what to do next."""


class TwinError(Exception):
    """Base of every error that citytwin raises on purpose."""


class CityError(TwinError, ValueError):
    """A city, or the file it is built from, is not usable."""


class ScenarioError(TwinError, ValueError):
    """A scenario has problems; `problems` holds all of them."""

    def __init__(self, message: str, problems: tuple[object, ...] = ()) -> None:
        super().__init__(message)
        self.problems = problems


class ContractError(TwinError, TypeError):
    """A model, policy or feed broke its own declaration."""


class SnapshotError(TwinError, ValueError):
    """A saved world cannot be loaded here."""


class RunError(TwinError, RuntimeError):
    """A component failed during a run; the stage and time are named."""


class DataError(TwinError, ValueError):
    """A data file is missing, broken or not what its name says."""
