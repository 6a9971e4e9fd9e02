"""The engines of the power benchmark solve the same flow, and every size gets its ratios."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import power_feeder
from benchmarks.__main__ import names

pytest.importorskip("pandapower", reason="pandapower is in the extra `test`")


def test_the_benchmark_is_listed():
    assert "power_feeder" in names()


def test_the_engines_agree_on_the_33_bus_feeder(monkeypatch):
    monkeypatch.setattr(power_feeder, "_SIZES", (33,))
    figures = power_feeder.measure(seed=1, quick=True).figures
    assert figures["max_dv_pu"] <= 1e-8
    assert figures["ratio_pgm_min"] == figures["ratio_pgm_33"] > 1
    assert figures["ratio_pandapower_min"] == figures["ratio_pandapower_33"] > 1


def test_a_peer_of_the_coupled_city_is_told_only_what_differs():
    from benchmarks.coupled_city import _news

    kind = np.dtype([("id", "i4"), ("p", "f8")], align=True)
    first = np.array([(1, np.nan), (2, 5.0), (3, 0.0)], kind)
    second = np.array([(1, np.nan), (2, 6.0), (3, np.nan)], kind)
    third = second.copy()
    news = _news([{"load": one, "source": first} for one in (first, second, third)])
    assert news[0]["load"] is first
    assert {name: part["id"].tolist() for name, part in news[1].items()} == {"load": [2, 3]}
    assert news[2] == {}
