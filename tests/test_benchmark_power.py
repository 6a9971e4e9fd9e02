"""The engines of the power benchmark solve the same flow, and every size gets its ratios."""

from __future__ import annotations

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
