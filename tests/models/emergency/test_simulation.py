"""Rules in Python that break off, scribble or answer nonsense cannot change a run unseen."""

from __future__ import annotations

import numpy as np
import pytest

from tests.kernels.emergency_cases import grid_calls, grid_region
from twin.models.emergency.alone import simulate
from twin.models.emergency.rules import Nearest, Rules
from twin.models.emergency.simulation import Simulation


def service(rule):
    region = grid_region()
    return Simulation(region, grid_calls(region), Rules(rule))


class Stumbles(Nearest):
    """Raise once, at the fifth question."""

    asked = 0

    def dispatch(self, desk):
        self.asked += 1
        if self.asked == 5:
            raise KeyboardInterrupt
        return super().dispatch(desk)


def test_a_rule_that_was_interrupted_is_asked_again():
    stumbling = service(Stumbles())
    with pytest.raises(KeyboardInterrupt):
        stumbling.run()
    assert np.array_equal(stumbling.run().log, service(Nearest()).run().log)


def test_a_run_saved_inside_a_question_goes_on_as_if_whole(tmp_path):
    stumbling = service(Stumbles())
    with pytest.raises(KeyboardInterrupt):
        stumbling.run()
    stumbling.save(tmp_path / "cut.npz")
    assert np.array_equal(service(Nearest()).load(tmp_path / "cut.npz").run().log, service(Nearest()).run().log)


class Scribbles:
    """Mask the units that cannot go by writing into what is only shown."""

    def dispatch(self, desk):
        desk.eta[desk.eta > 1 << 61] = -1
        return int(desk.eta.argmin())


def test_what_a_rule_is_shown_cannot_be_written():
    with pytest.raises(ValueError, match="read-only"):
        service(Scribbles()).run()


@pytest.mark.parametrize("answer", [None, 2.7, "1", float("nan"), -5, True])
def test_an_answer_that_is_no_unit_is_named(answer):
    class Odd:
        def dispatch(self, desk):
            return answer

    with pytest.raises(TypeError, match="it must be an integer, -1 for none"):
        service(Odd()).run()


def test_calls_left_alone_count_as_late_and_figures_keep_their_names():
    class Never:
        def dispatch(self, desk):
            return -1

    region = grid_region()
    alone = simulate(region, grid_calls(region), Rules(Never()), until=86400.0).figures
    served = simulate(region, grid_calls(region), Rules(Nearest())).figures
    assert alone["late_share"] == 1.0
    assert alone.keys() == served.keys()
    assert np.isnan(alone["response_mean"])


def plain(**rules):
    region = grid_region()
    return Simulation(region, grid_calls(region), Rules(**rules))


def test_a_run_is_saved_under_the_name_given_and_leaves_nothing_else(tmp_path):
    cut = plain().run(5000.0)
    cut.save(tmp_path / "kept")
    assert [file.name for file in tmp_path.iterdir()] == ["kept"]
    assert np.array_equal(plain().load(tmp_path / "kept").run().log, plain().run().log)


def test_a_run_of_other_rules_or_calls_is_not_taken_for_this_one(tmp_path):
    plain().run(5000.0).save(tmp_path / "kept")
    region = grid_region()
    others = [
        plain(queue_limit=1),
        Simulation(region, grid_calls(region, seed=3)),
        Simulation(region, grid_calls(region, 9)),
    ]
    for other in others:
        with pytest.raises(ValueError, match="another region, other calls or other rules"):
            other.load(tmp_path / "kept")
        assert other.now == 0


@pytest.mark.parametrize("until", [float("nan"), float("inf"), -1.0, "noon"])
def test_an_instant_that_is_none_is_refused(until):
    with pytest.raises(ValueError, match=r"until \("):
        plain().run(until)
