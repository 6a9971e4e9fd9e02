"""What components require of a city is looked at before anything is set up."""

from __future__ import annotations

import pytest

from tests.engine.toys import toy_city
from twin.assembly import Assembly
from twin.contract import HOUR, Model, Setup
from twin.errors import ContractError


class Rails(Model):
    name = "rails"
    requires = ("nodes", "tracks", "switches")


class Ferries(Model):
    name = "ferries"
    requires = ("piers",)


def test_every_lacking_table_is_named_at_once():
    city = toy_city()
    with pytest.raises(ContractError, match="rails needs tracks, switches; ferries needs piers"):
        Assembly(city, [Rails(), Ferries()], [], Setup(city, {}, 1, 0, HOUR))
