"""The fitted process of calls: it finds the truth it was drawn from, and its tests can fail."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from twin.models.emergency.call_draw import Hazard, draw_calls
from twin.models.emergency.call_fit import judge_fit
from twin.models.emergency.call_space import CallSpace, fit_space
from twin.models.emergency.call_tables import DAY, WEEK, read_easynet
from twin.models.emergency.process import CallProcess, Factors, Settings, count_in, cut_hours, fit_process

HOURS = np.arange(168)
WEEKS = 12
SPAN = (0.0, WEEKS * WEEK)
COARSE = Settings(cell=500.0, bandwidths=(500.0,))


def make_truth(beta=()):
    daily = 1.0 + 0.6 * np.sin((HOURS % 24 - 8) * np.pi / 12) + 0.2 * (HOURS >= 120)
    share = np.zeros(400)
    share[[42, 43, 150, 310]] = [0.4, 0.3, 0.2, 0.1]
    space = CallSpace((0.0, 0.0), 500.0, (20, 20), share, 0.0)
    names = tuple(f"factor {i}" for i in range(len(beta)))
    return CallProcess(12.0 / 3600 * daily, np.full(168, 1e9), names, np.array(beta), np.zeros(len(beta)), space)


def rain(weeks=WEEKS, columns=1):
    draw = np.random.Generator(np.random.Philox(4))
    return Factors(tuple(f"factor {i}" for i in range(columns)), (draw.random((weeks * 168, columns)) < 0.2) * 1.0)


def test_the_weekly_rates_are_found_again():
    truth = make_truth()
    drawn = draw_calls(truth, 1, SPAN)
    found = fit_process(drawn.time / 1e6, drawn.xy, [SPAN], settings=COARSE)
    error = (found.base - truth.base) / np.sqrt(truth.base / (WEEKS * 3600))
    assert error.std() == pytest.approx(1.0, abs=0.15)
    assert np.abs(error).max() < 4.5


def test_the_effects_of_factors_are_found_within_their_errors():
    truth, factors = make_truth((0.5, -0.3)), rain(columns=2)
    z = []
    for seed in range(12):
        drawn = draw_calls(truth, seed, SPAN, factors)
        found = fit_process(drawn.time / 1e6, drawn.xy, [SPAN], factors, COARSE)
        z.append((found.beta - truth.beta) / found.error)
    assert np.abs(np.mean(z, axis=0)).max() < 3 / np.sqrt(12)
    assert 0.6 < np.std(z) < 1.5


def test_the_truth_passes_and_wrong_models_fail():
    truth = make_truth()
    drawn = draw_calls(truth, 2, SPAN)
    time, spans = drawn.time / 1e6, [SPAN]
    good = judge_fit(truth, time, drawn.xy, spans)
    assert min(good.ks_p, good.chi_square_p) > 0.01
    assert good.dispersion == pytest.approx(1.0, abs=0.4)
    assert abs(good.lag) < 0.03
    flat = judge_fit(replace(truth, base=np.full(168, truth.base.mean())), time, drawn.xy, spans)
    assert max(flat.ks_p, flat.chi_square_p) < 1e-6
    shifted = judge_fit(
        replace(truth, space=replace(truth.space, share=truth.space.share[::-1] * 0.5 + 0.5 / 400)),
        time,
        drawn.xy,
        spans,
    )
    assert shifted.log_density < good.log_density - 1
    assert shifted.gain < 0 < good.gain
    clumped = np.sort(np.repeat(time[::2], 2) + np.tile([0.0, 1.0], len(time[::2])))[: len(time)]
    assert judge_fit(truth, clumped, drawn.xy, spans).ks_p < 1e-6


def test_tests_of_the_truth_are_calibrated():
    truth = make_truth()
    p = []
    for seed in range(40):
        drawn = draw_calls(truth, seed, (0.0, 2 * WEEK))
        fit = judge_fit(truth, drawn.time / 1e6, drawn.xy, [(0.0, 2 * WEEK)])
        p.append((fit.ks_p, fit.chi_square_p))
    assert np.mean(p, axis=0) == pytest.approx([0.5, 0.5], abs=0.2)


def test_time_outside_of_spans_neither_counts_nor_passes():
    truth = make_truth()
    drawn = draw_calls(truth, 3, SPAN)
    spans = [(WEEK * w + DAY, WEEK * w + 4.5 * DAY) for w in range(WEEKS)]
    found = fit_process(drawn.time / 1e6, drawn.xy, spans, settings=COARSE)
    seen = slice(24, 108)
    assert found.base[seen].sum() == pytest.approx(truth.base[seen].sum(), rel=0.05)
    assert found.base[120:].max() < 2 * found.base[seen].mean()
    assert found.evidence[130] == 1.0
    assert judge_fit(truth, drawn.time / 1e6, drawn.xy, spans).ks_p > 0.01


def test_pieces_are_cut_at_full_hours():
    pieces = cut_hours([(9000.0, 10_800.0), (1800.0, 7300.0)])
    assert pieces.first.tolist() == [1800.0, 3600.0, 7200.0, 9000.0]
    assert pieces.last.tolist() == [3600.0, 7200.0, 7300.0, 10_800.0]
    assert pieces.hour.tolist() == [0, 1, 2, 2]
    assert count_in(pieces, [0, 1800, 3599, 7250, 7300, 9001]).tolist() == [2, 0, 1, 1]


def test_a_hazard_adds_calls_and_leaves_the_others_alone():
    truth = make_truth()
    calm = draw_calls(truth, 7, (0.0, WEEK))
    where = np.zeros(400)
    where[7] = 1.0
    flood = draw_calls(truth, 7, (0.0, WEEK), hazards=[Hazard(DAY, 2 * DAY, 2.0, where)])
    own = flood.hazard < 0
    assert flood.time[own].tolist() == calm.time.tolist()
    assert (flood.number[own] == calm.number).all()
    assert np.unique(flood.number).size == flood.number.size
    added = flood.time[~own] / 1e6
    assert (added >= DAY).all()
    assert (added < 2 * DAY).all()
    expected = 2 * truth.base[24:48].sum() * 3600
    assert abs(added.size - expected) < 4 * np.sqrt(expected)
    assert set(truth.space.cell_of(flood.xy[~own])) == {7}
    assert (np.diff(flood.time) >= 0).all()


def test_draws_are_keyed_and_pairs_stay_close():
    truth, factors = make_truth((0.1,)), rain()
    dry = Factors(factors.names, np.zeros_like(factors.value))
    one, again = (draw_calls(truth, 5, (0.0, WEEK), dry) for _ in range(2))
    assert one.time.tobytes() == again.time.tobytes()
    wet = draw_calls(truth, 5, (0.0, WEEK), factors)
    shared = min(one.time.size, wet.time.size)
    assert (wet.xy[np.argsort(wet.number)][:shared] == one.xy[np.argsort(one.number)][:shared]).all()
    assert (wet.time[:shared] <= one.time[:shared]).all()
    assert draw_calls(truth, 6, (0.0, WEEK), dry).time.tobytes() != one.time.tobytes()


def test_the_kernel_width_follows_how_finely_calls_are_placed():
    draw = np.random.Generator(np.random.Philox(9))
    spots = draw.random((12, 2)) * 20_000
    fine = spots[draw.integers(0, 12, 2000)] + draw.normal(0, 50, (2000, 2))
    coarse = draw.random((2000, 2)) * 20_000
    widths = (250.0, 1000.0, 4000.0)
    assert fit_space(fine, 250.0, widths).bandwidth == 250.0
    assert fit_space(coarse, 250.0, widths).bandwidth > 250.0
    space = fit_space(fine, 250.0, widths)
    assert space.share.sum() == pytest.approx(1.0)
    assert (space.share > 0).all()
    assert space.log_density([[1e9, 0.0]])[0] == -np.inf


TIME, XY = np.array([10.0, 20.0, 4000.0]), np.array([[0.0, 0.0], [900.0, 0.0], [0.0, 900.0]])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: fit_process(TIME, XY[:2], [SPAN]), r"time has \(3,\) rows and xy has 2"),
        (lambda: fit_process(TIME, np.where(XY == 900, np.nan, XY), [SPAN]), r"xy\[1\] .* must be finite metres"),
        (lambda: fit_process(TIME, XY, [(5.0, 1.0)]), r"span \[5.0, 1.0\] must end after it begins"),
        (lambda: fit_process(TIME, XY, [(0.0, 10.0), (5.0, 20.0)]), r"span \[5.0, 20.0\]"),
        (lambda: fit_process(TIME + 1e9, XY, [SPAN]), "none of the calls falls in a span"),
        (lambda: fit_process(TIME, XY, [SPAN], Factors(("heat",), np.ones((WEEKS * 168, 1)))), "'heat' never changes"),
        (lambda: fit_process(TIME, XY, [SPAN], Factors(("heat",), np.eye(2)[:, :1])), "hour 2 is asked for"),
        (lambda: draw_calls(make_truth((1.0,)), 1, SPAN), r"must be those of the fit, \['factor 0'\]"),
        (lambda: draw_calls(make_truth(), 1, SPAN, hazards=[Hazard(0, 1, -1.0)]), r"hazards\[0\].extra \(-1\)"),
        (lambda: draw_calls(make_truth(), 1, SPAN, hazards=[Hazard(5, 1, 1.0)]), r"hazards\[0\].last \(1\)"),
        (lambda: fit_space(XY, 0.1), "use a larger one"),
    ],
)
def test_bad_rows_are_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_the_fit_can_be_looked_at():
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib.figure import Figure

    truth = make_truth()
    drawn = draw_calls(truth, 2, (0.0, 2 * WEEK))
    left, right = Figure(figsize=(10, 4)).subplots(1, 2)
    fit = judge_fit(truth, drawn.time / 1e6, drawn.xy, [(0.0, 2 * WEEK)])
    fit.plot((left, right))
    dots = left.lines[0].get_ydata()
    assert (dots == fit.observed).all()
    assert right.lines[0].get_xdata().tolist() == sorted(fit.rescaled)


@pytest.mark.data
@pytest.mark.skipif("TWIN_DATA" not in os.environ, reason="TWIN_DATA names no folder of real data")
def test_half_the_weeks_of_friuli_foretell_the_other_half():
    table = read_easynet(Path(os.environ["TWIN_DATA"]) / "easynet_fvg")
    days = [(d * DAY, (d + 1) * DAY) for d in range(140) if table.within(np.array([[d * DAY, (d + 1) * DAY]])).any()]
    train, test = ([day for day in days if int(day[0] // WEEK) % 2 == half] for half in (0, 1))
    xy, fitted = table.xy(), table.within(np.array(train))
    process = fit_process(table.time[fitted], xy[fitted], train)
    fit = judge_fit(process, table.time, xy, test)
    assert fit.chi_square_p > 0.01
    assert fit.ks < 0.03
    assert fit.gain > 3
    assert fit.dispersion > 2
